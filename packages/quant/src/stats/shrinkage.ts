import { areFinite, expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { transposeMultiply } from '../linalg/multiply.ts';
import { completeDeviations } from './moments.ts';

export type Shrunk =
  | {
      status: 'ok';
      /** Row-major N × N, symmetric, return² per period; divided by T, as the papers do. */
      covariance: Float64Array;
      /** Weight of the target, 0..1. */
      shrinkage: number;
      /** Complete rows used. */
      rowCount: number;
    }
  | Unanswered;

/** Below this share one row carries all the weight, and there is no spread to tell. */
const REST_SHARE_MIN = 1e-15;

/**
 * Covariance drawn to a multiple of the identity, by as much as minimises the expected squared error.
 *
 * Rows with a value that is missing or not finite in any column are left out as a whole. Time O(T N²).
 *
 * @param values Row-major T × N.
 * @returns `undefined` with fewer than two complete rows; so do the functions below.
 * @throws RangeError if the length is no multiple of `columnCount`.
 * @see Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.
 */
export function ledoitWolf(values: Float64Array, columnCount: number): Shrunk {
  const sample = sampleOf(values, columnCount);
  if ('status' in sample) return sample;
  const { deviations, rowCount, covariance } = sample;
  const n = columnCount;
  const level = trace(covariance, n) / n;
  let noise = 0;
  for (let t = 0; t < rowCount; t++) {
    let square = 0;
    for (let i = 0; i < n; i++) square += deviations[t * n + i]! ** 2;
    noise += square * square;
  }
  const size = sumOfSquares(covariance);
  // Σ_t |x_t x_t' − S|² / T² = (Σ_t |x_t|⁴ / T − |S|²) / T.
  const error = (noise / rowCount - size) / rowCount;
  const distance = size - n * level * level;
  const shrinkage = distance > 0 ? Math.max(0, Math.min(error, distance)) / distance : 0;
  return drawToIdentity(covariance, n, level, shrinkage, rowCount);
}

/**
 * Covariance drawn to a multiple of the identity, with the weight that is best for normal data.
 *
 * @see Chen, Wiesel, Eldar and Hero 2010, doi:10.1109/TSP.2010.2053029.
 */
export function oas(values: Float64Array, columnCount: number): Shrunk {
  const sample = sampleOf(values, columnCount);
  if ('status' in sample) return sample;
  const { rowCount, covariance } = sample;
  const n = columnCount;
  const level = trace(covariance, n) / n;
  // As scikit-learn does it: the 1 − 2/N of the paper's formula is left out, which matters for few columns.
  const size = sumOfSquares(covariance) / (n * n);
  const bottom = (rowCount + 1) * (size - (level * level) / n);
  const shrinkage = bottom > 0 ? Math.min(1, (size + level * level) / bottom) : 1;
  return drawToIdentity(covariance, n, level, shrinkage, rowCount);
}

/**
 * Covariance drawn to one with the same variances and the mean correlation everywhere.
 *
 * A column that does not vary takes no part in the mean and keeps its zeros. With fewer than two columns that vary nothing
 * is drawn.
 *
 * @see Ledoit and Wolf 2004, doi:10.3905/jpm.2004.110.
 */
export function ledoitWolfConstantCorrelation(values: Float64Array, columnCount: number): Shrunk {
  const sample = sampleOf(values, columnCount);
  if ('status' in sample) return sample;
  const { deviations, rowCount, covariance } = sample;
  const n = columnCount;
  const deviation = Float64Array.from({ length: n }, (_, i) => Math.sqrt(covariance[i * n + i]!));
  const varying = Array.from({ length: n }, (_, i) => i).filter((i) => deviation[i]! > 0);
  const count = varying.length;
  if (count < 2) return { status: 'ok', covariance, shrinkage: 0, rowCount };
  let correlation = 0;
  for (const i of varying)
    for (const j of varying) if (i !== j) correlation += covariance[i * n + j]! / deviation[i]! / deviation[j]!;
  correlation /= count * (count - 1);
  const target = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      target[i * n + j] = i === j ? covariance[i * n + i]! : correlation * deviation[i]! * deviation[j]!;
  const squares = deviations.map((value) => value * value);
  const cubes = deviations.map((value) => value ** 3);
  const fourth = transposeMultiply(squares, rowCount, n, squares, n);
  const third = transposeMultiply(cubes, rowCount, n, deviations, n);
  let error = 0;
  let joint = 0;
  let distance = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const k = i * n + j;
      const spread = fourth[k]! / rowCount - covariance[k]! ** 2;
      error += spread;
      distance += (target[k]! - covariance[k]!) ** 2;
      if (i === j) joint += spread;
      else if (deviation[i]! > 0 && deviation[j]! > 0) {
        const tie = third[k]! / rowCount - covariance[i * n + i]! * covariance[k]!;
        joint += (correlation * deviation[j]! * tie) / deviation[i]!;
      }
    }
  const shrinkage = distance > 0 ? Math.max(0, Math.min(1, (error - joint) / distance / rowCount)) : 0;
  const drawn = covariance.map((value, k) => shrinkage * target[k]! + (1 - shrinkage) * value);
  return { status: 'ok', covariance: drawn, shrinkage, rowCount };
}

/**
 * Exponentially weighted covariance as of the last row, around the weighted mean and with the correction for bias of
 * reliability weights.
 *
 * A row weighs 2^(−age / halfLife), age in rows. For each pair the rows with a NaN on either side are left out, so the
 * matrix need not be positive semidefinite when values are missing. Time O(T N²).
 *
 * @param values Row-major T × N.
 * @param halfLife Rows until the weight has halved, > 0.
 * @returns Row-major N × N, symmetric; NaN for a pair with fewer than two complete rows.
 * @throws RangeError if the length is no multiple of `columnCount`, or `halfLife` is not positive.
 */
export function ewmCovariance(values: Float64Array, columnCount: number, halfLife: number): Float64Array {
  expect(
    columnCount >= 1 && values.length % columnCount === 0,
    `values must be T x ${columnCount}, had ${values.length}`,
  );
  expect(halfLife > 0 && halfLife < Number.POSITIVE_INFINITY, `halfLife must be positive, was ${halfLife}`);
  const rowCount = values.length / columnCount;
  const weights = Float64Array.from({ length: rowCount }, (_, t) => 0.5 ** ((rowCount - 1 - t) / halfLife));
  if (areFinite(values)) return completeCovariance(values, columnCount, weights);
  const columns = Array.from({ length: columnCount }, (_, i) =>
    Float64Array.from({ length: rowCount }, (_, t) => values[t * columnCount + i]!),
  );
  const result = new Float64Array(columnCount * columnCount);
  for (let i = 0; i < columnCount; i++)
    for (let j = 0; j <= i; j++) {
      const value = weightedCovariance(columns[i]!, columns[j]!, weights);
      result[i * columnCount + j] = value;
      result[j * columnCount + i] = value;
    }
  return result;
}

/** The same for all pairs at once where nothing is missing: one product of deviations times the root of their weight. */
function completeCovariance(values: Float64Array, columnCount: number, weights: Float64Array): Float64Array {
  let total = 0;
  let squares = 0;
  for (const weight of weights) {
    total += weight;
    squares += weight * weight;
  }
  const rest = total * total - squares;
  if (!(rest > REST_SHARE_MIN * total * total)) return new Float64Array(columnCount * columnCount).fill(Number.NaN);
  const center = new Float64Array(columnCount);
  for (const [t, weight] of weights.entries())
    for (let i = 0; i < columnCount; i++) center[i]! += (weight * values[t * columnCount + i]!) / total;
  const scaled = new Float64Array(values.length);
  for (const [t, weight] of weights.entries())
    for (let i = 0; i < columnCount; i++)
      scaled[t * columnCount + i] = Math.sqrt(weight) * (values[t * columnCount + i]! - center[i]!);
  return transposeMultiply(scaled, weights.length, columnCount, scaled, columnCount).map(
    (value) => (value * total) / rest,
  );
}

function weightedCovariance(x: Float64Array, y: Float64Array, weights: Float64Array): number {
  let total = 0;
  let squares = 0;
  let sumX = 0;
  let sumY = 0;
  for (let t = 0; t < weights.length; t++) {
    if (Number.isNaN(x[t]! + y[t]!)) continue;
    const weight = weights[t]!;
    total += weight;
    squares += weight * weight;
    sumX += weight * x[t]!;
    sumY += weight * y[t]!;
  }
  const rest = total * total - squares;
  if (!(rest > REST_SHARE_MIN * total * total)) return Number.NaN;
  const meanX = sumX / total;
  const meanY = sumY / total;
  let sum = 0;
  for (let t = 0; t < weights.length; t++)
    if (!Number.isNaN(x[t]! + y[t]!)) sum += weights[t]! * (x[t]! - meanX) * (y[t]! - meanY);
  return (sum * total) / rest;
}

/** Deviations of the complete rows from the column means, and their covariance divided by T. */
function sampleOf(values: Float64Array, columnCount: number) {
  const { deviations, rowCount } = completeDeviations(values, columnCount);
  if (rowCount < 2) return unanswered(`two complete rows are needed, there are ${rowCount}`);
  const covariance = transposeMultiply(deviations, rowCount, columnCount, deviations, columnCount).map(
    (value) => value / rowCount,
  );
  return { deviations, rowCount, covariance };
}

function drawToIdentity(
  covariance: Float64Array,
  n: number,
  level: number,
  shrinkage: number,
  rowCount: number,
): Shrunk {
  const drawn = covariance.map((value, k) => (1 - shrinkage) * value + (k % (n + 1) === 0 ? shrinkage * level : 0));
  return { status: 'ok', covariance: drawn, shrinkage, rowCount };
}

function trace(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]!;
  return sum;
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
