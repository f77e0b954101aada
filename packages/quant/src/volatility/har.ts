import { expect } from '../checks/expect.ts';
import { meanAhead, trailingMean } from './qlike.ts';
import { type RollingFit, type RollingFitSettings, rollingFit } from './rolling-fit.ts';

export type HarVariant = 'har' | 'log_har' | 'log_har_leverage' | 'log_har_long';

export type HarSettings = {
  variant: HarVariant;
  /** Days ahead whose mean variance is forecast, >= 1. */
  horizon: number;
  window?: Pick<RollingFitSettings, 'windowMax' | 'windowMin' | 'refitEvery'>;
};

export type HarForecast = {
  /** Return² per day: the mean variance expected over t + 1 .. t + horizon; NaN before the first fit. */
  forecast: Float64Array;
  /** Training rows of the last fit. */
  trainingRows: number;
  coefficients: { name: string; value: number }[] | null;
};

export const HAR_WINDOW: HarWindow = { windowMax: 1500, windowMin: 500, refitEvery: 1 };
type HarWindow = Pick<RollingFitSettings, 'windowMax' | 'windowMin' | 'refitEvery'>;
/** One basis point a day: a day without any movement would have the logarithm −∞. */
export const VARIANCE_FLOOR = 1e-8;
/** A forecast stays within this factor of what was seen in the past: a line fitted to variances can fall below zero. */
const RANGE_FACTOR = 2;

/**
 * Heterogeneous autoregression of daily variance on its mean over a day, a week and a month, fitted directly to the mean
 * over the next `horizon` days, refitted along the way from the past only.
 *
 * - `har`: in levels. Forecasts outside the range of the last window are drawn to its edge.
 * - `log_har`: in logarithms; the bias of the exponential is taken out with the mean of exp(residual) over the training
 *   window (Duan 1983, doi:10.1080/01621459.1983.10478017).
 * - `log_har_leverage`: adds negative log returns over a day, a week and a month, in units of the month's volatility.
 * - `log_har_long`: adds to that the mean over a quarter and the day's absolute return in the same units.
 *
 * @param variance Return² per day, >= 0; missing is NaN.
 * @param returns Log return per day of the same rows; missing is NaN.
 * @throws RangeError if the lengths differ or the horizon is no whole number of at least 1.
 * @see Corsi 2009, doi:10.1093/jjfinec/nbp001; Corsi and Renò 2012, doi:10.1080/07350015.2012.663261
 */
export function harForecast(variance: Float64Array, returns: Float64Array, settings: HarSettings): HarForecast {
  const { variant, horizon } = settings;
  expect(variance.length === returns.length, `variance and returns need one length`);
  const window = settings.window ?? HAR_WINDOW;
  const columns = harColumns(variance, returns, variant);
  const k = columns.length;
  const n = variance.length;
  const x = new Float64Array(n * k);
  for (let c = 0; c < k; c++) for (let t = 0; t < n; t++) x[t * k + c] = columns[c]!.values[t]!;
  const isLog = variant !== 'har';
  const ahead = meanAhead(variance, horizon);
  const y = isLog ? logOf(ahead) : ahead;
  const fit = rollingFit(y, x, k, { delay: horizon, ...window });
  const forecast = isLog ? exponential(fit) : keepInRange(fit.fitted, y, horizon, window.windowMax);
  return {
    forecast,
    trainingRows: fit.rowCount,
    coefficients: fit.coefficients
      ? columns.map(({ name }, c) => ({ name, value: fit.coefficients![c]! }))
      : null,
  };
}

/** Natural logarithm with the floor of one basis point a day. */
export function logOf(variance: Float64Array): Float64Array {
  return variance.map((v) => Math.log(Math.max(v, VARIANCE_FLOOR)));
}

function exponential({ fitted, smear }: RollingFit): Float64Array {
  return fitted.map((value, t) => Math.exp(value) * smear[t]!);
}

function keepInRange(fitted: Float64Array, y: Float64Array, horizon: number, window: number): Float64Array {
  return fitted.map((value, t) => {
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (let s = Math.max(0, t - horizon - window); s <= t - horizon; s++) {
      if (y[s]! < low) low = y[s]!;
      if (y[s]! > high) high = y[s]!;
    }
    if (Number.isNaN(value)) return value;
    return Math.max(low, VARIANCE_FLOOR, Math.min(RANGE_FACTOR * high, value));
  });
}

function harColumns(
  variance: Float64Array,
  returns: Float64Array,
  variant: HarVariant,
): { name: string; values: Float64Array }[] {
  const month = trailingMean(variance, 22);
  const level = (values: Float64Array) => (variant === 'har' ? values : logOf(values));
  const columns = [
    { name: 'constant', values: new Float64Array(variance.length).fill(1) },
    { name: 'day', values: level(variance) },
    { name: 'week', values: level(trailingMean(variance, 5)) },
    { name: 'month', values: level(month) },
  ];
  if (variant === 'har' || variant === 'log_har') return columns;
  const scale = month.map((v) => Math.sqrt(Math.max(v, VARIANCE_FLOOR)));
  for (const [name, days] of [
    ['fall_day', 1],
    ['fall_week', 5],
    ['fall_month', 22],
  ] as const) {
    const mean = days === 1 ? returns : trailingMean(returns, days);
    columns.push({ name, values: mean.map((r, t) => (Math.min(r, 0) * Math.sqrt(days)) / scale[t]!) });
  }
  if (variant === 'log_har_leverage') return columns;
  columns.push({ name: 'quarter', values: level(trailingMean(variance, 66)) });
  columns.push({ name: 'size_day', values: returns.map((r, t) => Math.abs(r) / scale[t]!) });
  return columns;
}
