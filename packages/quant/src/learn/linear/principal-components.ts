import { areFinite, expect } from '../../checks/expect.ts';
import { svd } from '../../linalg/singular-values.ts';

export type PrincipalComponents = {
  count: number;
  /** One a column. */
  mean: Float64Array;
  /** Row-major count × columns, orthonormal rows; the entry of largest size in a row is positive. */
  components: Float64Array;
  /** Variance along each, divided by rows − 1, descending. */
  variance: Float64Array;
  /** Share of the variance of all columns; 0 where nothing varies. */
  varianceShare: Float64Array;
};

/**
 * Directions of largest variance, by the singular values of the centred rows. The columns are taken as they are; scale them
 * before. The sign of a direction has no meaning; the rule keeps it the same for the same data.
 *
 * @param values Row-major rows × columns, finite, at least two rows.
 * @param count Directions kept, 1..min(rows, columns); default all.
 * @throws RangeError on a wrong shape, a value that is not finite or a count outside its range.
 * @see Jolliffe 2002, doi:10.1007/b98835.
 */
export function principalComponents(
  values: Float64Array,
  rowCount: number,
  columnCount: number,
  count = Math.min(rowCount, columnCount),
): PrincipalComponents {
  expect(
    values.length === rowCount * columnCount,
    `values must be ${rowCount} × ${columnCount}, were ${values.length}`,
  );
  expect(rowCount >= 2, `principal components need two rows, had ${rowCount}`);
  expect(areFinite(values), 'values must be finite');
  const most = Math.min(rowCount, columnCount);
  expect(
    Number.isInteger(count) && count >= 1 && count <= most,
    `count must be a whole number in 1..${most}, was ${count}`,
  );
  const mean = new Float64Array(columnCount);
  for (let row = 0; row < rowCount; row++)
    for (let j = 0; j < columnCount; j++) mean[j]! += values[row * columnCount + j]! / rowCount;
  const centred = values.map((value, at) => value - mean[at % columnCount]!);
  const found = svd(centred, rowCount, columnCount);
  const components = new Float64Array(count * columnCount);
  for (let k = 0; k < count; k++)
    for (let j = 0; j < columnCount; j++) components[k * columnCount + j] = found.right[j * found.size + k]!;
  const every = found.values.map((value) => (value * value) / (rowCount - 1));
  const sum = every.reduce((total, value) => total + value, 0);
  const variance = every.slice(0, count);
  return { count, mean, components, variance, varianceShare: variance.map((value) => (sum > 0 ? value / sum : 0)) };
}

/** Rows in the new directions, row-major rows × count; NaN in a row that holds a missing value. */
export function projectRows(
  { count, mean, components }: PrincipalComponents,
  values: Float64Array,
  rowCount: number,
): Float64Array {
  const columns = mean.length;
  expect(values.length === rowCount * columns, `values must be ${rowCount} × ${columns}, were ${values.length}`);
  const told = new Float64Array(rowCount * count);
  for (let row = 0; row < rowCount; row++)
    for (let k = 0; k < count; k++)
      for (let j = 0; j < columns; j++)
        told[row * count + k]! += components[k * columns + j]! * (values[row * columns + j]! - mean[j]!);
  return told;
}
