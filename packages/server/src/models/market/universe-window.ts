import type { Reason } from '@touchstone/contracts/market';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesQuery, SeriesService, UniverseSeries } from '../../features/index.ts';
import { resolveTime } from '../../market-data/index.ts';
import type { Database, Principal } from '../../platform/database/database.ts';

export type LeftOut = { series: Series; reason: Reason };

/** The last sessions of a universe, side by side. */
export type UniverseWindow = {
  /** Days of the closes, one more than there are returns. */
  days: Int32Array;
  /** Members with a close on every day that move at all. */
  whole: Series[];
  /** Row-major days × whole. */
  close: Float64Array;
  leftOut: LeftOut[];
};

/** Calendar days in which so many sessions surely lie, unless a market was closed for weeks. */
function calendarDays(sessions: number): number {
  return Math.ceil(sessions * 1.5) + 15;
}

/** Longer than any market was closed in a year. */
const BEGIN_DAYS = 14;

/**
 * The members of a universe over its last sessions as known then. Old bars are read only when the last years hold too few:
 * a universe of a market that ended has its last sessions as well.
 */
export async function readLastSessions(
  parts: { database: Database; series: SeriesService },
  principal: Principal,
  universeId: number,
  query: SeriesQuery,
  sessions: number,
): Promise<UniverseSeries> {
  const pinned = await pinnedTime(parts.database, principal, query);
  const from = dayNumber(pinned.asOf) - calendarDays(sessions);
  const recent = await parts.series.readUniverse(principal, universeId, { ...pinned, from: dayText(from) });
  const days = sessionDays(recent.members);
  // Bars that begin well after the first day asked for have none before it.
  const isAll = days.length > 0 && days[0]! > from + BEGIN_DAYS;
  if (days.length > sessions || isAll) return recent;
  return parts.series.readUniverse(principal, universeId, pinned);
}

async function pinnedTime(database: Database, principal: Principal, query: SeriesQuery) {
  const { asOf, knownAt, recordedAt } = query;
  if (asOf !== undefined && knownAt !== undefined && recordedAt !== undefined) return { asOf, knownAt, recordedAt };
  const time = await database.transaction(principal, (tx) => resolveTime(tx, query), {
    ...{ readOnly: true, isolation: 'repeatable read' },
  });
  return { asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt };
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

/** The last `sessions` returns of a universe, of those members that have all of them. */
export function lastWindow(members: readonly Series[], sessions: number): UniverseWindow {
  const days = sessionDays(members).slice(-(sessions + 1));
  const all = closesOn(days, members);
  const kept: number[] = [];
  const leftOut: LeftOut[] = [];
  for (const [column, series] of members.entries()) {
    const reason = reasonOf(column, all, days, members.length);
    if (reason === null) kept.push(column);
    else leftOut.push({ series, reason });
  }
  const close = new Float64Array(days.length * kept.length);
  for (let row = 0; row < days.length; row++)
    for (const [at, column] of kept.entries()) close[row * kept.length + at] = all[row * members.length + column]!;
  return { days, whole: kept.map((column) => members[column]!), close, leftOut };
}

function reasonOf(column: number, close: Float64Array, days: Int32Array, count: number): Reason | null {
  const values = Array.from(days, (_, row) => close[row * count + column]!);
  const missing = values.filter(Number.isNaN).length;
  if (missing === values.length) return { code: 'all_missing', sentence: 'It has no close in the window.' };
  if (missing > 0) {
    const first = dayText(days[values.findIndex(Number.isNaN)]!);
    const sentence = `${missing} of ${values.length} sessions have no close, the first ${first}.`;
    return { code: 'gap_in_window', sentence };
  }
  if (values.every((value) => value === values[0]))
    return { code: 'constant_prices', sentence: 'Its price did not move in the window.' };
  return null;
}

/** Row-major (rows − 1) × count simple returns of whole closes. */
export function returnsOf(close: Float64Array, count: number): Float64Array {
  return Float64Array.from({ length: Math.max(0, close.length - count) }, (_, k) => close[k + count]! / close[k]! - 1);
}
