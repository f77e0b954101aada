import { expect } from '../../checks/expect.ts';
import { fitPlatt } from '../../learn/calibration/platt.ts';
import { baselineOf } from '../../learn/forecaster/forecast-rows.ts';
import type { ForecastBaseline, ForecastFeature } from '../../learn/forecaster/forecaster.ts';
import type { FeatureName } from './features.ts';

/**
 * A simple rule that a model has to beat.
 * `rate`: the mean of past outcomes. `sign`: yes where the feature is above 0. `logistic`: logistic regression on one feature.
 * `volatility`: the square root of a log variance, a year, times what made it right in the past. `score`: the feature itself.
 */
export type BaselineRule = { name: string } & (
  | { rule: 'rate' }
  | { rule: 'constant'; value: number }
  | { rule: 'sign' | 'logistic' | 'volatility' | 'score'; feature: FeatureName }
);

/** Steep enough that a rule of signs is never undecided. */
const STEEP = 1e6;
const HALF_LOG_YEAR = 0.5 * Math.log(252);

/**
 * Fits a rule to past rows.
 *
 * @param values Row-major rows × features, as they are. @param outcome One a row, none missing.
 * @throws RangeError for no rows, or a feature the target does not have.
 */
export function fitBaseline(
  rule: BaselineRule,
  features: readonly ForecastFeature[],
  values: Float64Array,
  outcome: Float64Array,
): ForecastBaseline {
  const { name } = rule;
  if (rule.rule === 'constant') return { name, kind: 'constant', value: rule.value };
  expect(outcome.length >= 1, `${name} needs a past outcome`);
  if (rule.rule === 'rate')
    return { name, kind: 'constant', value: outcome.reduce((sum, y) => sum + y, 0) / outcome.length };
  const feature = features.findIndex((candidate) => candidate.name === rule.feature);
  expect(feature >= 0, `${name} needs the feature ${rule.feature}`);
  const about = { name, kind: 'feature', feature } as const;
  if (rule.rule === 'score') return { ...about, slope: 1, intercept: 0, link: 'identity' };
  if (rule.rule === 'sign') return { ...about, slope: STEEP, intercept: 0, link: 'logistic' };
  const column = outcome.map((_, row) => values[row * features.length + feature]!);
  const known = Int32Array.from(outcome.keys()).filter((row) => Number.isFinite(column[row]!));
  const x = Float64Array.from(known, (row) => column[row]!);
  const y = Float64Array.from(known, (row) => outcome[row]!);
  expect(known.length >= 1, `${name} needs a past value of ${rule.feature}`);
  if (rule.rule === 'logistic') {
    const { slope, intercept } = fitPlatt(x, y);
    return { ...about, slope, intercept, link: 'logistic' };
  }
  const plain = { ...about, slope: 0.5, intercept: HALF_LOG_YEAR, link: 'exp' } as const;
  // The multiple that minimises QLIKE: mean of outcome² / forecast².
  let sum = 0;
  for (let row = 0; row < x.length; row++) {
    const forecast = Math.exp(plain.intercept + plain.slope * x[row]!);
    sum += (y[row]! / forecast) ** 2;
  }
  return { ...plain, intercept: plain.intercept + 0.5 * Math.log(sum / x.length) };
}

/** What a baseline says of each row; NaN where its feature is missing. */
export function baselineForecasts(baseline: ForecastBaseline, values: Float64Array, width: number): Float64Array {
  return Float64Array.from(
    { length: values.length / width },
    (_, row) => baselineOf(baseline, values.subarray(row * width, (row + 1) * width)) ?? Number.NaN,
  );
}
