import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { getConstructionPlans } from 'pg-boss';

const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '../../../migrations');
const QUEUE_SCHEMA = 'pgboss';
/** Held on a connection of its own while a server migrates. */
const MIGRATION_LOCK = 7420010;

/** Names of the database roles that migrations grant to. They are cluster-wide and may exist already. */
export type RoleNames = { app: string; archiver: string };

export type MigrateOptions = {
  /** The last migration that runs, for a database that is to be as an older version left it. Default: the newest. */
  to?: string | undefined;
};

/**
 * Brings a database to the newest schema, forward only. Runs as the migrator, who owns the tables.
 *
 * One server at a time: others that start at the same moment wait on an advisory lock, from before the first table is
 * made, and then find nothing to do. The lock goes with its connection, so a server that dies holds nobody up.
 *
 * @returns the names of the migrations that ran now.
 */
export async function migrate(migratorPool: pg.Pool, roles: RoleNames, { to }: MigrateOptions = {}): Promise<string[]> {
  return oneAtATime(migratorPool, async () => {
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: migratorPool }) });
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => readMigrations(roles) },
      migrationTableName: 'schema_migration',
      migrationLockTableName: 'schema_migration_lock',
    });
    const { error, results } = await (to === undefined ? migrator.migrateToLatest() : migrator.migrateTo(to));
    if (error !== undefined) {
      const failed = results?.find((result) => result.status === 'Error');
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`Migration ${failed?.migrationName ?? 'set-up'} failed: ${cause}`, { cause: error });
    }
    return (results ?? []).map((result) => result.migrationName);
  });
}

/** Not a connection of the pool: with a small pool the work would wait for the lock's own connection. */
async function oneAtATime<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> {
  const holder = new pg.Client(pool.options);
  holder.on('error', () => {});
  await holder.connect();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work();
  } finally {
    await holder.end();
  }
}

/** Names of the migrations this version has, in order. */
export async function listMigrationNames(): Promise<string[]> {
  const names = (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name) => name.replace(/\.sql$/, ''));
}

/** The text of a migration as it is kept. */
export function readMigrationText(name: string): Promise<string> {
  return readFile(path.join(MIGRATIONS_FOLDER, `${name}.sql`), 'utf8');
}

/** The migrations in order; the last one is the queue's schema, which comes from its library. */
async function readMigrations(roles: RoleNames): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {};
  for (const name of await listMigrationNames()) {
    const statements = withQueueSchema(withRoles(await readMigrationText(name), roles));
    migrations[name] = {
      up: async (db) => {
        await sql.raw(statements).execute(db);
      },
    };
  }
  return migrations;
}

function withRoles(text: string, roles: RoleNames): string {
  return text.replaceAll('{{app}}', quoteName(roles.app)).replaceAll('{{archiver}}', quoteName(roles.archiver));
}

/** The queue library opens a transaction of its own; a migration already runs in one. */
function withQueueSchema(text: string): string {
  return text.replace('{{queue_schema}}', () =>
    getConstructionPlans(QUEUE_SCHEMA)
      .replace(/^\s*BEGIN;/m, '')
      .replace(/COMMIT;\s*$/m, ''),
  );
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
