import { expect } from '../checks/expect.ts';
import { transposeMultiply } from '../linalg/multiply.ts';

/** Arithmetic mean; NaN for no values or where one is NaN. The second pass takes back what rounding lost in the first. */
export function mean(values: Float64Array): number {
  const n = values.length;
  if (n === 0) return Number.NaN;
  let sum = 0;
  for (let t = 0; t < n; t++) sum += values[t]!;
  const first = sum / n;
  let rest = 0;
  for (let t = 0; t < n; t++) rest += values[t]! - first;
  return first + rest / n;
}

/**
 * Variance around the mean, divided by n − `degreesLost`; two passes. NaN where fewer than `degreesLost` + 1 values.
 *
 * @param degreesLost 1 for a sample (the default), 0 for a population.
 */
export function variance(values: Float64Array, degreesLost = 1): number {
  const n = values.length;
  if (n <= degreesLost) return Number.NaN;
  const center = mean(values);
  let sum = 0;
  for (let t = 0; t < n; t++) sum += (values[t]! - center) ** 2;
  return sum / (n - degreesLost);
}

/** Square root of `variance`. */
export function standardDeviation(values: Float64Array, degreesLost = 1): number {
  return Math.sqrt(variance(values, degreesLost));
}

/** Population skewness m₃ / m₂^1.5; NaN where the variance is zero or there are no values. */
export function skewness(values: Float64Array): number {
  const { m2, m3 } = centralMoments(values);
  return m2 > 0 ? m3 / m2 ** 1.5 : Number.NaN;
}

/** Population excess kurtosis m₄ / m₂² − 3, zero for a normal; NaN where the variance is zero or there are no values. */
export function excessKurtosis(values: Float64Array): number {
  const { m2, m4 } = centralMoments(values);
  return m2 > 0 ? m4 / (m2 * m2) - 3 : Number.NaN;
}

/**
 * Sample covariance matrix of columns, divided by T − 1. Rows with a value that is missing or not finite in any column are
 * left out as a whole, so that the result is positive semidefinite. Time O(T N²).
 *
 * @param values Row-major T × N.
 * @returns Row-major N × N; all NaN with fewer than two complete rows.
 */
export function covarianceMatrix(values: Float64Array, columnCount: number): Float64Array {
  const { deviations, rowCount } = completeDeviations(values, columnCount);
  if (rowCount < 2) return new Float64Array(columnCount * columnCount).fill(Number.NaN);
  return transposeMultiply(deviations, rowCount, columnCount, deviations, columnCount).map(
    (value) => value / (rowCount - 1),
  );
}

/**
 * Deviations from the column means over the rows in which every column is finite.
 *
 * @param values Row-major T × N.
 * @returns Row-major `rowCount` × N.
 * @throws RangeError if the length is no multiple of `columnCount`.
 */
export function completeDeviations(
  values: Float64Array,
  columnCount: number,
): { deviations: Float64Array; rowCount: number } {
  expect(
    columnCount >= 1 && values.length % columnCount === 0,
    `values must be T x ${columnCount}, had ${values.length}`,
  );
  const kept: number[] = [];
  for (let start = 0; start < values.length; start += columnCount) {
    let isComplete = true;
    for (let i = 0; i < columnCount && isComplete; i++) isComplete = Number.isFinite(values[start + i]!);
    if (isComplete) kept.push(start);
  }
  const rowCount = kept.length;
  const center = new Float64Array(columnCount);
  for (const start of kept) for (let i = 0; i < columnCount; i++) center[i]! += values[start + i]! / rowCount;
  const deviations = new Float64Array(rowCount * columnCount);
  for (const [row, start] of kept.entries())
    for (let i = 0; i < columnCount; i++) deviations[row * columnCount + i] = values[start + i]! - center[i]!;
  return { deviations, rowCount };
}

function centralMoments(values: Float64Array): { m2: number; m3: number; m4: number } {
  const n = values.length;
  const center = mean(values);
  let m2 = 0;
  let m3 = 0;
  let m4 = 0;
  for (let t = 0; t < n; t++) {
    const d = values[t]! - center;
    const square = d * d;
    m2 += square;
    m3 += square * d;
    m4 += square * square;
  }
  return { m2: m2 / n, m3: m3 / n, m4: m4 / n };
}
