import { expect } from '../checks/expect.ts';
import { cholesky, solveCholesky } from '../linalg/cholesky.ts';
import { multiplyTranspose, transposeMultiply } from '../linalg/multiply.ts';
import { symmetricEigen } from '../linalg/symmetric-eigen.ts';
import { ewmCovariance, ledoitWolf } from '../stats/shrinkage.ts';

/** How a covariance is estimated. */
export type CovarianceEstimator = 'denoised' | 'sample' | 'ledoit_wolf' | 'non_linear' | 'weighted';

export const COVARIANCE_ESTIMATORS: readonly CovarianceEstimator[] = [
  'denoised',
  'sample',
  'ledoit_wolf',
  'non_linear',
  'weighted',
];

/** Sessions after which the weight of a row has halved in the `weighted` estimate: a quarter of a year. */
export const HALF_LIFE_SESSIONS = 63;

/**
 * Covariance by the named estimator; `denoised` keeps the sample's variances and cleans its correlations.
 *
 * @param observations Row-major T × N, finite, no constant column for `denoised`; T >= 13 for `non_linear`, else >= 2.
 * @returns Row-major N × N, return² per period.
 * @throws RangeError on a wrong shape or too few observations.
 */
export function estimateCovariance(
  estimator: CovarianceEstimator,
  observations: Float64Array,
  rowCount: number,
  count: number,
): Float64Array {
  if (estimator === 'non_linear') return nonlinearShrinkage(observations, rowCount, count);
  if (estimator === 'weighted') return ewmCovariance(observations, count, HALF_LIFE_SESSIONS);
  if (estimator === 'ledoit_wolf') {
    const shrunk = ledoitWolf(observations, count);
    expect(shrunk.status === 'ok', `a covariance needs two observations, had ${rowCount}`);
    return shrunk.covariance;
  }
  const sample = sampleCovariance(observations, rowCount, count);
  if (estimator === 'sample') return sample;
  const { correlation } = denoiseCorrelation(correlationOf(sample, count), count, rowCount);
  return withVariancesOf(correlation, sample, count);
}

/**
 * Sample covariance of T observations of N variables, about their means, divided by T - 1.
 *
 * @param observations Row-major T × N, finite.
 * @returns Row-major N × N.
 * @throws RangeError on a wrong shape or fewer than two observations.
 */
export function sampleCovariance(observations: Float64Array, rowCount: number, count: number): Float64Array {
  expect(rowCount >= 2, `a covariance needs two observations, had ${rowCount}`);
  const centred = centre(observations, rowCount, count);
  const covariance = transposeMultiply(centred, rowCount, count, centred, count);
  for (let i = 0; i < covariance.length; i++) covariance[i]! /= rowCount - 1;
  return covariance;
}

/**
 * Covariance with every eigenvalue shrunk on its own, by the density of the sample's eigenvalues and its Hilbert
 * transform (Epanechnikov kernel, bandwidth T^(-1/3)): the rotation-equivariant estimate that suits a minimum-variance
 * portfolio when N is not small beside T. Positive definite also for N > T.
 *
 * @param observations Row-major T × N, finite; T >= 13.
 * @returns Row-major N × N.
 * @throws RangeError on a wrong shape or fewer than 13 observations.
 * @see Ledoit and Wolf 2020, Annals of Statistics 48(5), https://doi.org/10.1214/19-AOS1921
 */
export function nonlinearShrinkage(observations: Float64Array, rowCount: number, count: number): Float64Array {
  expect(rowCount >= 13, `non-linear shrinkage needs 13 observations, had ${rowCount}`);
  const { values, vectors } = symmetricEigen(sampleCovariance(observations, rowCount, count), count);
  const size = rowCount - 1;
  // With fewer observations than variables the other eigenvalues are zero; only these tell something.
  const told = Math.min(count, size);
  const lambda = Float64Array.from(values.subarray(0, told), (value) => Math.max(value, 1e-300));
  const shrunk = new Float64Array(count);
  const width = size ** (-1 / 3);
  const ratio = count / size;
  const root5 = Math.sqrt(5);
  let inverseSum = 0;
  for (let i = 0; i < told; i++) {
    const at = lambda[i]!;
    inverseSum += 1 / at;
    let density = 0;
    let hilbert = 0;
    for (let j = 0; j < told; j++) {
      const bandwidth = width * lambda[j]!;
      const x = (at - lambda[j]!) / bandwidth;
      const hump = 1 - (x * x) / 5;
      if (hump > 0) density += ((3 / 4 / root5) * hump) / bandwidth;
      const log = Math.abs(Math.abs(x) - root5) < 1e-12 ? 0 : Math.log(Math.abs((root5 - x) / (root5 + x)));
      hilbert += ((-3 / 10 / Math.PI) * x + (3 / 4 / root5 / Math.PI) * hump * log) / bandwidth;
    }
    density /= told;
    hilbert /= told;
    if (count <= size) {
      const real = 1 - ratio - Math.PI * ratio * at * hilbert;
      shrunk[i] = at / ((Math.PI * ratio * at * density) ** 2 + real * real);
    } else shrunk[i] = at / (Math.PI ** 2 * at ** 2 * (density ** 2 + hilbert ** 2));
  }
  if (count > size) {
    const hilbertAtNought =
      (1 / Math.PI) *
      (3 / 10 / width ** 2 +
        (3 / 4 / root5 / width) * (1 - 1 / 5 / width ** 2) * Math.log((1 + root5 * width) / (1 - root5 * width))) *
      (inverseSum / told);
    shrunk.fill(1 / ((Math.PI * (count - size) * hilbertAtNought) / size), told);
  }
  return recompose(vectors, shrunk, count);
}

/**
 * Correlations without what chance alone would put there: eigenvalues below the Marchenko-Pastur edge (1 + √(N/T))² are
 * replaced by their mean, and the diagonal is made one again. If the largest is above the edge, the edge is taken of the
 * variance that it leaves.
 *
 * @param correlation Row-major N × N. @param rowCount Observations it was estimated from.
 * @returns the cleaned matrix and how many eigenvalues stood out.
 * @see Laloux, Cizeau, Bouchaud and Potters 1999, https://doi.org/10.1103/PhysRevLett.83.1467
 */
export function denoiseCorrelation(
  correlation: Float64Array,
  count: number,
  rowCount: number,
): { correlation: Float64Array; signalCount: number } {
  const { values, vectors } = symmetricEigen(correlation, count);
  const whole = (1 + Math.sqrt(count / rowCount)) ** 2;
  const largest = values[0] ?? 0;
  // A largest one beyond chance, which is the market, takes its share of the variance out of what the noise has left.
  const edge = largest > whole ? whole * (1 - largest / count) : whole;
  let signalCount = 0;
  while (signalCount < count && values[signalCount]! > edge) signalCount++;
  let rest = 0;
  for (let i = signalCount; i < count; i++) rest += values[i]!;
  const level = rest / Math.max(1, count - signalCount);
  const cleaned = values.map((value, i) => (i < signalCount ? value : level));
  return { correlation: correlationOf(recompose(vectors, cleaned, count), count), signalCount };
}

/** Correlations of a covariance; NaN for a variable without variance. */
export function correlationOf(covariance: Float64Array, count: number): Float64Array {
  const deviations = Float64Array.from({ length: count }, (_, i) => Math.sqrt(covariance[i * count + i]!));
  const correlation = new Float64Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) {
      const product = deviations[i]! * deviations[j]!;
      correlation[i * count + j] = product > 0 ? (i === j ? 1 : covariance[i * count + j]! / product) : Number.NaN;
    }
  return correlation;
}

/**
 * Weights of the portfolio with the least variance that are fully invested, Σ⁻¹1 / 1ᵀΣ⁻¹1; they may be negative.
 * Null when the covariance is not positive definite.
 */
export function minimumVarianceWeights(covariance: Float64Array, count: number): Float64Array | null {
  const factor = cholesky(covariance, count);
  if (factor === null) return null;
  const weights = solveCholesky(factor, count, new Float64Array(count).fill(1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The covariance with these correlations and the variances of another. */
function withVariancesOf(correlation: Float64Array, covariance: Float64Array, count: number): Float64Array {
  const deviations = Float64Array.from({ length: count }, (_, i) => Math.sqrt(covariance[i * count + i]!));
  return correlation.map((value, k) => value * deviations[Math.floor(k / count)]! * deviations[k % count]!);
}

function centre(observations: Float64Array, rowCount: number, count: number): Float64Array {
  expect(observations.length === rowCount * count, `observations must be ${rowCount} x ${count}`);
  const centred = Float64Array.from(observations);
  for (let i = 0; i < count; i++) {
    let mean = 0;
    for (let row = 0; row < rowCount; row++) mean += observations[row * count + i]! / rowCount;
    for (let row = 0; row < rowCount; row++) centred[row * count + i]! -= mean;
  }
  return centred;
}

/** V diag(values) Vᵀ. */
function recompose(vectors: Float64Array, values: Float64Array, count: number): Float64Array {
  const scaled = new Float64Array(count * count);
  for (let row = 0; row < count; row++)
    for (let k = 0; k < count; k++) scaled[row * count + k] = vectors[row * count + k]! * values[k]!;
  return multiplyTranspose(scaled, count, count, vectors, count);
}
