import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import type { Inputs } from '../learn/examples.ts';
import type { FittedModel, LinearBody, Link } from '../learn/learner.ts';
import type { TreeEnsemble } from '../learn/trees/tree-ensemble.ts';
import { treeMargins } from '../learn/trees/walk-trees.ts';
import { checkSameColumns, linearShap } from './linear-shap.ts';
import { type SamplingOptions, samplingShap } from './sampling-shap.ts';
import { createTreeShap, type TreeShap } from './tree-shap.ts';

export type ExplanationMethod = 'tree_shap' | 'linear_shap' | 'sampling_shap';

export type Explanation =
  | {
      status: 'ok';
      method: ExplanationMethod;
      /** What is shared out: the answer itself, or the log odds of a probability. */
      scale: 'answer' | 'log_odds';
      /** What the model says while no feature is known, on that scale. */
      base: number;
      /** One a feature, on that scale; of a window, summed over its days. */
      contributions: Float64Array;
      /** What the model says to the row, on that scale. */
      value: number;
      /** |base + Σ contributions − value|. */
      residual: number;
      /** One a feature, of sampled contributions; null: exact. */
      standardError: Float64Array | null;
    }
  | Unanswered;

export type ExplainOptions = SamplingOptions & {
  /** sampling: by sampling even where there is an exact way. */
  method?: 'best' | 'sampling';
};

/**
 * Why a model answers a row as it does: exact TreeSHAP for trees, exact for linear models, sampled Shapley values for the rest.
 *
 * @param row One row.
 * @param background What the features usually are: rows of the training period, some 100. Trees do not need it: their covers say.
 * @returns `undefined` with a reason where the model has no answer.
 * @throws RangeError if shapes differ or a setting is out of range.
 */
export function explainModel(
  model: FittedModel,
  row: Inputs,
  background: Inputs,
  options: ExplainOptions,
): Explanation {
  checkSameColumns(row, background);
  expect(row.rowCount === 1, `one row is explained at a time, were ${row.rowCount}`);
  const { body } = model;
  if (options.method !== 'sampling' && body.kind === 'trees') return explainTrees(body.trees, row);
  if (options.method !== 'sampling' && body.kind === 'linear') return explainLinear(body, row, background);
  const sampled = samplingShap(model.predict, row, background, options);
  if (sampled.status === 'undefined') return sampled;
  return complete('sampling_shap', 'answer', sampled.base, sampled.contributions, sampled.value, sampled.standardError);
}

/** Tables of an ensemble are made once; they go when it goes. */
const plans = new WeakMap<TreeEnsemble, TreeShap>();

function explainTrees(trees: TreeEnsemble, row: Inputs): Explanation {
  const shap = plans.get(trees) ?? createTreeShap(trees);
  plans.set(trees, shap);
  return complete(
    'tree_shap',
    scaleOf(trees.link),
    shap.base,
    shap.contributions(row),
    treeMargins(trees, row)[0]!,
    null,
  );
}

function explainLinear(body: LinearBody, row: Inputs, background: Inputs): Explanation {
  const shap = linearShap(body, row, background);
  if (shap.status === 'undefined') return shap;
  if (shap.contributions.some(Number.isNaN)) return unanswered('the model has no answer to a row with a missing value');
  const { stepCount, featureCount, values } = row;
  const skipped = stepCount * featureCount - body.weights.length;
  const value = body.weights.reduce(
    (sum, weight, k) => (weight === 0 ? sum : sum + weight * values[skipped + k]!),
    body.intercept,
  );
  return complete('linear_shap', scaleOf(body.link), shap.base, shap.contributions, value, null);
}

function scaleOf(link: Link): 'answer' | 'log_odds' {
  return link === 'logistic' ? 'log_odds' : 'answer';
}

function complete(
  method: ExplanationMethod,
  scale: 'answer' | 'log_odds',
  base: number,
  contributions: Float64Array,
  value: number,
  standardError: Float64Array | null,
): Explanation {
  const residual = Math.abs(contributions.reduce((sum, part) => sum + part, base) - value);
  return { status: 'ok', method, scale, base, contributions, value, residual, standardError };
}
