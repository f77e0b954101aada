import { statfs } from 'node:fs/promises';
import * as contract from '@touchstone/contracts/diagnostics';
import { OPERATOR_SCOPES, POLICY } from '@touchstone/contracts/policy';
import type { Route } from '@touchstone/contracts/route';
import type { Database } from '../database/database.ts';
import type { Installation } from '../database/installation.ts';
import { evidenceBodyOf } from '../evidence/evidence.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import type { Serve } from '../http/serve.ts';
import type { TaskEngine } from '../tasks/task-engine.ts';
import { eventLoopDelayMsP99 } from './metrics.ts';

export type DiagnosticsParts = {
  database: Database;
  tasks: TaskEngine;
  installation: Installation;
  served: readonly Route[];
};

/** How the installation is, what was recorded, and who may do what. */
export function registerDiagnosticsRoutes(
  serve: Serve,
  { database, tasks, installation, served }: DiagnosticsParts,
): void {
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
    const rows = await database.transaction(
      caller,
      (tx) =>
        tx.query
          .selectFrom('evidence')
          .selectAll()
          .where('tenant_id', '=', caller.tenantId)
          .$if(before !== null, (records) => records.where('sequence', '<', before!))
          .$if(query.subjectKind !== undefined, (records) => records.where('subject_kind', '=', query.subjectKind!))
          .$if(query.subjectId !== undefined, (records) => records.where('subject_id', '=', query.subjectId!))
          .orderBy('sequence', 'desc')
          .limit(query.limit + 1)
          .execute(),
      { readOnly: true },
    );
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
