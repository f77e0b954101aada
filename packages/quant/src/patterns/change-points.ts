import { expect } from '../checks/expect.ts';

/** `mean`: squared deviations from each stretch's mean. `mean-and-variance`: n · ln(variance), a normal of each stretch's own. */
export type ChangeCost = 'mean' | 'mean-and-variance';

export type ChangePointOptions = {
  cost: ChangeCost;
  /** Price of one more change, in the cost's unit; > 0. It may not depend on the length, or later bars would move earlier ones. */
  penalty: number;
  /** Shortest stretch in bars; at least 1, for variances at least 2. */
  stretchMin: number;
};

export type ChangePoints = {
  /** First bar of each new stretch, ascending. */
  changes: Int32Array;
  /**
   * For each change the first bar t at which the best segmentation of the bars up to t had a change within half a
   * `stretchMin` of it. What was known later than `changes` themselves say.
   */
  tellable: Int32Array;
  /** Cost of the segmentation, penalties included. */
  cost: number;
};

/** A variance below this is a dead price; daily log returns of a traded one have 1e-8 and more. */
const VARIANCE_MIN = 1e-14;

/**
 * The segmentation with the least cost of all, by pruned exact dynamic programming (PELT).
 *
 * O(n) bars when changes are spread, O(n²) when there is none. NaN is the caller's to remove.
 *
 * @throws RangeError for a NaN, a penalty that is not positive, or a stretch that is too short.
 * @see Killick, Fearnhead and Eckley (2012), doi:10.1080/01621459.2012.737745.
 */
export function changePoints(values: Float64Array, options: ChangePointOptions): ChangePoints {
  const { best, previous } = segment(values, options);
  const n = values.length;
  const changes = pathTo(previous, n);
  const near = Math.max(1, Math.floor(options.stretchMin / 2));
  const tellable = changes.map((change) => {
    for (let end = change + 1; end <= n; end++)
      if (pathTo(previous, end).some((other) => Math.abs(other - change) <= near)) return end - 1;
    return n - 1;
  });
  return { changes: Int32Array.from(changes), tellable: Int32Array.from(tellable), cost: n === 0 ? 0 : best[n]! };
}

/**
 * The latest change in the best segmentation of the bars up to each bar: what could be said on that day. NaN where none.
 *
 * Appending bars changes no earlier value. Same cost and errors as `changePoints`.
 */
export function latestChangeAsOf(values: Float64Array, options: ChangePointOptions): Float64Array {
  const { previous } = segment(values, options);
  return Float64Array.from(values, (_, t) => {
    const change = previous[t + 1]!;
    return change > 0 ? change : Number.NaN;
  });
}

/** Cost of one stretch from running sums, O(1) each. */
function costFunction(values: Float64Array, cost: ChangeCost): (from: number, to: number) => number {
  const n = values.length;
  const sums = new Float64Array(n + 1);
  const squares = new Float64Array(n + 1);
  // Differences of running sums lose digits around a large mean; the first value stands in for it.
  const center = n > 0 ? values[0]! : 0;
  for (let t = 0; t < n; t++) {
    const value = values[t]! - center;
    expect(Number.isFinite(value), `values must be finite, bar ${t} was ${values[t]}`);
    sums[t + 1] = sums[t]! + value;
    squares[t + 1] = squares[t]! + value * value;
  }
  return (from, to) => {
    const length = to - from;
    const sum = sums[to]! - sums[from]!;
    const around = Math.max(0, squares[to]! - squares[from]! - (sum * sum) / length);
    return cost === 'mean' ? around : length * Math.log(Math.max(VARIANCE_MIN, around / length));
  };
}

/** best[t]: least cost of the first t bars; previous[t]: where their last stretch begins. */
function segment(values: Float64Array, { cost, penalty, stretchMin }: ChangePointOptions) {
  expect(penalty > 0, `the penalty must be positive, was ${penalty}`);
  const least = cost === 'mean' ? 1 : 2;
  expect(
    Number.isInteger(stretchMin) && stretchMin >= least,
    `stretchMin must be a whole number of at least ${least}, was ${stretchMin}`,
  );
  const n = values.length;
  const costOf = costFunction(values, cost);
  const best = new Float64Array(n + 1);
  const previous = new Int32Array(n + 1);
  best[0] = -penalty;
  let starts: number[] = [0];
  /** Ends from which on a start can no longer be the best one. */
  const goneFrom = new Int32Array(n + 1).fill(n + 1);
  for (let t = 1; t <= n; t++) {
    if (t - stretchMin >= stretchMin) starts.push(t - stretchMin);
    best[t] = Number.POSITIVE_INFINITY;
    const totals: number[] = [];
    starts = starts.filter((start) => goneFrom[start]! > t);
    for (const start of starts) {
      const total = t - start < stretchMin ? Number.POSITIVE_INFINITY : best[start]! + costOf(start, t);
      totals.push(total);
      if (total + penalty < best[t]!) {
        best[t] = total + penalty;
        previous[t] = start;
      }
    }
    // Shorter than one stretch: one stretch it is, however short.
    if (best[t] === Number.POSITIVE_INFINITY) best[t] = t < least ? 0 : costOf(0, t);
    // The start that replaces it is of use only once its own stretch is long enough.
    for (const [k, start] of starts.entries())
      if (totals[k]! !== Number.POSITIVE_INFINITY && totals[k]! >= best[t]!)
        goneFrom[start] = Math.min(goneFrom[start]!, t + stretchMin);
  }
  return { best, previous };
}

function pathTo(previous: Int32Array, end: number): number[] {
  const path: number[] = [];
  for (let t = previous[end]!; t > 0; t = previous[t]!) path.push(t);
  return path.reverse();
}
