import { columnSubset } from './column-subset.ts';
import type { Learner } from './learner.ts';
import { elasticNet, lasso } from './linear/elastic-net.ts';
import { linearSvm } from './linear/linear-svm.ts';
import { logistic } from './linear/logistic.ts';
import { ridge } from './linear/ridge.ts';
import { lstm } from './neural/lstm.ts';
import { transformer } from './neural/transformer.ts';
import { gradientBoostedTrees } from './trees/gradient-boosted-trees.ts';
import { randomForest } from './trees/random-forest.ts';

/** Every way to learn there is. `conformance.test.ts` holds each of them to the contract. */
export const LEARNERS: readonly Learner<object>[] = [
  // One line each, the simplest first.
  ridge,
  lasso,
  elasticNet,
  logistic,
  linearSvm,
  gradientBoostedTrees,
  randomForest,
  lstm,
  transformer,
  columnSubset((name) => LEARNERS.find((learner) => learner.name === name)),
];

/** Undefined for a name nobody has. */
export function findLearner(name: string): Learner<object> | undefined {
  return LEARNERS.find((learner) => learner.name === name);
}
