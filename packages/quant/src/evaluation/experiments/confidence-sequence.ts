import { expect } from '../../checks/expect.ts';
import { normalCdf } from '../../stats/normal.ts';
import { studentQuantile } from '../../stats/student-t.ts';

export type SequenceSettings = {
  /** Chance that the true mean is ever left out, over all looks together, two-sided. Default .05. */
  level?: number;
  /** Session at which the bounds are tightest; before and after they are a little wider. */
  tightestAt: number;
  /** Sessions until an outcome is known, >= 1: differences of neighbouring days share all but one of them. */
  horizon: number;
  /** No bounds before so many sessions. Default: 20, or six horizons. */
  firstLook?: number;
};

/** After each session what may be said of the mean; NaN before the first look. */
export type ConfidenceSequence = { mean: Float64Array; low: Float64Array; high: Float64Array; deviation: Float64Array };

const FIRST_LOOK_MIN = 20;
const FIRST_LOOK_HORIZONS = 6;

/**
 * Bounds of a mean that hold at every session at once, so that anybody may look every day and stop when they like: the mixture
 * boundary of Robbins in its asymptotic form, mean ± σ √(2 (tρ² + 1) / (t²ρ²) ln(√(tρ² + 1) / α)), with the long-run deviation
 * of everything seen so far in place of σ.
 *
 * A session's bounds use that session and earlier ones only. Time O(n² (horizon + n^⅓)): each look measures the deviation anew.
 *
 * @param differences One finite value a session, in order.
 * @throws RangeError for settings out of range or a value that is not finite.
 * @see Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, doi:10.1214/24-AOS2408, theorem 2.2; Robbins 1970,
 *   doi:10.1214/aoms/1177696786.
 */
export function confidenceSequence(differences: Float64Array, settings: SequenceSettings): ConfidenceSequence {
  const { level = 0.05, tightestAt, horizon } = settings;
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  expect(differences.every(Number.isFinite), 'differences must be finite');
  const firstLook = settings.firstLook ?? Math.max(FIRST_LOOK_MIN, FIRST_LOOK_HORIZONS * horizon);
  const n = differences.length;
  const empty = () => new Float64Array(n).fill(Number.NaN);
  const path = { mean: empty(), low: empty(), high: empty(), deviation: empty() };
  let sum = 0;
  for (let t = 0; t < n; t++) {
    sum += differences[t]!;
    path.mean[t] = sum / (t + 1);
    if (t + 1 < firstLook) continue;
    const deviation = longRunDeviationEstimate(differences.subarray(0, t + 1), horizon);
    const half = (deviation * boundInDeviations(t + 1, tightestAt, level, horizon)) / Math.sqrt(t + 1);
    path.deviation[t] = deviation;
    path.low[t] = path.mean[t]! - half;
    path.high[t] = path.mean[t]! + half;
  }
  return path;
}

/**
 * How many standard errors the bounds lie from the mean after `sessions`. At a level of .05 3.04 where they are tightest and
 * outcomes are many; more where the standard error itself rests on few independent stretches: the tail of the normal is
 * replaced by that of Student's t with one degree of freedom less than there are stretches.
 *
 * @returns Infinity with fewer than three stretches.
 */
export function boundInDeviations(sessions: number, tightestAt: number, level: number, horizon: number): number {
  expect(tightestAt > 0 && sessions > 0, `sessions must be positive, were ${sessions} and ${tightestAt}`);
  expect(level > 0 && level < 1, `level must be between 0 and 1, was ${level}`);
  const price = -2 * Math.log(level);
  const spread = (sessions * (price + Math.log(price) + 1)) / tightestAt;
  const bound = Math.sqrt(((2 * (spread + 1)) / spread) * Math.log(Math.sqrt(spread + 1) / level));
  // The lags without their steps, so that one session more never widens the bounds.
  const lags = Math.max(horizon, sessions ** (1 / 3) / 2 + 1);
  const degrees = sessions / (KERNEL_BREADTH * lags) - 1;
  if (degrees < 2) return Number.POSITIVE_INFINITY;
  return -studentQuantile(normalCdf(-bound), degrees);
}

/** Half the integral of the squared flat-top kernel, in flat lags: 1 for the flat part, a third for the slope. */
const KERNEL_BREADTH = 4 / 3;

/** Lags whose autocovariance counts in full, itself included. */
function flatLags(sessions: number, horizon: number): number {
  return Math.max(horizon, Math.floor(sessions ** (1 / 3) / 2) + 1);
}

/**
 * √n times the standard error of a mean of correlated values. Autocovariances count in full up to the overlap of outcomes and
 * fade out over as many lags again (a flat-top kernel), never less than the triangle gives.
 *
 * @see Politis and Romano 1995, doi:10.1111/j.1467-9892.1995.tb00223.x; Newey and West 1987, doi:10.2307/1913610.
 */
export function longRunDeviationEstimate(values: Float64Array, horizon: number): number {
  const n = values.length;
  expect(n >= 2, `a deviation needs two values, had ${n}`);
  let mean = 0;
  for (const value of values) mean += value / n;
  const flat = flatLags(n, horizon);
  const lagMax = Math.min(n - 1, 2 * flat - 1);
  let top = 0;
  let triangle = 0;
  let alone = 0;
  for (let lag = 0; lag <= lagMax; lag++) {
    let product = 0;
    for (let t = lag; t < n; t++) product += (values[t]! - mean) * (values[t - lag]! - mean);
    const covariance = ((lag === 0 ? 1 : 2) * product) / n;
    if (lag === 0) alone = covariance;
    top += Math.min(1, (2 * flat - lag) / flat) * covariance;
    triangle += (1 - lag / (lagMax + 1)) * covariance;
  }
  return Math.sqrt(Math.max(top, triangle, alone));
}
