import { expect } from '../checks/expect.ts';
import { normalCdf } from '../stats/normal.ts';
import { logGamma } from '../stats/special-functions.ts';

export type RealisedMeasures = {
  /** Returns used. */
  returnCount: number;
  /** Sum of squared returns; return² per session. */
  realisedVariance: number;
  /** π/2 Σ |r_i| |r_{i−1}| · n/(n − 1): what is left of it when jumps are taken out. */
  bipowerVariation: number;
  /** Sum of squared falls and of squared rises; they add up to the realised variance. */
  semivarianceDown: number;
  semivarianceUp: number;
  /** max(0, realised − bipower): the jumps' part. */
  jumpVariation: number;
  /** Integrated quarticity free of jumps: n · μ^−3 · n/(n − 2) Σ (|r_i| |r_{i−1}| |r_{i−2}|)^(4/3). */
  tripowerQuarticity: number;
  /** One-sided p value that there was no jump; NaN where it is not defined. */
  noJumpP: number;
};

const HALF_PI = Math.PI / 2;
/** E|Z|^(4/3) of a standard normal. */
const FOUR_THIRDS_MOMENT = (2 ** (2 / 3) * Math.exp(logGamma(7 / 6))) / Math.sqrt(Math.PI);
/** Fewest returns: bipower and tripower of less is arithmetic without meaning. */
export const REALISED_RETURNS_MIN = 5;

/**
 * Realised measures of one session from its intraday returns: variance, bipower variation, semivariances, the jumps' part,
 * and the ratio test for jumps.
 *
 * @param returns Log returns within the session, evenly spaced; NaN is left out, and the neighbours of a gap are taken as
 * neighbours.
 * @returns Null with fewer than `REALISED_RETURNS_MIN` returns.
 * @see Barndorff-Nielsen and Shephard 2004, doi:10.1093/jjfinec/nbh001 (bipower); Barndorff-Nielsen, Kinnebrock and Shephard
 * 2010, doi:10.1093/acprof:oso/9780199549498.003.0007 (semivariance); Huang and Tauchen 2005, doi:10.1093/jjfinec/nbi025
 * (ratio test)
 */
export function realisedMeasures(returns: Float64Array): RealisedMeasures | null {
  const r = returns.filter(Number.isFinite);
  const n = r.length;
  if (n < REALISED_RETURNS_MIN) return null;
  let [semivarianceDown, semivarianceUp, bipower, tripower] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (r[i]! < 0) semivarianceDown += r[i]! * r[i]!;
    else semivarianceUp += r[i]! * r[i]!;
    if (i >= 1) bipower += Math.abs(r[i]! * r[i - 1]!);
    if (i >= 2) tripower += Math.abs(r[i]! * r[i - 1]! * r[i - 2]!) ** (4 / 3);
  }
  const realisedVariance = semivarianceDown + semivarianceUp;
  const bipowerVariation = (HALF_PI * bipower * n) / (n - 1);
  const tripowerQuarticity = (tripower * n * n) / ((n - 2) * FOUR_THIRDS_MOMENT ** 3);
  return {
    returnCount: n,
    realisedVariance,
    bipowerVariation,
    semivarianceDown,
    semivarianceUp,
    jumpVariation: Math.max(0, realisedVariance - bipowerVariation),
    tripowerQuarticity,
    noJumpP: jumpTest(n, realisedVariance, bipowerVariation, tripowerQuarticity),
  };
}

/**
 * Returns on a grid from bars of uneven spacing: the last price at or before each grid point, so that no price is used
 * before it was there. The first grid point is the first bar's own time.
 *
 * @param minute Ascending minutes of the bars within the session. @param price Their closes, positive or NaN.
 * @param step Minutes between grid points, >= 1; five is the usual compromise between noise and information.
 * @param offset Minutes the grid starts after the first bar, 0 .. step − 1: with all of them, the measure can be averaged.
 */
export function gridReturns(minute: Float64Array, price: Float64Array, step: number, offset = 0): Float64Array {
  expect(minute.length === price.length, `minute and price need one length, had ${minute.length}, ${price.length}`);
  expect(step >= 1 && offset >= 0 && offset < step, `the offset must be in 0..${step - 1}, was ${offset}`);
  const count = minute.length;
  if (count === 0) return new Float64Array(0);
  const start = minute[0]! + offset;
  const steps = Math.floor((minute[count - 1]! - start) / step);
  const result: number[] = [];
  let at = 0;
  let last = Number.NaN;
  let previous = Number.NaN;
  for (let g = 0; g <= steps; g++) {
    const until = start + g * step;
    for (; at < count && minute[at]! <= until; at++) if (price[at]! > 0) last = price[at]!;
    if (g > 0) result.push(Math.log(last / previous));
    previous = last;
  }
  return Float64Array.from(result);
}

/** Realised variance averaged over all `step` grids: less noise for the same bars. @see Zhang, Mykland and Aït-Sahalia 2005 */
export function subsampledVariance(minute: Float64Array, price: Float64Array, step: number): number {
  let sum = 0;
  let count = 0;
  for (let offset = 0; offset < step; offset++) {
    const returns = gridReturns(minute, price, step, offset).filter(Number.isFinite);
    if (returns.length < REALISED_RETURNS_MIN) continue;
    sum += returns.reduce((total, r) => total + r * r, 0);
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

function jumpTest(n: number, realised: number, bipower: number, tripower: number): number {
  if (!(realised > 0 && bipower > 0)) return Number.NaN;
  const spread = (HALF_PI ** 2 + Math.PI - 5) * Math.max(1, tripower / (bipower * bipower));
  return normalCdf(-((realised - bipower) / realised) / Math.sqrt(spread / n));
}
