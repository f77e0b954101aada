import {
  bodyOf,
  bottomOf,
  type CandleBlock,
  colorOf,
  EQUAL,
  isGapDown,
  isGapUp,
  lowerOf,
  NEAR,
  topOf,
  upperOf,
} from './candle-block.ts';

/** Patterns of two bars, i − 1 and i. Each returns 0, ±100, or ±80 for a body that only just engulfs. */

const WEAKER = 80;

export function hammer(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i) < b.meanBodyAt0[at]! && lowerOf(b, i) > bodyOf(b, i) && upperOf(b, i) < b.tinyAt0[at]!)) return 0;
  return bottomOf(b, i) <= b.low[i - 1]! + NEAR * b.meanRangeAt1[at]! ? 100 : 0;
}

export function hangingMan(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i) < b.meanBodyAt0[at]! && lowerOf(b, i) > bodyOf(b, i) && upperOf(b, i) < b.tinyAt0[at]!)) return 0;
  return bottomOf(b, i) >= b.high[i - 1]! - NEAR * b.meanRangeAt1[at]! ? -100 : 0;
}

export function invertedHammer(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i) < b.meanBodyAt0[at]! && upperOf(b, i) > bodyOf(b, i) && lowerOf(b, i) < b.tinyAt0[at]!)) return 0;
  return isGapDown(b, i - 1, i) ? 100 : 0;
}

export function shootingStar(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i) < b.meanBodyAt0[at]! && upperOf(b, i) > bodyOf(b, i) && lowerOf(b, i) < b.tinyAt0[at]!)) return 0;
  return isGapUp(b, i - 1, i) ? -100 : 0;
}

export function engulfing(b: CandleBlock, i: number): number {
  const color = colorOf(b, i);
  if (color === colorOf(b, i - 1)) return 0;
  const top = topOf(b, i) - topOf(b, i - 1);
  const bottom = bottomOf(b, i - 1) - bottomOf(b, i);
  if (!((top >= 0 && bottom > 0) || (top > 0 && bottom >= 0))) return 0;
  return top !== 0 && bottom !== 0 ? color * 100 : color * WEAKER;
}

export function harami(b: CandleBlock, i: number, at: number): number {
  return bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) <= b.meanBodyAt0[at]! ? insideBody(b, i) : 0;
}

export function haramiCross(b: CandleBlock, i: number, at: number): number {
  return bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) <= b.tinyAt0[at]! ? insideBody(b, i) : 0;
}

function insideBody(b: CandleBlock, i: number): number {
  const against = -colorOf(b, i - 1);
  const top = topOf(b, i);
  const bottom = bottomOf(b, i);
  const topBefore = topOf(b, i - 1);
  const bottomBefore = bottomOf(b, i - 1);
  if (top < topBefore && bottom > bottomBefore) return against * 100;
  return top <= topBefore && bottom >= bottomBefore ? against * WEAKER : 0;
}

export function homingPigeon(b: CandleBlock, i: number, at: number): number {
  if (
    !(colorOf(b, i - 1) === -1 && colorOf(b, i) === -1 && b.open[i]! < b.open[i - 1]! && b.close[i]! > b.close[i - 1]!)
  )
    return 0;
  return bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) <= b.meanBodyAt0[at]! ? 100 : 0;
}

export function dojiStar(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) <= b.tinyAt0[at]!)) return 0;
  if (colorOf(b, i - 1) === 1) return isGapUp(b, i - 1, i) ? -100 : 0;
  return isGapDown(b, i - 1, i) ? 100 : 0;
}

export function darkCloudCover(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 1) === 1 && colorOf(b, i) === -1 && b.open[i]! > b.high[i - 1]! && b.close[i]! > b.open[i - 1]!))
    return 0;
  const body = bodyOf(b, i - 1);
  return body > b.meanBodyAt1[at]! && b.close[i]! < b.close[i - 1]! - body * 0.5 ? -100 : 0;
}

/** A long black bar, then a white one that opens below its low: what piercing, thrusting, on-neck and in-neck share. */
function opensBelowLongBlack(b: CandleBlock, i: number, at: number): boolean {
  return (
    colorOf(b, i - 1) === -1 &&
    colorOf(b, i) === 1 &&
    b.open[i]! < b.low[i - 1]! &&
    bodyOf(b, i - 1) > b.meanBodyAt1[at]!
  );
}

export function piercing(b: CandleBlock, i: number, at: number): number {
  if (!opensBelowLongBlack(b, i, at)) return 0;
  const close = b.close[i]!;
  const isDeep = close < b.open[i - 1]! && close > b.close[i - 1]! + bodyOf(b, i - 1) * 0.5;
  return isDeep && bodyOf(b, i) > b.meanBodyAt0[at]! ? 100 : 0;
}

export function thrusting(b: CandleBlock, i: number, at: number): number {
  if (!opensBelowLongBlack(b, i, at)) return 0;
  const before = b.close[i - 1]!;
  const isShallow =
    b.close[i]! > before + EQUAL * b.meanRangeAt1[at]! && b.close[i]! <= before + bodyOf(b, i - 1) * 0.5;
  return isShallow ? -100 : 0;
}

export function onNeck(b: CandleBlock, i: number, at: number): number {
  if (!opensBelowLongBlack(b, i, at)) return 0;
  const equal = EQUAL * b.meanRangeAt1[at]!;
  return b.close[i]! <= b.low[i - 1]! + equal && b.close[i]! >= b.low[i - 1]! - equal ? -100 : 0;
}

export function inNeck(b: CandleBlock, i: number, at: number): number {
  if (!opensBelowLongBlack(b, i, at)) return 0;
  const before = b.close[i - 1]!;
  return b.close[i]! <= before + EQUAL * b.meanRangeAt1[at]! && b.close[i]! >= before ? -100 : 0;
}

export function counterattack(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i);
  if (color === colorOf(b, i - 1)) return 0;
  const equal = EQUAL * b.meanRangeAt1[at]!;
  const before = b.close[i - 1]!;
  if (!(b.close[i]! <= before + equal && b.close[i]! >= before - equal)) return 0;
  return bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) > b.meanBodyAt0[at]! ? color * 100 : 0;
}

export function separatingLines(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i);
  if (color === colorOf(b, i - 1)) return 0;
  const equal = EQUAL * b.meanRangeAt1[at]!;
  const before = b.open[i - 1]!;
  if (!(b.open[i]! <= before + equal && b.open[i]! >= before - equal)) return 0;
  const shadow = color === 1 ? lowerOf(b, i) : upperOf(b, i);
  return bodyOf(b, i) > b.meanBodyAt0[at]! && shadow < b.tinyAt0[at]! ? color * 100 : 0;
}

/** Two marubozu of opposite colours, the second a gap away from the first in its own direction. */
function isKicking(b: CandleBlock, i: number, at: number): boolean {
  const color = colorOf(b, i);
  if (color === colorOf(b, i - 1)) return false;
  const isApart = color === 1 ? b.low[i]! > b.high[i - 1]! : b.high[i]! < b.low[i - 1]!;
  if (!(isApart && bodyOf(b, i - 1) > b.meanBodyAt1[at]! && bodyOf(b, i) > b.meanBodyAt0[at]!)) return false;
  const before = b.tinyAt1[at]!;
  const now = b.tinyAt0[at]!;
  return upperOf(b, i - 1) < before && lowerOf(b, i - 1) < before && upperOf(b, i) < now && lowerOf(b, i) < now;
}

export function kicking(b: CandleBlock, i: number, at: number): number {
  return isKicking(b, i, at) ? colorOf(b, i) * 100 : 0;
}

export function kickingByLength(b: CandleBlock, i: number, at: number): number {
  return isKicking(b, i, at) ? colorOf(b, bodyOf(b, i) > bodyOf(b, i - 1) ? i : i - 1) * 100 : 0;
}

export function matchingLow(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 1) === -1 && colorOf(b, i) === -1)) return 0;
  const equal = EQUAL * b.meanRangeAt1[at]!;
  const before = b.close[i - 1]!;
  return b.close[i]! <= before + equal && b.close[i]! >= before - equal ? 100 : 0;
}
