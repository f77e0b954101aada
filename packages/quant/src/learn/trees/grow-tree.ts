import type { Random } from '../../random/random.ts';
import { type BinnedColumn, VALUE_LIMIT } from './bin-columns.ts';
import {
  boundedValue,
  chooseColumns,
  findBestSplit,
  type NodeSums,
  type Split,
  type SplitSettings,
} from './find-split.ts';
import { HISTOGRAM_COUNT, MISSING_BIN, type TreeKernels } from './tree-kernels.ts';

export type GrowSettings = SplitSettings & {
  maxDepth: number;
  /** A split whose children are leaves is taken back if twice the loss falls by less. */
  gamma: number;
  /** What a leaf's value is multiplied by. */
  leafScale: number;
};

/** What trees are grown from, beside the pairs and rows in the kernels' room. */
export type Ground = {
  kernels: TreeKernels;
  binned: readonly BinnedColumn[];
  rowCount: number;
  settings: GrowSettings;
  /** −1, 0 or 1 a column; null: nowhere. */
  monotone: Int8Array | null;
};

export type GrowTask = {
  /** The first so many of `rows` are learned from; those behind only fall into leaves. */
  sampleCount: number;
  /** Rows in `rows` altogether. */
  heldCount: number;
  /** Columns looked at, ascending; without `drawColumns` they are those laid out in `binsByRow`. */
  columns: Int32Array;
  /** So many of `columns` are looked at at each split, drawn anew; null: all. */
  drawColumns: { count: number; random: Random } | null;
  /** Another value of a leaf, from its rows; null: −G / (H + l2). */
  refit: ((rows: Int32Array) => number) | null;
};

export type GrownNode = {
  /** Its rows: sampled ones in rows[start..end), others in rows[outStart..outEnd). */
  start: number;
  end: number;
  outStart: number;
  outEnd: number;
  /** What it adds as a leaf. */
  leaf: number;
  /** Sum of hessians. */
  cover: number;
  split: GrownSplit | null;
};

export type GrownSplit = {
  feature: number;
  threshold: number;
  /** The categories that go left, ascending; null for a numeric column. */
  categories: Int32Array | null;
  missingLeft: boolean;
  gain: number;
  left: GrownNode;
  right: GrownNode;
};

/** A node while it grows. */
type Bud = NodeSums & { node: GrownNode; depth: number; histogram: Float64Array | null };

/**
 * Grows one tree on the gradients in the room: the best split of every node down to `maxDepth`. The histograms of the smaller
 * child are built, those of the larger are what is left of the parent's. Afterwards the rows of each node lie together.
 *
 * @see Chen and Guestrin 2016, doi:10.1145/2939672.2939785.
 */
export function growTree(ground: Ground, task: GrowTask): GrownNode {
  const { kernels, settings, rowCount } = ground;
  const { room } = kernels;
  const columnCount = task.columns.length;
  const pool = createPool(room.histograms, columnCount, task.drawColumns === null ? settings.maxDepth + 1 : 1);

  const grow = (bud: Bud): void => {
    const { node } = bud;
    node.leaf = leafOf(ground, task, bud);
    const split = maySplit(bud, settings) ? findSplit(ground, task, bud) : null;
    if (split === null) {
      pool.giveBack(bud.histogram);
      return;
    }
    const { feature } = split;
    const [left, right] = part(ground, bud, split);
    if (bud.histogram !== null) handDown(bud.histogram, left, right);
    grow(left);
    grow(right);
    const isLast = left.node.split === null && right.node.split === null;
    if (isLast && split.gain < settings.gamma) return;
    const where = placeOf(ground.binned[feature]!, split);
    const { missingLeft } = split;
    node.split = { feature, ...where, missingLeft, gain: split.gain, left: left.node, right: right.node };
  };

  /** The parent's histogram becomes the larger child's; none is built where no child can be split. */
  const handDown = (histogram: Float64Array, left: Bud, right: Bud): void => {
    if (!maySplit(left, settings) && !maySplit(right, settings)) {
      pool.giveBack(histogram);
      return;
    }
    const leftIsSmaller = left.node.end - left.node.start <= right.node.end - right.node.start;
    const [small, large] = leftIsSmaller ? [left, right] : [right, left];
    small.histogram = pool.take();
    kernels.buildHistogram(rowCount, columnCount, small.node.start, small.node.end, small.histogram);
    kernels.subtract(histogram, small.histogram, columnCount);
    large.histogram = histogram;
  };

  chooseColumns(kernels, ground.binned, task.columns, ground.monotone !== null);
  const node = createNode(0, task.sampleCount, task.sampleCount, task.heldCount);
  let histogram: Float64Array | null = null;
  if (task.drawColumns === null) {
    histogram = pool.take();
    kernels.buildHistogram(rowCount, columnCount, node.start, node.end, histogram);
  }
  const bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  grow({ node, depth: 0, ...sumPairs(kernels, task.sampleCount), ...bounds, histogram });
  return node;
}

/** Every leaf of a tree, from left to right. */
export function leavesOf(node: GrownNode): GrownNode[] {
  return node.split === null ? [node] : [...leavesOf(node.split.left), ...leavesOf(node.split.right)];
}

function createPool(histograms: Float64Array, columnCount: number, count: number) {
  const length = columnCount * HISTOGRAM_COUNT;
  const free = Array.from({ length: count }, (_, k) => histograms.subarray(k * length, (k + 1) * length));
  return {
    /** On the way down each level holds one child that waits: there is always one left. */
    take: (): Float64Array => free.pop()!,
    giveBack: (histogram: Float64Array | null): void => {
      if (histogram !== null) free.push(histogram);
    },
  };
}

function createNode(start: number, end: number, outStart: number, outEnd: number): GrownNode {
  return { start, end, outStart, outEnd, leaf: 0, cover: 0, split: null };
}

function sumPairs({ room }: TreeKernels, count: number): { gradient: number; hessian: number } {
  const { rows, pairs } = room;
  let gradient = 0;
  let hessian = 0;
  for (let k = 0; k < count; k++) {
    gradient += pairs[2 * rows[k]!]!;
    hessian += pairs[2 * rows[k]! + 1]!;
  }
  return { gradient, hessian };
}

function maySplit({ depth, hessian, node }: Bud, { maxDepth, minChildWeight }: GrowSettings): boolean {
  return depth < maxDepth && node.end - node.start >= 2 && hessian >= 2 * minChildWeight;
}

function leafOf({ kernels, settings }: Ground, { refit }: GrowTask, bud: Bud): number {
  const { gradient, hessian, node } = bud;
  node.cover = hessian;
  const value =
    refit === null
      ? boundedValue(gradient, hessian, bud, settings)
      : refit(kernels.room.rows.subarray(node.start, node.end));
  // A float32, so that formats that keep leaves as such keep ours.
  return Math.fround(value * settings.leafScale);
}

function findSplit({ kernels, binned, rowCount, monotone, settings }: Ground, task: GrowTask, bud: Bud): Split | null {
  const { columns, drawColumns } = task;
  if (bud.histogram !== null)
    return findBestSplit(kernels, binned, monotone, columns.length, bud.histogram, bud, settings);
  if (drawColumns === null) return null;
  const order = drawOrder(columns, columns.length, drawColumns.random);
  let best: Split | null = null;
  // Columns that are constant here cannot be split, and do not count among those drawn.
  for (let from = 0, wanted = drawColumns.count; wanted > 0 && from < order.length; ) {
    const drawn = order.slice(from, from + wanted).sort();
    const histogram = kernels.room.histograms.subarray(0, drawn.length * HISTOGRAM_COUNT);
    chooseColumns(kernels, binned, drawn, monotone !== null);
    kernels.buildColumnHistograms(rowCount, drawn.length, bud.node.start, bud.node.end, histogram);
    const found = findBestSplit(kernels, binned, monotone, drawn.length, histogram, bud, settings);
    if (found !== null && (best === null || found.gain > best.gain)) best = found;
    from += drawn.length;
    wanted = countConstant(histogram);
  }
  return best;
}

/** Columns of which only one bin has rows. */
function countConstant(histogram: Float64Array): number {
  let constant = 0;
  for (let from = 0; from < histogram.length; from += HISTOGRAM_COUNT) {
    let used = 0;
    for (let at = from + 1; at < from + HISTOGRAM_COUNT && used < 2; at += 2) if (histogram[at]! > 0) used += 1;
    if (used < 2) constant += 1;
  }
  return constant;
}

/** So many of the columns, ascending; each set as likely as any other. */
export function drawSome(columns: Int32Array, count: number, random: Random): Int32Array {
  return drawOrder(columns, count, random).sort();
}

/** So many of the columns, in the order in which they were drawn. */
function drawOrder(columns: Int32Array, count: number, random: Random): Int32Array {
  const shuffled = columns.slice();
  for (let k = 0; k < count; k++) {
    const other = k + random.integer(shuffled.length - k);
    const kept = shuffled[k]!;
    shuffled[k] = shuffled[other]!;
    shuffled[other] = kept;
  }
  return shuffled.slice(0, count);
}

/** Parts the rows of a node, and what is known of it. */
function part({ kernels, binned, rowCount, monotone, settings }: Ground, bud: Bud, split: Split): [Bud, Bud] {
  const { room } = kernels;
  const { feature } = split;
  const { node, depth, low, high } = bud;
  room.sides.fill(0);
  if (split.leftBins === null) room.sides.fill(1, 0, split.bin + 1);
  else for (const bin of split.leftBins) room.sides[bin] = 1;
  if (split.leftBins !== null || binned[feature]!.hasMissing) room.sides[MISSING_BIN] = split.missingLeft ? 1 : 0;
  const bins = room.binsByColumn.subarray(feature * rowCount, (feature + 1) * rowCount);
  const middle = kernels.partition(bins, node.start, node.end);
  const outMiddle = node.outEnd > node.outStart ? kernels.partition(bins, node.outStart, node.outEnd) : node.outEnd;
  const left = {
    ...{ node: createNode(node.start, middle, node.outStart, outMiddle), depth: depth + 1, histogram: null },
    ...{ gradient: split.gradientLeft, hessian: split.hessianLeft, low, high },
  };
  const right = {
    ...{ node: createNode(middle, node.end, outMiddle, node.outEnd), depth: depth + 1, histogram: null },
    ...{ gradient: bud.gradient - split.gradientLeft, hessian: bud.hessian - split.hessianLeft, low, high },
  };
  const direction = monotone?.[feature] ?? 0;
  if (direction === 0) return [left, right];
  const between =
    (boundedValue(left.gradient, left.hessian, bud, settings) +
      boundedValue(right.gradient, right.hessian, bud, settings)) /
    2;
  const [lower, upper] = direction > 0 ? [left, right] : [right, left];
  lower.high = between;
  upper.low = between;
  return [left, right];
}

function placeOf(
  { cuts, categories }: BinnedColumn,
  { bin, leftBins }: Split,
): Pick<GrownSplit, 'threshold' | 'categories'> {
  if (categories === null || leftBins === null) {
    // All values on the left, the missing on the right.
    return { threshold: cuts[bin] ?? VALUE_LIMIT, categories: null };
  }
  const inside = leftBins.filter((each) => each < categories.length).map((each) => categories[each]!);
  return { threshold: 0, categories: Int32Array.from(inside).sort() };
}
