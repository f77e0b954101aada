import { statfs } from 'node:fs/promises';
import type { Freshness, Part } from '@touchstone/contracts/diagnostics';
import * as contract from '@touchstone/contracts/diagnostics';
import { OPERATOR_SCOPES, POLICY } from '@touchstone/contracts/policy';
import type { Route } from '@touchstone/contracts/route';
import { countOpenAlerts, principalsOf } from '../alerts/alert.repository.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import type { Installation } from '../database/installation.ts';
import { poolFigures } from '../database/statements.ts';
import { evidenceBodyOf } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import type { Caller, Serve } from '../http/serve.ts';
import { found } from '../problem-error.ts';
import type { TaskEngine } from '../tasks/task-engine.ts';
import { readCacheFigures } from './gauges.ts';
import { eventLoopDelayMsP99 } from './metrics.ts';
import { diffPlans } from './plan-text.ts';
import { findQueryRow, listQueryRows, toSlowQuery } from './query-log.repository.ts';
import type { SlowQueries } from './slow-queries.ts';

export type DiagnosticsParts = {
  database: Database;
  tasks: TaskEngine;
  installation: Installation;
  served: readonly Route[];
  codeVersion: string;
  slowQueries: SlowQueries;
  readParts: () => Promise<Part[]>;
  /** How old the data in a caller's sight is; the stages know. */
  readFreshness: (principal: Principal) => Promise<Freshness[]>;
};

/** Beyond these something waits for a person. */
const WAITING_SECONDS_MAX = 600;
const LOOP_DELAY_MS_MAX = 200;
const POOL_WAIT_MS_MAX = 1_000;
const DISK_FREE_FRACTION_MIN = 0.1;

/** How the installation is, what was recorded, and who may do what. */
export function registerDiagnosticsRoutes(serve: Serve, parts: DiagnosticsParts): void {
  const { database, tasks, installation, served } = parts;
  serve(contract.getHealth, ({ caller }) => readHealth(parts, caller));

  serve(contract.listSlowQueries, async ({ caller, query }) => ({
    thresholdMs: parts.slowQueries.thresholdMs,
    items: (
      await database.transaction(caller, (tx) => listQueryRows(tx, query.sort, query.limit), { readOnly: true })
    ).map(toSlowQuery),
  }));
  serve(contract.getSlowQuery, async ({ caller, params }) => {
    const row = found(
      await database.transaction(caller, (tx) => findQueryRow(tx, params.queryId), { readOnly: true }),
      `There is no slow query ${params.queryId}.`,
    );
    const plan = (text: string | null, takenAt: string | null) =>
      text === null || takenAt === null ? null : { text, takenAt };
    return {
      ...toSlowQuery(row),
      plan: plan(row.plan, row.plan_taken_at),
      planReason: row.plan === null ? (row.plan_reason ?? 'Its plan was not taken yet.') : null,
      previousPlan: plan(row.previous_plan, row.previous_plan_taken_at),
      planDiff: row.plan === null || row.previous_plan === null ? [] : diffPlans(row.previous_plan, row.plan),
    };
  });

  serve(contract.getStatus, async () => {
    const { heapUsed, rss } = process.memoryUsage();
    const disk = await statfs(installation.home);
    return {
      version: installation.version,
      startedAt: installation.startedAt,
      database: {
        kind: installation.databaseKind,
        version: installation.databaseVersion,
        byteCount: await readDatabaseSize(database),
        migrations: [...installation.migrations],
        partitioning: installation.partitioning,
      },
      memory: { residentBytes: rss, heapBytes: heapUsed },
      eventLoopDelayMsP99: eventLoopDelayMsP99(),
      diskFreeBytes: disk.bavail * disk.bsize,
      rows: await readRowEstimates(database),
      queue: await tasks.counts(),
    };
  });

  serve(contract.listEvidence, async ({ caller, query }) => {
    const before = decodeIdCursor(query.cursor);
    const rows = await database.transaction(caller, (tx) => listEvidenceRows(tx, { ...query, before }), {
      readOnly: true,
    });
    const records = rows.map((row) => ({
      sequence: row.sequence,
      recordedAt: row.recorded_at,
      kind: row.kind,
      subjectKind: row.subject_kind,
      subjectId: row.subject_id,
      actorId: row.actor_id,
      body: evidenceBodyOf(row.body),
      hash: row.hash.toString('hex'),
    }));
    return toPage(records, query.limit, (record) => [record.sequence]);
  });

  serve(contract.getPolicy, async () => ({
    roles: {
      ...Object.fromEntries(Object.entries(POLICY).map(([role, scopes]) => [role, [...scopes]])),
      operator: [...OPERATOR_SCOPES],
    },
    routes: served.map((route) => ({ id: route.id, scope: route.scope })),
  }));
}

/** One answer for the health page. What is wrong is a sentence; without one, all is well. */
async function readHealth(parts: DiagnosticsParts, caller: Caller) {
  const { database, tasks, installation } = parts;
  const disk = await statfs(installation.home);
  const { heapUsed, rss } = process.memoryUsage();
  const cache = readCacheFigures();
  const reads = cache === null ? 0 : cache.hits + cache.misses;
  const told = {
    ...{ version: installation.version, codeVersion: parts.codeVersion, startedAt: installation.startedAt },
    migration: installation.migrations.at(-1) ?? null,
    freshness: await parts.readFreshness(caller),
    queue: await tasks.queueFigures(),
    pool: poolFigures(database.pool),
    cache: cache === null ? null : { ...cache, hitFraction: reads === 0 ? null : cache.hits / reads },
    eventLoopDelayMsP99: eventLoopDelayMsP99(),
    memory: { residentBytes: rss, heapBytes: heapUsed },
    disk: {
      ...{ freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize },
      freeFraction: disk.blocks === 0 ? 0 : disk.bavail / disk.blocks,
    },
    alerts: await countAlerts(database, caller),
    parts: await parts.readParts(),
  };
  const reasons = told.freshness
    .filter((universe) => universe.isStale)
    .map((universe) => `${universe.universeName} is ${universe.ageTradingDays} trading days old.`);
  const { queue, pool, alerts } = told;
  if ((queue.oldestWaitingSeconds ?? 0) > WAITING_SECONDS_MAX) {
    reasons.push(`A task has waited for ${Math.round(queue.oldestWaitingSeconds! / 60)} minutes: is a worker running?`);
  }
  if ((pool.waitMsP95 ?? 0) > POOL_WAIT_MS_MAX) reasons.push('Requests wait for a connection to the database.');
  if (told.eventLoopDelayMsP99 > LOOP_DELAY_MS_MAX) reasons.push('The server is too busy to answer at once.');
  if (told.disk.freeFraction < DISK_FREE_FRACTION_MIN) reasons.push('The disk is nearly full.');
  if (alerts.critical > 0) reasons.push(`${alerts.critical} critical alerts wait for somebody.`);
  return { ok: reasons.length === 0, reasons, ...told };
}

async function countAlerts(database: Database, caller: Caller) {
  const principals = principalsOf(caller);
  const open = { info: 0, warning: 0, critical: 0 };
  for (const principal of principals) {
    const counted = await database.transaction(principal, countOpenAlerts, { readOnly: true });
    for (const name of ['info', 'warning', 'critical'] as const) open[name] += counted[name];
  }
  return open;
}

async function readDatabaseSize(database: Database): Promise<number> {
  const { rows } = await database.pool.query('SELECT pg_database_size(current_database()) AS size');
  return rows[0].size;
}

/** Estimates of the planner, partitions counted with their table. Exact counts would read everything. */
async function readRowEstimates(database: Database): Promise<{ table: string; estimate: number }[]> {
  const { rows } = await database.pool.query(
    `SELECT coalesce(p.relname, c.relname) AS table, sum(greatest(0, c.reltuples))::bigint AS estimate
     FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'schema_migration%'
     GROUP BY 1 ORDER BY 1`,
  );
  return rows;
}

/** Newest first; one more than asked for tells that there is a next page. */
export function listEvidenceRows(
  tx: Transaction,
  question: {
    before: number | null;
    subjectKind?: string | undefined;
    subjectId?: string | undefined;
    limit: number;
  },
) {
  const { before, subjectKind, subjectId, limit } = question;
  return tx.query
    .selectFrom('evidence')
    .selectAll()
    .where('tenant_id', '=', tx.principal.tenantId)
    .$if(before !== null, (records) => records.where('sequence', '<', before!))
    .$if(subjectKind !== undefined, (records) => records.where('subject_kind', '=', subjectKind!))
    .$if(subjectId !== undefined, (records) => records.where('subject_id', '=', subjectId!))
    .orderBy('sequence', 'desc')
    .limit(limit + 1)
    .execute();
}
