import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type pg from 'pg';
import { getConstructionPlans } from 'pg-boss';

const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '../../../migrations');
const QUEUE_SCHEMA = 'pgboss';

/** Names of the database roles that migrations grant to. They are cluster-wide and may exist already. */
export type RoleNames = { app: string; archiver: string };

/**
 * Brings a database to the newest schema, forward only. Runs as the migrator, who owns the tables.
 *
 * A second server that starts at the same moment waits on the migration lock and then finds nothing to do.
 *
 * @returns the names of the migrations that ran now.
 */
export async function migrate(migratorPool: pg.Pool, roles: RoleNames): Promise<string[]> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: migratorPool }) });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => readMigrations(roles) },
    migrationTableName: 'schema_migration',
    migrationLockTableName: 'schema_migration_lock',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error');
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`Migration ${failed?.migrationName ?? 'set-up'} failed: ${cause}`, { cause: error });
  }
  return (results ?? []).map((result) => result.migrationName);
}

/** The migrations in order; the last one is the queue's schema, which comes from its library. */
async function readMigrations(roles: RoleNames): Promise<Record<string, Migration>> {
  const names = (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  const migrations: Record<string, Migration> = {};
  for (const name of names) {
    const text = await readFile(path.join(MIGRATIONS_FOLDER, name), 'utf8');
    const statements = withQueueSchema(withRoles(text, roles));
    migrations[name.replace(/\.sql$/, '')] = {
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
