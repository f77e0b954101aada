import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';

/**
 * GJR(1,1) with t shocks, in the unit of the returns: h(t) = omega + (alpha + gamma · 1[e(t−1) < 0]) · e(t−1)² +
 * beta · h(t−1), e = √h · z, z a t of `degreesOfFreedom` scaled to unit variance, return = mean + e. gamma = 0 is GARCH(1,1).
 */
export type GjrParameters = {
  mean: number;
  omega: number;
  alpha: number;
  gamma: number;
  beta: number;
  /** > 2; Infinity for normal shocks. */
  degreesOfFreedom: number;
};

/** Long-run variance of a return: omega / (1 − alpha − gamma / 2 − beta). */
export function longRunVariance({ omega, alpha, gamma, beta }: GjrParameters): number {
  return omega / (1 - alpha - gamma / 2 - beta);
}

/**
 * One path of returns that begins at the long-run variance.
 *
 * @param market Shocks of a common factor, one a day with unit variance, and how much of each own shock's variance it has;
 *   absent: own shocks only. The mix of two t variables has a thinner tail than either.
 * @throws RangeError for parameters without a finite long-run variance.
 * @see Glosten, Jagannathan and Runkle (1993), doi:10.1111/j.1540-6261.1993.tb05128.x.
 */
export function simulateGjr(
  parameters: GjrParameters,
  dayCount: number,
  random: Random,
  market?: { shocks: Float64Array; share: number },
): Float64Array {
  checkParameters(parameters);
  const { mean, omega, alpha, gamma, beta, degreesOfFreedom } = parameters;
  const returns = new Float64Array(dayCount);
  let variance = longRunVariance(parameters);
  for (let t = 0; t < dayCount; t++) {
    const own = unitShock(degreesOfFreedom, random);
    const shock =
      market === undefined ? own : Math.sqrt(market.share) * market.shocks[t]! + Math.sqrt(1 - market.share) * own;
    const surprise = Math.sqrt(variance) * shock;
    returns[t] = mean + surprise;
    variance = omega + (alpha + (surprise < 0 ? gamma : 0)) * surprise * surprise + beta * variance;
  }
  return returns;
}

/** Student t scaled to unit variance; normal at infinite degrees of freedom. */
export function unitShock(degreesOfFreedom: number, random: Random): number {
  if (degreesOfFreedom === Number.POSITIVE_INFINITY) return random.normal();
  return random.studentT(degreesOfFreedom) * Math.sqrt((degreesOfFreedom - 2) / degreesOfFreedom);
}

function checkParameters(parameters: GjrParameters): void {
  const { omega, alpha, gamma, beta, degreesOfFreedom } = parameters;
  expect(omega > 0, `omega must be positive, was ${omega}`);
  expect(alpha >= 0 && alpha + gamma >= 0 && beta >= 0, 'alpha, alpha + gamma and beta must not be negative');
  const persistence = alpha + gamma / 2 + beta;
  expect(persistence < 1, `alpha + gamma / 2 + beta must be below 1, was ${persistence}`);
  expect(degreesOfFreedom > 2, `degreesOfFreedom must be above 2, was ${degreesOfFreedom}`);
}
