import { expect } from '../checks/expect.ts';
import { addScaled, dotProduct } from './dot-product.ts';
import { powerOfTwoAbove } from './scale-columns.ts';
import { type Rotations, solveTridiagonal } from './tridiagonal.ts';

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
  const work = matrix.map((value) => value / scale);
  const diagonal = new Float64Array(n);
  const coupling = new Float64Array(n);
  const betas = new Float64Array(n);
  reduceToTridiagonal(work, n, diagonal, coupling, betas);
  const basis = new Float64Array(n * n);
  buildBasis(work, n, betas, basis);
  const room = 32 * Math.max(n, 1);
  const rotations = {
    count: 0,
    rows: new Int32Array(room),
    cosines: new Float64Array(room),
    sines: new Float64Array(room),
  };
  solveTridiagonal(diagonal, coupling, rotations, (made) => rotateRows(basis, n, made));
  return sortDescending(diagonal, basis, n, scale);
}

/**
 * Takes the rows from the last to the third into tridiagonal form; reflector i is left in the first i places of row i,
 * and betas[i] = 2 / |v|² (zero where nothing was to reflect).
 */
function reduceToTridiagonal(
  work: Float64Array,
  n: number,
  diagonal: Float64Array,
  coupling: Float64Array,
  betas: Float64Array,
): void {
  const image = new Float64Array(n);
  for (let i = n - 1; i >= 1; i--) {
    const row = i * n;
    diagonal[i] = work[row + i]!;
    const end = work[row + i - 1]!;
    const above = dotProduct(work, row, work, row, i - 1);
    if (above === 0) {
      coupling[i - 1] = end;
      continue;
    }
    const length = Math.sqrt(above + end * end);
    const onto = end > 0 ? -length : length;
    coupling[i - 1] = onto;
    work[row + i - 1] = end - onto;
    const beta = 2 / dotProduct(work, row, work, row, i);
    betas[i] = beta;
    reflectBothSides(work, n, i, beta, image);
  }
  if (n > 0) diagonal[0] = work[0]!;
}

/** B ← H B H on the leading i × i block, lower triangle, H = I − β v vᵀ with v in row i: B − v qᵀ − q vᵀ. */
function reflectBothSides(work: Float64Array, n: number, i: number, beta: number, image: Float64Array): void {
  const v = i * n;
  image.fill(0, 0, i);
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const along = dotProduct(work, row, work, v, j);
    addScaled(image, 0, work, row, j, work[v + j]!);
    image[j]! += along + work[row + j]! * work[v + j]!;
  }
  for (let j = 0; j < i; j++) image[j]! *= beta;
  const half = 0.5 * beta * dotProduct(image, 0, work, v, i);
  addScaled(image, 0, work, v, i, -half);
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const vj = work[v + j]!;
    const qj = image[j]!;
    for (let k = 0; k <= j; k++) work[row + k]! -= vj * image[k]! + qj * work[v + k]!;
  }
}

/** Rows of the orthogonal matrix that took A to tridiagonal form: the product of the reflections, first the smallest. */
function buildBasis(work: Float64Array, n: number, betas: Float64Array, basis: Float64Array): void {
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  for (let i = 1; i < n; i++) {
    const beta = betas[i]!;
    if (beta === 0) continue;
    // Only the leading i x i block differs from the identity so far.
    for (let row = 0; row < i; row++) {
      const along = dotProduct(basis, row * n, work, i * n, i);
      addScaled(basis, row * n, work, i * n, i, -(beta * along));
    }
  }
}

function rotateRows(basis: Float64Array, n: number, { count, rows, cosines, sines }: Rotations): void {
  for (let r = 0; r < count; r++) {
    const upper = rows[r]! * n;
    const lower = upper + n;
    const cosine = cosines[r]!;
    const sine = sines[r]!;
    for (let k = 0; k < n; k++) {
      const x = basis[upper + k]!;
      const y = basis[lower + k]!;
      basis[upper + k] = cosine * x + sine * y;
      basis[lower + k] = cosine * y - sine * x;
    }
  }
}

function sortDescending(diagonal: Float64Array, basis: Float64Array, n: number, scale: number): SymmetricEigen {
  const order = Array.from({ length: n }, (_, k) => k).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b);
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (const [k, from] of order.entries()) {
    values[k] = diagonal[from]! * scale;
    const sign = basis[indexOfLargest(basis, from * n, n)]! < 0 ? -1 : 1;
    for (let i = 0; i < n; i++) vectors[i * n + k] = sign * basis[from * n + i]!;
  }
  return { values, vectors };
}

/** First index of the entry of largest size. */
export function indexOfLargest(values: Float64Array, start: number, count: number): number {
  let best = start;
  for (let k = start + 1; k < start + count; k++) if (Math.abs(values[k]!) > Math.abs(values[best]!)) best = k;
  return best;
}
