import type { slowQuery } from '@touchstone/contracts/diagnostics';
import { type Selectable, sql } from 'kysely';
import type { z } from 'zod';
import type { Transaction } from '../database/database.ts';
import type { QueryLogTable } from '../database/schema-types.ts';

export type QueryLogRow = Selectable<QueryLogTable>;

/** What was measured of one statement since the last time it was written down. */
export type SlowRuns = { fingerprint: string; text: string; durationsMs: readonly number[] };
export type TakenPlan = { plan: string } | { reason: string };

/** Statements kept at most. */
export const QUERIES_MAX = 200;
const RECENT_MAX = 100;
const LOG_LOCK = 7420011;

/** One writer at a time: several processes write the same rows. */
export async function lockQueryLog(tx: Transaction): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOG_LOCK}::int)`.execute(tx.query);
}

/** Adds slow runs to the row of their statement; a new one takes the place of the one not seen for longest when full. */
export async function addSlowRuns(tx: Transaction, runs: SlowRuns): Promise<QueryLogRow> {
  const known = await tx.query
    .selectFrom('query_log')
    .selectAll()
    .where('fingerprint', '=', runs.fingerprint)
    .executeTakeFirst();
  const row = known ?? (await makeRoom(tx, runs));
  const durations = [...toDurations(row.recent_ms), ...runs.durationsMs];
  return tx.query
    .updateTable('query_log')
    .set({
      times: row.times + runs.durationsMs.length,
      total_ms: row.total_ms + runs.durationsMs.reduce((sum, ms) => sum + ms, 0),
      max_ms: Math.max(row.max_ms, ...runs.durationsMs),
      recent_ms: JSON.stringify(durations.slice(-RECENT_MAX)),
      last_seen_at: sql<string>`clock_timestamp()`,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function makeRoom(tx: Transaction, { fingerprint, text }: SlowRuns): Promise<QueryLogRow> {
  const { count } = await tx.query
    .selectFrom('query_log')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) < QUERIES_MAX) {
    return tx.query
      .insertInto('query_log')
      .values({ tenant_id: tx.principal.tenantId, fingerprint, text })
      .returningAll()
      .executeTakeFirstOrThrow();
  }
  const fresh = {
    ...{ fingerprint, text, times: 0, total_ms: 0, max_ms: 0, recent_ms: '[]', plan: null, plan_taken_at: null },
    ...{ plan_reason: null, previous_plan: null, previous_plan_taken_at: null, plan_changed_at: null },
  };
  return tx.query
    .updateTable('query_log')
    .set({ ...fresh, first_seen_at: sql<string>`clock_timestamp()` })
    .where('id', '=', ({ selectFrom }) =>
      selectFrom('query_log').select('id').orderBy('last_seen_at').orderBy('id').limit(1),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Keeps the plan; one that differs makes the present one the previous. */
export async function keepPlan(tx: Transaction, row: QueryLogRow, taken: TakenPlan): Promise<void> {
  const now = sql<string>`clock_timestamp()`;
  const isChange = 'plan' in taken && row.plan !== null && row.plan !== taken.plan;
  await tx.query
    .updateTable('query_log')
    .set({
      plan_taken_at: now,
      ...('plan' in taken ? { plan: taken.plan, plan_reason: null } : { plan_reason: taken.reason }),
      ...(isChange ? { previous_plan: row.plan, previous_plan_taken_at: row.plan_taken_at, plan_changed_at: now } : {}),
    })
    .where('id', '=', row.id)
    .execute();
}

export async function listQueryRows(
  tx: Transaction,
  sort: 'total' | 'max' | 'p95' | 'count' | 'recent',
  limit: number,
): Promise<QueryLogRow[]> {
  const rows = await tx.query
    .selectFrom('query_log')
    .selectAll()
    .where('times', '>', 0)
    .limit(QUERIES_MAX)
    .orderBy('id')
    .execute();
  const key: Record<typeof sort, (row: QueryLogRow) => number> = {
    total: (row) => row.total_ms,
    max: (row) => row.max_ms,
    p95: (row) => percentile95(toDurations(row.recent_ms)),
    count: (row) => row.times,
    recent: (row) => Date.parse(row.last_seen_at),
  };
  return rows.sort((a, b) => key[sort](b) - key[sort](a)).slice(0, limit);
}

export function findQueryRow(tx: Transaction, id: number): Promise<QueryLogRow | undefined> {
  return tx.query.selectFrom('query_log').selectAll().where('id', '=', id).executeTakeFirst();
}

export function toSlowQuery(row: QueryLogRow): z.infer<typeof slowQuery> {
  return {
    ...{ id: row.id, text: row.text, count: row.times, totalMs: row.total_ms, maxMs: row.max_ms },
    meanMs: row.times === 0 ? 0 : row.total_ms / row.times,
    p95Ms: percentile95(toDurations(row.recent_ms)),
    ...{ firstSeenAt: row.first_seen_at, lastSeenAt: row.last_seen_at, planChangedAt: row.plan_changed_at },
  };
}

function toDurations(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((ms) => typeof ms === 'number') : [];
}

/** The smallest duration that 95 of 100 do not exceed; 0 when there are none. */
function percentile95(durationsMs: readonly number[]): number {
  const sorted = [...durationsMs].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
}
