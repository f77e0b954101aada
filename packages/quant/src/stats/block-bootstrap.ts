import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { mean } from './moments.ts';
import { sortedQuantile } from './quantile.ts';

/** One quarter of trading days: long enough to keep volatility clusters together. */
export const BLOCK_LENGTH_DEFAULT = 63;
export const RESAMPLE_COUNT_DEFAULT = 1000;

export type BootstrapSettings = {
  random: Random;
  /** Days per block, 1..n. Default 63, or n where there are fewer. */
  blockLength?: number;
  /** Resamples. Default 1,000. */
  resampleCount?: number;
  /** 0..1, exclusive. Default 0.95. */
  level?: number;
};

export type BootstrapInterval = {
  value: number;
  low: number;
  high: number;
  /** Resamples whose statistic was a number; the others are left out of the quantiles. */
  usedCount: number;
};

/**
 * Fills `indices` with a circular block resample: blocks of `blockLength` days from uniform starts, wrapping at the end,
 * so that every day is as likely as any other (Politis and Romano 1992).
 */
export function circularBlockIndices(indices: Uint32Array, n: number, blockLength: number, random: Random): void {
  checkBlock(n, blockLength);
  for (let filled = 0; filled < indices.length; ) {
    let day = random.integer(n);
    const end = Math.min(indices.length, filled + blockLength);
    for (; filled < end; filled++) {
      indices[filled] = day;
      if (++day === n) day = 0;
    }
  }
}

/**
 * Fills `indices` with a stationary resample: block lengths are geometric with the given mean, so that the resample is
 * stationary (Politis and Romano 1994, doi:10.1080/01621459.1994.10476870).
 */
export function stationaryIndices(indices: Uint32Array, n: number, blockLengthMean: number, random: Random): void {
  expect(n >= 1, `a resample needs at least one day, had ${n}`);
  expect(blockLengthMean >= 1, `the mean block length must be at least 1, was ${blockLengthMean}`);
  let day = random.integer(n);
  for (let k = 0; k < indices.length; k++) {
    if (k > 0) day = random.uniform() < 1 / blockLengthMean ? random.integer(n) : (day + 1) % n;
    indices[k] = day;
  }
}

/**
 * Percentile interval of any statistic of a resampled history, by circular blocks.
 *
 * Resamples draw whole days, so that several series resampled by the same indices stay aligned.
 *
 * @param n Days.
 * @param statistic Called with n day numbers; NaN counts as "no value" and is left out.
 * @throws RangeError for no days, a block length outside 1..n or a level outside 0..1.
 */
export function blockBootstrap(
  n: number,
  statistic: (indices: Uint32Array) => number,
  settings: BootstrapSettings,
): BootstrapInterval {
  const blockLength = settings.blockLength ?? Math.min(BLOCK_LENGTH_DEFAULT, n);
  const resampleCount = settings.resampleCount ?? RESAMPLE_COUNT_DEFAULT;
  const level = settings.level ?? 0.95;
  checkBlock(n, blockLength);
  expect(Number.isInteger(resampleCount) && resampleCount >= 1, `resampleCount must be >= 1, was ${resampleCount}`);
  expect(level > 0 && level < 1, `level must be between 0 and 1, was ${level}`);
  const indices = Uint32Array.from({ length: n }, (_, t) => t);
  const value = statistic(indices);
  const draws = new Float64Array(resampleCount);
  for (let b = 0; b < resampleCount; b++) {
    circularBlockIndices(indices, n, blockLength, settings.random);
    draws[b] = statistic(indices);
  }
  const used = draws.filter((x) => !Number.isNaN(x)).sort();
  return {
    value,
    low: sortedQuantile(used, (1 - level) / 2),
    high: sortedQuantile(used, (1 + level) / 2),
    usedCount: used.length,
  };
}

/** Interval of a mean. @throws RangeError as `blockBootstrap`. NaN where a value is NaN. */
export function meanInterval(values: Float64Array, settings: BootstrapSettings): BootstrapInterval {
  return blockBootstrap(
    values.length,
    (indices) => {
      let sum = 0;
      for (let k = 0; k < indices.length; k++) sum += values[indices[k]!]!;
      return sum / indices.length;
    },
    settings,
  );
}

/**
 * Interval of the mean of a − b, paired: each resampled day brings both values of that day, so that what they have in
 * common cancels. Days on which either is NaN are left out before.
 *
 * @returns Null when no day has both.
 * @throws RangeError if the lengths differ.
 */
export function pairedDifferenceInterval(
  a: Float64Array,
  b: Float64Array,
  settings: BootstrapSettings,
): (BootstrapInterval & { pairCount: number }) | null {
  expect(a.length === b.length, `paired values need one length, had ${a.length} and ${b.length}`);
  const difference = a.map((x, t) => x - b[t]!).filter((d) => !Number.isNaN(d));
  if (difference.length === 0) return null;
  return { ...meanInterval(difference, settings), value: mean(difference), pairCount: difference.length };
}

function checkBlock(n: number, blockLength: number): void {
  expect(n >= 1, `a resample needs at least one day, had ${n}`);
  expect(
    Number.isInteger(blockLength) && blockLength >= 1 && blockLength <= n,
    `blockLength must be a whole number in 1..${n}, was ${blockLength}`,
  );
}
