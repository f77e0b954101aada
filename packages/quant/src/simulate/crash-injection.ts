import { expect } from '../checks/expect.ts';

export type Crash = {
  /** First day of the crash, an index into the returns. */
  at: number;
  /** The whole move as a log return, below zero. */
  size: number;
  /** Days it takes. */
  days: number;
  /** Volatility right after it over what it was, at least 1; it goes back with the half-life in days. */
  aftershock: number;
  halfLife: number;
};

/**
 * The returns with a crash in them: its size spread over its days, the first day taking the largest part, and the days
 * after it wider around their mean.
 *
 * @returns A copy; days past the end are left out, so that a crash at the end shows only its first days.
 * @throws RangeError for a crash that does not fall, lies outside, or calms volatility.
 */
export function injectCrash(returns: Float64Array, crash: Crash): Float64Array {
  const { at, size, days, aftershock, halfLife } = crash;
  expect(size < 0, `a crash must fall, its size was ${size}`);
  expect(Number.isInteger(days) && days >= 1, `days must be a positive whole number, was ${days}`);
  expect(Number.isInteger(at) && at >= 0 && at < returns.length, `a crash must begin in the returns, at was ${at}`);
  expect(aftershock >= 1 && halfLife > 0, 'an aftershock must be at least 1 and its half-life positive');
  const changed = returns.slice();
  const center = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  // Weights n, n − 1, … 1.
  const total = (days * (days + 1)) / 2;
  for (let k = 0; k < days && at + k < changed.length; k++) changed[at + k]! += (size * (days - k)) / total;
  for (let t = at + days; t < changed.length; t++) {
    const factor = 1 + (aftershock - 1) * 0.5 ** ((t - at - days) / halfLife);
    changed[t] = center + factor * (returns[t]! - center);
  }
  return changed;
}
