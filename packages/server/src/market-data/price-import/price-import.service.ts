import type { Readable } from 'node:stream';
import { type startImport, UPLOAD_BYTES_MAX } from '@touchstone/contracts/data';
import type { Task } from '@touchstone/contracts/tasks';
import type { PoolConfig } from 'pg';
import { z } from 'zod';
import type { Clock } from '../../platform/clock/clock.ts';
import { type RunInThread, runInThread } from '../../platform/compute/run-in-thread.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { ObjectStore, StoredObject } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, Tasks } from '../../platform/tasks/tasks.ts';
import { checkCalendar } from '../calendars/check-calendar.ts';
import { findPublished, type Published, type PublishPlan, publishRun } from '../facts/publish-run.ts';
import { dropStaging } from '../facts/staging.ts';
import type { KnownAtRule, PriceBasis } from './judge-delivery.ts';
import { type PreviewImport, previewFile } from './preview-import.ts';
import * as repository from './price-import.repository.ts';
import type { FileKind, ImportJob, ImportOutcome } from './run-import.ts';

export const IMPORT_TASK = 'market-data.price-import.run';

export type StartImport = z.output<NonNullable<typeof startImport.body>>;

export type PriceImportDeps = {
  database: Database;
  /** Where the thread of an import connects to: the application's role. */
  connection: PoolConfig;
  objects: ObjectStore;
  tasks: Tasks;
  clock: Clock;
  inThread?: RunInThread;
  /** Compares what a run told with what other sources tell; gives the number of cases it opened. */
  compareSources?: (
    tx: Transaction,
    question: {
      runId: number;
      source: { id: number; name: string; basis: PriceBasis };
      instrumentIds: readonly number[];
      firstDay: string;
      lastDay: string;
    },
  ) => Promise<number>;
};

/** A file of a million bars has some 25 MB compressed, 80 MB plain. */
const WORKER = new URL('./import-worker.ts', import.meta.url);

/** What a run remembers of how it was asked for. */
const runOptions = z.object({
  uploadId: z.string(),
  byteCount: z.number(),
  choices: z.custom<ImportJob['choices']>((value) => typeof value === 'object' && value !== null),
  onBadRow: z.enum(['keep-good', 'refuse-file']),
  universeName: z.string().optional(),
});
const fileKind = z.enum(['prices', 'corporate_actions', 'market_caps', 'exchange_rates', 'macro']);
const basisOf = z.enum(['raw', 'split_adjusted', 'total_return']).nullable();
const ruleOf = z.enum(['close_plus_one_hour', 'declared_in_data', 'recorded']);

export type PriceImportService = ReturnType<typeof createPriceImportService>;

/** Takes files, and reads, judges and publishes them in the background: each file whole or not at all. */
export function createPriceImportService(deps: PriceImportDeps) {
  const { database, objects, tasks, clock } = deps;
  const inThread = deps.inThread ?? runInThread;

  tasks.register(IMPORT_TASK, async (input, context) => {
    const { runId } = z.object({ runId: z.int() }).parse(input);
    return run(runId, context);
  });

  /** @throws NOT_FOUND also for a file that only another tenant sent. */
  async function findUpload(tx: Transaction, uploadId: string): Promise<StoredObject> {
    const isOwn = await repository.hasUpload(tx, uploadId);
    return found(isOwn ? await objects.find(uploadId) : null, `There is no upload ${uploadId}. Send the file first.`);
  }

  /** Queues the import of an uploaded file in the caller's transaction. @throws NOT_FOUND, INVALID_REQUEST */
  async function start(tx: Transaction, body: StartImport): Promise<Task> {
    const upload = await findUpload(tx, body.uploadId);
    const source = await repository.ensureSource(tx, {
      code: body.source.code,
      name: body.source.name ?? body.source.code,
      kind: 'file',
      calendar: checkCalendar(body.source.calendar ?? 'XNYS'),
      currency: body.choices.currency ?? 'USD',
      knownAtRule: body.kind === 'prices' ? 'close_plus_one_hour' : 'declared_in_data',
    });
    const options = {
      uploadId: upload.sha256,
      byteCount: upload.byteCount,
      choices: body.choices,
      onBadRow: body.onBadRow,
      universeName: body.universeName,
    };
    const runId = await repository.insertRun(tx, {
      sourceId: source.id,
      kind: body.kind,
      fileName: body.fileName,
      options,
    });
    const task = await tasks.start(tx, { kind: IMPORT_TASK, title: `Import ${body.fileName}`, input: { runId } });
    await repository.setRunTask(tx, runId, task.id);
    return task;
  }

  /** Does what a run was queued for. Run again after a crash it starts over, or finds itself published. */
  async function run(runId: number, context: TaskContext): Promise<Record<string, unknown>> {
    const { principal, signal } = context;
    const prepared = await database.transaction(principal, (tx) => prepare(tx, runId));
    if (prepared.kind === 'published') return told(prepared.published);
    try {
      const outcome = await inThread<ImportOutcome>(
        WORKER,
        {
          ...prepared.job,
          connection: deps.connection,
          objectsFolder: deps.database.objectsFolder,
          principal,
          now: clock.now(),
        },
        { signal, onProgress: context.progress },
      );
      if (outcome.kind === 'refused') throw await refuse(principal, runId, outcome);
      signal.throwIfAborted();
      const published = await publishRun(database, principal, outcome.plan);
      const disagreements = await compareSources(principal, prepared.job.source, outcome.plan);
      context.progress(1, `Published ${published.rowCount.toLocaleString('en')} rows`);
      const { counts, cases, universeName } = outcome.plan;
      const universeId = await findUniverse(principal, universeName);
      return { ...told(published), ...counts, caseCount: cases.length + disagreements, universeId };
    } catch (error) {
      await abandon(runId, context, error);
      throw error;
    }
  }

  /** What other sources tell of the same bars. Done twice it finds its own cases and opens none. */
  async function compareSources(
    principal: Principal,
    { id, name }: { id: number; name: string },
    plan: PublishPlan,
  ): Promise<number> {
    const { runId, instrumentIds, firstDay, lastDay, priceBasis } = plan;
    const basis = basisOf.parse(priceBasis);
    if (basis === null || firstDay === null || lastDay === null || instrumentIds.length === 0) return 0;
    const compare = deps.compareSources;
    if (compare === undefined) return 0;
    const question = { runId, source: { id, name, basis }, instrumentIds, firstDay, lastDay };
    return database.transaction(principal, (tx) => compare(tx, question));
  }

  /** The universe an import was asked to make, so that an index over it is one step away. */
  async function findUniverse(principal: Principal, name: string | undefined): Promise<number | null> {
    if (name === undefined) return null;
    return database.transaction(principal, (tx) => repository.findUniverseByName(tx, name));
  }

  async function prepare(tx: Transaction, runId: number) {
    const row = found(await repository.findOwnRun(tx, runId), `There is no run ${runId}.`);
    const published = await findPublished(tx, runId);
    await dropStaging(tx, runId);
    if (published !== undefined) return { kind: 'published' as const, published };
    await repository.setRunState(tx, runId, 'staging');
    const source = found(await repository.findOwnSource(tx, row.source_id), `There is no source ${row.source_id}.`);
    const options = runOptions.parse(row.options);
    const job: Omit<ImportJob, 'connection' | 'objectsFolder' | 'principal' | 'now'> = {
      runId,
      kind: fileKind.parse(row.kind) satisfies FileKind,
      source: {
        id: source.id,
        name: source.name,
        calendar: checkCalendar(source.calendar),
        priceBasis: basisOf.parse(source.price_basis) satisfies PriceBasis | null,
        knownAtRule: ruleOf.parse(source.known_at_rule) satisfies KnownAtRule,
      },
      file: {
        path: await objects.fetch(options.uploadId),
        name: row.file_name ?? options.uploadId,
        byteCount: options.byteCount,
      },
      choices: options.choices,
      onBadRow: options.onBadRow,
      universeName: options.universeName,
    };
    return { kind: 'job' as const, job };
  }

  async function refuse(principal: Principal, runId: number, outcome: ImportOutcome & { kind: 'refused' }) {
    const { sentence, errors, errorCount, rowCount } = outcome;
    await database.transaction(principal, (tx) =>
      repository.setRunState(tx, runId, 'refused', { errors, errorCount, rowCount, note: sentence }),
    );
    return new ProblemError('FILE_REFUSED', sentence, {
      details: errors.map(({ file, line, column, rule }) => ({
        path: [file, line > 0 ? `line ${line}` : '', column === null ? '' : `column ${column}`]
          .filter(Boolean)
          .join(', '),
        rule,
      })),
    });
  }

  /** Leaves a run that did not end in its right state. When the server stops it stays queued and is taken up again. */
  async function abandon(runId: number, { principal, signal, taskId }: TaskContext, error: unknown): Promise<void> {
    await database.transaction(principal, async (tx) => {
      await dropStaging(tx, runId);
      if (error instanceof ProblemError && error.code === 'FILE_REFUSED') {
        const row = await repository.findOwnRun(tx, runId);
        if (row?.state !== 'refused') await repository.setRunState(tx, runId, 'refused', { note: error.message });
      } else if (!signal.aborted) {
        await repository.setRunState(tx, runId, 'failed', {
          note: error instanceof Error ? error.message : String(error),
        });
      } else if (await repository.isCancelRequested(tx, taskId)) {
        await repository.setRunState(tx, runId, 'cancelled', { note: 'Stopped on request; nothing was published.' });
      }
    });
  }

  return {
    start,
    run,
    /** Keeps a file under its hash, and the record that this tenant sent it. @throws TOO_LARGE, DISK_FULL */
    async upload(principal: Principal, fileName: string, content: Readable) {
      const { sha256, byteCount } = await objects.put(content, { byteCountMax: UPLOAD_BYTES_MAX });
      await database.transaction(principal, async (tx) => {
        if (await repository.hasUpload(tx, sha256)) return;
        await appendEvidence(tx, {
          ...{ kind: 'upload.received', subjectKind: 'upload', subjectId: sha256 },
          body: { byteCount },
        });
      });
      return { uploadId: sha256, fileName, byteCount };
    },
    /** How a file would be read. @throws NOT_FOUND, FILE_REFUSED */
    async preview(principal: Principal, body: PreviewImport) {
      const upload = await database.transaction(principal, (tx) => findUpload(tx, body.uploadId), { readOnly: true });
      return previewFile(body, upload, await objects.fetch(upload.sha256));
    },
    /** Starts an import in a transaction of its own. */
    async accept(principal: Principal, body: StartImport): Promise<Task> {
      return database.transaction(principal, (tx) => start(tx, body));
    },
  };
}

function told(published: Published): Record<string, unknown> {
  const { runId, publishedAt, rowCount, contentSha256 } = published;
  return { runId, publishedAt, publishedCount: rowCount, contentSha256 };
}
