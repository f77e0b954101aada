import { gammaCdf, gammaDensity, gammaQuantile, gammaTail } from './gamma.ts';

/**
 * Density of the chi-squared distribution at x: a gamma of shape `degrees` / 2 and scale 2. NaN for NaN.
 *
 * @param degrees Degrees of freedom, > 0; need not be whole.
 * @throws RangeError if `degrees` is not positive and finite; so do the functions below.
 */
export function chiSquaredDensity(x: number, degrees: number): number {
  return gammaDensity(x, degrees / 2, 2);
}

/** P(X <= x). */
export function chiSquaredCdf(x: number, degrees: number): number {
  return gammaCdf(x, degrees / 2, 2);
}

/** P(X > x), accurate where it is small: the p-value of a statistic. */
export function chiSquaredTail(x: number, degrees: number): number {
  return gammaTail(x, degrees / 2, 2);
}

/** The x with P(X <= x) = `probability`; infinite at 1. */
export function chiSquaredQuantile(probability: number, degrees: number): number {
  return gammaQuantile(probability, degrees / 2, 2);
}
