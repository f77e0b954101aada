import type { Reason } from '@touchstone/contracts/market';
import { dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesQuery, SeriesService, UniverseSeries } from '../../features/index.ts';
import type { Principal } from '../../platform/database/database.ts';

export type LeftOut = { series: Series; reason: Reason };

/** The last sessions of a universe, side by side. */
export type UniverseWindow = {
  /** Days of the closes, one more than there are returns. */
  days: Int32Array;
  /** Members with a close on nearly every day that move at all. */
  whole: Series[];
  /** Row-major days × whole; a missing close is the one before it. */
  close: Float64Array;
  /** Of each of the whole: days without a close. */
  bridged: number[];
  leftOut: LeftOut[];
};

/** Calendar days in which so many sessions surely lie, unless a market was closed for weeks. */
function calendarDays(sessions: number): number {
  return Math.ceil(sessions * 1.5) + 15;
}

/** Longer than any market was closed in a year. */
const BEGIN_DAYS = 14;

/**
 * The members of a universe over its last sessions as known then. Old bars are read only where these hold too few: a universe
 * of a market that ended has its last sessions as well.
 */
export async function readLastSessions(
  reader: SeriesService,
  principal: Principal,
  universeId: number,
  query: SeriesQuery,
  sessions: number,
): Promise<UniverseSeries> {
  const lastDays = calendarDays(sessions);
  const recent = await reader.readUniverse(principal, universeId, { ...query, lastDays });
  const days = sessionDays(recent.members);
  // Bars that begin well after the first day asked for have none before it.
  const isAll = days.length > 0 && days.at(-1)! - days[0]! < lastDays - BEGIN_DAYS;
  if (days.length > sessions || isAll) return recent;
  const { asOf, knownAt, recordedAt } = recent.time;
  return reader.readUniverse(principal, universeId, { asOf, knownAt, recordedAt });
}

/** Days on which more than half as many members have a bar as on the busiest day, ascending. */
export function sessionDays(members: readonly Series[]): Int32Array {
  const counts = new Map<number, number>();
  for (const { bars } of members) for (const day of bars.day) counts.set(day, (counts.get(day) ?? 0) + 1);
  let most = 0;
  for (const count of counts.values()) most = Math.max(most, count);
  return Int32Array.from([...counts.keys()].filter((day) => 2 * counts.get(day)! > most)).sort();
}

/** Closes on the given days, NaN where there is none; row-major days × members. */
export function closesOn(days: Int32Array, members: readonly Series[]): Float64Array {
  const place = new Map(Array.from(days, (day, row) => [day, row]));
  const close = new Float64Array(days.length * members.length).fill(Number.NaN);
  for (const [column, { bars }] of members.entries())
    for (const [k, day] of bars.day.entries()) {
      const row = place.get(day);
      if (row !== undefined && bars.close[k]! > 0) close[row * members.length + column] = bars.close[k]!;
    }
  return close;
}

/** Of the days of a window, at most this share may be bridged: a lone missing bar is no reason to lose a name. */
const BRIDGED_SHARE_MAX = 0.02;

/**
 * The last `sessions` returns of a universe, of those members that have nearly all of them. A missing day is bridged by the
 * close before: its return is nought and the next one spans both days.
 */
export function lastWindow(members: readonly Series[], sessions: number): UniverseWindow {
  const days = sessionDays(members).slice(-(sessions + 1));
  const all = closesOn(days, members);
  const whole: Series[] = [];
  const columns: Float64Array[] = [];
  const bridged: number[] = [];
  const leftOut: LeftOut[] = [];
  for (const [column, series] of members.entries()) {
    const values = Float64Array.from(days, (_, row) => all[row * members.length + column]!);
    const reason = reasonOf(values, days);
    if (reason !== null) {
      leftOut.push({ series, reason });
      continue;
    }
    bridged.push(bridge(values));
    whole.push(series);
    columns.push(values);
  }
  const close = new Float64Array(days.length * whole.length);
  for (const [at, values] of columns.entries())
    for (let row = 0; row < days.length; row++) close[row * whole.length + at] = values[row]!;
  return { days, whole, close, bridged, leftOut };
}

/** @returns How many were missing. */
function bridge(values: Float64Array): number {
  let missing = 0;
  for (let row = 1; row < values.length; row++) {
    if (!Number.isNaN(values[row]!)) continue;
    values[row] = values[row - 1]!;
    missing += 1;
  }
  return missing;
}

function reasonOf(values: Float64Array, days: Int32Array): Reason | null {
  const missing = values.filter(Number.isNaN).length;
  if (missing === values.length) return { code: 'all_missing', sentence: 'It has no close in the window.' };
  if (Number.isNaN(values[0]!) || missing > BRIDGED_SHARE_MAX * values.length) {
    const first = dayText(days[values.findIndex(Number.isNaN)]!);
    const sentence = `${missing} of ${values.length} sessions have no close, the first ${first}.`;
    return { code: 'gap_in_window', sentence };
  }
  const told = values.filter((value) => !Number.isNaN(value));
  if (told.every((value) => value === told[0]))
    return { code: 'constant_prices', sentence: 'Its price did not move in the window.' };
  return null;
}

/** Row-major (rows − 1) × count simple returns of whole closes. */
export function returnsOf(close: Float64Array, count: number): Float64Array {
  return Float64Array.from({ length: Math.max(0, close.length - count) }, (_, k) => close[k + count]! / close[k]! - 1);
}
