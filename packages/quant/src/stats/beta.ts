import { expect } from '../checks/expect.ts';
import { findQuantile } from './find-quantile.ts';
import { incompleteBeta, logBeta } from './special-functions.ts';

/**
 * Density of the beta distribution at x, zero outside 0..1 and NaN for NaN.
 *
 * @param a > 0.
 * @param b > 0; the mean is a / (a + b).
 * @throws RangeError on parameters that are not positive and finite; so do the functions below.
 */
export function betaDensity(x: number, a: number, b: number): number {
  checkParameters(a, b);
  if (Number.isNaN(x)) return Number.NaN;
  if (x < 0 || x > 1) return 0;
  // A power of zero is 0, 1 or infinite, whichever the exponent says.
  if (x === 0 || x === 1) return (x ** (a - 1) * (1 - x) ** (b - 1)) / Math.exp(logBeta(a, b));
  return Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - logBeta(a, b));
}

/** P(X <= x). */
export function betaCdf(x: number, a: number, b: number): number {
  checkParameters(a, b);
  return Number.isNaN(x) ? Number.NaN : incompleteBeta(a, b, x).lower;
}

/** P(X > x), accurate where it is small. */
export function betaTail(x: number, a: number, b: number): number {
  checkParameters(a, b);
  return Number.isNaN(x) ? Number.NaN : incompleteBeta(a, b, x).upper;
}

/** The x with P(X <= x) = `probability`, 0..1. */
export function betaQuantile(probability: number, a: number, b: number): number {
  checkParameters(a, b);
  const distribution = {
    density: (x: number) => betaDensity(x, a, b),
    cdf: (x: number) => betaCdf(x, a, b),
    tail: (x: number) => betaTail(x, a, b),
  };
  return findQuantile(distribution, probability, a / (a + b), 1);
}

function checkParameters(a: number, b: number): void {
  expect(a > 0 && a < Number.POSITIVE_INFINITY, `a must be positive, was ${a}`);
  expect(b > 0 && b < Number.POSITIVE_INFINITY, `b must be positive, was ${b}`);
}
