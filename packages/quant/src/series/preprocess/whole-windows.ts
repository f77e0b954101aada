import { expect } from '../../checks/expect.ts';
import { type CalendarCode, tradingDays } from '../trading-calendar.ts';

/** When two rows that follow each other are no neighbours. */
export type GapRule =
  /** More than `missedMax` sessions of the calendar lie between them (default 0). */
  | { calendar: CalendarCode; missedMax?: number }
  /** They lie more than `daysMax` calendar days apart: 4 lets a long weekend pass. */
  | { daysMax: number };

export type WindowBreaks = {
  rule: GapRule;
  /**
   * Rows from which prices are told in another unit than before and no adjustment is known: a split or a spin-off that
   * was not accounted for. No window holds both sides.
   */
  actionRows?: readonly number[];
  /** Row-major T × N: a row with NaN in any column belongs to no window. */
  values?: Float64Array;
};

/**
 * For each of T rows the first row of the unbroken stretch it ends, T itself for a row that belongs to none. A window of
 * length L that ends at row t is whole if `t − since[t] + 1 >= L`. Row t depends on rows up to t only.
 *
 * @param day T days since 1970-01-01, ascending.
 * @throws RangeError if days do not ascend or a shape is wrong.
 */
export function unbrokenSince(day: Int32Array, { rule, actionRows = [], values }: WindowBreaks): Int32Array {
  const rowCount = day.length;
  expect(!values || rowCount === 0 || values.length % rowCount === 0, `values must have ${rowCount} rows`);
  const columnCount = values && rowCount > 0 ? values.length / rowCount : 0;
  const isAction = new Set(actionRows);
  for (const row of isAction)
    expect(row >= 0 && row < rowCount, `action rows must lie in 0..${rowCount - 1}, had ${row}`);
  const isApart = gapTest(day, rule);
  const since = new Int32Array(rowCount);
  let start = 0;
  for (let t = 0; t < rowCount; t++) {
    expect(t === 0 || day[t]! > day[t - 1]!, `days must ascend, row ${t} does not`);
    if (t > 0 && (isAction.has(t) || isApart(t))) start = t;
    const isMissing = values?.subarray(t * columnCount, (t + 1) * columnCount).some(Number.isNaN) ?? false;
    since[t] = isMissing ? rowCount : start;
    if (isMissing) start = t + 1;
  }
  return since;
}

/** Last rows of all whole windows of a length, ascending. @throws RangeError if the length is no whole number >= 1. */
export function wholeWindowEnds(since: Int32Array, length: number): Int32Array {
  expect(Number.isInteger(length) && length >= 1, `a window's length must be a whole number >= 1, was ${length}`);
  return Int32Array.from(since.keys()).filter((t) => t - since[t]! + 1 >= length);
}

/** Whether row t is no neighbour of the row before. */
function gapTest(day: Int32Array, rule: GapRule): (t: number) => boolean {
  if ('daysMax' in rule) {
    expect(rule.daysMax >= 1, `daysMax must be >= 1, was ${rule.daysMax}`);
    return (t) => day[t]! - day[t - 1]! > rule.daysMax;
  }
  const { calendar, missedMax = 0 } = rule;
  expect(missedMax >= 0, `missedMax must be >= 0, was ${missedMax}`);
  if (day.length === 0) return () => false;
  const sessions = tradingDays(calendar, day[0]!, Math.max(day[0]!, day[day.length - 1]!));
  return (t) => countBefore(sessions, day[t]!) - countBefore(sessions, day[t - 1]! + 1) > missedMax;
}

/** Sessions before a day. */
function countBefore(sessions: Int32Array, day: number): number {
  let low = 0;
  let high = sessions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sessions[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low;
}
