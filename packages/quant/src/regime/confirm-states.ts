import { expect } from '../checks/expect.ts';

/** No state: a warm-up day. */
export const NO_STATE = 255;

/**
 * A band from filtered probabilities: it stays where it is until another state has at least the given probability.
 *
 * The likeliest state alone switches on every coin toss near one half; this costs a few days of lag and saves most of the
 * switching. Row t depends on rows 0..t only. Rows with a NaN keep the state of the row before, or none.
 *
 * @param filtered Row-major T × K.
 * @param switchAt Probability another state needs, in (.5, 1].
 * @returns One state a row; `NO_STATE` before the first row without a NaN, whose likeliest state begins the band.
 */
export function confirmStates(filtered: Float64Array, stateCount: number, switchAt: number): Uint8Array {
  expect(switchAt > 0.5 && switchAt <= 1, `switchAt must be above .5 and at most 1, was ${switchAt}`);
  const rowCount = filtered.length / stateCount;
  const band = new Uint8Array(rowCount);
  let current = NO_STATE;
  for (let t = 0; t < rowCount; t++) {
    const likeliest = likeliestState(filtered.subarray(t * stateCount, (t + 1) * stateCount));
    if (likeliest !== NO_STATE && (current === NO_STATE || filtered[t * stateCount + likeliest]! >= switchAt))
      current = likeliest;
    band[t] = current;
  }
  return band;
}

/** The first of the likeliest states, or `NO_STATE` when one is NaN. */
export function likeliestState(probabilities: Float64Array): number {
  let best = 0;
  for (let k = 0; k < probabilities.length; k++) {
    if (Number.isNaN(probabilities[k]!)) return NO_STATE;
    if (probabilities[k]! > probabilities[best]!) best = k;
  }
  return best;
}
