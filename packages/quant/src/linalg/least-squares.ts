import { areFinite, expect } from '../checks/expect.ts';
import { applyReflections, type ReflectedColumns, reflectColumns, undoReflections } from './reflect-columns.ts';
import { scaleColumns } from './scale-columns.ts';

export type LeastSquares =
  | {
      status: 'ok';
      /** One per column. */
      coefficients: Float64Array;
      /** b − A x, one per row. */
      residuals: Float64Array;
      /** Sum of squared residuals. */
      squaredResiduals: number;
      /** (AᵀA)⁻¹, row-major `columnCount` × `columnCount`, exactly symmetric. */
      inverseGram: Float64Array;
    }
  | {
      status: 'dependent';
      reason: string;
      /** Columns that are (numerically) a combination of those before them, ascending. */
      columns: number[];
    };

/** Share of a column's length that must be left after taking out the columns before it. Lengths, not squares. */
const REST_SHARE_MIN = 1e-10;

/**
 * Least squares min |A x − b| by Householder reflections, columns from left to right.
 *
 * Dependent columns are named instead of answered: which of them carries the weight would be an accident of rounding. The
 * scale of a column does not matter. Time O(rows · columns²).
 *
 * @param matrix A, row-major `rowCount` × `columnCount`, finite.
 * @param right b, `rowCount` finite values.
 * @throws RangeError on wrong shapes or values that are not finite.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., section 5.3.
 */
export function leastSquares(
  matrix: Float64Array,
  rowCount: number,
  columnCount: number,
  right: Float64Array,
): LeastSquares {
  expect(
    matrix.length === rowCount * columnCount,
    `matrix must be ${rowCount} x ${columnCount}, had ${matrix.length} values`,
  );
  expect(right.length === rowCount, `right must have ${rowCount} values, had ${right.length}`);
  expect(areFinite(matrix) && areFinite(right), 'matrix and right must be finite');
  const { columns, scales } = scaleColumns(matrix, rowCount, columnCount);
  const factors = reflectColumns(columns, rowCount, columnCount, REST_SHARE_MIN);
  if (factors.dependent.length > 0) {
    const list = factors.dependent.join(', ');
    const reason =
      rowCount < columnCount
        ? `${rowCount} rows cannot fix ${columnCount} coefficients`
        : `columns that are a combination of those before them: ${list}`;
    return { status: 'dependent', reason, columns: factors.dependent };
  }
  const rotated = Float64Array.from(right);
  applyReflections(factors, rowCount, rotated);
  const inverse = invertTriangle(factors, rowCount, columnCount);
  const coefficients = new Float64Array(columnCount);
  for (let i = columnCount - 1; i >= 0; i--) {
    let sum = rotated[i]!;
    for (let j = i + 1; j < columnCount; j++) sum -= factors.columns[j * rowCount + i]! * coefficients[j]!;
    coefficients[i] = sum / factors.diagonal[i]!;
  }
  for (let i = 0; i < columnCount; i++) coefficients[i]! /= scales[i]!;
  let squaredResiduals = 0;
  for (let t = columnCount; t < rowCount; t++) squaredResiduals += rotated[t]! * rotated[t]!;
  rotated.fill(0, 0, columnCount);
  undoReflections(factors, rowCount, rotated);
  return {
    status: 'ok',
    coefficients,
    residuals: rotated,
    squaredResiduals,
    inverseGram: gramOfInverse(inverse, columnCount, scales),
  };
}

/** R⁻¹, upper triangular, row-major. */
function invertTriangle(factors: ReflectedColumns, rowCount: number, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let i = j; i >= 0; i--) {
      let sum = i === j ? 1 : 0;
      for (let k = i + 1; k <= j; k++) sum -= factors.columns[k * rowCount + i]! * inverse[k * n + j]!;
      inverse[i * n + j] = sum / factors.diagonal[i]!;
    }
  return inverse;
}

/** R⁻¹ R⁻ᵀ with the scales of the columns taken back. */
function gramOfInverse(inverse: Float64Array, n: number, scales: Float64Array): Float64Array {
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let k = j; k < n; k++) sum += inverse[i * n + k]! * inverse[j * n + k]!;
      const value = sum / scales[i]! / scales[j]!;
      gram[i * n + j] = value;
      gram[j * n + i] = value;
    }
  return gram;
}
