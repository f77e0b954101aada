import type { BarColumns } from '../indicator.ts';

/** Bars handled in one go: few enough for the columns below to stay in the processor's cache. */
const BLOCK_BARS = 512;
const column = () => new Float64Array(BLOCK_BARS);

/**
 * What the patterns look at. Bar i has its prices at place i; its averages lie at place `at` of the block. An average is of
 * the bars before the one k bars back (`…At2`: before bar i − 2).
 *
 * One block is shared by all patterns and filled anew in each call: nothing in it outlives a call.
 */
export type CandleBlock = {
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  /** Colours and long bodies of the last bars, one bit each: see `Shape`. */
  readonly looks: Int32Array;
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

const none = new Float64Array(0);
const block: CandleBlock = {
  open: none,
  high: none,
  low: none,
  close: none,
  looks: new Int32Array(BLOCK_BARS),
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

type Measure = 'body' | 'range' | 'shadows';
/** A running mean over the bars before the one `offset` bars back, and where it is written to. */
export type CandleMean = {
  measure: Measure;
  period: number;
  factor: number;
  divisor: number;
  offset: number;
  into: Float64Array;
};
const meanBody = { measure: 'body', period: 10, factor: 1, divisor: 1 } as const;
const tiny = { measure: 'range', period: 10, factor: 0.1, divisor: 1 } as const;
const shortShadow = { measure: 'shadows', period: 10, factor: 1, divisor: 2 } as const;
const meanRange = { measure: 'range', period: 5, factor: 1, divisor: 1 } as const;

/** Every running mean, by the name of its column. */
export const CANDLE_MEANS = {
  meanBodyAt0: { ...meanBody, offset: 0, into: block.meanBodyAt0 },
  meanBodyAt1: { ...meanBody, offset: 1, into: block.meanBodyAt1 },
  meanBodyAt2: { ...meanBody, offset: 2, into: block.meanBodyAt2 },
  meanBodyAt3: { ...meanBody, offset: 3, into: block.meanBodyAt3 },
  meanBodyAt4: { ...meanBody, offset: 4, into: block.meanBodyAt4 },
  tinyAt0: { ...tiny, offset: 0, into: block.tinyAt0 },
  tinyAt1: { ...tiny, offset: 1, into: block.tinyAt1 },
  tinyAt2: { ...tiny, offset: 2, into: block.tinyAt2 },
  tinyAt3: { ...tiny, offset: 3, into: block.tinyAt3 },
  shortShadowAt0: { ...shortShadow, offset: 0, into: block.shortShadowAt0 },
  shortShadowAt1: { ...shortShadow, offset: 1, into: block.shortShadowAt1 },
  shortShadowAt2: { ...shortShadow, offset: 2, into: block.shortShadowAt2 },
  meanRangeAt0: { ...meanRange, offset: 0, into: block.meanRangeAt0 },
  meanRangeAt1: { ...meanRange, offset: 1, into: block.meanRangeAt1 },
  meanRangeAt2: { ...meanRange, offset: 2, into: block.meanRangeAt2 },
  meanRangeAt3: { ...meanRange, offset: 3, into: block.meanRangeAt3 },
} as const satisfies Record<string, CandleMean>;

/** Says of bar i, whose averages lie at place `at`, whether a pattern ends there: 0, ±100, or ±80 for its weaker form. */
export type CandleDetector = (block: CandleBlock, i: number, at: number) => number;

/**
 * What the last bars must look like before a detector is asked at all: one comparison of bits, which most bars fail.
 * Bit k: bar i − k is white. Bit 5 + k: its body is long. Bit 10 + k: its body is a doji's.
 * Bits 15 to 18 are about the shadows of bar i.
 */
export type Shape = { mask: number; value: number };
export type CandlePattern = { shapes: readonly Shape[]; detect: CandleDetector };

const COLOR_BITS = 5;
const ALL_COLORS = (1 << COLOR_BITS) - 1;
const LONG_BIT = COLOR_BITS;
const DOJI_BIT = 2 * COLOR_BITS;
const UPPER_BIT = 3 * COLOR_BITS;
const LOWER_BIT = UPPER_BIT + 2;
/** A place no shape asks about. */
const NO_BIT = 31;
const bit = (place: number, isSet: boolean): Shape => ({ mask: 1 << place, value: isSet ? 1 << place : 0 });

/** The body k bars back is longer than the average before it; or not longer; or at most a tenth of the average range. */
export const long = (k: number): Shape => bit(LONG_BIT + k, true);
export const notLong = (k: number): Shape => bit(LONG_BIT + k, false);
export const tinyBody = (k: number): Shape => bit(DOJI_BIT + k, true);
/** The last bar's shadow is as good as none; it is longer than its body. */
export const noUpper: Shape = bit(UPPER_BIT, true);
export const noLower: Shape = bit(LOWER_BIT, true);
export const upperAboveBody: Shape = bit(UPPER_BIT + 1, true);
export const lowerAboveBody: Shape = bit(LOWER_BIT + 1, true);

/** @param colors Oldest bar first: `w` white, `b` black, `.` either. */
export function shape(colors: string, ...others: readonly Shape[]): Shape {
  const bits = [...colors].flatMap((color, n) => (color === '.' ? [] : [bit(colors.length - 1 - n, color === 'w')]));
  return [...bits, ...others].reduce((a, b) => ({ mask: a.mask | b.mask, value: a.value | b.value }), {
    mask: 0,
    value: 0,
  });
}

/** The shape and the same with the colours turned round. */
export function eitherWay(colors: string, ...others: readonly Shape[]): Shape[] {
  const turned = colors.replace(/[wb]/g, (color) => (color === 'w' ? 'b' : 'w'));
  return [shape(colors, ...others), shape(turned, ...others)];
}

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
  block.open = bars.open;
  block.high = bars.high;
  block.low = bars.low;
  block.close = bars.close;
  for (let start = first; start < to; start += BLOCK_BARS) {
    const end = Math.min(to, start + BLOCK_BARS);
    look(start, end, Math.min(warmUp, COLOR_BITS - 1));
    for (let k = 0; k < means.length; k++) state[k] = fillMean(means[k]!, start === warmUp, state[k]!, start, end);
    for (let k = 0; k < patterns.length; k++) judge(patterns[k]!, out[k]!, start - from, start, end);
  }
}

/** Colours of the bars and of those up to `history` bars before them. */
function look(from: number, to: number, history: number): void {
  const { open, close, looks } = block;
  let colors = 0;
  for (let i = from - history; i < from; i++) colors = (colors << 1) | Number(close[i]! >= open[i]!);
  for (let i = from; i < to; i++) {
    colors = ((colors << 1) | Number(close[i]! >= open[i]!)) & ALL_COLORS;
    looks[i - from] = colors;
  }
}

/** @returns the sum for bar `to`. */
function fillMean(mean: CandleMean, isFirst: boolean, before: number, from: number, to: number): number {
  if (mean.measure === 'body') return fillBody(mean, isFirst, before, from, to);
  if (mean.measure === 'range') return fillRange(mean, isFirst, before, from, to);
  return fillShadows(mean, isFirst, before, from, to);
}

function fillBody(mean: CandleMean, isFirst: boolean, before: number, from: number, to: number): number {
  const { period, offset, into } = mean;
  const { looks } = block;
  let sum = before;
  if (isFirst) for (let i = from - offset - period; i < from - offset; i++) sum += bodyOf(block, i);
  const isLong = LONG_BIT + offset;
  for (let i = from; i < to; i++) {
    const average = sum / period;
    const length = bodyOf(block, i - offset);
    into[i - from] = average;
    looks[i - from]! |= Number(length > average) << isLong;
    sum += length - bodyOf(block, i - offset - period);
  }
  return sum;
}

function fillRange(mean: CandleMean, isFirst: boolean, before: number, from: number, to: number): number {
  const { period, factor, offset, into } = mean;
  const { looks } = block;
  let sum = before;
  if (isFirst) for (let i = from - offset - period; i < from - offset; i++) sum += rangeOf(block, i);
  const isDoji = factor === tiny.factor ? DOJI_BIT + offset : NO_BIT;
  for (let i = from; i < to; i++) {
    const average = factor * (sum / period);
    into[i - from] = average;
    looks[i - from]! |= Number(bodyOf(block, i - offset) <= average) << isDoji;
    sum += rangeOf(block, i - offset) - rangeOf(block, i - offset - period);
  }
  if (isDoji === DOJI_BIT) lookAtShadows(from, to);
  return sum;
}

function lookAtShadows(from: number, to: number): void {
  const { looks, tinyAt0 } = block;
  for (let i = from; i < to; i++) {
    const body = bodyOf(block, i);
    const upper = upperOf(block, i);
    const lower = lowerOf(block, i);
    const tiny = tinyAt0[i - from]!;
    looks[i - from]! |=
      (Number(upper < tiny) << UPPER_BIT) |
      (Number(upper > body) << (UPPER_BIT + 1)) |
      (Number(lower < tiny) << LOWER_BIT) |
      (Number(lower > body) << (LOWER_BIT + 1));
  }
}

function fillShadows(mean: CandleMean, isFirst: boolean, before: number, from: number, to: number): number {
  const { period, divisor, offset, into } = mean;
  let sum = before;
  if (isFirst) for (let i = from - offset - period; i < from - offset; i++) sum += shadowsOf(block, i);
  for (let i = from; i < to; i++) {
    into[i - from] = sum / period / divisor;
    sum += shadowsOf(block, i - offset) - shadowsOf(block, i - offset - period);
  }
  return sum;
}

function judge(pattern: CandlePattern, values: Float64Array, offset: number, from: number, to: number): void {
  const { shapes, detect } = pattern;
  const { looks } = block;
  const { mask, value } = shapes[0]!;
  const { mask: otherMask, value: otherValue } = shapes[1] ?? shapes[0]!;
  const count = to - from;
  for (let at = 0; at < count; at++) {
    const seen = looks[at]!;
    const fits = (seen & mask) === value || (seen & otherMask) === otherValue;
    values[offset + at] = fits ? detect(block, from + at, at) : 0;
  }
}

/** 1 where the close is at or above the open ("white"), −1 where it is below ("black"). */
export function colorOf(b: CandleBlock, i: number): 1 | -1 {
  return b.close[i]! >= b.open[i]! ? 1 : -1;
}

/** The higher of open and close; `bottom` is the lower. */
export function topOf(b: CandleBlock, i: number): number {
  return Math.max(b.open[i]!, b.close[i]!);
}

export function bottomOf(b: CandleBlock, i: number): number {
  return Math.min(b.open[i]!, b.close[i]!);
}

export function bodyOf(b: CandleBlock, i: number): number {
  return Math.abs(b.close[i]! - b.open[i]!);
}

export function rangeOf(b: CandleBlock, i: number): number {
  return b.high[i]! - b.low[i]!;
}

/** Upper shadow: from the body to the high. `lower`: from the low to the body. */
export function upperOf(b: CandleBlock, i: number): number {
  return b.high[i]! - topOf(b, i);
}

export function lowerOf(b: CandleBlock, i: number): number {
  return bottomOf(b, i) - b.low[i]!;
}

function shadowsOf(b: CandleBlock, i: number): number {
  return upperOf(b, i) + lowerOf(b, i);
}

/** Whether the whole body of `later` lies above, or below, that of `earlier`. */
export function isGapUp(b: CandleBlock, earlier: number, later: number): boolean {
  return bottomOf(b, later) > topOf(b, earlier);
}

export function isGapDown(b: CandleBlock, earlier: number, later: number): boolean {
  return topOf(b, later) < bottomOf(b, earlier);
}
