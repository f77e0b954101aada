import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { asOwner, checkOwner, type ReachOwner } from '../../platform/database/owner.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { failPoint } from '../../platform/fail-point.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { Tasks } from '../../platform/tasks/tasks.ts';
import * as repository from './archive.repository.ts';
import { restoreFile } from './open-bars.ts';
import { writeParquet } from './parquet.ts';
import { COLUMN_LIST } from './price-columns.ts';

export const ARCHIVE_TASK = 'operate.archive.run';
export const BRING_BACK_TASK = 'operate.archive.bring-back';
/** A correction may come while a year is read; then it is read again, so often. */
const TRIES = 3;
const SERIALIZATION_FAILURE = '40001';

export type ArchiveDeps = {
  database: Database;
  objects: ObjectStore;
  clock: Clock;
  /** Only the owner of the tables may take rows out of them. */
  reachOwner: ReachOwner | null;
};
type Archived = { tenantId: number; year: number; archiveId: number; rowCount: number; byteCount: number };
type Walk = { signal?: AbortSignal; progress?: (fraction: number, note: string) => void };

export type ArchiveService = ReturnType<typeof createArchiveService>;

/**
 * Moves whole years of a tenant's bars to Parquet files and back. No answer changes by it: reads merge both.
 *
 * The order is what makes a crash harmless: the file is written and on disk, then read back and compared, then its rows
 * leave the table in the transaction that says so. Stopped anywhere before, all rows are where they were.
 */
export function createArchiveService({ database, objects, clock, reachOwner }: ArchiveDeps) {
  return {
    /** @throws ProblemError NOT_POSSIBLE_NOW if this server cannot archive. */
    checkMayArchive: () => void checkOwner(reachOwner),

    async list(principal: Principal) {
      const items = await database.transaction(principal, (tx) => repository.listArchives(tx), { readOnly: true });
      return { items };
    },

    /** Archives every year that ended at least so many years ago. Safe to run twice. */
    async archive(principal: Principal, olderThanYears: number, walk: Walk = {}) {
      const last = new Date(clock.now()).getUTCFullYear() - olderThanYears - 1;
      const years = await database.transaction(principal, (tx) => repository.findYearsInTable(tx, last));
      const archived: Archived[] = [];
      for (const [i, year] of years.entries()) {
        walk.signal?.throwIfAborted();
        walk.progress?.(i / years.length, `Archive ${year}`);
        archived.push(await archiveYear(principal, year));
      }
      return { lastYear: last, archived };
    },

    /** The same for every tenant, on behalf of the operator. */
    async archiveAll(operator: Principal, olderThanYears: number, walk: Walk = {}) {
      const tenants = await database.transaction(operator, (tx) => repository.findTenantIds(tx));
      const archived: Archived[] = [];
      for (const [i, tenantId] of tenants.entries()) {
        const told = await this.archive(onBehalfOf(operator, tenantId), olderThanYears, {
          ...walk,
          progress: (fraction, note) => walk.progress?.((i + fraction) / tenants.length, note),
        });
        archived.push(...told.archived);
      }
      return { archived };
    },

    /** Puts the bars of a year into the table again, of every tenant that archived it. */
    async bringBackAll(operator: Principal, year: number) {
      const tenants = await database.transaction(operator, (tx) => repository.findTenantsArchived(tx, year));
      const sum = { year, files: 0, rowCount: 0 };
      for (const tenantId of tenants) {
        const told = await this.bringBack(onBehalfOf(operator, tenantId), year);
        sum.files += told.files;
        sum.rowCount += told.rowCount;
      }
      return sum;
    },

    /** @throws NOT_FOUND if no bar of the year is archived. */
    async checkArchived(tx: Transaction, year: number): Promise<void> {
      const tenants = await repository.findTenantsArchived(tx, year);
      if (tenants.length === 0) throw new ProblemError('NOT_FOUND', `No bars of ${year} are archived.`);
    },

    /** Puts the bars of a year into the table again. Safe to run twice. */
    async bringBack(principal: Principal, year: number) {
      return database.transaction(principal, async (tx) => {
        const files = await repository.findArchives(tx, year, ['archived']);
        await tx.client.query('SELECT touchstone_ensure_price_years($1, $1)', [year]);
        let rowCount = 0;
        for (const file of files) {
          await withRestored(tx, file.file_sha256, async (table) => {
            await checkContent(tx, table, file);
            await tx.client.query(`INSERT INTO price_observation (${COLUMN_LIST}) SELECT ${COLUMN_LIST} FROM ${table}`);
          });
          await repository.setState(tx, file.id, 'brought_back');
          await record(tx, 'archive.brought_back', file.id, { year, rowCount: file.row_count });
          rowCount += file.row_count;
        }
        return { year, files: files.length, rowCount };
      });
    },
  };

  async function archiveYear(principal: Principal, year: number): Promise<Archived> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await tryYear(principal, year);
      } catch (error) {
        const isOvertaken = error instanceof pg.DatabaseError && error.code === SERIALIZATION_FAILURE;
        if (!isOvertaken || attempt === TRIES) throw error;
      }
    }
  }

  async function tryYear(principal: Principal, year: number): Promise<Archived> {
    await database.transaction(principal, (tx) => repository.dropUnfinished(tx, year), { includeDeleted: true });
    const made = await database.transaction(principal, (tx) => writeFile(tx, year), { isolation: 'repeatable read' });
    failPoint('archive.after-file');
    const archiveId = await database.transaction(principal, async (tx) => {
      const id = await repository.insertArchive(tx, made);
      const { rowCount, fileSha256, contentSha256 } = made;
      await record(tx, 'archive.written', id, { year, rowCount, fileSha256, contentSha256 });
      return id;
    });
    failPoint('archive.after-row');
    await database.transaction(principal, async (tx) => {
      await withRestored(tx, made.fileSha256, (table) =>
        checkContent(tx, table, { row_count: made.rowCount, content_sha256: made.contentSha256 }),
      );
      await repository.setState(tx, archiveId, 'verified');
      await record(tx, 'archive.verified', archiveId, { year, contentSha256: made.contentSha256 });
    });
    failPoint('archive.after-verify');
    await asOwner(reachOwner, (owner) =>
      owner.transaction(principal, async (tx) => {
        await repository.removeRows(tx, archiveId);
        await record(tx, 'archive.archived', archiveId, { year, rowCount: made.rowCount, fileSha256: made.fileSha256 });
        failPoint('archive.before-commit');
      }),
    );
    failPoint('archive.after-commit');
    return { tenantId: principal.tenantId, year, archiveId, rowCount: made.rowCount, byteCount: made.byteCount };
  }

  /** Writes the rows of one snapshot, and the hash of the same rows. */
  async function writeFile(tx: Transaction, year: number): Promise<repository.NewArchive> {
    const rows = `FROM price_observation WHERE tenant_id = ${Math.trunc(tx.principal.tenantId)}
      AND day BETWEEN make_date(${year}, 1, 1) AND make_date(${year}, 12, 31)`;
    const counted = await tx.client.query(
      `SELECT count(*)::int AS rows, count(DISTINCT instrument_id)::int AS instruments ${rows}`,
    );
    const draft = path.join(folderOf(), randomUUID());
    await mkdir(path.dirname(draft), { recursive: true });
    try {
      await pipeline(
        tx.client.query(copyTo(`COPY (SELECT ${COLUMN_LIST} ${rows} ${ORDER}) TO STDOUT (FORMAT csv)`)),
        createWriteStream(`${draft}.csv`),
      );
      const contentSha256 = await hashOf(tx, `SELECT ${COLUMN_LIST} ${rows} ${ORDER}`);
      await writeParquet(`${draft}.csv`, `${draft}.parquet`);
      const stored = await objects.put(createReadStream(`${draft}.parquet`));
      return {
        year,
        rowCount: counted.rows[0].rows,
        instrumentCount: counted.rows[0].instruments,
        byteCount: stored.byteCount,
        fileSha256: stored.sha256,
        contentSha256,
      };
    } finally {
      for (const end of ['csv', 'parquet']) await rm(`${draft}.${end}`, { force: true });
    }
  }

  /** Restores a whole file into a temporary table that ends with the work. */
  async function withRestored(tx: Transaction, sha256: string, work: (table: string) => Promise<void>): Promise<void> {
    const table = 'pg_temp.archive_check';
    await tx.client.query(`CREATE TEMPORARY TABLE archive_check (LIKE price_observation) ON COMMIT DROP`);
    await restoreFile(tx.client, objectsFolder(), sha256, table, null);
    await work(table);
    await tx.client.query(`DROP TABLE ${table}`);
  }

  function objectsFolder(): string {
    // Objects lie two levels below their folder, see the object store.
    return path.join(objects.pathOf('0'.repeat(64)), '../..');
  }

  function folderOf(): string {
    return path.join(objectsFolder(), 'incoming');
  }
}

/** The operator acts for another tenant as the server itself. */
function onBehalfOf(operator: Principal, tenantId: number): Principal {
  return tenantId === operator.tenantId ? operator : { tenantId, actorId: null };
}

const ORDER = 'ORDER BY instrument_id, day, run_id';

/** @throws Error if a restored file does not hold exactly what was written. */
async function checkContent(
  tx: Transaction,
  table: string,
  expected: { row_count: number; content_sha256: string },
): Promise<void> {
  const { rows } = await tx.client.query(`SELECT count(*)::int AS count FROM ${table}`);
  if (rows[0].count !== expected.row_count) {
    throw new Error(`an archive must have the rows it was written with: ${expected.row_count}, has ${rows[0].count}`);
  }
  const found = await hashOf(tx, `SELECT ${COLUMN_LIST} FROM ${table} ${ORDER}`);
  if (found !== expected.content_sha256) {
    throw new Error(`an archive must have the content it was written with: ${expected.content_sha256}, has ${found}`);
  }
}

/** As the content of a publication is hashed: over the binary COPY of its rows in key order. */
async function hashOf(tx: Transaction, query: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of tx.client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`))) hash.update(chunk);
  return hash.digest('hex');
}

async function record(tx: Transaction, kind: string, id: number, body: Record<string, unknown>): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'archive', subjectId: id, body });
}

/** Says how archiving is done in the background, which only the operator may start. Called once while wiring. */
export function registerArchiveTasks(tasks: Tasks, service: ArchiveService): void {
  tasks.register(ARCHIVE_TASK, (input, { principal, signal, progress }) => {
    // A schedule calls it years.
    const years = Number(input.olderThanYears ?? input.years);
    if (!Number.isInteger(years) || years < 1) {
      throw new ProblemError('INVALID_REQUEST', 'olderThanYears must be a whole number from 1.');
    }
    return service.archiveAll(principal, years, { signal, progress });
  });
  tasks.register(BRING_BACK_TASK, (input, { principal }) => service.bringBackAll(principal, Number(input.year)));
}
