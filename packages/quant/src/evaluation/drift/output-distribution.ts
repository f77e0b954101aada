import { expect } from '../../checks/expect.ts';
import { sortedQuantile } from '../../stats/quantile.ts';
import { REFERENCE_ROWS_MIN, SHIFT_WINDOW } from './shift-statistics.ts';

/** Shares at which two distributions are compared: their mean distance is all but the first Wasserstein distance. */
const SHARES = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];

/**
 * How far the outputs of the last `SHIFT_WINDOW` sessions, of all subjects together, are distributed from those of the windows
 * before: mean distance of their quantiles, in standard deviations of all outputs before. One value a session, NaN with too
 * little past; it uses that session and earlier ones only. Time O(n · window · log).
 *
 * A mean may stand still while the outputs gather in the middle or flee to the ends; this tells that too.
 *
 * @param outputs For each session, oldest first, one value a subject; NaN where it abstained. Sessions may have none.
 */
export function outputDistances(outputs: readonly Float64Array[]): Float64Array {
  const n = outputs.length;
  const distances = new Float64Array(n).fill(Number.NaN);
  const quantiles: (Float64Array | null)[] = [];
  const usual = new Float64Array(SHARES.length);
  let windows = 0;
  let [count, mean, squares] = [0, 0, 0];
  for (let t = 0; t < n; t++) {
    quantiles.push(t < SHIFT_WINDOW - 1 ? null : quantilesOf(outputs.slice(t - SHIFT_WINDOW + 1, t + 1)));
    const left = t - SHIFT_WINDOW;
    if (left < 0) continue;
    for (const value of outputs[left]!) {
      if (Number.isNaN(value)) continue;
      count += 1;
      const away = value - mean;
      mean += away / count;
      squares += away * (value - mean);
    }
    const past = quantiles[left]!;
    if (past !== null) {
      windows += 1;
      for (let k = 0; k < SHARES.length; k++) usual[k]! += (past[k]! - usual[k]!) / windows;
    }
    const now = quantiles[t]!;
    if (windows < REFERENCE_ROWS_MIN || now === null || !(squares > 0)) continue;
    let sum = 0;
    for (let k = 0; k < SHARES.length; k++) sum += Math.abs(now[k]! - usual[k]!);
    distances[t] = sum / SHARES.length / Math.sqrt(squares / (count - 1));
  }
  return distances;
}

/** Quantiles of all values of a window; null where fewer values than sessions are there. */
function quantilesOf(window: readonly Float64Array[]): Float64Array | null {
  expect(window.length === SHIFT_WINDOW, `a window has ${SHIFT_WINDOW} sessions, had ${window.length}`);
  const values = Float64Array.from(window.flatMap((day) => Array.from(day.filter((x) => !Number.isNaN(x))))).sort();
  if (values.length < SHIFT_WINDOW) return null;
  return Float64Array.from(SHARES, (share) => sortedQuantile(values, share));
}
