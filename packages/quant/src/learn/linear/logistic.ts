import { expect } from '../../checks/expect.ts';
import { checkExamples } from '../check-examples.ts';
import type { Learner } from '../learner.ts';
import { linearModel, loadLinear } from './linear-model.ts';
import { type MarginLoss, minimiseMargins } from './newton.ts';
import { meanTarget, onInputScale, standardise } from './standardise.ts';

export type LogisticSettings = {
  /** > 0. Half of it times Σ weights², beside the sum (not the mean) of log losses; of standardised columns. */
  penalty: number;
};

/**
 * Logistic regression: Σ w ln(1 + exp(−margin)) + penalty / 2 · |β|², columns standardised, the intercept free; by Newton's
 * method. Examples of one class alone give their rate, drawn from the edge by half an example. Time O(steps · rows ·
 * features²).
 *
 * @see Hastie, Tibshirani and Friedman 2009, doi:10.1007/978-0-387-84858-7, section 4.4.
 */
export const logistic: Learner<LogisticSettings> = {
  name: 'logistic',
  goals: ['binary'],
  reads: 'table',
  missing: 'refused',
  defaults: { penalty: 1 },
  fit(examples, goal, { penalty }, _seed, watch) {
    expect(penalty > 0 && Number.isFinite(penalty), `penalty must be above 0, was ${penalty}`);
    checkExamples(logistic, examples, goal);
    const data = standardise(examples, goal);
    const rate = meanTarget(data);
    const { weights, intercept } =
      rate > 0 && rate < 1
        ? minimiseMargins(data, logLoss, penalty, watch)
        : { weights: new Float64Array(data.featureCount), intercept: logitOfOneClass(rate, data.weightSum) };
    return linearModel({
      learner: logistic.name,
      goal,
      stepCount: examples.inputs.stepCount,
      featureCount: data.featureCount,
      body: onInputScale(data, weights, intercept, 'logistic'),
    });
  },
  load: (bytes) => loadLinear(logistic.name, logistic.goals, bytes),
};

/** Logit of (ones + 1/2) / (all + 1). @param rate 0 or 1. */
export function logitOfOneClass(rate: number, weightSum: number): number {
  const ones = rate * weightSum;
  return Math.log((ones + 0.5) / (weightSum - ones + 0.5));
}

const logLoss: MarginLoss = (margin, target) => {
  // Exponentials of negative numbers only: none overflows.
  const small = Math.exp(-Math.abs(margin));
  const p = margin >= 0 ? 1 / (1 + small) : small / (1 + small);
  const value = Math.log1p(small) + Math.max(margin, 0) - target * margin;
  return { value, slope: p - target, curvature: small / (1 + small) ** 2 };
};
