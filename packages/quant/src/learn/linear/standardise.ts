import { type Examples, lastStep } from '../examples.ts';
import type { Goal, LinearBody, Link } from '../learner.ts';

/** Examples as a linear learner fits them: columns with weighted mean 0 and deviation 1. */
export type Standardised = {
  rowCount: number;
  featureCount: number;
  /** Row-major rowCount × featureCount. A constant column is all zero. */
  x: Float64Array;
  target: Float64Array;
  /** One a row; all 1 where the examples have none. */
  weight: Float64Array;
  weightSum: number;
  mean: Float64Array;
  /** Deviation over the rows (divided by their weight, not by one less); 1 for a constant column. */
  scale: Float64Array;
};

/** Below this share of the largest value a deviation is rounding: the column is constant. */
const ROUNDING = 1e-13;

/**
 * Takes the last day, and for a ranking the difference to the mean of the row's group: a score is only compared within it.
 * The means and deviations are those of these rows. Leaves the examples as they are.
 */
export function standardise(examples: Examples, goal: Goal): Standardised {
  const { rowCount, featureCount, values } = lastStep(examples.inputs);
  const weight = examples.weight ?? new Float64Array(rowCount).fill(1);
  const x = Float64Array.from(values);
  const target = Float64Array.from(examples.target);
  if (goal === 'ranking' && examples.group !== null) {
    subtractGroupMeans(x, featureCount, examples.group, weight);
    subtractGroupMeans(target, 1, examples.group, weight);
  }
  const weightSum = weight.reduce((sum, w) => sum + w, 0);
  const mean = new Float64Array(featureCount);
  const scale = new Float64Array(featureCount);
  for (let j = 0; j < featureCount; j++) {
    let [sum, largest] = [0, 0];
    for (let row = 0; row < rowCount; row++) {
      sum += weight[row]! * x[row * featureCount + j]!;
      largest = Math.max(largest, Math.abs(x[row * featureCount + j]!));
    }
    const center = sum / weightSum;
    let squares = 0;
    for (let row = 0; row < rowCount; row++) squares += weight[row]! * (x[row * featureCount + j]! - center) ** 2;
    const deviation = Math.sqrt(squares / weightSum);
    const isConstant = !(deviation > ROUNDING * largest);
    for (let row = 0; row < rowCount; row++) {
      const at = row * featureCount + j;
      x[at] = isConstant ? 0 : (x[at]! - center) / deviation;
    }
    mean[j] = center;
    scale[j] = isConstant ? 1 : deviation;
  }
  return { rowCount, featureCount, x, target, weight, weightSum, mean, scale };
}

/** Weights and intercept for inputs as they come, from those for standardised columns. */
export function onInputScale(
  { mean, scale }: Pick<Standardised, 'mean' | 'scale'>,
  fitted: Float64Array,
  intercept: number,
  link: Link,
): LinearBody {
  const weights = fitted.map((w, j) => w / scale[j]!);
  const shift = weights.reduce((sum, w, j) => sum + w * mean[j]!, 0);
  return { kind: 'linear', weights, intercept: intercept - shift, link };
}

/** Mean of the target by weight: the intercept of a regression on centred columns. */
export function meanTarget({ target, weight, weightSum }: Standardised): number {
  return target.reduce((sum, y, row) => sum + weight[row]! * y, 0) / weightSum;
}

/** Σ weight · x xᵀ and Σ weight · x (target − its mean), row-major. */
export function momentsOf(data: Standardised): { gram: Float64Array; moment: Float64Array; targetMean: number } {
  const { rowCount, featureCount: k, x, target, weight } = data;
  const targetMean = meanTarget(data);
  const gram = new Float64Array(k * k);
  const moment = new Float64Array(k);
  for (let row = 0; row < rowCount; row++) {
    const at = row * k;
    const y = target[row]! - targetMean;
    for (let i = 0; i < k; i++) {
      const xi = weight[row]! * x[at + i]!;
      moment[i]! += xi * y;
      for (let j = 0; j <= i; j++) gram[i * k + j]! += xi * x[at + j]!;
    }
  }
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) gram[j * k + i] = gram[i * k + j]!;
  return { gram, moment, targetMean };
}

function subtractGroupMeans(values: Float64Array, width: number, group: Int32Array, weight: Float64Array): void {
  const sums = new Map<number, { weight: number; sums: Float64Array }>();
  group.forEach((id, row) => {
    const held = sums.get(id) ?? { weight: 0, sums: new Float64Array(width) };
    sums.set(id, held);
    held.weight += weight[row]!;
    for (let j = 0; j < width; j++) held.sums[j]! += weight[row]! * values[row * width + j]!;
  });
  group.forEach((id, row) => {
    const held = sums.get(id)!;
    if (held.weight > 0) for (let j = 0; j < width; j++) values[row * width + j]! -= held.sums[j]! / held.weight;
  });
}
