import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { stackingWeights } from '../stacking.ts';
import { calibrate, readCalibrator } from './calibrator.ts';
import { fitIsotonic } from './isotonic.ts';
import { fitPlatt } from './platt.ts';
import { reliability } from './reliability.ts';

const golden = JSON.parse(readFileSync(new URL('../../../golden/linear.json', import.meta.url), 'utf8')) as Record<
  | 'scores'
  | 'label'
  | 'weight'
  | 'grid'
  | 'isotonic'
  | 'isotonicWeighted'
  | 'members'
  | 'y'
  | 'squaredWeights'
  | 'logWeights',
  number[]
> & { memberShift: number; memberScale: number };
const scores = Float64Array.from(golden.scores);
const labels = Float64Array.from(golden.label);
const weight = Float64Array.from(golden.weight);

const scored = fc
  .array(fc.record({ score: fc.integer({ min: -5, max: 5 }), label: fc.constantFrom(0, 1) }), { minLength: 1 })
  .map((rows) => ({
    scores: Float64Array.from(rows, ({ score }) => score / 2),
    labels: Float64Array.from(rows, ({ label }) => label),
  }));

test('the isotonic curve is that of scikit-learn, ties and weights included', () => {
  for (const [peer, fitted] of [
    [golden.isotonic, fitIsotonic(scores, labels)],
    [golden.isotonicWeighted, fitIsotonic(scores, labels, { weight })],
  ] as const)
    calibrate(fitted, Float64Array.from(golden.grid)).forEach((p, i) => {
      assert.ok(Math.abs(p - peer[i]!) < 1e-9, `${p} and ${peer[i]}`);
    });
});

test('the isotonic curve never falls, keeps the mean, and beats any constant', () => {
  fc.assert(
    fc.property(scored, ({ scores: x, labels: y }) => {
      const curve = fitIsotonic(x, y);
      const told = calibrate(curve, x);
      const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
      assert.ok(Math.abs(mean(told) - mean(y)) < 1e-12);
      assert.ok(curve.value.every((v, i) => i === 0 || v >= curve.value[i - 1]!));
      const brier = mean(told.map((p, i) => (p - y[i]!) ** 2));
      assert.ok(brier <= mean(y.map((label) => (mean(y) - label) ** 2)) + 1e-12);
      assert.deepEqual(readCalibrator(JSON.parse(JSON.stringify(curve))), curve);
      // Beyond the ends it stays level.
      const [low, high] = calibrate(curve, Float64Array.of(-100, 100));
      assert.deepEqual([low, high], [curve.value[0], curve.value.at(-1)]);
    }),
  );
});

test("Platt's sigmoid is at the optimum of its drawn labels and stays finite where labels can be parted", () => {
  fc.assert(
    fc.property(scored, ({ scores: x, labels: y }) => {
      const { slope, intercept, ...rest } = fitPlatt(x, y);
      const ones = y.reduce((sum, label) => sum + label, 0);
      const [high, low] = [(ones + 1) / (ones + 2), 1 / (y.length - ones + 2)];
      const told = calibrate({ slope, intercept, ...rest }, x);
      let [g1, g2] = [0, 0];
      told.forEach((p, i) => {
        const gap = p - (y[i] === 1 ? high : low);
        g1 += gap * x[i]!;
        g2 += gap;
      });
      assert.ok(Math.abs(g1) < 1e-6 && Math.abs(g2) < 1e-6, `${g1} ${g2}`);
      assert.ok(Number.isFinite(slope) && told.every((p) => p > 0 && p < 1));
    }),
  );
  const parted = fitPlatt(Float64Array.of(-2, -1, 1, 2), Float64Array.of(0, 0, 1, 1));
  assert.ok(parted.slope > 0 && parted.slope < 10);
});

test('Platt on the logit gives probabilities back that were right already', () => {
  const random = createRandom(11);
  const p = Float64Array.from({ length: 20_000 }, () => random.uniform());
  const y = p.map((chance) => Number(random.uniform() < chance));
  const fitted = fitPlatt(p, y, { scale: 'logit' });
  assert.ok(Math.abs(fitted.slope - 1) < 0.05 && Math.abs(fitted.intercept) < 0.05);
  assert.ok(
    calibrate(fitted, Float64Array.of(0, 1, Number.NaN)).every((x, i) => (i < 2 ? x >= 0 && x <= 1 : Number.isNaN(x))),
  );
  assert.deepEqual(readCalibrator(JSON.parse(JSON.stringify(fitted))), fitted);
});

test('a weight counts as so many rows', () => {
  const x = Float64Array.of(0, 1, 2, 3);
  const y = Float64Array.of(0, 1, 0, 1);
  const doubled = [0, 1, 1, 2, 3];
  const repeated = [Float64Array.from(doubled, (i) => x[i]!), Float64Array.from(doubled, (i) => y[i]!)] as const;
  const twice = { weight: Float64Array.of(1, 2, 1, 1) };
  const [a, b] = [fitPlatt(x, y, twice), fitPlatt(...repeated)];
  assert.ok(Math.abs(a.slope - b.slope) < 1e-9 && Math.abs(a.intercept - b.intercept) < 1e-9);
  assert.deepEqual(fitIsotonic(x, y, twice), fitIsotonic(...repeated));
});

test('calibrators that are none are refused by what is wrong with them', () => {
  assert.throws(() => readCalibrator(null), /must have a kind/);
  assert.throws(() => readCalibrator({ kind: 'spline' }), /was spline/);
  assert.throws(() => readCalibrator({ kind: 'platt', scale: 'score', slope: null, intercept: 0 }), /finite/);
  assert.throws(() => readCalibrator({ kind: 'isotonic', at: [0, 1], value: [0.5, 0.4] }), /must rise/);
  assert.throws(() => fitIsotonic(Float64Array.of(1), Float64Array.of(0.5)), /0 or 1/);
  assert.throws(() => fitPlatt(new Float64Array(0), new Float64Array(0)), /no scores/);
});

test('the parts of the Brier score add up, and bins tell what came', () => {
  const told = reliability(Float64Array.of(0.1, 0.1, 0.8, 0.8, 1, Number.NaN), Float64Array.of(0, 1, 1, 1, 1, 1), 5);
  assert.equal(told.count, 5);
  assert.deepEqual(
    told.bins.map(({ count, rate }) => [count, rate]),
    [
      [2, 0.5],
      [0, null],
      [0, null],
      [0, null],
      [3, 1],
    ],
  );
  // (0.01 + 0.81 + 0.04 + 0.04 + 0) / 5
  assert.ok(Math.abs(told.brier! - 0.18) < 1e-12);
  // 2/5 · |0.1 − 0.5| + 3/5 · |2.6/3 − 1|
  assert.ok(Math.abs(told.expectedCalibrationError! - (0.16 + 0.08)) < 1e-12);
  assert.equal(told.bins[0]!.interval.low > 0 && told.bins[0]!.interval.high < 1, true);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom(0, 1)), { minLength: 1 }), (rows) => {
      // One probability a bin: nothing is left within bins.
      const p = Float64Array.from(rows, ([bin]) => (bin + 0.5) / 5);
      const { brier, withinBins } = reliability(
        p,
        Float64Array.from(rows, ([, y]) => y),
        5,
      );
      assert.ok(Math.abs(withinBins!) < 1e-12 && brier! >= 0);
    }),
  );
  assert.equal(reliability(new Float64Array(0), new Float64Array(0)).brier, null);
  assert.throws(() => reliability(Float64Array.of(1.1), Float64Array.of(1)), /row 0 was 1.1/);
});

test('stacking weights are those of a general optimiser, for both losses', () => {
  const members = Float64Array.from(golden.members);
  const near = (ours: Float64Array, peer: number[]) => {
    peer.forEach((w, k) => {
      assert.ok(Math.abs(ours[k]! - w) < 1e-5, `${ours[k]} and ${w}`);
    });
  };
  near(stackingWeights(members, 3, Float64Array.from(golden.y), 'squared'), golden.squaredWeights);
  const told = members.map((x) => 1 / (1 + Math.exp(-(x - golden.memberShift) * golden.memberScale)));
  near(stackingWeights(told, 3, labels, 'log'), golden.logWeights);
});

test('stacking weights add up to one, are never negative, and no other mixture on the way to a member is better', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 5 }), fc.boolean(), (seed, m, isLog) => {
      const random = createRandom(seed);
      const n = 60;
      const y = Float64Array.from({ length: n }, () => (isLog ? random.integer(2) : random.normal()));
      const members = Float64Array.from({ length: n * m }, (_, i) =>
        isLog ? 0.02 + 0.96 * random.uniform() : y[Math.floor(i / m)]! * (i % m) * 0.3 + random.normal(),
      );
      const loss = isLog ? 'log' : 'squared';
      const w = stackingWeights(members, m, y, loss);
      assert.ok(Math.abs(w.reduce((sum, x) => sum + x, 0) - 1) < 1e-12 && w.every((x) => x >= 0));
      const lossOf = (weights: Float64Array) =>
        y.reduce((sum, label, row) => {
          const mixed = weights.reduce((total, x, k) => total + x * members[row * m + k]!, 0);
          return sum + (isLog ? -Math.log(label === 1 ? mixed : 1 - mixed) : (mixed - label) ** 2);
        }, 0);
      const best = lossOf(w);
      for (let k = 0; k < m; k++) {
        const toward = w.map((x, j) => 0.999 * x + (j === k ? 0.001 : 0));
        assert.ok(lossOf(toward) >= best - 1e-9 * Math.abs(best));
      }
      assert.deepEqual(stackingWeights(members, m, y, loss), w);
    }),
    { numRuns: 60 },
  );
});

test('members that tell the same share the weight; rows with a missing prediction are left out', () => {
  const y = Float64Array.of(1, 2, 3, 4);
  const same = Float64Array.from([1, 1, 2, 2, 3, 3, 4, 4]);
  assert.ok(stackingWeights(same, 2, y, 'squared').every((w) => Math.abs(w - 0.5) < 1e-6));
  const holed = Float64Array.from([1, 9, 2, 9, Number.NaN, 3, 4, 9]);
  assert.ok(stackingWeights(holed, 2, y, 'squared')[0]! > 1 - 1e-9);
  assert.throws(() => stackingWeights(Float64Array.of(Number.NaN), 1, Float64Array.of(1), 'squared'), /no row/);
  assert.throws(() => stackingWeights(same, 3, y, 'squared'), /4 × 3/);
  assert.throws(() => stackingWeights(same, 2, y, 'log'), /0 or 1/);
});
