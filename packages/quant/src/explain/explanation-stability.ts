import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import type { Inputs } from '../learn/examples.ts';
import { createRandom } from '../random/random.ts';
import { spearman } from '../stats/rank-correlation.ts';
import { columnMoments } from './column-moments.ts';
import { checkSameColumns } from './linear-shap.ts';

export type StabilityOptions = {
  seed: number;
  /** Noisy copies of the row, 2..1,000. */
  repeatCount?: number;
  /** Noise, in standard deviations of each feature: > 0. */
  noise?: number;
  /** Features looked at: those that contribute most, 2 or more. */
  topCount?: number;
};

export type Stability =
  | {
      status: 'ok';
      /** Mean rank correlation of the sizes of the top features' contributions, before and after noise: −1..1, 1 is steady. */
      score: number;
      /** Mean share of the top features that are still among the top: 0..1. */
      overlap: number;
      /** Copies that had contributions to compare. */
      repeatCount: number;
    }
  | Unanswered;

const REPEATS = { low: 2, high: 1000, usual: 20 };
const NOISE_DEFAULT = 0.02;
const TOP_DEFAULT = 5;

/**
 * Whether an explanation survives noise too small to matter: the row is disturbed a little, explained again, and the order of
 * its top features compared. Below .5 the order should not be read.
 *
 * @param explain Contributions of one row, one a feature; null: it has none.
 * @param background Rows the standard deviations are taken of.
 * @returns `undefined` if the row or no copy has an explanation, or all top contributions are alike.
 * @throws RangeError if shapes differ or a setting is out of range.
 * @see Alvarez-Melis, D. and Jaakkola, T. S. (2018), On the robustness of interpretability methods, arXiv 1806.08049.
 */
export function explanationStability(
  explain: (row: Inputs) => Float64Array | null,
  row: Inputs,
  background: Inputs,
  options: StabilityOptions,
): Stability {
  const { seed, repeatCount = REPEATS.usual, noise = NOISE_DEFAULT, topCount = TOP_DEFAULT } = options;
  checkSameColumns(row, background);
  expect(row.rowCount === 1, `one row is explained at a time, were ${row.rowCount}`);
  expect(
    Number.isInteger(repeatCount) && repeatCount >= REPEATS.low && repeatCount <= REPEATS.high,
    `repeatCount must be in ${REPEATS.low}..${REPEATS.high}, was ${repeatCount}`,
  );
  expect(noise > 0, `noise must be > 0, was ${noise}`);
  expect(Number.isInteger(topCount) && topCount >= 2, `topCount must be 2 or more, was ${topCount}`);
  const contributions = explain(row);
  if (contributions === null) return unanswered('the row has no explanation');
  const top = largest(contributions, topCount);
  const sizes = Float64Array.from(top, (feature) => Math.abs(contributions[feature]!));
  const { deviations } = columnMoments(background);
  const random = createRandom(seed).split('stability');
  let [score, overlap, compared] = [0, 0, 0];
  for (let repeat = 0; repeat < repeatCount; repeat++) {
    const values = row.values.map((value, k) => value + noise * (deviations[k]! || 0) * random.normal());
    const disturbed = explain({ ...row, values });
    if (disturbed === null) continue;
    const again = Float64Array.from(top, (feature) => Math.abs(disturbed[feature]!));
    const agreement = spearman(sizes, again);
    if (agreement.status === 'undefined') continue;
    const still = new Set(largest(disturbed, topCount));
    score += agreement.coefficient;
    overlap += top.filter((feature) => still.has(feature)).length / top.length;
    compared += 1;
  }
  if (compared === 0) return unanswered('no copy of the row had contributions of different sizes to compare');
  return { status: 'ok', score: score / compared, overlap: overlap / compared, repeatCount: compared };
}

/** Features with the largest contributions by size, of equal ones the first. */
function largest(contributions: Float64Array, count: number): number[] {
  const order = Array.from(contributions.keys());
  return order.sort((a, b) => Math.abs(contributions[b]!) - Math.abs(contributions[a]!) || a - b).slice(0, count);
}
