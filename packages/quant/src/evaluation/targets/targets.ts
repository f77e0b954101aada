import { expect } from '../../checks/expect.ts';
import { drawdownTouch } from '../../labels/drawdown-touch.ts';
import { forwardReturn } from '../../labels/forward-return.ts';
import { createLabels, finishLabels, type Labels } from '../../labels/label.ts';
import {
  VOLATILITY_HORIZON_DEFAULT,
  VOLATILITY_WINDOW_DEFAULT,
  volatilityDirection,
} from '../../labels/volatility-direction.ts';
import type { ForecastFeature } from '../../learn/forecaster/forecaster.ts';
import type { Bars } from '../../series/bars.ts';
import { garmanKlassOvernightVariance } from '../../volatility/range-variance.ts';
import type { BaselineRule } from './baselines.ts';
import { type FeatureName, featuresNamed, RETURN_FEATURES, RISK_FEATURES } from './features.ts';
import { VOLATILITY_DIRECTION_FEATURES } from './volatility-direction-features.ts';

export type TargetMetric = 'balanced_accuracy' | 'accuracy' | 'brier' | 'qlike' | 'rank_ic';

/** One question a forecast answers. */
export type Target = {
  name: string;
  title: string;
  definition: string;
  goal: 'binary' | 'regression';
  link: 'identity' | 'exp';
  unit: string;
  horizonDays: number;
  metric: TargetMetric;
  features: readonly ForecastFeature[];
  /** What came of each bar of one asset. With `acrossPanel` it is ranked afterwards among the assets of the day. */
  labels(bars: Bars): Labels;
  acrossPanel: boolean;
  /** What a model has to beat. */
  baselines: readonly BaselineRule[];
  /** Of these, the one that is served when nothing better is left. */
  fallback: string;
  /** Feature that residuals are divided by for the interval, a log variance; null: by nothing. */
  scaleFeature: FeatureName | null;
  /** Whether it keeps silent where it is undecided. */
  abstains: boolean;
  /** What could be earned by it, hypothetical, before it is believed. */
  money: 'none' | 'long_or_cash' | 'top_fifth';
};

const DAYS_A_YEAR = 252;
const RETURN_HORIZON = 5;
const MONTH = 21;
const DEPTH = 0.05;
/** Fewer assets on a day have no rank worth the name. */
export const RANKED_LEAST = 5;

export const TARGETS: readonly Target[] = [
  {
    name: 'volatility_direction',
    title: 'Will it swing more than in the last month?',
    definition:
      '1 if the mean daily variance of the next 5 sessions (Garman-Klass plus the squared opening step) is above that of the last 22, else 0.',
    ...{ goal: 'binary', link: 'identity', unit: 'probability', horizonDays: VOLATILITY_HORIZON_DEFAULT },
    metric: 'balanced_accuracy',
    // The columns of the study that the headline rests on, and those of the simple rules.
    features: [...VOLATILITY_DIRECTION_FEATURES, ...featuresNamed(['variance_week_month', 'variance_ema_month'])],
    labels: (bars) =>
      volatilityDirection(garmanKlassOvernightVariance(bars), VOLATILITY_HORIZON_DEFAULT, VOLATILITY_WINDOW_DEFAULT),
    acrossPanel: false,
    baselines: [
      { name: 'past majority', rule: 'rate' },
      { name: '5-day above 22-day mean', rule: 'sign', feature: 'variance_week_month' },
      { name: 'EWMA above 22-day mean', rule: 'sign', feature: 'variance_ema_month' },
    ],
    ...{ fallback: 'past majority', scaleFeature: null, abstains: true, money: 'none' },
  },
  {
    name: 'forward_volatility',
    title: 'How much will it swing?',
    definition:
      'Square root of 252 times the mean daily variance (Garman-Klass plus the squared opening step) of the next 5 sessions.',
    ...{ goal: 'regression', link: 'exp', unit: 'volatility a year', horizonDays: VOLATILITY_HORIZON_DEFAULT },
    metric: 'qlike',
    features: featuresNamed(RISK_FEATURES),
    labels: (bars) => forwardVolatility(garmanKlassOvernightVariance(bars), VOLATILITY_HORIZON_DEFAULT),
    acrossPanel: false,
    baselines: [
      { name: 'EWMA(.94) of the variance', rule: 'volatility', feature: 'variance_ema_32' },
      { name: 'mean of 22 days', rule: 'volatility', feature: 'variance_month' },
    ],
    ...{ fallback: 'EWMA(.94) of the variance', scaleFeature: null, abstains: false, money: 'none' },
  },
  {
    name: 'drawdown_touch',
    title: 'Will the low fall 5 % below the close within a month?',
    definition: '1 if the low of one of the next 21 sessions is at or below 95 % of the close, else 0.',
    ...{ goal: 'binary', link: 'identity', unit: 'probability', horizonDays: MONTH },
    metric: 'brier',
    features: featuresNamed(RISK_FEATURES),
    labels: (bars) => drawdownTouch(bars, MONTH, DEPTH),
    acrossPanel: false,
    baselines: [
      { name: 'base rate', rule: 'rate' },
      { name: 'EWMA alone', rule: 'logistic', feature: 'variance_ema_32' },
    ],
    ...{ fallback: 'EWMA alone', scaleFeature: null, abstains: false, money: 'none' },
  },
  {
    name: 'return_rank',
    title: 'Which place will it take in its universe?',
    definition:
      'Rank of the return to the close 21 sessions ahead among the assets of the day, (rank − ½) / count: 1 is the best.',
    ...{ goal: 'regression', link: 'identity', unit: 'rank, 0 to 1', horizonDays: MONTH },
    metric: 'rank_ic',
    features: featuresNamed(RETURN_FEATURES),
    labels: (bars) => forwardReturn(bars.close, MONTH),
    acrossPanel: true,
    baselines: [
      { name: 'no order at all', rule: 'constant', value: 0.5 },
      { name: 'momentum of a year without its last month', rule: 'score', feature: 'momentum_12_1' },
    ],
    ...{ fallback: 'no order at all', scaleFeature: null, abstains: true, money: 'top_fifth' },
  },
  {
    name: 'return_direction',
    title: 'Will the close rise?',
    definition: '1 if the close 5 sessions ahead is above the close, else 0.',
    ...{ goal: 'binary', link: 'identity', unit: 'probability', horizonDays: RETURN_HORIZON },
    metric: 'accuracy',
    features: featuresNamed(RETURN_FEATURES),
    labels: (bars) => {
      const { value, labelEnd, uniqueness } = forwardReturn(bars.close, RETURN_HORIZON);
      return { value: value.map((r) => (Number.isNaN(r) ? Number.NaN : r > 0 ? 1 : 0)), labelEnd, uniqueness };
    },
    acrossPanel: false,
    baselines: [
      { name: 'majority class', rule: 'rate' },
      { name: 'momentum of a month', rule: 'sign', feature: 'return_month' },
    ],
    ...{ fallback: 'majority class', scaleFeature: null, abstains: true, money: 'long_or_cash' },
  },
];

/** @throws RangeError for a name nobody has. */
export function targetNamed(name: string): Target {
  const target = TARGETS.find((candidate) => candidate.name === name);
  expect(target !== undefined, `there is no target ${name}`);
  return target;
}

/**
 * Volatility a year of the next `horizon` rows: √(252 · mean variance). NaN where a variance on the way is missing or all are
 * zero; known at row t + horizon.
 */
export function forwardVolatility(variance: Float64Array, horizon: number): Labels {
  const labels = createLabels(variance.length);
  for (let t = 0; t + horizon < variance.length; t++) {
    let sum = 0;
    for (let r = t + 1; r <= t + horizon; r++) sum += variance[r]!;
    labels.labelEnd[t] = t + horizon;
    if (sum > 0) labels.value[t] = Math.sqrt((DAYS_A_YEAR * sum) / horizon);
  }
  return finishLabels(labels);
}
