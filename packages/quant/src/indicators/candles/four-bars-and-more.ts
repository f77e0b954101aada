import {
  bodyOf,
  bottomOf,
  type CandleBlock,
  colorOf,
  isGapDown,
  isGapUp,
  lowerOf,
  NEAR,
  topOf,
  upperOf,
} from './candle-block.ts';

/** Patterns of four and five bars; the last is i. Each returns 0 or ±100. */

/** How much of the first body the bars in between may give back. */
const HOLD_PENETRATION = 0.5;

export function threeBlackCrows(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 3) === 1 && colorOf(b, i - 2) === -1 && colorOf(b, i - 1) === -1 && colorOf(b, i) === -1))
    return 0;
  if (!(b.close[i - 2]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i]! && b.high[i - 3]! > b.close[i - 2]!))
    return 0;
  const second = b.open[i - 1]! < b.open[i - 2]! && b.open[i - 1]! > b.close[i - 2]!;
  const third = b.open[i]! < b.open[i - 1]! && b.open[i]! > b.close[i - 1]!;
  if (!(second && third)) return 0;
  return lowerOf(b, i - 2) < b.tinyAt2[at]! && lowerOf(b, i - 1) < b.tinyAt1[at]! && lowerOf(b, i) < b.tinyAt0[at]!
    ? -100
    : 0;
}

export function threeLineStrike(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i - 1);
  if (!(colorOf(b, i - 3) === color && colorOf(b, i - 2) === color && colorOf(b, i) !== color)) return 0;
  const isRun =
    color === 1
      ? b.close[i - 1]! > b.close[i - 2]! && b.close[i - 2]! > b.close[i - 3]!
      : b.close[i - 1]! < b.close[i - 2]! && b.close[i - 2]! < b.close[i - 3]!;
  const isStrike =
    color === 1
      ? b.open[i]! > b.close[i - 1]! && b.close[i]! < b.open[i - 3]!
      : b.open[i]! < b.close[i - 1]! && b.close[i]! > b.open[i - 3]!;
  if (!(isRun && isStrike)) return 0;
  const opensNear =
    isNearBody(b, b.open[i - 2]!, i - 3, NEAR * b.meanRangeAt3[at]!) &&
    isNearBody(b, b.open[i - 1]!, i - 2, NEAR * b.meanRangeAt2[at]!);
  return opensNear ? color * 100 : 0;
}

function isNearBody(b: CandleBlock, price: number, bar: number, near: number): boolean {
  return price >= bottomOf(b, bar) - near && price <= topOf(b, bar) + near;
}

export function concealingBabySwallow(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 3) === -1 && colorOf(b, i - 2) === -1 && colorOf(b, i - 1) === -1 && colorOf(b, i) === -1))
    return 0;
  const swallows = b.high[i - 1]! > b.close[i - 2]! && b.high[i]! > b.high[i - 1]! && b.low[i]! < b.low[i - 1]!;
  if (!(swallows && isGapDown(b, i - 2, i - 1) && upperOf(b, i - 1) > b.tinyAt1[at]!)) return 0;
  const areBare =
    lowerOf(b, i - 3) < b.tinyAt3[at]! &&
    upperOf(b, i - 3) < b.tinyAt3[at]! &&
    lowerOf(b, i - 2) < b.tinyAt2[at]! &&
    upperOf(b, i - 2) < b.tinyAt2[at]!;
  return areBare ? 100 : 0;
}

export function breakaway(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i - 4);
  if (!(colorOf(b, i - 3) === color && colorOf(b, i - 1) === color && colorOf(b, i) !== color)) return 0;
  if (!(bodyOf(b, i - 4) > b.meanBodyAt4[at]!)) return 0;
  // Upside down, a rise is a fall: one test serves both.
  const high = color === 1 ? b.high : b.low;
  const low = color === 1 ? b.low : b.high;
  const goesOn =
    (high[i - 2]! - high[i - 3]!) * color > 0 &&
    (low[i - 2]! - low[i - 3]!) * color > 0 &&
    (high[i - 1]! - high[i - 2]!) * color > 0 &&
    (low[i - 1]! - low[i - 2]!) * color > 0;
  const closesInGap =
    color === 1
      ? b.close[i]! < b.open[i - 3]! && b.close[i]! > b.close[i - 4]! && isGapUp(b, i - 4, i - 3)
      : b.close[i]! > b.open[i - 3]! && b.close[i]! < b.close[i - 4]! && isGapDown(b, i - 4, i - 3);
  return goesOn && closesInGap ? -color * 100 : 0;
}

export function ladderBottom(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i) === 1 && colorOf(b, i - 1) === -1 && colorOf(b, i - 2) === -1)) return 0;
  if (!(colorOf(b, i - 3) === -1 && colorOf(b, i - 4) === -1)) return 0;
  const opensFall = b.open[i - 4]! > b.open[i - 3]! && b.open[i - 3]! > b.open[i - 2]!;
  const closesFall = b.close[i - 4]! > b.close[i - 3]! && b.close[i - 3]! > b.close[i - 2]!;
  const turns = b.open[i]! > b.open[i - 1]! && b.close[i]! > b.high[i - 1]!;
  return opensFall && closesFall && turns && upperOf(b, i - 1) > b.tinyAt1[at]! ? 100 : 0;
}

export function matHold(b: CandleBlock, i: number, at: number): number {
  if (!(colorOf(b, i - 4) === 1 && colorOf(b, i - 3) === -1 && colorOf(b, i) === 1 && isGapUp(b, i - 4, i - 3)))
    return 0;
  if (!(bodyOf(b, i - 4) > b.meanBodyAt4[at]! && areSmallBetween(b, i, at))) return 0;
  const top = b.close[i - 4]!;
  const floor = top - bodyOf(b, i - 4) * HOLD_PENETRATION;
  const dips =
    bottomOf(b, i - 2) < top && bottomOf(b, i - 1) < top && bottomOf(b, i - 2) > floor && bottomOf(b, i - 1) > floor;
  const falls = topOf(b, i - 2) < b.open[i - 3]! && topOf(b, i - 1) < topOf(b, i - 2);
  const highest = Math.max(b.high[i - 3]!, b.high[i - 2]!, b.high[i - 1]!);
  return dips && falls && b.open[i]! > b.close[i - 1]! && b.close[i]! > highest ? 100 : 0;
}

/** The three bars in the middle have short bodies. */
function areSmallBetween(b: CandleBlock, i: number, at: number): boolean {
  return (
    bodyOf(b, i - 3) < b.meanBodyAt3[at]! &&
    bodyOf(b, i - 2) < b.meanBodyAt2[at]! &&
    bodyOf(b, i - 1) < b.meanBodyAt1[at]!
  );
}

export function risingFallingThreeMethods(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i - 4);
  const between = colorOf(b, i - 3);
  if (!(between !== color && colorOf(b, i - 2) === between && colorOf(b, i - 1) === between && colorOf(b, i) === color))
    return 0;
  if (!(bodyOf(b, i - 4) > b.meanBodyAt4[at]! && areSmallBetween(b, i, at) && bodyOf(b, i) > b.meanBodyAt0[at]!))
    return 0;
  const high = b.high[i - 4]!;
  const low = b.low[i - 4]!;
  for (let k = 3; k >= 1; k--) if (!(bottomOf(b, i - k) < high && topOf(b, i - k) > low)) return 0;
  const goesBack =
    b.close[i - 2]! * color < b.close[i - 3]! * color && b.close[i - 1]! * color < b.close[i - 2]! * color;
  const goesOn = b.open[i]! * color > b.close[i - 1]! * color && b.close[i]! * color > b.close[i - 4]! * color;
  return goesBack && goesOn ? color * 100 : 0;
}
