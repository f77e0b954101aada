import { expect } from '../checks/expect.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { meanAhead, trailingMean } from './qlike.ts';
import { type RollingFit, type RollingFitSettings, rollingFit } from './rolling-fit.ts';

export type HarVariant = 'har' | 'log_har' | 'log_har_leverage' | 'log_har_smooth' | 'log_har_decay' | 'log_har_blend';

export type HarSettings = {
  variant: HarVariant;
  /** Days ahead whose mean variance is forecast, >= 1. */
  horizon: number;
  /** Absent: `HAR_WINDOW`. */
  window?: HarWindow;
};

export type HarForecast = {
  /** Return² per day: the mean variance expected over t + 1 .. t + horizon; NaN before the first fit. */
  forecast: Float64Array;
  /** Training rows of the last fit. */
  trainingRows: number;
  coefficients: { name: string; value: number }[] | null;
};

type HarWindow = Pick<RollingFitSettings, 'windowMax' | 'windowMin' | 'refitEvery'>;
/** Grows to 1,500 days and is fitted again every week. */
export const HAR_WINDOW: HarWindow = { windowMax: 1500, windowMin: 500, refitEvery: 5 };
/** One basis point a day: a day without any movement would have the logarithm −∞. */
export const VARIANCE_FLOOR = 1e-8;
/** A bar that was repeated says nothing of its day: no day counts for less than a hundredth of the year before it. */
const QUIET_SHARE = 0.01;
const QUIET_DAYS = 250;
/** A line fitted to variances can fall below zero or far above: it is kept between a tenth of the past mean … */
const LEAST_SHARE = 0.1;
/** … and twice the past maximum. */
const RANGE_FACTOR = 2;

/**
 * Heterogeneous autoregression of daily variance on its mean over a day, a week and a month, fitted directly to the mean
 * over the next `horizon` days, refitted along the way from the past only.
 *
 * - `har`: in levels. Kept between a tenth of the window's mean and twice its maximum.
 * - `log_har`: in logarithms; the bias of the exponential is taken out with the mean of exp(residual) over the training
 *   window (Duan 1983, doi:10.1080/01621459.1983.10478017).
 * - `log_har_leverage`: adds negative log returns over a day, a week and a month, in units of the month's volatility.
 * - `log_har_smooth`: means of logarithms instead of logarithms of means over a week, a month and a quarter, so that one
 *   wild day weighs less; leverage and the day's absolute return as above.
 * - `log_har_decay`: exponentially weighted means (.70, .85, .94, .985) instead of flat ones; leverage and size as above.
 * - `log_har_blend`: geometric mean of the last three, drawn half way to what the past year's errors ask for: it is
 *   multiplied with the square root of the mean of target / forecast over the last `DRIFT_DAYS` days known.
 *
 * @param variance Return² per day, >= 0; missing is NaN.
 * @param returns Log return per day of the same rows; missing is NaN.
 * @throws RangeError if the lengths differ or the horizon is no whole number of at least 1.
 * @see Corsi 2009, doi:10.1093/jjfinec/nbp001; Corsi and Renò 2012, doi:10.1080/07350015.2012.663261
 */
export function harForecast(variance: Float64Array, returns: Float64Array, settings: HarSettings): HarForecast {
  const { variant, horizon } = settings;
  const window = settings.window ?? HAR_WINDOW;
  expect(
    variance.length === returns.length,
    `variance and returns need one length, had ${variance.length} and ${returns.length}`,
  );
  const told = variant === 'har' ? variance : withoutSilence(variance);
  const target = meanAhead(told, horizon);
  if (variant !== 'log_har_blend') return fitVariant(told, returns, target, variant, horizon, window);
  const parts = BLEND.map((part) => fitVariant(told, returns, target, part, horizon, window));
  return {
    forecast: blendForecasts(
      parts.map(({ forecast }) => forecast),
      target,
      horizon,
    ),
    trainingRows: Math.min(...parts.map(({ trainingRows }) => trainingRows)),
    coefficients: null,
  };
}

/**
 * `log_har_blend` from forecasts that are there already.
 *
 * @param parts Of the variants in `BLEND`, same horizon and rows. @param target `meanAhead` of the variance.
 */
export function blendForecasts(parts: readonly Float64Array[], target: Float64Array, horizon: number): Float64Array {
  return drawToPastErrors(geometricMean(parts), target, horizon);
}

/**
 * Variances no smaller than a hundredth of their mean over the year before. A stale price has none, and its logarithm would
 * outweigh every other day of a fit.
 */
function withoutSilence(variance: Float64Array): Float64Array {
  let sum = 0;
  let count = 0;
  return variance.map((value, t) => {
    const floor = count === 0 ? 0 : (QUIET_SHARE * sum) / count;
    const leaving = t >= QUIET_DAYS ? variance[t - QUIET_DAYS]! : Number.NaN;
    if (!Number.isNaN(leaving)) {
      sum -= leaving;
      count--;
    }
    if (!Number.isNaN(value)) {
      sum += value;
      count++;
    }
    return Math.max(value, floor);
  });
}

/** Row by row; NaN where one is missing. */
export function geometricMean(parts: readonly Float64Array[]): Float64Array {
  return parts[0]!.map((_, t) => Math.exp(parts.reduce((sum, part) => sum + Math.log(part[t]!), 0) / parts.length));
}

export const BLEND = ['log_har_leverage', 'log_har_smooth', 'log_har_decay'] as const;

function fitVariant(
  variance: Float64Array,
  returns: Float64Array,
  target: Float64Array,
  variant: Exclude<HarVariant, 'log_har_blend'>,
  horizon: number,
  window: HarWindow,
): HarForecast {
  const columns = harColumns(variance, returns, variant);
  const k = columns.length;
  const n = variance.length;
  const x = new Float64Array(n * k);
  for (let c = 0; c < k; c++) for (let t = 0; t < n; t++) x[t * k + c] = columns[c]!.values[t]!;
  const isLog = variant !== 'har';
  const fit = rollingFit(isLog ? logOf(target) : target, x, k, { delay: horizon, ...window });
  return {
    forecast: isLog ? exponential(fit) : keepInRange(fit.fitted, target, horizon, window.windowMax),
    trainingRows: fit.rowCount,
    coefficients: fit.coefficients ? columns.map(({ name }, c) => ({ name, value: fit.coefficients![c]! })) : null,
  };
}

/** Days of errors, known by then, that the blend is corrected with, and the fewest it takes to correct at all. */
export const DRIFT_DAYS = 250;
const DRIFT_DAYS_MIN = 60;

/**
 * The level of volatility drifts over years, and a fit to six of them follows late. Half the correction (the square root of
 * the mean ratio) follows without chasing one crash.
 */
function drawToPastErrors(forecast: Float64Array, target: Float64Array, horizon: number): Float64Array {
  return forecast.map((value, t) => {
    let sum = 0;
    let count = 0;
    for (let s = Math.max(0, t - horizon - DRIFT_DAYS + 1); s <= t - horizon; s++) {
      const ratio = target[s]! / forecast[s]!;
      if (ratio > 0) {
        sum += ratio;
        count++;
      }
    }
    return count < DRIFT_DAYS_MIN ? value : value * Math.sqrt(sum / count);
  });
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
    if (Number.isNaN(value)) return value;
    let [sum, count, high] = [0, 0, 0];
    for (let s = Math.max(0, t - horizon - window); s <= t - horizon; s++) {
      if (Number.isNaN(y[s]!)) continue;
      sum += y[s]!;
      count++;
      if (y[s]! > high) high = y[s]!;
    }
    return Math.max(VARIANCE_FLOOR, (LEAST_SHARE * sum) / count, Math.min(RANGE_FACTOR * high, value));
  });
}

type Column = { name: string; values: Float64Array };

function harColumns(
  variance: Float64Array,
  returns: Float64Array,
  variant: Exclude<HarVariant, 'log_har_blend'>,
): Column[] {
  const month = trailingMean(variance, 22);
  const columns = [
    { name: 'constant', values: new Float64Array(variance.length).fill(1) },
    ...levels(variance, variant),
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
  if (variant !== 'log_har_leverage')
    columns.push({ name: 'size_day', values: returns.map((r, t) => Math.abs(r) / scale[t]!) });
  return columns;
}

const SPANS = [
  ['week', 5],
  ['month', 22],
  ['quarter', 66],
] as const;

/** Today's variance and its past over longer spans, in the variant's own way of averaging. */
function levels(variance: Float64Array, variant: Exclude<HarVariant, 'log_har_blend'>): Column[] {
  if (variant === 'har') return [{ name: 'day', values: variance }, ...flat(variance, 2)];
  const day = { name: 'day', values: logOf(variance) };
  if (variant === 'log_har_smooth') return [day, ...flat(day.values, 3)];
  if (variant === 'log_har_decay') {
    const decays = [0.7, 0.85, 0.94, 0.985];
    return [day, ...decays.map((d) => ({ name: `decay_${d}`, values: logOf(ewmaVariance(variance, d)) }))];
  }
  return [day, ...flat(variance, 2).map(({ name, values }) => ({ name, values: logOf(values) }))];
}

function flat(values: Float64Array, count: number): Column[] {
  return SPANS.slice(0, count).map(([name, days]) => ({ name, values: trailingMean(values, days) }));
}
