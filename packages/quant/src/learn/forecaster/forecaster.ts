import type { FittedScaler } from '../../series/preprocess/scaler.ts';
import type { FittedModel } from '../learner.ts';

/** One input: its name for people, and the expression it is computed by. */
export type ForecastFeature = { name: string; expression: string };

/** One fitted model of a forecaster and its share of the forecast. */
export type ForecastMember = {
  /** Family, as `gradient_boosted_trees`; each once. */
  name: string;
  /** >= 0; the weights of all members add up to 1. */
  weight: number;
  model: FittedModel;
};

/**
 * From the weighted mean of the members, in their own space, to one that means what it says.
 * `steps`: straight lines between the points (isotonic). `logistic`: 1 / (1 + exp(−(slope · logit p + intercept))) (Platt).
 * `shift`: adds a constant.
 */
export type ForecastCalibration =
  | { kind: 'none' }
  | { kind: 'steps'; x: Float64Array; y: Float64Array }
  | { kind: 'logistic'; slope: number; intercept: number }
  | { kind: 'shift'; add: number };

/**
 * How far outcomes lay from forecasts of days the members had not seen.
 * `residual`: quantiles of (outcome − forecast) / scale in the space of the members, scale being a feature or 1.
 * `frequency`: for bands of forecast probability, between which shares the event came.
 */
export type ForecastInterval =
  | {
      kind: 'residual';
      /** Nominal share of outcomes inside. */
      level: number;
      /** Ascending scores; any level can be asked of them. */
      scores: Float64Array;
      /** Position among the features of what residuals are divided by; −1: by 1. Its exponential where `isLogScale`. */
      scaleFeature: number;
      isLogScale: boolean;
      /** A smaller scale counts as this. */
      scaleLeast: number;
    }
  | { kind: 'frequency'; level: number; edges: Float64Array; low: Float64Array; high: Float64Array };

/** When it says that it does not know. */
export type Abstention = {
  /** The undecided value: a forecast here says nothing. */
  center: number;
  /** Distances of past forecasts from the center (of probabilities: of their log odds), ascending. */
  distances: Float64Array;
  /** Share of past distances below which it abstains. */
  share: number;
};

/** What it is held against, and what is served when nothing better is left. */
export type ForecastBaseline =
  | { name: string; kind: 'constant'; value: number }
  /** link(intercept + slope · feature), the feature as it is, not scaled. */
  | {
      name: string;
      kind: 'feature';
      feature: number;
      slope: number;
      intercept: number;
      link: 'identity' | 'logistic' | 'exp';
    };

/**
 * All that is needed to make a forecast from features: what was learnt, on what scale, how sure it may say it is, and when it
 * has to keep silent. Nothing of it changes after it was made.
 */
export type Forecaster = {
  /** `volatility_direction`, … */
  target: string;
  /** Trading days until the outcome is known. */
  horizonDays: number;
  /** binary: the value is the probability of 1. */
  goal: 'binary' | 'regression';
  /** exp: members work on logarithms, values are told without. */
  link: 'identity' | 'exp';
  features: readonly ForecastFeature[];
  /** Days of features a row of inputs holds: the most a member reads. */
  stepCount: number;
  /** Fitted on the rows the members learnt from. */
  scaler: FittedScaler;
  /** Scaled values beyond this, either side, are pulled in. */
  clip: number;
  /** Share of the last day's features that may be missing; they count as their mean in training. */
  missingShareMax: number;
  members: readonly ForecastMember[];
  calibration: ForecastCalibration;
  interval: ForecastInterval | null;
  abstention: Abstention | null;
  baseline: ForecastBaseline;
  /** Day number of the last outcome it has seen. */
  trainedUntil: number;
};
