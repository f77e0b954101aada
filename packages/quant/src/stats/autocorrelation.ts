import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { chiSquaredTail } from './chi-squared.ts';
import { mean } from './moments.ts';
import { ols } from './ols.ts';

export type PortmanteauTest =
  | { status: 'ok'; statistic: number; pValue: number; degreesOfFreedom: number; lags: number }
  | Unanswered;

/**
 * Autocorrelations at lags 0..`lagMax`: Σ d_t d_{t−l} / Σ d_t² around the mean. Positive semidefinite, hence drawn to zero at
 * long lags.
 *
 * @param values Equally spaced, no gaps.
 * @returns `lagMax` + 1 values, the first 1. All NaN when the series is constant, empty, or holds a value that is not finite.
 * @throws RangeError if `lagMax` is no whole number below the length.
 */
export function autocorrelation(values: Float64Array, lagMax: number): Float64Array {
  const n = values.length;
  expect(
    Number.isInteger(lagMax) && lagMax >= 0 && (lagMax < n || n === 0),
    `lagMax must be a whole number in 0..${n - 1}, was ${lagMax}`,
  );
  if (whyUnusable(values, 1)) return new Float64Array(lagMax + 1).fill(Number.NaN);
  const center = mean(values);
  const deviations = values.map((value) => value - center);
  const result = new Float64Array(lagMax + 1);
  for (let lag = 0; lag <= lagMax; lag++) {
    let sum = 0;
    for (let t = lag; t < n; t++) sum += deviations[t]! * deviations[t - lag]!;
    result[lag] = lag === 0 ? sum : sum / result[0]!;
  }
  result[0] = 1;
  return result;
}

/**
 * Partial autocorrelations at lags 0..`lagMax` from the Yule-Walker equations, by the Durbin-Levinson recursion.
 *
 * @returns `lagMax` + 1 values, the first 1; NaN as in `autocorrelation`, and from where the series is foretold without error.
 * @throws RangeError if `lagMax` is no whole number below the length.
 * @see Durbin 1960, doi:10.2307/1401322.
 */
export function partialAutocorrelation(values: Float64Array, lagMax: number): Float64Array {
  const correlations = autocorrelation(values, lagMax);
  const result = new Float64Array(lagMax + 1).fill(Number.NaN);
  if (Number.isNaN(correlations[0]!)) return result;
  result[0] = 1;
  let weights = new Float64Array(lagMax + 1);
  let left = 1;
  for (let lag = 1; lag <= lagMax && left > 0; lag++) {
    let top = correlations[lag]!;
    for (let k = 1; k < lag; k++) top -= weights[k]! * correlations[lag - k]!;
    const partial = top / left;
    const next = weights.slice();
    for (let k = 1; k < lag; k++) next[k] = weights[k]! - partial * weights[lag - k]!;
    next[lag] = partial;
    result[lag] = partial;
    weights = next;
    left *= 1 - partial * partial;
  }
  return result;
}

/**
 * Ljung-Box test against no autocorrelation at lags 1..`lags`: n (n + 2) Σ ρ_l² / (n − l).
 *
 * @param fittedCount Parameters fitted to get the residuals tested; taken from the degrees of freedom.
 * @returns `undefined` for a constant series, a value that is not finite, or not more values than lags.
 * @throws RangeError if `lags` is no whole number >= 1 or does not exceed `fittedCount`.
 * @see Ljung and Box 1978, doi:10.1093/biomet/65.2.297.
 */
export function ljungBox(values: Float64Array, lags: number, fittedCount = 0): PortmanteauTest {
  const n = values.length;
  expect(Number.isInteger(lags) && lags >= 1, `lags must be a whole number >= 1, was ${lags}`);
  expect(lags > fittedCount, `lags must exceed the ${fittedCount} fitted parameters, were ${lags}`);
  const why = whyUnusable(values, lags + 1);
  if (why) return unanswered(why);
  const correlations = autocorrelation(values, lags);
  let sum = 0;
  for (let lag = 1; lag <= lags; lag++) sum += correlations[lag]! ** 2 / (n - lag);
  const statistic = n * (n + 2) * sum;
  const degreesOfFreedom = lags - fittedCount;
  return { status: 'ok', statistic, pValue: chiSquaredTail(statistic, degreesOfFreedom), degreesOfFreedom, lags };
}

/**
 * Engle's Lagrange multiplier test against constant variance: squared residuals on their own past, T R².
 *
 * @param residuals Mean near zero; the mean is not taken out.
 * @returns `undefined` with too few values, constant squares, or a value that is not finite.
 * @throws RangeError if `lags` is no whole number >= 1.
 * @see Engle 1982, doi:10.2307/1912773.
 */
export function archLm(residuals: Float64Array, lags: number): PortmanteauTest {
  expect(Number.isInteger(lags) && lags >= 1, `lags must be a whole number >= 1, was ${lags}`);
  const why = whyUnusable(residuals, 2 * lags + 3);
  if (why) return unanswered(why);
  const squares = residuals.map((e) => e * e);
  const rowCount = squares.length - lags;
  const columnCount = lags + 1;
  const x = new Float64Array(rowCount * columnCount);
  for (let t = 0; t < rowCount; t++) {
    x[t * columnCount] = 1;
    for (let lag = 1; lag <= lags; lag++) x[t * columnCount + lag] = squares[t + lags - lag]!;
  }
  const fit = ols(squares.subarray(lags), x, columnCount);
  if (fit.status === 'singular') return unanswered(`the squares cannot be regressed on their past: ${fit.reason}`);
  if (fit.rSquared === null) return unanswered('the squares are constant');
  const statistic = rowCount * fit.rSquared;
  return { status: 'ok', statistic, pValue: chiSquaredTail(statistic, lags), degreesOfFreedom: lags, lags };
}

/** Why a series can carry no test, or null. */
export function whyUnusable(values: Float64Array, countMin: number): string | null {
  if (values.length < countMin) return `${countMin} values are needed, there are ${values.length}`;
  if (!values.every(Number.isFinite)) return 'a value is missing or not finite';
  if (values.every((value) => value === values[0])) return 'the series is constant';
  return null;
}
