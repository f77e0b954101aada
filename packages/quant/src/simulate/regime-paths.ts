import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { quantile } from '../stats/quantile.ts';

/** K states of normal or t returns and the chance of each to follow each, row-major K × K. Daily. */
export type RegimePathParameters = {
  mean: readonly number[];
  volatility: readonly number[];
  transition: readonly number[];
  /** > 2; Infinity for normal shocks. */
  degreesOfFreedom: number;
};

/**
 * Parameters read off the data: each day belongs to the third of the days whose trailing volatility is as high as its own.
 *
 * A plain way to states that is good enough to make data from; states for telling the market are fitted elsewhere.
 *
 * @param returns Log returns, finite, more than twice `window`.
 * @throws RangeError for too few or values that are not finite.
 */
export function readRegimeParameters(returns: Float64Array, window = 42): RegimePathParameters {
  expect(returns.length > 2 * window, `needs more than ${2 * window} returns, had ${returns.length}`);
  expect(returns.every(Number.isFinite), 'returns must be finite');
  const level = new Float64Array(returns.length - window);
  for (let t = window; t < returns.length; t++) {
    let sum = 0;
    for (let k = t - window + 1; k <= t; k++) sum += returns[k]! * returns[k]!;
    level[t - window] = sum;
  }
  const bounds = [quantile(level, 1 / 3), quantile(level, 2 / 3)];
  const states = Uint8Array.from(level, (value) => (value <= bounds[0]! ? 0 : value <= bounds[1]! ? 1 : 2));
  const mean = [0, 0, 0];
  const volatility = [0, 0, 0];
  const transition = new Array<number>(9).fill(0);
  for (let state = 0; state < 3; state++) {
    const own = returns.slice(window).filter((_, t) => states[t] === state);
    mean[state] = own.reduce((sum, value) => sum + value, 0) / own.length;
    volatility[state] = Math.sqrt(own.reduce((sum, value) => sum + (value - mean[state]!) ** 2, 0) / own.length);
    // One move to each state is added, so that none is a trap.
    const moves = [1, 1, 1];
    for (let t = 0; t + 1 < states.length; t++) if (states[t] === state) moves[states[t + 1]!]! += 1;
    const total = moves[0]! + moves[1]! + moves[2]!;
    for (let to = 0; to < 3; to++) transition[3 * state + to] = moves[to]! / total;
  }
  return { mean, volatility, transition, degreesOfFreedom: Number.POSITIVE_INFINITY };
}

/**
 * The states of a path, from a uniform start.
 *
 * @throws RangeError for rows that do not sum to one.
 */
export function simulateStates(
  { transition, mean }: RegimePathParameters,
  dayCount: number,
  random: Random,
): Uint8Array {
  const count = mean.length;
  for (let row = 0; row < count; row++) {
    const sum = transition.slice(row * count, (row + 1) * count).reduce((total, share) => total + share, 0);
    expect(Math.abs(sum - 1) < 1e-9, `transition row ${row} must sum to 1, was ${sum}`);
  }
  const states = new Uint8Array(dayCount);
  let state = random.integer(count);
  for (let t = 0; t < dayCount; t++) {
    states[t] = state;
    const draw = random.uniform();
    let cumulated = 0;
    let next = count - 1;
    for (let to = 0; to < count; to++) {
      cumulated += transition[state * count + to]!;
      if (draw >= cumulated) continue;
      next = to;
      break;
    }
    state = next;
  }
  return states;
}
