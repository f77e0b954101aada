import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';

/** The columns an indicator may read. */
export type BarColumn = 'open' | 'high' | 'low' | 'close' | 'volume';
export type BarColumns = Readonly<Pick<Bars, BarColumn>>;

export type IndicatorFamily =
  | 'overlap'
  | 'momentum'
  | 'volatility'
  | 'volume'
  | 'price'
  | 'cycle'
  | 'statistic'
  | 'candle'
  | 'alpha158'
  | 'risk';

/**
 * One indicator with fixed parameters: a state machine over bars, told once and driven bar by bar or all at once.
 *
 * The same `advance` serves both, so a value computed live cannot differ from the one a model was trained on, not in the
 * last bit. It must not look at bars from `to` on, and not depend on how the bars were cut into calls.
 */
export type Indicator = {
  /** Unique, lower case, with its parameters: `rsi_14`. */
  name: string;
  title: string;
  family: IndicatorFamily;
  /** Bars of these columns that hold NaN make the indicator begin anew; other columns are never read. */
  inputs: readonly BarColumn[];
  /** Names of its columns, each unique in the catalogue; the first is `name` when there is only one. */
  outputs: readonly string[];
  parameters: Readonly<Record<string, number>>;
  /**
   * Bars that must come before the first defined value: with n of them, value number n (from 0) is the first. The same
   * for all its outputs; a value after it may still be NaN where the formula is undefined.
   */
  warmUp: number;
  /**
   * What the value still remembers. `window`: exactly the last `warmUp + 1` bars. `recursive`: everything since the
   * first bar, ever more faintly; `settle` bars after the first value a start elsewhere no longer shows above 1e-6 of
   * the series' spread (measured by the warm-up analysis). `cumulative`: for ever (a running sum).
   */
  memory: { kind: 'window' } | { kind: 'recursive'; settle: number } | { kind: 'cumulative' };
  /** What its values are measured in, for people. */
  unit: 'price' | 'fraction' | 'percent' | 'ratio' | 'bars' | 'shares' | 'signal' | 'degrees';
  /** What it agrees with, and how closely: the list of docs/methods/indicators.md is made from this. */
  reference: { source: string; tolerance: number };
  /** Where it departs from its reference, or what a reader may trip over: one sentence for the list. */
  note?: string;
  /** Numbers it keeps between calls; all 0 at the start. */
  stateSize: number;
  /**
   * Goes over bars `from` to `to` (exclusive), in order and without gaps: after `advance(…, 0, k)` comes
   * `advance(…, k, …)`. Bars before `from` may be read again. Writes value number i of output k to `out[k][i - from]`;
   * NaN while warming up or where the formula is undefined. Never throws, allocates nothing that grows with the bars.
   */
  advance(bars: BarColumns, from: number, to: number, state: Float64Array, out: readonly Float64Array[]): void;
};

/** Values of an indicator: one column of T values for each of its outputs. */
export type IndicatorColumns = Float64Array[];

/**
 * An indicator over T bars, all at once.
 *
 * A bar with NaN in a column the indicator reads has no value, and the indicator begins anew after it: no window ever
 * straddles a gap.
 *
 * @returns one column of T values for each output, NaN where undefined.
 * @throws RangeError if the columns differ in length.
 */
export function runIndicator(indicator: Indicator, bars: BarColumns): IndicatorColumns {
  const length = lengthOf(indicator, bars);
  const out = indicator.outputs.map(() => new Float64Array(length));
  runInto(indicator, bars, out);
  return out;
}

/** As `runIndicator`, into columns that exist: `out[k]` has T values. */
export function runInto(indicator: Indicator, bars: BarColumns, out: readonly Float64Array[]): void {
  const length = lengthOf(indicator, bars);
  const state = new Float64Array(indicator.stateSize);
  let start = 0;
  while (start < length) {
    let end = start;
    while (end < length && isWhole(indicator, bars, end)) end++;
    if (start === 0 && end === length) {
      indicator.advance(bars, 0, length, state, out);
      return;
    }
    if (end > start) {
      state.fill(0);
      const cut = (column: Float64Array) => column.subarray(start, end);
      indicator.advance(cutBars(bars, start, end), 0, end - start, state, out.map(cut));
    }
    for (start = end; start < length && !isWhole(indicator, bars, start); start++)
      for (const column of out) column[start] = Number.NaN;
  }
}

/**
 * Many indicators over the same T bars: as `runIndicator` for each, but every column is searched for gaps once only.
 *
 * The search takes longer than the shortest indicators themselves.
 *
 * @param out Columns that exist, for each indicator one of T values for each of its outputs. Absent: made.
 * @returns for each indicator its columns.
 */
export function runIndicators(
  indicators: readonly Indicator[],
  bars: BarColumns,
  out: readonly (readonly Float64Array[])[] = indicators.map(({ outputs }) =>
    outputs.map(() => new Float64Array(bars.close.length)),
  ),
): readonly (readonly Float64Array[])[] {
  const length = bars.close.length;
  const read = new Set(indicators.flatMap(({ inputs }) => inputs));
  const holed = new Set([...read].filter((column) => holdsNaN(bars[column])));
  indicators.forEach((indicator, k) => {
    lengthOf(indicator, bars);
    if (indicator.inputs.some((input) => holed.has(input))) runInto(indicator, bars, out[k]!);
    else indicator.advance(bars, 0, length, new Float64Array(indicator.stateSize), out[k]!);
  });
  return out;
}

function holdsNaN(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]!)) return true;
  return false;
}

/** Daily bars of one instrument that come one by one, and what its indicators say of each. */
export type IndicatorStream = {
  /** Names of the values, in the order of `push`: the outputs of all indicators. */
  names: readonly string[];
  /** Takes the next bar. @returns one value for each name; the array is used again by the next call. */
  push(bar: Readonly<Record<BarColumn, number>>): Float64Array;
  barCount(): number;
};

const ROOM_AT_FIRST = 256;

/**
 * Drives indicators bar by bar. What `push` gives is equal, bit by bit, to what `runIndicator` gives for that bar.
 *
 * Keeps every bar it was given: 40 bytes each.
 */
export function createIndicatorStream(indicators: readonly Indicator[]): IndicatorStream {
  let columns = emptyColumns(ROOM_AT_FIRST);
  let room = ROOM_AT_FIRST;
  let count = 0;
  const values = new Float64Array(indicators.reduce((sum, { outputs }) => sum + outputs.length, 0));
  let offset = 0;
  const running = indicators.map((indicator) => {
    const out = indicator.outputs.map((_, k) => values.subarray(offset + k, offset + k + 1));
    offset += indicator.outputs.length;
    return { indicator, out, state: new Float64Array(indicator.stateSize), start: 0, view: columns };
  });
  return {
    names: indicators.flatMap(({ outputs }) => outputs),
    barCount: () => count,
    push(bar) {
      if (count === room) {
        room *= 2;
        columns = grow(columns, room);
        for (const one of running) one.view = cutBars(columns, one.start, room);
      }
      columns.open[count] = bar.open;
      columns.high[count] = bar.high;
      columns.low[count] = bar.low;
      columns.close[count] = bar.close;
      columns.volume[count] = bar.volume;
      count++;
      for (const one of running) {
        const at = count - 1 - one.start;
        if (isWhole(one.indicator, columns, count - 1)) {
          one.indicator.advance(one.view, at, at + 1, one.state, one.out);
          continue;
        }
        for (const column of one.out) column[0] = Number.NaN;
        one.state.fill(0);
        one.start = count;
        one.view = cutBars(columns, count, room);
      }
      return values;
    },
  };
}

function isWhole(indicator: Indicator, bars: BarColumns, at: number): boolean {
  for (const input of indicator.inputs) if (Number.isNaN(bars[input][at])) return false;
  return true;
}

function lengthOf(indicator: Indicator, bars: BarColumns): number {
  const length = bars.close.length;
  for (const input of indicator.inputs)
    expect(bars[input].length === length, `${input} has ${bars[input].length} bars, close has ${length}`);
  return length;
}

function cutBars(bars: BarColumns, start: number, end: number): BarColumns {
  return {
    open: bars.open.subarray(start, end),
    high: bars.high.subarray(start, end),
    low: bars.low.subarray(start, end),
    close: bars.close.subarray(start, end),
    volume: bars.volume.subarray(start, end),
  };
}

function emptyColumns(room: number): BarColumns {
  const empty = () => new Float64Array(room);
  return { open: empty(), high: empty(), low: empty(), close: empty(), volume: empty() };
}

function grow(bars: BarColumns, room: number): BarColumns {
  const larger = emptyColumns(room);
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) larger[name].set(bars[name]);
  return larger;
}
