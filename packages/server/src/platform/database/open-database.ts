import { readdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { describePartitioning, type Installation } from './installation.ts';
import { migrate } from './migrate.ts';
import { createPool } from './pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE, provisionDatabase } from './provision.ts';
import { findRoleFault } from './role-rights.ts';

/** The server cannot start. The message says what to do. */
export class StartError extends Error {
  override name = 'StartError';
}

export type OpenedDatabase = {
  pool: pg.Pool;
  /** For a connection outside the pool, as the application. */
  connection: pg.ClientConfig;
  installation: Installation;
  /** Ends the embedded database, if it is ours. */
  stop(): Promise<void>;
};

type Settings = {
  home: string;
  version: string;
  databaseUrl: string | null;
  databaseMigrationUrl: string | null;
  databasePoolSize: number;
};
type Log = {
  info(text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

const DATABASE_NAME = 'touchstone';
const RESTART_EVERY_MS = 2_000;
const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '../../../migrations');

/** Starts or finds the database, brings it to the newest schema, and makes sure we cannot do in it what we must not. */
export async function openDatabase(settings: Settings, log: Log): Promise<OpenedDatabase> {
  const startedAt = new Date().toISOString();
  const keeper = settings.databaseUrl === null ? await keepEmbedded(settings.home, log) : null;
  const embedded = keeper?.first ?? null;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await keeper?.stop();
  };
  try {
    const { app, migrator } = connectionsOf(settings, embedded);
    const pool = createPool({ ...app, max: settings.databasePoolSize }, (error) => {
      if (!stopping) log.warn({ err: error }, 'a database connection was lost');
    });
    keeper?.onRestart((host) => {
      // The new socket may lie elsewhere; both look here whenever they connect.
      pool.options.host = host;
      app.host = host;
    });
    try {
      const version = await checkReachable(pool);
      // Before migrating, which grants to this role: a wrong one must leave the database as it was.
      await checkRights(pool, migrator === null ? null : userOf(migrator));
      if (migrator !== null) await migrateAs(migrator, userOf(app) ?? APP_ROLE);
      const installation: Installation = {
        version: settings.version,
        startedAt,
        home: settings.home,
        databaseKind: embedded === null ? 'server' : 'embedded',
        databaseVersion: version,
        migrations: await checkMigrations(pool),
        partitioning: await describePartitioning(pool),
      };
      return { pool, connection: app, installation, stop };
    } catch (error) {
      await pool.end();
      throw error;
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Keeps an embedded database running: one that ends by itself is started again, until we stop it. */
async function keepEmbedded(home: string, log: Log) {
  let stopping = false;
  let tellRestart = (_host: string): void => {};
  let restarting: Promise<void> = Promise.resolve();
  const watch = (running: EmbeddedPostgres): EmbeddedPostgres => {
    running.onExit((reason) => {
      log.error({ reason }, 'the database ended');
      restarting = restart();
    });
    return running;
  };
  const restart = async (): Promise<void> => {
    await current.stop().catch(() => {});
    while (!stopping) {
      try {
        current = watch(await startEmbeddedPostgres({ home, log: (line) => log.info(line) }));
        tellRestart(current.host);
        log.info('the database runs again');
        return;
      } catch (error) {
        log.error({ err: error }, 'the database cannot be started again');
        await new Promise((resolve) => setTimeout(resolve, RESTART_EVERY_MS));
      }
    }
  };
  let current = watch(await startEmbeddedPostgres({ home, log: (line) => log.info(line) }));
  try {
    await provisionDatabase({ host: current.host, port: current.port, user: current.superuser }, DATABASE_NAME);
  } catch (error) {
    await current.stop();
    throw error;
  }
  return {
    first: current,
    onRestart(listener: (host: string) => void): void {
      tellRestart = listener;
    },
    async stop(): Promise<void> {
      stopping = true;
      await restarting;
      await current.stop();
    },
  };
}

function connectionsOf(
  settings: Settings,
  embedded: EmbeddedPostgres | null,
): { app: pg.ClientConfig; migrator: pg.ClientConfig | null } {
  if (embedded !== null) {
    const base = { host: embedded.host, port: embedded.port, database: DATABASE_NAME };
    return { app: { ...base, user: APP_ROLE }, migrator: { ...base, user: MIGRATOR_ROLE } };
  }
  const from = (url: string | null) => (url === null ? null : { connectionString: url });
  return { app: from(settings.databaseUrl)!, migrator: from(settings.databaseMigrationUrl) };
}

/** The role a connection names. */
export function userOf({ user, connectionString }: pg.ClientConfig): string | null {
  if (connectionString === undefined) return user ?? null;
  return decodeURIComponent(new URL(connectionString).username) || null;
}

/** Brings a database to the newest schema as its owner, and lets the application see which that is. */
export async function migrateAs(connection: pg.ClientConfig, appRole: string): Promise<string[]> {
  const pool = createPool({ ...connection, max: 2 }, () => {});
  try {
    await checkReachable(pool);
    const ran = await migrate(pool, { app: appRole, archiver: ARCHIVER_ROLE });
    // So that a server without the migrator's credentials can tell whether the schema is current.
    await pool.query(`GRANT SELECT ON schema_migration TO ${pg.escapeIdentifier(appRole)}`);
    return ran;
  } finally {
    await pool.end();
  }
}

async function checkReachable(pool: pg.Pool): Promise<string> {
  try {
    const { rows } = await pool.query('SHOW server_version');
    return String(rows[0].server_version).split(' ')[0]!;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database does not answer (${cause}). Start it, or check DATABASE_URL.`, { cause: error });
  }
}

/** Row security does not hold for these, and facts could be changed: a mistake in the settings must not go unseen. */
async function checkRights(pool: pg.Pool, owner: string | null): Promise<void> {
  const fault = await findRoleFault(pool, owner);
  if (fault === null) return;
  throw new StartError(
    `The database role ${fault.role} ${fault.may}, so nothing would protect the facts. Let DATABASE_URL name a role like ${APP_ROLE}, and DATABASE_MIGRATION_URL the owner.`,
  );
}

async function checkMigrations(pool: pg.Pool): Promise<string[]> {
  const wanted = (await readdir(MIGRATIONS_FOLDER))
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -4));
  const { rows } = await pool.query('SELECT name FROM schema_migration ORDER BY name').catch((error: unknown) => {
    throw new StartError('The database is not migrated. Set DATABASE_MIGRATION_URL to its owner and start once.', {
      cause: error,
    });
  });
  const present = rows.map((row) => String(row.name));
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length === 0) return present;
  throw new StartError(
    `The database lacks ${missing.length} migrations (first: ${missing[0]}). Set DATABASE_MIGRATION_URL to its owner and start once.`,
  );
}
