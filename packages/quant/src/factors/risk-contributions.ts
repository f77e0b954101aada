import { expect } from '../checks/expect.ts';
import { multiply } from '../linalg/multiply.ts';

export type RiskContributions = {
  /** √(w' Σ w), per period. */
  volatility: number;
  /** Change of the volatility for one unit more of each weight: (Σ w)ᵢ / volatility. */
  marginal: Float64Array;
  /** wᵢ (Σ w)ᵢ / w' Σ w; add up to one, may be negative. */
  share: Float64Array;
};

/**
 * What each holding puts into the risk of all (Euler's theorem: the volatility is homogeneous in the weights).
 *
 * @param covariance Row-major N × N, return² per period. @param weights N, in any sum; the rest is cash.
 * @returns null when the holdings have no variance.
 * @throws RangeError on wrong shapes.
 * @see Tasche 1999, https://arxiv.org/abs/cond-mat/9906015.
 */
export function riskContributions(covariance: Float64Array, weights: Float64Array): RiskContributions | null {
  const n = weights.length;
  expect(covariance.length === n * n, `covariance must be ${n} x ${n}, had ${covariance.length} values`);
  const pull = multiply(covariance, n, n, weights, 1);
  const variance = weights.reduce((sum, weight, i) => sum + weight * pull[i]!, 0);
  if (!(variance > 0)) return null;
  const volatility = Math.sqrt(variance);
  return {
    volatility,
    marginal: pull.map((value) => value / volatility),
    share: weights.map((weight, i) => (weight * pull[i]!) / variance),
  };
}
