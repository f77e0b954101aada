import { expect } from '../../checks/expect.ts';
import type { Inputs } from '../examples.ts';
import { BIN_COUNT, COLUMNS_AT_ONCE, type TreeKernels } from './tree-kernels.ts';

/** What the bins of a column mean. */
export type BinnedColumn = {
  /** Bins of values; 0 where all are missing. */
  binCount: number;
  hasMissing: boolean;
  /** Ascending; bin b holds cuts[b − 1] <= value < cuts[b]. Empty for a categorical column. */
  cuts: Float64Array;
  /** The category of each bin, ascending; null for a numeric column. */
  categories: Int32Array | null;
};

/** Missing values and unseen ones need a bin as well. */
const CATEGORY_COUNT_MAX = BIN_COUNT - 1;

/** The largest float32. All values lie below it: `value < VALUE_LIMIT` parts values from missing ones. */
export const VALUE_LIMIT = 3.4028234663852886e38;

/**
 * Puts all inputs into bins, in the kernels' room. A numeric column with few different values has a bin for each, others have
 * bins of as many rows each as ties allow, by exact quantiles. Time O(rows · columns).
 *
 * @param inputs One day a row; NaN is missing.
 * @param categorical Columns whose values are categories: whole numbers >= 0.
 * @param binCountMax 2..256; one of 256 is given to missing values where there are some.
 * @throws RangeError for an infinite value, a category that is no whole number >= 0, or more than 255 of them in a column.
 */
export function binColumns(
  kernels: TreeKernels,
  inputs: Inputs,
  categorical: ReadonlySet<number>,
  binCountMax: number,
): BinnedColumn[] {
  const { rowCount, featureCount } = inputs;
  const { columns, binsByColumn } = kernels.room;
  const binned: BinnedColumn[] = [];
  for (let first = 0; first < featureCount; first += COLUMNS_AT_ONCE) {
    const count = Math.min(COLUMNS_AT_ONCE, featureCount - first);
    turn(inputs, first, count, columns);
    for (let c = 0; c < count; c++) {
      const values = columns.subarray(c * rowCount, (c + 1) * rowCount);
      const bins = binsByColumn.subarray((first + c) * rowCount, (first + c + 1) * rowCount);
      const isCategorical = categorical.has(first + c);
      binned.push(
        isCategorical ? binCategories(values, bins, first + c) : binValues(kernels, values, bins, binCountMax),
      );
    }
  }
  return binned;
}

function turn({ values, rowCount, featureCount }: Inputs, first: number, count: number, columns: Float64Array): void {
  for (let i = 0; i < rowCount; i++) {
    const from = i * featureCount + first;
    // Adding zero makes −0 to 0: they are equal, and must not part in sorting.
    for (let c = 0; c < count; c++) columns[c * rowCount + i] = values[from + c]! + 0;
  }
}

function binValues(kernels: TreeKernels, values: Float64Array, bins: Uint8Array, binCountMax: number): BinnedColumn {
  const { sorted, cuts: place } = kernels.room;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) sorted[count++] = value;
  }
  const hasMissing = count < values.length;
  kernels.sortValues(count);
  expect(
    count === 0 || (sorted[0]! > -VALUE_LIMIT && sorted[count - 1]! < VALUE_LIMIT),
    `inputs must be NaN where missing and lie within float32 elsewhere, one was ${sorted[0]! > -VALUE_LIMIT ? sorted[count - 1] : sorted[0]}`,
  );
  const cuts = cutsOf(sorted.subarray(0, count), Math.min(binCountMax, hasMissing ? BIN_COUNT - 1 : BIN_COUNT));
  place.fill(Number.NaN);
  place.set(cuts);
  kernels.assignBins(values, bins);
  return { binCount: count === 0 ? 0 : cuts.length + 1, hasMissing, cuts, categories: null };
}

/** Cuts between values that differ, at most one fewer than bins. */
function cutsOf(sorted: Float64Array, binCountMax: number): Float64Array {
  const cuts: number[] = [];
  const count = sorted.length;
  for (let i = 1; i < count && cuts.length < binCountMax; i++)
    if (sorted[i]! > sorted[i - 1]!) cuts.push(cutBetween(sorted[i - 1]!, sorted[i]!));
  if (cuts.length < binCountMax) return Float64Array.from(cuts);
  cuts.length = 0;
  let last = sorted[0]!;
  for (let q = 1; q < binCountMax; q++) {
    let place = Math.floor((q * count) / binCountMax);
    const value = sorted[place]!;
    if (value === last) continue;
    last = value;
    while (sorted[place - 1]! === value) place -= 1;
    cuts.push(cutBetween(sorted[place - 1]!, value));
  }
  return Float64Array.from(cuts);
}

/** A number above `low` and not above `high`, halfway if there is one, and a float32 if there is one: other formats keep those. */
function cutBetween(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  for (const cut of [Math.fround(middle), middle]) if (cut > low && cut <= high) return cut;
  return high;
}

function binCategories(values: Float64Array, bins: Uint8Array, column: number): BinnedColumn {
  const present = new Set<number>();
  let hasMissing = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) hasMissing = true;
    else present.add(value);
  }
  for (const value of present)
    expect(
      Number.isInteger(value) && value >= 0 && value < 2 ** 31,
      `categories of column ${column} must be whole numbers from 0 on, one was ${value}`,
    );
  const categories = Int32Array.from(present).sort();
  expect(
    categories.length <= CATEGORY_COUNT_MAX,
    `column ${column} must have at most ${CATEGORY_COUNT_MAX} categories, had ${categories.length}`,
  );
  const binOf = new Map<number, number>();
  categories.forEach((category, bin) => {
    binOf.set(category, bin);
  });
  for (let i = 0; i < values.length; i++) bins[i] = binOf.get(values[i]!) ?? BIN_COUNT - 1;
  return { binCount: categories.length, hasMissing, cuts: new Float64Array(0), categories };
}
