/** A value of a macro series by the day it is about. */
export type ValueAt = { day: number; value: number };

/** Days after which a value no longer stands for the month. */
const OLD_DAYS = 100;

/** Places of the last day of each month among ascending days; the last month counts as far as it goes. */
export function monthEnds(days: Int32Array): number[] {
  const ends: number[] = [];
  for (let k = 0; k < days.length; k++)
    if (k + 1 === days.length || monthOf(days[k]!) !== monthOf(days[k + 1]!)) ends.push(k);
  return ends;
}

/**
 * Changes of the last value about each day or one before it, from one day to the next, in standard deviations of these
 * changes. NaN where a value is more than 100 days old, and everywhere when nothing changes.
 *
 * @param values Ascending. @param days Ascending. @returns One fewer than there are days.
 */
export function changesOf(values: readonly ValueAt[], days: readonly number[]): Float64Array {
  let at = -1;
  const told = days.map((day) => {
    while (at + 1 < values.length && values[at + 1]!.day <= day) at++;
    return at >= 0 && day - values[at]!.day <= OLD_DAYS ? values[at]!.value : Number.NaN;
  });
  const changes = Float64Array.from({ length: Math.max(0, days.length - 1) }, (_, k) => told[k + 1]! - told[k]!);
  const whole = changes.filter((value) => !Number.isNaN(value));
  const mean = whole.reduce((sum, value) => sum + value, 0) / whole.length;
  const deviation = Math.sqrt(whole.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (whole.length - 1));
  return changes.map((value) => (deviation > 0 ? value / deviation : Number.NaN));
}

function monthOf(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 7);
}
