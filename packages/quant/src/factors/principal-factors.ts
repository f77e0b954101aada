import { expect } from '../checks/expect.ts';
import { correlationsOf } from '../dependence/resampled-correlations.ts';
import { symmetricEigen } from '../linalg/symmetric-eigen.ts';

export type PrincipalFactors = {
  /** K: eigenvalues above what chance gives, at least one, at most `countMax`. */
  count: number;
  /** Row-major T × K returns of the factor portfolios. */
  series: Float64Array;
  /** Row-major K × N weights; sizes add up to one, the sum is not negative. */
  weights: Float64Array;
  /** Share of the summed variance in standard deviations, of each of the K. */
  varianceShares: Float64Array;
};

/** Further ones cannot be told from each other on a screen. */
export const PRINCIPAL_FACTORS_MAX = 5;

/**
 * Factors nobody named: the portfolios along the largest eigenvectors of the correlations, each asset by its deviation.
 * Their number is how many eigenvalues lie above the edge (1 + √(N/T))² that chance gives, at least one.
 *
 * @param returns Row-major T × N, finite; no column constant in the rows fitted on.
 * @param fitRowCount The correlations are taken of the first so many rows, and the weights are used on all; default: all.
 * @throws RangeError on wrong shapes, fewer than two rows, or a column that does not vary.
 * @see Connor and Korajczyk 1988, doi:10.1016/0304-405X(88)90027-1.
 */
export function principalFactors(
  returns: Float64Array,
  rowCount: number,
  assetCount: number,
  { countMax = PRINCIPAL_FACTORS_MAX, fitRowCount = rowCount }: { countMax?: number; fitRowCount?: number } = {},
): PrincipalFactors {
  expect(returns.length === rowCount * assetCount, `returns must be ${rowCount} x ${assetCount}`);
  expect(fitRowCount >= 2 && fitRowCount <= rowCount, `fitRowCount must be in 2..${rowCount}, was ${fitRowCount}`);
  const fitted = returns.subarray(0, fitRowCount * assetCount);
  const correlation = correlationsOf(fitted, fitRowCount, assetCount);
  expect(!correlation.some(Number.isNaN), 'every asset must vary in the rows fitted on');
  const { values, vectors } = symmetricEigen(correlation, assetCount);
  const edge = (1 + Math.sqrt(assetCount / fitRowCount)) ** 2;
  const count = Math.max(1, Math.min(countMax, values.filter((value) => value > edge).length));
  const deviations = deviationsOf(fitted, fitRowCount, assetCount);
  const weights = new Float64Array(count * assetCount);
  for (let k = 0; k < count; k++) {
    let [sizes, sum] = [0, 0];
    for (let i = 0; i < assetCount; i++) {
      const weight = vectors[i * assetCount + k]! / deviations[i]!;
      weights[k * assetCount + i] = weight;
      sizes += Math.abs(weight);
      sum += weight;
    }
    const scale = (sum < 0 ? -1 : 1) / sizes;
    for (let i = 0; i < assetCount; i++) weights[k * assetCount + i]! *= scale;
  }
  const series = new Float64Array(rowCount * count);
  for (let t = 0; t < rowCount; t++)
    for (let k = 0; k < count; k++)
      for (let i = 0; i < assetCount; i++)
        series[t * count + k]! += weights[k * assetCount + i]! * returns[t * assetCount + i]!;
  return { count, series, weights, varianceShares: values.slice(0, count).map((value) => value / assetCount) };
}

function deviationsOf(values: Float64Array, rowCount: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let mean = 0;
    for (let t = 0; t < rowCount; t++) mean += values[t * count + i]! / rowCount;
    let squares = 0;
    for (let t = 0; t < rowCount; t++) squares += (values[t * count + i]! - mean) ** 2;
    return Math.sqrt(squares / (rowCount - 1));
  });
}
