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
  return 3 + period;
}

/** Mean of the last `period` values; NaN before, and while one of them is undefined. */
export function meanStep(state: Float64Array, at: number, period: number, value: number): number {
  return sumStep(state, at, period, value) / period;
}

/** Sum of the last `period` values, sliding. Room: `meanSize`. */
export function sumStep(state: Float64Array, at: number, period: number, value: number): number {
  const count = state[at]!;
  const place = at + 3 + (count % period);
  if (count >= period) {
    const old = state[place]!;
    if (Math.abs(old) < Number.POSITIVE_INFINITY) state[at + 1] = state[at + 1]! - old;
    else state[at + 2] = state[at + 2]! - 1;
  }
  state[place] = value;
  if (Math.abs(value) < Number.POSITIVE_INFINITY) state[at + 1] = state[at + 1]! + value;
  else state[at + 2] = state[at + 2]! + 1;
  state[at] = count + 1;
  return count + 1 >= period && state[at + 2] === 0 ? state[at + 1]! : Number.NaN;
}

/** Room `weightedStep` takes. */
export function weightedSize(period: number): number {
  return 4 + period;
}

/** Mean of the last `period` values with weights 1, 2, … period (the newest); NaN before, and while one is undefined. */
export function weightedStep(state: Float64Array, at: number, period: number, value: number): number {
  // In order: values so far, sum, undefined ones in the window, weighted sum, ring.
  const count = state[at]!;
  const place = at + 4 + (count % period);
  const known = Math.abs(value) < Number.POSITIVE_INFINITY ? value : 0;
  if (count >= period) {
    const old = state[place]!;
    const oldKnown = Math.abs(old) < Number.POSITIVE_INFINITY ? old : 0;
    state[at + 3] = state[at + 3]! - state[at + 1]! + known * period;
    state[at + 1] = state[at + 1]! - oldKnown + known;
    if (oldKnown !== old) state[at + 2] = state[at + 2]! - 1;
  } else {
    state[at + 3] = state[at + 3]! + known * (count + 1);
    state[at + 1] = state[at + 1]! + known;
  }
  if (known !== value) state[at + 2] = state[at + 2]! + 1;
  state[place] = value;
  state[at] = count + 1;
  return count + 1 >= period && state[at + 2] === 0 ? state[at + 3]! / ((period * (period + 1)) / 2) : Number.NaN;
}

/** Kinds of moving average an indicator may be told to use; TA-Lib's numbers. */
export const AVERAGE_KINDS = { simple: 0, exponential: 1, weighted: 2 } as const;
export const AVERAGE_KIND_RANGE = { initial: 0, min: 0, max: 2, isWhole: true } as const;

/** Room `averageStep` takes. */
export const averageSize = weightedSize;

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
