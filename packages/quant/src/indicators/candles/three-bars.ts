import {
  bodyOf,
  bottomOf,
  type CandleBlock,
  colorOf,
  EQUAL,
  FAR,
  isGapDown,
  isGapUp,
  lowerOf,
  NEAR,
  topOf,
  upperOf,
} from './candle-block.ts';

/** Patterns of three bars, i − 2, i − 1 and i. Each returns 0 or ±100. */

/** How deep the third bar must close into the first one's body, as a share of it. */
const STAR_PENETRATION = 0.3;

function areAll(b: CandleBlock, i: number, color: number): boolean {
  return colorOf(b, i - 2) === color && colorOf(b, i - 1) === color && colorOf(b, i) === color;
}

export function twoCrows(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 2) === 1 && colorOf(b, i - 1) === -1 && colorOf(b, i) === -1 && isGapUp(b, i - 2, i - 1)))
    return 0;
  const opensInside = b.open[i]! < b.open[i - 1]! && b.open[i]! > b.close[i - 1]!;
  const closesInside = b.close[i]! > b.open[i - 2]! && b.close[i]! < b.close[i - 2]!;
  return opensInside && closesInside && bodyOf(b, i - 2) > b.meanBodyAt2[at]! ? -100 : 0;
}

export function upsideGapTwoCrows(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 2) === 1 && colorOf(b, i - 1) === -1 && colorOf(b, i) === -1 && isGapUp(b, i - 2, i - 1)))
    return 0;
  const engulfs = b.open[i]! > b.open[i - 1]! && b.close[i]! < b.close[i - 1]! && b.close[i]! > b.close[i - 2]!;
  return engulfs && bodyOf(b, i - 2) > b.meanBodyAt2[at]! && bodyOf(b, i - 1) <= b.meanBodyAt1[at]! ? -100 : 0;
}

export function threeInside(b: CandleBlock, i: number, at: number): number {
  if (!(bodyOf(b, i - 2) > b.meanBodyAt2[at]! && bodyOf(b, i - 1) <= b.meanBodyAt1[at]!)) return 0;
  if (!(topOf(b, i - 1) < topOf(b, i - 2) && bottomOf(b, i - 1) > bottomOf(b, i - 2))) return 0;
  const first = colorOf(b, i - 2);
  if (first === colorOf(b, i)) return 0;
  const leaves = first === 1 ? b.close[i]! < b.open[i - 2]! : b.close[i]! > b.open[i - 2]!;
  return leaves ? -first * 100 : 0;
}

export function threeOutside(b: CandleBlock, i: number): number {
  const color = colorOf(b, i - 1);
  if (color === colorOf(b, i - 2)) return 0;
  if (!(topOf(b, i - 1) > topOf(b, i - 2) && bottomOf(b, i - 1) < bottomOf(b, i - 2))) return 0;
  return (b.close[i]! - b.close[i - 1]!) * color > 0 ? color * 100 : 0;
}

export function threeStarsInSouth(b: CandleBlock, i: number, at: number): number {
  if (
    !(
      areAll(b, i, -1) &&
      bodyOf(b, i - 1) < bodyOf(b, i - 2) &&
      b.low[i]! > b.low[i - 1]! &&
      b.high[i]! < b.high[i - 1]!
    )
  )
    return 0;
  if (!(bodyOf(b, i - 2) > b.meanBodyAt2[at]! && lowerOf(b, i - 2) > bodyOf(b, i - 2))) return 0;
  const opensInside = b.open[i - 1]! > b.close[i - 2]! && b.open[i - 1]! <= b.high[i - 2]!;
  const holds = b.low[i - 1]! < b.close[i - 2]! && b.low[i - 1]! >= b.low[i - 2]!;
  if (!(opensInside && holds && lowerOf(b, i - 1) > b.tinyAt1[at]!)) return 0;
  return bodyOf(b, i) < b.meanBodyAt0[at]! && lowerOf(b, i) < b.tinyAt0[at]! && upperOf(b, i) < b.tinyAt0[at]!
    ? 100
    : 0;
}

/** Three rising white bars, each opening within or near the body before: what advance block and soldiers share. */
function isAdvance(b: CandleBlock, i: number, at: number): boolean {
  if (!(areAll(b, i, 1) && b.close[i]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i - 2]!)) return false;
  const second = b.open[i - 1]! > b.open[i - 2]! && b.open[i - 1]! <= b.close[i - 2]! + NEAR * b.meanRangeAt2[at]!;
  return second && b.open[i]! > b.open[i - 1]! && b.open[i]! <= b.close[i - 1]! + NEAR * b.meanRangeAt1[at]!;
}

export function threeWhiteSoldiers(b: CandleBlock, i: number, at: number): number {
  if (!isAdvance(b, i, at)) return 0;
  const areBare =
    upperOf(b, i - 2) < b.tinyAt2[at]! && upperOf(b, i - 1) < b.tinyAt1[at]! && upperOf(b, i) < b.tinyAt0[at]!;
  const keepUp =
    bodyOf(b, i - 1) > bodyOf(b, i - 2) - FAR * b.meanRangeAt2[at]! &&
    bodyOf(b, i) > bodyOf(b, i - 1) - FAR * b.meanRangeAt1[at]!;
  return areBare && keepUp && bodyOf(b, i) > b.meanBodyAt0[at]! ? 100 : 0;
}

export function advanceBlock(b: CandleBlock, i: number, at: number): number {
  if (!(isAdvance(b, i, at) && bodyOf(b, i - 2) > b.meanBodyAt2[at]! && upperOf(b, i - 2) < b.shortShadowAt2[at]!))
    return 0;
  const first = bodyOf(b, i - 2);
  const second = bodyOf(b, i - 1);
  const third = bodyOf(b, i);
  const tiresSecond = second < first - FAR * b.meanRangeAt2[at]! && third < second + NEAR * b.meanRangeAt1[at]!;
  const tiresThird = third < second - FAR * b.meanRangeAt1[at]!;
  const meetsSellers =
    third < second &&
    second < first &&
    (upperOf(b, i) > b.shortShadowAt0[at]! || upperOf(b, i - 1) > b.shortShadowAt1[at]!);
  const isTurnedBack = third < second && upperOf(b, i) > third;
  return tiresSecond || tiresThird || meetsSellers || isTurnedBack ? -100 : 0;
}

export function stalledPattern(b: CandleBlock, i: number, at: number): number {
  if (!(areAll(b, i, 1) && b.close[i]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i - 2]!)) return 0;
  if (
    !(
      bodyOf(b, i - 2) > b.meanBodyAt2[at]! &&
      bodyOf(b, i - 1) > b.meanBodyAt1[at]! &&
      upperOf(b, i - 1) < b.tinyAt1[at]!
    )
  )
    return 0;
  const second = b.open[i - 1]! > b.open[i - 2]! && b.open[i - 1]! <= b.close[i - 2]! + NEAR * b.meanRangeAt2[at]!;
  const rides = b.open[i]! >= b.close[i - 1]! - bodyOf(b, i) - NEAR * b.meanRangeAt1[at]!;
  return second && rides && bodyOf(b, i) < b.meanBodyAt0[at]! ? -100 : 0;
}

export function identicalThreeCrows(b: CandleBlock, i: number, at: number): number {
  if (!(areAll(b, i, -1) && b.close[i - 2]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i]!)) return 0;
  if (!(lowerOf(b, i - 2) < b.tinyAt2[at]! && lowerOf(b, i - 1) < b.tinyAt1[at]! && lowerOf(b, i) < b.tinyAt0[at]!))
    return 0;
  const equal2 = EQUAL * b.meanRangeAt2[at]!;
  const equal1 = EQUAL * b.meanRangeAt1[at]!;
  const second = b.open[i - 1]! <= b.close[i - 2]! + equal2 && b.open[i - 1]! >= b.close[i - 2]! - equal2;
  const third = b.open[i]! <= b.close[i - 1]! + equal1 && b.open[i]! >= b.close[i - 1]! - equal1;
  return second && third ? -100 : 0;
}

export function abandonedBaby(b: CandleBlock, i: number, at: number): number {
  const first = colorOf(b, i - 2);
  const third = colorOf(b, i);
  if (first === third) return 0;
  const body = bodyOf(b, i - 2);
  if (!(body > b.meanBodyAt2[at]! && bodyOf(b, i - 1) <= b.tinyAt1[at]! && bodyOf(b, i) > b.meanBodyAt0[at]!)) return 0;
  const isAlone =
    first === 1
      ? b.low[i - 1]! > b.high[i - 2]! && b.high[i]! < b.low[i - 1]!
      : b.high[i - 1]! < b.low[i - 2]! && b.low[i]! > b.high[i - 1]!;
  return isAlone && closesInto(b, i, body) ? third * 100 : 0;
}

/** Whether the third bar, of the other colour, closes deep enough into the first one's body. */
function closesInto(b: CandleBlock, i: number, body: number): boolean {
  return colorOf(b, i - 2) === 1
    ? b.close[i]! < b.close[i - 2]! - body * STAR_PENETRATION
    : b.close[i]! > b.close[i - 2]! + body * STAR_PENETRATION;
}

/** A long bar, a small body a gap away (at most `small`), and a longer one of the other colour that closes back into it. */
function star(b: CandleBlock, i: number, at: number, first: 1 | -1, small: number): number {
  if (!(colorOf(b, i - 2) === first && colorOf(b, i) === -first && bodyOf(b, i - 1) <= small)) return 0;
  const body = bodyOf(b, i - 2);
  if (!(body > b.meanBodyAt2[at]! && bodyOf(b, i) > b.meanBodyAt0[at]!)) return 0;
  const isApart = first === 1 ? isGapUp(b, i - 2, i - 1) : isGapDown(b, i - 2, i - 1);
  return isApart && closesInto(b, i, body) ? -first * 100 : 0;
}

export function eveningStar(b: CandleBlock, i: number, at: number): number {
  return star(b, i, at, 1, b.meanBodyAt1[at]!);
}

export function eveningDojiStar(b: CandleBlock, i: number, at: number): number {
  return star(b, i, at, 1, b.tinyAt1[at]!);
}

export function morningStar(b: CandleBlock, i: number, at: number): number {
  return star(b, i, at, -1, b.meanBodyAt1[at]!);
}

export function morningDojiStar(b: CandleBlock, i: number, at: number): number {
  return star(b, i, at, -1, b.tinyAt1[at]!);
}

export function tristar(b: CandleBlock, i: number, at: number): number {
  // All three bodies are held against the average before the first.
  const tiny = b.tinyAt2[at]!;
  if (!(bodyOf(b, i - 2) <= tiny && bodyOf(b, i - 1) <= tiny && bodyOf(b, i) <= tiny)) return 0;
  if (isGapUp(b, i - 2, i - 1) && topOf(b, i) < topOf(b, i - 1)) return -100;
  return isGapDown(b, i - 2, i - 1) && bottomOf(b, i) > bottomOf(b, i - 1) ? 100 : 0;
}

export function uniqueThreeRiver(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 2) === -1 && colorOf(b, i - 1) === -1 && colorOf(b, i) === 1)) return 0;
  const isInside = b.close[i - 1]! > b.close[i - 2]! && b.open[i - 1]! <= b.open[i - 2]!;
  if (!(isInside && b.low[i - 1]! < b.low[i - 2]! && b.open[i]! > b.low[i - 1]!)) return 0;
  return bodyOf(b, i - 2) > b.meanBodyAt2[at]! && bodyOf(b, i) < b.meanBodyAt0[at]! ? 100 : 0;
}

export function gapSideBySideWhite(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 1) === 1 && colorOf(b, i) === 1)) return 0;
  const isUp = isGapUp(b, i - 2, i - 1);
  const isApart = isUp ? isGapUp(b, i - 2, i) : isGapDown(b, i - 2, i - 1) && isGapDown(b, i - 2, i);
  if (!isApart) return 0;
  const near = NEAR * b.meanRangeAt1[at]!;
  const equal = EQUAL * b.meanRangeAt1[at]!;
  const isSameSize = bodyOf(b, i) >= bodyOf(b, i - 1) - near && bodyOf(b, i) <= bodyOf(b, i - 1) + near;
  const isSameOpen = b.open[i]! >= b.open[i - 1]! - equal && b.open[i]! <= b.open[i - 1]! + equal;
  if (!(isSameSize && isSameOpen)) return 0;
  return isUp ? 100 : -100;
}

export function stickSandwich(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 2) === -1 && colorOf(b, i - 1) === 1 && colorOf(b, i) === -1 && b.low[i - 1]! > b.close[i - 2]!))
    return 0;
  const equal = EQUAL * b.meanRangeAt2[at]!;
  return b.close[i]! <= b.close[i - 2]! + equal && b.close[i]! >= b.close[i - 2]! - equal ? 100 : 0;
}

export function tasukiGap(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i - 1);
  if (color === colorOf(b, i)) return 0;
  const open = b.open[i]!;
  const close = b.close[i]!;
  const fits =
    color === 1
      ? isGapUp(b, i - 2, i - 1) &&
        open < b.close[i - 1]! &&
        open > b.open[i - 1]! &&
        close < b.open[i - 1]! &&
        close > topOf(b, i - 2)
      : isGapDown(b, i - 2, i - 1) &&
        open < b.open[i - 1]! &&
        open > b.close[i - 1]! &&
        close > b.open[i - 1]! &&
        close < bottomOf(b, i - 2);
  return fits && Math.abs(bodyOf(b, i - 1) - bodyOf(b, i)) < NEAR * b.meanRangeAt1[at]! ? color * 100 : 0;
}

export function gapThreeMethods(b: CandleBlock, i: number): number {
  const color = colorOf(b, i - 2);
  if (!(color === colorOf(b, i - 1) && color !== colorOf(b, i))) return 0;
  const opensInside = b.open[i]! < topOf(b, i - 1) && b.open[i]! > bottomOf(b, i - 1);
  const closesInside = b.close[i]! < topOf(b, i - 2) && b.close[i]! > bottomOf(b, i - 2);
  if (!(opensInside && closesInside)) return 0;
  return (color === 1 ? isGapUp(b, i - 2, i - 1) : isGapDown(b, i - 2, i - 1)) ? color * 100 : 0;
}
