import { expect } from '../checks/expect.ts';
import { createRandom } from '../random/random.ts';

/** `gaussian` as defined, `t5` with t(5) shocks of the same variance, `equal-volatility` with .17 in every regime. */
export type RegimeVariant = 'gaussian' | 't5' | 'equal-volatility';

/** Parameters in the order bull, sideways, bear. Annual figures are of log returns and 252 days. */
export type RegimeSimulatorParameters = {
  meanAnnual: readonly number[];
  volatilityAnnual: readonly number[];
  stayDays: readonly number[];
  /** Where a regime goes when it is left, row-major 3 × 3. */
  nextRegime: readonly number[];
};

export type RegimePath = {
  /** 0 bull, 1 sideways, 2 bear; one entry a day. */
  regime: Uint8Array;
  /** Log return of each day. */
  logReturn: Float64Array;
  /** Close of each day; the close before the first day is 100. */
  close: Float64Array;
};

export const REGIME_NAMES = ['bull', 'sideways', 'bear'] as const;

/** Simulator A of the study `regimes`. Frozen: changing it makes every earlier figure of that study another study. */
export const SIMULATOR_A: RegimeSimulatorParameters = {
  meanAnnual: [0.15, 0, -0.25],
  volatilityAnnual: [0.11, 0.17, 0.3],
  stayDays: [250, 120, 80],
  nextRegime: [0, 0.7, 0.3, 0.5, 0, 0.5, 0.4, 0.6, 0],
};

export const SIMULATOR_A_DAY_COUNT = 5040;
export const SIMULATOR_A_TRAINING_DAYS = 2520;
export const SIMULATOR_A_SEED_FIRST = 1;
export const SIMULATOR_A_SEED_LAST = 200;

const DAYS_PER_YEAR = 252;

/** Parameters of a variant: the study's oracle filters with exactly these. */
export function regimeSimulatorParameters(variant: RegimeVariant): RegimeSimulatorParameters {
  return variant === 'equal-volatility' ? { ...SIMULATOR_A, volatilityAnnual: [0.17, 0.17, 0.17] } : SIMULATOR_A;
}

/**
 * A path of Simulator A: a hidden three-state chain with geometric stays and a uniform start, daily closes from independent
 * shocks given the state. The chain of a seed is the same in every variant, and a longer path begins with the shorter one.
 *
 * @param seed Integer in 0..2^32-1; the study uses 1..200.
 * @throws RangeError if `dayCount` is not a positive integer or the seed is none.
 */
export function simulateRegimePath(
  seed: number,
  variant: RegimeVariant = 'gaussian',
  dayCount: number = SIMULATOR_A_DAY_COUNT,
): RegimePath {
  expect(Number.isInteger(dayCount) && dayCount > 0, `dayCount must be a positive integer, was ${dayCount}`);
  const parameters = regimeSimulatorParameters(variant);
  const root = createRandom(seed).split('simulator-a');
  const chain = root.split('chain');
  const shocks = root.split('shocks');
  const regime = new Uint8Array(dayCount);
  const logReturn = new Float64Array(dayCount);
  const close = new Float64Array(dayCount);
  let state = chain.integer(3);
  let logClose = Math.log(100);
  for (let t = 0; t < dayCount; t++) {
    if (t > 0 && chain.uniform() < 1 / parameters.stayDays[state]!) {
      state = drawNext(parameters.nextRegime, state, chain.uniform());
    }
    // A t(5) variable has variance 5/3.
    const shock = variant === 't5' ? shocks.studentT(5) / Math.sqrt(5 / 3) : shocks.normal();
    regime[t] = state;
    logReturn[t] =
      parameters.meanAnnual[state]! / DAYS_PER_YEAR +
      (parameters.volatilityAnnual[state]! / Math.sqrt(DAYS_PER_YEAR)) * shock;
    logClose += logReturn[t]!;
    close[t] = Math.exp(logClose);
  }
  return { regime, logReturn, close };
}

function drawNext(nextRegime: readonly number[], state: number, uniform: number): number {
  let cumulated = 0;
  let last = state;
  for (let to = 0; to < 3; to++) {
    const share = nextRegime[state * 3 + to]!;
    if (share === 0) continue;
    cumulated += share;
    last = to;
    if (uniform < cumulated) return to;
  }
  return last;
}
