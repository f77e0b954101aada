import { expect } from '../checks/expect.ts';
import { checkProbability, findQuantile, findUpperQuantile } from './find-quantile.ts';
import { incompleteBeta, logBeta } from './special-functions.ts';

/**
 * Density of Student's t at x, NaN for NaN.
 *
 * @param degrees Degrees of freedom, > 0; need not be whole.
 * @throws RangeError if `degrees` is not positive and finite; so do the functions below.
 */
export function studentDensity(x: number, degrees: number): number {
  checkDegrees(degrees);
  const power = -((degrees + 1) / 2) * Math.log1p((x * x) / degrees);
  return Math.exp(power - logBeta(degrees / 2, 0.5)) / Math.sqrt(degrees);
}

/** P(X <= x), accurate in the lower tail. */
export function studentCdf(x: number, degrees: number): number {
  return studentTail(-x, degrees);
}

/** P(X > x), accurate in the upper tail. Twice this at |t| is a two-sided p-value. */
export function studentTail(x: number, degrees: number): number {
  checkDegrees(degrees);
  if (Number.isNaN(x)) return Number.NaN;
  const half = outside(x, degrees).lower / 2;
  return x >= 0 ? half : 1 - half;
}

/** The x with P(X <= x) = `probability`; infinite at 0 and 1. */
export function studentQuantile(probability: number, degrees: number): number {
  checkDegrees(degrees);
  checkProbability(probability);
  if (probability === 0.5) return 0;
  return probability < 0.5 ? -upperQuantile(probability, degrees) : upperQuantile(1 - probability, degrees);
}

/** The x > 0 that leaves `share` < 0.5 above it: the size |X| leaves twice as much. */
function upperQuantile(share: number, degrees: number): number {
  if (share === 0) return Number.POSITIVE_INFINITY;
  const size = {
    density: (x: number) => 2 * studentDensity(x, degrees),
    cdf: (x: number) => outside(x, degrees).upper,
    tail: (x: number) => outside(x, degrees).lower,
  };
  return share > 0.25 ? findQuantile(size, 1 - 2 * share, 1) : findUpperQuantile(size, 2 * share, 1);
}

/** `lower`: the share outside ±x. `upper`: the share inside. */
function outside(x: number, degrees: number): { lower: number; upper: number } {
  const square = x * x;
  if (square === Number.POSITIVE_INFINITY) return { lower: 0, upper: 1 };
  return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + square), square / (degrees + square));
}

function checkDegrees(degrees: number): void {
  expect(degrees > 0 && degrees < Number.POSITIVE_INFINITY, `degrees must be positive, were ${degrees}`);
}
