import { expect } from '../checks/expect.ts';
import { rollingStandardDeviation } from '../stats/rolling-standard-deviation.ts';

export const STYLE_FACTORS = ['market', 'size', 'momentum', 'low volatility'] as const;
export type StyleFactor = (typeof STYLE_FACTORS)[number];

export type StyleInput = {
  /** Row-major T × N adjusted closes, NaN where missing. */
  close: Float64Array;
  /** Row-major T × N capitalisations as known at each row, NaN where none; null: none at all. */
  cap: Float64Array | null;
};

/** Sessions of the year that momentum and volatility look back on, and the last month that momentum leaves out. */
export const LOOK_BACK = 252;
export const LEFT_OUT = 21;
/** Of the look-back, the returns without which a volatility is not told. */
const RETURNS_MIN = 200;
/** Names on each side of a factor. */
const SIDE_MIN = 2;

/**
 * Factors built from a universe, each the return of a portfolio formed on the day before and held for one session:
 *
 * - `market`: all names by capitalisation, or all alike where none is known;
 * - `size`: the third with the smallest capitalisations minus the third with the largest;
 * - `momentum`: the third that rose most from 252 to 21 sessions before minus the third that rose least (Jegadeesh and
 *   Titman 1993, doi:10.1111/j.1540-6261.1993.tb04702.x);
 * - `low volatility`: the third whose returns of the last 252 sessions varied least minus the third that varied most.
 *
 * The sides are weighted alike. A name counts on a day on which its score is known the day before and it has a return.
 * Costs are left out. Time O(T N log N).
 *
 * @returns T returns each; NaN where fewer than two names are on a side (of the market: where fewer than two have a return).
 * @throws RangeError on wrong shapes.
 */
export function styleFactors({ close, cap }: StyleInput, assetCount: number): Record<StyleFactor, Float64Array> {
  const n = assetCount;
  expect(n >= 1 && close.length % n === 0, `close must be T x ${n}, had ${close.length} values`);
  expect(cap === null || cap.length === close.length, `cap must have ${close.length} values, had ${cap?.length}`);
  const rowCount = close.length / n;
  const returns = simpleReturns(close, n);
  const deviations = rollingStandardDeviation(returns, n, LOOK_BACK, RETURNS_MIN);
  const empty = () => new Float64Array(rowCount).fill(Number.NaN);
  const factors = { market: empty(), size: empty(), momentum: empty(), 'low volatility': empty() };
  const score = new Float64Array(n);
  for (let t = 1; t < rowCount; t++) {
    const [row, before] = [t * n, (t - 1) * n];
    const today = returns.subarray(row, row + n);
    factors.market[t] = weightedMean(today, cap?.subarray(before, before + n) ?? null);
    if (cap !== null) {
      for (let i = 0; i < n; i++) score[i] = -cap[before + i]!;
      factors.size[t] = spread(today, score);
    }
    for (let i = 0; i < n; i++) score[i] = -deviations[before + i]!;
    factors['low volatility'][t] = spread(today, score);
    const [from, to] = [t - 1 - LOOK_BACK, t - 1 - LEFT_OUT];
    if (from < 0) continue;
    for (let i = 0; i < n; i++) score[i] = close[to * n + i]! / close[from * n + i]! - 1;
    factors.momentum[t] = spread(today, score);
  }
  return factors;
}

/** Row-major T × N; the first row is NaN. */
export function simpleReturns(close: Float64Array, assetCount: number): Float64Array {
  return close.map((value, k) => (k < assetCount ? Number.NaN : finite(value / close[k - assetCount]! - 1)));
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

function weightedMean(returns: Float64Array, weights: Float64Array | null): number {
  let [sum, total, count] = [0, 0, 0];
  for (let i = 0; i < returns.length; i++) {
    const weight = weights === null ? 1 : weights[i]!;
    if (!(weight > 0) || Number.isNaN(returns[i]!)) continue;
    sum += weight * returns[i]!;
    total += weight;
    count += 1;
  }
  return count < SIDE_MIN ? Number.NaN : sum / total;
}

/** Mean return of the third with the highest scores minus that of the third with the lowest; equal scores by place. */
function spread(returns: Float64Array, score: Float64Array): number {
  const names: number[] = [];
  for (let i = 0; i < returns.length; i++) if (Number.isFinite(score[i]!) && !Number.isNaN(returns[i]!)) names.push(i);
  const side = Math.floor(names.length / 3);
  if (side < SIDE_MIN) return Number.NaN;
  names.sort((a, b) => score[b]! - score[a]! || a - b);
  let sum = 0;
  for (let k = 0; k < side; k++) sum += returns[names[k]!]! - returns[names[names.length - 1 - k]!]!;
  return sum / side;
}
