import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Inputs } from '../../learn/examples.ts';
import { createRandom } from '../../random/random.ts';
import { createAdwin } from './adwin.ts';
import { countAlarms, limitWithinBudget } from './alarm-budget.ts';
import { injectFault, injectShift, PIPELINE_FAULTS, WINDOW_ROWS } from './drift-injector.ts';
import { effectsOnPredictions } from './effect-on-predictions.ts';
import { estimatePerformance } from './estimated-performance.ts';
import { outputDistances } from './output-distribution.ts';
import { lossReference, performanceDrift } from './performance-drift.ts';
import { findPlainFaults, findWitnessedFault } from './pipeline-faults.ts';
import { SHIFT_RULES, shiftStatistics } from './shift-statistics.ts';
import { alarmsPerFeature, calibrateMonitor, MONITOR_SETTINGS, readShifts } from './watch-feature.ts';

const GOLDEN = JSON.parse(readFileSync(join(import.meta.dirname, '../../../golden/watching.json'), 'utf8')) as {
  estimate: { probabilities: number[]; logLoss: number; brier: number; brierDeviation: number };
};

function series(kind: 'memoryless' | 'persistent', rows: number, seed: number): Float64Array {
  const random = createRandom(seed);
  let value = 0;
  return Float64Array.from({ length: rows }, () => {
    value = kind === 'memoryless' ? random.normal() : 0.97 * value + 0.243 * random.normal();
    return value;
  });
}

test('a statistic looks at no later session, to the last bit, and a gap is no news', () => {
  fc.assert(
    fc.property(fc.integer({ min: 320, max: 590 }), fc.constantFrom('memoryless', 'persistent'), (cut, kind) => {
      const values = series(kind as 'persistent', 600, cut);
      values[310] = Number.NaN;
      const whole = shiftStatistics(values);
      const part = shiftStatistics(values.subarray(0, cut));
      for (const rule of SHIFT_RULES) assert.deepEqual(whole[rule].subarray(0, cut), part[rule], rule);
    }),
    { numRuns: 20 },
  );
  const nothing = shiftStatistics(new Float64Array(400).fill(Number.NaN));
  for (const rule of SHIFT_RULES) assert.ok(nothing[rule].every(Number.isNaN));
  assert.ok(shiftStatistics(series('memoryless', 200, 1)).level.every(Number.isNaN), 'too little past');
});

test('units do not matter: a feature in other units has the same statistics', () => {
  const values = series('persistent', 700, 4);
  const one = shiftStatistics(values);
  const other = shiftStatistics(values.map((x) => 1024 * x));
  for (const rule of SHIFT_RULES)
    one[rule].forEach((x, t) => {
      assert.ok(Number.isNaN(x) || Math.abs(x - other[rule][t]!) < 1e-9 * x, rule);
    });
});

test('alarms are counted once a window, and the limit keeps to the budget on the past it was set from', () => {
  const alarms = Float64Array.of(0, 2, 2, 2, 0, 2, Number.NaN, 2);
  assert.equal(countAlarms(alarms, 1, 1), 5);
  assert.equal(countAlarms(alarms, 1, 4), 2);
  const past = shiftStatistics(series('persistent', 6000, 7)).level;
  const settings = { ...MONITOR_SETTINGS, alarmsPerYear: 0.5, quietRows: 21 };
  const limit = limitWithinBudget(past, settings, createRandom(1));
  const rate = countAlarms(past, limit, 21) / (6000 / 252);
  assert.ok(rate <= 0.75, String(rate));
  const stricter = limitWithinBudget(past, { ...settings, alarmsPerYear: 0.1 }, createRandom(1));
  assert.ok(stricter >= limit, 'fewer alarms, a higher limit');
  assert.equal(limitWithinBudget(past, settings, createRandom(1)), limit, 'the same seed, the same limit');
  assert.ok(Number.isNaN(limitWithinBudget(past.subarray(0, 300), settings, createRandom(1))), 'too little past');
  assert.throws(() => limitWithinBudget(past, { ...settings, alarmsPerYear: 0 }, createRandom(1)), /must be positive/);
});

test('a shift of the stated size is found in most places, and a quiet feature stays quiet', () => {
  for (const [kind, size] of [
    ['memoryless', 1],
    ['persistent', 3],
  ] as const) {
    let [found, quiet, tried] = [0, 0, 0];
    for (let seed = 1; seed <= 5; seed++) {
      const values = series(kind, 4400, seed);
      const monitor = calibrateMonitor(values.subarray(0, 3800), MONITOR_SETTINGS, createRandom(1));
      assert.equal(monitor.isPersistent, kind === 'persistent');
      for (let row = 3830; row < 4370; row += 60) {
        const end = row + WINDOW_ROWS - 1;
        const moved = injectShift(values, row, size).subarray(0, end + 1);
        const isAlarm = (of: Float64Array) => readShifts(shiftStatistics(of), end, monitor).some(({ alarm }) => alarm);
        tried += 1;
        if (isAlarm(moved)) found += 1;
        if (!isAlarm(values.subarray(0, end + 1))) quiet += 1;
      }
    }
    assert.ok(found >= 0.85 * tried, `${kind}: ${found} of ${tried}`);
    assert.ok(quiet >= 0.85 * tried, `${kind}: ${quiet} of ${tried}`);
  }
  assert.equal(alarmsPerFeature(6, 12), 0.5);
  assert.throws(() => alarmsPerFeature(6, 0), RangeError);
});

test('every fault is named on its first day by the second computation; a good delivery has none', () => {
  const truth = series('persistent', 200, 9);
  for (const fault of PIPELINE_FAULTS) {
    const faulty = injectFault(truth, 150, fault, createRandom(2));
    const at = (row: number) =>
      findWitnessedFault(faulty.slice(row - 20, row + 1), truth.slice(row - 20, row + 1), 1)?.rule;
    assert.equal(at(149), undefined, fault);
    assert.equal(at(150), fault === 'lag' ? 'constant' : fault);
    if (fault !== 'missing') assert.equal(at(152), fault, 'from the third day on a lag is told from standing still');
  }
  const off = truth.slice(0, 21);
  off[20]! += 0.5;
  assert.equal(findWitnessedFault(off, truth.slice(0, 21), 1)?.rule, 'other_value');
  const rounded = truth.slice(0, 21).map((x) => x * (1 + 1e-12));
  assert.equal(findWitnessedFault(rounded, truth.slice(0, 21), 1), null);
  const unknown = truth.slice(0, 21);
  unknown[20] = Number.NaN;
  assert.equal(findWitnessedFault(truth.slice(0, 21), unknown, 1), null, 'nothing to hold it against');
  assert.throws(() => findWitnessedFault(truth.slice(0, 2), truth.slice(0, 2), 1), /length >= 3/);
});

test('from the values alone it tells what is missing, far outside or still, and nothing of a good day', () => {
  const values = series('persistent', 300, 5);
  const rules = (of: Float64Array) => findPlainFaults(of).flatMap(({ rule, alarm }) => (alarm ? [rule] : []));
  assert.deepEqual(rules(values), []);
  assert.deepEqual(rules(injectFault(values, 299, 'missing', createRandom(1))), ['missing']);
  const far = values.slice();
  far[299] = 100;
  assert.deepEqual(rules(far), ['out_of_range']);
  assert.deepEqual(rules(injectFault(values, 290, 'constant', createRandom(1))), ['constant']);
  assert.deepEqual(rules(values.subarray(0, 30)), [], 'too little past');
});

test('the effect of a drift is what the predictions moved, so that an unused feature has none', () => {
  const random = createRandom(3);
  const make = (rowCount: number, means: readonly number[]): Inputs => ({
    ...{ rowCount, stepCount: 2, featureCount: 3 },
    values: Float64Array.from({ length: rowCount * 6 }, (_, k) => means[k % 3]! + 0.1 * random.normal()),
  });
  const [past, recent] = [make(200, [0, 0, 0]), make(200, [1, 5, 0])];
  const weights = [0.5, 0, 2];
  const predict = ({ rowCount, values }: Inputs) =>
    Float64Array.from({ length: rowCount }, (_, row) =>
      weights.reduce((sum, weight, j) => sum + weight * values[row * 6 + 3 + j]!, 0),
    );
  const told = effectsOnPredictions(recent, past, predict);
  assert.equal(told[0]!.feature, 0);
  assert.ok(Math.abs(told[0]!.effect - 0.5) < 0.03, String(told[0]!.effect));
  const unused = told.find(({ feature }) => feature === 1)!;
  assert.ok(unused.shift > 4.9 && unused.effect === 0, 'however far it moved');
  assert.throws(() => effectsOnPredictions(recent, { ...past, stepCount: 1, rowCount: 400 }, predict), /one shape/);
  const silent = effectsOnPredictions(recent, past, ({ rowCount }) => new Float64Array(rowCount).fill(Number.NaN));
  assert.ok(silent.every(({ effect, shift }) => Number.isNaN(effect) || shift === 0));
});

test('outputs that gather in the middle are told though their mean stands still', () => {
  const random = createRandom(12);
  const days = Array.from({ length: 800 }, (_, t) =>
    Float64Array.from({ length: 6 }, () => 0.5 + (t < 779 ? 0.1 : 0.01) * random.normal()),
  );
  const distances = outputDistances(days);
  const before = distances.subarray(300, 779);
  assert.ok(distances[799]! > 2 * Math.max(...before), `${distances[799]} against ${Math.max(...before)}`);
  assert.deepEqual(outputDistances(days.slice(0, 500)), distances.subarray(0, 500), 'no later session');
  assert.ok(outputDistances(days.slice(0, 100)).every(Number.isNaN));
});

test('a stream keeps its window while its mean stands and drops the old part when it moves', () => {
  const random = createRandom(2);
  const still = createAdwin();
  let changes = 0;
  for (let t = 0; t < 3000; t++) if (still.add(Number(random.uniform() < 0.3))) changes += 1;
  assert.equal(changes, 0);
  assert.equal(still.count(), 3000);
  assert.ok(Math.abs(still.mean() - 0.3) < 0.03 && Math.abs(still.variance() - 0.21) < 0.02);
  const moving = createAdwin();
  let changedAt = -1;
  for (let t = 0; t < 1200; t++)
    if (moving.add(Number(random.uniform() < (t < 600 ? 0.2 : 0.6))) && changedAt < 0) changedAt = t;
  assert.ok(changedAt > 600 && changedAt < 700, String(changedAt));
  assert.ok(Math.abs(moving.mean() - 0.6) < 0.06 && moving.count() < 720);
  moving.add(Number.NaN);
  assert.ok(Number.isFinite(moving.mean()));
  assert.ok(Number.isNaN(createAdwin().mean()));
  assert.throws(() => createAdwin({ delta: 0 }), RangeError);
});

test('what a stream keeps adds up: count, mean and variance are those of the last values', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 200 }), (values) => {
      const window = createAdwin({ delta: 1e-9 });
      for (const value of values) window.add(value);
      const kept = values.slice(values.length - window.count());
      const mean = kept.reduce((a, b) => a + b, 0) / kept.length;
      const variance = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / kept.length;
      assert.ok(Math.abs(window.mean() - mean) < 1e-9 && Math.abs(window.variance() - variance) < 1e-8);
    }),
    { numRuns: 60 },
  );
});

test('before outcomes are known, performance is what drawn outcomes give', () => {
  const { probabilities, logLoss, brier, brierDeviation } = GOLDEN.estimate;
  const told = estimatePerformance(Float64Array.from([...probabilities, Number.NaN]));
  assert.ok(Math.abs(told.logLoss - logLoss) < 1e-12);
  assert.ok(Math.abs(told.brier - brier) < 4 * (brierDeviation / Math.sqrt(20_000)));
  assert.ok(Math.abs(told.brierDeviation / brierDeviation - 1) < 0.03);
  assert.equal(told.count, probabilities.length);
  assert.equal(estimatePerformance(Float64Array.of(0, 1)).logLoss, 0);
  assert.equal(estimatePerformance(new Float64Array(0)).count, 0);
  assert.throws(() => estimatePerformance(Float64Array.of(1.1)), /in 0\.\.1/);
});

test('a model that is worse than it was is told, a hard quarter relative to a baseline is not', () => {
  const random = createRandom(4);
  const losses = (n: number, mean: number) => Float64Array.from({ length: n }, () => mean + 0.03 * random.normal());
  const reference = lossReference(losses(300, 0.2), 1)!;
  const worse = performanceDrift(reference, losses(63, 0.24), { horizon: 1 });
  assert.ok(worse.status === 'ok' && worse.alarm && worse.low > 0 && worse.statistic > 1);
  const same = performanceDrift(reference, losses(63, 0.2), { horizon: 1 });
  assert.ok(same.status === 'ok' && !same.alarm && same.low < 0);
  const better = performanceDrift(reference, losses(63, 0.1), { horizon: 1 });
  assert.ok(better.status === 'ok' && !better.alarm && better.high < 0);
  const early = performanceDrift(reference, losses(15, 0.5), { horizon: 5 });
  assert.ok(early.status === 'undefined' && /15 days have an outcome; needs 20/.test(early.reason));
  const flat = performanceDrift({ ...reference, longRunDeviation: null }, new Float64Array(40), { horizon: 1 });
  assert.ok(flat.status === 'undefined' && /never differ/.test(flat.reason));
  assert.equal(lossReference(losses(59, 0.2), 1), null);
});
