import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { sortedQuantile } from '../stats/quantile.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { garchWalk, garchWalkAhead } from './garch-walk.ts';
import { BLEND, blendForecasts, geometricMean, harForecast } from './har.ts';
import { modelConfidenceSet } from './model-confidence-set.ts';
import { meanAhead, qlikeLosses } from './qlike.ts';
import { createSortedWindow } from './sorted-window.ts';

export const SERVED_MODELS = [
  'ewma_94',
  'har',
  'log_har_leverage',
  'log_har_smooth',
  'log_har_decay',
  'log_har_blend',
  'garch',
  'gjr_t',
] as const;
export type ServedModel = (typeof SERVED_MODELS)[number];

export const SERVED = {
  har: { windowMax: 1500, windowMin: 500, refitEvery: 21 },
  garch: { windowMax: 1500, windowMin: 500, refitEvery: 252 },
  /** Rows between two confidence sets, known losses before the first, and what they are made with. */
  selectEvery: 63,
  lossesMin: 500,
  alpha: 0.1,
  blockLength: 63,
  resampleCount: 200,
  /** Nominal coverage of the interval, and the past errors it is taken from. */
  coverage: 0.9,
  errorsMin: 100,
  errorsMax: 2000,
} as const;

/** One choice of models, made from what was known at its row. */
export type Selection = {
  row: number;
  /** Rows whose losses were compared. */
  dayCount: number;
  firstRow: number;
  lastRow: number;
  models: { model: ServedModel; meanLoss: number; isMember: boolean; pValue: number }[];
};

export type ServedForecast = {
  horizon: number;
  /** Mean variance expected over t + 1 .. t + horizon, told at t; return² per day of the proxy. */
  forecast: Float64Array;
  low: Float64Array;
  high: Float64Array;
  /** What came: `meanAhead` of the proxy. */
  target: Float64Array;
  baseline: Float64Array;
  losses: Partial<Record<ServedModel, Float64Array>>;
  /** The last choice, or null where the past is too short for one: then EWMA is told. */
  selection: Selection | null;
  /** Row of the first choice; before it EWMA was told. Null without one. */
  firstSelectedRow: number | null;
};

/**
 * Forecasts of a variance proxy for several horizons, the way they are served: every model is walked along the past, the
 * model confidence set of their QLIKE losses is taken anew every `selectEvery` rows, and the geometric mean of its members is
 * told until the next. The interval is the forecast times quantiles of past target / forecast, all known by then.
 *
 * GARCH models forecast the variance of close-to-close returns; they are scaled by the past ratio of the proxy to squared
 * returns. Until there are `lossesMin` losses to compare, EWMA(.94) is told.
 *
 * @param variance Return² per day. @param returns Log return per day of the same rows.
 * @see Samuels and Sekkel 2017, doi:10.1016/j.ijforecast.2016.07.004 (averaging the members of the set)
 */
export function servedForecasts(
  variance: Float64Array,
  returns: Float64Array,
  horizons: readonly number[],
  random: Random,
): ServedForecast[] {
  expect(
    variance.length === returns.length,
    `variance and returns need one length, had ${variance.length} and ${returns.length}`,
  );
  const walks = {
    garch: garchWalk(returns, { model: { leverage: false, distribution: 'normal' }, ...SERVED.garch }),
    gjr_t: garchWalk(returns, { model: { leverage: true, distribution: 'student_t' }, ...SERVED.garch }),
  };
  const scale = pastRatio(variance, returns);
  const ewma = ewmaVariance(variance, 0.94);
  return horizons.map((horizon) => {
    const target = meanAhead(variance, horizon);
    const harOf = (variant: 'har' | (typeof BLEND)[number]) =>
      harForecast(variance, returns, { variant, horizon, window: SERVED.har }).forecast;
    const [leverage, smooth, decay] = BLEND.map(harOf) as [Float64Array, Float64Array, Float64Array];
    const scaled = (name: 'garch' | 'gjr_t') =>
      garchWalkAhead(walks[name], horizon).map((value, t) => value * scale[t]!);
    const forecasts: Record<ServedModel, Float64Array> = {
      ewma_94: ewma,
      har: harOf('har'),
      log_har_leverage: leverage,
      log_har_smooth: smooth,
      log_har_decay: decay,
      log_har_blend: blendForecasts([leverage, smooth, decay], target, horizon),
      garch: scaled('garch'),
      gjr_t: scaled('gjr_t'),
    };
    return serve(horizon, target, forecasts, random.split(`served/${horizon}`));
  });
}

/** Mean of the proxy over mean of squared returns, over all rows up to each; 1 until there are enough. */
function pastRatio(variance: Float64Array, returns: Float64Array): Float64Array {
  let [proxySum, squareSum, count] = [0, 0, 0];
  return variance.map((v, t) => {
    const square = returns[t]! * returns[t]!;
    if (Number.isFinite(v) && Number.isFinite(square)) {
      proxySum += v;
      squareSum += square;
      count++;
    }
    return count >= 250 && squareSum > 0 ? proxySum / squareSum : 1;
  });
}

function serve(
  horizon: number,
  target: Float64Array,
  forecasts: Record<ServedModel, Float64Array>,
  random: Random,
): ServedForecast {
  const n = target.length;
  const losses: Partial<Record<ServedModel, Float64Array>> = {};
  for (const model of SERVED_MODELS) losses[model] = qlikeLosses(target, forecasts[model]);
  const forecast = new Float64Array(n).fill(Number.NaN);
  let selection: Selection | null = null;
  let firstSelectedRow: number | null = null;
  let members: Float64Array = forecasts.ewma_94;
  let sinceSelection: number = SERVED.selectEvery;
  for (let t = 0; t < n; t++) {
    if (sinceSelection >= SERVED.selectEvery) {
      const chosen = select(losses, t - horizon, Math.max(SERVED.blockLength, horizon), random.split(t));
      if (chosen) {
        selection = { ...chosen, row: t };
        firstSelectedRow ??= t;
        const names = chosen.models.filter(({ isMember }) => isMember).map(({ model }) => model);
        members = geometricMean(names.map((name) => forecasts[name]));
        sinceSelection = 0;
      }
    }
    sinceSelection++;
    // A model without a value today must not silence the others: the baseline is told instead.
    forecast[t] = Number.isFinite(members[t]!) ? members[t]! : forecasts.ewma_94[t]!;
  }
  return {
    horizon,
    forecast,
    ...interval(forecast, target, horizon),
    target,
    baseline: forecasts.ewma_94,
    losses,
    selection,
    firstSelectedRow,
  };
}

/** The confidence set of the losses of rows 0 .. last, or null where too few are known. */
function select(
  losses: Partial<Record<ServedModel, Float64Array>>,
  last: number,
  blockLength: number,
  random: Random,
): Omit<Selection, 'row'> | null {
  if (last < SERVED.lossesMin) return null;
  const known = SERVED_MODELS.map((model) => ({ model, values: losses[model]!.subarray(0, last + 1) })).filter(
    ({ values }) => countFinite(values) >= SERVED.lossesMin,
  );
  const columns = known.map(({ values }) => values);
  const set = modelConfidenceSet(columns, {
    ...{ random, alpha: SERVED.alpha, blockLength, resampleCount: SERVED.resampleCount },
  });
  if (!set || set.dayCount < SERVED.lossesMin) return null;
  let firstRow = 0;
  while (columns.some((column) => !Number.isFinite(column[firstRow]!))) firstRow++;
  let lastRow = last;
  while (columns.some((column) => !Number.isFinite(column[lastRow]!))) lastRow--;
  return {
    dayCount: set.dayCount,
    firstRow,
    lastRow,
    models: known.map(({ model }, m) => ({
      model,
      meanLoss: set.meanLoss[m]!,
      isMember: set.isMember[m]!,
      pValue: set.pValue[m]!,
    })),
  };
}

function countFinite(values: Float64Array): number {
  let count = 0;
  for (let t = 0; t < values.length; t++) if (Number.isFinite(values[t]!)) count++;
  return count;
}

/** Quantiles of past target / forecast, widened for the number that do not overlap, times the forecast. */
function interval(
  forecast: Float64Array,
  target: Float64Array,
  horizon: number,
): { low: Float64Array; high: Float64Array } {
  const n = forecast.length;
  const low = new Float64Array(n).fill(Number.NaN);
  const high = new Float64Array(n).fill(Number.NaN);
  const errors = createSortedWindow(SERVED.errorsMax);
  for (let t = 0; t < n; t++) {
    const ratio = t < horizon ? Number.NaN : target[t - horizon]! / forecast[t - horizon]!;
    if (Number.isFinite(ratio)) errors.add(ratio);
    const sorted = errors.values();
    if (sorted.length < SERVED.errorsMin) continue;
    const tail = (1 - SERVED.coverage) / 2;
    // Neighbouring targets share all but one of their days: so many errors are worth only as many as do not overlap.
    const apart = sorted.length / horizon;
    const upper = Math.min(1, ((1 - tail) * (apart + 1)) / apart);
    low[t] = forecast[t]! * sortedQuantile(sorted, 1 - upper);
    high[t] = forecast[t]! * sortedQuantile(sorted, upper);
  }
  return { low, high };
}
