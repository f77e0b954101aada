import { expect } from '../checks/expect.ts';
import { checkHorizon } from './forward-return.ts';
import { createLabels, finishLabels, type Labels } from './label.ts';

export const VOLATILITY_HORIZON_DEFAULT = 5;
export const VOLATILITY_WINDOW_DEFAULT = 22;

/**
 * Whether volatility rises: 1 if the mean daily variance of rows t + 1 to t + horizon is above that of the `window` rows up
 * to t, else 0. Known at row t + horizon.
 *
 * @param variance T daily variances: `garmanKlassOvernightVariance`, or others.
 * @throws RangeError if the horizon or the window is no whole number >= 1.
 */
export function volatilityDirection(
  variance: Float64Array,
  horizon: number = VOLATILITY_HORIZON_DEFAULT,
  window: number = VOLATILITY_WINDOW_DEFAULT,
): Labels {
  checkHorizon(horizon);
  expect(Number.isInteger(window) && window >= 1, `window must be a whole number >= 1, was ${window}`);
  const rowCount = variance.length;
  const labels = createLabels(rowCount);
  for (let t = 0; t < rowCount; t++) {
    const past = meanOf(variance, t - window + 1, t);
    if (Number.isNaN(past)) labels.labelEnd[t] = t;
    else if (t + horizon < rowCount) {
      const future = meanOf(variance, t + 1, t + horizon);
      labels.value[t] = Number.isNaN(future) ? Number.NaN : future > past ? 1 : 0;
      labels.labelEnd[t] = t + horizon;
    }
  }
  return finishLabels(labels);
}

/** Mean of rows `from` to `to`, both included; NaN where one is missing or before the first. */
function meanOf(values: Float64Array, from: number, to: number): number {
  if (from < 0) return Number.NaN;
  let sum = 0;
  for (let i = from; i <= to; i++) sum += values[i]!;
  return sum / (to - from + 1);
}
