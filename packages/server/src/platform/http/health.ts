import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Part } from '@touchstone/contracts/diagnostics';
import type { FastifyInstance } from 'fastify';
import type { Database } from '../database/database.ts';
import type { Installation } from '../database/installation.ts';

const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '../../../migrations');

/** For whoever watches the process: does it live, can it work? Neither needs credentials nor tells secrets. */
export function addHealth(
  app: FastifyInstance,
  database: Database,
  installation: Installation,
  readParts: () => Promise<Part[]>,
): void {
  app.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const { databaseKind, databaseVersion, migrations, partitioning } = installation;
    const reachable = await database.isReachable();
    const missing = reachable ? await findMissingMigrations(database) : [];
    const reasons = [
      ...(reachable ? [] : ['The database does not answer.']),
      ...(missing.length > 0 ? [`The database lacks ${missing.length} migrations, the first is ${missing[0]}.`] : []),
    ];
    reply.code(reasons.length === 0 ? 200 : 503).header('cache-control', 'no-store');
    return reply.send({
      ...{ ready: reasons.length === 0, reasons },
      database: { reachable, kind: databaseKind, version: databaseVersion },
      migrations: { current: missing.length === 0, newest: migrations.at(-1) ?? null, missing },
      fallbacks: { partitioning },
      parts: reachable ? await readParts() : [],
    });
  });
}

/** What this version brings and the database does not have: another copy of it may have been put in its place. */
async function findMissingMigrations(database: Database): Promise<string[]> {
  try {
    const { rows } = await database.pool.query<{ name: string }>('SELECT name FROM schema_migration');
    const present = new Set(rows.map((row) => row.name));
    const names = (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith('.sql')).sort();
    return names.map((name) => name.slice(0, -4)).filter((name) => !present.has(name));
  } catch (error) {
    // Without the right to look nothing is known to be missing; the start has checked it.
    if (error instanceof Error && 'code' in error && error.code === '42501') return [];
    throw error;
  }
}
