import { expect } from '../checks/expect.ts';
import { dotProduct } from './dot-product.ts';
import { transpose } from './multiply.ts';
import { reflectColumns, undoReflections } from './reflect-columns.ts';
import { powerOfTwoAbove } from './scale-columns.ts';
import { indexOfLargest } from './symmetric-eigen.ts';

export type SingularValues = {
  /** Row-major `rowCount` × k, orthonormal columns. */
  left: Float64Array;
  /** k values, descending, none negative. */
  values: Float64Array;
  /** Row-major `columnCount` × k, orthonormal columns; the component of largest size is positive. */
  right: Float64Array;
  /** k, the smaller of the two counts. */
  size: number;
};

const EPSILON = 2 ** -52;
/** Four to six sweeps are usual after the pivoted reflections. */
const SWEEPS_MAX = 60;

/**
 * Singular value decomposition A = U diag(values) Vᵀ.
 *
 * Householder reflections with column pivoting, then Jacobi rotations of the rows of R: small singular values keep their
 * digits. Vectors of values that are zero (to rounding) are completed to an orthonormal basis. Time O(rows · columns²),
 * times the sweeps.
 *
 * @param matrix Row-major `rowCount` × `columnCount`, finite.
 * @throws RangeError on a wrong shape or a value that is not finite.
 * @see Drmač and Veselić 2008, doi:10.1137/050639193.
 */
export function svd(matrix: Float64Array, rowCount: number, columnCount: number): SingularValues {
  expect(
    matrix.length === rowCount * columnCount,
    `matrix must be ${rowCount} x ${columnCount}, had ${matrix.length} values`,
  );
  if (rowCount >= columnCount) return signed(decomposeTall(matrix, rowCount, columnCount), rowCount, columnCount);
  const { left, values, right, size } = decomposeTall(transpose(matrix, rowCount, columnCount), columnCount, rowCount);
  return signed({ left: right, values, right: left, size }, rowCount, columnCount);
}

/** The singular values alone, descending. Rules as for `svd`. */
export function singularValues(matrix: Float64Array, rowCount: number, columnCount: number): Float64Array {
  return svd(matrix, rowCount, columnCount).values;
}

function decomposeTall(matrix: Float64Array, rowCount: number, n: number): SingularValues {
  let largest = 0;
  for (const value of matrix) {
    expect(Number.isFinite(value), 'matrix must be finite');
    largest = Math.max(largest, Math.abs(value));
  }
  const scale = powerOfTwoAbove(largest);
  const columns = transpose(matrix, rowCount, n).map((value) => value / scale);
  const factors = reflectColumns(columns, rowCount, n, -1, 'largest');
  // Row i of R holds, at place j, what step i left in the column of step j.
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    rows[i * n + i] = factors.diagonal[i]!;
    for (let j = i + 1; j < n; j++) rows[i * n + j] = factors.columns[factors.pivots[j]! * rowCount + i]!;
  }
  const turned = identity(n);
  orthogonaliseRows(rows, turned, n);
  const lengths = Array.from({ length: n }, (_, i) => Math.sqrt(dotProduct(rows, i * n, rows, i * n, n)));
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const basis = normaliseRows(rows, lengths, order, n);
  const result = {
    left: new Float64Array(rowCount * n),
    values: new Float64Array(n),
    right: new Float64Array(n * n),
    size: n,
  };
  const vector = new Float64Array(rowCount);
  for (const [k, from] of order.entries()) {
    result.values[k] = lengths[from]! * scale;
    for (let j = 0; j < n; j++) result.right[factors.pivots[j]! * n + k] = basis[k * n + j]!;
    vector.fill(0);
    for (let i = 0; i < n; i++) vector[i] = turned[from * n + i]!;
    undoReflections(factors, rowCount, vector);
    for (let t = 0; t < rowCount; t++) result.left[t * n + k] = vector[t]!;
  }
  return result;
}

/** Turns pairs of rows until all are at right angles; `turned` takes part in every turn. */
function orthogonaliseRows(rows: Float64Array, turned: Float64Array, n: number): void {
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let isDone = true;
    // Squared lengths are carried through a sweep and taken anew for the next, so that what rounding adds does not stay.
    const squares = Float64Array.from({ length: n }, (_, i) => dotProduct(rows, i * n, rows, i * n, n));
    for (let p = 0; p + 1 < n; p++)
      for (let q = p + 1; q < n; q++) {
        const alpha = squares[p]!;
        const beta = squares[q]!;
        const joint = dotProduct(rows, p * n, rows, q * n, n);
        if (Math.abs(joint) <= EPSILON * Math.sqrt(n * alpha * beta) || alpha * beta === 0) continue;
        isDone = false;
        const zeta = (beta - alpha) / (2 * joint);
        const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(rows, p * n, q * n, n, cosine, cosine * tangent);
        rotate(turned, p * n, q * n, n, cosine, cosine * tangent);
        squares[p] = Math.max(0, alpha - tangent * joint);
        squares[q] = beta + tangent * joint;
      }
    if (isDone) return;
  }
}

function rotate(values: Float64Array, p: number, q: number, count: number, cosine: number, sine: number): void {
  for (let k = 0; k < count; k++) {
    const x = values[p + k]!;
    const y = values[q + k]!;
    values[p + k] = cosine * x - sine * y;
    values[q + k] = sine * x + cosine * y;
  }
}

/** Rows of length one in the given order; what is too short for a direction is replaced by one at right angles to all. */
function normaliseRows(
  rows: Float64Array,
  lengths: readonly number[],
  order: readonly number[],
  n: number,
): Float64Array {
  const basis = new Float64Array(n * n);
  const least = (lengths[order[0] ?? 0] ?? 0) * EPSILON * n;
  let candidate = 0;
  for (const [k, from] of order.entries()) {
    const length = lengths[from]!;
    if (length > least) {
      for (let j = 0; j < n; j++) basis[k * n + j] = rows[from * n + j]! / length;
      continue;
    }
    while (!completeRow(basis, k, candidate++, n));
  }
  return basis;
}

/** Tries to make row k from a unit vector, at right angles to the rows before it. False if too little is left of it. */
function completeRow(basis: Float64Array, k: number, candidate: number, n: number): boolean {
  const row = basis.subarray(k * n, (k + 1) * n);
  row.fill(0);
  row[candidate] = 1;
  // Twice is enough: the second pass takes out what rounding left in the first.
  for (let pass = 0; pass < 2; pass++)
    for (let other = 0; other < k; other++) {
      const along = dotProduct(basis, other * n, row, 0, n);
      for (let j = 0; j < n; j++) row[j]! -= along * basis[other * n + j]!;
    }
  const length = Math.sqrt(dotProduct(row, 0, row, 0, n));
  if (length < 0.5 / Math.sqrt(n)) return false;
  for (let j = 0; j < n; j++) row[j]! /= length;
  return true;
}

function signed(result: SingularValues, rowCount: number, columnCount: number): SingularValues {
  const { left, right, size } = result;
  const column = new Float64Array(columnCount);
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < columnCount; i++) column[i] = right[i * size + k]!;
    if (columnCount === 0 || column[indexOfLargest(column, 0, columnCount)]! >= 0) continue;
    for (let i = 0; i < columnCount; i++) right[i * size + k]! *= -1;
    for (let i = 0; i < rowCount; i++) left[i * size + k]! *= -1;
  }
  return result;
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}
