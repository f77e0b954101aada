import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';

/** One tree as columns by node; node 0 is the root. A leaf has feature −1. */
export type IsolationTree = {
  feature: Int32Array;
  /** Rows with a value of at most this go left. */
  threshold: Float64Array;
  left: Int32Array;
  right: Int32Array;
  /** Training rows that reached the node. */
  rowCount: Int32Array;
};

export type IsolationForest = { featureCount: number; sampleCount: number; trees: IsolationTree[] };

export type IsolationSettings = { treeCount: number; sampleCount: number };

export const ISOLATION_DEFAULTS: IsolationSettings = { treeCount: 100, sampleCount: 256 };

const EULER_GAMMA = 0.5772156649015329;

/**
 * Grows an isolation forest: random splits of small samples; what is alone after few splits is odd.
 *
 * @param rows Row-major T × F without NaN.
 * @param random Each tree has a child of its own, so that a tree does not depend on how many there are.
 * @throws RangeError without two rows, or when a value is not finite.
 * @see Liu, Ting and Zhou (2008), doi:10.1109/ICDM.2008.17
 */
export function growIsolationForest(
  rows: Float64Array,
  featureCount: number,
  random: Random,
  settings: Partial<IsolationSettings> = {},
): IsolationForest {
  const { treeCount, sampleCount: sampleMax } = { ...ISOLATION_DEFAULTS, ...settings };
  expect(rows.length % featureCount === 0, `rows must have ${featureCount} values each`);
  const count = rows.length / featureCount;
  expect(count >= 2, `a forest needs at least 2 rows, had ${count}`);
  for (const value of rows) expect(Number.isFinite(value), `rows must be finite, one value was ${value}`);
  const sampleCount = Math.min(sampleMax, count);
  const depthMax = Math.ceil(Math.log2(Math.max(2, sampleCount)));
  const trees = Array.from({ length: treeCount }, (_, k) => {
    const draw = random.split(`tree/${k}`);
    return growTree(rows, featureCount, sampleRows(count, sampleCount, draw), depthMax, draw);
  });
  return { featureCount, sampleCount, trees };
}

/**
 * Oddness of each row, 0..1: 2^(−mean depth / usual depth). About .5 is usual, near 1 is alone. NaN for rows with a NaN.
 *
 * A row's depth in a tree counts the splits above its leaf and the usual depth of as many rows as the leaf holds.
 */
export function isolationScores(rows: Float64Array, forest: IsolationForest): Float64Array {
  const { featureCount: F, trees, sampleCount } = forest;
  const usual = usualDepth(sampleCount);
  return Float64Array.from({ length: rows.length / F }, (_, row) => {
    const values = rows.subarray(row * F, (row + 1) * F);
    if (values.some(Number.isNaN)) return Number.NaN;
    let total = 0;
    for (const tree of trees) total += depthOf(values, tree);
    return 2 ** (-total / trees.length / usual);
  });
}

/** Mean depth of a leaf in a random tree over so many rows: 2 H(n−1) − 2(n−1)/n, with H by its asymptote as in the paper. */
export function usualDepth(rowCount: number): number {
  if (rowCount <= 1) return 0;
  if (rowCount === 2) return 1;
  return 2 * (Math.log(rowCount - 1) + EULER_GAMMA) - (2 * (rowCount - 1)) / rowCount;
}

function depthOf(values: Float64Array, { feature, threshold, left, right, rowCount }: IsolationTree): number {
  let node = 0;
  let depth = 0;
  while (feature[node]! >= 0) {
    node = values[feature[node]!]! <= threshold[node]! ? left[node]! : right[node]!;
    depth += 1;
  }
  return depth + usualDepth(rowCount[node]!);
}

/** So many different rows, each set as likely as any other: the first steps of a Fisher-Yates shuffle. */
function sampleRows(count: number, sampleCount: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, row) => row);
  for (let k = 0; k < sampleCount; k++) {
    const other = k + random.integer(count - k);
    const kept = order[k]!;
    order[k] = order[other]!;
    order[other] = kept;
  }
  return order.slice(0, sampleCount);
}

function growTree(rows: Float64Array, F: number, sample: Int32Array, depthMax: number, random: Random): IsolationTree {
  const tree = {
    feature: [] as number[],
    threshold: [] as number[],
    left: [] as number[],
    right: [] as number[],
    rowCount: [] as number[],
  };
  const grow = (part: Int32Array, depth: number): number => {
    const node = tree.feature.length;
    tree.feature.push(-1);
    tree.threshold.push(0);
    tree.left.push(-1);
    tree.right.push(-1);
    tree.rowCount.push(part.length);
    const split = depth < depthMax && part.length > 1 ? drawSplit(rows, F, part, random) : null;
    if (split === null) return node;
    tree.feature[node] = split.feature;
    tree.threshold[node] = split.threshold;
    const isLeft = (row: number): boolean => rows[row * F + split.feature]! <= split.threshold;
    tree.left[node] = grow(
      part.filter((row) => isLeft(row)),
      depth + 1,
    );
    tree.right[node] = grow(
      part.filter((row) => !isLeft(row)),
      depth + 1,
    );
    return node;
  };
  grow(sample, 0);
  return {
    feature: Int32Array.from(tree.feature),
    threshold: Float64Array.from(tree.threshold),
    left: Int32Array.from(tree.left),
    right: Int32Array.from(tree.right),
    rowCount: Int32Array.from(tree.rowCount),
  };
}

/** A feature that is not constant, drawn evenly among those, and a threshold within its range; null when all are constant. */
function drawSplit(
  rows: Float64Array,
  F: number,
  part: Int32Array,
  random: Random,
): { feature: number; threshold: number } | null {
  const ranges: { feature: number; low: number; high: number }[] = [];
  for (let feature = 0; feature < F; feature++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const row of part) {
      low = Math.min(low, rows[row * F + feature]!);
      high = Math.max(high, rows[row * F + feature]!);
    }
    if (high > low) ranges.push({ feature, low, high });
  }
  if (ranges.length === 0) return null;
  const { feature, low, high } = ranges[random.integer(ranges.length)]!;
  const threshold = low + random.uniform() * (high - low);
  // Rounding may reach the highest value, which would leave the right side empty.
  return { feature, threshold: threshold < high ? threshold : low };
}
