import type { Inputs } from '../learn/examples.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { logOf } from './har.ts';
import { trailingMean } from './qlike.ts';
import { type DailyPrices, garmanKlassOvernightVariance, logReturns } from './range-variance.ts';

/** Columns of `volatilityDirectionFeatures`, in order. */
export const VOLATILITY_DIRECTION_FEATURES = [
  'day',
  'week',
  'fortnight',
  'quarter',
  'decay_0.7',
  'decay_0.85',
  'decay_0.94',
  'decay_0.985',
  'log_week',
  'log_month',
  'log_quarter',
  'fall_day',
  'fall_week',
  'fall_month',
  'size_day',
] as const;

const MONTH_DAYS = 22;
/** A bar that was repeated has no variance, and says nothing of its day: it counts as a hundredth of its month. */
const QUIET_SHARE = 0.01;

/**
 * What tells whether volatility will rise above the mean of the last 22 days: the past of daily variance over several spans,
 * each as its logarithm less that of the 22-day mean, and what the price did, in units of the month's deviation.
 *
 * - `day`, `week` (5), `fortnight` (10): flat means; `quarter`: the month against 66 days.
 * - `decay_λ`: exponentially weighted means.
 * - `log_week`, `log_month`, `log_quarter`: means of logarithms, so that one wild day weighs less; `log_month` is the lower the
 *   more a few days made the month.
 * - `fall_day`, `fall_week`, `fall_month`: mean log return where it is negative, times √days: volatility follows falls.
 * - `size_day`: size of the day's log return.
 *
 * Row t uses rows up to t only. NaN where a span is not there yet or misses half of its days, and in `day` where the day
 * itself is missing. Time O(T · 66).
 *
 * @param variance Return² per day; default: `garmanKlassOvernightVariance` of the prices.
 * @returns T × `VOLATILITY_DIRECTION_FEATURES`.
 * @see Corsi 2009, doi:10.1093/jjfinec/nbp001; Corsi and Renò 2012, doi:10.1080/07350015.2012.663261.
 */
export function volatilityDirectionFeatures(
  prices: DailyPrices,
  variance: Float64Array = garmanKlassOvernightVariance(prices),
): Inputs {
  const returns = logReturns(prices.close);
  const monthMean = trailingMean(variance, MONTH_DAYS);
  const month = logOf(monthMean);
  const deviation = month.map((log) => Math.exp(log / 2));
  const logs = logOf(variance.map((v, t) => Math.max(v, QUIET_SHARE * monthMean[t]!)));
  const less = (values: Float64Array) => values.map((value, t) => value - month[t]!);
  const fall = (days: number) =>
    trailingMean(returns, days).map((mean, t) => (Math.min(mean, 0) * Math.sqrt(days)) / deviation[t]!);
  const columns: Record<(typeof VOLATILITY_DIRECTION_FEATURES)[number], Float64Array> = {
    day: less(logs),
    week: less(logOf(trailingMean(variance, 5))),
    fortnight: less(logOf(trailingMean(variance, 10))),
    quarter: logOf(trailingMean(variance, 66)).map((value, t) => month[t]! - value),
    'decay_0.7': less(logOf(ewmaVariance(variance, 0.7))),
    'decay_0.85': less(logOf(ewmaVariance(variance, 0.85))),
    'decay_0.94': less(logOf(ewmaVariance(variance, 0.94))),
    'decay_0.985': less(logOf(ewmaVariance(variance, 0.985))),
    log_week: less(trailingMean(logs, 5)),
    log_month: less(trailingMean(logs, MONTH_DAYS)),
    log_quarter: less(trailingMean(logs, 66)),
    fall_day: fall(1),
    fall_week: fall(5),
    fall_month: fall(MONTH_DAYS),
    size_day: returns.map((r, t) => Math.abs(r) / deviation[t]!),
  };
  const featureCount = VOLATILITY_DIRECTION_FEATURES.length;
  const rowCount = variance.length;
  const values = new Float64Array(rowCount * featureCount);
  VOLATILITY_DIRECTION_FEATURES.forEach((name, j) => {
    columns[name].forEach((value, t) => {
      values[t * featureCount + j] = value;
    });
  });
  return { rowCount, stepCount: 1, featureCount, values };
}
