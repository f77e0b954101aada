import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { circularBlockIndices } from '../stats/block-bootstrap.ts';

export type CorrelationBreakSettings = {
  /** Rows whose correlation is judged. */
  windowRows: number;
  /** Rows before them that say what is usual. */
  pastRows: number;
  /** Rows of a block: long enough to keep what hangs together in time. */
  blockRows: number;
  resampleCount: number;
  /** The past is resampled anew every so many rows, counted from the first judged. */
  everyRows: number;
};

export const CORRELATION_BREAK_DEFAULTS: CorrelationBreakSettings = {
  windowRows: 21,
  pastRows: 504,
  blockRows: 7,
  resampleCount: 200,
  everyRows: 5,
};

export type CorrelationBreaks = {
  /** Mean pairwise correlation of the last `windowRows` rows. */
  correlation: Float64Array;
  /** Its mean over resamples of the past, back from Fisher's scale. */
  usual: Float64Array;
  /** |Fisher z of the correlation − its mean| over its standard deviation among resamples of the past; larger is odder. */
  score: Float64Array;
};

/** Fisher's z runs to infinity at ±1. */
const CORRELATION_MAX = 0.9999;

/**
 * Whether the present correlation of a pair or a cluster is one its own past would have given.
 *
 * The past is resampled in blocks of whole rows, as long as the window, so that its short windows scatter as real ones do. The
 * window is no part of the past it is held against. A row counts only where every column has a value; a window with fewer than
 * three quarters of its rows, or a constant column, says nothing. Row t depends on rows up to t only.
 *
 * @param returns Row-major T × N, N >= 2.
 * @param random Draws the resamples, for each row its own.
 * @see Politis and Romano (1992), circular blocks; Fisher (1921), On the probable error of a coefficient of correlation
 */
export function correlationBreaks(
  returns: Float64Array,
  columnCount: number,
  random: Random,
  settings: Partial<CorrelationBreakSettings> = {},
): CorrelationBreaks {
  const full = { ...CORRELATION_BREAK_DEFAULTS, ...settings };
  const { windowRows, pastRows, blockRows, resampleCount, everyRows } = full;
  expect(columnCount >= 2, `a correlation needs at least 2 columns, had ${columnCount}`);
  expect(returns.length % columnCount === 0, `returns must have ${columnCount} values a row`);
  expect(pastRows > windowRows && windowRows >= 5, `pastRows must exceed windowRows, which must be at least 5`);
  const rowCount = returns.length / columnCount;
  const empty = (): Float64Array => new Float64Array(rowCount).fill(Number.NaN);
  const result = { correlation: empty(), usual: empty(), score: empty() };
  const indices = new Uint32Array(windowRows);
  const rows = new Uint32Array(windowRows);
  let past = { mean: Number.NaN, sd: Number.NaN };
  for (let t = windowRows - 1; t < rowCount; t++) {
    for (let k = 0; k < windowRows; k++) rows[k] = t - windowRows + 1 + k;
    const now = meanCorrelation(returns, columnCount, rows);
    result.correlation[t] = now;
    const pastEnd = t - windowRows + 1;
    if (pastEnd < pastRows) continue;
    if ((pastEnd - pastRows) % everyRows === 0) {
      const draw = random.split(pastEnd);
      const drawn: number[] = [];
      for (let k = 0; k < resampleCount; k++) {
        circularBlockIndices(indices, pastRows, blockRows, draw);
        for (let at = 0; at < windowRows; at++) rows[at] = pastEnd - pastRows + indices[at]!;
        const value = fisher(meanCorrelation(returns, columnCount, rows));
        if (!Number.isNaN(value)) drawn.push(value);
      }
      past = momentsOf(drawn, resampleCount);
    }
    if (!(past.sd > 1e-9)) continue;
    result.usual[t] = Math.tanh(past.mean);
    result.score[t] = Math.abs(fisher(now) - past.mean) / past.sd;
  }
  return result;
}

/** Mean of the pairwise correlations over the given rows; NaN with too few whole rows or a constant column. */
function meanCorrelation(returns: Float64Array, columnCount: number, rows: Uint32Array): number {
  const mean = new Float64Array(columnCount);
  let count = 0;
  for (const row of rows) {
    if (!isWhole(returns, columnCount, row)) continue;
    count += 1;
    for (let a = 0; a < columnCount; a++) mean[a]! += returns[row * columnCount + a]!;
  }
  if (count < 0.75 * rows.length) return Number.NaN;
  for (let a = 0; a < columnCount; a++) mean[a]! /= count;
  const product = new Float64Array(columnCount * columnCount);
  for (const row of rows) {
    if (!isWhole(returns, columnCount, row)) continue;
    for (let a = 0; a < columnCount; a++) {
      const distance = returns[row * columnCount + a]! - mean[a]!;
      for (let b = 0; b <= a; b++)
        product[a * columnCount + b]! += distance * (returns[row * columnCount + b]! - mean[b]!);
    }
  }
  let sum = 0;
  for (let a = 1; a < columnCount; a++)
    for (let b = 0; b < a; b++) {
      const scale = Math.sqrt(product[a * columnCount + a]! * product[b * columnCount + b]!);
      sum += scale > 1e-24 ? product[a * columnCount + b]! / scale : Number.NaN;
    }
  return sum / ((columnCount * (columnCount - 1)) / 2);
}

function isWhole(returns: Float64Array, columnCount: number, row: number): boolean {
  for (let a = 0; a < columnCount; a++) if (!Number.isFinite(returns[row * columnCount + a]!)) return false;
  return true;
}

function fisher(correlation: number): number {
  return Math.atanh(Math.max(-CORRELATION_MAX, Math.min(CORRELATION_MAX, correlation)));
}

/** NaN when fewer than half of the resamples had a correlation. */
function momentsOf(drawn: readonly number[], resampleCount: number): { mean: number; sd: number } {
  if (drawn.length < resampleCount / 2) return { mean: Number.NaN, sd: Number.NaN };
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const square = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(square / (drawn.length - 1)) };
}
