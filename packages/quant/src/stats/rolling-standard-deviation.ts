import { expect } from '../checks/expect.ts';

/**
 * Sample standard deviation of the last `window` rows of every column, row by row.
 *
 * NaN entries are left out; with fewer than `countMin` others the result is NaN. Row t depends on rows t − window + 1 .. t
 * and on nothing else: no running sum is ever subtracted from, so a bad tick is gone to the last bit when it leaves the
 * window. Sums over whole windows are pasted together from a prefix of the current block and a suffix of the one before
 * (van Herk 1992, doi:10.1016/0167-8655(92)90069-C), two additions a cell whatever the window.
 *
 * Meant for returns: values whose mean is small against their spread. A mean of 10^6 spreads costs twelve digits.
 * Time O(T·N), allocates T × N for the result and window × N × 3 for the suffixes.
 *
 * @param values Row-major T × N.
 * @throws RangeError on wrong shapes, a window below 2 or `countMin` outside 2..window.
 */
export function rollingStandardDeviation(
  values: Float64Array,
  columnCount: number,
  window: number,
  countMin: number,
): Float64Array {
  expect(
    columnCount >= 1 && values.length % columnCount === 0,
    `values must be T x ${columnCount}, had ${values.length}`,
  );
  expect(Number.isInteger(window) && window >= 2, `window must be a whole number >= 2, was ${window}`);
  expect(countMin >= 2 && countMin <= window, `countMin must be in 2..${window}, was ${countMin}`);
  const rowCount = values.length / columnCount;
  const result = new Float64Array(values.length);
  const suffix = createSums((window + 1) * columnCount);
  const prefix = createSums(columnCount);
  for (let t = 0; t < rowCount; t++) {
    const step = t % window;
    if (step === 0) {
      if (t > 0) sumSuffixes(values, columnCount, t - window, window, suffix);
      clear(prefix);
    }
    const base = t * columnCount;
    const suffixBase = (step + 1) * columnCount;
    for (let i = 0; i < columnCount; i++) {
      const x = values[base + i]!;
      if (!Number.isNaN(x)) {
        prefix.count[i]!++;
        prefix.sum[i]! += x;
        prefix.square[i]! += x * x;
      }
      const n = prefix.count[i]! + suffix.count[suffixBase + i]!;
      if (n < countMin) {
        result[base + i] = Number.NaN;
        continue;
      }
      const sum = prefix.sum[i]! + suffix.sum[suffixBase + i]!;
      const square = prefix.square[i]! + suffix.square[suffixBase + i]!;
      const squareAroundMean = square - (sum * sum) / n;
      // What is left of a constant series is rounding; a root of it would be a volatility of 1e-10 and a huge weight.
      result[base + i] = squareAroundMean > 1e-14 * square ? Math.sqrt(squareAroundMean / (n - 1)) : 0;
    }
  }
  return result;
}

type Sums = { count: Float64Array; sum: Float64Array; square: Float64Array };

function createSums(size: number): Sums {
  return { count: new Float64Array(size), sum: new Float64Array(size), square: new Float64Array(size) };
}

function clear(sums: Sums): void {
  sums.count.fill(0);
  sums.sum.fill(0);
  sums.square.fill(0);
}

/** Fills row j of `suffix` with the sums over rows start + j .. start + window − 1; row `window` stays zero. */
function sumSuffixes(values: Float64Array, columnCount: number, start: number, window: number, suffix: Sums): void {
  for (let j = window - 1; j >= 0; j--) {
    const from = (start + j) * columnCount;
    const to = j * columnCount;
    for (let i = 0; i < columnCount; i++) {
      const x = values[from + i]!;
      const present = !Number.isNaN(x);
      suffix.count[to + i] = suffix.count[to + columnCount + i]! + (present ? 1 : 0);
      suffix.sum[to + i] = suffix.sum[to + columnCount + i]! + (present ? x : 0);
      suffix.square[to + i] = suffix.square[to + columnCount + i]! + (present ? x * x : 0);
    }
  }
}
