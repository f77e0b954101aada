import { expect } from '../checks/expect.ts';

/**
 * Loss of a variance forecast: x − ln x − 1 with x = target / forecast. Zero for a perfect forecast, and minimised on
 * average by the conditional mean even where the target is a noisy but unbiased proxy. NaN where either is missing or not
 * positive.
 *
 * @throws RangeError if the lengths differ.
 * @see Patton 2011, doi:10.1016/j.jeconom.2010.03.034
 */
export function qlikeLosses(target: Float64Array, forecast: Float64Array): Float64Array {
  expect(
    target.length === forecast.length,
    `target and forecast need one length, had ${target.length}, ${forecast.length}`,
  );
  return target.map((value, t) => {
    const ratio = value / forecast[t]!;
    return value > 0 && forecast[t]! > 0 && Number.isFinite(ratio) ? ratio - Math.log(ratio) - 1 : Number.NaN;
  });
}

/**
 * Mean of the `horizon` values after each row: row t holds the mean of t + 1 .. t + horizon, NaN where one is missing or
 * lies beyond the end. This is what a forecast made at t is judged by; its label ends at t + horizon.
 */
export function meanAhead(values: Float64Array, horizon: number): Float64Array {
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  const result = new Float64Array(values.length).fill(Number.NaN);
  for (let t = 0; t + horizon < values.length; t++) {
    let sum = 0;
    for (let s = t + 1; s <= t + horizon; s++) sum += values[s]!;
    result[t] = sum / horizon;
  }
  return result;
}

/** Mean of the last `window` values up to each row; missing values are left out, NaN with fewer than half of them. */
export function trailingMean(values: Float64Array, window: number): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  for (let t = window - 1; t < values.length; t++) {
    let sum = 0;
    let count = 0;
    for (let s = t - window + 1; s <= t; s++)
      if (!Number.isNaN(values[s]!)) {
        sum += values[s]!;
        count++;
      }
    if (2 * count >= window) result[t] = sum / count;
  }
  return result;
}
