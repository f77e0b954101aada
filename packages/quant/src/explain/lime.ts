import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import type { Inputs } from '../learn/examples.ts';
import { cholesky, solveCholesky } from '../linalg/cholesky.ts';
import { createRandom } from '../random/random.ts';
import { columnMoments } from './column-moments.ts';
import { checkSameColumns } from './linear-shap.ts';
import type { Predict } from './sampling-shap.ts';

export type LimeOptions = {
  seed: number;
  /** Rows drawn around the one explained, 50..100,000. */
  sampleCount?: number;
  /** Distance, in standard deviations, at which a drawn row counts e^-½ as much: > 0. Default .75 · √features. */
  kernelWidth?: number;
  /** Penalty on the squares of the slopes, relative to the weight of all rows: >= 0. */
  penalty?: number;
};

export type Lime =
  | {
      status: 'ok';
      /** What the local line answers at the row. */
      intercept: number;
      /** One a feature: change of the answer per standard deviation of the feature; 0 where the feature is missing or constant. */
      slopes: Float64Array;
      /** Weighted share of the answers' variance near the row that the line explains, at most 1; null where they do not vary. */
      fidelity: number | null;
      /** What the model answers to the row. */
      value: number;
    }
  | Unanswered;

const SAMPLES_DEFAULT = 1000;
const SAMPLES = [50, 100_000] as const;
const WIDTH_PER_ROOT_FEATURE = 0.75;
const PENALTY_DEFAULT = 1e-3;

/**
 * A line through a model's answers near one row: rows are drawn around it with the background's standard deviations and weighed by
 * exp(−d²/2w²); a ridge regression explains them. How well it does is told as `fidelity`: below .5 the slopes say little.
 *
 * Of a window, a feature moves on all days alike. A missing value stays missing.
 *
 * @throws RangeError if shapes differ or a setting is out of range.
 * @see Ribeiro, M. T., Singh, S. and Guestrin, C. (2016), DOI 10.1145/2939672.2939778.
 */
export function lime(predict: Predict, row: Inputs, background: Inputs, options: LimeOptions): Lime {
  const { seed, sampleCount = SAMPLES_DEFAULT, penalty = PENALTY_DEFAULT } = options;
  const { featureCount, stepCount } = row;
  const kernelWidth = options.kernelWidth ?? WIDTH_PER_ROOT_FEATURE * Math.sqrt(featureCount);
  checkSameColumns(row, background);
  expect(row.rowCount === 1, `one row is explained at a time, were ${row.rowCount}`);
  expect(
    Number.isInteger(sampleCount) && sampleCount >= SAMPLES[0] && sampleCount <= SAMPLES[1],
    `sampleCount must be in ${SAMPLES[0]}..${SAMPLES[1]}, was ${sampleCount}`,
  );
  expect(kernelWidth > 0, `kernelWidth must be > 0, was ${kernelWidth}`);
  expect(penalty >= 0, `penalty must be >= 0, was ${penalty}`);
  const value = predict(row)[0]!;
  if (Number.isNaN(value)) return unanswered('the model has no answer to this row');
  const { deviations } = columnMoments(background);
  const random = createRandom(seed).split('lime');
  const width = stepCount * featureCount;
  const moves = Float64Array.from({ length: sampleCount * featureCount }, () => random.normal());
  const values = new Float64Array(sampleCount * width);
  for (let sample = 0; sample < sampleCount; sample++)
    for (let k = 0; k < width; k++) {
      const step = moves[sample * featureCount + (k % featureCount)]! * (deviations[k]! || 0);
      values[sample * width + k] = row.values[k]! + step;
    }
  const answers = predict({ rowCount: sampleCount, stepCount, featureCount, values });
  const weights = new Float64Array(sampleCount);
  for (let sample = 0; sample < sampleCount; sample++) {
    if (Number.isNaN(answers[sample]!)) continue;
    let distance = 0;
    for (let k = 0; k < featureCount; k++) distance += moves[sample * featureCount + k]! ** 2;
    weights[sample] = Math.exp(-distance / (2 * kernelWidth ** 2));
  }
  // A feature that cannot move has no slope: its column would be noise.
  const moving = Uint8Array.from({ length: featureCount }, (_, k) => Number(isMoving(row, deviations, k)));
  const line = fitLine(moves, answers, weights, moving, penalty);
  return line === null ? unanswered('too few rows near this one were answered') : { status: 'ok', ...line, value };
}

function isMoving({ stepCount, featureCount, values }: Inputs, deviations: Float64Array, feature: number): boolean {
  for (let step = 0; step < stepCount; step++) {
    const k = step * featureCount + feature;
    if (deviations[k]! > 0 && !Number.isNaN(values[k]!)) return true;
  }
  return false;
}

/** Weighted ridge with an intercept that is not penalised; null if no weight is left. */
function fitLine(
  moves: Float64Array,
  answers: Float64Array,
  weights: Float64Array,
  moving: Uint8Array,
  penalty: number,
): { intercept: number; slopes: Float64Array; fidelity: number | null } | null {
  const featureCount = moving.length;
  const size = featureCount + 1;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return null;
  const gram = new Float64Array(size * size);
  const right = new Float64Array(size);
  const x = new Float64Array(size);
  weights.forEach((weight, sample) => {
    if (weight === 0) return;
    x[0] = 1;
    for (let k = 0; k < featureCount; k++) x[k + 1] = moving[k] === 1 ? moves[sample * featureCount + k]! : 0;
    for (let i = 0; i < size; i++) {
      const scaled = (weight / total) * x[i]!;
      right[i] = right[i]! + scaled * answers[sample]!;
      for (let j = 0; j <= i; j++) gram[i * size + j] = gram[i * size + j]! + scaled * x[j]!;
    }
  });
  for (let i = 0; i < size; i++) {
    const isFixed = i > 0 && moving[i - 1] === 0;
    gram[i * size + i] = gram[i * size + i]! + (isFixed ? 1 : i > 0 ? penalty : 0);
    for (let j = 0; j < i; j++) gram[j * size + i] = gram[i * size + j]!;
  }
  const factor = cholesky(gram, size);
  if (factor === null) return null;
  const solution = solveCholesky(factor, size, right);
  const mean = right[0]!;
  let [unexplained, spread] = [0, 0];
  weights.forEach((weight, sample) => {
    if (weight === 0) return;
    let fitted = solution[0]!;
    for (let k = 0; k < featureCount; k++)
      if (moving[k] === 1) fitted += solution[k + 1]! * moves[sample * featureCount + k]!;
    unexplained += weight * (answers[sample]! - fitted) ** 2;
    spread += weight * (answers[sample]! - mean) ** 2;
  });
  const isFlat = spread <= total * 1e-24 * Math.max(1, mean * mean);
  return { intercept: solution[0]!, slopes: solution.slice(1), fidelity: isFlat ? null : 1 - unexplained / spread };
}
