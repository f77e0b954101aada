import { createHash } from 'node:crypto';
import type { ModelManifest } from '@touchstone/contracts/model-manifest';
import { CHECKLIST, type Checklist } from '@touchstone/contracts/models';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** A manifest of a version that passed the gate; what a test needs otherwise it says. */
export function testManifest(change: Partial<ModelManifest> = {}): ModelManifest {
  return {
    ...{ format: 'forecaster', target: 'volatility_direction', horizonDays: 5, unit: 'probability', universeId: 1 },
    ...{ features: ['natr_14', 'roc_21'], stepCount: 1 },
    members: [{ learner: 'logistic', weight: 1, settings: { ridge: 1 }, skill: null }],
    ...{ datasetSha256: hash('dataset'), featureSha256: hash('features'), configSha256: hash('config') },
    ...{ codeVersion: 'test', seed: 1, firstDay: '2019-01-02', trainedUntil: '2022-12-30', expiresAfterDays: 120 },
    skill: {
      ...{ metric: 'balanced_accuracy', higherIsBetter: true, value: 0.67, low: 0.64, high: 0.7 },
      ...{ firstDay: '2020-01-02', lastDay: '2022-12-30', sampleCount: 756, trialCount: 3 },
      costs: 'none: a forecast of risk, no trade',
      baselines: [{ name: '5-day above 22-day mean', value: 0.63, difference: 0.04, low: 0.02, high: 0.06 }],
      ...{ coverage: 0.76, valueWhenActing: 0.72, intervalCoverage: 0.89, intervalLevel: 0.9 },
    },
    verdict: { passed: true, sentence: 'Better than its baseline: the lower bound is +0.020.' },
    ...{ costSeconds: 41.2, costJoules: null, limits: ['Survivors flatter everybody.'] },
    ...change,
  };
}

/** Every item signed. */
export const SIGNED: Checklist = CHECKLIST.map((item) => ({ item, signed: true, note: '' }));
