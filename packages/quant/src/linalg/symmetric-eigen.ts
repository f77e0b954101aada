import { expect } from '../checks/expect.ts';
import type { TurnedBasis } from './algebra-kernels.ts';
import { powerOfTwoAbove } from './scale-columns.ts';
import { chooseKernels } from './twin-kernels.ts';

export type SymmetricEigen = {
  /** n eigenvalues, descending. */
  values: Float64Array;
  /** Row-major n × n; column k belongs to value k. Orthonormal; the component of largest size is positive. */
  vectors: Float64Array;
};

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, A = V diag(values) Vᵀ.
 *
 * Householder reflections to tridiagonal form, then implicit QR steps. Among components of equal size the first is made
 * positive. Where eigenvalues are equal, their vectors are some basis of the space they share. Time about 9 n³; allocates
 * three n × n matrices.
 *
 * @param matrix Row-major n × n, finite; the lower triangle is read.
 * @throws RangeError on a wrong shape or a value that is not finite.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., section 8.3.
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  expect(matrix.length === n * n, `matrix must be ${n} x ${n}, had ${matrix.length} values`);
  let largest = 0;
  for (const value of matrix) {
    expect(Number.isFinite(value), 'matrix must be finite');
    largest = Math.max(largest, Math.abs(value));
  }
  // A power of two: takes no digit, and keeps squares from overflow and underflow.
  const scale = powerOfTwoAbove(largest);
  const turned = chooseKernels(n).diagonalise(
    matrix.map((value) => value / scale),
    n,
  );
  return sortDescending(turned, n, scale);
}

function sortDescending({ values, basis, stride }: TurnedBasis, n: number, scale: number): SymmetricEigen {
  const order = Array.from({ length: n }, (_, k) => k).sort((a, b) => values[b]! - values[a]! || a - b);
  const result = { values: new Float64Array(n), vectors: new Float64Array(n * n) };
  const rows = order.map((from) => from * stride);
  const signs = rows.map((start) => (basis[indexOfLargest(basis, start, n)]! < 0 ? -1 : 1));
  for (let k = 0; k < n; k++) result.values[k] = values[order[k]!]! * scale;
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) result.vectors[i * n + k] = signs[k]! * basis[rows[k]! + i]!;
  return result;
}

/** First index of the entry of largest size. */
export function indexOfLargest(values: Float64Array, start: number, count: number): number {
  let best = start;
  for (let k = start + 1; k < start + count; k++) if (Math.abs(values[k]!) > Math.abs(values[best]!)) best = k;
  return best;
}
