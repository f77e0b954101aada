import type { ForecastFeature } from '../../learn/forecaster/forecaster.ts';
import { VOLATILITY_DIRECTION_FEATURES } from './volatility-direction-features.ts';

// Garman-Klass variance of the session plus the squared step from the close before: `garmanKlassOvernightVariance`.
const V = '(0.5 * log(high / low) ^ 2 - 0.3862943611198906 * log(close / open) ^ 2 + log(open / lag(close, 1)) ^ 2)';
/** Log return of the day. */
const R = 'log(close / lag(close, 1))';
/** Far below the variance of any day that traded; keeps the logarithm of a day without a move. */
const LEAST = '0.0000000001';

const logMean = (days: number) => `log(mean(${V}, ${days}) + ${LEAST})`;
const logEma = (span: number) => `log(ema(${V}, ${span}) + ${LEAST})`;
const roll = (days: number) => `log(close / lag(close, ${days}))`;
const perVolatility = (x: string) => `${x} / sqrt(mean(${V}, 22) + ${LEAST})`;

/** How much it moves, over spans from a day to a year, and how these stand to each other. Logarithms of variances a day. */
const VARIANCE = {
  variance_day: `log(${V} + ${LEAST})`,
  variance_week: logMean(5),
  variance_month: logMean(22),
  variance_quarter: logMean(66),
  variance_year: logMean(252),
  variance_ema_6: logEma(6),
  variance_ema_32: logEma(32),
  variance_day_month: `log(${V} + ${LEAST}) - ${logMean(22)}`,
  variance_week_month: `${logMean(5)} - ${logMean(22)}`,
  variance_ema_month: `${logEma(6)} - ${logMean(22)}`,
  variance_month_quarter: `${logMean(22)} - ${logMean(66)}`,
  variance_month_year: `${logMean(22)} - ${logMean(252)}`,
  variance_week_before: `log(lag(mean(${V}, 5), 5) + ${LEAST}) - ${logMean(22)}`,
  variance_peak_month: `log(max(${V}, 22) + ${LEAST}) - ${logMean(22)}`,
  variance_peak_week: `log(max(${V}, 5) + ${LEAST}) - ${logMean(22)}`,
  variance_leaving: `log(lag(mean(${V}, 5), 17) + ${LEAST}) - ${logMean(22)}`,
  variance_of_variance: `std(log(${V} + ${LEAST}), 22)`,
  downside_week: `mean(${R} ^ 2 * (${R} < 0), 5) / (mean(${V}, 22) + ${LEAST})`,
  downside_month: `mean(${R} ^ 2 * (${R} < 0), 22) / (mean(${R} ^ 2, 22) + ${LEAST})`,
  night_month: `mean(log(open / lag(close, 1)) ^ 2, 22) / (mean(${V}, 22) + ${LEAST})`,
} as const;

/** Where it went, in units of its own volatility where the span is short. */
const MOVES = {
  return_day: perVolatility(R),
  return_week: perVolatility(roll(5)),
  return_month: perVolatility(roll(21)),
  fall_day: `least(${perVolatility(R)}, 0)`,
  return_quarter: roll(63),
  return_half_year: roll(126),
  return_year: roll(252),
  momentum_12_1: 'log(lag(close, 21) / lag(close, 252))',
  drawdown_year: 'log(close / max(close, 252))',
  drawdown_quarter: 'log(close / max(close, 63))',
  above_low_quarter: 'log(close / min(close, 63))',
} as const;

/** The usual indicators without a scale of prices. */
const INDICATORS = {
  rsi_2: 'rsi_2',
  rsi_14: 'rsi_14',
  adx_14: 'adx_14',
  cci_14: 'cci_14',
  place_in_bands: 'bollinger_place_20_2_percent_b',
  width_of_bands: 'log(bollinger_place_20_2_width + 0.000001)',
  efficiency_10: 'efficiency_10',
  choppiness_14: 'choppiness_14',
  zscore_20: 'zscore_20',
  skewness_63: 'return_moments_63_skewness',
  autocorrelation_63: 'autocorrelation_63',
  above_mean_50: 'log(close / mean(close, 50))',
  above_mean_200: 'log(close / mean(close, 200))',
} as const;

const VOLUME = {
  volume_week_quarter: 'log((mean(volume, 5) + 1) / (mean(volume, 63) + 1))',
  volume_day_month: 'log((volume + 1) / (mean(volume, 22) + 1))',
} as const;

const ALL = { ...VARIANCE, ...MOVES, ...INDICATORS, ...VOLUME };
export type FeatureName = keyof typeof ALL;

/** Every feature of the targets: what the built-in view `forecast` holds. */
export const FORECAST_FEATURES: readonly ForecastFeature[] = [
  ...Object.entries(ALL).map(([name, expression]) => ({ name, expression })),
  ...VOLATILITY_DIRECTION_FEATURES,
];

export const RISK_FEATURES: readonly FeatureName[] = [
  ...keysOf(VARIANCE),
  ...(['return_day', 'return_week', 'return_month', 'fall_day', 'drawdown_quarter', 'drawdown_year'] as const),
  ...(['width_of_bands', 'choppiness_14', 'volume_week_quarter', 'volume_day_month'] as const),
];

export const RETURN_FEATURES: readonly FeatureName[] = [
  ...(['variance_month', 'variance_year', 'variance_week_month', 'variance_month_year', 'downside_month'] as const),
  ...keysOf(MOVES),
  ...keysOf(INDICATORS),
  ...keysOf(VOLUME),
];

/** In the order given. */
export function featuresNamed(names: readonly FeatureName[]): ForecastFeature[] {
  return names.map((name) => ({ name, expression: ALL[name] }));
}

function keysOf<T extends object>(value: T): (keyof T & string)[] {
  // Object.keys tells less than the type of a constant does.
  return Object.keys(value) as (keyof T & string)[];
}
