import { expect } from '../checks/expect.ts';
import { chiSquaredTail } from '../stats/chi-squared.ts';

export type BreachTests = {
  dayCount: number;
  breachCount: number;
  /** NaN for no days. */
  breachRate: number;
  /** Kupiec: the rate equals the probability. */
  kupiecP: number;
  /** Christoffersen: a breach is as likely after a breach as after none. NaN where no breach has a day after it. */
  independenceP: number;
  /** Both at once, two degrees of freedom. */
  conditionalCoverageP: number;
};

/**
 * Likelihood ratio tests of a value at risk on the days where both are known.
 *
 * @param returns T returns.
 * @param quantiles The quantile told for the same day (not for the next one); NaN days are left out.
 * @param probability Of the tail.
 * @see Kupiec 1995, doi:10.3905/jod.1995.407942; Christoffersen 1998, doi:10.2307/2527341
 */
export function breachTests(returns: Float64Array, quantiles: Float64Array, probability: number): BreachTests {
  expect(returns.length === quantiles.length, 'returns and quantiles need one length');
  const hits: number[] = [];
  for (let t = 0; t < returns.length; t++)
    if (Number.isFinite(returns[t]!) && Number.isFinite(quantiles[t]!)) hits.push(returns[t]! < quantiles[t]! ? 1 : 0);
  const dayCount = hits.length;
  const breachCount = hits.reduce((sum, hit) => sum + hit, 0);
  const none = { kupiecP: Number.NaN, independenceP: Number.NaN, conditionalCoverageP: Number.NaN };
  if (dayCount === 0) return { dayCount, breachCount, breachRate: Number.NaN, ...none };
  const kupiec =
    2 * (bernoulli(breachCount, dayCount, breachCount / dayCount) - bernoulli(breachCount, dayCount, probability));
  // pairs[a][b]: days in state b after a day in state a.
  const pairs = [0, 0, 0, 0];
  for (let k = 1; k < dayCount; k++) pairs[2 * hits[k - 1]! + hits[k]!]!++;
  const [n00, n01, n10, n11] = pairs as [number, number, number, number];
  const after = n10 + n11;
  const independence =
    after === 0
      ? Number.NaN
      : 2 *
        (bernoulli(n01, n00 + n01, n01 / (n00 + n01)) +
          bernoulli(n11, after, n11 / after) -
          bernoulli(n01 + n11, dayCount - 1, (n01 + n11) / (dayCount - 1)));
  return {
    dayCount,
    breachCount,
    breachRate: breachCount / dayCount,
    kupiecP: chanceBeyond(kupiec, 1),
    independenceP: chanceBeyond(independence, 1),
    conditionalCoverageP: chanceBeyond(kupiec + independence, 2),
  };
}

/**
 * Joint loss of a quantile and a shortfall, homogeneous of degree zero: −1[y <= q] (q − y) / (p s) + q / s + ln(−s) − 1.
 * Lower is better; a difference is what is read. NaN where something is missing or the shortfall is not negative.
 *
 * @param returns The return of each day.
 * @param quantiles Told for the same day. @param shortfalls Told for the same day, below zero.
 * @see Fissler and Ziegel 2016, doi:10.1214/16-AOS1439; Patton, Ziegel and Chen 2019, doi:10.1016/j.jeconom.2018.10.008
 */
export function fisslerZiegelLosses(
  returns: Float64Array,
  quantiles: Float64Array,
  shortfalls: Float64Array,
  probability: number,
): Float64Array {
  return returns.map((y, t) => {
    const [q, s] = [quantiles[t]!, shortfalls[t]!];
    if (!(s < 0) || !Number.isFinite(y) || !Number.isFinite(q)) return Number.NaN;
    return (y <= q ? -(q - y) / (probability * s) : 0) + q / s + Math.log(-s) - 1;
  });
}

/** What was told at each row for the next one, put on the row it is about. */
export function toldForTheDay(values: Float64Array): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  result.set(values.subarray(0, Math.max(0, values.length - 1)), 1);
  return result;
}

/** Log-likelihood of `hits` of `n` at probability p; 0 ln 0 is 0. */
function bernoulli(hits: number, n: number, p: number): number {
  return (hits === 0 ? 0 : hits * Math.log(p)) + (hits === n ? 0 : (n - hits) * Math.log(1 - p));
}

/** P(χ² > x). Rounding may leave x just below zero. */
function chanceBeyond(x: number, freedom: 1 | 2): number {
  return Number.isNaN(x) ? Number.NaN : chiSquaredTail(Math.max(x, 0), freedom);
}
