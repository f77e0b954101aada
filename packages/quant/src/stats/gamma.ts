import { expect } from '../checks/expect.ts';
import { findQuantile } from './find-quantile.ts';
import { incompleteGamma, logGamma } from './special-functions.ts';

/**
 * Density of the gamma distribution at x, zero for x < 0 and NaN for NaN.
 *
 * @param shape > 0.
 * @param scale > 0, in the unit of x; the mean is shape · scale.
 * @throws RangeError on parameters that are not positive and finite; so do the functions below.
 */
export function gammaDensity(x: number, shape: number, scale = 1): number {
  checkParameters(shape, scale);
  if (Number.isNaN(x)) return Number.NaN;
  const y = x / scale;
  if (y < 0) return 0;
  if (y === 0) return shape > 1 ? 0 : shape === 1 ? 1 / scale : Number.POSITIVE_INFINITY;
  return Math.exp((shape - 1) * Math.log(y) - y - logGamma(shape)) / scale;
}

/** P(X <= x). */
export function gammaCdf(x: number, shape: number, scale = 1): number {
  checkParameters(shape, scale);
  return Number.isNaN(x) ? Number.NaN : incompleteGamma(shape, x / scale).lower;
}

/** P(X > x), accurate where it is small. */
export function gammaTail(x: number, shape: number, scale = 1): number {
  checkParameters(shape, scale);
  return Number.isNaN(x) ? Number.NaN : incompleteGamma(shape, x / scale).upper;
}

/** The x with P(X <= x) = `probability`; infinite at 1. */
export function gammaQuantile(probability: number, shape: number, scale = 1): number {
  checkParameters(shape, scale);
  const standard = {
    density: (x: number) => gammaDensity(x, shape),
    cdf: (x: number) => gammaCdf(x, shape),
    tail: (x: number) => gammaTail(x, shape),
  };
  return scale * findQuantile(standard, probability, shape);
}

function checkParameters(shape: number, scale: number): void {
  expect(shape > 0 && shape < Number.POSITIVE_INFINITY, `shape must be positive, was ${shape}`);
  expect(scale > 0 && scale < Number.POSITIVE_INFINITY, `scale must be positive, was ${scale}`);
}
