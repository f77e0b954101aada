import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type pg from 'pg';
import { openBucket } from '../platform/object-store/open-objects.ts';
import { ABOUT, type About, BackupError, cut, FORMAT, MANIFEST, type Manifest, SECRET } from './backup-file.ts';
import {
  createSum,
  fullName,
  listMigrations,
  listPriceYears,
  listSequences,
  listTables,
  readTable,
  rootOf,
  type TableSum,
} from './tables.ts';
import { encodeEnd, encodeEntry, type TarEntry } from './tar.ts';

export type BackupPlan = {
  /** As the owner of the tables: row security does not hold for it, so all tenants are seen. */
  client: pg.ClientBase;
  /** TOUCHSTONE_HOME. */
  home: string;
  file: string;
  /** ISO text. */
  createdAt: string;
  progress?: (note: string) => void;
  signal?: AbortSignal;
};

export type BackupResult = {
  file: string;
  byteCount: number;
  tableCount: number;
  rowCount: number;
  objectCount: number;
  root: string;
};

/**
 * Writes the whole installation into one file, while it is being used.
 *
 * All tables are read in one repeatable-read transaction, so they fit each other; then the objects, which never change,
 * so that none a row names is missing. Nothing is held in memory but 4 MiB at a time. The file has mode 0600 and its name
 * only when it is whole and on disk.
 *
 * @throws BackupError if the file exists already.
 */
export async function writeBackup(plan: BackupPlan): Promise<BackupResult> {
  if ((await stat(plan.file).catch(() => undefined)) !== undefined) {
    throw new BackupError(`${plan.file} exists already. Name another file, or remove it first.`);
  }
  const draft = `${plan.file}.part`;
  const made = { manifest: undefined as Manifest | undefined };
  try {
    await rm(draft, { force: true });
    try {
      await plan.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const sink = createWriteStream(draft, { mode: 0o600, flags: 'wx' });
      await pipeline(encode(plan, made), createGzip({ level: 1 }), sink, { signal: plan.signal });
    } finally {
      await plan.client.query('ROLLBACK').catch(() => {});
    }
    const handle = await open(draft, 'r+');
    await handle.sync();
    await handle.close();
    await rename(draft, plan.file);
  } catch (error) {
    await rm(draft, { force: true });
    throw isDiskFull(error) ? new BackupError(`The disk that holds ${plan.file} is full.`, { cause: error }) : error;
  }
  const manifest = made.manifest!;
  return {
    file: plan.file,
    byteCount: (await stat(plan.file)).size,
    tableCount: manifest.tables.length,
    rowCount: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    objectCount: manifest.objects.length,
    root: manifest.root,
  };
}

async function* encode(plan: BackupPlan, made: { manifest: Manifest | undefined }): AsyncGenerator<Buffer> {
  const { client, home } = plan;
  const shapes = await listTables(client);
  const version = await client.query('SHOW server_version');
  const about: About = {
    format: FORMAT,
    product: 'touchstone',
    createdAt: plan.createdAt,
    databaseVersion: version.rows[0].server_version,
    migrations: await listMigrations(client),
    priceYears: await listPriceYears(client),
    tables: shapes,
  };
  yield* json(ABOUT, about);

  const tables: TableSum[] = [];
  for (const shape of shapes) {
    plan.progress?.(`Read ${fullName(shape)}`);
    const sum = createSum(fullName(shape));
    yield* entries(cut(`tables/${fullName(shape)}`, summed(readTable(client, shape), sum)));
    tables.push(sum.end());
  }
  const objects: Manifest['objects'] = [];
  await openBucket(path.join(home, 'objects'))?.fetchAll();
  for (const { name, file } of await listObjects(home)) {
    plan.progress?.(`Read object ${name.slice(0, 12)}`);
    const { rows: _rows, ...sum } = await (yield* part(`objects/${name}`, name, file));
    // A damaged object is kept as it is: the backup is not the place to judge it, verify is.
    objects.push(sum);
  }
  const secretFile = path.join(home, 'secret');
  const hasSecret = (await stat(secretFile).catch(() => undefined)) !== undefined;
  const secret = hasSecret ? yield* part(SECRET, SECRET, secretFile) : undefined;
  made.manifest = {
    root: rootOf(tables),
    tables,
    objects,
    sequences: await listSequences(client),
    secretSha256: secret?.sha256 ?? null,
  };
  yield* json(MANIFEST, made.manifest);
  yield encodeEnd();
}

async function* part(prefix: string, name: string, file: string): AsyncGenerator<Buffer, TableSum> {
  const sum = createSum(name);
  yield* entries(cut(prefix, summed(createReadStream(file), sum)));
  return sum.end();
}

async function* entries(source: AsyncIterable<TarEntry>): AsyncGenerator<Buffer> {
  for await (const entry of source) yield* encodeEntry(entry);
}

async function* json(name: string, value: unknown): AsyncGenerator<Buffer> {
  yield* encodeEntry({ name, content: Buffer.from(`${JSON.stringify(value, null, 1)}\n`) });
}

async function* summed(source: AsyncIterable<Buffer>, sum: { add(chunk: Buffer): void }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    sum.add(chunk);
    yield chunk;
  }
}

async function listObjects(home: string): Promise<{ name: string; file: string }[]> {
  const folder = path.join(home, 'objects');
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
    .map((entry) => ({ name: entry.name, file: path.join(entry.parentPath, entry.name) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
