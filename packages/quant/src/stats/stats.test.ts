import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import {
  blockBootstrap,
  circularBlockIndices,
  meanInterval,
  pairedDifferenceInterval,
  stationaryIndices,
} from './block-bootstrap.ts';
import { covarianceMatrix, excessKurtosis, mean, skewness, standardDeviation, variance } from './moments.ts';
import { automaticLags, hacRegression, hacVarianceOfMean } from './newey-west.ts';
import { normalCdf, normalDensity, normalQuantile } from './normal.ts';
import { quantile } from './quantile.ts';

type Golden = {
  n: number;
  mean: number;
  variance: number;
  skewness: number;
  excessKurtosis: number;
  covariance: number[];
  quantiles: [number, number][];
  hacRegression: { lags: number; coefficients: number[]; standardErrors: number[]; rSquared: number }[];
  hacMean: { lags: number; variance: number }[];
  normalCdf: [number, number][];
  normalQuantile: [number, number][];
};

const golden: Golden = JSON.parse(readFileSync(new URL('../../golden/stats-golden.json', import.meta.url), 'utf8'));
const x = Float64Array.from(
  { length: golden.n },
  (_, t) => 0.01 * Math.sin(1.7 * t) + 0.004 * Math.cos(0.31 * t * t) + 0.0005,
);
const y = x.map((value, t) => 0.0002 + 0.8 * value + 0.006 * Math.sin(0.9 * t + 1) * (1 + 0.5 * Math.sin(t / 40)));

test('moments, covariance and quantiles agree with NumPy and SciPy', () => {
  close(mean(y), golden.mean, 1e-12);
  close(variance(y), golden.variance, 1e-12);
  close(standardDeviation(y), Math.sqrt(golden.variance), 1e-12);
  close(skewness(y), golden.skewness, 1e-9);
  close(excessKurtosis(y), golden.excessKurtosis, 1e-9);
  const both = Float64Array.from({ length: 2 * golden.n }, (_, k) => (k % 2 ? y : x)[k >> 1]!);
  covarianceMatrix(both, 2).forEach((c, k) => void close(c, golden.covariance[k]!, 1e-11));
  for (const [p, expected] of golden.quantiles) close(quantile(y, p), expected, 1e-12);
});

test('regression and mean with HAC errors agree with statsmodels', () => {
  const design = Float64Array.from({ length: 2 * golden.n }, (_, k) => (k % 2 ? x[k >> 1]! : 1));
  for (const expected of golden.hacRegression) {
    const fit = hacRegression(y, design, 2, expected.lags);
    assert.ok(fit.status === 'ok');
    for (let i = 0; i < 2; i++) {
      close(fit.coefficients[i]!, expected.coefficients[i]!, 1e-10);
      close(fit.standardErrors[i]!, expected.standardErrors[i]!, 1e-9);
    }
    close(fit.rSquared!, expected.rSquared, 1e-10);
  }
  for (const { lags, variance: expected } of golden.hacMean) close(hacVarianceOfMean(y, lags), expected, 1e-10);
});

test('the normal distribution agrees with SciPy far into both tails, and its quantile undoes it', () => {
  for (const [z, expected] of golden.normalCdf) close(normalCdf(z), expected, 1e-12);
  for (const [p, expected] of golden.normalQuantile) assert.ok(Math.abs(normalQuantile(p) - expected) < 1e-11);
  fc.assert(
    fc.property(
      fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }),
      (p) => Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-13,
    ),
  );
  assert.deepEqual([normalQuantile(0), normalQuantile(1), normalCdf(Number.NaN)], [-Infinity, Infinity, Number.NaN]);
  close(normalDensity(0), 0.3989422804014327, 1e-15);
  assert.throws(() => normalQuantile(1.1), /probability must be/);
});

test('a mean of independent values has the textbook variance without lags', () => {
  close(hacVarianceOfMean(y, 0), variance(y, 0) / y.length, 1e-12);
  assert.equal(automaticLags(100), 4);
  assert.equal(automaticLags(2500), 8);
  assert.ok(Number.isNaN(hacVarianceOfMean(Float64Array.of(1))));
  assert.throws(() => hacVarianceOfMean(y, -1), /lags must be/);
  assert.throws(() => hacVarianceOfMean(Float64Array.of(1, Number.NaN, 2)), /finite/);
});

test('columns that say the same are singular, and so are fewer rows than columns', () => {
  const twice = Float64Array.from({ length: 2 * y.length }, (_, k) => x[k >> 1]!);
  assert.deepEqual(hacRegression(y, twice, 2), {
    status: 'singular',
    reason: 'a column of x is a combination of the others',
  });
  assert.equal(hacRegression(Float64Array.of(1), Float64Array.of(1, 2), 2).status, 'singular');
});

test('moments of nothing, of one value and of a constant are not made up', () => {
  const none = new Float64Array(0);
  for (const f of [mean, variance, skewness, excessKurtosis]) assert.ok(Number.isNaN(f(none)));
  assert.ok(Number.isNaN(variance(Float64Array.of(3))));
  assert.ok(Number.isNaN(skewness(Float64Array.of(2, 2, 2))));
  assert.ok(Number.isNaN(quantile(none, 0.5)));
  assert.equal(quantile(Float64Array.of(Number.NaN, 5), 0.3), 5);
  assert.ok(covarianceMatrix(Float64Array.of(1, 2), 2).every((c) => Number.isNaN(c)));
});

test('a circular resample is made of runs of consecutive days, and every day is equally likely', () => {
  const n = 50;
  const counts = new Float64Array(n);
  const indices = new Uint32Array(n);
  const random = createRandom('circular');
  for (let b = 0; b < 4000; b++) {
    circularBlockIndices(indices, n, 7, random);
    for (let k = 0; k < n; k++) {
      if (k % 7 !== 0) assert.equal(indices[k], (indices[k - 1]! + 1) % n);
      counts[indices[k]!]!++;
    }
  }
  // 4,000 expected a day; blocks make the counts' spread about sqrt(7) times the binomial one.
  assert.ok(counts.every((c) => Math.abs(c - 4000) < 5 * Math.sqrt(7 * 4000)));
});

test('a stationary resample has blocks of the asked mean length', () => {
  const n = 1000;
  const indices = new Uint32Array(100_000);
  stationaryIndices(indices, n, 20, createRandom('stationary'));
  let breaks = 1;
  for (let k = 1; k < indices.length; k++) if (indices[k] !== (indices[k - 1]! + 1) % n) breaks++;
  assert.ok(Math.abs(indices.length / breaks - 20) < 1.5);
});

test('the interval of a mean agrees with the HAC error for a long autocorrelated series, and the seed fixes it', () => {
  const random = createRandom('interval');
  const values = new Float64Array(6000);
  for (let t = 1; t < values.length; t++) values[t] = 0.5 * values[t - 1]! + random.normal();
  const interval = meanInterval(values, { random: createRandom(1), blockLength: 40 });
  const error = Math.sqrt(hacVarianceOfMean(values, 40));
  assert.ok(Math.abs((interval.high - interval.low) / (2 * 1.96 * error) - 1) < 0.12);
  assert.ok(interval.low < interval.value && interval.value < interval.high);
  assert.deepEqual(meanInterval(values, { random: createRandom(1), blockLength: 40 }), interval);
});

test('paired differences cancel what both have in common, and skip days one of them misses', () => {
  const common = createRandom('pair');
  const a = Float64Array.from({ length: 500 }, () => 100 * common.normal());
  const b = a.map((v) => v - 0.5);
  const paired = pairedDifferenceInterval(a, b, { random: createRandom(2) });
  close(paired!.low, 0.5, 1e-10);
  close(paired!.high, 0.5, 1e-10);
  b[3] = Number.NaN;
  assert.equal(pairedDifferenceInterval(a, b, { random: createRandom(2) })!.pairCount, 499);
  assert.equal(
    pairedDifferenceInterval(Float64Array.of(Number.NaN), Float64Array.of(1), { random: createRandom(2) }),
    null,
  );
});

test('a resample of whole length in one block is the series turned, so its mean has no spread', () => {
  const interval = meanInterval(y, { random: createRandom(4), blockLength: y.length, resampleCount: 50 });
  close(interval.low, interval.high, 1e-12);
  assert.equal(blockBootstrap(5, () => Number.NaN, { random: createRandom(1) }).usedCount, 0);
  assert.throws(() => meanInterval(y, { random: createRandom(4), blockLength: 301 }), /blockLength must be/);
  assert.throws(() => meanInterval(y, { random: createRandom(4), level: 1 }), /level must be/);
});

/** Relative to the larger of the two. */
function close(actual: number, expected: number, tolerance: number): void {
  const scale = Math.max(Math.abs(actual), Math.abs(expected), 1e-300);
  assert.ok(Math.abs(actual - expected) <= tolerance * scale, `${actual} is not ${expected}`);
}
