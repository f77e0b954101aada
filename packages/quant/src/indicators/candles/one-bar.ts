import { type CandleBlock, NEAR } from './candle-block.ts';

/** Patterns of a single bar, judged against the bars before it. Each returns 0 or ±100. */

export function doji(b: CandleBlock, i: number): number {
  return b.body[i]! <= b.tinyAt0[i]! ? 100 : 0;
}

export function dragonflyDoji(b: CandleBlock, i: number): number {
  const tiny = b.tinyAt0[i]!;
  return b.body[i]! <= tiny && b.upper[i]! < tiny && b.lower[i]! > tiny ? 100 : 0;
}

export function gravestoneDoji(b: CandleBlock, i: number): number {
  const tiny = b.tinyAt0[i]!;
  return b.body[i]! <= tiny && b.lower[i]! < tiny && b.upper[i]! > tiny ? 100 : 0;
}

export function longLeggedDoji(b: CandleBlock, i: number): number {
  const body = b.body[i]!;
  return body <= b.tinyAt0[i]! && (b.lower[i]! > body || b.upper[i]! > body) ? 100 : 0;
}

export function rickshawMan(b: CandleBlock, i: number): number {
  const body = b.body[i]!;
  if (!(body <= b.tinyAt0[i]! && b.lower[i]! > body && b.upper[i]! > body)) return 0;
  const middle = b.low[i]! + b.range[i]! / 2;
  const near = NEAR * b.meanRangeAt0[i]!;
  return b.bottom[i]! <= middle + near && b.top[i]! >= middle - near ? 100 : 0;
}

export function takuri(b: CandleBlock, i: number): number {
  const tiny = b.tinyAt0[i]!;
  return b.body[i]! <= tiny && b.upper[i]! < tiny && b.lower[i]! > 2 * b.body[i]! ? 100 : 0;
}

export function marubozu(b: CandleBlock, i: number): number {
  const tiny = b.tinyAt0[i]!;
  return b.body[i]! > b.meanBodyAt0[i]! && b.upper[i]! < tiny && b.lower[i]! < tiny ? b.color[i]! * 100 : 0;
}

export function closingMarubozu(b: CandleBlock, i: number): number {
  const color = b.color[i]!;
  const shadow = color === 1 ? b.upper[i]! : b.lower[i]!;
  return b.body[i]! > b.meanBodyAt0[i]! && shadow < b.tinyAt0[i]! ? color * 100 : 0;
}

export function beltHold(b: CandleBlock, i: number): number {
  const color = b.color[i]!;
  const shadow = color === 1 ? b.lower[i]! : b.upper[i]!;
  return b.body[i]! > b.meanBodyAt0[i]! && shadow < b.tinyAt0[i]! ? color * 100 : 0;
}

export function highWave(b: CandleBlock, i: number): number {
  const body = b.body[i]!;
  return body < b.meanBodyAt0[i]! && b.upper[i]! > 2 * body && b.lower[i]! > 2 * body ? b.color[i]! * 100 : 0;
}

export function spinningTop(b: CandleBlock, i: number): number {
  const body = b.body[i]!;
  return body < b.meanBodyAt0[i]! && b.upper[i]! > body && b.lower[i]! > body ? b.color[i]! * 100 : 0;
}

export function longLine(b: CandleBlock, i: number): number {
  const short = b.shortShadowAt0[i]!;
  return b.body[i]! > b.meanBodyAt0[i]! && b.upper[i]! < short && b.lower[i]! < short ? b.color[i]! * 100 : 0;
}

export function shortLine(b: CandleBlock, i: number): number {
  const short = b.shortShadowAt0[i]!;
  return b.body[i]! < b.meanBodyAt0[i]! && b.upper[i]! < short && b.lower[i]! < short ? b.color[i]! * 100 : 0;
}
