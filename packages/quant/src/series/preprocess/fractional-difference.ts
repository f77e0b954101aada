import { expect } from '../../checks/expect.ts';
import { type AdfOptions, adf } from '../../stats/unit-root.ts';

/** Weights below this are left out. */
export const WEIGHT_THRESHOLD_DEFAULT = 1e-4;
/** With d near 0 weights fall slowly; no window is longer than this. */
const WEIGHT_COUNT_MAX = 10_000;

/**
 * Weights of (1 − B)^d, newest value first, up to the last one of at least `threshold`.
 *
 * w(0) = 1, w(k) = −w(k − 1) · (d − k + 1) / k. For d = 1 they are 1, −1; for d = 0 just 1.
 *
 * @throws RangeError if `d` lies outside 0..2 or the threshold is not positive.
 * @see Hosking 1981, doi:10.1093/biomet/68.1.165.
 */
export function fractionalWeights(d: number, threshold: number = WEIGHT_THRESHOLD_DEFAULT): Float64Array {
  expect(d >= 0 && d <= 2, `d must lie in 0..2, was ${d}`);
  expect(threshold > 0, `threshold must be positive, was ${threshold}`);
  const weights = [1];
  for (let k = 1; k < WEIGHT_COUNT_MAX; k++) {
    const weight = (-weights[k - 1]! * (d - k + 1)) / k;
    if (Math.abs(weight) < threshold) break;
    weights.push(weight);
  }
  return Float64Array.from(weights);
}

/**
 * Fractional difference with a window of fixed width: every value is made of as many values before it.
 *
 * NaN until the window is full and wherever a value in it is missing. Time O(T · width).
 *
 * @param values T values, logs of prices as a rule.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 5, section 5.
 */
export function fractionalDifference(
  values: Float64Array,
  d: number,
  threshold: number = WEIGHT_THRESHOLD_DEFAULT,
): Float64Array {
  const weights = fractionalWeights(d, threshold);
  const width = weights.length;
  return values.map((_, t) => {
    if (t < width - 1) return Number.NaN;
    let sum = 0;
    for (let k = 0; k < width; k++) sum += weights[k]! * values[t - k]!;
    return sum;
  });
}

export type LeastDifference =
  | {
      status: 'found';
      /** The least d tried whose difference is stationary at `level`. */
      d: number;
      pValue: number;
      /** Correlation of the difference with the values themselves: the memory that was kept. */
      correlation: number;
      /** Values before the first difference. */
      warmUp: number;
    }
  | { status: 'none'; why: string };

export type LeastDifferenceOptions = {
  /** P-value of the unit-root test that counts as stationary. Default .05. */
  level?: number;
  /** Distance of the values of d tried, from 0 to 1. Default .05. */
  step?: number;
  threshold?: number;
  /** Fewest differences the test is asked about. Default 100. */
  countMin?: number;
  adf?: AdfOptions;
};

/**
 * The least d between 0 and 1 for which the differenced series passes the augmented Dickey-Fuller test.
 *
 * A search over the same data twenty times finds a p-value below .05 more often than one time in twenty: d is a setting
 * learnt from the training window, not a finding. Give it training rows only.
 *
 * @param values T values without gaps.
 */
export function leastDifference(values: Float64Array, options: LeastDifferenceOptions = {}): LeastDifference {
  const { level = 0.05, step = 0.05, threshold = WEIGHT_THRESHOLD_DEFAULT, countMin = 100 } = options;
  expect(level > 0 && level < 1, `level must lie between 0 and 1, was ${level}`);
  expect(step > 0 && step <= 1, `step must lie in (0, 1], was ${step}`);
  if (values.some(Number.isNaN)) return { status: 'none', why: 'the series has gaps' };
  const steps = Math.round(1 / step);
  let tried = 0;
  for (let k = 0; k <= steps; k++) {
    const d = k / steps;
    const difference = fractionalDifference(values, d, threshold);
    const warmUp = fractionalWeights(d, threshold).length - 1;
    const told = difference.subarray(Math.min(warmUp, difference.length));
    if (told.length < countMin) continue;
    const test = adf(told, options.adf);
    if (test.status !== 'ok') continue;
    tried++;
    if (test.pValue <= level)
      return { status: 'found', d, pValue: test.pValue, correlation: correlate(told, values.subarray(warmUp)), warmUp };
  }
  if (tried === 0) return { status: 'none', why: `no difference leaves ${countMin} values a test can answer for` };
  return { status: 'none', why: `no d up to 1 is stationary at ${level}` };
}

/** NaN where either side has no spread. */
function correlate(x: Float64Array, y: Float64Array): number {
  const n = x.length;
  let [meanX, meanY] = [0, 0];
  for (let i = 0; i < n; i++) {
    meanX += x[i]! / n;
    meanY += y[i]! / n;
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    xx += (x[i]! - meanX) ** 2;
    yy += (y[i]! - meanY) ** 2;
    xy += (x[i]! - meanX) * (y[i]! - meanY);
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}
