import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, SYSTEM_PRINCIPAL, type Transaction } from '../database/database.ts';
import { type Statement, watchStatements } from '../database/statements.ts';
import { normalisePlan, normaliseSql, queryOf, whyNoPlan } from './plan-text.ts';
import { addSlowRuns, keepPlan, lockQueryLog, QUERIES_MAX, type TakenPlan } from './query-log.repository.ts';

export type SlowQueries = {
  thresholdMs: number;
  /** Writes down what was measured since the last time. Happens by itself every ten seconds. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

type Log = { warn(fields: object, text: string): void };
type Waiting = { text: string; asked: string; parameterCount: number; durationsMs: number[] };

const FLUSH_MS = 10_000;
const PLAN_AGE_MAX_MS = 60 * 60_000;
const DURATIONS_MAX = 1_000;
/** Explaining is quick; a statement that takes longer to plan than this goes without. */
const EXPLAIN_MS_MAX = 2_000;
/** The first server that explains a statement without its values. */
const GENERIC_PLAN_VERSION = 160_000;
/** Opening and ending a transaction waits for others, and our own statements would feed themselves. */
const LEFT_OUT = /^(?:begin|commit|rollback|listen|explain|prepare|deallocate|set)\b|\bquery_log\b/i;

/**
 * Keeps statements that took longer than a threshold, without their values, each with the plan the database makes for it.
 *
 * The plan is that of any values (`EXPLAIN`, never `ANALYZE`), taken at most once an hour in a transaction that may not
 * write, so nothing is ever run again.
 */
export function createSlowQueries(database: Database, thresholdMs: number, log: Log): SlowQueries {
  const waiting = new Map<string, Waiting>();
  const stopWatching = watchStatements(database.pool, (statement) => note(statement));
  const timer = setInterval(() => void flush(), FLUSH_MS);
  timer.unref();
  let flushing: Promise<void> = Promise.resolve();

  function note({ text: asked, values, ms, problem }: Statement): void {
    if (ms < thresholdMs || problem !== null || LEFT_OUT.test(asked.trimStart())) return;
    const text = normaliseSql(asked);
    const known = waiting.get(text);
    if (known === undefined && waiting.size >= QUERIES_MAX) return;
    const entry = known ?? { text, asked, parameterCount: values.length, durationsMs: [] };
    if (entry.durationsMs.length < DURATIONS_MAX) entry.durationsMs.push(ms);
    waiting.set(text, entry);
  }

  /** One at a time: what comes meanwhile waits for the next. */
  function flush(): Promise<void> {
    flushing = flushing
      .then(writeDown)
      .catch((error: unknown) => log.warn({ err: error }, 'slow queries were not kept'));
    return flushing;
  }

  async function writeDown(): Promise<void> {
    if (waiting.size === 0) return;
    const entries = [...waiting.values()];
    waiting.clear();
    const withoutPlan = await database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
      await lockQueryLog(tx);
      const old = [];
      for (const entry of entries) {
        const fingerprint = createHash('sha256').update(entry.text).digest('hex');
        const row = await addSlowRuns(tx, { fingerprint, text: entry.text, durationsMs: entry.durationsMs });
        const takenAt = row.plan_taken_at === null ? 0 : Date.parse(row.plan_taken_at);
        if (Date.now() - takenAt >= PLAN_AGE_MAX_MS) old.push({ entry, row });
      }
      return old;
    });
    for (const { entry, row } of withoutPlan) {
      const taken = await takePlan(database, entry.asked, entry.parameterCount);
      await database.transaction(SYSTEM_PRINCIPAL, (tx) => keepPlan(tx, row, taken));
    }
  }

  return {
    thresholdMs,
    flush,
    async close() {
      clearInterval(timer);
      stopWatching();
      await flush();
    },
  };
}

/** The plan of a statement whatever its values are, without costs and values; or why there is none. */
export async function takePlan(database: Database, text: string, parameterCount: number): Promise<TakenPlan> {
  const reason = whyNoPlan(text);
  if (reason !== null) return { reason };
  try {
    return await database.transaction(SYSTEM_PRINCIPAL, (tx) => explain(tx, text, parameterCount), { readOnly: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { reason: `The database could not explain it (${code}).` };
  }
}

async function explain(tx: Transaction, text: string, parameterCount: number): Promise<TakenPlan> {
  await tx.client.query(`SET LOCAL statement_timeout = ${EXPLAIN_MS_MAX}`);
  const { rows } = await sql<{ version: number }>`SELECT current_setting('server_version_num')::int AS version`.execute(
    tx.query,
  );
  const asked = queryOf(text);
  if (rows[0]!.version >= GENERIC_PLAN_VERSION) {
    return { plan: linesOf(await tx.client.query(`EXPLAIN (GENERIC_PLAN, COSTS OFF) ${asked}`)) };
  }
  // Before PostgreSQL 16 a prepared statement is asked for its general plan. Its values are NULL, and partitions a NULL
  // cannot lie in are left out of what is shown.
  await tx.client.query('SET LOCAL plan_cache_mode = force_generic_plan');
  await tx.client.query(`PREPARE touchstone_explained AS ${asked}`);
  const nulls = parameterCount === 0 ? '' : `(${Array(parameterCount).fill('NULL').join(', ')})`;
  try {
    return { plan: linesOf(await tx.client.query(`EXPLAIN (COSTS OFF) EXECUTE touchstone_explained${nulls}`)) };
  } finally {
    await tx.client.query('DEALLOCATE touchstone_explained');
  }
}

function linesOf({ rows }: { rows: { 'QUERY PLAN': string }[] }): string {
  return normalisePlan(rows.map((row) => row['QUERY PLAN']));
}
