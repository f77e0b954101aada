import { expect } from '../../checks/expect.ts';
import { fitPlatt } from '../calibration/platt.ts';
import { checkExamples } from '../check-examples.ts';
import { type Examples, takeExamples } from '../examples.ts';
import type { Learner, LinearBody } from '../learner.ts';
import { linearModel, loadLinear } from './linear-model.ts';
import { logitOfOneClass } from './logistic.ts';
import { type MarginLoss, minimiseMargins } from './newton.ts';
import { meanTarget, onInputScale, standardise } from './standardise.ts';

export type LinearSvmSettings = {
  /** > 0. Half of it times Σ weights², beside the sum (not the mean) of squared hinges; of standardised columns. */
  penalty: number;
  /** Blocks of neighbouring rows; each gets its margins from a machine that did not see it, for the probability. 2..20. */
  foldCount: number;
};

/**
 * Linear support vector machine: Σ w max(0, 1 − ±margin)² + penalty / 2 · |β|², columns standardised, the intercept free, by
 * Newton's method. Margins become probabilities by Platt's sigmoid, fitted to margins of rows that the machine had not
 * seen. Time (folds + 1) · O(steps · rows · features²).
 *
 * @see Keerthi and DeCoste 2005, https://jmlr.org/papers/v6/keerthi05a.html; Lin, Lin and Weng 2007,
 * doi:10.1007/s10994-007-5018-6.
 */
export const linearSvm: Learner<LinearSvmSettings> = {
  name: 'linear_svm',
  goals: ['binary'],
  reads: 'table',
  missing: 'refused',
  defaults: { penalty: 1, foldCount: 5 },
  fit(examples, goal, { penalty, foldCount }, _seed, watch) {
    expect(penalty > 0 && Number.isFinite(penalty), `penalty must be above 0, was ${penalty}`);
    expect(
      Number.isInteger(foldCount) && foldCount >= 2 && foldCount <= 20,
      `foldCount must be a whole number in 2..20, was ${foldCount}`,
    );
    checkExamples(linearSvm, examples, goal);
    const machine = fitMachine(examples, penalty);
    const margins = unseenMargins(examples, penalty, foldCount, (fold) => watch?.(fold, foldCount + 1));
    const { slope, intercept } = fitPlatt(margins, examples.target, { weight: examples.weight });
    watch?.(foldCount + 1, foldCount + 1);
    const body: LinearBody = {
      kind: 'linear',
      weights: machine.weights.map((w) => slope * w),
      intercept: slope * machine.intercept + intercept,
      link: 'logistic',
    };
    const { stepCount, featureCount } = examples.inputs;
    return linearModel({ learner: linearSvm.name, goal, stepCount, featureCount, body });
  },
  load: (bytes) => loadLinear(linearSvm.name, linearSvm.goals, bytes),
};

/** Weights and intercept of the machine before its margins become probabilities. */
export function fitMachine(examples: Examples, penalty: number): LinearBody {
  const data = standardise(examples, 'binary');
  const rate = meanTarget(data);
  if (rate > 0 && rate < 1) {
    const { weights, intercept } = minimiseMargins(data, squaredHinge, penalty);
    return onInputScale(data, weights, intercept, 'identity');
  }
  return {
    kind: 'linear',
    weights: new Float64Array(data.featureCount),
    intercept: Math.sign(logitOfOneClass(rate, data.weightSum)),
    link: 'identity',
  };
}

const squaredHinge: MarginLoss = (margin, target) => {
  const sign = 2 * target - 1;
  const short = 1 - sign * margin;
  if (short <= 0) return { value: 0, slope: 0, curvature: 0 };
  return { value: short * short, slope: -2 * sign * short, curvature: 2 };
};

function unseenMargins(
  examples: Examples,
  penalty: number,
  foldCount: number,
  atFold: (fold: number) => void,
): Float64Array {
  const { rowCount, stepCount, featureCount, values } = examples.inputs;
  const margins = new Float64Array(rowCount);
  const used = Math.min(foldCount, rowCount);
  for (let fold = 0; fold < used; fold++) {
    atFold(fold);
    const from = Math.floor((fold * rowCount) / used);
    const to = Math.floor(((fold + 1) * rowCount) / used);
    const others = Int32Array.from({ length: rowCount - (to - from) }, (_, i) => (i < from ? i : i + (to - from)));
    // One row alone has no others: its margin is that of a machine that saw it.
    const seen = takeExamples(examples, others.length > 0 ? others : Int32Array.of(0));
    const hasWeight = seen.weight === null || seen.weight.some((w) => w > 0);
    const { weights, intercept } = fitMachine(hasWeight ? seen : examples, penalty);
    for (let row = from; row < to; row++) {
      const at = (row + 1) * stepCount * featureCount - featureCount;
      let margin = intercept;
      for (let j = 0; j < featureCount; j++) margin += weights[j]! * values[at + j]!;
      margins[row] = margin;
    }
  }
  return margins;
}
