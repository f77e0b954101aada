import { expect } from '../checks/expect.ts';

/** A distribution on the positive numbers, or a part of them. */
export type PositiveDistribution = {
  density: (x: number) => number;
  /** P(X <= x). */
  cdf: (x: number) => number;
  /** P(X > x), accurate where it is small. */
  tail: (x: number) => number;
};

const STEPS_MAX = 200;

/**
 * The x > 0 with P(X <= x) = `probability`: Newton steps on the log of the nearer tail, kept in a bracket by halving.
 *
 * @param start Where to begin to look, > 0.
 * @param end End of the support.
 * @throws RangeError if `probability` lies outside 0..1.
 */
export function findQuantile(
  distribution: PositiveDistribution,
  probability: number,
  start: number,
  end = Number.POSITIVE_INFINITY,
): number {
  checkProbability(probability);
  if (probability === 0) return 0;
  if (probability === 1) return end;
  if (probability > 0.5) return findUpperQuantile(distribution, 1 - probability, start, end);
  return solve(distribution.cdf, distribution.density, 1, probability, start, end);
}

/** The x > 0 with P(X > x) = `share`, 0 < `share` < 1: keeps the digits of a small share. */
export function findUpperQuantile(
  distribution: PositiveDistribution,
  share: number,
  start: number,
  end = Number.POSITIVE_INFINITY,
): number {
  return solve(distribution.tail, distribution.density, -1, share, start, end);
}

export function checkProbability(probability: number): void {
  expect(probability >= 0 && probability <= 1, `probability must be in 0..1, was ${probability}`);
}

/** @param direction 1 where `share` grows with x, −1 where it falls. */
function solve(
  share: (x: number) => number,
  density: (x: number) => number,
  direction: 1 | -1,
  wanted: number,
  start: number,
  end: number,
): number {
  let low = 0;
  let high = end;
  let x = start;
  for (let step = 0; step < STEPS_MAX; step++) {
    const value = share(x);
    if (value === wanted) return x;
    if (direction * (value - wanted) < 0) low = x;
    else high = x;
    let next = x - (direction * Math.log(value / wanted) * value) / density(x);
    if (!(next > low && next < high)) next = middle(low, high);
    if (Math.abs(next - x) <= 2 ** -52 * x) return next;
    x = next;
  }
  return x;
}

/** A point between the ends: by orders of magnitude where they lie far apart. */
function middle(low: number, high: number): number {
  if (high === Number.POSITIVE_INFINITY) return 2 * low;
  if (low === 0) return high / 16;
  return high > 4 * low ? Math.sqrt(low) * Math.sqrt(high) : low + (high - low) / 2;
}
