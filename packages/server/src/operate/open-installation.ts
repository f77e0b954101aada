import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { PORT } from '../platform/database/embedded/database-places.ts';
import { startEmbeddedPostgres } from '../platform/database/embedded/embedded-postgres.ts';
import { migrate } from '../platform/database/migrate.ts';
import type { ReachOwner } from '../platform/database/owner.ts';
import { createPool } from '../platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../platform/database/provision.ts';
import { BackupError } from './backup-file.ts';
import type { RestoreTarget } from './restore.ts';

/** Where the installation's database is; from the settings. */
export type Where = { home: string; databaseUrl: string | null; databaseMigrationUrl: string | null };
type Log = (line: string) => void;

const DATABASE_NAME = 'touchstone';

/** A database that can be reached now, as its owner and as the application. */
export type Reached = { owner: pg.ClientConfig; app: pg.ClientConfig; close(): Promise<void> };

/**
 * Finds the database of an installation, running or not: a server's by its address, the embedded one by its socket. An
 * embedded database that does not run is started and stopped again by `close`.
 */
export async function reachDatabase(where: Where, log: Log): Promise<Reached> {
  if (where.databaseUrl !== null) {
    if (where.databaseMigrationUrl === null) {
      throw new BackupError(
        'Set DATABASE_MIGRATION_URL to the owner of the tables: the application does not see all of them.',
      );
    }
    return {
      owner: { connectionString: where.databaseMigrationUrl },
      app: { connectionString: where.databaseUrl },
      close: async () => {},
    };
  }
  const socketFolder = await findSocket(where.home);
  if (socketFolder !== undefined) return { ...asRoles(socketFolder, PORT), close: async () => {} };
  if ((await readFile(path.join(where.home, 'database', 'location'), 'utf8').catch(() => undefined)) === undefined) {
    throw new BackupError(`There is no installation in ${where.home}. Set TOUCHSTONE_HOME to the folder of one.`);
  }
  const embedded = await startEmbeddedPostgres({ home: where.home, log });
  return { ...asRoles(embedded.host, embedded.port), close: () => embedded.stop() };
}

function asRoles(host: string, port: number): { owner: pg.ClientConfig; app: pg.ClientConfig } {
  const base = { host, port, database: DATABASE_NAME };
  return { owner: { ...base, user: MIGRATOR_ROLE }, app: { ...base, user: APP_ROLE } };
}

/** The socket of a running embedded database: the server notes it in the home. */
async function findSocket(home: string): Promise<string | undefined> {
  const text = await readFile(path.join(home, 'database', 'postmaster.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { socketFolder }: { socketFolder?: unknown } = JSON.parse(text);
  if (typeof socketFolder !== 'string') return undefined;
  const client = new pg.Client(asRoles(socketFolder, PORT).owner);
  try {
    await client.connect();
    await client.end();
    return socketFolder;
  } catch {
    return undefined;
  }
}

/** Runs work on one connection as the owner of the tables. */
export async function withOwner<T>(where: Where, log: Log, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const reached = await reachDatabase(where, log);
  try {
    const client = await connectPlainly(reached.owner);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  } finally {
    await reached.close();
  }
}

/** How a running server reaches its database as the owner of the tables; null when it was not told who that is. */
export function ownerOf(where: Where): ReachOwner | null {
  if (where.databaseUrl !== null && where.databaseMigrationUrl === null) return null;
  return async () => (await reachDatabase(where, () => {})).owner;
}

/** Texts of values must not depend on how somebody has set up the server. */
export async function connectPlainly(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({
    ...config,
    application_name: 'touchstone-operate',
    options:
      '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c client_encoding=UTF8',
  });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new BackupError(`The database does not answer (${cause}). Start it, or check its address.`, { cause: error });
  }
  return client;
}

/**
 * Makes the empty database for a restore: a new embedded one, or the one DATABASE_MIGRATION_URL names.
 *
 * @param lastMigration Schema it gets; default: the newest.
 */
export async function makeTarget(
  where: Where,
  log: Log,
  lastMigration?: string,
): Promise<RestoreTarget & { close(): Promise<void>; app: pg.ClientConfig }> {
  if (where.databaseUrl !== null) {
    const { owner, app } = await reachDatabase(where, log);
    const appRole = decodeURIComponent(new URL(String(app.connectionString)).username);
    await migrateTo(owner, appRole, lastMigration);
    const client = await connectPlainly(owner);
    const close = () => client.end();
    return { client, app, discard: close, close, migrateForward: () => migrateTo(owner, appRole) };
  }
  const embedded = await startEmbeddedPostgres({ home: where.home, log });
  const discard = async () => {
    await embedded.stop();
    await rm(embedded.dataFolder, { recursive: true, force: true });
  };
  try {
    await provisionDatabase({ host: embedded.host, port: embedded.port, user: embedded.superuser }, DATABASE_NAME);
    const { owner, app } = asRoles(embedded.host, embedded.port);
    await migrateTo(owner, APP_ROLE, lastMigration);
    const client = await connectPlainly(owner);
    return {
      client,
      app,
      migrateForward: () => migrateTo(owner, APP_ROLE),
      async discard() {
        await client.end().catch(() => {});
        await discard();
      },
      async close() {
        await client.end();
        await embedded.stop();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function migrateTo(owner: pg.ClientConfig, app: string, to?: string): Promise<string[]> {
  const pool = createPool({ ...owner, max: 2 }, () => {});
  try {
    return await migrate(pool, { app, archiver: ARCHIVER_ROLE }, { to });
  } finally {
    await pool.end();
  }
}
