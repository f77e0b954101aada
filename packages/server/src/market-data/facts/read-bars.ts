import { dayText } from '@touchstone/quant/series/day';
import { sql } from 'kysely';
import { type CopyType, copyOut } from '../../platform/database/copy-binary.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import { dayLiteral, type ReadTime, visibleAt } from './read-time.ts';

/** For the length of a transaction that loads whole universes. */
const SORT_MEMORY = '256MB';

/** Which bars: of these instruments, told by one source. Days are inclusive; `asOf` bounds them too. */
export type BarQuestion = {
  instrumentIds: readonly number[];
  sourceId: number;
  from?: string | undefined;
  to?: string | undefined;
  time: ReadTime;
};

/** One bar as it is known. Prices are null when the source gave none. */
export type KnownBar = {
  day: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  adjustedClose: number | null;
  revision: number;
  runId: number;
  knownAt: string;
};

/** The bars of one instrument as known at a moment, ascending by day: of several tellings, the latest known. */
export async function findBars(
  tx: Transaction,
  question: Omit<BarQuestion, 'instrumentIds'> & { instrumentId: number },
): Promise<KnownBar[]> {
  const { time, instrumentId, sourceId } = question;
  const relation = await openBars(tx, { instrumentIds: [instrumentId], ...yearsOf(question) });
  // The runs are few and known by now, so which telling counts is decided here: joining them row by row took the
  // database ten times as long as reading the rows.
  const query = `SELECT o.day, o.run_id, o.revision, o.known_at, o.open, o.high, o.low, o.close, o.volume, o.adjusted_close
    FROM ${relation} o
    WHERE o.instrument_id = ${Math.trunc(instrumentId)} AND ${daysOf(question)} ORDER BY o.day`;
  const { rowCount, columns } = await copyOut(tx.client, query, BAR_TYPES);
  const [day, run, revision, knownAt, open, high, low, close, volume, adjustedClose] = columns;
  const runs = await findRuns(tx, sourceId, time, [...new Set(run)]);
  const limit = Date.parse(time.knownAt);
  const bars: KnownBar[] = [];
  let best = -1;
  let bestKnown = Number.NaN;
  const keep = () => {
    // A telling without a price withholds the bar: see cases, confirmed after the bar was accepted.
    if (best < 0 || [open, high, low, close].every((column) => Number.isNaN(column![best]!))) return;
    bars.push({
      day: textOf(day![best]!, DAYS, dayText),
      open: orNull(open![best]!),
      high: orNull(high![best]!),
      low: orNull(low![best]!),
      close: orNull(close![best]!),
      volume: orNull(volume![best]!),
      adjustedClose: orNull(adjustedClose![best]!),
      revision: revision![best]!,
      runId: run![best]!,
      knownAt: textOf(bestKnown, INSTANTS, isoText),
    });
  };
  for (let row = 0; row < rowCount; row++) {
    const known = visibleKnownAt(knownAt![row]!, runs.get(run![row]!), limit);
    if (Number.isNaN(known)) continue;
    const isSameDay = best >= 0 && day![best] === day![row];
    if (isSameDay && (known < bestKnown || (known === bestKnown && run![row]! < run![best]!))) continue;
    if (!isSameDay) keep();
    best = row;
    bestKnown = known;
  }
  keep();
  return bars;
}

const BAR_TYPES: CopyType[] = [
  'date',
  'int4',
  'int4',
  'timestamptz',
  'float8',
  'float8',
  'float8',
  'float8',
  'float8',
  'float8',
];

/** When a run was published and, by `recordedAt`, retracted (infinite: not yet), EpochMs. */
type RunTimes = { publishedAt: number; retractedAt: number };

/** Those of some runs that are published by then. A source that is refreshed daily has thousands; few tell of one name. */
async function findRuns(
  tx: Transaction,
  sourceId: number,
  time: ReadTime,
  runIds: readonly number[],
): Promise<Map<number, RunTimes>> {
  const rows = await tx.query
    .selectFrom('visible_run')
    .select(['run_id', 'published_at', 'retracted_at'])
    .where('run_id', '=', sql<number>`ANY (${runIds}::int[])`)
    .where('source_id', '=', sourceId)
    .where('published_at', '<=', time.recordedAt)
    .execute();
  const runs = new Map<number, RunTimes>();
  for (const { run_id, published_at, retracted_at } of rows) {
    if (run_id === null || published_at === null) continue;
    const isRetracted = retracted_at !== null && retracted_at <= time.recordedAt;
    const retractedAt = isRetracted ? Date.parse(retracted_at) : Number.POSITIVE_INFINITY;
    runs.set(run_id, { publishedAt: Date.parse(published_at), retractedAt });
  }
  return runs;
}

/** The knowledge time of a telling that is visible (see `visibleAt`), EpochMs; NaN for one that is not. */
function visibleKnownAt(declared: number, run: RunTimes | undefined, limit: number): number {
  if (run === undefined) return Number.NaN;
  const isRecorded = Number.isNaN(declared);
  const known = isRecorded ? run.publishedAt : declared;
  if (known > limit) return Number.NaN;
  if (run.retractedAt === Number.POSITIVE_INFINITY) return known;
  // What was known by its publication stays known until the retraction is known as well.
  return isRecorded && run.retractedAt > limit ? known : Number.NaN;
}

/** Texts of days and instants come again with every instrument; making them took longer than reading the rows. */
const DAYS = new Map<number, string>();
const INSTANTS = new Map<number, string>();
/** Eighty years of sessions. */
const TEXTS_MAX = 20_000;

function textOf(value: number, texts: Map<number, string>, make: (value: number) => string): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  if (texts.size >= TEXTS_MAX) texts.clear();
  const text = make(value);
  texts.set(value, text);
  return text;
}

function isoText(instant: number): string {
  return new Date(instant).toISOString();
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Tellings of bars as columns, sorted by instrument, day, knowledge time and run. Days since 1970, EpochMs, NaN missing. */
export type BarTellings = {
  rowCount: number;
  instrument: Int32Array;
  day: Int32Array;
  knownAt: Float64Array;
  run: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
};

/**
 * Every visible telling of every bar asked for: a bar that was corrected comes once for each telling, in the order in
 * which it became known. The last of a day is the one that counts at `knownAt`.
 */
export async function loadTellings(tx: Transaction, question: BarQuestion): Promise<BarTellings> {
  // A million tellings then sort in memory instead of on disk, which takes a third longer.
  await tx.client.query(`SET LOCAL work_mem = '${SORT_MEMORY}'`);
  const instrumentIds = question.instrumentIds.length > 0 ? question.instrumentIds : undefined;
  const relation = await openBars(tx, { instrumentIds, ...yearsOf(question) });
  // Read once: the planner would otherwise look up the run of every row.
  const query = `WITH r AS MATERIALIZED (SELECT * FROM visible_run WHERE source_id = ${Math.trunc(question.sourceId)})
    SELECT o.instrument_id, o.day, coalesce(o.known_at, r.published_at), o.run_id,
      o.open, o.high, o.low, o.close, o.volume
    FROM ${relation} o JOIN r ON r.run_id = o.run_id
    WHERE ${whereOf(question)} ORDER BY o.instrument_id, o.day, 3, o.run_id`;
  const { rowCount, columns } = await copyOut(tx.client, query, [
    'int4',
    'date',
    'timestamptz',
    'int4',
    'float8',
    'float8',
    'float8',
    'float8',
    'float8',
  ]);
  const ints = columns.filter((column) => column instanceof Int32Array);
  const floats = columns.filter((column) => column instanceof Float64Array);
  const [instrument, day, run] = ints;
  const [knownAt, open, high, low, close, volume] = floats;
  return {
    rowCount,
    instrument: instrument!,
    day: day!,
    run: run!,
    knownAt: knownAt!,
    open: open!,
    high: high!,
    low: low!,
    close: close!,
    volume: volume!,
  };
}

function whereOf(question: BarQuestion): string {
  const { instrumentIds, time } = question;
  const parts = [daysOf(question), visibleAt('o', 'r', time)];
  if (instrumentIds.length > 0) parts.push(`o.instrument_id = ANY (ARRAY[${instrumentIds.map(Math.trunc).join(',')}])`);
  return parts.join(' AND ');
}

/** The days that can be answered with, for the door of the bars. */
function yearsOf({ from, to, time }: Omit<BarQuestion, 'instrumentIds'>): { from?: string | undefined; to: string } {
  return { from, to: to !== undefined && to < time.asOf ? to : time.asOf };
}

function daysOf({ sourceId, from, to, time }: Omit<BarQuestion, 'instrumentIds'>): string {
  const parts = [`o.source_id = ${Math.trunc(sourceId)}`, `o.day <= ${dayLiteral(time.asOf)}`];
  if (from !== undefined) parts.push(`o.day >= ${dayLiteral(from)}`);
  if (to !== undefined) parts.push(`o.day <= ${dayLiteral(to)}`);
  return parts.join(' AND ');
}
