import { uniquenessOf } from './uniqueness.ts';

/** What came after each of T rows, and from when on it could be known. */
export type Labels = {
  /** T values; NaN where it is not known yet, or undefined. */
  value: Float64Array;
  /**
   * Row whose data settles the label of row t: it is known from the close of that row on, and may be used by nobody before.
   * −1: not yet within these rows. t itself: known at once to be undefined, as where row t has no price.
   */
  labelEnd: Int32Array;
  /** Average uniqueness of the label, in (0, 1]; NaN where it spans no rows or is not known yet. See `uniquenessOf`. */
  uniqueness: Float64Array;
};

/** Labels not told yet: no value, end −1. */
export function createLabels(rowCount: number): { value: Float64Array; labelEnd: Int32Array } {
  return { value: new Float64Array(rowCount).fill(Number.NaN), labelEnd: new Int32Array(rowCount).fill(-1) };
}

export function finishLabels({ value, labelEnd }: { value: Float64Array; labelEnd: Int32Array }): Labels {
  return { value, labelEnd, uniqueness: uniquenessOf(labelEnd) };
}

/**
 * Rows whose label is known at the close of row `at`, among those that are old enough to be settled either way.
 *
 * Labels that end early when something happens are known early only where it did happen: a training set of everything known
 * would hold the newest touches without the newest rows that will not touch. `horizon` keeps both out until both are known.
 *
 * @param horizon Most rows a label takes; 0 takes whatever is known.
 */
export function settledRows({ value, labelEnd }: Labels, at: number, horizon: number): Int32Array {
  return Int32Array.from(labelEnd.keys()).filter((t) => {
    const end = labelEnd[t]!;
    return end >= 0 && end <= at && t + horizon <= at && !Number.isNaN(value[t]);
  });
}
