import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { TemporaryTableMissing, type Transaction } from '../../platform/database/database.ts';
import { openObjects } from '../../platform/object-store/open-objects.ts';
import { readParquet } from './parquet.ts';
import { COLUMN_LIST } from './price-columns.ts';

/** Which bars are going to be read. Days are inclusive; what is left out is not narrowed. */
export type BarRange = {
  instrumentIds?: readonly number[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Default: all that the transaction may see. */
  tenantId?: number | undefined;
};

const TABLE = 'price_observation';
const RESTORED = 'pg_temp.archived_bar';
/** By run, for verify, which asks run by run. */
const MAKE_RESTORED = `CREATE TEMPORARY TABLE archived_bar (LIKE ${TABLE}) ON COMMIT DELETE ROWS;
  CREATE INDEX archived_bar_run ON ${RESTORED} (run_id)`;
/** Held by `touchstone_archive_year` while rows leave the table. */
const ARCHIVE_LOCK = 7420031;

/**
 * The one door to the prices of bars: the name of a relation with the columns of `price_observation` that also holds what
 * was archived. To be used by statements of this transaction, as `FROM ${relation} o`.
 *
 * Nothing archived in the range: the table itself, for one round trip. Otherwise the rows that are needed are brought
 * from their Parquet files into a temporary table of the connection, once a transaction, and both are read as one.
 * Questions that need no price read the view `bar_key` instead, which opens no file.
 *
 * @throws Error if a file is gone or has another content than its hash says: an answer without its rows would be wrong.
 */
export async function openBars(tx: Transaction, range: BarRange = {}): Promise<string> {
  const files = await findFiles(tx, range);
  if (files.length === 0) return TABLE;
  await restoreInTurn(tx, files, range.instrumentIds);
  return `(SELECT ${COLUMN_LIST} FROM ${TABLE} UNION ALL SELECT ${COLUMN_LIST} FROM ${RESTORED})`;
}

type ArchivedFile = { id: number; sha256: string };

async function findFiles(tx: Transaction, { instrumentIds, from, to, tenantId }: BarRange): Promise<ArchivedFile[]> {
  const where = [`a.state = 'archived'`, 'a.deleted_at IS NULL'];
  if (from !== undefined) where.push(`a.year >= ${yearOf(from)}`);
  if (to !== undefined) where.push(`a.year <= ${yearOf(to)}`);
  if (tenantId !== undefined) where.push(`a.tenant_id = ${Math.trunc(tenantId)}`);
  if (instrumentIds !== undefined) {
    const ids = `ARRAY[${instrumentIds.map(Math.trunc).join(',')}]::int[]`;
    where.push(`EXISTS (SELECT FROM archived_days d WHERE d.archive_id = a.id AND d.instrument_id = ANY (${ids}))`);
  }
  // Under read committed each statement sees its own moment, so rows must not move between this one and the next. Both
  // go in one message; the second sees what was committed when the lock was given.
  const results: unknown = await tx.client.query(
    `SELECT CASE WHEN current_setting('transaction_isolation') = 'read committed'
                 THEN pg_advisory_xact_lock_shared(${ARCHIVE_LOCK}) END;
     SELECT a.id, a.file_sha256 AS sha256 FROM archive a WHERE ${where.join(' AND ')} ORDER BY a.id`,
  );
  const last: unknown = Array.isArray(results) ? results.at(-1) : undefined;
  if (!isAnswer(last)) throw new TypeError('two statements must give two results');
  return last.rows;
}

function isAnswer(value: unknown): value is { rows: ArchivedFile[] } {
  return typeof value === 'object' && value !== null && 'rows' in value;
}

function yearOf(day: string): number {
  const year = Number(day.slice(0, 4));
  if (!Number.isInteger(year)) throw new RangeError(`a day must begin with its year, was ${day}`);
  return year;
}

/** What a transaction has brought back: of each file all rows, or those of some instruments. */
type Held = { done: Promise<void>; files: Map<number, Set<number> | 'all'> };
const heldBy = new WeakMap<Transaction['restored'], Held>();

/** Two questions of one transaction wait for each other: no row may come twice. */
function restoreInTurn(tx: Transaction, files: ArchivedFile[], instrumentIds: readonly number[] | undefined) {
  const held = heldBy.get(tx.restored) ?? { done: Promise.resolve(), files: new Map() };
  heldBy.set(tx.restored, held);
  held.done = held.done.then(() => restoreMissing(tx, held, files, instrumentIds));
  return held.done;
}

async function restoreMissing(
  tx: Transaction,
  held: Held,
  files: ArchivedFile[],
  instrumentIds: readonly number[] | undefined,
): Promise<void> {
  const { client, objectsFolder } = tx;
  if (objectsFolder === null) throw new Error('archived bars cannot be read without an object store');
  await ensureTable(client);
  for (const { id, sha256 } of files) {
    const has = held.files.get(id);
    if (has === 'all') continue;
    const missing = instrumentIds?.filter((instrument) => has?.has(instrument) !== true) ?? null;
    if (missing?.length === 0) continue;
    // Who asked for some before and now asks for all gets all anew.
    if (missing === null && has !== undefined) {
      await client.query(
        `DELETE FROM ${RESTORED} r USING archived_days d WHERE d.archive_id = ${id}
         AND r.instrument_id = d.instrument_id AND r.run_id = d.run_id AND r.day = ANY (d.days)`,
      );
    }
    await restoreFile(client, objectsFolder, sha256, RESTORED, missing);
    held.files.set(id, missing === null ? 'all' : new Set([...(has ?? []), ...missing]));
  }
}

async function ensureTable(client: PoolClient): Promise<void> {
  const { rows } = await client.query(
    `SELECT to_regclass('${RESTORED}') IS NOT NULL AS there, current_setting('transaction_read_only') AS "readOnly"`,
  );
  if (rows[0].there) return;
  if (rows[0].readOnly === 'on') throw new TemporaryTableMissing(MAKE_RESTORED);
  await client.query(MAKE_RESTORED);
}

/** Copies rows of an archived file into a table. @throws Error if the file is not what its name says. */
export async function restoreFile(
  client: PoolClient,
  objectsFolder: string,
  sha256: string,
  table: string,
  instrumentIds: readonly number[] | null,
): Promise<void> {
  const file = await openObjects(objectsFolder).fetch(sha256);
  await checkFile(file, sha256);
  const csv = path.join(objectsFolder, 'incoming', `${randomUUID()}.csv`);
  await mkdir(path.dirname(csv), { recursive: true });
  try {
    await readParquet(file, csv, instrumentIds);
    await pipeline(
      createReadStream(csv, { highWaterMark: 1 << 20 }),
      client.query(copyFrom(`COPY ${table} (${COLUMN_LIST}) FROM STDIN (FORMAT csv)`)),
    );
  } finally {
    await rm(csv, { force: true });
  }
}

/** Files that were found whole by this process, as they were then. */
const checked = new Map<string, string>();
const CHECKED_MAX = 1_000;

async function checkFile(file: string, sha256: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new Error(`Object ${sha256} with archived bars is missing. Restore it from a backup.`);
  const state = `${found.size} ${found.mtimeMs} ${found.ino}`;
  if (checked.get(file) === state) return;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  if (hash.digest('hex') !== sha256) {
    throw new Error(`Object ${sha256} has other content than its hash says. Restore it from a backup.`);
  }
  if (checked.size >= CHECKED_MAX) checked.clear();
  checked.set(file, state);
}
