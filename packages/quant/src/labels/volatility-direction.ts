import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';
import { checkHorizon } from './forward-return.ts';
import { createLabels, finishLabels, type Labels } from './label.ts';

export const VOLATILITY_HORIZON_DEFAULT = 5;
export const VOLATILITY_WINDOW_DEFAULT = 22;

/**
 * Variance of each day: Garman and Klass of the session, plus the squared log return over the night before it.
 *
 * v = ½ ln(h / l)² − (2 ln 2 − 1) ln(c / o)² + ln(o / c before)². NaN in row 0 and where a price is missing or not positive.
 *
 * @see Garman and Klass 1980, doi:10.1086/296072.
 */
export function dailyVariance(bars: Pick<Bars, 'open' | 'high' | 'low' | 'close'>): Float64Array {
  const { open, high, low, close } = bars;
  return close.map((c, t) => {
    const before = t === 0 ? Number.NaN : close[t - 1]!;
    const isWhole = c > 0 && before > 0 && open[t]! > 0 && high[t]! > 0 && low[t]! > 0;
    if (!isWhole) return Number.NaN;
    const session = Math.log(high[t]! / low[t]!);
    const body = Math.log(c / open[t]!);
    const night = Math.log(open[t]! / before);
    return 0.5 * session * session - (2 * Math.LN2 - 1) * body * body + night * night;
  });
}

/**
 * Whether volatility rises: 1 if the mean daily variance of rows t + 1 to t + horizon is above that of the `window` rows up
 * to t, else 0. Known at row t + horizon.
 *
 * @param variance T daily variances: `dailyVariance`, or others.
 * @throws RangeError if the horizon or the window is no whole number >= 1.
 */
export function volatilityDirection(
  variance: Float64Array,
  horizon: number = VOLATILITY_HORIZON_DEFAULT,
  window: number = VOLATILITY_WINDOW_DEFAULT,
): Labels {
  checkHorizon(horizon);
  expect(Number.isInteger(window) && window >= 1, `window must be a whole number >= 1, was ${window}`);
  const rowCount = variance.length;
  const labels = createLabels(rowCount);
  for (let t = 0; t < rowCount; t++) {
    const past = meanOf(variance, t - window + 1, t);
    if (Number.isNaN(past)) labels.labelEnd[t] = t;
    else if (t + horizon < rowCount) {
      const future = meanOf(variance, t + 1, t + horizon);
      labels.value[t] = Number.isNaN(future) ? Number.NaN : future > past ? 1 : 0;
      labels.labelEnd[t] = t + horizon;
    }
  }
  return finishLabels(labels);
}

/** Mean of rows `from` to `to`, both included; NaN where one is missing or before the first. */
function meanOf(values: Float64Array, from: number, to: number): number {
  if (from < 0) return Number.NaN;
  let sum = 0;
  for (let i = from; i <= to; i++) sum += values[i]!;
  return sum / (to - from + 1);
}
