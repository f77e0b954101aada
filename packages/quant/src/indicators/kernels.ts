/**
 * Steps that indicators are made of. Each keeps its numbers in `state` from `at` on, all 0 at the start.
 *
 * A value that is no finite number is undefined: an exponential average keeps what it had, a windowed one is undefined
 * until the value has left the window. So one undefined value never spoils what comes long after it.
 */

/** Room `exponentialStep` takes. */
export const EXPONENTIAL_SIZE = 2;

/**
 * Exponential average that starts with the mean of the first `period` values, as TA-Lib's.
 *
 * @param weight Of the newest value: 2 / (period + 1), or 1 / period for Wilder's.
 * @returns NaN for the first `period − 1` values.
 */
export function exponentialStep(
  state: Float64Array,
  at: number,
  period: number,
  weight: number,
  value: number,
): number {
  if (!(Math.abs(value) < Number.POSITIVE_INFINITY)) return Number.NaN;
  const count = state[at]!;
  if (count >= period) {
    const average = (value - state[at + 1]!) * weight + state[at + 1]!;
    state[at + 1] = average;
    return average;
  }
  state[at] = count + 1;
  state[at + 1] = state[at + 1]! + value;
  if (count + 1 < period) return Number.NaN;
  state[at + 1] = state[at + 1]! / period;
  return state[at + 1]!;
}

/** Room `meanStep` takes. */
export function meanSize(period: number): number {
  return 4 + period;
}

/** Mean of the last `period` values; NaN before, and while one of them is undefined. */
export function meanStep(state: Float64Array, at: number, period: number, value: number): number {
  return sumStep(state, at, period, value) / period;
}

/** Sum of the last `period` values, sliding. Room: `meanSize`. */
export function sumStep(state: Float64Array, at: number, period: number, value: number): number {
  // In order: values in the window, sum, undefined ones, place of the oldest, ring.
  // `| 0` keeps counts and places whole numbers for the compiler: as floating-point numbers they took up to twice as long.
  const count = state[at]! | 0;
  const place = state[at + 3]! | 0;
  const slot = at + 4 + place;
  const isKnown = Math.abs(value) < Number.POSITIVE_INFINITY;
  let unknown = state[at + 2]! | 0;
  let sum = state[at + 1]!;
  if (count === period) {
    const old = state[slot]!;
    if (Math.abs(old) < Number.POSITIVE_INFINITY) sum -= old;
    else unknown--;
  } else state[at] = count + 1;
  if (isKnown) sum += value;
  else unknown++;
  state[slot] = value;
  state[at + 1] = sum;
  state[at + 2] = unknown;
  state[at + 3] = place + 1 === period ? 0 : place + 1;
  return count + 1 >= period && unknown === 0 ? sum : Number.NaN;
}

/** Room `weightedStep` takes. */
export function weightedSize(period: number): number {
  return 5 + period;
}

/** Mean of the last `period` values with weights 1, 2, … period (the newest); NaN before, and while one is undefined. */
export function weightedStep(state: Float64Array, at: number, period: number, value: number): number {
  // In order: as `sumStep`, but before the ring the weighted sum.
  const count = state[at]! | 0;
  const place = state[at + 3]! | 0;
  const slot = at + 5 + place;
  const known = Math.abs(value) < Number.POSITIVE_INFINITY ? value : 0;
  let unknown = state[at + 2]! | 0;
  let sum = state[at + 1]!;
  let weighted = state[at + 4]!;
  if (count === period) {
    const old = state[slot]!;
    weighted += known * period - sum;
    if (Math.abs(old) < Number.POSITIVE_INFINITY) sum -= old;
    else unknown--;
  } else {
    weighted += known * (count + 1);
    state[at] = count + 1;
  }
  if (known !== value) unknown++;
  state[slot] = value;
  state[at + 1] = sum + known;
  state[at + 2] = unknown;
  state[at + 3] = place + 1 === period ? 0 : place + 1;
  state[at + 4] = weighted;
  return count + 1 >= period && unknown === 0 ? weighted / ((period * (period + 1)) / 2) : Number.NaN;
}

/** How many of `values[start..start + count − 1]` lie below `value`. */
export function countBelow(values: Float64Array, start: number, count: number, value: number): number {
  let below = 0;
  // Added as a number, not chosen by a branch, because nobody can foretell the outcome.
  const end = start + count;
  for (let k = start; k < end; k++) below = (below + Number(values[k]! < value)) | 0;
  return below;
}

/** Kinds of moving average an indicator may be told to use; TA-Lib's numbers. */
export const AVERAGE_KINDS = { simple: 0, exponential: 1, weighted: 2 } as const;
export const AVERAGE_KIND_RANGE = { initial: 0, min: 0, max: 2, isWhole: true } as const;

/** Room `averageStep` takes: that of the largest kind. */
export function averageSize(period: number): number {
  return weightedSize(period);
}

export function averageStep(state: Float64Array, at: number, kind: number, period: number, value: number): number {
  if (kind === AVERAGE_KINDS.exponential) return exponentialStep(state, at, period, 2 / (period + 1), value);
  if (kind === AVERAGE_KINDS.weighted) return weightedStep(state, at, period, value);
  return meanStep(state, at, period, value);
}

/**
 * Place of the highest of `values[start..i]`, the latest where several are equal.
 *
 * @param held The answer for `start..i − 1` or an earlier start: looked through again only when it has left the window.
 */
export function latestHighest(values: Float64Array, held: number, start: number, i: number): number {
  if (held >= start) return values[i]! >= values[held]! ? i : held;
  let best = start;
  for (let j = start + 1; j <= i; j++) if (values[j]! >= values[best]!) best = j;
  return best;
}

/** Place of the lowest of `values[start..i]`, the latest where several are equal: see `latestHighest`. */
export function latestLowest(values: Float64Array, held: number, start: number, i: number): number {
  if (held >= start) return values[i]! <= values[held]! ? i : held;
  let best = start;
  for (let j = start + 1; j <= i; j++) if (values[j]! <= values[best]!) best = j;
  return best;
}

/** Room for the highest or lowest of a window of `period` values: see `fillHighest`. */
export function extremeSize(period: number): number {
  return period + 1;
}

/**
 * Prepares the highest of each window that begins in `values[start..start + period − 1]` and reaches beyond it.
 *
 * Windows are cut where a block of `period` bars ends (van Herk, 1992, doi:10.1016/0167-8655(92)90069-C): the part before
 * is looked up in `state[at + place + 1]`, the part since is a running maximum. Steady work for each bar:
 * this took a third of the time of looking through a window of 252 bars again when its highest had left.
 *
 * @param start May be negative before the first block is full: then only the end mark is set.
 */
export function fillHighest(
  values: Float64Array,
  start: number,
  period: number,
  state: Float64Array,
  at: number,
): void {
  let highest = Number.NEGATIVE_INFINITY;
  state[at + period] = highest;
  if (start < 0) return;
  for (let k = period - 1; k > 0; k--) {
    highest = Math.max(highest, values[start + k]!);
    state[at + k] = highest;
  }
}

/** As `fillHighest`, of the lowest. */
export function fillLowest(values: Float64Array, start: number, period: number, state: Float64Array, at: number): void {
  let lowest = Number.POSITIVE_INFINITY;
  state[at + period] = lowest;
  if (start < 0) return;
  for (let k = period - 1; k > 0; k--) {
    lowest = Math.min(lowest, values[start + k]!);
    state[at + k] = lowest;
  }
}

/** Highest and lowest of the last `period` bars, this one included, into `highest[i − from]` and `lowest[i − from]`. */
export function advanceExtremes(
  tops: Float64Array,
  bottoms: Float64Array,
  period: number,
  from: number,
  to: number,
  state: Float64Array,
  highest: Float64Array,
  lowest: Float64Array,
): void {
  // In order: extremes since the block began, then what `fillHighest` and `fillLowest` prepared.
  const topAt = 2;
  const bottomAt = topAt + extremeSize(period);
  let top = state[0]!;
  let bottom = state[1]!;
  let place = from % period;
  for (let i = from; i < to; i++) {
    if (place === 0) {
      fillHighest(tops, i - period, period, state, topAt);
      fillLowest(bottoms, i - period, period, state, bottomAt);
      top = Number.NEGATIVE_INFINITY;
      bottom = Number.POSITIVE_INFINITY;
    }
    top = Math.max(top, tops[i]!);
    bottom = Math.min(bottom, bottoms[i]!);
    place++;
    highest[i - from] = Math.max(top, state[topAt + place]!);
    lowest[i - from] = Math.min(bottom, state[bottomAt + place]!);
    if (place === period) place = 0;
  }
  state[0] = top;
  state[1] = bottom;
}

/** Room `advanceExtremes` takes, from 0 on. */
export function extremesSize(period: number): number {
  return 2 + 2 * extremeSize(period);
}

/** Room `rangeStep` takes. */
export function rangeSize(period: number): number {
  return 4 + 3 * period + 2;
}

/**
 * Highest (`state[at]`) and lowest (`state[at + 1]`) of the last `period` values that come one by one.
 *
 * @param place How many values came before this one, modulo `period`. Before the window is full nothing sound comes out.
 */
export function rangeStep(state: Float64Array, at: number, period: number, place: number, value: number): void {
  const ring = at + 4;
  const tops = ring + period;
  const bottoms = tops + period + 1;
  let top = state[at + 2]!;
  let bottom = state[at + 3]!;
  if (place === 0) {
    // The ring holds the block before, in order; at the very start zeros, which nobody sees.
    fillHighest(state, ring, period, state, tops);
    fillLowest(state, ring, period, state, bottoms);
    top = Number.NEGATIVE_INFINITY;
    bottom = Number.POSITIVE_INFINITY;
  }
  top = Math.max(top, value);
  bottom = Math.min(bottom, value);
  state[ring + place] = value;
  state[at] = Math.max(top, state[tops + place + 1]!);
  state[at + 1] = Math.min(bottom, state[bottoms + place + 1]!);
  state[at + 2] = top;
  state[at + 3] = bottom;
}

/** Simple average of `values[i − period + 1..i]` into `out[i − from]`; NaN before `period − 1`. Room: 1. */
export function advanceSimple(
  values: Float64Array,
  period: number,
  from: number,
  to: number,
  state: Float64Array,
  at: number,
  out: Float64Array,
): void {
  let sum = state[at]!;
  let i = from;
  for (; i < to && i < period - 1; i++) {
    sum += values[i]!;
    out[i - from] = Number.NaN;
  }
  for (; i < to; i++) {
    sum += values[i]!;
    out[i - from] = sum / period;
    sum -= values[i - period + 1]!;
  }
  state[at] = sum;
}

/** Exponential average from bar `start` on, which begins with the mean of `period` values. Room: 1. */
export function advanceExponential(
  values: Float64Array,
  period: number,
  weight: number,
  start: number,
  from: number,
  to: number,
  state: Float64Array,
  at: number,
  out: Float64Array,
): void {
  const warm = start + period - 1;
  let average = state[at]!;
  let i = from;
  for (; i < to && i <= warm; i++) {
    if (i >= start) average += values[i]!;
    if (i === warm) average /= period;
    out[i - from] = i === warm ? average : Number.NaN;
  }
  for (; i < to; i++) {
    average = (values[i]! - average) * weight + average;
    out[i - from] = average;
  }
  state[at] = average;
}

/** Average with weights 1, 2, … period. Room: 2. */
export function advanceWeighted(
  values: Float64Array,
  period: number,
  from: number,
  to: number,
  state: Float64Array,
  at: number,
  out: Float64Array,
): void {
  const divider = (period * (period + 1)) / 2;
  let sum = state[at]!;
  let weighted = state[at + 1]!;
  let i = from;
  for (; i < to && i < period - 1; i++) {
    sum += values[i]!;
    weighted += values[i]! * (i + 1);
    out[i - from] = Number.NaN;
  }
  for (; i < to; i++) {
    const x = values[i]!;
    sum += x;
    weighted += x * period;
    out[i - from] = weighted / divider;
    weighted -= sum;
    sum -= values[i - period + 1]!;
  }
  state[at] = sum;
  state[at + 1] = weighted;
}

/** An average of a chosen kind over values that stand in a column. Room: 2. */
export function advanceAverage(
  values: Float64Array,
  kind: number,
  period: number,
  start: number,
  from: number,
  to: number,
  state: Float64Array,
  at: number,
  out: Float64Array,
): void {
  if (kind === AVERAGE_KINDS.exponential)
    advanceExponential(values, period, 2 / (period + 1), start, from, to, state, at, out);
  else if (kind === AVERAGE_KINDS.weighted) advanceWeighted(values, period, from, to, state, at, out);
  else advanceSimple(values, period, from, to, state, at, out);
}

/** The largest of high − low and the distances of both from the close before. `i` ≥ 1. */
export function trueRangeAt(high: Float64Array, low: Float64Array, close: Float64Array, i: number): number {
  const before = close[i - 1]!;
  let range = high[i]! - low[i]!;
  const up = Math.abs(high[i]! - before);
  const down = Math.abs(low[i]! - before);
  if (up > range) range = up;
  if (down > range) range = down;
  return range;
}

/** (high + low + close) / 3. */
export function typicalAt(high: Float64Array, low: Float64Array, close: Float64Array, i: number): number {
  return (high[i]! + low[i]! + close[i]!) / 3;
}

/** Where the close lies in its bar, −1 (low) to 1 (high), times volume; 0 for a bar without range. */
export function moneyFlowAt(
  high: Float64Array,
  low: Float64Array,
  close: Float64Array,
  volume: Float64Array,
  i: number,
): number {
  const range = high[i]! - low[i]!;
  return range > 0 ? ((close[i]! - low[i]! - (high[i]! - close[i]!)) / range) * volume[i]! : 0;
}

/** `numerator / denominator`; NaN when there is nothing to divide by. */
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? Number.NaN : numerator / denominator;
}

/** Marks the bars before the first value. @returns the first bar of `from..to` that has one. */
export function markWarmUp(warmUp: number, from: number, to: number, out: readonly Float64Array[]): number {
  const first = Math.max(from, Math.min(warmUp, to));
  if (first > from) for (const column of out) column.fill(Number.NaN, 0, first - from);
  return first;
}
