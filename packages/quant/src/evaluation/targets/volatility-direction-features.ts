import { expect } from '../../checks/expect.ts';
import { compileExpression, type IndicatorCatalogue, type Scope } from '../../expressions/compile-expression.ts';
import type { Inputs } from '../../learn/examples.ts';
import type { DailyPrices } from '../../volatility/range-variance.ts';

/** `garmanKlassOvernightVariance`: Garman-Klass of the session and the squared step from the close before. */
const V = '(0.5 * log(high / low) ^ 2 - 0.3862943611198906 * log(close / open) ^ 2 + log(open / lag(close, 1)) ^ 2)';
/** Far below the variance of a day that traded: keeps the logarithm of a price that never moves. */
const LEAST = '0.0000000001';
const MONTH = `(mean(${V}, 22) + ${LEAST})`;
/** A bar that was repeated has no variance, and says nothing of its day: it counts as a hundredth of its month. */
const LOG = `log(greatest(${V}, 0.01 * mean(${V}, 22)) + ${LEAST})`;

const overMonth = (variance: string) => `log((${variance} + ${LEAST}) / ${MONTH})`;
const meanOfLogs = (days: number) => `mean(${LOG}, ${days}) - log(${MONTH})`;
const fall = (days: number) => `least(log(close / lag(close, ${days})), 0) / sqrt(${days} * ${MONTH})`;

/**
 * What tells whether volatility will rise above the mean of the last 22 days, as expressions of bars: the past of daily
 * variance over several spans, each as its logarithm less that of the 22-day mean, and what the price did, in units of the
 * month's deviation. A model of the product and the study of the headline compute the same columns.
 *
 * - `variance_ratio_day`, `_week` (5), `_fortnight` (10): flat means; `_quarter`: the month against 66 days.
 * - `variance_ratio_ema_n`: exponentially weighted means; decays of .71, .85, .94 and .985.
 * - `variance_ratio_log_week`, `_month`, `_quarter`: means of logarithms, so that one wild day weighs less; that of the month
 *   is the lower the more a few days made it.
 * - `fall_of_day`, `_week`, `_month`: log return where it is negative: volatility follows falls.
 * - `size_of_day`: size of the day's log return.
 *
 * @see Corsi 2009, doi:10.1093/jjfinec/nbp001; Corsi and Renò 2012, doi:10.1080/07350015.2012.663261.
 */
export const VOLATILITY_DIRECTION_FEATURES: readonly { name: string; expression: string }[] = [
  { name: 'variance_ratio_day', expression: `${LOG} - log(${MONTH})` },
  { name: 'variance_ratio_week', expression: overMonth(`mean(${V}, 5)`) },
  { name: 'variance_ratio_fortnight', expression: overMonth(`mean(${V}, 10)`) },
  { name: 'variance_ratio_quarter', expression: `log(${MONTH} / (mean(${V}, 66) + ${LEAST}))` },
  { name: 'variance_ratio_ema_6', expression: overMonth(`ema(${V}, 6)`) },
  { name: 'variance_ratio_ema_12', expression: overMonth(`ema(${V}, 12)`) },
  { name: 'variance_ratio_ema_32', expression: overMonth(`ema(${V}, 32)`) },
  { name: 'variance_ratio_ema_132', expression: overMonth(`ema(${V}, 132)`) },
  { name: 'variance_ratio_log_week', expression: meanOfLogs(5) },
  { name: 'variance_ratio_log_month', expression: meanOfLogs(22) },
  { name: 'variance_ratio_log_quarter', expression: meanOfLogs(66) },
  { name: 'fall_of_day', expression: fall(1) },
  { name: 'fall_of_week', expression: fall(5) },
  { name: 'fall_of_month', expression: fall(22) },
  { name: 'size_of_day', expression: `abs(log(close / lag(close, 1))) / sqrt(${MONTH})` },
];

/** The expressions name columns of bars and functions, no indicator. */
const NO_INDICATORS: IndicatorCatalogue = {
  findOutput: () => undefined,
  make: () => undefined,
  outputNames: [],
  factoryNames: [],
};

/**
 * `VOLATILITY_DIRECTION_FEATURES` of a history of bars. Row t uses rows up to t only. NaN for the first 131 rows and where a
 * price is missing in a span. Time O(T · 66).
 *
 * @returns T rows of one day each.
 */
export function volatilityDirectionFeatures(prices: DailyPrices): Inputs {
  const rowCount = prices.close.length;
  const featureCount = VOLATILITY_DIRECTION_FEATURES.length;
  const values = new Float64Array(rowCount * featureCount);
  const volume = new Float64Array(rowCount).fill(Number.NaN);
  const scope: Scope = { bars: { ...prices, volume }, columns: new Map() };
  VOLATILITY_DIRECTION_FEATURES.forEach(({ name, expression }, j) => {
    const compiled = compileExpression(expression, NO_INDICATORS);
    expect(compiled.ok, `the expression of ${name} does not compile`);
    compiled.expression.evaluate(scope).forEach((value, t) => {
      values[t * featureCount + j] = value;
    });
  });
  return { rowCount, stepCount: 1, featureCount, values };
}
