import { expect } from '../checks/expect.ts';
import { multiplyTranspose } from './multiply.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

const ROUNDS_MAX = 500;

/**
 * The correlation matrix nearest to a symmetric matrix in the Frobenius norm: positive semidefinite, ones on the diagonal.
 *
 * Alternating projections with Dykstra's correction. A matrix that is a correlation matrix already comes back within
 * rounding. Time O(n³) a round; some ten rounds are usual.
 *
 * @param matrix Row-major n × n, finite, symmetric; the lower triangle is read.
 * @param options `tolerance`: largest change of an entry in a round that counts as none. `eigenvalueMin`: least eigenvalue
 *   of each projection, as a share of the largest; above zero the result has a Cholesky factor.
 * @returns null when 500 rounds were not enough.
 * @throws RangeError on a wrong shape or a value that is not finite.
 * @see Higham 2002, doi:10.1093/imanum/22.3.329.
 */
export function nearestCorrelation(
  matrix: Float64Array,
  n: number,
  options: { tolerance?: number; eigenvalueMin?: number } = {},
): Float64Array | null {
  expect(matrix.length === n * n, `matrix must be ${n} x ${n}, had ${matrix.length} values`);
  const { tolerance = 1e-9, eigenvalueMin = 0 } = options;
  let current = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      current[i * n + j] = i === j ? 1 : matrix[i * n + j]!;
      current[j * n + i] = current[i * n + j]!;
    }
  const correction = new Float64Array(n * n);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const shifted = current.map((value, k) => value - correction[k]!);
    const projected = projectSemidefinite(shifted, n, eigenvalueMin);
    const next = projected.slice();
    let change = 0;
    for (let i = 0; i < n; i++) next[i * n + i] = 1;
    for (let k = 0; k < n * n; k++) {
      correction[k] = projected[k]! - shifted[k]!;
      change = Math.max(change, Math.abs(next[k]! - current[k]!), Math.abs(next[k]! - projected[k]!));
    }
    current = next;
    if (change <= tolerance) return current;
  }
  return null;
}

function projectSemidefinite(matrix: Float64Array, n: number, eigenvalueMin: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  const least = eigenvalueMin * Math.max(0, values[0] ?? 0);
  if ((values[n - 1] ?? 0) >= least) return matrix;
  // V √λ times its transpose is exactly symmetric.
  const half = vectors.map((value, k) => value * Math.sqrt(Math.max(values[k % n]!, least)));
  return multiplyTranspose(half, n, n, half, n);
}
