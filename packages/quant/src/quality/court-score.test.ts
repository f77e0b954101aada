import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { concatenateBars } from './bar-panel.ts';
import { scoreCourt } from './court-score.ts';
import type { Fault } from './fault-injector.ts';
import type { PanelFinding } from './finding.ts';
import { simulatedBars, weekdaysFrom } from './simulated-bars.ts';

const days = weekdaysFrom(14_600, 100);
const panel = concatenateBars([0, 1].map((i) => simulatedBars(days, createRandom(i), 0.01, 10)));
const sourceRow = Int32Array.from({ length: 200 }, (_, row) => row);
const nothingKnown = new Int32Array(200).fill(-1);

function fault(kind: Fault['kind'], instrument: number, firstRow: number, lastRow = firstRow): Fault {
  return { kind, detail: '', instrument, firstRow, lastRow, firstDay: 0, lastDay: 0, rows: 1 };
}

function finding(kind: PanelFinding['kind'], instrument: number, firstRow: number, lastRow = firstRow): PanelFinding {
  const where = { instrument, firstRow, lastRow, firstDay: 0, lastDay: 0 };
  return { kind, action: 'quarantine', ...where, measure: 0, limit: 0, reason: '' };
}

test('a finding one bar beside a fault answers it, two bars beside it is false', () => {
  const faulty = { panel, sourceRow, faults: [fault('bad-tick', 0, 50)] };
  const beside = scoreCourt(faulty, [finding('bad-tick', 0, 51)], nothingKnown);
  assert.deepEqual([beside.found, beside.falseFindings, beside.innocentRowsHeld], [1, 0, 1]);
  const away = scoreCourt(faulty, [finding('bad-tick', 0, 52)], nothingKnown);
  assert.deepEqual([away.found, away.falseFindings, away.missed.length], [0, 1, 1]);
  const elsewhere = scoreCourt(faulty, [finding('bad-tick', 1, 50)], nothingKnown);
  assert.deepEqual([elsewhere.found, elsewhere.falseFindings], [0, 1]);
});

test('a finding of another kind on a fault is neither an answer nor false', () => {
  const faulty = { panel, sourceRow, faults: [fault('stale-run', 0, 50, 60)] };
  const score = scoreCourt(faulty, [finding('bad-tick', 0, 55)], nothingKnown);
  assert.deepEqual([score.found, score.falseFindings], [0, 0]);
});

test('a compatible kind finds a fault, only its own kind names it', () => {
  const faulty = { panel, sourceRow, faults: [fault('bad-tick', 0, 50), fault('bad-tick', 1, 20)] };
  const score = scoreCourt(faulty, [finding('ohlc-violation', 0, 50), finding('bad-tick', 1, 20)], nothingKnown);
  assert.deepEqual(score.byFault['bad-tick'], { faults: 2, found: 2, named: 1 });
});

test('several findings on one known defect count once and are true', () => {
  const known = nothingKnown.slice().fill(3, 100, 120);
  const score = scoreCourt(
    { panel, sourceRow, faults: [] },
    [finding('bad-tick', 1, 5), finding('bad-tick', 1, 10), finding('bad-tick', 1, 40)],
    known,
  );
  assert.deepEqual([score.knownFound, score.falseFindings, score.innocentRowsHeld], [1, 1, 1]);
});

test('a thin day belongs to no instrument and is false unless planted', () => {
  const score = scoreCourt({ panel, sourceRow, faults: [] }, [finding('thin-day', -1, -1)], nothingKnown);
  assert.deepEqual([score.falseFindings, score.innocentRowsHeld], [1, 0]);
});
