import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { autocorrelation } from '../stats/autocorrelation.ts';
import { stationaryIndices } from '../stats/block-bootstrap.ts';
import { mean } from '../stats/moments.ts';

/**
 * Mean block length of a stationary bootstrap that estimates the variance of the mean best, chosen from the data.
 *
 * The flat-top estimate of Politis and White: the last lag that matters is followed by K quiet ones, and the length is
 * (2G² / D)^(1/3) · n^(1/3), at most 3√n and n/3 and at least 1. Ask with squared or absolute returns where the clustering of
 * volatility is to be kept: returns themselves have next to no memory and would give blocks of one or two days.
 *
 * @param values At least 20, finite.
 * @returns 1 for a constant series: no block is better than another.
 * @throws RangeError for fewer values or one that is not finite.
 * @see Politis and White (2004), doi:10.1081/ETC-120028836, with the correction of Patton, Politis and White (2009),
 *   doi:10.1080/07474930802459016.
 */
export function automaticBlockLength(values: Float64Array): number {
  const n = values.length;
  expect(n >= 20, `a block length needs at least 20 values, had ${n}`);
  expect(values.every(Number.isFinite), 'values must be finite');
  const quiet = Math.max(5, Math.ceil(Math.sqrt(Math.log10(n))));
  const lagMax = Math.min(n - 1, Math.ceil(Math.sqrt(n)) + quiet);
  const correlation = autocorrelation(values, lagMax);
  if (Number.isNaN(correlation[1]!)) return 1;
  const bound = 2 * Math.sqrt(Math.log10(n) / n);
  let last = 0;
  let run = 0;
  for (let lag = 1; lag <= lagMax && run < quiet; lag++) {
    run = Math.abs(correlation[lag]!) < bound ? run + 1 : 0;
    if (run === quiet) last = Math.max(1, lag - quiet);
  }
  if (run < quiet) {
    // Never quiet for long: the last lag beyond the bound.
    for (let lag = 1; lag <= lagMax; lag++) if (Math.abs(correlation[lag]!) > bound) last = lag;
  }
  const width = Math.min(2 * Math.max(1, last), lagMax);
  const center = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / n;
  let slope = 0;
  let spectrum = variance;
  for (let lag = 1; lag <= width; lag++) {
    const share = lag / width;
    const weight = share <= 0.5 ? 1 : 2 * (1 - share);
    slope += 2 * weight * lag * correlation[lag]! * variance;
    spectrum += 2 * weight * correlation[lag]! * variance;
  }
  const length = ((2 * slope ** 2) / (2 * spectrum ** 2)) ** (1 / 3) * n ** (1 / 3);
  return Math.max(1, Math.min(length, Math.ceil(Math.min(3 * Math.sqrt(n), n / 3))));
}

/**
 * Which past day each synthetic day is a copy of: the rows of all series are drawn together, so that what they did to each
 * other on a day stays.
 *
 * @param dayCount Days to draw from.
 * @param length Days wanted.
 * @throws RangeError as `stationaryIndices`.
 */
export function stationaryBootstrapDays(
  dayCount: number,
  length: number,
  blockLengthMean: number,
  random: Random,
): Uint32Array {
  const days = new Uint32Array(length);
  stationaryIndices(days, dayCount, blockLengthMean, random);
  return days;
}
