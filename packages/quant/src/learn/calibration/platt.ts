import { areFinite, expect } from '../../checks/expect.ts';

/** P(1) = 1 / (1 + exp(−(slope · score + intercept))), of the score or of the logit of a probability. */
export type PlattCalibrator = {
  kind: 'platt';
  /** logit: the scores are probabilities, and their logits are scaled. */
  scale: 'score' | 'logit';
  slope: number;
  intercept: number;
};

const STEPS_MAX = 100;
const GRADIENT_SIZE_MAX = 1e-10;
const DAMPING = 1e-12;
const HALVINGS_MAX = 40;
/** A probability of 0 or 1 has no logit; beyond this nobody could measure the difference. */
export const PROBABILITY_EDGE = 1e-12;

/**
 * Platt's sigmoid by a Newton method that cannot overflow. Labels are drawn from the edges by one example of each class, so
 * that separable scores keep a finite slope.
 *
 * @param scores n finite values. @param labels n values, 0 or 1. @param weight n values >= 0; absent or null: all 1.
 * @throws RangeError on other values, no rows or different lengths.
 * @see Lin, Lin and Weng 2007, doi:10.1007/s10994-007-5018-6; Platt 1999.
 */
export function fitPlatt(
  scores: Float64Array,
  labels: Float64Array,
  { weight = null, scale = 'score' }: { weight?: Float64Array | null; scale?: PlattCalibrator['scale'] } = {},
): PlattCalibrator {
  checkScored(scores, labels, weight);
  const x = scale === 'logit' ? scores.map(logit) : scores;
  const at = (row: number) => (weight === null ? 1 : weight[row]!);
  let [ones, zeros] = [0, 0];
  labels.forEach((y, row) => {
    if (y === 1) ones += at(row);
    else zeros += at(row);
  });
  const [high, low] = [(ones + 1) / (ones + 2), 1 / (zeros + 2)];
  const target = labels.map((y) => (y === 1 ? high : low));
  let [slope, intercept] = [0, Math.log((ones + 1) / (zeros + 1))];
  let value = lossOf(x, target, weight, slope, intercept);
  for (let step = 0; step < STEPS_MAX; step++) {
    let [g1, g2, h11, h12, h22] = [0, 0, DAMPING, 0, DAMPING];
    for (let row = 0; row < x.length; row++) {
      const p = sigmoid(slope * x[row]! + intercept);
      const gap = at(row) * (p - target[row]!);
      const bend = at(row) * p * (1 - p);
      g1 += gap * x[row]!;
      g2 += gap;
      h11 += bend * x[row]! ** 2;
      h12 += bend * x[row]!;
      h22 += bend;
    }
    if (Math.abs(g1) < GRADIENT_SIZE_MAX && Math.abs(g2) < GRADIENT_SIZE_MAX) break;
    const determinant = h11 * h22 - h12 * h12;
    // Scores that are all the same bend in one direction only; the intercept alone is moved then.
    const isFlat = !(determinant > 1e-14 * h11 * h22);
    const d1 = isFlat ? 0 : -(h22 * g1 - h12 * g2) / determinant;
    const d2 = isFlat ? -g2 / h22 : -(h11 * g2 - h12 * g1) / determinant;
    const fall = g1 * d1 + g2 * d2;
    let share = 1;
    let next = Number.NaN;
    for (let halving = 0; halving < HALVINGS_MAX; halving++) {
      next = lossOf(x, target, weight, slope + share * d1, intercept + share * d2);
      if (next <= value + 1e-4 * share * fall + 1e-14 * value) break;
      share /= 2;
    }
    if (!(next <= value + 1e-14 * value)) break;
    slope += share * d1;
    intercept += share * d2;
    value = next;
  }
  return { kind: 'platt', scale, slope, intercept };
}

export function plattProbability({ scale, slope, intercept }: PlattCalibrator, score: number): number {
  return sigmoid(slope * (scale === 'logit' ? logit(score) : score) + intercept);
}

/** @throws RangeError on different lengths, no rows, scores that are not finite, labels other than 0 and 1. */
export function checkScored(scores: Float64Array, labels: Float64Array, weight: Float64Array | null): void {
  expect(scores.length >= 1, 'there are no scores to calibrate with');
  expect(labels.length === scores.length, `labels must have ${scores.length} values, had ${labels.length}`);
  expect(areFinite(scores), 'scores must be finite');
  expect(
    labels.every((y) => y === 0 || y === 1),
    'labels must be 0 or 1',
  );
  expect(
    weight === null || (weight.length === scores.length && weight.every((w) => w >= 0 && Number.isFinite(w))),
    `weight must have ${scores.length} finite values, none negative`,
  );
  expect(weight === null || weight.some((w) => w > 0), 'weight must not be all zero');
}

/** Logit of a probability, kept from the edges. */
export function logit(probability: number): number {
  const p = Math.min(1 - PROBABILITY_EDGE, Math.max(PROBABILITY_EDGE, probability));
  return Math.log(p / (1 - p));
}

function sigmoid(margin: number): number {
  const small = Math.exp(-Math.abs(margin));
  return margin >= 0 ? 1 / (1 + small) : small / (1 + small);
}

function lossOf(
  x: Float64Array,
  target: Float64Array,
  weight: Float64Array | null,
  slope: number,
  intercept: number,
): number {
  let sum = 0;
  for (let row = 0; row < x.length; row++) {
    const margin = slope * x[row]! + intercept;
    const loss = Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(margin, 0) - target[row]! * margin;
    sum += (weight === null ? 1 : weight[row]!) * loss;
  }
  return sum;
}
