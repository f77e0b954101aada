import { expect } from '../../checks/expect.ts';
import { mean, standardDeviation } from '../../stats/moments.ts';
import { normalQuantile } from '../../stats/normal.ts';
import { sortedQuantile } from '../../stats/quantile.ts';
import { contentHash } from './content-hash.ts';

/**
 * - `standard`: (x − mean) / standard deviation, divisor n.
 * - `robust`: (x − median) / (quartile .75 − quartile .25).
 * - `min-max`: (x − least) / (greatest − least); what lies outside the training window lies outside 0..1.
 * - `rank-gauss`: the normal quantile of x's mean rank among the training values, at most half a rank from the ends.
 * - `winsor`: x, but no less and no more than the training window's outer quantiles.
 */
export type ScalerKind = 'standard' | 'robust' | 'min-max' | 'rank-gauss' | 'winsor';

/** A column's fitted numbers. `why`: the training window left it undefined, and everything of it becomes NaN. */
export type ScalerColumn =
  | { kind: 'linear'; center: number; scale: number }
  | { kind: 'ranks'; sorted: number[] }
  | { kind: 'limits'; low: number; high: number }
  | { kind: 'undefined'; why: 'no values' | 'no spread' };

/** What a scaler learnt, as plain JSON: it can be stored, and read back to the last bit. */
export type FittedScaler = {
  kind: ScalerKind;
  /** What it was fitted on: rows, and the hash of their values. */
  trainingRowCount: number;
  trainingHash: string;
  columns: ScalerColumn[];
};

export type ScalerOptions = {
  /** Outer share of values that `winsor` pulls in on each side, in (0, .5). Default .01. */
  winsorShare?: number;
};

export const WINSOR_SHARE_DEFAULT = 0.01;

/**
 * Learns a scaler from a training window, column by column. Missing values (NaN) are left out.
 *
 * Nothing but the training window goes in: rows to be judged later must not be among them.
 *
 * @param training Row-major T × N.
 * @throws RangeError on a wrong shape or share.
 */
export function fitScaler(
  kind: ScalerKind,
  training: Float64Array,
  columnCount: number,
  { winsorShare = WINSOR_SHARE_DEFAULT }: ScalerOptions = {},
): FittedScaler {
  checkShape(training, columnCount);
  expect(winsorShare > 0 && winsorShare < 0.5, `winsorShare must lie between 0 and .5, was ${winsorShare}`);
  const trainingRowCount = training.length / columnCount;
  const columns = Array.from({ length: columnCount }, (_, n) => {
    const known = new Float64Array(trainingRowCount);
    let count = 0;
    for (let cell = n; cell < training.length; cell += columnCount)
      if (!Number.isNaN(training[cell]!)) known[count++] = training[cell]!;
    return fitColumn(kind, known.subarray(0, count).sort(), winsorShare);
  });
  return { kind, trainingRowCount, trainingHash: contentHash(training, columnCount), columns };
}

/** @returns row-major T × N: NaN where a value is missing or its column undefined. @throws RangeError on a wrong shape. */
export function applyScaler(scaler: FittedScaler, values: Float64Array): Float64Array {
  const { columns } = scaler;
  checkShape(values, columns.length);
  const scaled = new Float64Array(values.length);
  for (let cell = 0; cell < values.length; cell++)
    scaled[cell] = scaleValue(columns[cell % columns.length]!, values[cell]!);
  return scaled;
}

/**
 * Refuses a scaler that was fitted on anything but this training window: one fitted on all rows has seen the test rows, and
 * one fitted last year has another scale than the model beside it.
 *
 * @throws RangeError if the window differs in shape or in a single bit.
 */
export function checkFittedOn(scaler: FittedScaler, training: Float64Array): void {
  const columnCount = scaler.columns.length;
  checkShape(training, columnCount);
  const hash = contentHash(training, columnCount);
  expect(
    hash === scaler.trainingHash,
    `the ${scaler.kind} scaler must be fitted on the training window (${training.length / columnCount} rows, ${hash}), ` +
      `was fitted on ${scaler.trainingRowCount} rows, ${scaler.trainingHash}`,
  );
}

/** @param sorted Ascending, without NaN. */
function fitColumn(kind: ScalerKind, sorted: Float64Array, winsorShare: number): ScalerColumn {
  if (sorted.length === 0) return { kind: 'undefined', why: 'no values' };
  const least = sorted[0]!;
  const greatest = sorted[sorted.length - 1]!;
  const linear = (center: number, scale: number): ScalerColumn =>
    scale > 0 ? { kind: 'linear', center, scale } : { kind: 'undefined', why: 'no spread' };
  if (kind === 'winsor')
    return { kind: 'limits', low: sortedQuantile(sorted, winsorShare), high: sortedQuantile(sorted, 1 - winsorShare) };
  // Equal values have no spread, whatever rounding leaves of it.
  if (least === greatest) return { kind: 'undefined', why: 'no spread' };
  if (kind === 'rank-gauss') return { kind: 'ranks', sorted: Array.from(sorted) };
  if (kind === 'min-max') return linear(least, greatest - least);
  if (kind === 'standard') return linear(mean(sorted), standardDeviation(sorted, 0));
  const width = sortedQuantile(sorted, 0.75) - sortedQuantile(sorted, 0.25);
  return linear(sortedQuantile(sorted, 0.5), width);
}

function scaleValue(column: ScalerColumn, x: number): number {
  if (column.kind === 'undefined' || Number.isNaN(x)) return Number.NaN;
  if (column.kind === 'linear') return (x - column.center) / column.scale;
  if (column.kind === 'limits') return Math.min(column.high, Math.max(column.low, x));
  const { sorted } = column;
  const n = sorted.length;
  const share = (countBelow(sorted, x, false) + countBelow(sorted, x, true)) / (2 * n);
  return normalQuantile(Math.min(1 - 0.5 / n, Math.max(0.5 / n, share)));
}

/** How many of the ascending values are less than x, or at most x. */
function countBelow(sorted: readonly number[], x: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < x || (orEqual && sorted[middle] === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkShape(values: Float64Array, columnCount: number): void {
  expect(
    Number.isInteger(columnCount) && columnCount >= 1 && values.length % columnCount === 0,
    `values must be T x ${columnCount}, had ${values.length}`,
  );
}
