import type { BinnedColumn } from './bin-columns.ts';
import { sideScore } from './plain-tree-kernels.ts';
import {
  FOUND,
  HAS_MISSING,
  HISTOGRAM_COUNT,
  MAY_SPLIT,
  MISSING_BIN,
  type TreeKernels,
  type TreeRoom,
} from './tree-kernels.ts';

export type SplitSettings = {
  l1: number;
  l2: number;
  /** Least sum of hessians of a child. */
  minChildWeight: number;
};

/** What is known of a node that may be split. */
export type NodeSums = {
  gradient: number;
  hessian: number;
  /** Bounds of its value, from monotone splits above. */
  low: number;
  high: number;
};

export type Split = {
  feature: number;
  /** Bins up to this one go left; of a categorical column: those in `leftBins`. */
  bin: number;
  leftBins: readonly number[] | null;
  missingLeft: boolean;
  gradientLeft: number;
  hessianLeft: number;
  /** By how much twice the loss falls. */
  gain: number;
};

/** Gains below this share of the scores are rounding. */
const GAIN_SHARE_MIN = 1e-11;

/** Tells the kernels which columns are looked at. */
export function chooseColumns(
  { room }: TreeKernels,
  binned: readonly BinnedColumn[],
  columns: Int32Array,
  isMonotone: boolean,
): void {
  columns.forEach((column, k) => {
    const { binCount, hasMissing, categories } = binned[column]!;
    room.chosen[k] = column;
    room.binCounts[k] = binCount;
    // With bounds, columns are searched by `findBoundedSplit`.
    const isPlain = categories === null && !isMonotone && binCount > 0;
    room.flags[k] = (isPlain ? MAY_SPLIT : 0) | (hasMissing ? HAS_MISSING : 0);
  });
}

/** The split of the chosen columns by which the loss falls most; null where none makes it fall. */
export function findBestSplit(
  kernels: TreeKernels,
  binned: readonly BinnedColumn[],
  monotone: Int8Array | null,
  columnCount: number,
  histogram: Float64Array,
  node: NodeSums,
  settings: SplitSettings,
): Split | null {
  const { gradient, hessian } = node;
  const { l1, l2 } = settings;
  const { room } = kernels;
  const own =
    monotone === null ? sideScore(gradient, hessian, l1, l2) : boundedScore(gradient, hessian, node, settings);
  // A side without weight has no value, whatever is asked.
  const hessianMin = Math.max(settings.minChildWeight, Number.MIN_VALUE);
  const query = { gradient, hessian, l1, l2, hessianMin, scoreMin: own * (1 + GAIN_SHARE_MIN) };
  kernels.findSplit(histogram, columnCount, query);
  let score = room.found[FOUND.score]!;
  let place = room.found[FOUND.column]!;
  let best = place < 0 ? null : readFound(room);
  for (let k = 0; k < columnCount; k++) {
    const column = binned[room.chosen[k]!]!;
    if (column.binCount === 0 || (column.categories === null && monotone === null)) continue;
    const found = searchColumn(
      entriesOf(column, histogram.subarray(k * HISTOGRAM_COUNT, (k + 1) * HISTOGRAM_COUNT), settings),
      monotone?.[room.chosen[k]!] ?? 0,
      { ...node, hessianMin },
      settings,
    );
    if (found === null || found.score <= score) continue;
    score = found.score;
    place = k;
    best = { ...found.split, feature: room.chosen[k]! };
  }
  if (best === null) return null;
  const sawMissing = binned[best.feature]!.hasMissing && histogram[place * HISTOGRAM_COUNT + 2 * MISSING_BIN + 1]! > 0;
  // Where no row was missing nothing is known of them: they go with the most.
  const missingLeft = sawMissing ? best.missingLeft : 2 * best.hessianLeft >= hessian;
  return { ...best, missingLeft, gain: score - own };
}

function readFound({ found, chosen }: TreeRoom): Split {
  return {
    feature: chosen[found[FOUND.column]!]!,
    bin: found[FOUND.bin]!,
    leftBins: null,
    missingLeft: found[FOUND.missingLeft] === 1,
    gradientLeft: found[FOUND.gradientLeft]!,
    hessianLeft: found[FOUND.hessianLeft]!,
    gain: 0,
  };
}

type Entry = { bin: number; gradient: number; hessian: number };
/** Bins with rows, in the order in which they are parted; where missing ones stand apart, they try both sides. */
type Entries = { ordered: Entry[]; missing: Entry | null; isCategorical: boolean };

/**
 * Categories are parted in the order of their own best value: no other grouping in two does better (Fisher 1958). Missing
 * is one more category.
 */
function entriesOf(
  { binCount, hasMissing, categories }: BinnedColumn,
  histogram: Float64Array,
  { l2 }: SplitSettings,
): Entries {
  const entryOf = (bin: number): Entry => ({ bin, gradient: histogram[2 * bin]!, hessian: histogram[2 * bin + 1]! });
  const ordered = Array.from({ length: binCount }, (_, bin) => entryOf(bin)).filter(({ hessian }) => hessian > 0);
  const missing = hasMissing && histogram[2 * MISSING_BIN + 1]! > 0 ? entryOf(MISSING_BIN) : null;
  if (categories === null) return { ordered, missing, isCategorical: false };
  if (missing !== null) ordered.push(missing);
  const valueAlone = ({ gradient, hessian }: Entry): number => gradient / (hessian + l2);
  ordered.sort((a, b) => valueAlone(a) - valueAlone(b) || a.bin - b.bin);
  return { ordered, missing: null, isCategorical: true };
}

function searchColumn(
  { ordered, missing, isCategorical }: Entries,
  direction: number,
  node: NodeSums & { hessianMin: number },
  settings: SplitSettings,
): { score: number; split: Split } | null {
  let best: { score: number; split: Split } | null = null;
  for (const missingLeft of missing === null ? [false] : [false, true]) {
    let gradient = missingLeft ? missing!.gradient : 0;
    let hessian = missingLeft ? missing!.hessian : 0;
    for (const [place, entry] of ordered.entries()) {
      gradient += entry.gradient;
      hessian += entry.hessian;
      if (hessian < node.hessianMin || node.hessian - hessian < node.hessianMin) continue;
      const score = splitScore(gradient, hessian, direction, node, settings);
      if (best !== null && score <= best.score) continue;
      const leftBins = isCategorical ? ordered.slice(0, place + 1).map(({ bin }) => bin) : null;
      const isMissingLeft = leftBins?.includes(MISSING_BIN) ?? missingLeft;
      const sums = { gradientLeft: gradient, hessianLeft: hessian };
      best = { score, split: { feature: 0, bin: entry.bin, leftBins, missingLeft: isMissingLeft, ...sums, gain: 0 } };
    }
  }
  return best;
}

/** Score of both sides at their values; none for a split against the direction. */
function splitScore(
  gradient: number,
  hessian: number,
  direction: number,
  node: NodeSums,
  settings: SplitSettings,
): number {
  const [gradientRight, hessianRight] = [node.gradient - gradient, node.hessian - hessian];
  const left = boundedValue(gradient, hessian, node, settings);
  const right = boundedValue(gradientRight, hessianRight, node, settings);
  if (direction * (right - left) < 0) return Number.NEGATIVE_INFINITY;
  return scoreAt(left, gradient, hessian, settings) + scoreAt(right, gradientRight, hessianRight, settings);
}

/** The value by which the loss of a node falls most, held within its bounds. */
export function boundedValue(
  gradient: number,
  hessian: number,
  { low, high }: Pick<NodeSums, 'low' | 'high'>,
  { l1, l2 }: SplitSettings,
): number {
  const whole = hessian + l2;
  if (!(whole > 0)) return Math.min(Math.max(0, low), high);
  const pull = Math.max(Math.abs(gradient) - l1, 0);
  return Math.min(Math.max((-Math.sign(gradient) * pull) / whole, low), high);
}

function boundedScore(gradient: number, hessian: number, node: NodeSums, settings: SplitSettings): number {
  return scoreAt(boundedValue(gradient, hessian, node, settings), gradient, hessian, settings);
}

/** By how much twice the loss falls when the node gets this value. */
function scoreAt(value: number, gradient: number, hessian: number, { l1, l2 }: SplitSettings): number {
  return -(2 * gradient * value + (hessian + l2) * value * value + 2 * l1 * Math.abs(value));
}
