import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { betaCdf, betaDensity, betaQuantile, betaTail } from './beta.ts';
import { clopperPearson, wilson } from './binomial-interval.ts';
import { chiSquaredCdf, chiSquaredDensity, chiSquaredQuantile, chiSquaredTail } from './chi-squared.ts';
import { fisherCdf, fisherDensity, fisherQuantile, fisherTail } from './fisher-f.ts';
import { gammaCdf, gammaDensity, gammaQuantile, gammaTail } from './gamma.ts';
import { kolmogorovSmirnov, kolmogorovTail } from './kolmogorov-smirnov.ts';
import { benjaminiHochberg, benjaminiYekutieli, holm } from './multiple-testing.ts';
import { kendall, pearson, ranks, spearman } from './rank-correlation.ts';
import { logBeta, logGamma } from './special-functions.ts';
import { studentCdf, studentDensity, studentQuantile, studentTail } from './student-t.ts';

type Golden = {
  series: Record<'noise' | 'walk', number[]>;
  second: number[];
  coarse: number[];
  other: number[];
  distributions: {
    name: keyof typeof made;
    parameters: [number, number];
    points: [number, number, number, number][];
    quantiles: [number, number][];
  }[];
  logGamma: [number, number][];
  intervals: [number, number, number, number, number, number, number][];
  spearman: [number, number];
  kendall: [number, number];
  spearmanWalks: [number, number];
  kendallWalks: [number, number];
  shifted: number[];
  kolmogorovSmirnov: [number, number];
  kolmogorov: [number, number][];
  pValues: number[];
  adjusted: Record<'benjaminiHochberg' | 'benjaminiYekutieli' | 'holm', number[]>;
};

type Four = [density: Law, cdf: Law, tail: Law, quantile: Law];
type Law = (x: number, a: number, b: number) => number;

const made = {
  student: [studentDensity, studentCdf, studentTail, studentQuantile],
  chiSquared: [chiSquaredDensity, chiSquaredCdf, chiSquaredTail, chiSquaredQuantile],
  gamma: [gammaDensity, gammaCdf, gammaTail, gammaQuantile],
  fisher: [fisherDensity, fisherCdf, fisherTail, fisherQuantile],
  beta: [betaDensity, betaCdf, betaTail, betaQuantile],
} satisfies Record<string, Four>;

// Values by SciPy and statsmodels; their versions stand in the file.
const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/statistics-golden.json'), 'utf8'),
);

describe('distributions', () => {
  for (const { name, parameters, points, quantiles } of golden.distributions)
    test(`${name} with ${parameters} agrees with SciPy, also far in the tails`, () => {
      const [a, b] = parameters;
      const [density, cdf, tail, quantile]: Four = made[name];
      for (const [x, wantedDensity, wantedCdf, wantedTail] of points) {
        relative(density(x, a, b), wantedDensity, 2e-11, `density at ${x}`);
        relative(cdf(x, a, b), wantedCdf, 2e-11, `cdf at ${x}`);
        relative(tail(x, a, b), wantedTail, 2e-11, `tail at ${x}`);
      }
      for (const [p, wanted] of quantiles) {
        if (wanted === 0) assert.ok(Math.abs(quantile(p, a, b)) < 1e-12);
        else relative(quantile(p, a, b), wanted, 1e-9, `quantile at ${p}`);
      }
    });

  test('the quantile of the distribution function is the point, and the function rises', () => {
    const parameter = fc.double({ min: 1, max: 60, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(made)),
        parameter,
        parameter,
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (four, a, b, p, q) => {
          const [, cdf, tail, quantile]: Four = four;
          const x = quantile(p, a, b);
          relative(cdf(x, a, b), p, 1e-9, 'cdf of the quantile');
          relative(tail(x, a, b), 1 - p, 1e-9, 'tail of the quantile');
          // Two probabilities beside each other may have one quantile, found from different sides.
          if (p < q) assert.ok(x - quantile(q, a, b) <= 1e-9 * Math.abs(x));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the density is the slope of the distribution function', () => {
    for (const four of Object.values(made)) {
      const [density, cdf]: Four = four;
      for (const x of [0.2, 0.5, 0.8])
        relative((cdf(x + 1e-5, 3, 4) - cdf(x - 1e-5, 3, 4)) / 2e-5, density(x, 3, 4), 1e-7, `slope at ${x}`);
    }
  });

  test('ends, missing values and wrong parameters', () => {
    assert.equal(studentQuantile(0, 3), Number.NEGATIVE_INFINITY);
    assert.equal(studentQuantile(1, 3), Number.POSITIVE_INFINITY);
    assert.equal(studentQuantile(0.5, 3), 0);
    assert.equal(studentTail(Number.POSITIVE_INFINITY, 3), 0);
    assert.deepEqual([chiSquaredQuantile(0, 3), chiSquaredQuantile(1, 3)], [0, Number.POSITIVE_INFINITY]);
    assert.deepEqual([betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)], [0, 1]);
    assert.deepEqual([betaCdf(-1, 2, 3), betaCdf(2, 2, 3), betaDensity(2, 2, 3)], [0, 1, 0]);
    assert.deepEqual(
      [fisherCdf(-1, 2, 3), fisherTail(Number.POSITIVE_INFINITY, 2, 3), fisherDensity(-1, 2, 3)],
      [0, 0, 0],
    );
    assert.deepEqual(
      [fisherDensity(0, 1, 3), fisherDensity(0, 2, 3), fisherDensity(0, 3, 3)],
      [Number.POSITIVE_INFINITY, 1, 0],
    );
    assert.deepEqual([gammaDensity(0, 1, 2), gammaDensity(0, 2), gammaDensity(-1, 2), gammaTail(0, 2)], [0.5, 0, 0, 1]);
    relative(betaDensity(0, 1, 1), 1, 1e-14, 'density at the end');
    assert.equal(betaDensity(1, 2, 2), 0);
    for (const four of Object.values(made)) {
      const [density, cdf, tail, quantile]: Four = four;
      for (const law of [density, cdf, tail]) assert.ok(Number.isNaN(law(Number.NaN, 2, 3)));
      assert.throws(() => quantile(1.5, 2, 3), /probability must be in 0..1/);
      assert.throws(() => cdf(1, 0, 3), /must be positive/);
    }
  });

  test('the logarithm of the gamma function agrees with SciPy, and that of the beta function with it', () => {
    for (const [x, wanted] of golden.logGamma)
      assert.ok(Math.abs(logGamma(x) - wanted) <= 2e-14 * Math.max(1, Math.abs(wanted)), `at ${x}`);
    for (const [a, b] of [
      [0.5, 0.5],
      [3, 40],
      [200, 1e-3],
      [20, 30],
    ] as const)
      relative(logBeta(a, b), logGamma(a) + logGamma(b) - logGamma(a + b), 1e-12, `${a}, ${b}`);
  });
});

describe('intervals of a share', () => {
  test('agree with statsmodels', () => {
    for (const [successes, trials, confidence, low, high, scoreLow, scoreHigh] of golden.intervals) {
      const exact = clopperPearson(successes, trials, confidence);
      const score = wilson(successes, trials, confidence);
      for (const [got, wanted] of [
        [exact.low, low],
        [exact.high, high],
        [score.low, scoreLow],
        [score.high, scoreHigh],
      ])
        assert.ok(Math.abs(got! - wanted!) < 1e-10, `${successes} of ${trials}: ${got} is not ${wanted}`);
    }
  });

  test('hold the share, mirror when successes become failures, and know nothing without trials', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), (trials, seed) => {
        const successes = seed % (trials + 1);
        for (const interval of [clopperPearson, wilson]) {
          const { low, high } = interval(successes, trials);
          const mirrored = interval(trials - successes, trials);
          assert.ok(low <= successes / trials && successes / trials <= high);
          assert.ok(Math.abs(mirrored.low - (1 - high)) < 1e-9);
        }
      }),
    );
    assert.deepEqual(
      [clopperPearson(0, 0), wilson(0, 0)],
      [
        { low: 0, high: 1 },
        { low: 0, high: 1 },
      ],
    );
    assert.throws(() => wilson(3, 2), /successes must be a whole number in 0..2, was 3/);
    assert.throws(() => wilson(1, 2, 1), /confidence/);
    assert.throws(() => clopperPearson(0.5, 2), RangeError);
  });
});

describe('rank correlation', () => {
  const coarse = Float64Array.from(golden.coarse);
  const other = Float64Array.from(golden.other);

  test('agrees with SciPy, with and without ties', () => {
    const walk = Float64Array.from(golden.series.walk);
    const second = Float64Array.from(golden.second);
    for (const [got, wanted] of [
      [spearman(coarse, other), golden.spearman],
      [kendall(coarse, other), golden.kendall],
      [spearman(walk, second), golden.spearmanWalks],
      [kendall(walk, second), golden.kendallWalks],
    ] as const) {
      assert.ok(got.status === 'ok');
      relative(got.coefficient, wanted[0], 1e-12, 'coefficient');
      relative(got.pValue!, wanted[1], 1e-9, 'p-value');
    }
  });

  test('counts pairs as brute force does, and does not mind a rising change of either side', () => {
    const value = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 25 }), (pairs) => {
        const x = Float64Array.from(pairs, ([a]) => a);
        const y = Float64Array.from(pairs, ([, b]) => b);
        const got = kendall(x, y);
        let score = 0;
        let left = 0;
        let right = 0;
        for (let i = 0; i < x.length; i++)
          for (let j = 0; j < i; j++) {
            score += Math.sign(x[i]! - x[j]!) * Math.sign(y[i]! - y[j]!);
            left += x[i] === x[j] ? 0 : 1;
            right += y[i] === y[j] ? 0 : 1;
          }
        if (left === 0 || right === 0) assert.equal(got.status, 'undefined');
        else {
          assert.ok(got.status === 'ok');
          assert.ok(Math.abs(got.coefficient - score / Math.sqrt(left * right)) < 1e-12);
          assert.deepEqual(kendall(x.map(Math.exp), y), got);
          assert.deepEqual(spearman(x.map(Math.exp), y), spearman(x, y));
        }
      }),
    );
  });

  test('leaves out pairs with a missing side, and gives ranks their mean in a tie', () => {
    assert.deepEqual(ranks(Float64Array.of(5, Number.NaN, 1, 5, 3)), Float64Array.of(3.5, Number.NaN, 1, 3.5, 2));
    const got = spearman(Float64Array.of(1, 2, Number.NaN, 3, 4), Float64Array.of(10, 20, 5, Number.NaN, 30));
    assert.ok(got.status === 'ok' && got.pairCount === 3 && got.coefficient === 1 && got.pValue === 0);
    assert.deepEqual(pearson(Float64Array.of(1, 2), Float64Array.of(1, 1)), {
      status: 'undefined',
      reason: 'one side is constant',
    });
    const two = pearson(Float64Array.of(1, 2), Float64Array.of(2, 1));
    assert.ok(two.status === 'ok' && two.coefficient === -1 && two.pValue === null);
    for (const measure of [pearson, spearman, kendall])
      assert.equal(measure(new Float64Array(0), new Float64Array(0)).status, 'undefined');
    assert.throws(() => kendall(new Float64Array(2), new Float64Array(3)), RangeError);
  });
});

describe('kolmogorovSmirnov', () => {
  test('agrees with SciPy', () => {
    const got = kolmogorovSmirnov(
      Float64Array.from(golden.series.noise.slice(0, 50)),
      Float64Array.from(golden.shifted),
    );
    assert.ok(got.status === 'ok' && got.method === 'exact');
    relative(got.statistic, golden.kolmogorovSmirnov[0], 1e-14, 'statistic');
    relative(got.pValue, golden.kolmogorovSmirnov[1], 1e-11, 'p-value');
    for (const [x, wanted] of golden.kolmogorov) assert.ok(Math.abs(kolmogorovTail(x) - wanted) < 1e-13, `at ${x}`);
  });

  test('counts the orders of small samples as brute force does', () => {
    // All 10 ways to place two values among five.
    const all: number[] = [];
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < i; j++) {
        const two = Float64Array.of(i, j);
        const three = Float64Array.from([0, 1, 2, 3, 4].filter((k) => k !== i && k !== j));
        const got = kolmogorovSmirnov(two, three);
        assert.ok(got.status === 'ok');
        all.push(got.statistic);
      }
    const got = kolmogorovSmirnov(Float64Array.of(0, 1), Float64Array.of(2, 3, 4));
    assert.ok(got.status === 'ok' && got.statistic === 1);
    assert.ok(Math.abs(got.pValue - all.filter((d) => d >= 1).length / 10) < 1e-15);
    const half = kolmogorovSmirnov(Float64Array.of(0, 2), Float64Array.of(1, 3, 4));
    assert.ok(half.status === 'ok');
    const asFar = all.filter((d) => d >= half.statistic - 1e-12).length / 10;
    assert.ok(Math.abs(half.pValue - asFar) < 1e-15);
  });

  test('the limit is near the count where the one takes over from the other, and edges have a reason', () => {
    const ramp = (n: number, shift: number) => Float64Array.from({ length: n }, (_, k) => k / n + shift);
    const counted = kolmogorovSmirnov(ramp(1000, 0), ramp(1000, 0.06));
    const limit = kolmogorovSmirnov(ramp(1001, 0), ramp(1001, 0.06));
    assert.ok(counted.status === 'ok' && limit.status === 'ok' && limit.method === 'asymptotic');
    assert.ok(Math.abs(counted.pValue - limit.pValue) < 0.01);
    const equal = kolmogorovSmirnov(ramp(9, 0), ramp(9, 0));
    assert.ok(equal.status === 'ok' && equal.statistic === 0 && equal.pValue === 1);
    assert.equal(kolmogorovSmirnov(Float64Array.of(Number.NaN), ramp(3, 0)).status, 'undefined');
  });
});

describe('multiple testing', () => {
  const methods = { benjaminiHochberg, benjaminiYekutieli, holm };

  test('agrees with statsmodels', () => {
    for (const [name, adjust] of Object.entries(methods)) {
      const wanted = golden.adjusted[name as keyof typeof methods];
      for (const [k, value] of adjust(Float64Array.from(golden.pValues)).entries())
        assert.ok(Math.abs(value - wanted[k]!) < 1e-14, `${name}, ${k}`);
    }
  });

  test('never makes a p-value smaller, keeps their order, and passes over what is missing', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(p, { maxLength: 20 }), (list) => {
        for (const adjust of Object.values(methods)) {
          const adjusted = adjust(Float64Array.from(list));
          for (const [i, value] of adjusted.entries()) {
            assert.ok(value >= list[i]! && value <= 1);
            for (const [j, other] of adjusted.entries()) if (list[i]! < list[j]!) assert.ok(value <= other);
          }
          const withGap = adjust(Float64Array.from([...list, Number.NaN]));
          assert.deepEqual(withGap, Float64Array.from([...adjusted, Number.NaN]));
        }
      }),
    );
    assert.throws(() => holm(Float64Array.of(1.1)), /p-values must be in 0..1, one was 1.1/);
  });
});

function relative(actual: number, wanted: number, tolerance: number, what: string): void {
  const size = Math.max(Math.abs(wanted), 1e-290);
  assert.ok(actual === wanted || Math.abs(actual - wanted) <= tolerance * size, `${what}: ${actual} is not ${wanted}`);
}
