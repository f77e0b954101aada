import { sql } from 'kysely';
import type { Transaction } from '../../platform/database/database.ts';
import type { Touched } from './coverage.ts';

/** A run that was made visible, and perhaps taken back. Instants are ISO texts. */
export type ChangedRun = {
  id: number;
  kind: string;
  sourceId: number;
  rowCount: number;
  firstDay: string | null;
  lastDay: string | null;
  /** Null: an old run that did not say. */
  instrumentIds: number[] | null;
  /** Of a release: the case it settled. */
  caseId: number | null;
  publishedAt: string;
  retractedAt: string | null;
  /** When its first row was knowable. */
  knownAtMin: string;
};

const RUN = sql`
  SELECT r.id, r.kind, r.source_id AS "sourceId", p.row_count AS "rowCount", r.first_day AS "firstDay", r.last_day AS "lastDay",
         (SELECT array_agg(i::int) FROM jsonb_array_elements_text(r.options->'instrumentIds') AS i) AS "instrumentIds",
         (r.options->>'caseId')::int AS "caseId", p.published_at AS "publishedAt", t.published_at AS "retractedAt",
         p.known_at_min AS "knownAtMin"
  FROM publication p JOIN ingest_run r ON r.id = p.run_id
  LEFT JOIN publication t ON t.run_id = p.run_id AND t.kind = 'retract'
  WHERE p.kind = 'publish'`;

export async function findChangedRun(tx: Transaction, runId: number): Promise<ChangedRun | undefined> {
  const { rows } = await sql<ChangedRun>`${RUN} AND p.run_id = ${runId}`.execute(tx.query);
  return rows[0];
}

/** Runs that became visible or were taken back after a moment, oldest first. */
export async function findRunsSince(tx: Transaction, moment: string, limit: number): Promise<ChangedRun[]> {
  const { rows } = await sql<ChangedRun>`
    ${RUN} AND (p.published_at > ${moment}::timestamptz OR t.published_at > ${moment}::timestamptz)
    ORDER BY greatest(p.published_at, t.published_at) LIMIT ${limit}`.execute(tx.query);
  return rows;
}

const FACTS: Record<string, { fact: Touched['fact']; table: string }> = {
  prices: { fact: 'bars', table: 'bar_key' },
  correction: { fact: 'bars', table: 'bar_key' },
  release: { fact: 'bars', table: 'bar_key' },
  corporate_actions: { fact: 'actions', table: 'corporate_action' },
  market_caps: { fact: 'caps', table: 'market_cap' },
};

/** The rows of a run by instrument: how many, the first and the last day. */
export async function findTouched(tx: Transaction, run: ChangedRun): Promise<Touched> {
  const nothing: Touched = { fact: 'none', sourceId: run.sourceId, rows: [], ratePairs: [] };
  if (run.kind === 'exchange_rates') {
    const { rows } = await sql<Touched['ratePairs'][number]>`
      SELECT base || quote AS pair, min(day) AS "firstDay", max(day) AS "lastDay" FROM exchange_rate
      WHERE run_id = ${run.id} GROUP BY 1 ORDER BY 1`.execute(tx.query);
    return { ...nothing, fact: 'rates', ratePairs: rows };
  }
  const known = FACTS[run.kind];
  if (known === undefined) return nothing;
  if (run.rowCount === 0) return { ...nothing, fact: 'suspicions', rows: await findSuspicions(tx, run) };
  // The instruments and days lead to the rows; the run alone would mean reading the whole table.
  const isNarrow = run.instrumentIds !== null && run.firstDay !== null && run.lastDay !== null;
  const where = isNarrow
    ? sql`instrument_id = ANY (${run.instrumentIds}::int[]) AND day BETWEEN ${run.firstDay}::date AND ${run.lastDay}::date`
    : sql`true`;
  const { rows } = await sql<Touched['rows'][number]>`
    SELECT instrument_id AS "instrumentId", count(*)::int AS "rowCount", min(day) AS "firstDay", max(day) AS "lastDay"
    FROM ${sql.table(known.table)} WHERE run_id = ${run.id} AND ${where} GROUP BY 1 ORDER BY 1`.execute(tx.query);
  return { ...nothing, fact: known.fact, rows };
}

/** A run without rows opened cases, or settled one. Of these only split suspicions reach a result. */
async function findSuspicions(tx: Transaction, run: ChangedRun): Promise<Touched['rows']> {
  const { rows } = await sql<Touched['rows'][number]>`
    SELECT instrument_id AS "instrumentId", count(*)::int AS "rowCount", min(first_day) AS "firstDay", max(last_day) AS "lastDay"
    FROM data_case WHERE kind = 'split_suspicion' AND instrument_id IS NOT NULL
      AND (run_id = ${run.id} OR id = ${run.caseId}::int) GROUP BY 1 ORDER BY 1`.execute(tx.query);
  return rows;
}

/** What an instrument has between two days: what a correction of it would touch. */
export async function findSupposed(
  tx: Transaction,
  asked: { instrumentId: number; sourceId: number | null; from: string | null; to: string | null },
): Promise<Touched['rows']> {
  const { rows } = await sql<Touched['rows'][number]>`
    SELECT instrument_id AS "instrumentId", count(DISTINCT day)::int AS "rowCount", min(day) AS "firstDay", max(day) AS "lastDay"
    FROM bar_key WHERE instrument_id = ${asked.instrumentId}
      ${asked.sourceId === null ? sql`` : sql`AND source_id = ${asked.sourceId}`}
      ${asked.from === null ? sql`` : sql`AND day >= ${asked.from}::date`}
      ${asked.to === null ? sql`` : sql`AND day <= ${asked.to}::date`}
    GROUP BY 1`.execute(tx.query);
  return rows;
}

/** Frozen datasets in sight that may rest on rows as they were: newest first, at most `limit` and one more. */
export async function findFrozen(
  tx: Transaction,
  change: { before: string; since: string | null; knownFrom: string | null },
  limit: number,
): Promise<{ sha256: string; kind: string; createdAt: string }[]> {
  return tx.query
    .selectFrom('dataset')
    .select(['sha256', 'kind', 'created_at as createdAt'])
    .where('recorded_at', '<', change.before)
    .$if(change.since !== null, (query) => query.where('recorded_at', '>=', change.since!))
    .$if(change.knownFrom !== null, (query) => query.where('known_at', '>=', change.knownFrom!))
    .orderBy('created_at', 'desc')
    .orderBy('sha256', 'desc')
    .limit(limit + 1)
    .execute();
}

export function findSymbols(tx: Transaction, ids: readonly number[]): Promise<{ id: number; symbol: string }[]> {
  return tx.query
    .selectFrom('instrument')
    .select(['id', 'symbol'])
    .where('id', 'in', [-1, ...ids])
    .orderBy('symbol')
    .execute();
}
