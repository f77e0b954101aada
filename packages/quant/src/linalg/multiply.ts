import { expect } from '../checks/expect.ts';
import { chooseKernels } from './twin-kernels.ts';

/**
 * Product A B. Each entry is summed in the order of the inner index, whatever the sizes, so that a result never depends on
 * how the work was cut. NaN and infinities spread as IEEE says. Time O(rows · inner · columns).
 *
 * @param a Row-major `rowCount` × `innerCount`.
 * @param b Row-major `innerCount` × `columnCount`.
 * @returns Row-major `rowCount` × `columnCount`.
 * @throws RangeError on wrong shapes.
 */
export function multiply(
  a: Float64Array,
  rowCount: number,
  innerCount: number,
  b: Float64Array,
  columnCount: number,
): Float64Array {
  checkShape('a', a, rowCount, innerCount);
  checkShape('b', b, innerCount, columnCount);
  // The side of a cube of as much work.
  const size = Math.cbrt(rowCount * innerCount * columnCount);
  return chooseKernels(size).multiply(a, rowCount, innerCount, b, columnCount);
}

/**
 * Product Aᵀ B, summed in the order of the shared rows; exactly symmetric for B = A. Rules as for `multiply`.
 *
 * @param a Row-major `rowCount` × `leftCount`.
 * @param b Row-major `rowCount` × `rightCount`.
 * @returns Row-major `leftCount` × `rightCount`.
 */
export function transposeMultiply(
  a: Float64Array,
  rowCount: number,
  leftCount: number,
  b: Float64Array,
  rightCount: number,
): Float64Array {
  return multiply(transpose(a, rowCount, leftCount), leftCount, rowCount, b, rightCount);
}

/**
 * Product A Bᵀ, summed in the order of the shared columns; exactly symmetric for B = A. Rules as for `multiply`.
 *
 * @param a Row-major `leftCount` × `innerCount`.
 * @param b Row-major `rightCount` × `innerCount`.
 * @returns Row-major `leftCount` × `rightCount`.
 */
export function multiplyTranspose(
  a: Float64Array,
  leftCount: number,
  innerCount: number,
  b: Float64Array,
  rightCount: number,
): Float64Array {
  return multiply(a, leftCount, innerCount, transpose(b, rightCount, innerCount), rightCount);
}

/**
 * @param matrix Row-major `rowCount` × `columnCount`.
 * @returns Row-major `columnCount` × `rowCount`.
 */
export function transpose(matrix: Float64Array, rowCount: number, columnCount: number): Float64Array {
  checkShape('matrix', matrix, rowCount, columnCount);
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rowCount; i++)
    for (let j = 0; j < columnCount; j++) result[j * rowCount + i] = matrix[i * columnCount + j]!;
  return result;
}

function checkShape(name: string, matrix: Float64Array, rowCount: number, columnCount: number): void {
  expect(
    matrix.length === rowCount * columnCount,
    `${name} must be ${rowCount} x ${columnCount}, had ${matrix.length} values`,
  );
}
