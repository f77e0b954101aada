import { type SqlBool, sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import { type ReadTime, visibleAt } from '../facts/read-time.ts';

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

/** The bars a case holds back, by day and line. */
export async function findHeldBars(tx: Transaction, caseId: number): Promise<HeldRow[]> {
  const { rows } = await sql<HeldRow>`
    SELECT q.day, q.open, q.high, q.low, q.close, q.volume, q.run_id AS "runId",
           coalesce(q.known_at, r.published_at) AS "knownAt", q.line
    FROM price_quarantine q JOIN visible_run r ON r.run_id = q.run_id
    WHERE q.case_id = ${caseId} ORDER BY q.instrument_id, q.day, q.line
  `.execute(tx.query);
  return rows;
}

/** What a release of the case would publish: one bar a day (the last line of several), when each was knowable. */
export async function findReleasable(tx: Transaction, caseId: number, bars: string) {
  const { rows } = await sql<{
    count: number;
    recorded: number;
    least: string | null;
    most: string | null;
    ids: number[];
  }>`
    SELECT count(*)::int AS count, count(*) FILTER (WHERE known_at IS NULL)::int AS recorded, min(known_at) AS least,
           max(known_at) AS most, coalesce(array_agg(DISTINCT instrument_id), '{}') AS ids
    FROM (${sql.raw(releaseRows(caseId, bars))}) held
  `.execute(tx.query);
  return rows[0]!;
}

/** The rows of a release as a query, in the order of the columns of `price_observation`'s content. `bars` is what `openBars` gave. */
export function releaseRows(caseId: number, bars: string): string {
  return `SELECT DISTINCT ON (q.instrument_id, q.day) q.instrument_id, q.day, q.known_at,
    coalesce((SELECT max(o.revision) + 1 FROM ${bars} o
              WHERE o.instrument_id = q.instrument_id AND o.day = q.day AND o.source_id = q.source_id), 0) AS revision,
    q.open, q.high, q.low, q.close, q.volume, q.adjusted_close
    FROM price_quarantine q WHERE q.case_id = ${Math.trunc(caseId)} ORDER BY q.instrument_id, q.day, q.line DESC`;
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
