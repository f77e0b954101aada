import { type CandleBlock, isGapDown, isGapUp, NEAR } from './candle-block.ts';

/** Patterns of four and five bars; the last is i. Each returns 0 or ±100. */

/** How much of the first body the bars in between may give back. */
const HOLD_PENETRATION = 0.5;

export function threeBlackCrows(b: CandleBlock, i: number): number {
  if (!(b.color[i - 3] === 1 && b.color[i - 2] === -1 && b.color[i - 1] === -1 && b.color[i] === -1)) return 0;
  if (!(b.close[i - 2]! > b.close[i - 1]! && b.close[i - 1]! > b.close[i]! && b.high[i - 3]! > b.close[i - 2]!))
    return 0;
  const second = b.open[i - 1]! < b.open[i - 2]! && b.open[i - 1]! > b.close[i - 2]!;
  const third = b.open[i]! < b.open[i - 1]! && b.open[i]! > b.close[i - 1]!;
  if (!(second && third)) return 0;
  return b.lower[i - 2]! < b.tinyAt2[i]! && b.lower[i - 1]! < b.tinyAt1[i]! && b.lower[i]! < b.tinyAt0[i]! ? -100 : 0;
}

export function threeLineStrike(b: CandleBlock, i: number): number {
  const color = b.color[i - 1]!;
  if (!(b.color[i - 3] === color && b.color[i - 2] === color && b.color[i] !== color)) return 0;
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
    isNearBody(b, b.open[i - 2]!, i - 3, NEAR * b.meanRangeAt3[i]!) &&
    isNearBody(b, b.open[i - 1]!, i - 2, NEAR * b.meanRangeAt2[i]!);
  return opensNear ? color * 100 : 0;
}

function isNearBody(b: CandleBlock, price: number, bar: number, near: number): boolean {
  return price >= b.bottom[bar]! - near && price <= b.top[bar]! + near;
}

export function concealingBabySwallow(b: CandleBlock, i: number): number {
  if (!(b.color[i - 3] === -1 && b.color[i - 2] === -1 && b.color[i - 1] === -1 && b.color[i] === -1)) return 0;
  const swallows = b.high[i - 1]! > b.close[i - 2]! && b.high[i]! > b.high[i - 1]! && b.low[i]! < b.low[i - 1]!;
  if (!(swallows && isGapDown(b, i - 2, i - 1) && b.upper[i - 1]! > b.tinyAt1[i]!)) return 0;
  const areBare =
    b.lower[i - 3]! < b.tinyAt3[i]! &&
    b.upper[i - 3]! < b.tinyAt3[i]! &&
    b.lower[i - 2]! < b.tinyAt2[i]! &&
    b.upper[i - 2]! < b.tinyAt2[i]!;
  return areBare ? 100 : 0;
}

export function breakaway(b: CandleBlock, i: number): number {
  const color = b.color[i - 4]!;
  if (!(b.color[i - 3] === color && b.color[i - 1] === color && b.color[i] !== color)) return 0;
  if (!(b.body[i - 4]! > b.meanBodyAt4[i]!)) return 0;
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

export function ladderBottom(b: CandleBlock, i: number): number {
  if (!(b.color[i] === 1 && b.color[i - 1] === -1 && b.color[i - 2] === -1)) return 0;
  if (!(b.color[i - 3] === -1 && b.color[i - 4] === -1)) return 0;
  const opensFall = b.open[i - 4]! > b.open[i - 3]! && b.open[i - 3]! > b.open[i - 2]!;
  const closesFall = b.close[i - 4]! > b.close[i - 3]! && b.close[i - 3]! > b.close[i - 2]!;
  const turns = b.open[i]! > b.open[i - 1]! && b.close[i]! > b.high[i - 1]!;
  return opensFall && closesFall && turns && b.upper[i - 1]! > b.tinyAt1[i]! ? 100 : 0;
}

export function matHold(b: CandleBlock, i: number): number {
  if (!(b.color[i - 4] === 1 && b.color[i - 3] === -1 && b.color[i] === 1 && isGapUp(b, i - 4, i - 3))) return 0;
  if (!(b.body[i - 4]! > b.meanBodyAt4[i]! && areSmallBetween(b, i))) return 0;
  const top = b.close[i - 4]!;
  const floor = top - b.body[i - 4]! * HOLD_PENETRATION;
  const dips = b.bottom[i - 2]! < top && b.bottom[i - 1]! < top && b.bottom[i - 2]! > floor && b.bottom[i - 1]! > floor;
  const falls = b.top[i - 2]! < b.open[i - 3]! && b.top[i - 1]! < b.top[i - 2]!;
  const highest = Math.max(b.high[i - 3]!, b.high[i - 2]!, b.high[i - 1]!);
  return dips && falls && b.open[i]! > b.close[i - 1]! && b.close[i]! > highest ? 100 : 0;
}

/** The three bars in the middle have short bodies. */
function areSmallBetween(b: CandleBlock, i: number): boolean {
  return b.body[i - 3]! < b.meanBodyAt3[i]! && b.body[i - 2]! < b.meanBodyAt2[i]! && b.body[i - 1]! < b.meanBodyAt1[i]!;
}

export function risingFallingThreeMethods(b: CandleBlock, i: number): number {
  const color = b.color[i - 4]!;
  const between = b.color[i - 3]!;
  if (!(between !== color && b.color[i - 2] === between && b.color[i - 1] === between && b.color[i] === color))
    return 0;
  if (!(b.body[i - 4]! > b.meanBodyAt4[i]! && areSmallBetween(b, i) && b.body[i]! > b.meanBodyAt0[i]!)) return 0;
  const high = b.high[i - 4]!;
  const low = b.low[i - 4]!;
  for (let k = 3; k >= 1; k--) if (!(b.bottom[i - k]! < high && b.top[i - k]! > low)) return 0;
  const goesBack =
    b.close[i - 2]! * color < b.close[i - 3]! * color && b.close[i - 1]! * color < b.close[i - 2]! * color;
  const goesOn = b.open[i]! * color > b.close[i - 1]! * color && b.close[i]! * color > b.close[i - 4]! * color;
  return goesBack && goesOn ? color * 100 : 0;
}
