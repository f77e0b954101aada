import { expect } from '../checks/expect.ts';
import { leastSquares } from '../linalg/least-squares.ts';
import { mean } from './moments.ts';
import { automaticLags, bartlettSum, sandwich } from './newey-west.ts';
import { studentTail } from './student-t.ts';

/** How the spread of the coefficients is told. */
export type OlsCovariance =
  /** Errors alike and independent: σ² (X'X)⁻¹ with σ² = e'e / (n − K). */
  | { kind: 'classical' }
  /** Errors of changing variance (White 1980, doi:10.2307/1912934), times n / (n − K). */
  | { kind: 'HC1' }
  /**
   * Errors autocorrelated, too: Bartlett weights up to `lags` (Newey and West 1987, doi:10.2307/1913610). Without `lags`
   * ⌊4 (n / 100)^(2/9)⌋. With `smallSample` times n / (n − K), else not.
   */
  | { kind: 'HAC'; lags?: number; smallSample?: boolean };

export type Ols =
  | {
      status: 'ok';
      /** K coefficients in column order. */
      coefficients: Float64Array;
      standardErrors: Float64Array;
      /** Coefficient over standard error; NaN where both are zero. */
      t: Float64Array;
      /** Two-sided, Student's t with n − K degrees whatever the covariance; NaN where t is. */
      pValues: Float64Array;
      /** Row-major K × K covariance of the coefficients. */
      covariance: Float64Array;
      /** y − X b, n values. */
      residuals: Float64Array;
      /** Sum of squared residuals. */
      squaredResiduals: number;
      /** Share of the variance of y explained, around its mean; null when y does not vary. */
      rSquared: number | null;
      /** The same, corrected for the number of columns. */
      adjustedRSquared: number | null;
      /** n − K. */
      degreesOfFreedom: number;
    }
  | {
      status: 'singular';
      reason: string;
      /** Columns that are a combination of those before them; empty where rows are too few. */
      columns: number[];
    };

/**
 * Ordinary least squares. Add a column of ones for an intercept; R² is around the mean in any case. Time O(n K²), for HAC
 * O(n K (K + lags)).
 *
 * @param y n finite values.
 * @param x Row-major n × K, finite. Leave out rows with a missing value first.
 * @returns `singular` when columns depend on each other or there are not more rows than columns.
 * @throws RangeError on wrong shapes, values that are not finite, or lags outside 0..n − 1.
 */
export function ols(
  y: Float64Array,
  x: Float64Array,
  columnCount: number,
  covariance: OlsCovariance = { kind: 'classical' },
): Ols {
  const n = y.length;
  expect(columnCount >= 1 && x.length === n * columnCount, `x must be ${n} x ${columnCount}, had ${x.length} values`);
  if (n <= columnCount) {
    const reason = `${n} rows leave nothing over for the errors of ${columnCount} coefficients`;
    return { status: 'singular', reason, columns: [] };
  }
  const fit = leastSquares(x, n, columnCount, y);
  if (fit.status === 'dependent') return { status: 'singular', reason: fit.reason, columns: fit.columns };
  const degreesOfFreedom = n - columnCount;
  const spread = covarianceOf(fit, x, n, columnCount, covariance);
  const standardErrors = Float64Array.from({ length: columnCount }, (_, i) =>
    Math.sqrt(Math.max(0, spread[i * columnCount + i]!)),
  );
  const t = fit.coefficients.map((value, i) => value / standardErrors[i]!);
  const center = mean(y);
  let total = 0;
  for (let i = 0; i < n; i++) total += (y[i]! - center) ** 2;
  const varies = y.some((value) => value !== y[0]);
  const unexplained = fit.squaredResiduals / total;
  return {
    status: 'ok',
    coefficients: fit.coefficients,
    standardErrors,
    t,
    pValues: t.map((value) => 2 * studentTail(Math.abs(value), degreesOfFreedom)),
    covariance: spread,
    residuals: fit.residuals,
    squaredResiduals: fit.squaredResiduals,
    rSquared: varies ? 1 - unexplained : null,
    adjustedRSquared: varies ? 1 - (unexplained * (n - 1)) / degreesOfFreedom : null,
    degreesOfFreedom,
  };
}

/** A column of ones, then the given ones: row-major n × (K + 1). */
export function withIntercept(x: Float64Array, rowCount: number, columnCount: number): Float64Array {
  expect(x.length === rowCount * columnCount, `x must be ${rowCount} x ${columnCount}, had ${x.length} values`);
  const result = new Float64Array(rowCount * (columnCount + 1));
  for (let t = 0; t < rowCount; t++) {
    result[t * (columnCount + 1)] = 1;
    for (let i = 0; i < columnCount; i++) result[t * (columnCount + 1) + i + 1] = x[t * columnCount + i]!;
  }
  return result;
}

function covarianceOf(
  fit: { residuals: Float64Array; squaredResiduals: number; inverseGram: Float64Array },
  x: Float64Array,
  n: number,
  columnCount: number,
  covariance: OlsCovariance,
): Float64Array {
  const { inverseGram, residuals } = fit;
  if (covariance.kind === 'classical') {
    const errorVariance = fit.squaredResiduals / (n - columnCount);
    return inverseGram.map((value) => value * errorVariance);
  }
  const isHac = covariance.kind === 'HAC';
  const lags = isHac ? (covariance.lags ?? automaticLags(n)) : 0;
  expect(Number.isInteger(lags) && lags >= 0 && lags < n, `lags must be a whole number in 0..${n - 1}, was ${lags}`);
  const score = new Float64Array(n * columnCount);
  for (let t = 0; t < n; t++)
    for (let k = t * columnCount; k < (t + 1) * columnCount; k++) score[k] = x[k]! * residuals[t]!;
  const factor = isHac && !covariance.smallSample ? 1 : n / (n - columnCount);
  return sandwich(inverseGram, bartlettSum(score, columnCount, lags), columnCount).map((value) => value * factor);
}
