import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { stationaryIndices } from '../stats/block-bootstrap.ts';

export type ResampleSettings = {
  random: Random;
  resampleCount: number;
  /** Mean rows per block, at least 1. */
  blockLengthMean: number;
  /** Rows drawn; default: as many as there are. */
  rowCountDrawn?: number;
};

/**
 * Calls `visit` with the correlations of each of some stationary block resamples; all variables are drawn by the same rows,
 * so that what they have in common stays. Time O(resamples · T · N²).
 *
 * @param observations Row-major T × N, finite.
 * @param visit Gets a row-major N × N buffer that is overwritten for the next resample; NaN for a variable that happens
 * not to vary in it.
 * @throws RangeError on a wrong shape or no rows.
 * @see Politis and Romano 1994, doi:10.1080/01621459.1994.10476870.
 */
export function forEachResample(
  observations: Float64Array,
  rowCount: number,
  count: number,
  settings: ResampleSettings,
  visit: (correlation: Float64Array) => void,
): void {
  expect(observations.length === rowCount * count, `observations must be ${rowCount} x ${count}`);
  const drawn = settings.rowCountDrawn ?? rowCount;
  const indices = new Uint32Array(drawn);
  const correlation = new Float64Array(count * count);
  const rows = new Float64Array(drawn * count);
  for (let b = 0; b < settings.resampleCount; b++) {
    stationaryIndices(indices, rowCount, settings.blockLengthMean, settings.random);
    for (let t = 0; t < drawn; t++)
      rows.set(observations.subarray(indices[t]! * count, (indices[t]! + 1) * count), t * count);
    correlate(rows, drawn, count, correlation);
    visit(correlation);
  }
}

/** Correlations of T observations, about their means. NaN where a variable does not vary. Row-major N × N. */
export function correlationsOf(observations: Float64Array, rowCount: number, count: number): Float64Array {
  expect(observations.length === rowCount * count, `observations must be ${rowCount} x ${count}`);
  const correlation = new Float64Array(count * count);
  correlate(observations.slice(), rowCount, count, correlation);
  return correlation;
}

/** Overwrites `rows` with what they are in standard deviations. */
function correlate(rows: Float64Array, rowCount: number, count: number, correlation: Float64Array): void {
  const mean = new Float64Array(count);
  const squares = new Float64Array(count);
  for (let t = 0; t < rowCount; t++) for (let i = 0; i < count; i++) mean[i]! += rows[t * count + i]! / rowCount;
  for (let t = 0; t < rowCount; t++)
    for (let i = 0; i < count; i++) {
      const deviation = rows[t * count + i]! - mean[i]!;
      rows[t * count + i] = deviation;
      squares[i]! += deviation * deviation;
    }
  for (let i = 0; i < count; i++) {
    // Rounding of the mean leaves something where nothing varies.
    const isStill = !(squares[i]! > 1e-24 * rowCount * mean[i]! ** 2);
    squares[i] = isStill ? Number.NaN : 1 / Math.sqrt(squares[i]!);
  }
  for (let t = 0; t < rowCount; t++) for (let i = 0; i < count; i++) rows[t * count + i]! *= squares[i]!;
  correlation.fill(0);
  for (let t = 0; t < rowCount; t++) {
    const base = t * count;
    for (let i = 0; i < count; i++) {
      const value = rows[base + i]!;
      const row = i * count;
      for (let j = i + 1; j < count; j++) correlation[row + j]! += value * rows[base + j]!;
    }
  }
  for (let i = 0; i < count; i++) {
    correlation[i * count + i] = Number.isNaN(squares[i]!) ? Number.NaN : 1;
    for (let j = i + 1; j < count; j++) {
      const value = Math.max(-1, Math.min(1, correlation[i * count + j]!));
      correlation[i * count + j] = value;
      correlation[j * count + i] = value;
    }
  }
}

export type Pair = { a: number; b: number };

/**
 * How often each pair is told when the history is drawn again: the share of resamples in which `pairsOf` names it. What is
 * told by chance comes and goes; what is kept from 0.8 on (Meinshausen and Bühlmann 2010,
 * doi:10.1111/j.1467-9868.2010.00740.x) stays.
 *
 * @param pairsOf Given the correlations of a resample; `null` when it cannot tell, which counts as naming none.
 * @returns Row-major N × N, symmetric, 0..1.
 */
export function pairStability(
  observations: Float64Array,
  rowCount: number,
  count: number,
  settings: ResampleSettings,
  pairsOf: (correlation: Float64Array) => readonly Pair[] | null,
): Float64Array {
  const share = new Float64Array(count * count);
  forEachResample(observations, rowCount, count, settings, (correlation) => {
    if (correlation.some(Number.isNaN)) return;
    for (const { a, b } of pairsOf(correlation) ?? []) {
      share[a * count + b]! += 1;
      share[b * count + a]! += 1;
    }
  });
  return share.map((times) => times / settings.resampleCount);
}
