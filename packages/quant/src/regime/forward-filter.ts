import { expect } from '../checks/expect.ts';

/** A hidden chain. `transition` is row-major K × K, from a row to a column; `start` is the distribution of the first day. */
export type HiddenChain = { stateCount: number; transition: Float64Array; start: Float64Array };

export type FilteredStates = {
  /** Row-major T × K: probability of each state given the data up to that row only. */
  filtered: Float64Array;
  /** Row-major T × K: probability of each state given the data before that row only. */
  predicted: Float64Array;
  /** Logarithm of the density of all observed rows. */
  logLikelihood: number;
};

/**
 * Hamilton's filter: state probabilities from the past and the present, never from later rows.
 *
 * Works with logarithms because a crash day underflows the density of a calm state. A row with a NaN in its densities is a day
 * without an observation: the chain moves on and nothing is learnt. Time O(T·K²).
 *
 * @param logDensity Row-major T × K: log density of each row's observation under each state.
 * @returns Rows that sum to one.
 * @throws RangeError if a shape is wrong or a row of `transition` or `start` does not sum to one.
 * @see Hamilton (1989), doi:10.2307/1912559, equations 4.5 and 4.6
 */
export function filterStates(logDensity: Float64Array, chain: HiddenChain): FilteredStates {
  const { stateCount, transition, start } = chain;
  checkChain(chain);
  expect(
    logDensity.length % stateCount === 0,
    `logDensity must have ${stateCount} values a row, had ${logDensity.length} in all`,
  );
  const rowCount = logDensity.length / stateCount;
  const filtered = new Float64Array(logDensity.length);
  const predicted = new Float64Array(logDensity.length);
  const logJoint = new Float64Array(stateCount);
  let logLikelihood = 0;
  for (let t = 0; t < rowCount; t++) {
    const at = t * stateCount;
    let largest = Number.NEGATIVE_INFINITY;
    let isObserved = true;
    for (let to = 0; to < stateCount; to++) {
      let prior = 0;
      if (t === 0) prior = start[to]!;
      else
        for (let from = 0; from < stateCount; from++)
          prior += filtered[at - stateCount + from]! * transition[from * stateCount + to]!;
      predicted[at + to] = prior;
      const density = logDensity[at + to]!;
      if (Number.isNaN(density)) isObserved = false;
      logJoint[to] = Math.log(prior) + density;
      if (logJoint[to]! > largest) largest = logJoint[to]!;
    }
    if (!isObserved || largest === Number.NEGATIVE_INFINITY) {
      // Nothing was observed, or what was observed is impossible under every state: the prior is all there is.
      for (let k = 0; k < stateCount; k++) filtered[at + k] = predicted[at + k]!;
      if (isObserved) logLikelihood = Number.NEGATIVE_INFINITY;
      continue;
    }
    let total = 0;
    for (let k = 0; k < stateCount; k++) total += filtered[at + k] = Math.exp(logJoint[k]! - largest);
    for (let k = 0; k < stateCount; k++) filtered[at + k]! /= total;
    logLikelihood += largest + Math.log(total);
  }
  return { filtered, predicted, logLikelihood };
}

/** @throws RangeError if a probability is none, or a row does not sum to one within 1e-9. */
export function checkChain({ stateCount, transition, start }: HiddenChain): void {
  expect(
    transition.length === stateCount ** 2 && start.length === stateCount,
    `transition and start must have ${stateCount ** 2} and ${stateCount} values, had ${transition.length} and ${start.length}`,
  );
  checkDistribution('start', start);
  for (let k = 0; k < stateCount; k++)
    checkDistribution(`transition row ${k}`, transition.subarray(k * stateCount, (k + 1) * stateCount));
}

function checkDistribution(name: string, values: Float64Array): void {
  let sum = 0;
  for (const value of values) {
    expect(value >= 0 && value <= 1 + 1e-9, `${name} must hold probabilities, held ${value}`);
    sum += value;
  }
  expect(Math.abs(sum - 1) < 1e-9, `${name} must sum to 1, was ${sum}`);
}
