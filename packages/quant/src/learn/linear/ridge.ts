import { expect } from '../../checks/expect.ts';
import { cholesky, solveCholesky } from '../../linalg/cholesky.ts';
import { checkExamples } from '../check-examples.ts';
import type { Learner } from '../learner.ts';
import { linearModel, loadLinear } from './linear-model.ts';
import { momentsOf, onInputScale, standardise } from './standardise.ts';

export type RidgeSettings = {
  /** > 0. Times Σ weights², beside the sum (not the mean) of squared errors; of standardised columns. */
  penalty: number;
};

/**
 * Least squares with a penalty on squared weights: Σ w (y − b − x'β)² + penalty · |β|², columns standardised, the intercept
 * free. A ranking is learnt from the differences to the mean of the group. Time O(rows · features² + features³).
 *
 * @see Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634.
 */
export const ridge: Learner<RidgeSettings> = {
  name: 'ridge',
  goals: ['regression', 'ranking'],
  reads: 'table',
  missing: 'refused',
  defaults: { penalty: 1 },
  fit(examples, goal, { penalty }, _seed, watch) {
    expect(penalty > 0 && Number.isFinite(penalty), `penalty must be above 0, was ${penalty}`);
    checkExamples(ridge, examples, goal);
    const data = standardise(examples, goal);
    const { gram, moment, targetMean } = momentsOf(data);
    const k = data.featureCount;
    for (let j = 0; j < k; j++) gram[j * k + j]! += penalty;
    const factor = cholesky(gram, k);
    expect(factor !== null, `penalty ${penalty} is too small for columns that depend on each other`);
    const body = onInputScale(data, solveCholesky(factor, k, moment), targetMean, 'identity');
    watch?.(1, 1);
    const { stepCount } = examples.inputs;
    return linearModel({ learner: ridge.name, goal, stepCount, featureCount: k, body });
  },
  load: (bytes) => loadLinear(ridge.name, ridge.goals, bytes),
};
