import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { createDatabase, type Database } from '../src/platform/database/database.ts';
import { startEmbeddedPostgres } from '../src/platform/database/embedded/embedded-postgres.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE, ARCHIVER_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../src/platform/database/provision.ts';

/** Where a test's PostgreSQL listens. */
export type Cluster = { host: string; port: number; superuser: string };
export type ClusterKind = 'embedded' | 'postgres15';

const POSTGRES_15_BINARIES = '/usr/lib/postgresql/15/bin';
const NOBODY = 65534;

/** True when Debian's PostgreSQL 15 is installed here. */
export const hasPostgres15 = existsSync(path.join(POSTGRES_15_BINARIES, 'postgres'));

/**
 * Starts a fresh PostgreSQL for tests: the embedded one, or a separately installed PostgreSQL 15.
 * `npm test` starts one for all files and names it in TOUCHSTONE_TEST_CLUSTER.
 */
export async function startTestCluster(kind: ClusterKind): Promise<Cluster & { stop(): Promise<void> }> {
  if (kind === 'postgres15') return startPostgres15();
  const home = await mkdtemp('/tmp/touchstone-test-');
  // As root the database runs as nobody, who must be able to walk to its data.
  await chmod(home, 0o711);
  const server = await startEmbeddedPostgres({ home, log: () => {}, settings: { fsync: 'off' } });
  return {
    host: server.host,
    port: server.port,
    superuser: server.superuser,
    async stop() {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function startPostgres15(): Promise<Cluster & { stop(): Promise<void> }> {
  const folder = await mkdtemp('/tmp/touchstone-pg15-');
  const data = path.join(folder, 'data');
  await mkdir(data);
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in identity) for (const name of [folder, data]) await chown(name, NOBODY, NOBODY);
  const run = (command: string, args: string[]) =>
    spawn(path.join(POSTGRES_15_BINARIES, command), args, {
      cwd: folder,
      // A pipe that nobody reads fills up, and then the server waits in the middle of a statement.
      stdio: 'ignore',
      ...identity,
    });
  const initdb = run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']);
  await new Promise<void>((resolve, reject) =>
    initdb.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`initdb ended with ${code}`)))),
  );
  const server = run('postgres', [
    '-D',
    data,
    '-k',
    folder,
    '-c',
    'listen_addresses=',
    '-c',
    'fsync=off',
    '-c',
    'max_connections=80',
  ]);
  const cluster = { host: folder, port: 5432, superuser: 'postgres' };
  await waitUntilReady(cluster);
  return {
    ...cluster,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function waitUntilReady(cluster: Cluster): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new pg.Client({
      host: cluster.host,
      port: cluster.port,
      user: cluster.superuser,
      database: 'postgres',
    });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('PostgreSQL did not answer within 10 s');
}

/** A migrated database of a test's own, as the application and as its owner see it. */
export type TestDatabase = {
  /** As the application: row-level security holds, facts cannot be changed. */
  database: Database;
  /** As the owner of the tables: row-level security does not hold. */
  migrator: pg.Pool;
  /** Connection settings of the application role, for code that opens its own pool. */
  connection: { host: string; port: number; user: string; database: string };
  close(): Promise<void>;
};

let ownCluster: ReturnType<typeof startTestCluster> | undefined;
let openCount = 0;

/** Makes a database from the migrated template (about 80 ms) and drops it on close. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const named = process.env.TOUCHSTONE_TEST_CLUSTER;
  if (named === undefined) ownCluster ??= startTestCluster('embedded');
  openCount++;
  const cluster: Cluster = named === undefined ? await ownCluster! : JSON.parse(named);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = await ensureTemplate(cluster);
  const admin = new pg.Client({ ...superuserOf(cluster), database: 'postgres' });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${MIGRATOR_ROLE}`);
  const base = { host: cluster.host, port: cluster.port, database: name };
  const migrator = createPool({ ...base, user: MIGRATOR_ROLE, max: 3 }, () => {});
  const connection = { ...base, user: APP_ROLE };
  const database = createDatabase(createPool({ ...connection, max: 8 }, () => {}));
  return {
    database,
    migrator,
    connection,
    async close() {
      await database.close();
      await migrator.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
      await closeOwnCluster();
    },
  };
}

/** An empty database that nothing was migrated into, for tests of migrating itself. */
export async function createEmptyDatabase(): Promise<{
  /** As its owner. */
  owner: { host: string; port: number; user: string; database: string };
  close(): Promise<void>;
}> {
  const named = process.env.TOUCHSTONE_TEST_CLUSTER;
  if (named === undefined) ownCluster ??= startTestCluster('embedded');
  openCount++;
  const cluster: Cluster = named === undefined ? await ownCluster! : JSON.parse(named);
  const database = `empty_${randomBytes(6).toString('hex')}`;
  await provisionDatabase(superuserOf(cluster), database);
  return {
    owner: { host: cluster.host, port: cluster.port, user: MIGRATOR_ROLE, database },
    async close() {
      const admin = new pg.Client({ ...superuserOf(cluster), database: 'postgres' });
      await admin.connect();
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
      await closeOwnCluster();
    },
  };
}

async function closeOwnCluster(): Promise<void> {
  openCount--;
  // The cluster goes with the last database on it.
  if (ownCluster === undefined || openCount > 0) return;
  const { stop } = await ownCluster;
  ownCluster = undefined;
  await stop();
}

function superuserOf(cluster: Cluster): pg.ClientConfig {
  return { host: cluster.host, port: cluster.port, user: cluster.superuser };
}

/** The first test file makes the template; the others wait on a lock and find it. */
async function ensureTemplate(cluster: Cluster): Promise<string> {
  const name = `template_${await migrationsHash()}`;
  const admin = new pg.Client({ ...superuserOf(cluster), database: 'postgres' });
  await admin.connect();
  try {
    await admin.query('SELECT pg_advisory_lock(7420009)');
    const { rows } = await admin.query('SELECT datallowconn FROM pg_database WHERE datname = $1', [name]);
    if (rows.length === 0 || rows[0].datallowconn) {
      await provisionDatabase(superuserOf(cluster), name);
      const pool = createPool(
        { host: cluster.host, port: cluster.port, database: name, user: MIGRATOR_ROLE, max: 2 },
        () => {},
      );
      await migrate(pool, { app: APP_ROLE, archiver: ARCHIVER_ROLE });
      await pool.end();
      await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    }
    return name;
  } finally {
    await admin.end();
  }
}

async function migrationsHash(): Promise<string> {
  const folder = path.join(import.meta.dirname, '../migrations');
  const hash = createHash('sha256');
  for (const file of (await readdir(folder)).sort()) hash.update(file).update(await readFile(path.join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}
