import { expect } from '../checks/expect.ts';

/**
 * Quantile of type 7 of Hyndman and Fan (1996, doi:10.1080/00031305.1996.10473566): linear between order statistics, the
 * one NumPy and R use unless told otherwise. NaN values are left out; NaN when nothing is left. Sorts a copy.
 *
 * @param probability 0..1; 0 is the least value, 1 the greatest.
 * @throws RangeError if `probability` lies outside 0..1.
 */
export function quantile(values: Float64Array, probability: number): number {
  return sortedQuantile(values.filter((x) => !Number.isNaN(x)).sort(), probability);
}

/** `quantile` of values that are ascending and hold no NaN. */
export function sortedQuantile(sorted: Float64Array, probability: number): number {
  expect(probability >= 0 && probability <= 1, `probability must be in 0..1, was ${probability}`);
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * probability;
  const low = Math.floor(place);
  const below = sorted[low]!;
  const above = sorted[Math.min(low + 1, sorted.length - 1)]!;
  return below + (place - low) * (above - below);
}
