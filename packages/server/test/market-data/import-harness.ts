import { mkdtemp, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Task } from '@touchstone/contracts/tasks';
import { createPriceImportService, type StartImport } from '../../src/market-data/price-import/price-import.service.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import type { Principal, Transaction } from '../../src/platform/database/database.ts';
import { createFolderStore, type ObjectStore } from '../../src/platform/object-store/object-store.ts';
import type { TaskHandler, Tasks } from '../../src/platform/tasks/tasks.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';

export const NOW = Date.UTC(2026, 0, 15, 12);

/** Tasks that wait until the test runs them, in the test's own process. Replaces the queue. */
export type HeldTasks = Tasks & {
  /** Runs a task to its end, as the queue would. */
  work(
    principal: Principal,
    taskId: number,
    signal?: AbortSignal,
    progress?: () => void,
  ): Promise<Record<string, unknown>>;
  requestCancel(principal: Principal, taskId: number): Promise<void>;
};

export function createHeldTasks(db: TestDatabase): HeldTasks {
  const handlers = new Map<string, TaskHandler>();
  return {
    register(kind, handler) {
      handlers.set(kind, handler);
    },
    async start(tx: Transaction, work) {
      const row = await tx.query
        .insertInto('task')
        .values({
          tenant_id: tx.principal.tenantId,
          kind: work.kind,
          title: work.title,
          input: JSON.stringify(work.input),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const task: Task = {
        id: row.id,
        kind: row.kind,
        title: row.title,
        state: 'queued',
        progress: 0,
        progressNote: '',
        input: work.input,
        result: null,
        problem: null,
        attempts: 0,
        cancelRequestedAt: null,
        startedAt: null,
        finishedAt: null,
        createdAt: row.created_at,
        createdBy: row.created_by,
      };
      return task;
    },
    async work(principal, taskId, signal = new AbortController().signal, progress = () => {}) {
      const task = await db.database.transaction(principal, (tx) =>
        tx.query.selectFrom('task').select(['kind', 'input']).where('id', '=', taskId).executeTakeFirstOrThrow(),
      );
      const input = task.input;
      if (input === null || typeof input !== 'object' || Array.isArray(input))
        throw new TypeError('a task input must be an object');
      return handlers.get(task.kind)!(input, { principal, taskId, signal, progress });
    },
    async requestCancel(principal, taskId) {
      await db.database.transaction(principal, (tx) =>
        tx.query
          .updateTable('task')
          .set({ cancel_requested_at: new Date().toISOString() })
          .where('id', '=', taskId)
          .execute(),
      );
    },
  };
}

/** A database, an object store in a temporary folder, and the import service on both. */
export async function createImportHarness() {
  const db = await createTestDatabase();
  const folder = await mkdtemp('/tmp/touchstone-objects-');
  const objects: ObjectStore = createFolderStore(folder);
  const tasks = createHeldTasks(db);
  let now = NOW;
  const clock: Clock = { now: () => now };
  const service = createPriceImportService({ database: db.database, connection: db.connection, objects, tasks, clock });
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven'), (8, 'eight')`);
  const seven: Principal = { tenantId: 7, actorId: null };
  const eight: Principal = { tenantId: 8, actorId: null };
  return {
    db,
    folder,
    objects,
    tasks,
    clock,
    service,
    seven,
    eight,
    setNow: (value: number) => {
      now = value;
    },
    /** Uploads a text or bytes and queues its import. */
    async accept(principal: Principal, content: string | Buffer, more: Partial<StartImport> & { code?: string } = {}) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const { uploadId } = await service.upload(principal, 'prices.csv', Readable.from([bytes]));
      const { code, ...rest } = more;
      return service.accept(principal, {
        uploadId,
        fileName: 'prices.csv',
        kind: 'prices',
        source: { code: code ?? 'mine' },
        choices: { priceBasis: 'total_return' },
        onBadRow: 'keep-good',
        ...rest,
      });
    },
    /** The same, and does the work. */
    async import(principal: Principal, content: string | Buffer, more: Partial<StartImport> & { code?: string } = {}) {
      const task = await this.accept(principal, content, more);
      return tasks.work(principal, task.id);
    },
    async count(table: string): Promise<number> {
      const { rows } = await db.migrator.query(`SELECT count(*)::int AS n FROM ${table}`);
      return rows[0].n;
    },
    async close() {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type ImportHarness = Awaited<ReturnType<typeof createImportHarness>>;

export const gzip = (text: string): Buffer => gzipSync(text);

/** A clean long file: every trading day of the given list, prices that move a little and never repeat. */
export function priceFile(
  symbols: readonly string[],
  days: readonly string[],
  change: (row: string[]) => string[] = (row) => row,
): string {
  const lines = ['date,symbol,open,high,low,close,volume'];
  for (const [s, symbol] of symbols.entries()) {
    days.forEach((day, i) => {
      const close = 100 + 10 * s + Math.sin(i * 1.7 + s) + i * 0.01;
      const open = close - 0.2 * Math.cos(i + s);
      const high = Math.max(open, close) + 0.3;
      const low = Math.min(open, close) - 0.25;
      const fields = [open, high, low, close].map((value) => value.toFixed(4));
      lines.push(change([day, symbol, ...fields, String(100_000 + 37 * i + s)]).join(','));
    });
  }
  return `${lines.join('\n')}\n`;
}
