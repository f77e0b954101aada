import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { benjaminiHochberg } from '../stats/multiple-testing.ts';
import { studentQuantile, studentTail } from '../stats/student-t.ts';
import { correlationsOf, forEachResample } from './resampled-correlations.ts';

export type Break = {
  a: number;
  b: number;
  /** First row of the unbroken run up to the last row on which the rolling correlation lay outside the band. */
  row: number;
  /** Correlation of the rows before the last window. */
  before: number;
  /** Correlation of the last window. */
  after: number;
  /** 95 % band of what a window of its own past would show. */
  low: number;
  high: number;
  pValue: number;
  /** By Benjamini and Hochberg over all pairs. */
  adjustedP: number;
};

export type Breaks = { breaks: Break[]; testCount: number };

export type BreakSettings = {
  random: Random;
  /** Rows of the window held against the past; default 63. */
  window?: number;
  resampleCount?: number;
  blockLengthMean?: number;
  /** 0..1, share of false ones among those told; default 0.05. */
  level?: number;
};

/** Rows of past below which a band means nothing: two windows. */
const PAST_WINDOWS_MIN = 2;

/**
 * Pairs whose correlation over the last window is not what their own past allows.
 *
 * The rows before the window are drawn again in stationary blocks, windows of the same length each time; the spread of
 * their correlations, on Fisher's scale, tells what a window may show if nothing changed. The past knows its own
 * correlation only so well, which widens the band by √(1 + window / past), and its spread, which is why p comes from
 * Student's t with past / block length degrees. One p value a pair. Only rows up to the last are looked at. Time O(resamples · window · N²).
 *
 * @param observations Row-major T × N, finite.
 * @returns those whose adjusted p is at most `level`, by ascending p; no tests with less than two windows of past.
 * @throws RangeError on a wrong shape or a window below 10.
 */
export function findBreaks(
  observations: Float64Array,
  rowCount: number,
  count: number,
  { random, window = 63, resampleCount = 200, blockLengthMean = 10, level = 0.05 }: BreakSettings,
): Breaks {
  expect(observations.length === rowCount * count, `observations must be ${rowCount} x ${count}`);
  expect(Number.isInteger(window) && window >= 10, `window must be a whole number from 10 on, was ${window}`);
  const pastCount = rowCount - window;
  if (pastCount < PAST_WINDOWS_MIN * window || count < 2) return { breaks: [], testCount: 0 };
  const past = observations.subarray(0, pastCount * count);
  const before = correlationsOf(past, pastCount, count);
  const after = correlationsOf(observations.subarray(pastCount * count), window, count);
  const { mean, deviation } = windowSpread(past, pastCount, count, { random, window, resampleCount, blockLengthMean });
  const widening = Math.sqrt(1 + window / pastCount);
  const degrees = pastCount / blockLengthMean;
  const pairs: { a: number; b: number }[] = [];
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) pairs.push({ a, b });
  const pValues = Float64Array.from(pairs, ({ a, b }) => {
    const at = a * count + b;
    const distance = Math.abs(fisher(after[at]!) - mean[at]!) / (deviation[at]! * widening);
    return Number.isFinite(distance) ? Math.min(1, 2 * studentTail(distance, degrees)) : Number.NaN;
  });
  const adjusted = benjaminiHochberg(pValues);
  const edge = studentQuantile(0.975, degrees);
  const breaks: Break[] = [];
  for (const [k, { a, b }] of pairs.entries()) {
    if (!(adjusted[k]! <= level)) continue;
    const at = a * count + b;
    const low = Math.tanh(mean[at]! - edge * widening * deviation[at]!);
    const high = Math.tanh(mean[at]! + edge * widening * deviation[at]!);
    const rolling = rollingCorrelation(column(observations, count, a), column(observations, count, b), window);
    breaks.push({
      ...{ a, b, low, high, before: before[at]!, after: after[at]! },
      row: startOfRun(rolling, low, high),
      pValue: pValues[k]!,
      adjustedP: adjusted[k]!,
    });
  }
  breaks.sort((x, y) => x.pValue - y.pValue || x.a - y.a || x.b - y.b);
  return { breaks, testCount: pValues.filter((p) => !Number.isNaN(p)).length };
}

/** Mean and standard deviation of Fisher's z of windows drawn from the past, row-major N × N. */
function windowSpread(
  past: Float64Array,
  pastCount: number,
  count: number,
  settings: { random: Random; window: number; resampleCount: number; blockLengthMean: number },
): { mean: Float64Array; deviation: Float64Array } {
  const mean = new Float64Array(count * count);
  const squares = new Float64Array(count * count);
  let drawn = 0;
  forEachResample(past, pastCount, count, { ...settings, rowCountDrawn: settings.window }, (correlation) => {
    drawn += 1;
    for (let i = 0; i < correlation.length; i++) {
      const z = fisher(correlation[i]!);
      const step = z - mean[i]!;
      mean[i]! += step / drawn;
      squares[i]! += step * (z - mean[i]!);
    }
  });
  // A short past can look calmer than it is; below what independent normal rows would show no spread is believed.
  const least = 1 / Math.sqrt(settings.window - 3);
  return { mean, deviation: squares.map((sum) => Math.max(least, Math.sqrt(sum / (drawn - 1)))) };
}

/** Equal movements would be infinite. */
function fisher(correlation: number): number {
  return Math.atanh(Math.max(-0.999999, Math.min(0.999999, correlation)));
}

function column(observations: Float64Array, count: number, at: number): Float64Array {
  return Float64Array.from({ length: observations.length / count }, (_, t) => observations[t * count + at]!);
}

function startOfRun(rolling: Float64Array, low: number, high: number): number {
  let row = rolling.length - 1;
  while (row > 0 && (rolling[row - 1]! < low || rolling[row - 1]! > high)) row--;
  return row;
}

/**
 * Correlation of two series over the last `window` rows of each row. NaN in the first window − 1 rows, where a value in the
 * window is missing, and where one of them does not vary in it. Each row is computed afresh, so that it depends on nothing
 * but its window. Time O(T · window).
 *
 * @throws RangeError if the lengths differ or the window is below 2.
 */
export function rollingCorrelation(x: Float64Array, y: Float64Array, window: number): Float64Array {
  expect(x.length === y.length, `x and y must have equal lengths, had ${x.length} and ${y.length}`);
  expect(Number.isInteger(window) && window >= 2, `window must be a whole number from 2 on, was ${window}`);
  const result = new Float64Array(x.length).fill(Number.NaN);
  const both = new Float64Array(2 * window);
  for (let end = window; end <= x.length; end++) {
    for (let k = 0; k < window; k++) {
      both[2 * k] = x[end - window + k]!;
      both[2 * k + 1] = y[end - window + k]!;
    }
    if (both.every(Number.isFinite)) result[end - 1] = correlationsOf(both, window, 2)[1]!;
  }
  return result;
}
