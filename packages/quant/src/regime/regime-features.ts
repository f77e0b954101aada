import { expect } from '../checks/expect.ts';

/** Features a row of `regimeFeatures`, in this order. The first must be the log volatility: it names the states. */
export const REGIME_FEATURES = ['log volatility'] as const;

/** Rows until a return's weight in the volatility has halved. */
const HALF_LIFE = 5;
/** Rows with a return before the first that has features: one return is no volatility. */
export const REGIME_FEATURE_WARM_UP = 20;
/** Added to the variance: a week without movement is calm, not infinitely calm. */
const VARIANCE_TINY = 1e-12;

/**
 * What the jump model sees of a day: the log of the exponentially weighted volatility of past returns.
 *
 * A half-life of five days was the best of six sets of features on simulated markets (docs/methods/regimes.md): slower ones
 * and means of returns name states weeks late.
 *
 * Row t depends on returns 0..t only. A NaN return leaves the average as it was. The first `REGIME_FEATURE_WARM_UP` rows with
 * a return are NaN.
 *
 * @param logReturn One a row.
 * @returns Row-major T × 1, not standardised.
 * @see Nystrup, Lindström and Madsen (2020), doi:10.1016/j.eswa.2020.113307, for volatility features in jump models
 */
export function regimeFeatures(logReturn: Float64Array): Float64Array {
  const features = new Float64Array(logReturn.length).fill(Number.NaN);
  const keep = 0.5 ** (1 / HALF_LIFE);
  let [square, seen] = [0, 0];
  for (let t = 0; t < logReturn.length; t++) {
    const value = logReturn[t]!;
    if (!Number.isNaN(value)) {
      seen += 1;
      square = keep * square + (1 - keep) * value ** 2;
    }
    // The average begins at zero and is corrected for the weight it does not have yet.
    if (seen > REGIME_FEATURE_WARM_UP) features[t] = 0.5 * Math.log(square / (1 - keep ** seen) + VARIANCE_TINY);
  }
  return features;
}

export type Scaling = { centre: Float64Array; spread: Float64Array };

/** Mean and standard deviation of each feature over rows `from`..`to` − 1; a constant feature has spread 1. */
export function scalingOf(features: Float64Array, featureCount: number, from: number, to: number): Scaling {
  expect(from >= 0 && from < to && to * featureCount <= features.length, `rows ${from}..${to} are not in the features`);
  const centre = new Float64Array(featureCount);
  const spread = new Float64Array(featureCount);
  for (let f = 0; f < featureCount; f++) {
    let [sum, square, count] = [0, 0, 0];
    for (let t = from; t < to; t++) {
      const value = features[t * featureCount + f]!;
      if (!Number.isFinite(value)) continue;
      sum += value;
      count += 1;
    }
    centre[f] = count > 0 ? sum / count : 0;
    for (let t = from; t < to; t++) {
      const value = features[t * featureCount + f]!;
      if (Number.isFinite(value)) square += (value - centre[f]!) ** 2;
    }
    const deviation = count > 1 ? Math.sqrt(square / (count - 1)) : 0;
    spread[f] = deviation > 1e-12 ? deviation : 1;
  }
  return { centre, spread };
}

/** Features less their centre, in units of their spread. */
export function scale(features: Float64Array, { centre, spread }: Scaling): Float64Array {
  return features.map((value, at) => (value - centre[at % centre.length]!) / spread[at % centre.length]!);
}
