import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { mean } from './moments.ts';
import { normalCdf } from './normal.ts';
import { studentTail } from './student-t.ts';

export type Correlation =
  | {
      status: 'ok';
      /** −1..1. */
      coefficient: number;
      /** Two-sided, against no dependence; null where it is not defined (two pairs). */
      pValue: number | null;
      pairCount: number;
    }
  | Unanswered;

/** Ranks from 1 on, ties share the mean of theirs; NaN stays NaN and takes no rank. Time O(n log n). */
export function ranks(values: Float64Array): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  const order = indicesOf(values, (k) => !Number.isNaN(values[k]!)).sort((a, b) => compare(values[a]!, values[b]!));
  for (let from = 0; from < order.length; ) {
    const to = endOfTies(order, from, values);
    for (let k = from; k < to; k++) result[order[k]!] = (from + to + 1) / 2;
    from = to;
  }
  return result;
}

/** Product-moment correlation; pairs with a NaN on either side are left out. p-value by Student's t with n − 2 degrees. */
export function pearson(x: Float64Array, y: Float64Array): Correlation {
  const pairs = completePairs(x, y);
  return correlate(pairs.x, pairs.y);
}

/**
 * Spearman's rank correlation: Pearson's of the ranks. Pairs with a NaN on either side are left out. The p-value is
 * Student's t with n − 2 degrees, good from some ten pairs on.
 *
 * @returns `undefined` with fewer than two pairs or where one side is constant.
 * @throws RangeError if the lengths differ.
 * @see Spearman 1904, doi:10.2307/1412159.
 */
export function spearman(x: Float64Array, y: Float64Array): Correlation {
  const pairs = completePairs(x, y);
  return correlate(ranks(pairs.x), ranks(pairs.y));
}

/**
 * Kendall's rank correlation τ-b, which corrects for ties. Pairs with a NaN on either side are left out. The p-value is the
 * normal approximation with the variance under ties, good from some ten pairs on. Time O(n log n).
 *
 * @returns `undefined` with fewer than two pairs or where one side is constant.
 * @throws RangeError if the lengths differ.
 * @see Knight 1966, doi:10.1080/01621459.1966.10480879.
 */
export function kendall(x: Float64Array, y: Float64Array): Correlation {
  const pairs = completePairs(x, y);
  const n = pairs.x.length;
  if (n < 2) return unanswered(`two pairs are needed, there are ${n}`);
  const order = Array.from({ length: n }, (_, k) => k);
  order.sort((a, b) => compare(pairs.x[a]!, pairs.x[b]!) || compare(pairs.y[a]!, pairs.y[b]!));
  const tiesX = countTies(order, pairs.x);
  let tiedBoth = 0;
  for (let from = 0; from < n; ) {
    const end = endOfTies(order, from, pairs.x);
    for (let k = from; k < end; ) {
      const to = Math.min(end, endOfTies(order, k, pairs.y));
      tiedBoth += ((to - k) * (to - k - 1)) / 2;
      k = to;
    }
    from = end;
  }
  const swaps = sortCountingSwaps(order, pairs.y);
  const tiesY = countTies(order, pairs.y);
  const total = (n * (n - 1)) / 2;
  if (tiesX.pairs === total || tiesY.pairs === total) return unanswered('one side is constant');
  const score = total - tiesX.pairs - tiesY.pairs + tiedBoth - 2 * swaps;
  const coefficient = score / Math.sqrt(total - tiesX.pairs) / Math.sqrt(total - tiesY.pairs);
  const spread =
    (n * (n - 1) * (2 * n + 5) - tiesX.cubes - tiesY.cubes) / 18 +
    (2 * tiesX.pairs * tiesY.pairs) / (n * (n - 1)) +
    (n > 2 ? (tiesX.triples * tiesY.triples) / (9 * n * (n - 1) * (n - 2)) : 0);
  const pValue = spread > 0 ? Math.min(1, 2 * normalCdf(-Math.abs(score) / Math.sqrt(spread))) : null;
  return { status: 'ok', coefficient: clampShare(coefficient), pValue, pairCount: n };
}

function correlate(x: Float64Array, y: Float64Array): Correlation {
  const n = x.length;
  if (n < 2) return unanswered(`two pairs are needed, there are ${n}`);
  const centerX = mean(x);
  const centerY = mean(y);
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let t = 0; t < n; t++) {
    const dx = x[t]! - centerX;
    const dy = y[t]! - centerY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (!(xx > 0 && yy > 0) || isConstant(x) || isConstant(y)) return unanswered('one side is constant');
  // One root is exact for equal sides; two keep the smallest and largest sizes in range.
  const size = xx * yy > 1e-280 && xx * yy < 1e280 ? Math.sqrt(xx * yy) : Math.sqrt(xx) * Math.sqrt(yy);
  const coefficient = clampShare(xy / size);
  const t = coefficient * Math.sqrt((n - 2) / ((1 - coefficient) * (1 + coefficient)));
  return { status: 'ok', coefficient, pValue: n > 2 ? 2 * studentTail(Math.abs(t), n - 2) : null, pairCount: n };
}

function completePairs(x: Float64Array, y: Float64Array): { x: Float64Array; y: Float64Array } {
  expect(x.length === y.length, `x and y must have equal lengths, had ${x.length} and ${y.length}`);
  const kept = indicesOf(x, (k) => !Number.isNaN(x[k]!) && !Number.isNaN(y[k]!));
  return { x: Float64Array.from(kept, (k) => x[k]!), y: Float64Array.from(kept, (k) => y[k]!) };
}

function indicesOf(values: Float64Array, isKept: (index: number) => boolean): number[] {
  const kept: number[] = [];
  for (let k = 0; k < values.length; k++) if (isKept(k)) kept.push(k);
  return kept;
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

/** Also right for infinities, whose difference is NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function clampShare(value: number): number {
  return Math.max(-1, Math.min(1, value));
}

function endOfTies(order: readonly number[], from: number, values: Float64Array): number {
  let to = from + 1;
  while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
  return to;
}

/** Over the runs of t equal values: Σ t(t−1)/2, Σ t(t−1)(2t+5) and Σ t(t−1)(t−2). */
function countTies(order: readonly number[], values: Float64Array): { pairs: number; cubes: number; triples: number } {
  const sum = { pairs: 0, cubes: 0, triples: 0 };
  for (let from = 0; from < order.length; ) {
    const to = endOfTies(order, from, values);
    const t = to - from;
    sum.pairs += (t * (t - 1)) / 2;
    sum.cubes += t * (t - 1) * (2 * t + 5);
    sum.triples += t * (t - 1) * (t - 2);
    from = to;
  }
  return sum;
}

/** Sorts the order by value, merging ever longer runs; the number of neighbours that changed places. */
function sortCountingSwaps(order: number[], values: Float64Array): number {
  const n = order.length;
  const spare = new Array<number>(n);
  let swaps = 0;
  for (let width = 1; width < n; width *= 2)
    for (let from = 0; from < n; from += 2 * width) {
      const middle = Math.min(from + width, n);
      const end = Math.min(from + 2 * width, n);
      let left = from;
      let right = middle;
      for (let k = from; k < end; k++) {
        if (left < middle && (right >= end || values[order[left]!]! <= values[order[right]!]!))
          spare[k] = order[left++]!;
        else {
          spare[k] = order[right++]!;
          swaps += middle - left;
        }
      }
      for (let k = from; k < end; k++) order[k] = spare[k]!;
    }
  return swaps;
}
