import { type CandleBlock, EQUAL, FAR, isGapDown, isGapUp, NEAR } from './candle-block.ts';

/** Patterns of three bars, i − 2, i − 1 and i. Each returns 0 or ±100. */

/** How deep the third bar must close into the first one's body, as a share of it. */
const STAR_PENETRATION = 0.3;

function areAll(b: CandleBlock, i: number, color: number): boolean {
  return b.color[i - 2] === color && b.color[i - 1] === color && b.color[i] === color;
}

export function twoCrows(b: CandleBlock, i: number): number {
  if (!(b.color[i - 2] === 1 && b.color[i - 1] === -1 && b.color[i] === -1 && isGapUp(b, i - 2, i - 1))) return 0;
  const opensInside = b.open[i]! < b.open[i - 1]! && b.open[i]! > b.close[i - 1]!;
  const closesInside = b.close[i]! > b.open[i - 2]! && b.close[i]! < b.close[i - 2]!;
  return opensInside && closesInside && b.body[i - 2]! > b.meanBodyAt2[i]! ? -100 : 0;
}

export function upsideGapTwoCrows(b: CandleBlock, i: number): number {
  if (!(b.color[i - 2] === 1 && b.color[i - 1] === -1 && b.color[i] === -1 && isGapUp(b, i - 2, i - 1))) return 0;
  const engulfs = b.open[i]! > b.open[i - 1]! && b.close[i]! < b.close[i - 1]! && b.close[i]! > b.close[i - 2]!;
  return engulfs && b.body[i - 2]! > b.meanBodyAt2[i]! && b.body[i - 1]! <= b.meanBodyAt1[i]! ? -100 : 0;
}

export function threeInside(b: CandleBlock, i: number): number {
  if (!(b.body[i - 2]! > b.meanBodyAt2[i]! && b.body[i - 1]! <= b.meanBodyAt1[i]!)) return 0;
  if (!(b.top[i - 1]! < b.top[i - 2]! && b.bottom[i - 1]! > b.bottom[i - 2]!)) return 0;
  const first = b.color[i - 2]!;
  if (first === b.color[i]!) return 0;
  const leaves = first === 1 ? b.close[i]! < b.open[i - 2]! : b.close[i]! > b.open[i - 2]!;
  return leaves ? -first * 100 : 0;
}

export function threeOutside(b: CandleBlock, i: number): number {
  const color = b.color[i - 1]!;
  if (color === b.color[i - 2]!) return 0;
  if (!(b.top[i - 1]! > b.top[i - 2]! && b.bottom[i - 1]! < b.bottom[i - 2]!)) return 0;
  return (b.close[i]! - b.close[i - 1]!) * color > 0 ? color * 100 : 0;
}

export function threeStarsInSouth(b: CandleBlock, i: number): number {
  if (
    !(areAll(b, i, -1) && b.body[i - 1]! < b.body[i - 2]! && b.low[i]! > b.low[i - 1]! && b.high[i]! < b.high[i - 1]!)
  )
    return 0;
  if (!(b.body[i - 2]! > b.meanBodyAt2[i]! && b.lower[i - 2]! > b.body[i - 2]!)) return 0;
  const opensInside = b.open[i - 1]! > b.close[i - 2]! && b.open[i - 1]! <= b.high[i - 2]!;
  const holds = b.low[i - 1]! < b.close[i - 2]! && b.low[i - 1]! >= b.low[i - 2]!;
  if (!(opensInside && holds && b.lower[i - 1]! > b.tinyAt1[i]!)) return 0;
  return b.body[i]! < b.meanBodyAt0[i]! && b.lower[i]! < b.tinyAt0[i]! && b.upper[i]! < b.tinyAt0[i]! ? 100 : 0;
}

/** Three rising white bars, each opening within or near the body before: what advance block and soldiers share. */
function isAdvance(b: CandleBlock, i: number): boolean {
  if (!(areAll(b, i, 1) && b.close[i]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i - 2]!)) return false;
  const second = b.open[i - 1]! > b.open[i - 2]! && b.open[i - 1]! <= b.close[i - 2]! + NEAR * b.meanRangeAt2[i]!;
  return second && b.open[i]! > b.open[i - 1]! && b.open[i]! <= b.close[i - 1]! + NEAR * b.meanRangeAt1[i]!;
}

export function threeWhiteSoldiers(b: CandleBlock, i: number): number {
  if (!isAdvance(b, i)) return 0;
  const areBare = b.upper[i - 2]! < b.tinyAt2[i]! && b.upper[i - 1]! < b.tinyAt1[i]! && b.upper[i]! < b.tinyAt0[i]!;
  const keepUp =
    b.body[i - 1]! > b.body[i - 2]! - FAR * b.meanRangeAt2[i]! &&
    b.body[i]! > b.body[i - 1]! - FAR * b.meanRangeAt1[i]!;
  return areBare && keepUp && b.body[i]! > b.meanBodyAt0[i]! ? 100 : 0;
}

export function advanceBlock(b: CandleBlock, i: number): number {
  if (!(isAdvance(b, i) && b.body[i - 2]! > b.meanBodyAt2[i]! && b.upper[i - 2]! < b.shortShadowAt2[i]!)) return 0;
  const first = b.body[i - 2]!;
  const second = b.body[i - 1]!;
  const third = b.body[i]!;
  const tiresSecond = second < first - FAR * b.meanRangeAt2[i]! && third < second + NEAR * b.meanRangeAt1[i]!;
  const tiresThird = third < second - FAR * b.meanRangeAt1[i]!;
  const meetsSellers =
    third < second && second < first && (b.upper[i]! > b.shortShadowAt0[i]! || b.upper[i - 1]! > b.shortShadowAt1[i]!);
  const isTurnedBack = third < second && b.upper[i]! > third;
  return tiresSecond || tiresThird || meetsSellers || isTurnedBack ? -100 : 0;
}

export function stalledPattern(b: CandleBlock, i: number): number {
  if (!(areAll(b, i, 1) && b.close[i]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i - 2]!)) return 0;
  if (!(b.body[i - 2]! > b.meanBodyAt2[i]! && b.body[i - 1]! > b.meanBodyAt1[i]! && b.upper[i - 1]! < b.tinyAt1[i]!))
    return 0;
  const second = b.open[i - 1]! > b.open[i - 2]! && b.open[i - 1]! <= b.close[i - 2]! + NEAR * b.meanRangeAt2[i]!;
  const rides = b.open[i]! >= b.close[i - 1]! - b.body[i]! - NEAR * b.meanRangeAt1[i]!;
  return second && rides && b.body[i]! < b.meanBodyAt0[i]! ? -100 : 0;
}

export function identicalThreeCrows(b: CandleBlock, i: number): number {
  if (!(areAll(b, i, -1) && b.close[i - 2]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i]!)) return 0;
  if (!(b.lower[i - 2]! < b.tinyAt2[i]! && b.lower[i - 1]! < b.tinyAt1[i]! && b.lower[i]! < b.tinyAt0[i]!)) return 0;
  const equal2 = EQUAL * b.meanRangeAt2[i]!;
  const equal1 = EQUAL * b.meanRangeAt1[i]!;
  const second = b.open[i - 1]! <= b.close[i - 2]! + equal2 && b.open[i - 1]! >= b.close[i - 2]! - equal2;
  const third = b.open[i]! <= b.close[i - 1]! + equal1 && b.open[i]! >= b.close[i - 1]! - equal1;
  return second && third ? -100 : 0;
}

export function abandonedBaby(b: CandleBlock, i: number): number {
  const first = b.color[i - 2]!;
  const third = b.color[i]!;
  if (first === third) return 0;
  const body = b.body[i - 2]!;
  if (!(body > b.meanBodyAt2[i]! && b.body[i - 1]! <= b.tinyAt1[i]! && b.body[i]! > b.meanBodyAt0[i]!)) return 0;
  const isAlone =
    first === 1
      ? b.low[i - 1]! > b.high[i - 2]! && b.high[i]! < b.low[i - 1]!
      : b.high[i - 1]! < b.low[i - 2]! && b.low[i]! > b.high[i - 1]!;
  return isAlone && closesInto(b, i, body) ? third * 100 : 0;
}

/** Whether the third bar, of the other colour, closes deep enough into the first one's body. */
function closesInto(b: CandleBlock, i: number, body: number): boolean {
  return b.color[i - 2] === 1
    ? b.close[i]! < b.close[i - 2]! - body * STAR_PENETRATION
    : b.close[i]! > b.close[i - 2]! + body * STAR_PENETRATION;
}

/** A long bar, a small body a gap away (at most `small`), and a longer one of the other colour that closes back into it. */
function star(b: CandleBlock, i: number, first: 1 | -1, small: number): number {
  if (!(b.color[i - 2] === first && b.color[i] === -first && b.body[i - 1]! <= small)) return 0;
  const body = b.body[i - 2]!;
  if (!(body > b.meanBodyAt2[i]! && b.body[i]! > b.meanBodyAt0[i]!)) return 0;
  const isApart = first === 1 ? isGapUp(b, i - 2, i - 1) : isGapDown(b, i - 2, i - 1);
  return isApart && closesInto(b, i, body) ? -first * 100 : 0;
}

export function eveningStar(b: CandleBlock, i: number): number {
  return star(b, i, 1, b.meanBodyAt1[i]!);
}

export function eveningDojiStar(b: CandleBlock, i: number): number {
  return star(b, i, 1, b.tinyAt1[i]!);
}

export function morningStar(b: CandleBlock, i: number): number {
  return star(b, i, -1, b.meanBodyAt1[i]!);
}

export function morningDojiStar(b: CandleBlock, i: number): number {
  return star(b, i, -1, b.tinyAt1[i]!);
}

export function tristar(b: CandleBlock, i: number): number {
  // All three bodies are held against the average before the first.
  const tiny = b.tinyAt2[i]!;
  if (!(b.body[i - 2]! <= tiny && b.body[i - 1]! <= tiny && b.body[i]! <= tiny)) return 0;
  if (isGapUp(b, i - 2, i - 1) && b.top[i]! < b.top[i - 1]!) return -100;
  return isGapDown(b, i - 2, i - 1) && b.bottom[i]! > b.bottom[i - 1]! ? 100 : 0;
}

export function uniqueThreeRiver(b: CandleBlock, i: number): number {
  if (!(b.color[i - 2] === -1 && b.color[i - 1] === -1 && b.color[i] === 1)) return 0;
  const isInside = b.close[i - 1]! > b.close[i - 2]! && b.open[i - 1]! <= b.open[i - 2]!;
  if (!(isInside && b.low[i - 1]! < b.low[i - 2]! && b.open[i]! > b.low[i - 1]!)) return 0;
  return b.body[i - 2]! > b.meanBodyAt2[i]! && b.body[i]! < b.meanBodyAt0[i]! ? 100 : 0;
}

export function gapSideBySideWhite(b: CandleBlock, i: number): number {
  if (!(b.color[i - 1] === 1 && b.color[i] === 1)) return 0;
  const isUp = isGapUp(b, i - 2, i - 1);
  const isApart = isUp ? isGapUp(b, i - 2, i) : isGapDown(b, i - 2, i - 1) && isGapDown(b, i - 2, i);
  if (!isApart) return 0;
  const near = NEAR * b.meanRangeAt1[i]!;
  const equal = EQUAL * b.meanRangeAt1[i]!;
  const isSameSize = b.body[i]! >= b.body[i - 1]! - near && b.body[i]! <= b.body[i - 1]! + near;
  const isSameOpen = b.open[i]! >= b.open[i - 1]! - equal && b.open[i]! <= b.open[i - 1]! + equal;
  if (!(isSameSize && isSameOpen)) return 0;
  return isUp ? 100 : -100;
}

export function stickSandwich(b: CandleBlock, i: number): number {
  if (!(b.color[i - 2] === -1 && b.color[i - 1] === 1 && b.color[i] === -1 && b.low[i - 1]! > b.close[i - 2]!))
    return 0;
  const equal = EQUAL * b.meanRangeAt2[i]!;
  return b.close[i]! <= b.close[i - 2]! + equal && b.close[i]! >= b.close[i - 2]! - equal ? 100 : 0;
}

export function tasukiGap(b: CandleBlock, i: number): number {
  const color = b.color[i - 1]!;
  if (color === b.color[i]!) return 0;
  const open = b.open[i]!;
  const close = b.close[i]!;
  const fits =
    color === 1
      ? isGapUp(b, i - 2, i - 1) &&
        open < b.close[i - 1]! &&
        open > b.open[i - 1]! &&
        close < b.open[i - 1]! &&
        close > b.top[i - 2]!
      : isGapDown(b, i - 2, i - 1) &&
        open < b.open[i - 1]! &&
        open > b.close[i - 1]! &&
        close > b.open[i - 1]! &&
        close < b.bottom[i - 2]!;
  return fits && Math.abs(b.body[i - 1]! - b.body[i]!) < NEAR * b.meanRangeAt1[i]! ? color * 100 : 0;
}

export function gapThreeMethods(b: CandleBlock, i: number): number {
  const color = b.color[i - 2]!;
  if (!(color === b.color[i - 1]! && color !== b.color[i]!)) return 0;
  const opensInside = b.open[i]! < b.top[i - 1]! && b.open[i]! > b.bottom[i - 1]!;
  const closesInside = b.close[i]! < b.top[i - 2]! && b.close[i]! > b.bottom[i - 2]!;
  if (!(opensInside && closesInside)) return 0;
  return (color === 1 ? isGapUp(b, i - 2, i - 1) : isGapDown(b, i - 2, i - 1)) ? color * 100 : 0;
}
