import { expect } from '../checks/expect.ts';

/** Features a row of `regimeFeatures`, in this order. */
export const REGIME_FEATURES = ['log volatility', 'log downside deviation', 'mean over volatility'] as const;

/** Half-lives in rows. */
const HALF_LIFE = { volatility: 20, downside: 10, mean: 40 } as const;
/** Rows before the first that has features: the averages begin at zero and must forget it. */
export const REGIME_FEATURE_WARM_UP = 60;
const TINY = 1e-8;

/**
 * What the jump model sees of a day: exponentially weighted volatility, downside deviation and mean of past returns.
 *
 * Row t depends on returns 0..t only. A NaN return leaves the averages as they were. The first `REGIME_FEATURE_WARM_UP` rows
 * with a return are NaN.
 *
 * @param logReturn One a row.
 * @returns Row-major T × 3, not standardised.
 * @see Shu, Yu and Mulvey (2024), arXiv:2402.05272, for the choice of downside deviation and ratios
 */
export function regimeFeatures(logReturn: Float64Array): Float64Array {
  const count = REGIME_FEATURES.length;
  const features = new Float64Array(logReturn.length * count).fill(Number.NaN);
  const keep = {
    volatility: 0.5 ** (1 / HALF_LIFE.volatility),
    downside: 0.5 ** (1 / HALF_LIFE.downside),
    mean: 0.5 ** (1 / HALF_LIFE.mean),
  };
  let [square, downside, mean, seen] = [0, 0, 0, 0];
  for (let t = 0; t < logReturn.length; t++) {
    const value = logReturn[t]!;
    if (!Number.isNaN(value)) {
      seen += 1;
      square = keep.volatility * square + (1 - keep.volatility) * value ** 2;
      downside = keep.downside * downside + (1 - keep.downside) * Math.min(value, 0) ** 2;
      mean = keep.mean * mean + (1 - keep.mean) * value;
    }
    if (seen < REGIME_FEATURE_WARM_UP) continue;
    const volatility = Math.sqrt(square) + TINY;
    features[t * count] = Math.log(volatility);
    features[t * count + 1] = Math.log(Math.sqrt(downside) + TINY);
    features[t * count + 2] = mean / volatility;
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
