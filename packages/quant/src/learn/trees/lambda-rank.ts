import { expect } from '../../checks/expect.ts';
import { logistic } from './exponential.ts';

/** Gains are 2^relevance: beyond this spread in a group the least relevant would count nothing beside the most. */
const RELEVANCE_SPREAD_MAX = 31;
const APART_MIN = 0.01;

/** The rows of each group, groups in the order of their first row. */
export function groupsOf(group: Int32Array): Int32Array[] {
  const rows = new Map<number, number[]>();
  group.forEach((name, row) => {
    const known = rows.get(name);
    if (known) known.push(row);
    else rows.set(name, [row]);
  });
  return Array.from(rows.values(), (each) => Int32Array.from(each));
}

/**
 * Gain of each row: 2^(relevance − least relevance of its group) − 1.
 *
 * @throws RangeError if relevance within a group spreads over more than 31.
 */
export function gainsOf(groups: readonly Int32Array[], relevance: Float64Array): Float64Array {
  const gains = new Float64Array(relevance.length);
  for (const rows of groups) {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const row of rows) {
      least = Math.min(least, relevance[row]!);
      most = Math.max(most, relevance[row]!);
    }
    expect(
      most - least <= RELEVANCE_SPREAD_MAX,
      `relevance may spread over ${RELEVANCE_SPREAD_MAX} within a group, did over ${most - least}`,
    );
    for (const row of rows) gains[row] = 2 ** (relevance[row]! - least) - 1;
  }
  return gains;
}

/**
 * Gradients and hessians of LambdaMART. A pair of different relevance, one of them among the first `truncation` places of its group
 * by margin, pulls apart with the logistic loss of its margins, times the NDCG its exchange changes.
 *
 * @see Burges 2010, Microsoft Research MSR-TR-2010-82.
 */
export function lambdaPairs(
  groups: readonly Int32Array[],
  gains: Float64Array,
  margins: Float64Array,
  truncation: number,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  gradients.fill(0);
  hessians.fill(0);
  for (const rows of groups) {
    const ideal = idealGain(rows, gains, truncation);
    if (ideal === 0) continue;
    const order = byMargin(rows, margins);
    const last = Math.min(truncation, order.length);
    const isFlat = margins[order[0]!] === margins[order.at(-1)!];
    let pull = 0;
    const discounts = Float64Array.from(order, (_, place) => (place < truncation ? discountAt(place) : 0));
    for (let i = 0; i < last; i++)
      for (let j = i + 1; j < order.length; j++) {
        const [a, b] = [order[i]!, order[j]!];
        if (gains[a] === gains[b]) continue;
        const [high, low] = gains[a]! > gains[b]! ? [a, b] : [b, a];
        const apart = margins[high]! - margins[low]!;
        // Pairs that are far apart already matter less than their exchange would.
        const nearness = isFlat ? 1 : 1 / (APART_MIN + Math.abs(apart));
        const change = (nearness * (gains[high]! - gains[low]!) * (discounts[i]! - discounts[j]!)) / ideal;
        const doubt = logistic(-apart);
        pull += 2 * change * doubt;
        gradients[high]! -= change * doubt;
        gradients[low]! += change * doubt;
        const hessian = change * doubt * (1 - doubt);
        hessians[high]! += hessian;
        hessians[low]! += hessian;
      }
    if (pull === 0) continue;
    // A group pulls with the logarithm of what its pairs pull: large groups do not drown small ones.
    const scale = Math.log2(1 + pull) / pull;
    for (const row of rows) {
      gradients[row]! *= scale;
      hessians[row]! *= scale;
    }
  }
}

/** Mean over groups of the discounted gain of the first places over the best there could be; groups of equal relevance are left out. */
export function meanNdcg(
  groups: readonly Int32Array[],
  gains: Float64Array,
  margins: Float64Array,
  truncation: number,
): number {
  let sum = 0;
  let count = 0;
  for (const rows of groups) {
    const ideal = idealGain(rows, gains, truncation);
    if (ideal === 0) continue;
    const first = byMargin(rows, margins).subarray(0, truncation);
    sum += first.reduce((total, row, place) => total + gains[row]! * discountAt(place), 0) / ideal;
    count += 1;
  }
  return count === 0 ? 1 : sum / count;
}

function idealGain(rows: Int32Array, gains: Float64Array, truncation: number): number {
  const best = Float64Array.from(rows, (row) => gains[row]!)
    .sort()
    .reverse()
    .subarray(0, truncation);
  return best.reduce((total, gain, place) => total + gain * discountAt(place), 0);
}

/** Highest margin first; equal ones in the order of their rows. */
function byMargin(rows: Int32Array, margins: Float64Array): Int32Array {
  return rows.slice().sort((a, b) => margins[b]! - margins[a]! || a - b);
}

function discountAt(place: number): number {
  return 1 / Math.log2(place + 2);
}
