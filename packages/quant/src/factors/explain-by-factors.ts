import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { ols, withIntercept } from '../stats/ols.ts';
import { studentQuantile } from '../stats/student-t.ts';

export type FactorPart = {
  /** Coefficient of the regression. */
  exposure: number;
  standardError: number;
  /** Ends of the 95 % interval. */
  low: number;
  high: number;
  /** Two-sided, of no exposure; NaN where the regression has no error. */
  pValue: number;
  /** exposure · cov(factor, y) / var(y); may be negative. */
  varianceShare: number;
  /** exposure · mean of the factor, per period. */
  returnPart: number;
};

export type MakeUp =
  | {
      status: 'ok';
      factors: FactorPart[];
      /** Intercept per period, with its interval. */
      alpha: { value: number; standardError: number; low: number; high: number; pValue: number };
      /** cov(residual, y) / var(y). */
      residualVarianceShare: number;
      /** Intercept and mean residual, per period. */
      residualReturnPart: number;
      /** Sample variance of y per period. */
      variance: number;
      mean: number;
      /** Sum of the shares of the variance minus one, and of the parts of the mean minus the mean: rounding only. */
      varianceMismatch: number;
      returnMismatch: number;
      adjustedRSquared: number;
      rowCount: number;
    }
  | Unanswered;

/**
 * What returns are made of: a regression on factors with an intercept, its errors safe against autocorrelation and changing
 * variance (Newey and West 1987, doi:10.2307/1913610), and the variance and the mean taken apart so that the parts add up.
 * The parts of the variance are covariances with the whole, so what two factors share is told once.
 *
 * Rows with a NaN on either side are left out.
 *
 * @param y T returns per period.
 * @param factors Row-major T × K returns or changes per period.
 * @param lags Of the errors; default ⌊4 (n / 100)^(2/9)⌋.
 * @returns `undefined` when y does not vary, a factor is a combination of others, or fewer rows than 10 + 2 K are whole.
 * @throws RangeError on wrong shapes.
 */
export function explainByFactors(y: Float64Array, factors: Float64Array, factorCount: number, lags?: number): MakeUp {
  const whole = wholeRows(y, factors, factorCount);
  const n = whole.y.length;
  const needed = 10 + 2 * factorCount;
  if (n < needed) return unanswered(`${needed} whole rows are needed for ${factorCount} factors, there are ${n}`);
  if (whole.y.every((value) => value === whole.y[0])) return unanswered('the returns do not vary');
  const x = withIntercept(whole.factors, n, factorCount);
  const fit = ols(whole.y, x, factorCount + 1, { kind: 'HAC', ...(lags === undefined ? {} : { lags }) });
  if (fit.status !== 'ok') return unanswered(fit.reason);
  const edge = studentQuantile(0.975, fit.degreesOfFreedom);
  const told = (at: number) => {
    const [value, standardError] = [fit.coefficients[at]!, fit.standardErrors[at]!];
    return {
      value,
      standardError,
      low: value - edge * standardError,
      high: value + edge * standardError,
      pValue: fit.pValues[at]!,
    };
  };
  const mean = meanOf(whole.y);
  const variance = covarianceOf(whole.y, whole.y);
  const parts = Array.from({ length: factorCount }, (_, k): FactorPart => {
    const { value: exposure, ...spread } = told(k + 1);
    const column = Float64Array.from({ length: n }, (_, t) => whole.factors[t * factorCount + k]!);
    return {
      exposure,
      ...spread,
      varianceShare: (exposure * covarianceOf(column, whole.y)) / variance,
      returnPart: exposure * meanOf(column),
    };
  });
  const residualVarianceShare = covarianceOf(fit.residuals, whole.y) / variance;
  const alpha = told(0);
  const residualReturnPart = alpha.value + meanOf(fit.residuals);
  const sum = (pick: (part: FactorPart) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    status: 'ok',
    ...{ factors: parts, alpha, residualVarianceShare, residualReturnPart, variance, mean },
    varianceMismatch: sum((part) => part.varianceShare) + residualVarianceShare - 1,
    returnMismatch: sum((part) => part.returnPart) + residualReturnPart - mean,
    adjustedRSquared: fit.adjustedRSquared ?? Number.NaN,
    rowCount: n,
  };
}

/** Rows where everything is finite. */
export function wholeRows(y: Float64Array, factors: Float64Array, factorCount: number) {
  expect(
    factors.length === y.length * factorCount,
    `factors must be ${y.length} x ${factorCount}, had ${factors.length} values`,
  );
  const rows: number[] = [];
  for (let t = 0; t < y.length; t++) {
    let isWhole = Number.isFinite(y[t]!);
    for (let k = 0; k < factorCount && isWhole; k++) isWhole = Number.isFinite(factors[t * factorCount + k]!);
    if (isWhole) rows.push(t);
  }
  return {
    rows,
    y: Float64Array.from(rows, (t) => y[t]!),
    factors: Float64Array.from(
      { length: rows.length * factorCount },
      (_, k) => factors[rows[Math.floor(k / factorCount)]! * factorCount + (k % factorCount)]!,
    ),
  };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function covarianceOf(x: Float64Array, y: Float64Array): number {
  const [centerX, centerY] = [meanOf(x), meanOf(y)];
  let sum = 0;
  for (let t = 0; t < x.length; t++) sum += (x[t]! - centerX) * (y[t]! - centerY);
  return sum / (x.length - 1);
}
