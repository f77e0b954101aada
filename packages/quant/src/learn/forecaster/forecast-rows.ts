import { expect } from '../../checks/expect.ts';
import { applyScaler } from '../../series/preprocess/scaler.ts';
import { sortedQuantile } from '../../stats/quantile.ts';
import { checkInputs, type Inputs, lastStep } from '../examples.ts';
import type { ForecastBaseline, ForecastCalibration, Forecaster } from './forecaster.ts';

export type ForecastReason = {
  code: 'features_missing' | 'unsure' | 'member_failed';
  sentence: string;
};

export type ForecastRow = {
  /** In the unit of the target; null with a reason in `abstained`. */
  value: number | null;
  lower: number | null;
  upper: number | null;
  /** Share of past forecasts that were less decided, 0..1; null where the target knows no undecided value. */
  confidence: number | null;
  /** Null: it stands by the value. `unsure` comes with a value, the others without. */
  abstained: ForecastReason | null;
  /** What each member said, on the scale of the value but not calibrated; null where it could not tell. */
  members: { name: string; value: number | null; weight: number }[];
  /** What the baseline says; null where its feature is missing. */
  baseline: number | null;
};

export type ForecastContext = {
  /** Share of outcomes the interval should hold; replaces that of the forecaster, for adaptive correction. */
  level?: number;
};

/**
 * Forecasts every row. A row's answer depends on that row alone.
 *
 * @param inputs Features as they are, in the order of `forecaster.features`, `stepCount` days a row, the newest last.
 * @throws RangeError for inputs of another shape.
 */
export function forecastRows(forecaster: Forecaster, inputs: Inputs, context: ForecastContext = {}): ForecastRow[] {
  const { members, features, missingShareMax } = forecaster;
  const told = memberValues(forecaster, inputs);
  const last = lastStep(inputs);
  const width = features.length;
  return Array.from({ length: inputs.rowCount }, (_, row): ForecastRow => {
    const x = last.values.subarray(row * width, (row + 1) * width);
    const own = members.map(({ name, weight }, m) => {
      const value = linked(forecaster, told[m]![row]!);
      return { name, weight, value: Number.isFinite(value) ? value : null };
    });
    const nothing = { value: null, lower: null, upper: null, confidence: null, members: own };
    const baseline = baselineOf(forecaster.baseline, x);
    const missing = features.filter((_, j) => Number.isNaN(x[j]!));
    if (missing.length > missingShareMax * width) {
      const sentence = `${missing.length} of ${width} features are missing, the first is ${missing[0]!.name}.`;
      return { ...nothing, baseline, abstained: { code: 'features_missing', sentence } };
    }
    const mean = members.reduce((sum, { weight }, m) => sum + weight * told[m]![row]!, 0);
    const margin = calibrate(forecaster.calibration, mean);
    const value = linked(forecaster, margin);
    if (!Number.isFinite(value)) {
      const failed = own.filter((member) => member.value === null).map(({ name }) => name);
      const sentence = `No finite value came from ${failed.join(', ') || 'the calibration'}.`;
      return { ...nothing, baseline, abstained: { code: 'member_failed', sentence } };
    }
    const { lower, upper } = intervalOf(forecaster, margin, x, context.level);
    const { confidence, abstained } = sureness(forecaster, value);
    return { value, lower, upper, confidence, abstained, members: own, baseline };
  });
}

/**
 * What the members see: features on the scale of training, pulled in at `clip`, missing ones at their mean (0).
 *
 * @throws RangeError for inputs of another shape.
 */
export function prepareInputs(
  forecaster: Pick<Forecaster, 'features' | 'stepCount' | 'scaler' | 'clip'>,
  inputs: Inputs,
): Inputs {
  checkInputs(inputs);
  const { features, stepCount, scaler, clip } = forecaster;
  expect(
    inputs.featureCount === features.length && inputs.stepCount === stepCount,
    `inputs must have ${stepCount} days of ${features.length} features, had ${inputs.stepCount} of ${inputs.featureCount}`,
  );
  const values = inputs.values.length === 0 ? inputs.values.slice() : applyScaler(scaler, inputs.values);
  for (let k = 0; k < values.length; k++) {
    const x = values[k]!;
    values[k] = Number.isNaN(x) ? 0 : Math.min(clip, Math.max(-clip, x));
  }
  return { ...inputs, values };
}

/** What each member says, in its own space: of logarithms where the forecaster says so. */
export function memberValues(forecaster: Forecaster, inputs: Inputs): Float64Array[] {
  const prepared = prepareInputs(forecaster, inputs);
  const last = lastStep(prepared);
  return forecaster.members.map(({ model }) => model.predict(model.stepCount === 1 ? last : prepared));
}

/** The calibrated value of a weighted mean of members, both in their space. */
export function calibrate(calibration: ForecastCalibration, x: number): number {
  if (calibration.kind === 'none' || Number.isNaN(x)) return x;
  if (calibration.kind === 'shift') return x + calibration.add;
  if (calibration.kind === 'logistic') {
    const margin = calibration.slope * logit(x) + calibration.intercept;
    return 1 / (1 + Math.exp(-margin));
  }
  return interpolate(calibration.x, calibration.y, x);
}

/** Null where the feature it needs is missing. */
export function baselineOf(baseline: ForecastBaseline, features: Float64Array): number | null {
  if (baseline.kind === 'constant') return baseline.value;
  const margin = baseline.intercept + baseline.slope * features[baseline.feature]!;
  if (!Number.isFinite(margin)) return null;
  if (baseline.link === 'exp') return Math.exp(margin);
  return baseline.link === 'logistic' ? 1 / (1 + Math.exp(-margin)) : margin;
}

/** Probabilities this near to 0 or 1 are taken for it: their log odds say no more. */
const ODDS_LEAST = 1e-6;

export function logit(p: number): number {
  const inside = Math.min(1 - ODDS_LEAST, Math.max(ODDS_LEAST, p));
  return Math.log(inside / (1 - inside));
}

function linked({ link }: Forecaster, margin: number): number {
  return link === 'exp' ? Math.exp(margin) : margin;
}

function intervalOf(
  forecaster: Forecaster,
  margin: number,
  x: Float64Array,
  level?: number,
): { lower: number | null; upper: number | null } {
  const { interval } = forecaster;
  if (interval === null) return { lower: null, upper: null };
  if (interval.kind === 'frequency') {
    const band = bandOf(interval.edges, margin);
    return { lower: Math.min(interval.low[band]!, margin), upper: Math.max(interval.high[band]!, margin) };
  }
  const scale = scaleOf(interval, x);
  if (scale === null) return { lower: null, upper: null };
  const outside = (1 - (level ?? interval.level)) / 2;
  const ends = [outside, 1 - outside].map((share) => sortedQuantile(interval.scores, Math.min(1, Math.max(0, share))));
  return { lower: linked(forecaster, margin + scale * ends[0]!), upper: linked(forecaster, margin + scale * ends[1]!) };
}

/** What residuals of a row are divided by; null where its feature is missing. */
export function scaleOf(
  interval: { scaleFeature: number; isLogScale: boolean; scaleLeast: number },
  features: Float64Array,
): number | null {
  if (interval.scaleFeature < 0) return 1;
  const told = features[interval.scaleFeature]!;
  const scale = interval.isLogScale ? Math.exp(told) : told;
  return Number.isFinite(scale) ? Math.max(interval.scaleLeast, scale) : null;
}

/** Number of the band a probability lies in: edges are the inner borders, ascending. */
export function bandOf(edges: Float64Array, p: number): number {
  let band = 0;
  while (band < edges.length && p > edges[band]!) band++;
  return band;
}

/** How far a value is from saying nothing. */
export function distanceOf(goal: Forecaster['goal'], value: number, center: number): number {
  return goal === 'binary' ? Math.abs(logit(value) - logit(center)) : Math.abs(value - center);
}

function sureness(
  { goal, abstention }: Forecaster,
  value: number,
): { confidence: number | null; abstained: ForecastReason | null } {
  if (abstention === null || abstention.distances.length === 0) return { confidence: null, abstained: null };
  const distance = distanceOf(goal, value, abstention.center);
  const confidence = countBelow(abstention.distances, distance) / abstention.distances.length;
  if (confidence >= abstention.share) return { confidence, abstained: null };
  const told = Math.round(100 * confidence);
  const sentence = `More decided than only ${told} % of past forecasts; it speaks from ${Math.round(100 * abstention.share)} % on.`;
  return { confidence, abstained: { code: 'unsure', sentence } };
}

function countBelow(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function interpolate(x: Float64Array, y: Float64Array, at: number): number {
  if (at <= x[0]!) return y[0]!;
  for (let k = 1; k < x.length; k++) {
    if (at > x[k]!) continue;
    const width = x[k]! - x[k - 1]!;
    return width > 0 ? y[k - 1]! + ((y[k]! - y[k - 1]!) * (at - x[k - 1]!)) / width : y[k]!;
  }
  return y[y.length - 1]!;
}
