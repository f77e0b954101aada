import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { circularBlockIndices } from '../stats/block-bootstrap.ts';

export type ConfidenceSetSettings = {
  random: Random;
  /** 1 − confidence, in 0..1. */
  alpha?: number;
  /** Days per block; at least the horizon, since losses overlap. */
  blockLength: number;
  resampleCount?: number;
};

export type ConfidenceSet = {
  /** For each model whether it is in the set. */
  isMember: boolean[];
  /** For each model the confidence at which it would leave the set; 1 for the last one left. */
  pValue: Float64Array;
  /** Mean loss of each model. */
  meanLoss: Float64Array;
  dayCount: number;
};

/**
 * The models that cannot be told from the best one: the equality of all is tested, and while it is refused the worst leaves.
 * The statistic is the largest t value of a model's mean loss above the average of those left; its distribution comes from a
 * circular block bootstrap, one set of resamples for all rounds.
 *
 * @param losses M columns of T losses; days on which any is NaN are left out for all.
 * @returns Null without a model, or with fewer than two blocks of days.
 * @see Hansen, Lunde and Nason 2011, doi:10.3982/ECTA5771
 */
export function modelConfidenceSet(
  losses: readonly Float64Array[],
  { random, alpha = 0.1, blockLength, resampleCount = 500 }: ConfidenceSetSettings,
): ConfidenceSet | null {
  expect(alpha > 0 && alpha < 1, `alpha must be between 0 and 1, was ${alpha}`);
  const count = losses.length;
  if (count === 0) return null;
  const days: number[] = [];
  for (let t = 0; t < losses[0]!.length; t++) if (losses.every((column) => Number.isFinite(column[t]!))) days.push(t);
  const n = days.length;
  if (n < 2 * blockLength) return null;
  const meanLoss = Float64Array.from(losses, (column) => days.reduce((sum, t) => sum + column[t]!, 0) / n);
  const drawn = resampledMeans(losses, days, meanLoss, resampleCount, blockLength, random);
  const pValue = new Float64Array(count).fill(1);
  const left = new Set(losses.keys());
  let highest = 0;
  while (left.size > 1) {
    const { worst, p } = testEquality([...left], meanLoss, drawn, resampleCount);
    // The p value of a model is the largest on the way to its leaving, so that the sets are nested.
    highest = Math.max(highest, p);
    pValue[worst] = highest;
    left.delete(worst);
  }
  return { isMember: Array.from(pValue, (p) => p > alpha), pValue, meanLoss, dayCount: n };
}

/** Row-major resamples × M: each resample's mean loss less the sample's own. */
function resampledMeans(
  losses: readonly Float64Array[],
  days: readonly number[],
  meanLoss: Float64Array,
  resampleCount: number,
  blockLength: number,
  random: Random,
): Float64Array {
  const n = days.length;
  const count = losses.length;
  // Prefix sums over twice the days: the sum of a block that wraps is one difference.
  const prefix = losses.map((column, m) => {
    const sums = new Float64Array(2 * n + 1);
    for (let k = 0; k < 2 * n; k++) sums[k + 1] = sums[k]! + column[days[k % n]!]! - meanLoss[m]!;
    return sums;
  });
  const drawn = new Float64Array(resampleCount * count);
  const starts = new Uint32Array(Math.ceil(n / blockLength));
  for (let b = 0; b < resampleCount; b++) {
    circularBlockIndices(starts, n, 1, random);
    starts.forEach((start, k) => {
      const length = Math.min(blockLength, n - k * blockLength);
      for (let m = 0; m < count; m++) drawn[b * count + m]! += (prefix[m]![start + length]! - prefix[m]![start]!) / n;
    });
  }
  return drawn;
}

function testEquality(
  left: readonly number[],
  meanLoss: Float64Array,
  drawn: Float64Array,
  resampleCount: number,
): { worst: number; p: number } {
  const count = meanLoss.length;
  const average = left.reduce((sum, m) => sum + meanLoss[m]!, 0) / left.length;
  const excess = left.map((m) => meanLoss[m]! - average);
  const draws = left.map(() => new Float64Array(resampleCount));
  const spread = new Float64Array(left.length);
  for (let b = 0; b < resampleCount; b++) {
    const center = left.reduce((sum, m) => sum + drawn[b * count + m]!, 0) / left.length;
    left.forEach((m, k) => {
      draws[k]![b] = drawn[b * count + m]! - center;
      spread[k]! += draws[k]![b]! ** 2 / resampleCount;
    });
  }
  const statistic = (k: number, value: number) => (spread[k]! > 0 ? value / Math.sqrt(spread[k]!) : 0);
  let worst = 0;
  for (let k = 1; k < left.length; k++) if (statistic(k, excess[k]!) > statistic(worst, excess[worst]!)) worst = k;
  const observed = statistic(worst, excess[worst]!);
  let beyond = 0;
  for (let b = 0; b < resampleCount; b++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < left.length; k++) largest = Math.max(largest, statistic(k, draws[k]![b]!));
    if (largest >= observed) beyond++;
  }
  return { worst: left[worst]!, p: beyond / resampleCount };
}
