import type { ModelManifest } from '@touchstone/contracts/model-manifest';
import { CHECKLIST } from '@touchstone/contracts/models';
import { type FeatureName, featuresNamed, RISK_FEATURES } from '@touchstone/quant/evaluation/targets/features';
import { lastStep } from '@touchstone/quant/learn/examples';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { saveForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { findLearner } from '@touchstone/quant/learn/learners';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import { applyScaler, fitScaler } from '@touchstone/quant/series/preprocess/scaler';
import type { Registry } from '../../src/models/registry/registry.types.ts';
import type { Database, Principal, Transaction } from '../../src/platform/database/database.ts';
import type { TestBar } from '../facts.ts';

/** Small models that really predict, for tests and benches of serving. What they learnt is made up. */

const FEATURES: readonly FeatureName[] = [
  'variance_day',
  'variance_week',
  'variance_month',
  'variance_week_month',
  'return_week',
  'rsi_14',
];
/** About where each feature lies on prices of test bars. */
const USUAL: readonly [center: number, spread: number][] = [
  [-9, 1.2],
  [-8.8, 0.7],
  [-8.7, 0.4],
  [-0.1, 0.5],
  [0, 2],
  [50, 12],
];
const ROWS = 300;

export type ModelOptions = {
  target?: 'forward_volatility' | 'volatility_direction';
  seed?: number;
  stepCount?: number;
  /** Share of past forecasts below which it keeps silent; null: it never does. */
  silentShare?: number | null;
  trainedUntil?: string;
  missingShareMax?: number;
};

export function makeForecaster(options: ModelOptions = {}): Forecaster {
  const { target = 'forward_volatility', seed = 1, stepCount = 1, silentShare = null, missingShareMax = 0.3 } = options;
  const isDirection = target === 'volatility_direction';
  const random = createRandom(seed).split('served model');
  const width = FEATURES.length;
  const raw = Float64Array.from({ length: ROWS * width }, (_, cell) => {
    const [center, spread] = USUAL[cell % width]!;
    return center + spread * random.normal();
  });
  const scaler = fitScaler('standard', raw, width);
  const inputs = { rowCount: ROWS, stepCount: 1, featureCount: width, values: applyScaler(scaler, raw) };
  const signal = (row: number) => inputs.values[row * width + 1]! - 0.6 * inputs.values[row * width + 3]!;
  const outcome = Float64Array.from({ length: ROWS }, (_, row) => {
    const told = 0.4 * signal(row) + 0.2 * random.normal();
    return isDirection ? Number(told > 0) : Math.log(0.2) + 0.25 * told;
  });
  const examples = { inputs, target: outcome, weight: null, group: null };
  const fit = (learner: string, penalty: number) =>
    findLearner(learner)!.fit(examples, isDirection ? 'binary' : 'regression', { penalty }, seed);
  const learner = isDirection ? 'logistic' : 'ridge';
  return {
    ...{ target, horizonDays: 5, goal: isDirection ? 'binary' : 'regression', link: isDirection ? 'identity' : 'exp' },
    ...{ features: featuresNamed(FEATURES), stepCount, scaler, clip: 5, missingShareMax },
    members: [
      { name: learner, weight: 0.7, model: fit(learner, 1) },
      { name: `${learner}_tight`, weight: 0.3, model: fit(learner, 50) },
    ],
    calibration: isDirection ? { kind: 'logistic', slope: 0.9, intercept: 0.01 } : { kind: 'shift', add: 0.01 },
    interval: isDirection
      ? null
      : {
          ...{ kind: 'residual', level: 0.9, scaleFeature: -1, isLogScale: false, scaleLeast: 0 },
          scores: Float64Array.from({ length: 201 }, (_, k) => (k - 100) / 150),
        },
    abstention:
      silentShare === null
        ? null
        : {
            ...{ center: isDirection ? 0.5 : 0.2, share: silentShare },
            distances: Float64Array.from({ length: 100 }, (_, k) => k / 10),
          },
    baseline: isDirection
      ? { name: 'past majority', kind: 'constant', value: 0.45 }
      : { name: 'mean of 22 days', kind: 'feature', feature: 2, slope: 0.5, intercept: 2.7, link: 'exp' },
    trainedUntil: dayNumber(options.trainedUntil ?? '2019-12-31'),
  };
}

const HASH = 'a'.repeat(64);

export function manifestOf(forecaster: Forecaster, change: Partial<ModelManifest> = {}): ModelManifest {
  const isDirection = forecaster.goal === 'binary';
  return {
    ...{ format: 'forecaster', target: isDirection ? 'volatility_direction' : 'forward_volatility' },
    ...{ horizonDays: forecaster.horizonDays, unit: isDirection ? 'probability' : 'volatility a year' },
    ...{ universeId: null, features: forecaster.features.map(({ name }) => name), stepCount: forecaster.stepCount },
    members: forecaster.members.map(({ name, weight }) => ({ learner: name, weight, settings: {}, skill: null })),
    ...{ datasetSha256: HASH, featureSha256: 'b'.repeat(64), configSha256: 'c'.repeat(64) },
    ...{ codeVersion: 'test', seed: 1, firstDay: '2010-01-04', trainedUntil: '2019-12-31', expiresAfterDays: 4000 },
    ...{ skill: null, verdict: { passed: true, sentence: 'Made up for a test.' } },
    ...{ costSeconds: 1, costJoules: null, limits: ['It was made up.'] },
    ...change,
  };
}

/** Registers a version; the bytes may be others than those of the forecaster. */
export async function registerModel(
  tx: Transaction,
  registry: Registry,
  name: string,
  forecaster: Forecaster,
  { manifest, artefact }: { manifest?: Partial<ModelManifest>; artefact?: Uint8Array } = {},
) {
  return registry.registerVersion(tx, {
    ...{ model: name, runId: null, manifest: manifestOf(forecaster, manifest) },
    artefact: artefact ?? saveForecaster(forecaster),
  });
}

export const SIGNED = CHECKLIST.map((item) => ({ item, signed: true, note: '' }));

export async function promote(
  database: Database,
  principal: Principal,
  registry: Registry,
  change: { model: string; version: number; expected: number | null },
): Promise<void> {
  await database.transaction(principal, (tx) =>
    registry.promote(tx, { scopes: ['model:promote'] }, { ...change, reason: 'For a test.', checklist: SIGNED }),
  );
}

/** A random walk with days that differ in how wild they are. */
export function walk(instrumentId: number, days: readonly string[], seed: number): TestBar[] {
  const random = createRandom(seed).split('walk');
  let close = 100;
  let logVolatility = 0;
  return days.map((day) => {
    logVolatility = 0.97 * logVolatility + 0.15 * random.normal();
    const daily = 0.011 * Math.exp(logVolatility);
    const open = close * Math.exp(0.3 * daily * random.normal());
    close = open * Math.exp(daily * random.normal());
    const high = Math.max(open, close) * Math.exp(0.4 * daily * Math.abs(random.normal()));
    const low = Math.min(open, close) * Math.exp(-0.4 * daily * Math.abs(random.normal()));
    return { instrumentId, day, open, high, low, close };
  });
}

const WINDOW = 20;
const ENSEMBLE_ROWS = 400;

/** Logistic regression, boosted trees and an LSTM over the features of risk, as training would put them together. */
export function makeEnsemble(seed = 1): Forecaster {
  const random = createRandom(seed).split('served ensemble');
  const features = featuresNamed(RISK_FEATURES);
  const width = features.length;
  const size = ENSEMBLE_ROWS * WINDOW * width;
  const raw = Float64Array.from({ length: size }, () => random.normal());
  const scaler = fitScaler('standard', raw, width);
  const inputs = { rowCount: ENSEMBLE_ROWS, stepCount: WINDOW, featureCount: width, values: applyScaler(scaler, raw) };
  const target = Float64Array.from({ length: ENSEMBLE_ROWS }, (_, row) => {
    const last = ((row + 1) * WINDOW - 1) * width;
    return Number(inputs.values[last]! - inputs.values[last + 8]! + 0.5 * random.normal() > 0);
  });
  const table = { inputs: lastStep(inputs), target, weight: null, group: null };
  const windows = { inputs, target, weight: null, group: null };
  const fit = (learner: string, examples: typeof table, settings: object) =>
    findLearner(learner)!.fit(examples, 'binary', { ...findLearner(learner)!.defaults, ...settings }, seed);
  return {
    ...{ target: 'volatility_direction', horizonDays: 5, goal: 'binary', link: 'identity', stepCount: WINDOW },
    ...{ features, scaler, clip: 5, missingShareMax: 0.3 },
    members: [
      { name: 'logistic', weight: 0.3, model: fit('logistic', table, {}) },
      {
        ...{ name: 'gradient_boosted_trees', weight: 0.4 },
        model: fit('gradient_boosted_trees', table, { treeCount: 200, maxDepth: 3 }),
      },
      { name: 'lstm', weight: 0.3, model: fit('lstm', windows, { hidden: 32, epochs: 1 }) },
    ],
    calibration: { kind: 'logistic', slope: 0.9, intercept: 0.01 },
    interval: null,
    abstention: { center: 0.5, share: 0.24, distances: Float64Array.from({ length: 100 }, (_, k) => k / 50) },
    baseline: { name: 'past majority', kind: 'constant', value: 0.45 },
    trainedUntil: dayNumber('2019-12-31'),
  };
}
