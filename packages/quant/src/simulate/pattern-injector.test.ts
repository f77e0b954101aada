import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHART_PATTERN_KINDS } from '../patterns/chart-pattern-kinds.ts';
import { PATTERN_INJECTOR, plantPatterns, scorePatterns } from './pattern-injector.ts';
import { simulateRegimePath } from './regime-simulator.ts';

test('two neighbouring seeds plant each of the sixteen kinds once', () => {
  const kinds = [10, 11].flatMap((seed) => plantPatterns(seed, 'medium').plants.map((plant) => plant.kind));
  assert.deepEqual([...kinds].sort(), [...CHART_PATTERN_KINDS].sort());
});

test('outside the plants a path keeps the returns of Simulator A, and no plant makes a jump', () => {
  for (const level of ['easy', 'medium', 'hard'] as const) {
    const { close, plants } = plantPatterns(5, level);
    const { logReturn } = simulateRegimePath(5, 'gaussian', PATTERN_INJECTOR.dayCount);
    const inside = new Uint8Array(close.length);
    for (const { start, end } of plants) inside.fill(1, start, end + 1);
    for (let t = 1; t < close.length; t++) {
      const move = Math.log(close[t]! / close[t - 1]!);
      if (inside[t] === 0) assert.ok(Math.abs(move - logReturn[t]!) < 1e-9);
      else assert.ok(Math.abs(move) < 0.2, `move ${move} on ${t}`);
    }
  }
});

test('the truth is in order: start, turning points, confirmation, end, and plants stay apart', () => {
  for (let seed = 0; seed < 40; seed++) {
    let before: number = PATTERN_INJECTOR.cleanAtStart;
    for (const { start, pivots, confirmation, end } of plantPatterns(seed, 'hard').plants) {
      assert.ok(start >= before + PATTERN_INJECTOR.cleanAround);
      const bars = [start, ...pivots, confirmation];
      bars.forEach((bar, k) => {
        assert.ok(k === 0 || bar > bars[k - 1]!, `${bars}`);
      });
      assert.ok(confirmation <= end);
      before = end;
    }
  }
});

test('the residual around a planted rectangle has the stated signal-to-noise', () => {
  for (const level of ['easy', 'medium', 'hard'] as const) {
    let squares = 0;
    let count = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { close, plants } = plantPatterns(seed, level);
      for (const { kind, pivots, height } of plants) {
        if (kind !== 'rectangle') continue;
        // Second differences of AR(1) noise on a straight leg: variance (6 − 8φ + 2φ²) of the noise's.
        for (let leg = 0; leg + 1 < pivots.length; leg++)
          for (let t = pivots[leg]! + 2; t <= pivots[leg + 1]!; t++) {
            const x = (k: number) => Math.log(close[k]!);
            squares += ((x(t) - 2 * x(t - 1) + x(t - 2)) / height) ** 2;
            count += 1;
          }
      }
    }
    const sd = Math.sqrt(squares / count / (6 - 8 * 0.5 + 2 * 0.25));
    assert.ok(Math.abs(sd * PATTERN_INJECTOR.levels[level].signalToNoise - 1) < 0.06, `${level} ${1 / sd}`);
  }
});

test('the truth itself scores full marks; a wrong kind, a duplicate and a stray are wrong', () => {
  const { plants } = plantPatterns(3, 'medium');
  const truth = plants.map(({ kind, start, confirmation }) => ({
    kind,
    firstBar: start,
    confirmationBar: confirmation,
  }));
  assert.deepEqual((({ planted, found, wrong }) => ({ planted, found, wrong }))(scorePatterns(plants, truth)), {
    planted: 8,
    found: 8,
    wrong: 0,
  });
  const other = CHART_PATTERN_KINDS.find((kind) => kind !== truth[0]!.kind)!;
  const score = scorePatterns(plants, [
    { ...truth[0]!, kind: other },
    truth[1]!,
    truth[1]!,
    { kind: truth[2]!.kind, firstBar: 10, confirmationBar: 60 },
  ]);
  assert.equal(score.found, 1);
  assert.equal(score.wrong, 3);
});

test('frozen: the path of a seed stays the path it was', () => {
  const { close, plants } = plantPatterns(1, 'medium');
  assert.ok(Math.abs(close.at(-1)! / FROZEN_CLOSE - 1) < 1e-9, String(close.at(-1)));
  assert.deepEqual(plantPatterns(1, 'medium'), { close, plants });
});
const FROZEN_CLOSE = 250.21084859055853;
