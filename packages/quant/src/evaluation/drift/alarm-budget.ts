import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';
import { circularBlockIndices } from '../../stats/block-bootstrap.ts';
import { sortedQuantile } from '../../stats/quantile.ts';

/** Sessions a year, for rates. */
export const SESSIONS_PER_YEAR = 252;

export type BudgetSettings = {
  /** False alarms a year that are put up with, > 0. */
  alarmsPerYear: number;
  /** One alarm silences the rule for this many sessions: its window still holds what raised it. */
  quietRows: number;
  /** Sessions of a block: long enough to keep a crisis whole. */
  blockLength: number;
  resampleCount: number;
  /** Of the limits the resampled pasts ask for, this quantile is taken: above one half errs towards silence. */
  caution: number;
};

/**
 * How often a rule with this limit would have called, one call silencing it for `quietRows` sessions. A state that lasts calls
 * again after that: it is no single alarm.
 */
export function countAlarms(statistic: Float64Array, limit: number, quietRows: number): number {
  let count = 0;
  for (let t = 0; t < statistic.length; t++) {
    if (!(statistic[t]! > limit)) continue;
    count += 1;
    t += quietRows - 1;
  }
  return count;
}

/**
 * The least limit that keeps to a budget of false alarms, from a rule's own past, in which every alarm counts as false: for each
 * block resample of the past the least limit with at most `alarmsPerYear` calls a year, then a quantile of these. Blocks keep
 * what belongs together, so that neither autocorrelation nor fat tails need a formula.
 *
 * @param past Statistic of past sessions; NaN where it had no value.
 * @returns NaN with less than a year of values.
 * @throws RangeError for settings out of range.
 */
export function limitWithinBudget(past: Float64Array, settings: BudgetSettings, random: Random): number {
  const { alarmsPerYear, quietRows, resampleCount, caution } = settings;
  expect(alarmsPerYear > 0, `alarmsPerYear must be positive, was ${alarmsPerYear}`);
  expect(Number.isInteger(quietRows) && quietRows >= 1, `quietRows must be a whole number >= 1, was ${quietRows}`);
  expect(caution > 0 && caution < 1, `caution must be between 0 and 1, was ${caution}`);
  const values = past.filter((x) => !Number.isNaN(x));
  const n = values.length;
  if (n < SESSIONS_PER_YEAR) return Number.NaN;
  const allowed = (alarmsPerYear * n) / SESSIONS_PER_YEAR;
  const indices = new Uint32Array(n);
  const sample = new Float64Array(n);
  const limits = new Float64Array(resampleCount);
  const sorted = values.slice().sort();
  for (let b = 0; b < resampleCount; b++) {
    circularBlockIndices(indices, n, Math.min(settings.blockLength, n), random);
    for (let k = 0; k < n; k++) sample[k] = values[indices[k]!]!;
    // The count falls as the limit rises, all but exactly; the search is among values that were seen.
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (countAlarms(sample, sorted[middle]!, quietRows) <= allowed) high = middle;
      else low = middle + 1;
    }
    limits[b] = sorted[low]!;
  }
  return sortedQuantile(limits.sort(), caution);
}
