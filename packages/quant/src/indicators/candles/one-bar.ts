import { bodyOf, bottomOf, type CandleBlock, colorOf, lowerOf, NEAR, rangeOf, topOf, upperOf } from './candle-block.ts';

/** Patterns of a single bar, judged against the bars before it. Each returns 0 or ±100. */

export function doji(b: CandleBlock, i: number, at: number): number {
  return bodyOf(b, i) <= b.tinyAt0[at]! ? 100 : 0;
}

export function dragonflyDoji(b: CandleBlock, i: number, at: number): number {
  const tiny = b.tinyAt0[at]!;
  return bodyOf(b, i) <= tiny && upperOf(b, i) < tiny && lowerOf(b, i) > tiny ? 100 : 0;
}

export function gravestoneDoji(b: CandleBlock, i: number, at: number): number {
  const tiny = b.tinyAt0[at]!;
  return bodyOf(b, i) <= tiny && lowerOf(b, i) < tiny && upperOf(b, i) > tiny ? 100 : 0;
}

export function longLeggedDoji(b: CandleBlock, i: number, at: number): number {
  const body = bodyOf(b, i);
  return body <= b.tinyAt0[at]! && (lowerOf(b, i) > body || upperOf(b, i) > body) ? 100 : 0;
}

export function rickshawMan(b: CandleBlock, i: number, at: number): number {
  const body = bodyOf(b, i);
  if (!(body <= b.tinyAt0[at]! && lowerOf(b, i) > body && upperOf(b, i) > body)) return 0;
  const middle = b.low[i]! + rangeOf(b, i) / 2;
  const near = NEAR * b.meanRangeAt0[at]!;
  return bottomOf(b, i) <= middle + near && topOf(b, i) >= middle - near ? 100 : 0;
}

export function takuri(b: CandleBlock, i: number, at: number): number {
  const tiny = b.tinyAt0[at]!;
  return bodyOf(b, i) <= tiny && upperOf(b, i) < tiny && lowerOf(b, i) > 2 * bodyOf(b, i) ? 100 : 0;
}

export function marubozu(b: CandleBlock, i: number, at: number): number {
  const tiny = b.tinyAt0[at]!;
  return bodyOf(b, i) > b.meanBodyAt0[at]! && upperOf(b, i) < tiny && lowerOf(b, i) < tiny ? colorOf(b, i) * 100 : 0;
}

export function closingMarubozu(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i);
  const shadow = color === 1 ? upperOf(b, i) : lowerOf(b, i);
  return bodyOf(b, i) > b.meanBodyAt0[at]! && shadow < b.tinyAt0[at]! ? color * 100 : 0;
}

export function beltHold(b: CandleBlock, i: number, at: number): number {
  const color = colorOf(b, i);
  const shadow = color === 1 ? lowerOf(b, i) : upperOf(b, i);
  return bodyOf(b, i) > b.meanBodyAt0[at]! && shadow < b.tinyAt0[at]! ? color * 100 : 0;
}

export function highWave(b: CandleBlock, i: number, at: number): number {
  const body = bodyOf(b, i);
  return body < b.meanBodyAt0[at]! && upperOf(b, i) > 2 * body && lowerOf(b, i) > 2 * body ? colorOf(b, i) * 100 : 0;
}

export function spinningTop(b: CandleBlock, i: number, at: number): number {
  const body = bodyOf(b, i);
  return body < b.meanBodyAt0[at]! && upperOf(b, i) > body && lowerOf(b, i) > body ? colorOf(b, i) * 100 : 0;
}

export function longLine(b: CandleBlock, i: number, at: number): number {
  const short = b.shortShadowAt0[at]!;
  return bodyOf(b, i) > b.meanBodyAt0[at]! && upperOf(b, i) < short && lowerOf(b, i) < short ? colorOf(b, i) * 100 : 0;
}

export function shortLine(b: CandleBlock, i: number, at: number): number {
  const short = b.shortShadowAt0[at]!;
  return bodyOf(b, i) < b.meanBodyAt0[at]! && upperOf(b, i) < short && lowerOf(b, i) < short ? colorOf(b, i) * 100 : 0;
}
