import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { type BarColumns, type Indicator, runIndicator } from './indicator.ts';

/** Part of a column's spread within which two values count as the same. */
export const SETTLED_WITHIN = 1e-6;

/** What an indicator does after a start elsewhere. */
export type Settling = {
  /** Bars before the first defined value of any output; null when none was defined. */
  firstValue: number | null;
  /**
   * Bars after the first value until a start on another bar gives the same, for the rest of the series and every start
   * tried: 0 means at once. Null: it still differs in the last tenth.
   */
  settledAfter: number | null;
  /** Output that took longest, or null when all agreed at once. */
  slowestOutput: string | null;
  startCount: number;
};

/**
 * Recursive warm-up analysis: the indicator is started on the first bar and on each of `starts`, and held against itself.
 *
 * Values agree when they differ by at most `SETTLED_WITHIN` standard deviations of the output's values. Takes one run
 * over the bars for each start and one more.
 *
 * @param bars T bars, best without gaps: an indicator begins anew after each.
 * @param starts Bars, each in 1..T − 1, to start on instead.
 * @throws RangeError if a start lies outside.
 */
export function measureSettling(indicator: Indicator, bars: BarColumns, starts: readonly number[]): Settling {
  const length = bars.close.length;
  const reference = runIndicator(indicator, bars);
  const tolerances = reference.map((column) => SETTLED_WITHIN * spreadOf(column));
  let settledAfter = 0;
  let slowest = -1;
  let isSettled = true;
  for (const start of starts) {
    expect(start >= 1 && start < length, `a start must be in 1..${length - 1}, was ${start}`);
    const other = runIndicator(indicator, cut(bars, start));
    const first = start + indicator.warmUp;
    reference.forEach((column, k) => {
      const last = lastDifference(column, other[k]!, start, first, tolerances[k]!);
      if (last < first) return;
      if (last >= length - (length - first) / 10) isSettled = false;
      if (last + 1 - first > settledAfter) {
        settledAfter = last + 1 - first;
        slowest = k;
      }
    });
  }
  return {
    firstValue: firstValueOf(reference),
    settledAfter: isSettled ? settledAfter : null,
    slowestOutput: slowest < 0 ? null : indicator.outputs[slowest]!,
    startCount: starts.length,
  };
}

/** The last bar from `first` on where the two differ; −1 for none. `other` begins at bar `start`. */
function lastDifference(
  column: Float64Array,
  other: Float64Array,
  start: number,
  first: number,
  tolerance: number,
): number {
  for (let i = column.length - 1; i >= first; i--) {
    const a = column[i]!;
    const b = other[i - start]!;
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    if (!(Math.abs(a - b) <= tolerance)) return i;
  }
  return -1;
}

/** Standard deviation of the defined values; of equal ones their size, so that rounding is forgiven. */
function spreadOf(column: Float64Array): number {
  let count = 0;
  let sum = 0;
  for (const value of column)
    if (!Number.isNaN(value)) {
      count++;
      sum += value;
    }
  const mean = sum / count;
  let squares = 0;
  for (const value of column) if (!Number.isNaN(value)) squares += (value - mean) * (value - mean);
  const spread = Math.sqrt(squares / count);
  return spread > 1e-9 * Math.abs(mean) ? spread : Math.abs(mean);
}

function firstValueOf(columns: readonly Float64Array[]): number | null {
  const length = columns[0]?.length ?? 0;
  for (let i = 0; i < length; i++) if (columns.some((column) => !Number.isNaN(column[i]!))) return i;
  return null;
}

function cut(bars: BarColumns, start: number): BarColumns {
  return {
    open: bars.open.subarray(start),
    high: bars.high.subarray(start),
    low: bars.low.subarray(start),
    close: bars.close.subarray(start),
    volume: bars.volume.subarray(start),
  };
}

/** Bars of a random walk with ranges and volume, for trying indicators out: no market in particular. */
export function randomBars(random: Random, count: number): BarColumns {
  const bars = {
    open: new Float64Array(count),
    high: new Float64Array(count),
    low: new Float64Array(count),
    close: new Float64Array(count),
    volume: new Float64Array(count),
  };
  let close = 50 + 100 * random.uniform();
  for (let i = 0; i < count; i++) {
    const open = close * Math.exp(0.004 * random.normal());
    close = open * Math.exp(0.0002 + 0.012 * random.normal());
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close) * Math.exp(0.006 * Math.abs(random.normal()));
    bars.low[i] = Math.min(open, close) * Math.exp(-0.006 * Math.abs(random.normal()));
    bars.volume[i] = Math.round(1e6 * Math.exp(0.5 * random.normal()));
  }
  return bars;
}
