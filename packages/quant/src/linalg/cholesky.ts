import { expect } from '../checks/expect.ts';
import { dotProduct } from './dot-product.ts';
import { chooseKernels } from './twin-kernels.ts';

/** A pivot below this share of its diagonal entry counts as zero: the column is a combination of those before it. */
const PIVOT_SHARE_MIN = 1e-12;

/**
 * Cholesky factor L of a symmetric positive definite matrix, A = L Lᵀ; null when it is not (numerically) definite or holds
 * a value that is not finite.
 *
 * Reads the lower triangle only. Time O(n³/3); allocates one n × n matrix.
 *
 * @param matrix Row-major n × n.
 * @returns Row-major n × n, zero above the diagonal.
 * @throws RangeError if `matrix` does not have n² values.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., section 4.2.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array | null {
  checkSquare(matrix, n);
  return chooseKernels(n).factor(matrix, n, PIVOT_SHARE_MIN);
}

/**
 * Solves A X = B with the Cholesky factor of A. Time O(n² · columns).
 *
 * @param factor Row-major n × n from `cholesky`.
 * @param right B, row-major n × `columnCount`; left as it is.
 * @returns X, row-major n × `columnCount`.
 * @throws RangeError if `right` does not have n · `columnCount` values.
 */
export function solveCholesky(factor: Float64Array, n: number, right: Float64Array, columnCount = 1): Float64Array {
  checkSquare(factor, n);
  expect(right.length === n * columnCount, `right must be ${n} x ${columnCount}, had ${right.length} values`);
  const solution = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(solution, i, k, factor[i * n + k]!, columnCount);
    scaleRow(solution, i, factor[i * n + i]!, columnCount);
  }
  for (let i = n - 1; i >= 0; i--) {
    scaleRow(solution, i, factor[i * n + i]!, columnCount);
    // The factor is read by rows: what row i is worth is taken from all rows above it at once.
    for (let k = 0; k < i; k++) subtractRow(solution, k, i, factor[i * n + k]!, columnCount);
  }
  return solution;
}

/** ln det A from its Cholesky factor: twice the sum of the logs of its diagonal. Zero for n = 0. */
export function logDeterminant(factor: Float64Array, n: number): number {
  checkSquare(factor, n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.log(factor[i * n + i]!);
  return 2 * sum;
}

/** Inverse of A from its Cholesky factor, row-major n × n and exactly symmetric. Time O(n³). */
export function inverseFromCholesky(factor: Float64Array, n: number): Float64Array {
  checkSquare(factor, n);
  const inverse = new Float64Array(n * n);
  const column = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    // The solution of L y = e_j is zero above j.
    column.fill(0, 0, j);
    for (let i = j; i < n; i++) {
      const right = i === j ? 1 : 0;
      column[i] = (right - dotProduct(factor, i * n + j, column, j, i - j)) / factor[i * n + i]!;
    }
    for (let i = n - 1; i >= j; i--) {
      const value = column[i]! / factor[i * n + i]!;
      column[i] = value;
      for (let k = j; k < i; k++) column[k]! -= value * factor[i * n + k]!;
    }
    for (let i = j; i < n; i++) {
      inverse[i * n + j] = column[i]!;
      inverse[j * n + i] = column[i]!;
    }
  }
  return inverse;
}

/** Inverse of a symmetric positive definite matrix; null when `cholesky` gives none. Reads the lower triangle. */
export function inverseSpd(matrix: Float64Array, n: number): Float64Array | null {
  const factor = cholesky(matrix, n);
  return factor && inverseFromCholesky(factor, n);
}

/** Whether `cholesky` finds a factor: positive definite with a margin for rounding. Reads the lower triangle. */
export function isPositiveDefinite(matrix: Float64Array, n: number): boolean {
  return cholesky(matrix, n) !== null;
}

function subtractRow(values: Float64Array, row: number, from: number, factor: number, columnCount: number): void {
  for (let j = 0; j < columnCount; j++) values[row * columnCount + j]! -= factor * values[from * columnCount + j]!;
}

function scaleRow(values: Float64Array, row: number, divisor: number, columnCount: number): void {
  for (let j = 0; j < columnCount; j++) values[row * columnCount + j]! /= divisor;
}

function checkSquare(matrix: Float64Array, n: number): void {
  expect(
    Number.isInteger(n) && n >= 0 && matrix.length === n * n,
    `matrix must be ${n} x ${n}, had ${matrix.length} values`,
  );
}
