import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { checkInputs, type Inputs, lastStep } from '../learn/examples.ts';
import type { LinearBody } from '../learn/learner.ts';
import { columnMoments } from './column-moments.ts';

export type LinearShap =
  | {
      status: 'ok';
      /** Margin at the means. */
      base: number;
      /** Row-major rows × features; a row's sum and `base` are its margin. NaN in a row where a value that weighs is missing. */
      contributions: Float64Array;
    }
  | Unanswered;

/**
 * Exact Shapley values of a linear margin while unknown features are drawn from the background on their own: weight times
 * the distance from the mean. Weights are one a feature (the last day of a window is read) or one a day and feature, then
 * the days of a feature are summed.
 *
 * @param background Rows the means are taken of; NaN are left out.
 * @throws RangeError if shapes differ, or weights are neither a day's nor a window's.
 * @see Lundberg, S. M. and Lee, S.-I. (2017), arXiv 1705.07874, corollary 1.
 */
export function linearShap(body: LinearBody, inputs: Inputs, background: Inputs): LinearShap {
  checkSameColumns(inputs, background);
  const readsDay = body.weights.length === inputs.featureCount;
  const [rows, known] = readsDay ? [lastStep(inputs), lastStep(background)] : [inputs, background];
  const width = rows.stepCount * rows.featureCount;
  expect(
    body.weights.length === width,
    `weights must be ${inputs.featureCount}, or ${width} for a window, were ${body.weights.length}`,
  );
  const { means } = columnMoments(known);
  const unknown = means.findIndex((mean, k) => Number.isNaN(mean) && body.weights[k] !== 0);
  if (unknown >= 0) return unanswered(`the background has no value of feature ${unknown % rows.featureCount}`);
  let base = body.intercept;
  body.weights.forEach((weight, k) => {
    if (weight !== 0) base += weight * means[k]!;
  });
  const contributions = new Float64Array(rows.rowCount * rows.featureCount);
  for (let row = 0; row < rows.rowCount; row++)
    for (let k = 0; k < width; k++) {
      if (body.weights[k] === 0) continue;
      const at = row * rows.featureCount + (k % rows.featureCount);
      contributions[at] = contributions[at]! + body.weights[k]! * (rows.values[row * width + k]! - means[k]!);
    }
  return { status: 'ok', base, contributions };
}

/** @throws RangeError if one is misshapen, or days or features differ. */
export function checkSameColumns(inputs: Inputs, background: Inputs): void {
  checkInputs(inputs);
  checkInputs(background);
  expect(
    inputs.stepCount === background.stepCount && inputs.featureCount === background.featureCount,
    `background must have ${inputs.stepCount} days × ${inputs.featureCount} features, had ${background.stepCount} × ${background.featureCount}`,
  );
}
