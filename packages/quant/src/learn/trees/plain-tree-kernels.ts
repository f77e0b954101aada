import { logistic } from './exponential.ts';
import {
  allocatePlain,
  FOUND,
  HAS_MISSING,
  HISTOGRAM_COUNT,
  layOutRoom,
  MAY_SPLIT,
  MISSING_BIN,
  type RoomShape,
  type SplitQuery,
  type TreeKernels,
  type TreeRoom,
} from './tree-kernels.ts';

const HESSIAN_MIN = 1e-16;
const COLUMNS_A_BLOCK = 4;

/** The kernels in plain TypeScript: oracle of the twin in WebAssembly, and its stand-in where there is none. */
export function createPlainKernels(shape: RoomShape): TreeKernels {
  const room = layOutRoom(shape, allocatePlain);
  return {
    room,
    sortValues: (count) => {
      room.sorted.subarray(0, count).sort();
    },
    assignBins: (values, bins) => assignBins(values, room.cuts, bins),
    layRows: (rowCount, columnCount) => layRows(room, rowCount, columnCount),
    logisticPairs: (rowCount, gridGradient, gridHessian) => logisticPairs(room, rowCount, gridGradient, gridHessian),
    addToRows: (start, end, value) => addToRows(room, start, end, value),
    buildHistogram: (rowCount, columnCount, start, end, histogram) =>
      buildHistogram(room, rowCount, columnCount, start, end, histogram),
    buildColumnHistograms: (rowCount, columnCount, start, end, histogram) =>
      buildColumnHistograms(room, rowCount, columnCount, start, end, histogram),
    subtract: (parent, child, columnCount) => {
      for (let k = 0; k < columnCount * HISTOGRAM_COUNT; k++) parent[k]! -= child[k]!;
    },
    findSplit: (histogram, columnCount, query) => findSplit(room, histogram, columnCount, query),
    partition: (bins, start, end) => partition(room, bins, start, end),
  };
}

function assignBins(values: Float64Array, cuts: Float64Array, bins: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let bin = 0;
    // Comparing with the NaN behind the last cut is false, so it is never passed.
    for (let step = 128; step > 0; step >>= 1) if (cuts[bin + step - 1]! <= value) bin += step;
    bins[i] = Number.isNaN(value) ? MISSING_BIN : bin;
  }
}

/** Where the bins of a column start in `binsByRow`, and how far its rows are apart. */
function placeInBlocks(column: number, columnCount: number, rowCount: number): { first: number; stride: number } {
  const block = column - (column % COLUMNS_A_BLOCK);
  return {
    first: block * rowCount + (column % COLUMNS_A_BLOCK),
    stride: Math.min(COLUMNS_A_BLOCK, columnCount - block),
  };
}

function layRows({ binsByColumn, binsByRow, chosen }: TreeRoom, rowCount: number, columnCount: number): void {
  for (let c = 0; c < columnCount; c++) {
    const from = chosen[c]! * rowCount;
    const { first, stride } = placeInBlocks(c, columnCount, rowCount);
    for (let i = 0; i < rowCount; i++) binsByRow[first + i * stride] = binsByColumn[from + i]!;
  }
}

function logisticPairs(
  { margins, target, weight, pairs }: TreeRoom,
  rowCount: number,
  gridGradient: number,
  gridHessian: number,
): void {
  for (let i = 0; i < rowCount; i++) {
    const share = logistic(margins[i]!);
    const gradient = (share - target[i]!) * weight[i]!;
    const hessian = Math.max(share * (1 - share), HESSIAN_MIN) * weight[i]!;
    pairs[2 * i] = gradient + gridGradient - gridGradient;
    pairs[2 * i + 1] = hessian + gridHessian - gridHessian;
  }
}

function addToRows({ rows, margins }: TreeRoom, start: number, end: number, value: number): void {
  for (let k = start; k < end; k++) margins[rows[k]!]! += value;
}

function buildHistogram(
  { binsByRow, rows, pairs }: TreeRoom,
  rowCount: number,
  columnCount: number,
  start: number,
  end: number,
  histogram: Float64Array,
): void {
  histogram.fill(0, 0, columnCount * HISTOGRAM_COUNT);
  for (let c = 0; c < columnCount; c++) {
    const { first, stride } = placeInBlocks(c, columnCount, rowCount);
    for (let k = start; k < end; k++) {
      const row = rows[k]!;
      const at = c * HISTOGRAM_COUNT + 2 * binsByRow[first + row * stride]!;
      histogram[at]! += pairs[2 * row]!;
      histogram[at + 1]! += pairs[2 * row + 1]!;
    }
  }
}

function buildColumnHistograms(
  { binsByColumn, chosen, rows, pairs }: TreeRoom,
  rowCount: number,
  columnCount: number,
  start: number,
  end: number,
  histogram: Float64Array,
): void {
  histogram.fill(0, 0, columnCount * HISTOGRAM_COUNT);
  for (let c = 0; c < columnCount; c++) {
    const from = chosen[c]! * rowCount;
    for (let k = start; k < end; k++) {
      const row = rows[k]!;
      const at = c * HISTOGRAM_COUNT + 2 * binsByColumn[from + row]!;
      histogram[at]! += pairs[2 * row]!;
      histogram[at + 1]! += pairs[2 * row + 1]!;
    }
  }
}

function findSplit(room: TreeRoom, histogram: Float64Array, columnCount: number, query: SplitQuery): void {
  const { flags, found } = room;
  found.fill(0);
  found[FOUND.score] = query.scoreMin;
  found[FOUND.column] = -1;
  for (let column = 0; column < columnCount; column++) {
    if (!(flags[column]! & MAY_SPLIT)) continue;
    searchColumn(room, histogram, column, 0, query);
    const hessianMissing = histogram[column * HISTOGRAM_COUNT + 2 * MISSING_BIN + 1]!;
    if (flags[column]! & HAS_MISSING && hessianMissing > 0) searchColumn(room, histogram, column, 1, query);
  }
}

function searchColumn(
  { binCounts, flags, found }: TreeRoom,
  histogram: Float64Array,
  column: number,
  missingLeft: number,
  { gradient, hessian, l1, l2, hessianMin }: SplitQuery,
): void {
  const from = column * HISTOGRAM_COUNT;
  let gradientLeft = missingLeft ? histogram[from + 2 * MISSING_BIN]! : 0;
  let hessianLeft = missingLeft ? histogram[from + 2 * MISSING_BIN + 1]! : 0;
  const isMissingRight = !missingLeft && (flags[column]! & HAS_MISSING) !== 0;
  // With the missing on the right, all others may be on the left.
  const end = binCounts[column]! - (isMissingRight ? 0 : 1);
  for (let bin = 0; bin < end; bin++) {
    const gradientHere = histogram[from + 2 * bin]!;
    const hessianHere = histogram[from + 2 * bin + 1]!;
    if (gradientHere === 0 && hessianHere === 0) continue;
    gradientLeft += gradientHere;
    hessianLeft += hessianHere;
    if (hessianLeft < hessianMin) continue;
    if (hessian - hessianLeft < hessianMin) break;
    const score =
      sideScore(gradientLeft, hessianLeft, l1, l2) + sideScore(gradient - gradientLeft, hessian - hessianLeft, l1, l2);
    if (score > found[FOUND.score]!) found.set([score, gradientLeft, hessianLeft, column, bin, missingLeft]);
  }
}

/** Twice what the loss falls by when the side gets its best value: max(|G| − l1, 0)² / (H + l2). */
export function sideScore(gradient: number, hessian: number, l1: number, l2: number): number {
  const pull = Math.max(Math.abs(gradient) - l1, 0);
  return (pull * pull) / (hessian + l2);
}

function partition({ rows, spareRows, sides }: TreeRoom, bins: Uint8Array, start: number, end: number): number {
  let left = start;
  let right = 0;
  for (let k = start; k < end; k++) {
    const row = rows[k]!;
    if (sides[bins[row]!]) rows[left++] = row;
    else spareRows[right++] = row;
  }
  rows.set(spareRows.subarray(0, right), left);
  return left;
}
