import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { whyUnusable } from './autocorrelation.ts';
import { type CriticalValues, mackinnonCritical, mackinnonPValue } from './mackinnon.ts';
import { ols, withIntercept } from './ols.ts';
import { adf } from './unit-root.ts';

export type EngleGranger =
  | {
      status: 'ok';
      /** t of the lagged residual: the more negative, the less the series drift apart. */
      statistic: number;
      /** MacKinnon 1994 for this many series. */
      pValue: number;
      /** y ≈ intercept + Σ slopes · x. */
      intercept: number;
      /** K values, column order. */
      slopes: Float64Array;
      /** n residuals: the spread. */
      residuals: Float64Array;
      lags: number;
      criticalValues: CriticalValues | null;
    }
  | Unanswered;

/** From this share explained on, what is left is too near to rounding to be tested. */
const R_SQUARED_MAX = 1 - 1.5e-6;
const SERIES_MAX = 6;

/**
 * Engle-Granger test: the null hypothesis is that levels drift apart, a small p-value speaks for cointegration.
 *
 * Regresses y on a constant and x, then tests the residuals for a unit root without constant. Not symmetric: which series
 * stands on the left matters in small samples.
 *
 * @param y n levels, equally spaced, no gaps.
 * @param x Row-major n × K levels, K <= 5.
 * @param options Lags of the second step, as in `adf`.
 * @returns `undefined` for constant, collinear or too few values, or one that is not finite.
 * @throws RangeError on wrong shapes or K outside 1..5.
 * @see Engle and Granger 1987, doi:10.2307/1913236; p-values MacKinnon 1994, doi:10.1080/07350015.1994.10510005.
 */
export function engleGranger(
  y: Float64Array,
  x: Float64Array,
  columnCount = 1,
  options: { lags?: number; lagMax?: number } = {},
): EngleGranger {
  const n = y.length;
  expect(x.length === n * columnCount, `x must be ${n} x ${columnCount}, had ${x.length} values`);
  const seriesCount = columnCount + 1;
  expect(columnCount >= 1 && seriesCount <= SERIES_MAX, `x must have 1..${SERIES_MAX - 1} columns, had ${columnCount}`);
  const why = whyUnusable(y, 8 + columnCount);
  if (why) return unanswered(why);
  if (!x.every(Number.isFinite)) return unanswered('a value is missing or not finite');
  const fit = ols(y, withIntercept(x, n, columnCount), columnCount + 1);
  if (fit.status === 'singular') return unanswered(`the levels cannot be regressed: ${fit.reason}`);
  if (fit.rSquared === null || fit.rSquared >= R_SQUARED_MAX) return unanswered('the series are collinear');
  const test = adf(fit.residuals, { ...options, deterministic: 'n' });
  if (test.status === 'undefined') return test;
  return {
    status: 'ok',
    statistic: test.statistic,
    pValue: mackinnonPValue(test.statistic, 'c', seriesCount),
    intercept: fit.coefficients[0]!,
    slopes: fit.coefficients.slice(1),
    residuals: fit.residuals,
    lags: test.lags,
    criticalValues: mackinnonCritical('c', seriesCount, n - 1),
  };
}
