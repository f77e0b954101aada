import type { AlgebraKernels, TurnedBasis } from './algebra-kernels.ts';
import { addScaled, dotProduct } from './dot-product.ts';
import { createRotations, type Rotations, solveTridiagonal } from './tridiagonal.ts';

/** Beside a largest entry near one, a sum of squares below this is rounding; its inverse might overflow. */
const SQUARE_MIN = 1e-280;

/** The kernels in plain TypeScript: used for small sizes and where there is no WebAssembly, and the measure of its twin. */
export const plainKernels: AlgebraKernels = { multiply, factor, diagonalise };

function multiply(
  a: Float64Array,
  rowCount: number,
  innerCount: number,
  b: Float64Array,
  columnCount: number,
): Float64Array {
  const product = new Float64Array(rowCount * columnCount);
  for (let i = 0; i < rowCount; i++) {
    const row = i * columnCount;
    for (let k = 0; k < innerCount; k++) {
      const factor = a[i * innerCount + k]!;
      const from = k * columnCount;
      for (let j = 0; j < columnCount; j++) product[row + j]! += factor * b[from + j]!;
    }
  }
  return product;
}

function factor(matrix: Float64Array, n: number, pivotShareMin: number): Float64Array | null {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++)
      factor[i * n + j] = (matrix[i * n + j]! - dotProduct(factor, i * n, factor, j * n, j)) / factor[j * n + j]!;
    const diagonal = matrix[i * n + i]!;
    const pivot = diagonal - dotProduct(factor, i * n, factor, i * n, i);
    if (!(pivot > pivotShareMin * diagonal && pivot < Number.POSITIVE_INFINITY)) return null;
    factor[i * n + i] = Math.sqrt(pivot);
  }
  return factor;
}

function diagonalise(matrix: Float64Array, n: number): TurnedBasis {
  const work = matrix.slice();
  const values = new Float64Array(n);
  const coupling = new Float64Array(n);
  const betas = new Float64Array(n);
  reduceToTridiagonal(work, n, values, coupling, betas);
  const basis = new Float64Array(n * n);
  buildBasis(work, n, betas, basis);
  solveTridiagonal(values, coupling, createRotations(n), (made) => rotateRows(basis, n, made));
  return { values, basis, stride: n };
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
    if (above < SQUARE_MIN) {
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
