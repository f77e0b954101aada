import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';

/** States are points among the features; staying is free, a jump costs `jumpPenalty`. */
export type JumpModel = {
  stateCount: number;
  featureCount: number;
  /** Row-major K × F, in the units of the standardised features. */
  centre: Float64Array;
  jumpPenalty: number;
};

export type JumpFit =
  | { status: 'fitted'; model: JumpModel; states: Uint8Array; objective: number }
  | { status: 'undefined'; reason: 'too little history' };

export type JumpSettings = { stateCount: number; jumpPenalty: number; restarts: number; roundsMax: number };

export const JUMP_DEFAULTS: JumpSettings = { stateCount: 3, jumpPenalty: 5, restarts: 6, roundsMax: 100 };

/** Rows a state must have on average before a fit is tried. */
const ROWS_PER_STATE_MIN = 40;

/**
 * Fits a statistical jump model by coordinate descent: the cheapest path for given centres by dynamic programming, then the
 * centres for the path, until nothing moves; the best of several seeded starts counts.
 *
 * Minimises Σ ½·|x(t) − centre(s(t))|² + jumpPenalty·(number of jumps). `states` is the path of the training data and sees all
 * of it; days afterwards are read with `readJumpStates`. Rows with a NaN cost nothing in any state. Time
 * O(restarts · rounds · T·K·(F + K)).
 *
 * @param features Row-major T × F, standardised by the caller on the training window.
 * @see Bemporad, Breschi, Piga and Boyd (2018), doi:10.1016/j.automatica.2018.07.002; Nystrup, Lindström and Madsen (2020),
 *   doi:10.1016/j.eswa.2020.113307
 */
export function fitJumpModel(
  features: Float64Array,
  featureCount: number,
  random: Random,
  settings: Partial<JumpSettings> = {},
): JumpFit {
  const { stateCount, jumpPenalty, restarts, roundsMax } = { ...JUMP_DEFAULTS, ...settings };
  expect(features.length % featureCount === 0, `features must have ${featureCount} values a row`);
  expect(jumpPenalty >= 0, `jumpPenalty must not be negative, was ${jumpPenalty}`);
  const whole = wholeRows(features, featureCount);
  if (whole.length < stateCount * ROWS_PER_STATE_MIN) return { status: 'undefined', reason: 'too little history' };
  let best: { model: JumpModel; states: Uint8Array; objective: number } | null = null;
  for (let k = 0; k <= restarts; k++) {
    let model: JumpModel = {
      stateCount,
      featureCount,
      jumpPenalty,
      centre: spreadCentres(features, featureCount, whole, stateCount, random.split(`start/${k}`)),
    };
    let { states, objective } = cheapestPath(features, model);
    for (let round = 0; round < roundsMax; round++) {
      model = { ...model, centre: centresOf(features, model, states) };
      const next = cheapestPath(features, model);
      const isSettled = next.objective >= objective - 1e-10 * Math.abs(objective);
      states = next.states;
      objective = next.objective;
      if (isSettled) break;
    }
    if (best === null || objective < best.objective) best = { model, states, objective };
  }
  return { status: 'fitted', ...best! };
}

/**
 * The state each row is in as far as rows up to it tell: the end of the cheapest path that ends there.
 *
 * Row t depends on rows 0..t only; a later row may make an earlier state look wrong, and does not change it.
 */
export function readJumpStates(features: Float64Array, model: JumpModel): Uint8Array {
  const { stateCount: K, featureCount: F } = model;
  const rowCount = features.length / F;
  const states = new Uint8Array(rowCount);
  const value = new Float64Array(K);
  for (let t = 0; t < rowCount; t++) {
    const loss = lossesOf(features, t, model);
    let cheapest = Number.POSITIVE_INFINITY;
    for (const known of value) cheapest = Math.min(cheapest, known);
    let best = 0;
    for (let k = 0; k < K; k++) {
      value[k] = loss[k]! + (t === 0 ? 0 : Math.min(value[k]!, cheapest + model.jumpPenalty));
      if (value[k]! < value[best]!) best = k;
    }
    // Only differences matter; a long series would lose them in a large sum.
    const lowest = value[best]!;
    for (let k = 0; k < K; k++) value[k]! -= lowest;
    states[t] = best;
  }
  return states;
}

function wholeRows(features: Float64Array, featureCount: number): number[] {
  const rows: number[] = [];
  for (let t = 0; t < features.length / featureCount; t++)
    if (features.subarray(t * featureCount, (t + 1) * featureCount).every(Number.isFinite)) rows.push(t);
  return rows;
}

/** First centres far from each other: each is drawn with a chance that grows with the square of its distance to those before. */
function spreadCentres(
  features: Float64Array,
  F: number,
  whole: readonly number[],
  stateCount: number,
  random: Random,
): Float64Array {
  const centre = new Float64Array(stateCount * F);
  const distance = new Float64Array(whole.length).fill(Number.POSITIVE_INFINITY);
  let chosen = whole[random.integer(whole.length)]!;
  for (let k = 0; k < stateCount; k++) {
    centre.set(features.subarray(chosen * F, (chosen + 1) * F), k * F);
    let total = 0;
    whole.forEach((row, at) => {
      let square = 0;
      for (let f = 0; f < F; f++) square += (features[row * F + f]! - centre[k * F + f]!) ** 2;
      distance[at] = Math.min(distance[at]!, square);
      total += distance[at]!;
    });
    let draw = random.uniform() * total;
    for (let at = 0; at < whole.length; at++) {
      draw -= distance[at]!;
      if (draw > 0) continue;
      chosen = whole[at]!;
      break;
    }
  }
  return centre;
}

function lossesOf(features: Float64Array, t: number, { stateCount, featureCount: F, centre }: JumpModel): Float64Array {
  const loss = new Float64Array(stateCount);
  for (let k = 0; k < stateCount; k++) {
    let square = 0;
    for (let f = 0; f < F; f++) square += (features[t * F + f]! - centre[k * F + f]!) ** 2;
    loss[k] = Number.isFinite(square) ? 0.5 * square : 0;
  }
  return loss;
}

/** Viterbi's way through the rows, with jumps priced instead of improbable. */
function cheapestPath(features: Float64Array, model: JumpModel): { states: Uint8Array; objective: number } {
  const { stateCount: K, featureCount: F, jumpPenalty } = model;
  const rowCount = features.length / F;
  const cameFrom = new Uint8Array(rowCount * K);
  let value = new Float64Array(K);
  for (let t = 0; t < rowCount; t++) {
    const loss = lossesOf(features, t, model);
    let cheapest = 0;
    for (let k = 1; k < K; k++) if (value[k]! < value[cheapest]!) cheapest = k;
    const next = new Float64Array(K);
    for (let k = 0; k < K; k++) {
      const jumps = t > 0 && value[cheapest]! + jumpPenalty < value[k]!;
      cameFrom[t * K + k] = jumps ? cheapest : k;
      next[k] = loss[k]! + (jumps ? value[cheapest]! + jumpPenalty : value[k]!);
    }
    value = next;
  }
  let state = 0;
  for (let k = 1; k < K; k++) if (value[k]! < value[state]!) state = k;
  const objective = value[state]!;
  const states = new Uint8Array(rowCount);
  for (let t = rowCount - 1; t >= 0; t--) {
    states[t] = state;
    state = cameFrom[t * K + state]!;
  }
  return { states, objective };
}

/** Means of the rows of each state; a state without rows stays where it was. */
function centresOf(features: Float64Array, model: JumpModel, states: Uint8Array): Float64Array {
  const { stateCount: K, featureCount: F } = model;
  const sum = new Float64Array(K * F);
  const count = new Float64Array(K);
  for (const t of wholeRows(features, F)) {
    const state = states[t]!;
    count[state]! += 1;
    for (let f = 0; f < F; f++) sum[state * F + f]! += features[t * F + f]!;
  }
  return sum.map((value, at) => {
    const rows = count[Math.floor(at / F)]!;
    return rows > 0 ? value / rows : model.centre[at]!;
  });
}
