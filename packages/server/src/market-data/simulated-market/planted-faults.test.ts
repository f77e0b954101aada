import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayNumber } from '@touchstone/quant/series/day';
import { countAnswered, type FaultKind, findAnswered } from './planted-faults.ts';

// Thursday and Friday, then Monday to Wednesday.
const SESSIONS = Int32Array.from(['2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09', '2024-01-10'], dayNumber);

function isAnswered(kind: FaultKind, day: string, finding: { kind: string; on: string; instrumentId?: number }) {
  const { on, instrumentId = 1 } = finding;
  const fault = { kind, instrumentId: 1, firstDay: dayNumber(day), lastDay: dayNumber(day) };
  return findAnswered([fault], [{ kind: finding.kind, instrumentId, firstDay: on, lastDay: on }], SESSIONS)[0];
}

test('a finding answers a fault of its kind on the same instrument, one session before or after at most', () => {
  assert.equal(isAnswered('bad-tick', '2024-01-08', { kind: 'bad_tick', on: '2024-01-08' }), true);
  assert.equal(isAnswered('bad-tick', '2024-01-08', { kind: 'bad_tick', on: '2024-01-05' }), true, 'over a weekend');
  assert.equal(isAnswered('bad-tick', '2024-01-05', { kind: 'ohlc_violation', on: '2024-01-08' }), true);
  assert.equal(isAnswered('bad-tick', '2024-01-08', { kind: 'bad_tick', on: '2024-01-04' }), false, 'two before');
  assert.equal(isAnswered('bad-tick', '2024-01-08', { kind: 'bad_tick', on: '2024-01-10' }), false, 'two after');
  assert.equal(isAnswered('bad-tick', '2024-01-08', { kind: 'stale_run', on: '2024-01-08' }), false, 'other kind');
  const elsewhere = { kind: 'bad_tick', on: '2024-01-08', instrumentId: 2 };
  assert.equal(isAnswered('bad-tick', '2024-01-08', elsewhere), false, 'other instrument');
  assert.equal(isAnswered('late-split', '2024-01-04', { kind: 'split_suspicion', on: '2024-01-04' }), true);
});

test('faults are counted by kind, also kinds without any', () => {
  const counts = countAnswered([
    { kind: 'stale-run', found: true },
    { kind: 'stale-run', found: false },
  ]);
  assert.deepEqual(
    counts.map(({ kind, planted, found }) => [kind, planted, found]),
    [
      ['bad-tick', 0, 0],
      ['missing-bar', 0, 0],
      ['stale-run', 2, 1],
      ['late-correction', 0, 0],
      ['late-split', 0, 0],
    ],
  );
});
