import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { listMigrationNames } from '../platform/database/migrate.ts';
import { createFolderStore } from '../platform/object-store/object-store.ts';
import { type About, BackupError, checkBackup, type Manifest, readPieces, SECRET } from './backup-file.ts';
import { fullName, listMigrations, listTables, quoted, rootOf, sumTables, type TableShape } from './tables.ts';

/** The otherwise empty database that a backup goes into, as the owner of its tables. */
export type RestoreTarget = {
  client: pg.ClientBase;
  /** Brings it from the schema of the backup to that of this version; gives the names of what ran. */
  migrateForward(): Promise<string[]>;
  /** Takes away what was made, after a failure. */
  discard(): Promise<void>;
};

export type RestorePlan = {
  file: string;
  /** TOUCHSTONE_HOME; must be empty. */
  home: string;
  /** Called when the file is known to be whole: makes the database with the schema the backup was made with. */
  openTarget(lastMigration: string): Promise<RestoreTarget>;
  progress?: (note: string) => void;
  /** Looked at between parts. */
  signal?: AbortSignal;
};

export type RestoreResult = {
  file: string;
  createdAt: string;
  tableCount: number;
  rowCount: number;
  objectCount: number;
  root: string;
  /** Migrations that ran after the rows were back: the backup was made by an older version. */
  migrated: string[];
};

/**
 * Lies in the home while a restore is under way. If that is killed, all rows are in a transaction that never was: a server
 * started there finds an empty database, and the next restore says what this folder is.
 */
const UNFINISHED = 'restore-unfinished';
/** What an installation consists of. The session of the command line may lie beside it. */
const OWN_PARTS = ['database', 'objects', 'secret'];

/**
 * Brings a backup back into an empty home.
 *
 * The file is read twice: first all of it is compared with its manifest, and only then anything is made. The rows go in
 * by one transaction, and are read and hashed again before it is committed. No trigger and no rule is switched off for
 * it: append-only tables take additions, the owner of the tables is not held by row security, COPY keeps given
 * identities, and tables come in an order in which every reference finds its row.
 *
 * A backup of an older version goes into the schema it was made with, and is migrated forward afterwards.
 *
 * @throws BackupError with a sentence; then the home is as empty as before.
 */
export async function restoreBackup(plan: RestorePlan): Promise<RestoreResult> {
  await checkHome(plan.home);
  plan.progress?.('Check the file');
  const { about, manifest } = await checkBackup(plan.file);
  const lastMigration = await checkLevel(about);
  plan.signal?.throwIfAborted();

  await mkdir(plan.home, { recursive: true });
  await writeFile(path.join(plan.home, UNFINISHED), `${plan.file}\n`);
  let target: RestoreTarget | undefined;
  let migrated: string[];
  try {
    target = await plan.openTarget(lastMigration);
    await fill(plan, target.client, about, manifest);
    plan.progress?.('Migrate to this version');
    migrated = await target.migrateForward();
  } catch (error) {
    await target?.discard();
    for (const name of OWN_PARTS) await rm(path.join(plan.home, name), { recursive: true, force: true });
    await rm(path.join(plan.home, UNFINISHED), { force: true });
    throw error;
  }
  await rm(path.join(plan.home, UNFINISHED), { force: true });
  return {
    file: plan.file,
    createdAt: about.createdAt,
    tableCount: manifest.tables.length,
    rowCount: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    objectCount: manifest.objects.length,
    root: manifest.root,
    migrated,
  };
}

/** The last migration of a backup. @throws BackupError if its schema is not one this version once had. */
async function checkLevel(about: About): Promise<string> {
  const here = await listMigrationNames();
  const last = about.migrations.at(-1);
  if (last !== undefined && here.slice(0, about.migrations.length).join() === about.migrations.join()) return last;
  throw new BackupError(
    `The backup has the schema of ${last}, this version has that of ${here.at(-1)}: it is newer, or of another line. Restore it with the version that made it.`,
  );
}

async function checkHome(home: string): Promise<void> {
  const names: string[] = await readdir(home).catch(() => []);
  const found = names.filter((name) => OWN_PARTS.includes(name));
  if (found.length === 0) return;
  const why = names.includes(UNFINISHED)
    ? 'An earlier restore was cut off there. Remove the folder and start again'
    : 'A restore never overwrites. Stop the server, move the folder away or set TOUCHSTONE_HOME to an empty one';
  throw new BackupError(`${home} is not empty: it holds ${found.join(', ')}. ${why}.`);
}

async function fill(plan: RestorePlan, client: pg.ClientBase, about: About, manifest: Manifest): Promise<void> {
  const here = await listMigrations(client);
  if (here.join() !== about.migrations.join()) {
    throw new BackupError(
      `The database is not empty: it has the schema of ${here.at(-1)}, the backup that of ${about.migrations.at(-1)}. Restore into a new one.`,
    );
  }
  await client.query('BEGIN');
  try {
    const shapes = await listTables(client);
    await emptyTables(client, shapes);
    for (const year of about.priceYears) await client.query('SELECT touchstone_ensure_price_years($1, $1)', [year]);
    await copyParts(plan, client, about);
    for (const { schema, name, lastValue, isCalled } of manifest.sequences) {
      const sequence = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
      await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [sequence, lastValue, isCalled]);
    }
    plan.progress?.('Read everything again');
    const root = rootOf(await sumTables(client, shapes));
    if (root !== manifest.root) throw new Error('the restored tables must have the root of the backup');
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  await client.query('ANALYZE');
}

/** The migrations have left a few rows, like the system tenant; the backup has them too. */
async function emptyTables(client: pg.ClientBase, shapes: readonly TableShape[]): Promise<void> {
  const used = ['public.app_user', 'public.publication', 'public.evidence'];
  for (const shape of shapes.toReversed()) {
    const { table } = quoted(shape);
    const { rows } = await client.query(`SELECT EXISTS (SELECT FROM ${table}) AS has`);
    if (!rows[0].has) continue;
    if (used.includes(fullName(shape))) {
      throw new BackupError('The database is not empty. Restore into a new one: a restore never overwrites.');
    }
    await client.query(`DELETE FROM ${table}`);
  }
}

async function copyParts(plan: RestorePlan, client: pg.ClientBase, about: About): Promise<void> {
  const objects = createFolderStore(path.join(plan.home, 'objects'));
  let open: { name: string; write(content: Buffer): Promise<void>; close(): Promise<void> } | undefined;
  try {
    for await (const { name, content } of readPieces(plan.file)) {
      plan.signal?.throwIfAborted();
      if (open?.name !== name) {
        await open?.close();
        if (name.includes('/')) plan.progress?.(`Write ${name.slice(0, 40)}`);
        open = { name, ...openPart(name, client, about, objects, plan.home) };
      }
      await open.write(content);
    }
  } finally {
    await open?.close();
  }
}

function openPart(
  name: string,
  client: pg.ClientBase,
  about: About,
  objects: ReturnType<typeof createFolderStore>,
  home: string,
) {
  const [kind = '', rest = ''] = name.split(/\/(.*)/s);
  const shape = about.tables.find((each) => fullName(each) === rest);
  if (kind === 'tables' && shape !== undefined) return openTable(client, shape);
  const parts: Buffer[] = [];
  return {
    async write(content: Buffer) {
      parts.push(content);
    },
    async close() {
      if (kind === 'objects') await putObject(objects, rest, Buffer.concat(parts));
      // The one file that opens the signing keys; nobody else may read it.
      if (name === SECRET)
        await writeFile(path.join(home, 'secret'), Buffer.concat(parts), { mode: 0o600, flag: 'wx' });
    },
  };
}

/** An object that was damaged before the backup is put where it was, for verify to name. */
async function putObject(objects: ReturnType<typeof createFolderStore>, name: string, content: Buffer): Promise<void> {
  const { sha256 } = await objects.put(content);
  if (sha256 === name) return;
  await mkdir(path.dirname(objects.pathOf(name)), { recursive: true });
  await writeFile(objects.pathOf(name), content);
  await rm(objects.pathOf(sha256));
}

function openTable(client: pg.ClientBase, shape: TableShape) {
  const { table, columns } = quoted(shape);
  const stream = client.query(copyFrom(`COPY ${table} (${columns}) FROM STDIN`));
  const ended = finished(stream);
  // Seen by whoever waits for the end; until then it is not lost without a word.
  ended.catch(() => {});
  return {
    async write(content: Buffer) {
      if (!stream.write(content)) await Promise.race([once(stream, 'drain'), ended]);
    },
    async close() {
      stream.end();
      await ended;
    },
  };
}
