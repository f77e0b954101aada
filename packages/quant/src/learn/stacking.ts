import { expect } from '../checks/expect.ts';
import { cholesky, solveCholesky } from '../linalg/cholesky.ts';

/** squared: mean (Σ w x − y)². log: mean −ln of the probability Σ w x that was given to what came. */
export type StackingLoss = 'squared' | 'log';

/** A probability below this counts as this, so that one sure mistake does not decide alone. */
const PROBABILITY_MIN = 1e-6;
/** Draws members that tell the same towards equal weights; as a share of the mean diagonal. */
const RIDGE_SHARE = 1e-10;
const STEPS_MAX = 100;
const HALVINGS_MAX = 40;
const SETTLED = 1e-12;

/**
 * Weights of the members of an ensemble, none negative, adding up to 1, that make the loss of the mixture least on
 * predictions for rows the members had not seen. The problem is convex; the answer does not depend on any seed.
 *
 * Rows in which a member or the target is missing (NaN) are left out.
 *
 * @param predictions Row-major rows × members: out-of-fold predictions; for `log` probabilities of 1.
 * @param target One a row; for `log` 0 or 1. @param weight One a row, >= 0; null: all 1.
 * @returns One weight a member.
 * @throws RangeError on a wrong shape, no member, or no whole row with a weight.
 * @see Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1; Breiman 1996, doi:10.1007/BF00117832.
 */
export function stackingWeights(
  predictions: Float64Array,
  memberCount: number,
  target: Float64Array,
  loss: StackingLoss,
  weight: Float64Array | null = null,
): Float64Array {
  const m = memberCount;
  expect(Number.isInteger(m) && m >= 1, `there must be at least one member, were ${m}`);
  expect(
    predictions.length === m * target.length,
    `predictions must be ${target.length} × ${m}, were ${predictions.length}`,
  );
  expect(
    weight === null || weight.length === target.length,
    `weight must have ${target.length} values, had ${weight?.length}`,
  );
  const rows = wholeRows(predictions, m, target, weight);
  expect(rows.length >= 1, 'no row has a target and a prediction of every member');
  const data: StackData = { predictions, m, target, weight, rows };
  const start = new Float64Array(m).fill(1 / m);
  if (m === 1) return start;
  if (loss === 'squared') {
    const { gram, slope } = expandSquared(data);
    return leastOnSimplex(gram, slope, m, start);
  }
  for (const row of rows)
    expect(
      target[row] === 0 || target[row] === 1,
      `target must be 0 or 1 for the log loss, row ${row} was ${target[row]}`,
    );
  return minimiseLog(data, start);
}

type StackData = {
  predictions: Float64Array;
  m: number;
  target: Float64Array;
  weight: Float64Array | null;
  rows: number[];
};

function wholeRows(predictions: Float64Array, m: number, target: Float64Array, weight: Float64Array | null): number[] {
  return Array.from(target.keys()).filter((row) => {
    if (!Number.isFinite(target[row]!) || (weight !== null && !(weight[row]! > 0))) return false;
    for (let k = 0; k < m; k++) if (!Number.isFinite(predictions[row * m + k]!)) return false;
    return true;
  });
}

/** The mean squared error is wᵀ gram w / 2 − slope·w, and a constant. */
function expandSquared({ predictions, m, target, weight, rows }: StackData) {
  const gram = new Float64Array(m * m);
  const slope = new Float64Array(m);
  for (const row of rows) {
    const own = (weight?.[row] ?? 1) / rows.length;
    for (let i = 0; i < m; i++) {
      const x = own * predictions[row * m + i]!;
      slope[i]! += x * target[row]!;
      for (let j = 0; j < m; j++) gram[i * m + j]! += x * predictions[row * m + j]!;
    }
  }
  return { gram, slope };
}

/** Newton steps, each to the best weights by the parabola that the loss looks like from here, halved until it falls. */
function minimiseLog(data: StackData, start: Float64Array): Float64Array {
  const { m } = data;
  let at = start;
  let value = logLoss(data, at);
  for (let step = 0; step < STEPS_MAX; step++) {
    const { gram, slope } = expandLog(data, at);
    const goal = leastOnSimplex(gram, slope, m, at);
    let share = 1;
    let next = at;
    let told = value;
    for (let halving = 0; halving < HALVINGS_MAX; halving++) {
      next = at.map((w, k) => w + share * (goal[k]! - w));
      told = logLoss(data, next);
      if (told <= value) break;
      share /= 2;
    }
    if (!(told < value)) return at;
    const moved = next.reduce((most, w, k) => Math.max(most, Math.abs(w - at[k]!)), 0);
    at = next;
    value = told;
    if (moved < SETTLED) break;
  }
  return at;
}

/** What the mixture gave to what came, as a linear function of the weights: members' shares of it. */
function givenTo(y: number, p: number): number {
  return Math.max(PROBABILITY_MIN, y === 1 ? p : 1 - p);
}

function logLoss({ predictions, m, target, weight, rows }: StackData, w: Float64Array): number {
  let sum = 0;
  for (const row of rows) {
    let given = 0;
    for (let k = 0; k < m; k++) given += w[k]! * givenTo(target[row]!, predictions[row * m + k]!);
    sum -= (weight?.[row] ?? 1) * Math.log(given);
  }
  return sum / rows.length;
}

/** Second-order expansion around `at`, written as wᵀ gram w / 2 − slope·w. */
function expandLog({ predictions, m, target, weight, rows }: StackData, at: Float64Array) {
  const gram = new Float64Array(m * m);
  const slope = new Float64Array(m);
  const given = new Float64Array(m);
  for (const row of rows) {
    let mixture = 0;
    for (let k = 0; k < m; k++) {
      given[k] = givenTo(target[row]!, predictions[row * m + k]!);
      mixture += at[k]! * given[k]!;
    }
    const own = (weight?.[row] ?? 1) / rows.length;
    for (let i = 0; i < m; i++) {
      const share = given[i]! / mixture;
      // Gradient −share and gram·at = share: together twice the share on the right-hand side.
      slope[i]! += 2 * own * share;
      for (let j = 0; j < m; j++) gram[i * m + j]! += (own * share * given[j]!) / mixture;
    }
  }
  return { gram, slope };
}

/**
 * The weights, none negative and of sum 1, where wᵀ gram w / 2 − slope·w is least: solves for the free ones, goes there as
 * far as none turns negative, and frees one again where that pays, until none does.
 */
function leastOnSimplex(gram: Float64Array, slope: Float64Array, m: number, start: Float64Array): Float64Array {
  let trace = 0;
  for (let k = 0; k < m; k++) trace += gram[k * m + k]!;
  const ridge = (RIDGE_SHARE * trace) / m || 1;
  const w = start.slice();
  const free = Array.from(w.keys()).filter((k) => w[k]! > 0);
  for (let step = 0; step < STEPS_MAX * m; step++) {
    const goal = solveFree(gram, slope, m, ridge, free);
    if (goal === null) break;
    const { weights, price } = goal;
    let share = 1;
    let blocking = -1;
    free.forEach((k, i) => {
      if (weights[i]! >= 0) return;
      const reach = w[k]! / (w[k]! - weights[i]!);
      if (reach < share || blocking < 0) [share, blocking] = [Math.min(share, reach), k];
    });
    free.forEach((k, i) => {
      w[k]! += share * (weights[i]! - w[k]!);
    });
    if (blocking >= 0) {
      w[blocking] = 0;
      free.splice(free.indexOf(blocking), 1);
      continue;
    }
    const entering = mostWanted(gram, slope, m, ridge, w, free, price);
    if (entering < 0) break;
    free.push(entering);
    free.sort((a, b) => a - b);
  }
  const sum = w.reduce((total, x) => total + x, 0);
  return w.map((x) => x / sum);
}

/** Best weights of the free members alone, of sum 1, and what one more unit of weight would cost; null where rounding wins. */
function solveFree(gram: Float64Array, slope: Float64Array, m: number, ridge: number, free: readonly number[]) {
  const n = free.length;
  const part = new Float64Array(n * n);
  const right = new Float64Array(2 * n);
  free.forEach((k, i) => {
    free.forEach((l, j) => {
      part[i * n + j] = gram[k * m + l]! + (i === j ? ridge : 0);
    });
    right[2 * i] = slope[k]!;
    right[2 * i + 1] = 1;
  });
  const factor = cholesky(part, n);
  if (factor === null) return null;
  const solved = solveCholesky(factor, n, right, 2);
  let [best, ones] = [0, 0];
  for (let i = 0; i < n; i++) {
    best += solved[2 * i]!;
    ones += solved[2 * i + 1]!;
  }
  const price = (best - 1) / ones;
  return { weights: Float64Array.from(free, (_, i) => solved[2 * i]! - price * solved[2 * i + 1]!), price };
}

/** The member at zero whose weight pays most; −1 where none pays. */
function mostWanted(
  gram: Float64Array,
  slope: Float64Array,
  m: number,
  ridge: number,
  w: Float64Array,
  free: readonly number[],
  price: number,
): number {
  let [entering, most] = [-1, SETTLED * Math.max(1, Math.abs(price))];
  for (let k = 0; k < m; k++) {
    if (free.includes(k)) continue;
    let gain = slope[k]! - price - ridge * w[k]!;
    for (let j = 0; j < m; j++) gain -= gram[k * m + j]! * w[j]!;
    if (gain > most) [entering, most] = [k, gain];
  }
  return entering;
}
