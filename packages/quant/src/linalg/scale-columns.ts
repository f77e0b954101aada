/**
 * Copies a matrix column by column and brings each to a largest entry in 0.5..1 by a power of two, which loses no digit.
 *
 * @param matrix Row-major `rowCount` × `columnCount`, finite.
 * @returns `columns`: `columnCount` × `rowCount`, scaled; `scales`: what each was divided by, 1 for a column of zeros.
 */
export function scaleColumns(
  matrix: Float64Array,
  rowCount: number,
  columnCount: number,
): { columns: Float64Array; scales: Float64Array } {
  const columns = new Float64Array(matrix.length);
  const scales = new Float64Array(columnCount);
  for (let j = 0; j < columnCount; j++) {
    let largest = 0;
    for (let i = 0; i < rowCount; i++) largest = Math.max(largest, Math.abs(matrix[i * columnCount + j]!));
    const scale = powerOfTwoAbove(largest);
    scales[j] = scale;
    for (let i = 0; i < rowCount; i++) columns[j * rowCount + i] = matrix[i * columnCount + j]! / scale;
  }
  return { columns, scales };
}

/** The least power of two that is not below a size, kept where its inverse is a normal number too; 1 for zero. */
export function powerOfTwoAbove(size: number): number {
  if (size === 0) return 1;
  return 2 ** Math.max(-1020, Math.min(1020, Math.ceil(Math.log2(size))));
}
