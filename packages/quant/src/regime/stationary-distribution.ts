import { expect } from '../checks/expect.ts';

/**
 * The long-run distribution of a chain and the matrix that tells how it moves with the chain.
 *
 * With M = I − A + J (J all ones) the distribution is π = 1'M⁻¹, and dπ = π dA M⁻¹.
 *
 * @param transition Row-major K × K, from a row to a column.
 * @returns `distribution` of length K and `sensitivity` = M⁻¹, row-major K × K.
 * @throws RangeError if the chain has more than one closed class, where no single long-run distribution exists.
 */
export function stationaryDistribution(
  transition: Float64Array,
  stateCount: number,
): { distribution: Float64Array; sensitivity: Float64Array } {
  const matrix = Float64Array.from(transition, (value, at) => {
    const identity = at % (stateCount + 1) === 0 ? 1 : 0;
    return identity - value + 1;
  });
  const sensitivity = invert(matrix, stateCount);
  const distribution = new Float64Array(stateCount);
  for (let row = 0; row < stateCount; row++)
    for (let k = 0; k < stateCount; k++) distribution[k]! += sensitivity[row * stateCount + k]!;
  // A state that is never entered may come out as −1e-17.
  for (let k = 0; k < stateCount; k++) distribution[k] = Math.max(0, distribution[k]!);
  const total = distribution.reduce((sum, value) => sum + value, 0);
  return { distribution: distribution.map((value) => value / total), sensitivity };
}

/** Gauss-Jordan with row exchange: the matrices here have two to four rows. */
function invert(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice();
  const right = Float64Array.from(matrix, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
  for (let column = 0; column < size; column++) {
    let pivotRow = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(left[row * size + column]!) > Math.abs(left[pivotRow * size + column]!)) pivotRow = row;
    const pivot = left[pivotRow * size + column]!;
    expect(Math.abs(pivot) > 1e-14, 'transition must have one closed class: no single long-run distribution exists');
    for (const side of [left, right])
      for (let k = 0; k < size; k++) {
        const value = side[pivotRow * size + k]!;
        side[pivotRow * size + k] = side[column * size + k]!;
        side[column * size + k] = value / pivot;
      }
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = left[row * size + column]!;
      for (const side of [left, right])
        for (let k = 0; k < size; k++) side[row * size + k]! -= factor * side[column * size + k]!;
    }
  }
  return right;
}
