import type { Bars } from '@touchstone/quant/series/bars';
import { dayText } from '@touchstone/quant/series/day';
import { copyOut } from '../../platform/database/copy-binary.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import type { KnownAction } from '../facts/corporate-actions.ts';
import { dayLiteral, literal } from '../facts/literals.ts';
import { loadSuspectSteps } from '../facts/load-small-facts.ts';
import { findPriceSources, type PriceBasis } from '../facts/price-source.ts';
import { adjust, payNothing } from './load-bars.ts';

/**
 * Everything that was ever told of an instrument's bars by `recordedAt`, with the times between which each telling was in
 * sight: enough to say what was known at any moment without asking the database again. Instants are EpochMs.
 */
export type History = {
  instrumentId: number;
  sourceId: number;
  delivered: PriceBasis | null;
  /** Sorted by day, then knowledge time, then run: of those in sight the last of a day counts. */
  tellings: {
    day: Int32Array;
    knownAt: Float64Array;
    /** When it was taken back; infinite: never. */
    until: Float64Array;
    open: Float64Array;
    high: Float64Array;
    low: Float64Array;
    close: Float64Array;
    volume: Float64Array;
  };
  /** Sorted by day, kind, knowledge time, run. */
  actions: { day: number; kind: 'split' | 'dividend'; value: number; knownAt: number; until: number }[];
  /** Ascending days whose step looks like a split nobody told of. */
  suspectDays: Int32Array;
};

/** What was known of an instrument at one moment: the same, bit by bit, as `loadBars` says for it. */
export type KnownBars = { bars: Bars; basis: PriceBasis | null };

/** Reads the histories of many instruments up to a day: three statements for each of their sources. */
export async function loadHistories(
  tx: Transaction,
  question: { instrumentIds: readonly number[]; to: string; recordedAt: string },
): Promise<Map<number, History>> {
  const { instrumentIds, to, recordedAt } = question;
  const histories = new Map<number, History>();
  if (instrumentIds.length === 0) return histories;
  const sources = await findPriceSources(tx, instrumentIds, recordedAt);
  const bySource = Map.groupBy(
    instrumentIds.filter((id) => sources.has(id)),
    (id) => sources.get(id)!.id,
  );
  const actions = await loadActionTellings(tx, instrumentIds, to, recordedAt);
  for (const [sourceId, ids] of bySource) {
    const delivered = sources.get(ids[0]!)?.priceBasis ?? null;
    const time = { asOf: to, knownAt: recordedAt, recordedAt, reconstructed: false };
    const suspects = await loadSuspectSteps(tx, ids, sourceId, time);
    for (const [instrumentId, tellings] of await loadBarTellings(tx, ids, sourceId, to, recordedAt)) {
      const suspectDays = suspects.day.filter((_, row) => suspects.instrument[row] === instrumentId);
      const told = actions.get(instrumentId) ?? [];
      histories.set(instrumentId, { instrumentId, sourceId, delivered, tellings, actions: told, suspectDays });
    }
  }
  return histories;
}

/**
 * The bars known at a moment, up to a day, adjusted as far as the source allows.
 *
 * @param asOf Day number; bars and actions after it are left out.
 * @param knownAt EpochMs.
 * @param to Bars after this day are left out, while actions up to `asOf` are known: for a cut of a longer answer.
 */
export function barsAsKnown(history: History, asOf: number, knownAt: number, to = asOf): KnownBars {
  const { tellings, delivered } = history;
  const { day } = tellings;
  const rows: number[] = [];
  for (let row = 0; row < day.length && day[row]! <= to; ) {
    const first = row;
    let best = -1;
    for (; row < day.length && day[row] === day[first]; row++) if (isInSight(tellings, row, knownAt)) best = row;
    // A telling without any price withholds the bar.
    if (best >= 0 && isTold(tellings, best)) rows.push(best);
  }
  const floats = (column: Float64Array) => Float64Array.from(rows, (at) => column[at]!);
  const bars: Bars = {
    day: Int32Array.from(rows, (at) => day[at]!),
    open: floats(tellings.open),
    high: floats(tellings.high),
    low: floats(tellings.low),
    close: floats(tellings.close),
    volume: floats(tellings.volume),
  };
  if (delivered !== null) adjust(bars, actionsAsKnown(history, asOf, knownAt), delivered);
  for (const suspect of history.suspectDays) if (suspect <= to) payNothing(bars, suspect);
  return { bars, basis: delivered === null ? null : 'total_return' };
}

/**
 * Moments at which what was known changed other than by a new last bar: between two of them, what is known at the later
 * moment begins with what is known at the earlier one. Ascending, EpochMs.
 */
export function revisionTimes({ tellings, actions }: History): Float64Array {
  const { day, knownAt, until } = tellings;
  const times = new Set<number>();
  for (let row = 0; row < day.length; row++) {
    const isFirst = row === 0 || day[row - 1] !== day[row];
    // Told again, unless with the same words; and one without a price may take a bar away or be followed by one.
    if ((!isFirst && !isSame(tellings, row)) || !isTold(tellings, row)) times.add(knownAt[row]!);
    if (until[row]! !== Number.POSITIVE_INFINITY) times.add(until[row]!);
  }
  // A day that was told later than a day after it.
  let least = Number.POSITIVE_INFINITY;
  for (let row = day.length - 1; row >= 0; row--) {
    if (knownAt[row]! > least) times.add(knownAt[row]!);
    least = Math.min(least, knownAt[row]!);
  }
  for (const action of actions) {
    times.add(action.knownAt);
    if (action.until !== Number.POSITIVE_INFINITY) times.add(action.until);
  }
  return Float64Array.from(times).sort();
}

/** The last day up to `asOf` with a bar that was known by then; null when there is none. */
export function lastDayKnown({ tellings }: History, asOf: number, knownAt: number): number | null {
  const { day } = tellings;
  for (let row = lastUpTo(day, asOf); row >= 0; ) {
    const last = row;
    let best = -1;
    for (; row >= 0 && day[row] === day[last]; row--) if (best < 0 && isInSight(tellings, row, knownAt)) best = row;
    if (best >= 0 && isTold(tellings, best)) return day[last]!;
  }
  return null;
}

/** When the bar of the last day up to `asOf` was first known, EpochMs; null when there is none. */
export function firstKnownOf({ tellings }: History, asOf: number): number | null {
  const { day, knownAt } = tellings;
  let last = lastUpTo(day, asOf);
  if (last < 0) return null;
  while (last > 0 && day[last - 1] === day[last]) last--;
  return knownAt[last]!;
}

/** The last row with a day up to `asOf`, or −1. */
function lastUpTo(day: Int32Array, asOf: number): number {
  let low = 0;
  let high = day.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (day[middle]! <= asOf) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Of several tellings of an action the last known counts. */
function actionsAsKnown({ actions }: History, asOf: number, knownAt: number): KnownAction[] {
  const known = new Map<string, KnownAction>();
  for (const action of actions) {
    if (action.day > asOf || action.knownAt > knownAt || action.until <= knownAt) continue;
    const { kind, value } = action;
    const day = dayText(action.day);
    known.set(`${day} ${kind}`, { day, kind, value, knownAt: new Date(action.knownAt).toISOString() });
  }
  return [...known.values()];
}

function isInSight({ knownAt, until }: History['tellings'], row: number, moment: number): boolean {
  return knownAt[row]! <= moment && until[row]! > moment;
}

/** True for a row that says of its day what the row before it says, neither taken back. */
function isSame(tellings: History['tellings'], row: number): boolean {
  const { open, high, low, close, volume, until } = tellings;
  if (until[row]! !== Number.POSITIVE_INFINITY || until[row - 1]! !== Number.POSITIVE_INFINITY) return false;
  return [open, high, low, close, volume].every((column) => Object.is(column[row], column[row - 1]));
}

function isTold({ open, high, low, close }: History['tellings'], row: number): boolean {
  return ![open, high, low, close].every((column) => Number.isNaN(column[row]!));
}

/** When a row was known and until when, in the words of ARCHITECTURE.md, Time; `r` is a visible run. */
function timesOf(fact: string, recordedAt: string): { known: string; until: string; where: string } {
  const isRetracted = `(r.retracted_at IS NOT NULL AND r.retracted_at <= ${literal(recordedAt)})`;
  return {
    known: `coalesce(${fact}.known_at, r.published_at)`,
    until: `CASE WHEN ${isRetracted} THEN r.retracted_at ELSE 'infinity'::timestamptz END`,
    // What was declared and taken back was never true; what was recorded was believed until then.
    where: `r.published_at <= ${literal(recordedAt)} AND (${fact}.known_at IS NULL OR NOT ${isRetracted})`,
  };
}

async function loadBarTellings(
  tx: Transaction,
  instrumentIds: readonly number[],
  sourceId: number,
  to: string,
  recordedAt: string,
): Promise<Map<number, History['tellings']>> {
  await tx.client.query(`SET LOCAL work_mem = '256MB'`);
  const relation = await openBars(tx, { instrumentIds, to });
  const { known, until, where } = timesOf('o', recordedAt);
  const query = `WITH r AS MATERIALIZED (SELECT * FROM visible_run WHERE source_id = ${Math.trunc(sourceId)})
    SELECT o.instrument_id, o.day, ${known}, ${until}, o.open, o.high, o.low, o.close, o.volume
    FROM ${relation} o JOIN r ON r.run_id = o.run_id
    WHERE o.source_id = ${Math.trunc(sourceId)} AND o.day <= ${dayLiteral(to)} AND ${where}
      AND o.instrument_id = ANY (ARRAY[${instrumentIds.map(Math.trunc).join(',')}]::int[])
    ORDER BY o.instrument_id, o.day, 3, o.run_id`;
  const floats = ['float8', 'float8', 'float8', 'float8', 'float8'] as const;
  const { rowCount, columns } = await copyOut(tx.client, query, [
    'int4',
    'date',
    'timestamptz',
    'timestamptz',
    ...floats,
  ]);
  const [instrument, day] = columns.filter((column) => column instanceof Int32Array);
  const [knownAt, gone, open, high, low, close, volume] = columns.filter((column) => column instanceof Float64Array);
  const split = new Map<number, History['tellings']>();
  for (let start = 0; start < rowCount; ) {
    let end = start;
    while (end < rowCount && instrument![end] === instrument![start]) end++;
    split.set(instrument![start]!, {
      day: day!.subarray(start, end),
      knownAt: knownAt!.subarray(start, end),
      until: gone!.subarray(start, end).map(endless),
      open: open!.subarray(start, end),
      high: high!.subarray(start, end),
      low: low!.subarray(start, end),
      close: close!.subarray(start, end),
      volume: volume!.subarray(start, end),
    });
    start = end;
  }
  return split;
}

/** PostgreSQL sends its infinity as the largest number of microseconds there is. */
function endless(instant: number): number {
  return instant > FAR_MS ? Number.POSITIVE_INFINITY : instant;
}
const FAR_MS = Date.UTC(9999, 11, 31);

async function loadActionTellings(
  tx: Transaction,
  instrumentIds: readonly number[],
  to: string,
  recordedAt: string,
): Promise<Map<number, History['actions']>> {
  const { known, until, where } = timesOf('f', recordedAt);
  const { rowCount, columns } = await copyOut(
    tx.client,
    `SELECT f.instrument_id, f.day, (f.kind = 'dividend')::int, f.value, ${known}, ${until}
     FROM corporate_action f JOIN visible_run r ON r.run_id = f.run_id
     WHERE f.instrument_id = ANY (ARRAY[${instrumentIds.map(Math.trunc).join(',')}]::int[])
       AND f.day <= ${dayLiteral(to)} AND ${where}
     ORDER BY 1, 2, 3, 5, f.run_id`,
    ['int4', 'date', 'int4', 'float8', 'timestamptz', 'timestamptz'],
  );
  const [instrument, day, kind, value, knownAt, gone] = columns;
  const actions = new Map<number, History['actions']>();
  for (let row = 0; row < rowCount; row++) {
    const list = actions.get(instrument![row]!) ?? [];
    actions.set(instrument![row]!, list);
    list.push({
      day: day![row]!,
      kind: kind![row] === 0 ? 'split' : 'dividend',
      value: value![row]!,
      knownAt: knownAt![row]!,
      until: endless(gone![row]!),
    });
  }
  return actions;
}
