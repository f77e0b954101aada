import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { logGamma } from '../stats/special-functions.ts';
import { type FilteredStates, filterStates, type HiddenChain } from './forward-filter.ts';
import { stationaryDistribution } from './stationary-distribution.ts';

/** A hidden chain whose states draw from a normal, or from a Student t with a fixed number of degrees of freedom. */
export type HmmModel = HiddenChain & {
  /** Location of each state, in the unit of the data. */
  mean: Float64Array;
  /** Standard deviation of each state, in the unit of the data; with t emissions still the standard deviation. */
  sd: Float64Array;
  /** Infinity for the normal; above 2 otherwise. */
  degreesOfFreedom: number;
};

export type HmmFitSettings = {
  /** 2 or 3. */
  stateCount: number;
  /** Random starts beside the one from the sorted data. */
  restarts: number;
  /** `stationary`: the first day is drawn from the chain's long-run distribution; `free`: estimated with the rest. */
  start: 'stationary' | 'free';
  /** Infinity: Gaussian. `estimated`: the likeliest of `DEGREES_OF_FREEDOM` on the training data. */
  degreesOfFreedom: number | 'estimated';
  /** Steps each start is given before the best go on. */
  stepsFirst: number;
  stepsMax: number;
  /** Stops when a step gains less log-likelihood than this. */
  tolerance: number;
  /** Days that a prior belief counts for in each row of the chain; 0: maximum likelihood. */
  stayPriorDays: number;
  /** Mean stay that the prior believes in. Used only when `stayPriorDays` is above 0. */
  stayPriorMean: number;
  /** One more start: the fit before. */
  from?: HmmModel;
};

export type HmmFit =
  | { status: 'fitted'; model: HmmModel; logLikelihood: number; stepCount: number; isConverged: boolean }
  | { status: 'undefined'; reason: 'too little history' | 'constant values' };

export const HMM_DEFAULTS: HmmFitSettings = {
  stateCount: 3,
  restarts: 8,
  start: 'stationary',
  degreesOfFreedom: Number.POSITIVE_INFINITY,
  stepsFirst: 25,
  stepsMax: 500,
  tolerance: 1e-6,
  stayPriorDays: 0,
  stayPriorMean: 100,
};

/** Tails that `estimated` chooses from, wild to normal. */
export const DEGREES_OF_FREEDOM: readonly number[] = [4, 5, 6, 8, 12, 20, Number.POSITIVE_INFINITY];
/** Where `estimated` begins: tails between the wildest and the normal, so that both are near. */
const DEGREES_OF_FREEDOM_FIRST = 8;
/** Observations a state must have on average before a fit is tried. */
export const OBSERVATIONS_PER_STATE_MIN = 40;
/** Starts that go on after `stepsFirst`. */
const FINALISTS = 2;
/** A state's variance may not fall below this share of the data's: a state on one value has infinite likelihood. */
const VARIANCE_SHARE_MIN = 1e-4;

/**
 * Fits a hidden Markov model with normal emissions by expectation-maximisation from several seeded starts; the best counts.
 *
 * Under a `stationary` start the chain's own contribution to the first day is part of the maximisation: the step's fixed points
 * satisfy the conditions of the full likelihood, not of the likelihood given the first state. NaN are days without an
 * observation. States come out ordered by standard deviation, smallest first. Time O(restarts · steps · T·K²).
 *
 * @param values One value a row, in any unit.
 * @param random Draws the starts; the same seed gives the same fit.
 * @throws RangeError if a setting breaks its rule.
 * @see Baum et al. (1970), doi:10.1214/aoms/1177697196; Kim (1994), doi:10.1016/0304-4076(94)90036-1 for the smoother;
 *   Peel and McLachlan (2000), doi:10.1023/A:1008981510081 for the weights under t emissions
 */
export function fitHmm(values: Float64Array, random: Random, settings: Partial<HmmFitSettings> = {}): HmmFit {
  const full = { ...HMM_DEFAULTS, ...settings };
  const { stateCount, degreesOfFreedom } = full;
  expect(stateCount >= 2 && stateCount <= 4, `stateCount must be 2 to 4, was ${stateCount}`);
  expect(
    degreesOfFreedom === 'estimated' || degreesOfFreedom > 2,
    `degreesOfFreedom must be above 2, was ${degreesOfFreedom}`,
  );
  const observed = values.filter((value) => Number.isFinite(value));
  if (observed.length < stateCount * OBSERVATIONS_PER_STATE_MIN)
    return { status: 'undefined', reason: 'too little history' };
  const centre = observed.reduce((sum, value) => sum + value, 0) / observed.length;
  const variance = observed.reduce((sum, value) => sum + (value - centre) ** 2, 0) / observed.length;
  if (!(variance > 1e-24 * Math.max(1e-12, centre ** 2))) return { status: 'undefined', reason: 'constant values' };
  const floor = VARIANCE_SHARE_MIN * variance;
  const tail = degreesOfFreedom === 'estimated' ? DEGREES_OF_FREEDOM_FIRST : degreesOfFreedom;
  const fromTail = degreesOfFreedom === 'estimated' ? full.from?.degreesOfFreedom : degreesOfFreedom;
  const starts = [
    ...(full.from ? [{ ...full.from, degreesOfFreedom: fromTail ?? tail }] : []),
    startSorted(observed, centre, variance, stateCount, tail),
    ...Array.from({ length: full.restarts }, (_, k) =>
      startRandom(random.split(`start/${k}`), observed, variance, stateCount, tail),
    ),
  ];
  const first = starts
    .map((model) => climb(values, model, full, floor, full.stepsFirst))
    .sort((a, b) => b.objective - a.objective);
  const finalists = first.slice(0, FINALISTS).map((start) => climbOn(values, start, start.model, full, floor));
  let best = finalists.reduce((a, b) => (b.objective > a.objective ? b : a));
  if (degreesOfFreedom === 'estimated') best = climbTails(values, best, full, floor);
  const model = orderByDeviation(best.model);
  return {
    status: 'fitted',
    model,
    logLikelihood: filterHmm(values, model).logLikelihood,
    stepCount: best.stepCount,
    isConverged: best.isConverged,
  };
}

/** Filtered state probabilities of each row under a given model. Appending rows changes no earlier one. */
export function filterHmm(values: Float64Array, model: HmmModel): FilteredStates {
  return filterStates(logDensities(values, model), model);
}

/** Row-major T × K: log density of each value under each state. NaN rows for NaN values. */
export function logDensities(values: Float64Array, { stateCount, mean, sd, degreesOfFreedom }: HmmModel): Float64Array {
  const result = new Float64Array(values.length * stateCount);
  const isNormal = degreesOfFreedom === Number.POSITIVE_INFINITY;
  // A t variable has variance ν/(ν−2): `scale` is what its unit-scale form is multiplied by to get `sd`.
  const shrink = isNormal ? 1 : Math.sqrt((degreesOfFreedom - 2) / degreesOfFreedom);
  const constant = isNormal
    ? -0.5 * Math.log(2 * Math.PI)
    : logGammaRatio(degreesOfFreedom) - 0.5 * Math.log(degreesOfFreedom * Math.PI);
  for (let k = 0; k < stateCount; k++) {
    const scale = sd[k]! * shrink;
    const offset = constant - Math.log(scale);
    for (let t = 0; t < values.length; t++) {
      const z = (values[t]! - mean[k]!) / scale;
      result[t * stateCount + k] =
        offset - (isNormal ? 0.5 * z * z : ((degreesOfFreedom + 1) / 2) * Math.log1p((z * z) / degreesOfFreedom));
    }
  }
  return result;
}

/** ln Γ((ν+1)/2) − ln Γ(ν/2): the constant of a t density without its √(νπ). */
export function logGammaRatio(degreesOfFreedom: number): number {
  return logGamma((degreesOfFreedom + 1) / 2) - logGamma(degreesOfFreedom / 2);
}

/** Goes on from a model for as many steps as are left. */
function climbOn(values: Float64Array, before: Climb, from: HmmModel, settings: HmmFitSettings, floor: number): Climb {
  const next = climb(values, from, settings, floor, Math.max(1, settings.stepsMax - before.stepCount));
  return { ...next, stepCount: next.stepCount + before.stepCount };
}

/** Tries the next lighter tails, then the next wilder ones, for as long as they are likelier; each begins where the last ended. */
function climbTails(values: Float64Array, from: Climb, settings: HmmFitSettings, floor: number): Climb {
  let best = from;
  for (const direction of [1, -1]) {
    let at = DEGREES_OF_FREEDOM.indexOf(best.model.degreesOfFreedom) + direction;
    for (; at >= 0 && at < DEGREES_OF_FREEDOM.length; at += direction) {
      const start = { ...best.model, degreesOfFreedom: DEGREES_OF_FREEDOM[at]! };
      const next = climbOn(values, { ...best, stepCount: 0 }, start, settings, floor);
      if (next.objective <= best.objective) break;
      best = next;
    }
    if (best !== from) break;
  }
  return best;
}

type Climb = { model: HmmModel; objective: number; stepCount: number; isConverged: boolean };

function climb(values: Float64Array, from: HmmModel, settings: HmmFitSettings, floor: number, steps: number): Climb {
  let model = from;
  let last = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const states = filterHmm(values, model);
    const objective = states.logLikelihood + logPrior(model, settings);
    if (objective - last < settings.tolerance && step > 0)
      return { model, objective, stepCount: step, isConverged: true };
    last = objective;
    model = maximise(values, model, states, settings, floor);
  }
  const objective = filterHmm(values, model).logLikelihood + logPrior(model, settings);
  return { model, objective, stepCount: steps, isConverged: false };
}

/** Log of the prior belief about stays, up to a constant: as if `stayPriorDays` days had been seen in each state. */
function logPrior({ stateCount, transition }: HmmModel, { stayPriorDays, stayPriorMean }: HmmFitSettings): number {
  if (stayPriorDays === 0) return 0;
  let sum = 0;
  for (let from = 0; from < stateCount; from++)
    for (let to = 0; to < stateCount; to++)
      sum +=
        priorCount(from === to, stateCount, stayPriorDays, stayPriorMean) *
        Math.log(Math.max(transition[from * stateCount + to]!, 1e-300));
  return sum;
}

function priorCount(isStay: boolean, stateCount: number, days: number, meanStay: number): number {
  return isStay ? days * (1 - 1 / meanStay) : days / meanStay / (stateCount - 1);
}

/** Sums over the training data, each row weighted with the belief in each state given all rows. */
type Sums = { weight: Float64Array; tailWeight: Float64Array; sum: Float64Array; square: Float64Array };

/** One step: the expected counts and moments given all rows of the training data, and the parameters that fit them best. */
function maximise(
  values: Float64Array,
  model: HmmModel,
  states: FilteredStates,
  settings: HmmFitSettings,
  floor: number,
): HmmModel {
  const { stateCount: K, degreesOfFreedom } = model;
  const rowCount = values.length;
  const moves = new Float64Array(K * K);
  // Belief of the row at hand given all rows; runs backwards and is never handed out: it looks ahead.
  const belief = states.filtered.slice((rowCount - 1) * K);
  const empty = (): Float64Array => new Float64Array(K);
  const ratio = empty();
  const sums: Sums = { weight: empty(), tailWeight: empty(), sum: empty(), square: empty() };
  for (let t = rowCount - 1; t >= 0; t--) {
    if (t < rowCount - 1) stepBack(t, model, states, belief, moves, ratio);
    if (!Number.isNaN(values[t]!)) addRow(values[t]!, model, belief, sums);
  }
  const shrink = degreesOfFreedom === Number.POSITIVE_INFINITY ? 1 : (degreesOfFreedom - 2) / degreesOfFreedom;
  const mean = empty();
  const sd = empty();
  for (let k = 0; k < K; k++) {
    const shift = sums.tailWeight[k]! > 1e-12 ? sums.sum[k]! / sums.tailWeight[k]! : 0;
    const scatter = sums.square[k]! - shift * sums.sum[k]!;
    mean[k] = model.mean[k]! + shift;
    sd[k] = Math.sqrt(Math.max(floor, sums.weight[k]! > 1e-12 ? scatter / sums.weight[k]! / shrink : 0));
  }
  const transition = nextTransition(model, moves, belief, settings);
  const start = settings.start === 'free' ? normalised(belief) : stationaryDistribution(transition, K).distribution;
  return { ...model, transition, start, mean, sd };
}

/** Kim's smoother: from the belief of row t + 1 to that of row t; adds the expected moves between them. */
function stepBack(
  t: number,
  { stateCount: K, transition }: HmmModel,
  { filtered, predicted }: FilteredStates,
  belief: Float64Array,
  moves: Float64Array,
  ratio: Float64Array,
): void {
  for (let to = 0; to < K; to++) {
    const prior = predicted[(t + 1) * K + to]!;
    ratio[to] = prior > 0 ? belief[to]! / prior : 0;
  }
  for (let from = 0; from < K; from++) {
    const now = filtered[t * K + from]!;
    let total = 0;
    for (let to = 0; to < K; to++) {
      const move = now * transition[from * K + to]! * ratio[to]!;
      moves[from * K + to]! += move;
      total += move;
    }
    belief[from] = total;
  }
}

function addRow(value: number, { mean, sd, degreesOfFreedom }: HmmModel, belief: Float64Array, sums: Sums): void {
  const isNormal = degreesOfFreedom === Number.POSITIVE_INFINITY;
  const shrink = isNormal ? 1 : (degreesOfFreedom - 2) / degreesOfFreedom;
  for (let k = 0; k < belief.length; k++) {
    // Around the state's old mean, so that the squares do not lose the digits of a small variance.
    const distance = value - mean[k]!;
    const z2 = isNormal ? 0 : distance ** 2 / (sd[k]! ** 2 * shrink);
    const tailWeight = belief[k]! * (isNormal ? 1 : (degreesOfFreedom + 1) / (degreesOfFreedom + z2));
    sums.weight[k]! += belief[k]!;
    sums.tailWeight[k]! += tailWeight;
    sums.sum[k]! += tailWeight * distance;
    sums.square[k]! += tailWeight * distance ** 2;
  }
}

/**
 * Rows proportional to the expected moves, to the prior's and, under a stationary start, to a correction that is zero in sum:
 * how much the first day's belief gains when the long-run distribution moves with the chain.
 */
function nextTransition(
  model: HmmModel,
  moves: Float64Array,
  firstBelief: Float64Array,
  settings: HmmFitSettings,
): Float64Array {
  const { stateCount: K, transition } = model;
  const gain = settings.start === 'stationary' ? startGain(model, firstBelief) : new Float64Array(K * K);
  const next = new Float64Array(K * K);
  for (let from = 0; from < K; from++) {
    let mean = 0;
    for (let to = 0; to < K; to++) mean += transition[from * K + to]! * gain[from * K + to]!;
    let total = 0;
    for (let to = 0; to < K; to++) {
      const at = from * K + to;
      const prior =
        settings.stayPriorDays > 0 ? priorCount(from === to, K, settings.stayPriorDays, settings.stayPriorMean) : 0;
      const count = moves[at]! + prior + transition[at]! * (gain[at]! - mean);
      // Never exactly zero: a move that was ruled out once could never come back.
      next[at] = Math.max(count, 1e-12);
      total += next[at]!;
    }
    for (let to = 0; to < K; to++) next[from * K + to]! /= total;
  }
  return next;
}

/** Gradient of Σ belief·ln π with respect to each transition probability. */
function startGain({ stateCount: K, transition }: HmmModel, belief: Float64Array): Float64Array {
  const { distribution, sensitivity } = stationaryDistribution(transition, K);
  const gain = new Float64Array(K * K);
  for (let to = 0; to < K; to++) {
    let sum = 0;
    for (let k = 0; k < K; k++)
      if (belief[k]! > 0) sum += (belief[k]! / Math.max(distribution[k]!, 1e-12)) * sensitivity[to * K + k]!;
    for (let from = 0; from < K; from++) gain[from * K + to] = distribution[from]! * sum;
  }
  return gain;
}

/** A start from the data alone: states split by distance from the centre, calm to wild. */
function startSorted(observed: Float64Array, centre: number, variance: number, K: number, tail: number): HmmModel {
  const distances = observed.map((value) => Math.abs(value - centre)).sort();
  const sd = new Float64Array(K);
  for (let k = 0; k < K; k++) {
    // Medians of the thirds of the distances understate the sd of a state; only their ratio matters for a start.
    const middle = distances[Math.floor(((k + 0.5) / K) * distances.length)]!;
    sd[k] = Math.max(Math.sqrt(variance) * 0.05, 1.2 * middle);
  }
  return chainOf(new Float64Array(K).fill(centre), sd, 0.97, tail);
}

function startRandom(random: Random, observed: Float64Array, variance: number, K: number, tail: number): HmmModel {
  const mean = Float64Array.from({ length: K }, () => observed[random.integer(observed.length)]! * 0.5);
  const sd = Float64Array.from({ length: K }, () => Math.sqrt(variance) * Math.exp(0.8 * random.normal()));
  return chainOf(mean, sd, 0.8 + 0.195 * random.uniform(), tail);
}

function chainOf(mean: Float64Array, sd: Float64Array, stay: number, degreesOfFreedom: number): HmmModel {
  const K = mean.length;
  const transition = Float64Array.from({ length: K * K }, (_, at) =>
    at % (K + 1) === 0 ? stay : (1 - stay) / (K - 1),
  );
  return {
    stateCount: K,
    transition,
    start: new Float64Array(K).fill(1 / K),
    mean,
    sd,
    degreesOfFreedom,
  };
}

function normalised(values: Float64Array): Float64Array {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}

/** States renumbered so that the standard deviations ascend. */
function orderByDeviation(model: HmmModel): HmmModel {
  const order = Array.from(model.sd.keys()).sort((a, b) => model.sd[a]! - model.sd[b]!);
  return reorderStates(model, order);
}

/** The same model with state k taken from `order[k]`. */
export function reorderStates(model: HmmModel, order: readonly number[]): HmmModel {
  const K = model.stateCount;
  const pick = (values: Float64Array) => Float64Array.from(order, (k) => values[k]!);
  return {
    ...model,
    mean: pick(model.mean),
    sd: pick(model.sd),
    start: pick(model.start),
    transition: Float64Array.from(
      { length: K * K },
      (_, at) => model.transition[order[Math.floor(at / K)]! * K + order[at % K]!]!,
    ),
  };
}
