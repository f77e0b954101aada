import { sql } from 'kysely';
import { copyOut } from '../../platform/database/copy-binary.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { dayLiteral, type ReadTime, visibleAt } from './read-time.ts';

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
  const { rows } = await sql<KnownBar>`
    SELECT DISTINCT ON (o.day) o.day, o.open, o.high, o.low, o.close, o.volume, o.adjusted_close AS "adjustedClose",
           o.revision, o.run_id AS "runId", coalesce(o.known_at, r.published_at) AS "knownAt"
    FROM price_observation o JOIN visible_run r ON r.run_id = o.run_id
    WHERE o.instrument_id = ${question.instrumentId} AND ${sql.raw(whereOf({ ...question, instrumentIds: [] }))}
    ORDER BY o.day, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC
  `.execute(tx.query);
  return rows;
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
  const query = `SELECT o.instrument_id, o.day, coalesce(o.known_at, r.published_at), o.run_id,
      o.open, o.high, o.low, o.close, o.volume
    FROM price_observation o JOIN visible_run r ON r.run_id = o.run_id
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
  const { instrumentIds, sourceId, from, to, time } = question;
  const parts = [
    `o.source_id = ${Math.trunc(sourceId)}`,
    `o.day <= ${dayLiteral(time.asOf)}`,
    visibleAt('o', 'r', time),
  ];
  if (instrumentIds.length > 0) parts.push(`o.instrument_id = ANY (ARRAY[${instrumentIds.map(Math.trunc).join(',')}])`);
  if (from !== undefined) parts.push(`o.day >= ${dayLiteral(from)}`);
  if (to !== undefined) parts.push(`o.day <= ${dayLiteral(to)}`);
  return parts.join(' AND ');
}
