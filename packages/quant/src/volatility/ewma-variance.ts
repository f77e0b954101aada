import { expect } from '../checks/expect.ts';

/** Days averaged into the first value. */
const SEED_DAYS = 22;

/**
 * Exponentially weighted mean of a day's variance, as of each day: h_t = λ h_{t−1} + (1 − λ) v_t. It is the forecast for
 * every day after t. NaN until `SEED_DAYS` values were seen, which are averaged as the start; a missing value leaves it as
 * it was.
 *
 * @param variance Return² per day; the unit is kept.
 * @param decay λ, in 0..1 exclusive. .94 is the daily choice of RiskMetrics.
 * @throws RangeError if `decay` lies outside 0..1.
 * @see J.P. Morgan/Reuters 1996, RiskMetrics Technical Document, 4th edition, section 5.2
 */
export function ewmaVariance(variance: Float64Array, decay: number): Float64Array {
  expect(decay > 0 && decay < 1, `decay must be between 0 and 1, was ${decay}`);
  const result = new Float64Array(variance.length).fill(Number.NaN);
  let sum = 0;
  let count = 0;
  let level = Number.NaN;
  for (let t = 0; t < variance.length; t++) {
    const v = variance[t]!;
    if (!Number.isNaN(v)) {
      if (count < SEED_DAYS) {
        sum += v;
        count++;
        if (count === SEED_DAYS) level = sum / SEED_DAYS;
      } else level = decay * level + (1 - decay) * v;
    }
    result[t] = level;
  }
  return result;
}
