import { type SqlBool, sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { openBars } from '../archive/open-bars.ts';
import { dayLiteral, type ReadTime, visibleAt } from '../facts/read-time.ts';

export type CaseState = 'open' | 'confirmed' | 'false';

export type CaseRow = {
  id: number;
  tenant_id: number;
  run_id: number;
  source_id: number;
  instrument_id: number | null;
  symbol: string | null;
  kind: string;
  action: 'quarantine' | 'note';
  state: CaseState;
  first_day: string;
  last_day: string;
  row_count: number;
  measure: number | null;
  threshold: number | null;
  reason: string;
  withholds: boolean;
  known: string;
  decision_note: string;
  decided_at: string | null;
  created_at: string;
  created_by: number | null;
  updated_at: string;
  updated_by: number | null;
  deleted_at: string | null;
  version: number;
};

export type CaseQuestion = {
  time: ReadTime;
  state?: CaseState | undefined;
  kind?: string | undefined;
  sourceId?: number | undefined;
  instrumentId?: number | undefined;
  runId?: number | undefined;
};

const COLUMNS = sql`c.*, coalesce(c.known_at, r.published_at) AS known, i.symbol
  FROM data_case c JOIN visible_run r ON r.run_id = c.run_id LEFT JOIN instrument i ON i.id = c.instrument_id`;

/** Cases as known at a moment, newest first. */
export async function findCases(
  tx: Transaction,
  question: CaseQuestion & { before?: number | undefined; limit: number },
): Promise<CaseRow[]> {
  const { before, limit } = question;
  const { rows } = await sql<CaseRow>`
    SELECT ${COLUMNS} WHERE ${whereOf(question)} AND ${before === undefined ? sql`true` : sql`c.id < ${before}`}
    ORDER BY c.id DESC LIMIT ${limit}
  `.execute(tx.query);
  return rows;
}

/** The same cases counted, by kind and state. */
export async function countCases(tx: Transaction, question: CaseQuestion) {
  const { rows } = await sql<{ kind: string; open: number; confirmed: number; false: number }>`
    SELECT c.kind, count(*) FILTER (WHERE c.state = 'open')::int AS open,
           count(*) FILTER (WHERE c.state = 'confirmed')::int AS confirmed,
           count(*) FILTER (WHERE c.state = 'false')::int AS "false"
    FROM data_case c JOIN visible_run r ON r.run_id = c.run_id
    WHERE ${whereOf(question)} GROUP BY c.kind ORDER BY c.kind
  `.execute(tx.query);
  return rows;
}

function whereOf({ time, state, kind, sourceId, instrumentId, runId }: CaseQuestion) {
  const parts = [sql<SqlBool>`${sql.raw(visibleAt('c', 'r', time))}`, sql<SqlBool>`c.first_day <= ${time.asOf}::date`];
  if (state !== undefined) parts.push(sql`c.state = ${state}`);
  if (kind !== undefined) parts.push(sql`c.kind = ${kind}`);
  if (sourceId !== undefined) parts.push(sql`c.source_id = ${sourceId}`);
  if (instrumentId !== undefined) parts.push(sql`c.instrument_id = ${instrumentId}`);
  if (runId !== undefined) parts.push(sql`c.run_id = ${runId}`);
  return sql.join(parts, sql` AND `);
}

export async function findCase(tx: Transaction, id: number): Promise<CaseRow | undefined> {
  const { rows } = await sql<CaseRow>`SELECT ${COLUMNS} WHERE c.id = ${id}`.execute(tx.query);
  return rows[0];
}

export type HeldRow = {
  day: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  runId: number;
  knownAt: string;
  line: number;
};

/** The bars a case holds back, by day and line; also those in sight that confirming it withholds, with line 0. */
export async function findHeldBars(tx: Transaction, row: CaseRow): Promise<HeldRow[]> {
  const bars = await openBarsOf(tx, row);
  const { rows } = await sql<HeldRow>`
    SELECT * FROM (
    SELECT q.day, q.open, q.high, q.low, q.close, q.volume, q.run_id AS "runId",
           coalesce(q.known_at, r.published_at) AS "knownAt", q.line
    FROM price_quarantine q JOIN visible_run r ON r.run_id = q.run_id
    WHERE q.case_id = ${row.id}
    UNION ALL
    (SELECT DISTINCT ON (o.day) o.day, o.open, o.high, o.low, o.close, o.volume, o.run_id,
            coalesce(o.known_at, r.published_at), 0
     FROM ${sql.raw(bars)} o JOIN visible_run r ON r.run_id = o.run_id
     WHERE ${row.withholds} AND o.source_id = ${row.source_id} AND o.instrument_id = ${row.instrument_id}
       AND o.day BETWEEN ${row.first_day}::date AND ${row.last_day}::date AND o.close IS NOT NULL
       AND r.retracted_at IS NULL
     ORDER BY o.day, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC)
    ) bars ORDER BY day, line
  `.execute(tx.query);
  return rows;
}

/** What a query of bars would publish: how many, when they were knowable, of which instruments. */
export async function countPublishable(tx: Transaction, query: string) {
  const { rows } = await sql<{
    count: number;
    recorded: number;
    least: string | null;
    most: string | null;
    ids: number[];
  }>`
    SELECT count(*)::int AS count, count(*) FILTER (WHERE known_at IS NULL)::int AS recorded, min(known_at) AS least,
           max(known_at) AS most, coalesce(array_agg(DISTINCT instrument_id), '{}') AS ids
    FROM (${sql.raw(query)}) held
  `.execute(tx.query);
  return rows[0]!;
}

/** The bars that a case names. */
type Named = Pick<CaseRow, 'source_id' | 'instrument_id' | 'first_day' | 'last_day'>;

/** The door to the prices of what a case names. */
export function openBarsOf(tx: Transaction, row: Named): Promise<string> {
  const instrumentIds = row.instrument_id === null ? undefined : [row.instrument_id];
  return openBars(tx, { instrumentIds, from: row.first_day, to: row.last_day });
}

/** The rows of a release as a query, in the order of the columns of `price_observation`'s content. `bars` is what `openBars` gave. */
export function releaseRows(caseId: number, bars: string): string {
  return `SELECT DISTINCT ON (q.instrument_id, q.day) q.instrument_id, q.day, q.known_at,
    coalesce((SELECT max(o.revision) + 1 FROM ${bars} o
              WHERE o.instrument_id = q.instrument_id AND o.day = q.day AND o.source_id = q.source_id), 0) AS revision,
    q.open, q.high, q.low, q.close, q.volume, q.adjusted_close
    FROM price_quarantine q WHERE q.case_id = ${Math.trunc(caseId)} ORDER BY q.instrument_id, q.day, q.line DESC`;
}

/** The rows of several such queries, one for each bar. */
export function oncePerBar(queries: readonly string[]): string {
  return `SELECT DISTINCT ON (instrument_id, day) * FROM (${queries.map((query) => `(${query})`).join(' UNION ALL ')}) b
    ORDER BY instrument_id, day`;
}

/** A telling without a price for every bar in sight that the case names, known from now on. */
export function withholdRows(row: Named, bars: string): string {
  const none = ['open', 'high', 'low', 'close', 'volume', 'adjusted_close'].map((name) => `NULL::float8 AS ${name}`);
  return `SELECT l.instrument_id, l.day, NULL::timestamptz AS known_at, l.revision + 1 AS revision, ${none.join(', ')}
    FROM (${lastTellings(row, bars)}) l WHERE l.close IS NOT NULL ORDER BY l.instrument_id, l.day`;
}

/** The bars that a confirmed case withholds, as they were told last before, known again from now on. */
export function retellRows(row: Named, bars: string): string {
  return `SELECT DISTINCT ON (o.instrument_id, o.day) o.instrument_id, o.day, NULL::timestamptz AS known_at,
      l.revision + 1 AS revision, o.open, o.high, o.low, o.close, o.volume, o.adjusted_close
    FROM (${lastTellings(row, bars)}) l
    JOIN ${bars} o ON o.instrument_id = l.instrument_id AND o.day = l.day AND o.source_id = ${Math.trunc(row.source_id)}
    JOIN visible_run r ON r.run_id = o.run_id
    WHERE l.close IS NULL AND o.close IS NOT NULL AND r.retracted_at IS NULL
    ORDER BY o.instrument_id, o.day, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC`;
}

function lastTellings(row: Named, bars: string): string {
  return `SELECT DISTINCT ON (o.instrument_id, o.day) o.instrument_id, o.day, o.close,
      max(o.revision) OVER (PARTITION BY o.instrument_id, o.day) AS revision
    FROM ${bars} o JOIN visible_run r ON r.run_id = o.run_id
    WHERE o.source_id = ${Math.trunc(row.source_id)} AND o.instrument_id = ${Math.trunc(row.instrument_id ?? -1)}
      AND o.day BETWEEN ${dayLiteral(row.first_day)} AND ${dayLiteral(row.last_day)} AND r.retracted_at IS NULL
    ORDER BY o.instrument_id, o.day, coalesce(o.known_at, r.published_at) DESC, o.run_id DESC`;
}

/** Decides a case if nobody did since `version`; false when somebody did. */
export async function setDecision(
  tx: Transaction,
  id: number,
  decision: { state: CaseState; note: string; version: number },
): Promise<boolean> {
  const result = await tx.query
    .updateTable('data_case')
    .set({ state: decision.state, decision_note: decision.note, decided_at: sql<string>`clock_timestamp()` })
    .where('id', '=', id)
    .where('version', '=', decision.version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function findBasisOfSource(tx: Transaction, sourceId: number): Promise<string | null> {
  const row = await tx.query.selectFrom('source').select('price_basis').where('id', '=', sourceId).executeTakeFirst();
  return row?.price_basis ?? null;
}
