import type { BarColumns } from '../indicator.ts';

/** Bars handled in one go. Small enough for the columns below to stay in the processor's cache. */
const BLOCK_BARS = 256;
/** Bars kept before the first of a block: five of a pattern and the ten its averages are taken over, less one. */
const HISTORY_BARS = 14;
const ROOM = HISTORY_BARS + BLOCK_BARS;
const column = () => new Float64Array(ROOM);

/**
 * What the patterns look at, a few hundred bars at a time. Bar i of a column has its parts at place i; bar i − k lies at
 * place i − k. The averages are of the bars before the one k bars back (`…At2`: before bar i − 2), read at place i.
 *
 * One block is shared by all patterns, filled anew in each call: nothing in it outlives a call.
 */
export type CandleBlock = {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** 1 where the close is at or above the open ("white"), −1 where it is below ("black"). */
  readonly color: Float64Array;
  /** The higher and the lower of open and close. */
  readonly top: Float64Array;
  readonly bottom: Float64Array;
  /** |close − open|. */
  readonly body: Float64Array;
  /** high − low. */
  readonly range: Float64Array;
  /** high − top, and bottom − low. */
  readonly upper: Float64Array;
  readonly lower: Float64Array;
  /** Upper and lower shadow together. */
  readonly shadows: Float64Array;
  /** Mean body of ten bars: a longer body is long, a shorter one is short. */
  readonly meanBodyAt0: Float64Array;
  readonly meanBodyAt1: Float64Array;
  readonly meanBodyAt2: Float64Array;
  readonly meanBodyAt3: Float64Array;
  readonly meanBodyAt4: Float64Array;
  /** A tenth of the mean range of ten bars: a smaller body is a doji, a smaller shadow is as good as none. */
  readonly tinyAt0: Float64Array;
  readonly tinyAt1: Float64Array;
  readonly tinyAt2: Float64Array;
  readonly tinyAt3: Float64Array;
  /** Half the mean of both shadows of ten bars: a smaller shadow is short. */
  readonly shortShadowAt0: Float64Array;
  readonly shortShadowAt1: Float64Array;
  readonly shortShadowAt2: Float64Array;
  /** Mean range of five bars: .2 of it is near, .6 of it is far, .05 of it is equal. */
  readonly meanRangeAt0: Float64Array;
  readonly meanRangeAt1: Float64Array;
  readonly meanRangeAt2: Float64Array;
  readonly meanRangeAt3: Float64Array;
};

export const NEAR = 0.2;
export const FAR = 0.6;
export const EQUAL = 0.05;

const block: CandleBlock = {
  open: column(),
  high: column(),
  low: column(),
  close: column(),
  color: column(),
  top: column(),
  bottom: column(),
  body: column(),
  range: column(),
  upper: column(),
  lower: column(),
  shadows: column(),
  meanBodyAt0: column(),
  meanBodyAt1: column(),
  meanBodyAt2: column(),
  meanBodyAt3: column(),
  meanBodyAt4: column(),
  tinyAt0: column(),
  tinyAt1: column(),
  tinyAt2: column(),
  tinyAt3: column(),
  shortShadowAt0: column(),
  shortShadowAt1: column(),
  shortShadowAt2: column(),
  meanRangeAt0: column(),
  meanRangeAt1: column(),
  meanRangeAt2: column(),
  meanRangeAt3: column(),
};

/** A mean over the bars before the one `offset` bars back. */
type MeanKind = { measure: Float64Array; period: number; factor: number; divisor: number };
const MEAN_BODY: MeanKind = { measure: block.body, period: 10, factor: 1, divisor: 1 };
const TINY: MeanKind = { measure: block.range, period: 10, factor: 0.1, divisor: 1 };
const SHORT_SHADOW: MeanKind = { measure: block.shadows, period: 10, factor: 1, divisor: 2 };
const MEAN_RANGE: MeanKind = { measure: block.range, period: 5, factor: 1, divisor: 1 };

/** A running mean the patterns of a group look at, and the column of the block it is written to. */
export type CandleMean = { kind: MeanKind; offset: number; into: Float64Array };
const mean = (kind: MeanKind, offset: number, into: Float64Array): CandleMean => ({ kind, offset, into });

/** Every running mean, by the name of its column. */
export const CANDLE_MEANS = {
  meanBodyAt0: mean(MEAN_BODY, 0, block.meanBodyAt0),
  meanBodyAt1: mean(MEAN_BODY, 1, block.meanBodyAt1),
  meanBodyAt2: mean(MEAN_BODY, 2, block.meanBodyAt2),
  meanBodyAt3: mean(MEAN_BODY, 3, block.meanBodyAt3),
  meanBodyAt4: mean(MEAN_BODY, 4, block.meanBodyAt4),
  tinyAt0: mean(TINY, 0, block.tinyAt0),
  tinyAt1: mean(TINY, 1, block.tinyAt1),
  tinyAt2: mean(TINY, 2, block.tinyAt2),
  tinyAt3: mean(TINY, 3, block.tinyAt3),
  shortShadowAt0: mean(SHORT_SHADOW, 0, block.shortShadowAt0),
  shortShadowAt1: mean(SHORT_SHADOW, 1, block.shortShadowAt1),
  shortShadowAt2: mean(SHORT_SHADOW, 2, block.shortShadowAt2),
  meanRangeAt0: mean(MEAN_RANGE, 0, block.meanRangeAt0),
  meanRangeAt1: mean(MEAN_RANGE, 1, block.meanRangeAt1),
  meanRangeAt2: mean(MEAN_RANGE, 2, block.meanRangeAt2),
  meanRangeAt3: mean(MEAN_RANGE, 3, block.meanRangeAt3),
} as const;

/** Says of the bar at place i of a block whether a pattern ends there: 0, or ±100, or ±80 for its weaker form. */
export type CandlePattern = (block: CandleBlock, i: number) => number;

/**
 * Goes over bars `from` to `to` with patterns of one warm-up.
 *
 * The running means are summed as TA-Lib sums them (the first sum when the pattern may first end, then one bar in and one
 * out, in one term), so that a comparison that hangs on the last bit falls on the same side.
 *
 * @param warmUp Bars before the first answer; NaN until then.
 * @param state One running sum for each of `means`.
 */
export function advanceCandles(
  patterns: readonly CandlePattern[],
  means: readonly CandleMean[],
  warmUp: number,
  bars: BarColumns,
  from: number,
  to: number,
  state: Float64Array,
  out: readonly Float64Array[],
): void {
  const first = Math.max(from, warmUp);
  if (first > from) for (const values of out) values.fill(Number.NaN, 0, Math.min(first, to) - from);
  for (let start = first; start < to; start += BLOCK_BARS) {
    const end = Math.min(to, start + BLOCK_BARS);
    const shift = start - HISTORY_BARS;
    load(bars, start - warmUp, end, shift);
    for (let k = 0; k < means.length; k++)
      state[k] = fillMean(means[k]!, start === warmUp, state[k]!, start - shift, end - shift);
    for (let k = 0; k < patterns.length; k++) judge(patterns[k]!, out[k]!, start - from, end - start);
  }
}

function load(bars: BarColumns, from: number, to: number, shift: number): void {
  const { open, high, low, close, color, top, bottom, body, range, upper, lower, shadows } = block;
  for (let i = from; i < to; i++) {
    const at = i - shift;
    const o = bars.open[i]!;
    const h = bars.high[i]!;
    const l = bars.low[i]!;
    const c = bars.close[i]!;
    const isWhite = c >= o;
    const higher = isWhite ? c : o;
    const deeper = isWhite ? o : c;
    open[at] = o;
    high[at] = h;
    low[at] = l;
    close[at] = c;
    color[at] = isWhite ? 1 : -1;
    top[at] = higher;
    bottom[at] = deeper;
    body[at] = higher - deeper;
    range[at] = h - l;
    upper[at] = h - higher;
    lower[at] = deeper - l;
    shadows[at] = h - higher + (deeper - l);
  }
}

/** @returns the sum for the bar at `to`. */
function fillMean(one: CandleMean, isFirst: boolean, before: number, from: number, to: number): number {
  const { measure, period, factor, divisor } = one.kind;
  const { offset, into } = one;
  let sum = before;
  if (isFirst) {
    sum = 0;
    for (let at = from - offset - period; at < from - offset; at++) sum += measure[at]!;
  }
  for (let at = from; at < to; at++) {
    into[at] = (factor * (sum / period)) / divisor;
    sum += measure[at - offset]! - measure[at - offset - period]!;
  }
  return sum;
}

function judge(pattern: CandlePattern, values: Float64Array, offset: number, count: number): void {
  for (let i = 0; i < count; i++) values[offset + i] = pattern(block, HISTORY_BARS + i);
}

/** Whether the whole body of `later` lies above, or below, that of `earlier`. */
export function isGapUp(b: CandleBlock, earlier: number, later: number): boolean {
  return b.bottom[later]! > b.top[earlier]!;
}

export function isGapDown(b: CandleBlock, earlier: number, later: number): boolean {
  return b.top[later]! < b.bottom[earlier]!;
}
