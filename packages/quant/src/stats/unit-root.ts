import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { applyReflections, reflectColumns } from '../linalg/reflect-columns.ts';
import { scaleColumns } from '../linalg/scale-columns.ts';
import { whyUnusable } from './autocorrelation.ts';
import { type CriticalValues, type Deterministic, mackinnonCritical, mackinnonPValue } from './mackinnon.ts';
import { ols } from './ols.ts';

export type UnitRootTest =
  | {
      status: 'ok';
      /** t of the lagged level: the more negative, the less a unit root. */
      statistic: number;
      /** MacKinnon 1994; 0 and 1 outside the range of his surface. */
      pValue: number;
      /** Lagged differences in the regression. */
      lags: number;
      /** Rows of the regression. */
      rowCount: number;
      /** At 1, 5 and 10 %, for this many rows; null where MacKinnon gives none. */
      criticalValues: CriticalValues | null;
    }
  | Unanswered;

export type AdfOptions = {
  /** In the regression: nothing, a constant, or a constant and a trend. Absent: a constant. */
  deterministic?: Deterministic;
  /** Exactly this many lagged differences; absent: as many as AIC likes best. */
  lags?: number;
  /** Most lags AIC may take. Absent: ⌈12 (n / 100)^¼⌉ (Schwert 1989), less for short series. */
  lagMax?: number;
};

/**
 * Augmented Dickey-Fuller test: the null hypothesis is a unit root, a small p-value speaks for a stationary series.
 *
 * Lags are compared by AIC on the same rows, then the best is fitted again with all rows it allows, as statsmodels does.
 *
 * @param values Levels, equally spaced, no gaps.
 * @returns `undefined` for a series that is constant, too short, foretold without error, or holds a value that is not finite.
 * @throws RangeError if `lags` or `lagMax` is no whole number >= 0.
 * @see Said and Dickey 1984, doi:10.1093/biomet/71.3.599; p-values MacKinnon 1994, doi:10.1080/07350015.1994.10510005.
 */
export function adf(values: Float64Array, options: AdfOptions = {}): UnitRootTest {
  const { deterministic = 'c' } = options;
  for (const count of [options.lags, options.lagMax])
    expect(count === undefined || (Number.isInteger(count) && count >= 0), `lags must be whole and >= 0, was ${count}`);
  const why = whyUnusable(values, 4);
  if (why) return unanswered(why);
  const n = values.length;
  const trendCount = deterministic.length - (deterministic === 'n' ? 1 : 0);
  const room = Math.floor(n / 2) - trendCount - 1;
  const wanted = options.lags ?? options.lagMax;
  const most = wanted ?? Math.min(room, Math.ceil(12 * (n / 100) ** 0.25));
  if (room < 0 || most > room) return unanswered(`${n} values are too few for ${Math.max(most, 0)} lags`);
  const lags = options.lags ?? bestLag(values, deterministic, most);
  const { x, y, columnCount } = regressors(values, deterministic, lags);
  const fit = ols(y, x, columnCount);
  if (fit.status === 'singular') return unanswered(`the regression has no answer: ${fit.reason}`);
  const statistic = fit.t[trendCount]!;
  // Rounding alone is left: a t of 1e15 would say nothing about the series.
  if (!Number.isFinite(statistic) || fit.squaredResiduals <= 1e-26 * sumOfSquares(y))
    return unanswered('the series is foretold without error');
  return {
    status: 'ok',
    statistic,
    pValue: mackinnonPValue(statistic, deterministic, 1),
    lags,
    rowCount: y.length,
    criticalValues: mackinnonCritical(deterministic, 1, y.length),
  };
}

/** Columns: the deterministic ones, the level before, then the differences before that, the latest first. */
function regressors(values: Float64Array, deterministic: Deterministic, lags: number) {
  const rowCount = values.length - 1 - lags;
  const trendCount = deterministic === 'n' ? 0 : deterministic.length;
  const columnCount = trendCount + 1 + lags;
  const x = new Float64Array(rowCount * columnCount);
  const y = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const t = row + lags + 1;
    const at = row * columnCount;
    if (trendCount > 0) x[at] = 1;
    if (trendCount > 1) x[at + 1] = row + 1;
    x[at + trendCount] = values[t - 1]!;
    for (let lag = 1; lag <= lags; lag++) x[at + trendCount + lag] = values[t - lag]! - values[t - lag - 1]!;
    y[row] = values[t]! - values[t - 1]!;
  }
  return { x, y, rowCount, columnCount, trendCount };
}

/** One factorisation answers for all lags: what the first k columns leave over is what comes after place k of Qᵀ y. */
function bestLag(values: Float64Array, deterministic: Deterministic, lagMax: number): number {
  const { x, y, rowCount, columnCount, trendCount } = regressors(values, deterministic, lagMax);
  const { columns } = scaleColumns(x, rowCount, columnCount);
  const factors = reflectColumns(columns, rowCount, columnCount, 1e-10);
  applyReflections(factors, rowCount, y);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  let left = 0;
  const leftAfter = new Float64Array(factors.pivots.length + 1);
  for (let t = rowCount - 1; t >= 0; t--) {
    left += y[t]! * y[t]!;
    if (t <= factors.pivots.length) leftAfter[t] = left;
  }
  for (let lag = 0; lag <= lagMax; lag++) {
    const columnsUsed = trendCount + 1 + lag;
    const rank = factors.pivots.filter((column) => column < columnsUsed).length;
    const criterion = rowCount * Math.log(leftAfter[rank]! / rowCount) + 2 * rank;
    if (criterion < least) {
      least = criterion;
      best = lag;
    }
  }
  return best;
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
