import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../../evaluation/look-ahead-canary.ts';
import { createRandom } from '../../random/random.ts';
import { normalQuantile } from '../../stats/normal.ts';
import { dayNumber } from '../day.ts';
import { tradingDays } from '../trading-calendar.ts';
import { contentHash } from './content-hash.ts';
import { fractionalDifference, fractionalWeights, leastDifference } from './fractional-difference.ts';
import { applyScaler, checkFittedOn, type FittedScaler, fitScaler, type ScalerKind } from './scaler.ts';
import { unbrokenSince, wholeWindowEnds } from './whole-windows.ts';

type Golden = {
  columnCount: number;
  training: number[];
  later: number[];
  winsorShare: number;
  scaled: Record<'standard' | 'robust' | 'min-max' | 'winsor', number[]>;
  threshold: number;
  walk: number[];
  weights: Record<string, number[]>;
  differenceTail: Record<string, number[]>;
  search: [d: number, pValue: number][];
};
const golden: Golden = JSON.parse(readFileSync(new URL('../../../golden/preprocessing.json', import.meta.url), 'utf8'));
const training = Float64Array.from(golden.training);
const later = Float64Array.from(golden.later);
const KINDS: readonly ScalerKind[] = ['standard', 'robust', 'min-max', 'rank-gauss', 'winsor'];

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance * Math.max(1, Math.abs(expected[i]!)),
      `value ${i} is ${actual[i]}, expected ${expected[i]}`,
    );
}

test('scalers agree with scikit-learn and NumPy on rows they were not fitted on', () => {
  for (const kind of ['standard', 'robust', 'min-max', 'winsor'] as const) {
    const scaler = fitScaler(kind, training, golden.columnCount, { winsorShare: golden.winsorShare });
    assertClose(applyScaler(scaler, later), golden.scaled[kind], 1e-12);
  }
});

test('rank-gauss gives the normal quantile of a value’s rank, and never leaves the training window’s ends', () => {
  const scaler = fitScaler('rank-gauss', Float64Array.of(10, 20, 20, 30), 1);
  const shares = [1 / 8, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 7 / 8];
  assertClose(applyScaler(scaler, Float64Array.of(5, 10, 15, 20, 25, 30, 99)), shares.map(normalQuantile), 1e-15);
});

test('a scaler refuses any training window but its own', () => {
  for (const kind of KINDS) {
    const scaler = fitScaler(kind, training, golden.columnCount);
    checkFittedOn(scaler, training.slice());
    const onEverything = fitScaler(kind, Float64Array.of(...training, ...later), golden.columnCount);
    assert.throws(() => checkFittedOn(onEverything, training), /must be fitted on the training window \(40 rows/);
    const touched = training.slice();
    touched[7]! += 1e-12;
    assert.throws(() => checkFittedOn(scaler, touched), RangeError);
  }
});

test('a scaler survives storage to the last bit', () => {
  for (const kind of KINDS) {
    const scaler = fitScaler(kind, training, golden.columnCount);
    const stored: FittedScaler = JSON.parse(JSON.stringify(scaler));
    assert.deepEqual(applyScaler(stored, later), applyScaler(scaler, later));
    checkFittedOn(stored, training);
  }
});

test('scaling keeps order, whatever the values', () => {
  const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 3, maxLength: 30 }), value, value, (window, a, b) => {
      for (const kind of KINDS) {
        const scaler = fitScaler(kind, Float64Array.from(window), 1);
        const [low, high] = applyScaler(scaler, Float64Array.of(Math.min(a, b), Math.max(a, b)));
        assert.ok(Number.isNaN(low) || low! <= high!, `${kind} of ${a} and ${b}`);
      }
    }),
    { numRuns: 60, seed: 3 },
  );
});

test('missing values are left out of the fit and stay missing; a column without spread is undefined, with the reason', () => {
  const gap = Number.NaN;
  const window = Float64Array.of(1, 5, gap, gap, 5, gap, 3, 5, gap);
  for (const kind of ['standard', 'robust', 'min-max', 'rank-gauss'] as const) {
    const scaler = fitScaler(kind, window, 3);
    assert.notEqual(scaler.columns[0]!.kind, 'undefined');
    assert.deepEqual(scaler.columns[1], { kind: 'undefined', why: 'no spread' });
    assert.deepEqual(scaler.columns[2], { kind: 'undefined', why: 'no values' });
    const [first, ...rest] = applyScaler(scaler, Float64Array.of(2, 5, 1));
    assert.ok(Number.isFinite(first) && rest.every(Number.isNaN), kind);
    assert.ok(Number.isNaN(applyScaler(scaler, Float64Array.of(gap, 5, 1))[0]));
  }
  assert.throws(() => fitScaler('standard', window, 2), /values must be T x 2/);
  assert.deepEqual(fitScaler('standard', new Float64Array(0), 1).columns, [{ kind: 'undefined', why: 'no values' }]);
});

test('the hash of a window tells bits, shapes and order apart', () => {
  const hashes = [
    contentHash(Float64Array.of(1, 2, 3, 4), 1),
    contentHash(Float64Array.of(1, 2, 3, 4), 2),
    contentHash(Float64Array.of(2, 1, 3, 4), 1),
    contentHash(Float64Array.of(1, 2, 3), 1),
    contentHash(Float64Array.of(1, 2, 3, 4 + 2 ** -50), 1),
    contentHash(Float64Array.of(1, 2, 3, -0), 1),
    contentHash(Float64Array.of(1, 2, 3, 0), 1),
    contentHash(Float64Array.of(1, 2, 3, Number.NaN), 1),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  assert.match(hashes[0]!, /^[0-9a-f]{32}$/);
  assert.equal(contentHash(Float64Array.of(0 / 0), 1), contentHash(Float64Array.of(Number.NaN), 1));
});

test('fractional weights are the binomial ones, and a difference of order 1 is the ordinary one', () => {
  for (const [d, weights] of Object.entries(golden.weights))
    assertClose(fractionalWeights(Number(d), golden.threshold), weights, 1e-12);
  assert.deepEqual(Array.from(fractionalWeights(1), Math.abs), [1, 1]);
  assert.deepEqual(Array.from(fractionalWeights(0)), [1]);
  const values = Float64Array.of(1, 4, 9, 16);
  assert.deepEqual(Array.from(fractionalDifference(values, 1)), [Number.NaN, 3, 5, 7]);
  assert.deepEqual(fractionalDifference(values, 0), values);
  assert.throws(() => fractionalWeights(-0.1), /d must lie in 0..2/);
});

test('fractional differences agree with a convolution, and the search stops where statsmodels’ test first passes', () => {
  const walk = Float64Array.from(golden.walk);
  for (const [d, tail] of Object.entries(golden.differenceTail))
    assertClose(fractionalDifference(walk, Number(d), golden.threshold).slice(-5), tail, 1e-9);
  const [d, pValue] = golden.search.find(([, p]) => p <= 0.05)!;
  const found = leastDifference(walk, { threshold: golden.threshold });
  assert.ok(found.status === 'found');
  assert.equal(found.d, d);
  assertClose([found.pValue], [pValue], 1e-6);
  assert.ok(found.correlation > 0.5, 'a small d keeps the memory of the level');
});

test('a search that cannot answer says why', () => {
  const walk = Float64Array.from(golden.walk);
  assert.deepEqual(leastDifference(walk.slice(0, 50)), {
    status: 'none',
    why: 'no difference leaves 100 values a test can answer for',
  });
  assert.deepEqual(leastDifference(Float64Array.of(1, Number.NaN)), { status: 'none', why: 'the series has gaps' });
  assert.equal(leastDifference(new Float64Array(300).fill(4)).status, 'none');
});

test('fractional differences do not look ahead, and a gap leaves its windows and no others undefined', () => {
  const close = Float64Array.from(golden.walk.slice(0, 120));
  const verdict = checkNoLookAhead({
    name: 'fractional difference',
    input: { close },
    rowCount: 120,
    compute: (input) => fractionalDifference(input.close, 0.6, 0.01),
    random: createRandom('fractional'),
  });
  assert.ok(verdict.ok && verdict.isSensitive);
  const width = fractionalWeights(0.6, 0.01).length;
  close[60] = Number.NaN;
  fractionalDifference(close, 0.6, 0.01).forEach((value, t) => {
    assert.equal(Number.isNaN(value), t < width - 1 || (t >= 60 && t < 60 + width), `row ${t}`);
  });
});

test('no window straddles a missed session, an unadjusted action or a missing value', () => {
  const sessions = tradingDays('XNYS', dayNumber('2024-01-02'), dayNumber('2024-03-28'));
  const day = sessions.filter((_, t) => t !== 20);
  const rule = { calendar: 'XNYS' } as const;
  const ends = (length: number, breaks: object = {}) =>
    wholeWindowEnds(unbrokenSince(day, { rule, ...breaks }), length);
  // Weekends and holidays are no gaps: all but the windows across the session left out.
  assert.deepEqual(
    Array.from(ends(5)),
    Array.from(day.keys()).filter((t) => t >= 4 && !(t >= 20 && t < 24)),
  );
  const values = Float64Array.from(day, (_, t) => (t === 40 ? Number.NaN : t));
  const whole = ends(3, { actionRows: [30], values });
  for (const t of whole) {
    const rows = [t - 2, t - 1, t];
    assert.ok(!rows.includes(40), 'a missing value is in no window');
    assert.ok(!(rows.includes(29) && rows.includes(30)), 'an action is in no window');
    assert.ok(!(rows.includes(19) && rows.includes(20)), 'a gap is in no window');
  }
  assert.equal(whole.length, day.length - 2 - 2 - 2 - 3);
  const lenient = unbrokenSince(day, { rule: { calendar: 'XNYS', missedMax: 1 } });
  assert.ok(lenient.every((since) => since === 0));
  const calendarDays = unbrokenSince(Int32Array.of(0, 3, 8), { rule: { daysMax: 4 } });
  assert.deepEqual(Array.from(calendarDays), [0, 0, 2]);
});

test('windows do not look ahead: days and values to come change nothing that was', () => {
  const random = createRandom('windows');
  const day = Int32Array.from({ length: 80 }, (_, t) => 19_000 + t + (t > 50 ? 9 : 0));
  const values = Float64Array.from({ length: 80 }, () => (random.uniform() < 0.05 ? Number.NaN : random.normal()));
  const rule = { daysMax: 4 };
  const all = unbrokenSince(day, { rule, values });
  for (const length of [1, 30, 52, 79]) {
    const cut = unbrokenSince(day.slice(0, length), { rule, values: values.slice(0, length) });
    // A row that belongs to no stretch points behind the last row, wherever that is.
    const stretch = (since: Int32Array, rowCount: number) => Array.from(since, (s) => (s === rowCount ? -1 : s));
    assert.deepEqual(stretch(cut, length), stretch(all, 80).slice(0, length));
  }
  assert.throws(() => unbrokenSince(Int32Array.of(5, 5), { rule }), /days must ascend/);
  assert.throws(() => wholeWindowEnds(all, 0), /length must be a whole number/);
  assert.equal(unbrokenSince(new Int32Array(0), { rule }).length, 0);
});
