import { type CandleBlock, EQUAL, isGapDown, isGapUp, NEAR } from './candle-block.ts';

/** Patterns of two bars, i − 1 and i. Each returns 0, ±100, or ±80 for a body that only just engulfs. */

const WEAKER = 80;

export function hammer(b: CandleBlock, i: number): number {
  if (!(b.body[i]! < b.meanBodyAt0[i]! && b.lower[i]! > b.body[i]! && b.upper[i]! < b.tinyAt0[i]!)) return 0;
  return b.bottom[i]! <= b.low[i - 1]! + NEAR * b.meanRangeAt1[i]! ? 100 : 0;
}

export function hangingMan(b: CandleBlock, i: number): number {
  if (!(b.body[i]! < b.meanBodyAt0[i]! && b.lower[i]! > b.body[i]! && b.upper[i]! < b.tinyAt0[i]!)) return 0;
  return b.bottom[i]! >= b.high[i - 1]! - NEAR * b.meanRangeAt1[i]! ? -100 : 0;
}

export function invertedHammer(b: CandleBlock, i: number): number {
  if (!(b.body[i]! < b.meanBodyAt0[i]! && b.upper[i]! > b.body[i]! && b.lower[i]! < b.tinyAt0[i]!)) return 0;
  return isGapDown(b, i - 1, i) ? 100 : 0;
}

export function shootingStar(b: CandleBlock, i: number): number {
  if (!(b.body[i]! < b.meanBodyAt0[i]! && b.upper[i]! > b.body[i]! && b.lower[i]! < b.tinyAt0[i]!)) return 0;
  return isGapUp(b, i - 1, i) ? -100 : 0;
}

export function engulfing(b: CandleBlock, i: number): number {
  const color = b.color[i]!;
  if (color === b.color[i - 1]!) return 0;
  const top = b.top[i]! - b.top[i - 1]!;
  const bottom = b.bottom[i - 1]! - b.bottom[i]!;
  if (!((top >= 0 && bottom > 0) || (top > 0 && bottom >= 0))) return 0;
  return top !== 0 && bottom !== 0 ? color * 100 : color * WEAKER;
}

export function harami(b: CandleBlock, i: number): number {
  return b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! <= b.meanBodyAt0[i]! ? insideBody(b, i) : 0;
}

export function haramiCross(b: CandleBlock, i: number): number {
  return b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! <= b.tinyAt0[i]! ? insideBody(b, i) : 0;
}

function insideBody(b: CandleBlock, i: number): number {
  const against = -b.color[i - 1]!;
  const top = b.top[i]!;
  const bottom = b.bottom[i]!;
  const topBefore = b.top[i - 1]!;
  const bottomBefore = b.bottom[i - 1]!;
  if (top < topBefore && bottom > bottomBefore) return against * 100;
  return top <= topBefore && bottom >= bottomBefore ? against * WEAKER : 0;
}

export function homingPigeon(b: CandleBlock, i: number): number {
  if (!(b.color[i - 1] === -1 && b.color[i] === -1 && b.open[i]! < b.open[i - 1]! && b.close[i]! > b.close[i - 1]!))
    return 0;
  return b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! <= b.meanBodyAt0[i]! ? 100 : 0;
}

export function dojiStar(b: CandleBlock, i: number): number {
  if (!(b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! <= b.tinyAt0[i]!)) return 0;
  if (b.color[i - 1] === 1) return isGapUp(b, i - 1, i) ? -100 : 0;
  return isGapDown(b, i - 1, i) ? 100 : 0;
}

export function darkCloudCover(b: CandleBlock, i: number): number {
  if (!(b.color[i - 1] === 1 && b.color[i] === -1 && b.open[i]! > b.high[i - 1]! && b.close[i]! > b.open[i - 1]!))
    return 0;
  const body = b.body[i - 1]!;
  return body > b.meanBodyAt1[i]! && b.close[i]! < b.close[i - 1]! - body * 0.5 ? -100 : 0;
}

/** A long black bar, then a white one that opens below its low: what piercing, thrusting, on-neck and in-neck share. */
function opensBelowLongBlack(b: CandleBlock, i: number): boolean {
  return b.color[i - 1] === -1 && b.color[i] === 1 && b.open[i]! < b.low[i - 1]! && b.body[i - 1]! > b.meanBodyAt1[i]!;
}

export function piercing(b: CandleBlock, i: number): number {
  if (!opensBelowLongBlack(b, i)) return 0;
  const close = b.close[i]!;
  const isDeep = close < b.open[i - 1]! && close > b.close[i - 1]! + b.body[i - 1]! * 0.5;
  return isDeep && b.body[i]! > b.meanBodyAt0[i]! ? 100 : 0;
}

export function thrusting(b: CandleBlock, i: number): number {
  if (!opensBelowLongBlack(b, i)) return 0;
  const before = b.close[i - 1]!;
  const isShallow = b.close[i]! > before + EQUAL * b.meanRangeAt1[i]! && b.close[i]! <= before + b.body[i - 1]! * 0.5;
  return isShallow ? -100 : 0;
}

export function onNeck(b: CandleBlock, i: number): number {
  if (!opensBelowLongBlack(b, i)) return 0;
  const equal = EQUAL * b.meanRangeAt1[i]!;
  return b.close[i]! <= b.low[i - 1]! + equal && b.close[i]! >= b.low[i - 1]! - equal ? -100 : 0;
}

export function inNeck(b: CandleBlock, i: number): number {
  if (!opensBelowLongBlack(b, i)) return 0;
  const before = b.close[i - 1]!;
  return b.close[i]! <= before + EQUAL * b.meanRangeAt1[i]! && b.close[i]! >= before ? -100 : 0;
}

export function counterattack(b: CandleBlock, i: number): number {
  const color = b.color[i]!;
  if (color === b.color[i - 1]!) return 0;
  const equal = EQUAL * b.meanRangeAt1[i]!;
  const before = b.close[i - 1]!;
  if (!(b.close[i]! <= before + equal && b.close[i]! >= before - equal)) return 0;
  return b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! > b.meanBodyAt0[i]! ? color * 100 : 0;
}

export function separatingLines(b: CandleBlock, i: number): number {
  const color = b.color[i]!;
  if (color === b.color[i - 1]!) return 0;
  const equal = EQUAL * b.meanRangeAt1[i]!;
  const before = b.open[i - 1]!;
  if (!(b.open[i]! <= before + equal && b.open[i]! >= before - equal)) return 0;
  const shadow = color === 1 ? b.lower[i]! : b.upper[i]!;
  return b.body[i]! > b.meanBodyAt0[i]! && shadow < b.tinyAt0[i]! ? color * 100 : 0;
}

/** Two marubozu of opposite colours, the second a gap away from the first in its own direction. */
function isKicking(b: CandleBlock, i: number): boolean {
  const color = b.color[i]!;
  if (color === b.color[i - 1]!) return false;
  const isApart = color === 1 ? b.low[i]! > b.high[i - 1]! : b.high[i]! < b.low[i - 1]!;
  if (!(isApart && b.body[i - 1]! > b.meanBodyAt1[i]! && b.body[i]! > b.meanBodyAt0[i]!)) return false;
  const before = b.tinyAt1[i]!;
  const now = b.tinyAt0[i]!;
  return b.upper[i - 1]! < before && b.lower[i - 1]! < before && b.upper[i]! < now && b.lower[i]! < now;
}

export function kicking(b: CandleBlock, i: number): number {
  return isKicking(b, i) ? b.color[i]! * 100 : 0;
}

export function kickingByLength(b: CandleBlock, i: number): number {
  return isKicking(b, i) ? b.color[b.body[i]! > b.body[i - 1]! ? i : i - 1]! * 100 : 0;
}

export function matchingLow(b: CandleBlock, i: number): number {
  if (!(b.color[i - 1] === -1 && b.color[i] === -1)) return 0;
  const equal = EQUAL * b.meanRangeAt1[i]!;
  const before = b.close[i - 1]!;
  return b.close[i]! <= before + equal && b.close[i]! >= before - equal ? 100 : 0;
}
