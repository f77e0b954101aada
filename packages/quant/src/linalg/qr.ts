import { areFinite, expect } from '../checks/expect.ts';
import { reflectColumns, undoReflections } from './reflect-columns.ts';
import { scaleColumns } from './scale-columns.ts';

/**
 * Thin QR factors by Householder reflections, A = Q R with QᵀQ = I and no negative entry on the diagonal of R.
 *
 * Works for any rank: where columns are dependent, R has (near) zeros on its diagonal. Time O(rows · columns²).
 *
 * @param matrix Row-major `rowCount` × `columnCount`, finite.
 * @returns `q` row-major `rowCount` × k and `r` row-major k × `columnCount`, k the smaller of the two counts.
 * @throws RangeError on a wrong shape or a value that is not finite.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., section 5.2.
 */
export function qr(
  matrix: Float64Array,
  rowCount: number,
  columnCount: number,
): { q: Float64Array; r: Float64Array; size: number } {
  expect(
    matrix.length === rowCount * columnCount,
    `matrix must be ${rowCount} x ${columnCount}, had ${matrix.length} values`,
  );
  expect(areFinite(matrix), 'matrix must be finite');
  const size = Math.min(rowCount, columnCount);
  const { columns, scales } = scaleColumns(matrix, rowCount, columnCount);
  // No tolerance: each column makes a step, be it dependent or not.
  const factors = reflectColumns(columns, rowCount, columnCount, -1);
  const r = new Float64Array(size * columnCount);
  const q = new Float64Array(rowCount * size);
  const column = new Float64Array(rowCount);
  for (let i = 0; i < size; i++) {
    const sign = factors.diagonal[i]! < 0 ? -1 : 1;
    r[i * columnCount + i] = sign * factors.diagonal[i]! * scales[i]!;
    for (let j = i + 1; j < columnCount; j++)
      r[i * columnCount + j] = sign * factors.columns[j * rowCount + i]! * scales[j]!;
    column.fill(0);
    column[i] = sign;
    undoReflections(factors, rowCount, column);
    for (let t = 0; t < rowCount; t++) q[t * size + i] = column[t]!;
  }
  return { q, r, size };
}
