import { expect } from '../checks/expect.ts';
import { cholesky, inverseFromCholesky } from '../linalg/cholesky.ts';
import { addScaled, dotProduct } from '../linalg/dot-product.ts';
import { multiply, transpose } from '../linalg/multiply.ts';
import { mean } from './moments.ts';

/** Bartlett lags when none are given: ⌊4 (n / 100)^(2/9)⌋ (Newey and West 1994, doi:10.2307/2297912). */
export function automaticLags(n: number): number {
  return Math.min(Math.max(n - 1, 0), Math.floor(4 * (n / 100) ** (2 / 9)));
}

/**
 * Variance of a mean that survives autocorrelation and changing variance: Bartlett-weighted autocovariances over n.
 *
 * var(mean) = (γ₀ + 2 Σ (1 − l / (L + 1)) γ_l) / n with γ_l = Σ d_t d_{t−l} / n around the mean. Never negative. No
 * small-sample correction. NaN with fewer than two values.
 *
 * @param lags L >= 0, below n. Absent: `automaticLags(n)`.
 * @throws RangeError if a value is not finite, or `lags` is no whole number in 0..n − 1.
 * @see Newey and West 1987, doi:10.2307/1913610.
 */
export function hacVarianceOfMean(values: Float64Array, lags?: number): number {
  const n = values.length;
  if (n < 2) return Number.NaN;
  const lagCount = checkLags(lags, n);
  expect(values.every(Number.isFinite), 'values must be finite');
  const center = mean(values);
  const deviation = values.map((x) => x - center);
  let sum = 0;
  for (let lag = 0; lag <= lagCount; lag++) {
    let product = 0;
    for (let t = lag; t < n; t++) product += deviation[t]! * deviation[t - lag]!;
    sum += (lag === 0 ? 1 : 2 * (1 - lag / (lagCount + 1))) * product;
  }
  return sum / (n * n);
}

export type HacRegression =
  | {
      status: 'ok';
      /** K coefficients in column order. */
      coefficients: Float64Array;
      /** Row-major K × K covariance of the coefficients. */
      covariance: Float64Array;
      standardErrors: Float64Array;
      residuals: Float64Array;
      /** Share of the variance of y around its mean that is explained; null when y does not vary. */
      rSquared: number | null;
      lags: number;
    }
  | { status: 'singular'; reason: string };

/**
 * Least squares with a covariance that survives autocorrelation and changing variance (Newey and West 1987,
 * doi:10.2307/1913610): (X'X)⁻¹ S (X'X)⁻¹, S the Bartlett-weighted sum of x_t e_t e_{t−l} x_{t−l}'.
 *
 * No small-sample correction, as in `statsmodels` with `use_correction=False`. Add a column of ones for an intercept.
 * Time O(n K (K + L)).
 *
 * @param y n finite values.
 * @param x Row-major n × K, finite.
 * @param lags L. Absent: `automaticLags(n)`.
 * @returns `singular` when the columns of X are linearly dependent or fewer rows than columns exist.
 * @throws RangeError on wrong shapes, values that are not finite, or lags outside 0..n − 1.
 */
export function hacRegression(y: Float64Array, x: Float64Array, columnCount: number, lags?: number): HacRegression {
  const n = y.length;
  expect(columnCount >= 1 && x.length === n * columnCount, `x must be ${n} x ${columnCount}, had ${x.length} values`);
  expect(y.every(Number.isFinite) && x.every(Number.isFinite), 'y and x must be finite');
  if (n < columnCount) return { status: 'singular', reason: `${n} rows cannot fix ${columnCount} coefficients` };
  const lagCount = checkLags(lags, n);
  const gram = new Float64Array(columnCount * columnCount);
  const moment = new Float64Array(columnCount);
  for (let t = 0; t < n; t++)
    for (let i = 0; i < columnCount; i++) {
      const xi = x[t * columnCount + i]!;
      moment[i]! += xi * y[t]!;
      for (let j = 0; j < columnCount; j++) gram[i * columnCount + j]! += xi * x[t * columnCount + j]!;
    }
  const factor = cholesky(gram, columnCount);
  if (!factor) return { status: 'singular', reason: 'a column of x is a combination of the others' };
  const inverse = inverseFromCholesky(factor, columnCount);
  const coefficients = multiply(inverse, columnCount, columnCount, moment, 1);
  const residuals = new Float64Array(n);
  const score = new Float64Array(n * columnCount);
  for (let t = 0; t < n; t++) {
    let fit = 0;
    for (let i = 0; i < columnCount; i++) fit += x[t * columnCount + i]! * coefficients[i]!;
    residuals[t] = y[t]! - fit;
    for (let i = 0; i < columnCount; i++) score[t * columnCount + i] = x[t * columnCount + i]! * residuals[t]!;
  }
  const meat = bartlettSum(score, columnCount, lagCount);
  const covariance = sandwich(inverse, meat, columnCount);
  const center = mean(y);
  const total = y.reduce((sum, value) => sum + (value - center) ** 2, 0);
  const left = residuals.reduce((sum, e) => sum + e * e, 0);
  return {
    status: 'ok',
    coefficients,
    covariance,
    standardErrors: Float64Array.from({ length: columnCount }, (_, i) => Math.sqrt(covariance[i * columnCount + i]!)),
    residuals,
    rSquared: total > 0 ? 1 - left / total : null,
    lags: lagCount,
  };
}

/** B M B for a symmetric B, row-major n × n. */
export function sandwich(bread: Float64Array, meat: Float64Array, n: number): Float64Array {
  return multiply(multiply(bread, n, n, meat, n), n, n, bread, n);
}

function checkLags(lags: number | undefined, n: number): number {
  const count = lags ?? automaticLags(n);
  expect(
    Number.isInteger(count) && count >= 0 && count < n,
    `lags must be a whole number in 0..${n - 1}, was ${count}`,
  );
  return count;
}

/**
 * Σ over lags of the Bartlett weight times s_t s_{t−l}' plus its transpose; `score` is row-major n × K. Time O(n K (K + lags)):
 * each column is smoothed by the weights first, then all pairs are taken once.
 */
export function bartlettSum(score: Float64Array, columnCount: number, lagCount: number): Float64Array {
  const n = score.length / columnCount;
  const columns = transpose(score, n, columnCount);
  const smooth = new Float64Array(columns.length);
  for (let j = 0; j < columnCount; j++) {
    addScaled(smooth, j * n, columns, j * n, n, 0.5);
    for (let lag = 1; lag <= lagCount; lag++)
      addScaled(smooth, j * n + lag, columns, j * n, n - lag, 1 - lag / (lagCount + 1));
  }
  const sum = new Float64Array(columnCount * columnCount);
  for (let i = 0; i < columnCount; i++)
    for (let j = 0; j < columnCount; j++) {
      const product = dotProduct(columns, i * n, smooth, j * n, n);
      sum[i * columnCount + j]! += product;
      sum[j * columnCount + i]! += product;
    }
  return sum;
}
