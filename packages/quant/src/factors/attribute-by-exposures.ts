import { expect } from '../checks/expect.ts';

export type ExposureAttribution = {
  /** Row-major T × K exposures of the portfolio. */
  exposures: Float64Array;
  /** Row-major T × K: exposure times return of the factor. */
  parts: Float64Array;
  /** T: what is left of the return of the portfolio. */
  specific: Float64Array;
};

/**
 * The return of a portfolio taken apart day by day, from what it holds and what its holdings are exposed to: the parts and
 * the specific rest of a row add up to its return. A NaN spreads to what is made from it.
 *
 * @param returns T returns of the portfolio. @param weights Row-major T × N shares of its value held over each row.
 * @param loadings Row-major T × N × K. @param factorReturns Row-major T × K.
 * @throws RangeError on wrong shapes.
 */
export function attributeByExposures(
  returns: Float64Array,
  weights: Float64Array,
  loadings: Float64Array,
  factorReturns: Float64Array,
  assetCount: number,
  factorCount: number,
): ExposureAttribution {
  const rowCount = returns.length;
  const check = (name: string, values: Float64Array, size: number) =>
    expect(values.length === size, `${name} must have ${size} values, had ${values.length}`);
  check('weights', weights, rowCount * assetCount);
  check('loadings', loadings, rowCount * assetCount * factorCount);
  check('factorReturns', factorReturns, rowCount * factorCount);
  const exposures = new Float64Array(rowCount * factorCount);
  const parts = new Float64Array(rowCount * factorCount);
  const specific = returns.slice();
  for (let t = 0; t < rowCount; t++)
    for (let k = 0; k < factorCount; k++) {
      let exposure = 0;
      for (let i = 0; i < assetCount; i++)
        exposure += weights[t * assetCount + i]! * loadings[(t * assetCount + i) * factorCount + k]!;
      const at = t * factorCount + k;
      exposures[at] = exposure;
      parts[at] = exposure * factorReturns[at]!;
      specific[t]! -= parts[at]!;
    }
  return { exposures, parts, specific };
}
