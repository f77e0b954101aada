import { expect } from '../../checks/expect.ts';
import { checkExamples } from '../check-examples.ts';
import type { Examples } from '../examples.ts';
import type { FittedModel, Goal, Learner, Watch } from '../learner.ts';
import { linearModel, loadLinear } from './linear-model.ts';
import { momentsOf, onInputScale, type Standardised, standardise } from './standardise.ts';

export type LassoSettings = {
  /** > 0. Size of the penalty, beside half the mean of squared errors; of standardised columns. */
  penalty: number;
};

export type ElasticNetSettings = LassoSettings & {
  /** 0..1: share of the penalty on |weight|, the rest is on half its square. */
  absoluteShare: number;
};

const SWEEPS_MAX = 20_000;
/** Change of the answer in a sweep, as a share of the target's deviation, below which the weights have settled. */
const CHANGE_SHARE_MAX = 1e-12;
const WATCH_EVERY = 100;

/**
 * Least squares with penalties on the sizes and on the squares of weights: Σ w (y − b − x'β)² / (2 Σ w) + penalty ·
 * (share · |β|₁ + (1 − share) / 2 · |β|²), columns standardised, the intercept free. Time O(rows · features² + sweeps ·
 * features²).
 *
 * @see Zou and Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x; Friedman, Hastie and Tibshirani 2010,
 * doi:10.18637/jss.v033.i01.
 */
export const elasticNet: Learner<ElasticNetSettings> = {
  name: 'elastic_net',
  goals: ['regression', 'ranking'],
  reads: 'table',
  missing: 'refused',
  defaults: { penalty: 0.01, absoluteShare: 0.5 },
  fit(examples, goal, settings, _seed, watch) {
    const { absoluteShare } = settings;
    expect(absoluteShare >= 0 && absoluteShare <= 1, `absoluteShare must be in 0..1, was ${absoluteShare}`);
    return fitNet(elasticNet, examples, goal, settings, watch);
  },
  load: (bytes) => loadLinear(elasticNet.name, elasticNet.goals, bytes),
};

/**
 * The elastic net with the whole penalty on |weight|: many weights are exactly zero.
 *
 * @see Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x.
 */
export const lasso: Learner<LassoSettings> = {
  name: 'lasso',
  goals: ['regression', 'ranking'],
  reads: 'table',
  missing: 'refused',
  defaults: { penalty: 0.01 },
  fit: (examples, goal, { penalty }, _seed, watch) =>
    fitNet(lasso, examples, goal, { penalty, absoluteShare: 1 }, watch),
  load: (bytes) => loadLinear(lasso.name, lasso.goals, bytes),
};

function fitNet(
  learner: Learner<object>,
  examples: Examples,
  goal: Goal,
  settings: ElasticNetSettings,
  watch: Watch | undefined,
): FittedModel {
  const { penalty } = settings;
  expect(penalty > 0 && Number.isFinite(penalty), `penalty must be above 0, was ${penalty}`);
  checkExamples(learner, examples, goal);
  const data = standardise(examples, goal);
  const { weights, targetMean } = descend(data, settings, watch);
  return linearModel({
    learner: learner.name,
    goal,
    stepCount: examples.inputs.stepCount,
    featureCount: data.featureCount,
    body: onInputScale(data, weights, targetMean, 'identity'),
  });
}

/** One weight after the other to its best value, the others held, until none moves. */
function descend(
  data: Standardised,
  { penalty, absoluteShare }: ElasticNetSettings,
  watch: Watch | undefined,
): { weights: Float64Array; targetMean: number } {
  const k = data.featureCount;
  const { gram, moment, targetMean } = momentsOf(data);
  const onSize = penalty * absoluteShare * data.weightSum;
  const onSquare = penalty * (1 - absoluteShare) * data.weightSum;
  const weights = new Float64Array(k);
  // What is left of the moments when the weights have taken their part.
  const left = moment;
  const squares = data.target.reduce((sum, y, row) => sum + data.weight[row]! * (y - targetMean) ** 2, 0);
  const changeMax = CHANGE_SHARE_MAX * Math.sqrt(squares / data.weightSum);
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    if (sweep % WATCH_EVERY === 0) watch?.(sweep, SWEEPS_MAX);
    let change = 0;
    for (let j = 0; j < k; j++) {
      const own = gram[j * k + j]!;
      if (own === 0) continue;
      const pull = left[j]! + own * weights[j]!;
      const next = (Math.sign(pull) * Math.max(0, Math.abs(pull) - onSize)) / (own + onSquare);
      const step = next - weights[j]!;
      if (step === 0) continue;
      weights[j] = next;
      for (let i = 0; i < k; i++) left[i]! -= step * gram[j * k + i]!;
      change = Math.max(change, Math.abs(step));
    }
    if (change <= changeMax) break;
  }
  watch?.(SWEEPS_MAX, SWEEPS_MAX);
  return { weights, targetMean };
}
