import { expect } from '../checks/expect.ts';
import { findQuantile } from './find-quantile.ts';
import { incompleteBeta, logBeta } from './special-functions.ts';

/**
 * Density of the F distribution at x, zero for x < 0 and NaN for NaN.
 *
 * @param above Degrees of freedom of the numerator, > 0.
 * @param below Degrees of freedom of the denominator, > 0.
 * @throws RangeError on degrees that are not positive and finite; so do the functions below.
 */
export function fisherDensity(x: number, above: number, below: number): number {
  checkDegrees(above, below);
  if (Number.isNaN(x)) return Number.NaN;
  if (x < 0) return 0;
  if (x === 0) return above > 2 ? 0 : above === 2 ? 1 : Number.POSITIVE_INFINITY;
  const ratio = (above * x) / below;
  const power = (above / 2) * Math.log(ratio) - ((above + below) / 2) * Math.log1p(ratio);
  return Math.exp(power - logBeta(above / 2, below / 2)) / x;
}

/** P(X <= x). */
export function fisherCdf(x: number, above: number, below: number): number {
  return both(x, above, below).lower;
}

/** P(X > x), accurate where it is small: the p-value of a statistic. */
export function fisherTail(x: number, above: number, below: number): number {
  return both(x, above, below).upper;
}

/** The x with P(X <= x) = `probability`; infinite at 1. */
export function fisherQuantile(probability: number, above: number, below: number): number {
  checkDegrees(above, below);
  const distribution = {
    density: (x: number) => fisherDensity(x, above, below),
    cdf: (x: number) => fisherCdf(x, above, below),
    tail: (x: number) => fisherTail(x, above, below),
  };
  return findQuantile(distribution, probability, 1);
}

function both(x: number, above: number, below: number): { lower: number; upper: number } {
  checkDegrees(above, below);
  if (Number.isNaN(x)) return { lower: Number.NaN, upper: Number.NaN };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  const ratio = (above * Math.max(x, 0)) / below;
  return incompleteBeta(above / 2, below / 2, ratio / (1 + ratio), 1 / (1 + ratio));
}

function checkDegrees(above: number, below: number): void {
  expect(above > 0 && above < Number.POSITIVE_INFINITY, `degrees must be positive, were ${above}`);
  expect(below > 0 && below < Number.POSITIVE_INFINITY, `degrees must be positive, were ${below}`);
}
