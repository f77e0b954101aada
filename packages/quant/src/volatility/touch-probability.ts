import { drawdownTouch } from '../labels/drawdown-touch.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { harForecast, VARIANCE_FLOOR } from './har.ts';
import { fitLogistic, logitOf, probabilityOf } from './logistic.ts';
import { type DailyPrices, logReturns } from './range-variance.ts';

export type TouchEvent = {
  /** Sessions ahead that are watched. */
  sessions: number;
  /** Fraction below today's close: .05 for 5 %. */
  fall: number;
};

export type TouchSettings = TouchEvent & {
  /** Columns of the regression, in order after the constant. */
  features: readonly TouchFeature[];
  /** Rows between two fits; 252 is a year. */
  refitEvery?: number;
  /** Fewest labelled rows for a fit. */
  rowsMin?: number;
  ridge?: number;
};

export type TouchForecast = {
  /** P(touch within `sessions`) told at each row, calibrated; NaN before the first fit. */
  probability: Float64Array;
  /** The same before the calibration layer. */
  raw: Float64Array;
  /** Share of touches among the rows whose label was known by then: the expanding base rate. */
  baseRate: Float64Array;
  fitCount: number;
};

export type TouchFeature = 'ewma_volatility' | 'har_week';

export const TOUCH_EVENT: TouchEvent = { sessions: 21, fall: 0.05 };
export const TOUCH_FEATURES: readonly TouchFeature[] = ['ewma_volatility', 'har_week'];
export const TOUCH_FIT = { refitEvery: 252, rowsMin: 1000, ridge: 0.01 } as const;
/** Told forecasts with a known label before the calibration layer may speak. */
const CALIBRATION_ROWS_MIN = 1260;
/** How strongly the calibration is drawn to leaving the forecast as it is. */
const CALIBRATION_RIDGE = 0.05;
const PROBABILITY_MIN = 0.001;
const EWMA_DECAY = 0.94;
const HAR_HORIZON = 5;

/**
 * Calibrated probability that the price touches `fall` below the close within `sessions` days.
 *
 * A ridge logistic regression on volatility features, fitted anew every `refitEvery` rows to all rows whose label was known
 * by then (the last `sessions` rows are left out: purged). A second logistic regression of the labels on the logits that
 * were told in the past, drawn to the identity, calibrates it; it too sees only labels known by then.
 *
 * @param variance Return² per day of the chosen proxy.
 */
export function touchForecast(prices: DailyPrices, variance: Float64Array, settings: TouchSettings): TouchForecast {
  const { sessions } = settings;
  const { refitEvery, rowsMin, ridge } = { ...TOUCH_FIT, ...settings };
  const n = prices.close.length;
  const hasLows = prices.low.some((x) => !Number.isNaN(x));
  const watched = { low: hasLows ? prices.low : prices.close, close: prices.close };
  const labels = drawdownTouch(watched, sessions, settings.fall).value;
  const columns = settings.features.map((feature) => featureColumn(feature, prices.close, variance));
  const k = columns.length + 1;
  const isUsable = (t: number) => columns.every((column) => Number.isFinite(column[t]!));
  const raw = new Float64Array(n).fill(Number.NaN);
  const probability = new Float64Array(n).fill(Number.NaN);
  const baseRate = new Float64Array(n).fill(Number.NaN);
  /** Rows with a known label, in time order, and how many of them touched. */
  const known: number[] = [];
  let [labelCount, touchCount, sinceFit, fitCount] = [0, 0, refitEvery, 0];
  let model: Fitted | null = null;
  let calibration: Float64Array = IDENTITY;
  for (let t = 0; t < n; t++) {
    const labelled = t - sessions;
    if (labelled >= 0 && !Number.isNaN(labels[labelled]!)) {
      labelCount++;
      touchCount += labels[labelled]!;
      if (isUsable(labelled)) known.push(labelled);
    }
    if (labelCount > 0) baseRate[t] = touchCount / labelCount;
    sinceFit++;
    if (sinceFit > refitEvery && known.length >= rowsMin) {
      const fitted = fitModel(known, columns, labels, ridge);
      if (fitted) {
        calibration = calibrate(known, raw, labels);
        model = fitted;
        sinceFit = 1;
        fitCount++;
      }
    }
    if (!model || !isUsable(t)) continue;
    raw[t] = clampProbability(tell(model, columns, t, k));
    probability[t] = clampProbability(probabilityOf(calibration[0]! + calibration[1]! * logitOf(raw[t]!)));
  }
  return { probability, raw, baseRate, fitCount };
}

type Fitted = { center: Float64Array; scale: Float64Array; coefficients: Float64Array };

const IDENTITY = Float64Array.of(0, 1);

/** Scalers come from the training rows only. */
function fitModel(
  known: readonly number[],
  columns: readonly Float64Array[],
  labels: Float64Array,
  ridge: number,
): Fitted | null {
  const k = columns.length + 1;
  const center = new Float64Array(k);
  const scale = new Float64Array(k).fill(1);
  columns.forEach((column, c) => {
    let [sum, squares] = [0, 0];
    for (const t of known) sum += column[t]!;
    center[c + 1] = sum / known.length;
    for (const t of known) squares += (column[t]! - center[c + 1]!) ** 2;
    scale[c + 1] = Math.sqrt(squares / known.length) || 1;
  });
  const x = new Float64Array(known.length * k);
  known.forEach((t, row) => {
    x[row * k] = 1;
    columns.forEach((column, c) => {
      x[row * k + c + 1] = (column[t]! - center[c + 1]!) / scale[c + 1]!;
    });
  });
  const y = Float64Array.from(known, (t) => labels[t]!);
  const coefficients = fitLogistic(y, x, k, ridge);
  return coefficients && { center, scale, coefficients };
}

function tell({ center, scale, coefficients }: Fitted, columns: readonly Float64Array[], t: number, k: number): number {
  let logit = coefficients[0]!;
  for (let c = 1; c < k; c++) logit += (coefficients[c]! * (columns[c - 1]![t]! - center[c]!)) / scale[c]!;
  return probabilityOf(logit);
}

/** From what was told in the past and came to be known; the identity until there is enough of it. */
function calibrate(known: readonly number[], raw: Float64Array, labels: Float64Array): Float64Array {
  const told = known.filter((t) => !Number.isNaN(raw[t]!));
  if (told.length < CALIBRATION_ROWS_MIN) return IDENTITY;
  const x = new Float64Array(told.length * 2);
  told.forEach((t, row) => {
    x[2 * row] = 1;
    x[2 * row + 1] = logitOf(raw[t]!);
  });
  const y = Float64Array.from(told, (t) => labels[t]!);
  return fitLogistic(y, x, 2, CALIBRATION_RIDGE, IDENTITY) ?? IDENTITY;
}

function clampProbability(p: number): number {
  return Math.max(PROBABILITY_MIN, Math.min(1 - PROBABILITY_MIN, p));
}

/** Logarithms of daily volatility: EWMA(.94), or the blended log-HAR forecast for the next week. */
function featureColumn(feature: TouchFeature, close: Float64Array, variance: Float64Array): Float64Array {
  const forecast =
    feature === 'ewma_volatility'
      ? ewmaVariance(variance, EWMA_DECAY)
      : harForecast(variance, logReturns(close), { variant: 'log_har_blend', horizon: HAR_HORIZON }).forecast;
  return forecast.map((v) => 0.5 * Math.log(Math.max(v, VARIANCE_FLOOR)));
}
