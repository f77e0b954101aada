import { createHash } from 'node:crypto';
import type { ScheduleKind, Task } from '@touchstone/contracts/tasks';
import type pg from 'pg';
import { fromKysely, PgBoss } from 'pg-boss';
import { raiseAlert, resolveAlert } from '../alerts/alerts.ts';
import type { Clock } from '../clock/clock.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found, ProblemError } from '../problem-error.ts';
import { inSpan, parseTraceparent } from '../trace/trace.ts';
import { createScheduleTimer, type ScheduledWork, type ScheduleTimer } from './schedule-timer.ts';
import type { SessionTimes } from './schedule-times.ts';
import {
  changeTask,
  findTask,
  findTaskToChange,
  insertTask,
  type TaskProblem,
  type TaskRow,
  tellTask,
  toRecord,
  toTask,
} from './task.repository.ts';
import { createTaskLine, type TaskNews } from './task-line.ts';
import type { TaskHandler, TaskInput, Tasks } from './tasks.ts';

/** Checks and completes what a schedule of one kind hands over. @throws ProblemError in words. */
export type ScheduleCheck = (tx: Transaction, input: TaskInput) => Promise<TaskInput>;
export type TaskCounts = { queued: number; running: number; failed: number };
export type QueueFigures = TaskCounts & { oldestWaitingSeconds: number | null };

/** The tasks, with everything their routes and main.ts need beside what stages see. */
export type TaskEngine = Tasks & {
  /** Says what schedules of a kind start. Called while wiring. */
  registerSchedule(kind: ScheduleKind, work: ScheduledWork): void;
  /** Says what schedules of a kind may hand over, on the day they are made. Called while wiring. */
  registerScheduleCheck(kind: ScheduleKind, check: ScheduleCheck): void;
  /** Says when exchanges close. Called while wiring. */
  registerSessionTimes(times: SessionTimes): void;
  /** True when the kind is known and somebody registered the work it starts. */
  hasSchedule(kind: ScheduleKind): boolean;
  /** Undefined: nobody checks this kind. */
  checkScheduleInput(tx: Transaction, kind: ScheduleKind, input: TaskInput): Promise<TaskInput | undefined>;
  /** @throws ProblemError INVALID_REQUEST when no calendars were registered. */
  sessionTimes(): SessionTimes;
  schedules: ScheduleTimer;
  /** Begins to take work from the queue. Work may be queued before. */
  run(): Promise<void>;
  /** Takes no more work and gives running work back to the queue. */
  stop(): Promise<void>;
  cancel(principal: Principal, taskId: number): Promise<Task>;
  retry(principal: Principal, taskId: number): Promise<Task>;
  /** Calls the listener with each changed task of a tenant. Returns a function that ends it. */
  watch(principal: Principal, listener: (task: Task) => void): () => void;
  counts(): Promise<TaskCounts>;
  /** The same, and how long the oldest due task has waited; null when none waits. */
  queueFigures(): Promise<QueueFigures>;
};

export type TaskEngineOptions = {
  database: Database;
  /** For a connection outside the pool. */
  connection: pg.ClientConfig;
  clock: Clock;
  log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
    error(fields: object, text: string): void;
  };
};

const QUEUE = 'touchstone-tasks';
const CONCURRENCY = 2;
/** News wakes the worker at once; this finds what it missed and what waits for its time. */
const POLL_MS = 1_000;
const TAKEOVER_EVERY_MS = 10_000;
const SCHEDULES_EVERY_MS = 2_000;
const PROGRESS_EVERY_MS = 250;
/** A task that fails unexpectedly is tried this often in all. */
const ATTEMPTS_MAX = 3;
/** A task whose server died under it is taken up again this often; then it is probably what killed it. */
const TAKEOVERS_MAX = 6;
const RETRY_DELAY_SECONDS = 2;
/** Work this version does not know is left to another process, looked at again after this, and in the end refused. */
const UNKNOWN_DELAY_SECONDS = 5;
const UNKNOWN_MAX_MS = 10 * 60_000;
const STOP_GRACE_MS = 10_000;
/** The queue's own limits are out of the way: what may run again is decided here. */
const QUEUE_OPTIONS = { retryLimit: 1_000, expireInSeconds: 23 * 3_600, deleteAfterSeconds: 7 * 24 * 3_600 };

class Cancelled extends Error {}
class Stopping extends Error {}
class TakenOver extends Error {}

type Job = { taskId: number; tenantId: number };
type Running = { job: Job; abort: AbortController; ended: Promise<void> };

/**
 * Background work on a queue in the database.
 *
 * Every task is one row of `task`, which people see, and one job of the queue, which says that it is due. Both are
 * written in one transaction. While a task runs, its process holds an advisory lock on it; the lock goes when the
 * process does, and whoever can take it afterwards knows that the task has to be run again.
 */
export function createTaskEngine({ database, connection, clock, log }: TaskEngineOptions): TaskEngine {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => database.pool.query(text, values) },
    schema: 'pgboss',
    migrate: false,
    createSchema: false,
    supervise: true,
    // Schedules have a timer of their own: the queue's would drop what came due while nothing ran.
    schedule: false,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (error) => log.warn({ err: error }, 'queue'));
  const handlers = new Map<string, TaskHandler>();
  const scheduled = new Map<string, ScheduledWork>();
  const checks = new Map<ScheduleKind, ScheduleCheck>();
  const running = new Map<number, Running>();
  const watchers = new Set<{ principal: Principal; listener: (task: Task) => void }>();
  const line = createTaskLine(connection, { onNews, onReconnect }, log);
  const now = () => new Date(clock.now()).toISOString();
  let opened: Promise<void> | null = null;
  let working = false;
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let lookAgain = false;
  let takeoverAt = 0;
  let schedulesAt = 0;
  let sessionTimes: SessionTimes | null = null;

  /** The queue itself is opened by whoever needs it first: starting work, or taking it. */
  function open(): Promise<void> {
    opened ??= (async () => {
      await boss.start();
      await boss.createQueue(QUEUE, QUEUE_OPTIONS);
    })();
    opened.catch(() => {
      opened = null;
    });
    return opened;
  }

  // ---- news -----------------------------------------------------------------------------------------------------------

  function onNews(news: TaskNews): void {
    if (news.what === 'queued') look();
    if (news.what === 'cancel') running.get(news.taskId)?.abort.abort(new Cancelled());
    const interested = [...watchers].filter(({ principal }) => principal.tenantId === news.tenantId);
    if (interested.length === 0) return;
    database
      .transaction(interested[0]!.principal, (tx) => findTask(tx, news.taskId), { readOnly: true })
      .then((row) => {
        if (row !== undefined) for (const { listener } of interested) listener(toTask(row));
      })
      .catch((error: unknown) => log.warn({ err: error }, 'a change of a task was not told'));
  }

  /** Locks went with the old line: what another server has taken over meanwhile must not be finished here as well. */
  async function onReconnect(): Promise<void> {
    for (const [taskId, { abort }] of running) {
      if (!(await line.lock(taskId))) abort.abort(new TakenOver());
    }
    await findCancelled();
    look();
  }

  async function findCancelled(): Promise<void> {
    for (const { job, abort } of running.values()) {
      const principal: Principal = { tenantId: job.tenantId, actorId: null };
      const row = await database.transaction(principal, (tx) => findTask(tx, job.taskId), { readOnly: true });
      if (row?.cancel_requested_at != null) abort.abort(new Cancelled());
    }
  }

  // ---- taking work ----------------------------------------------------------------------------------------------------

  /** Fills free places with due work. Called again while it looks, it looks once more. */
  function look(): void {
    if (!working) return;
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = true;
    lookAgain = false;
    takeWork()
      .catch((error: unknown) => log.warn({ err: error }, 'no work could be taken from the queue'))
      .finally(() => {
        looking = false;
        if (lookAgain) look();
      });
  }

  async function takeWork(): Promise<void> {
    // Without its line nothing can be locked, and nobody tells us of cancelled tasks.
    if (!line.isOpen()) return findCancelled();
    if (performance.now() >= takeoverAt) {
      takeoverAt = performance.now() + TAKEOVER_EVERY_MS;
      await takeOver();
    }
    if (performance.now() >= schedulesAt) {
      schedulesAt = performance.now() + SCHEDULES_EVERY_MS;
      await schedules.tick();
    }
    while (working && running.size < CONCURRENCY) {
      const [job] = await boss.fetch<Job>(QUEUE, { batchSize: 1 });
      if (job === undefined) return;
      const { taskId } = job.data;
      if (!(await line.lock(taskId))) {
        // Runs elsewhere, or the line was lost this moment; the lock decides who goes on with it.
        if (!running.has(taskId)) await boss.fail(QUEUE, job.id);
        return;
      }
      const abort = new AbortController();
      const ended = execute(job.id, job.data, abort.signal)
        .catch((error: unknown) => log.error({ err: error, taskId }, 'a task could not be ended'))
        .finally(async () => {
          running.delete(taskId);
          await line.unlock(taskId);
          look();
        });
      running.set(taskId, { job: job.data, abort, ended });
    }
  }

  /** Returns jobs to the queue whose process died: they are active, and nobody holds their lock. */
  async function takeOver(): Promise<void> {
    const { rows } = await database.pool.query<{ id: string; data: Job }>(
      `SELECT id, data FROM pgboss.job WHERE name = $1 AND state = 'active' ORDER BY created_on LIMIT 1000`,
      [QUEUE],
    );
    for (const { id, data } of rows) {
      if (running.has(data.taskId) || !(await line.lock(data.taskId))) continue;
      try {
        log.info({ taskId: data.taskId }, 'a task whose server ended is taken up again');
        await boss.fail(QUEUE, id);
      } finally {
        await line.unlock(data.taskId);
      }
    }
  }

  // ---- running --------------------------------------------------------------------------------------------------------

  async function execute(jobId: string, job: Job, signal: AbortSignal): Promise<void> {
    const server: Principal = { tenantId: job.tenantId, actorId: null };
    const row = await database.transaction(server, (tx) => begin(tx, jobId, job.taskId));
    if (row === null) return;
    const principal: Principal = { tenantId: job.tenantId, actorId: row.created_by };
    const reporter = createReporter((progress, note) =>
      database.transaction(server, async (tx) => {
        await changeTask(tx, row.id, { progress, progress_note: note });
      }),
    );
    let outcome: { result: Record<string, unknown> } | { error: unknown };
    try {
      const handler = handlers.get(row.kind);
      if (handler === undefined) throw new ProblemError('NOT_POSSIBLE_NOW', `This version cannot do "${row.kind}".`);
      const context = { principal, taskId: row.id, signal, progress: reporter.report };
      const span = {
        parent: parseTraceparent(row.traceparent),
        attributes: { 'task.id': row.id, 'task.kind': row.kind },
      };
      outcome = {
        result: await inSpan(`task ${row.kind}`, 'consumer', span, () => handler(toRecord(row.input) ?? {}, context)),
      };
    } catch (error) {
      outcome = { error: signal.aborted ? signal.reason : error };
    }
    await reporter.end();
    await untilDatabaseAnswers(() => database.transaction(server, (tx) => end(tx, jobId, row, outcome)));
  }

  /** Marks it running. Null when there is nothing to run: it was ended or cancelled meanwhile. */
  async function begin(tx: Transaction, jobId: string, taskId: number): Promise<TaskRow | null> {
    const row = await findTaskToChange(tx, taskId);
    if (row === undefined || !['queued', 'running'].includes(row.state)) {
      await completeJob(tx, jobId);
      return null;
    }
    if (row.cancel_requested_at !== null) {
      await completeJob(tx, jobId);
      await changeTask(tx, taskId, { state: 'cancelled', finished_at: now() });
      return null;
    }
    if (!handlers.has(row.kind) && clock.now() - Date.parse(row.created_at) < UNKNOWN_MAX_MS) {
      await completeJob(tx, jobId);
      await queueAgain(
        tx,
        row,
        { progress_note: 'Waits for a process whose version can do it.' },
        UNKNOWN_DELAY_SECONDS,
      );
      return null;
    }
    if (row.attempts >= TAKEOVERS_MAX) {
      await completeJob(tx, jobId);
      const detail = `The server ended ${row.attempts} times while this ran. It is not tried again by itself.`;
      await fail(tx, row, { code: 'UNEXPECTED', detail, details: [] });
      return null;
    }
    return changeTask(tx, taskId, {
      state: 'running',
      attempts: row.attempts + 1,
      started_at: row.started_at ?? now(),
      progress: 0,
      progress_note: '',
    });
  }

  async function end(
    tx: Transaction,
    jobId: string,
    row: TaskRow,
    outcome: { result: Record<string, unknown> } | { error: unknown },
  ): Promise<void> {
    if ('result' in outcome) {
      await completeJob(tx, jobId);
      await resolveAlert(tx, sameWork(row));
      await changeTask(tx, row.id, {
        ...{ state: 'done', progress: 1, result: JSON.stringify(outcome.result), problem: null, finished_at: now() },
      });
      return;
    }
    const { error } = outcome;
    if (error instanceof TakenOver) return;
    if (error instanceof Stopping) {
      // Not its fault, so the try does not count.
      await boss.fail(QUEUE, jobId, null, { db: fromKysely(tx.query) });
      await changeTask(tx, row.id, { state: 'queued', attempts: row.attempts - 1 });
      return;
    }
    await completeJob(tx, jobId);
    if (error instanceof Cancelled) {
      await changeTask(tx, row.id, { state: 'cancelled', finished_at: now() });
    } else if (error instanceof ProblemError) {
      await fail(tx, row, { code: error.code, detail: error.message, details: error.details });
    } else {
      log.error({ err: error, taskId: row.id, attempt: row.attempts }, 'a task failed unexpectedly');
      const note = 'It failed unexpectedly and will be tried again.';
      if (row.attempts < ATTEMPTS_MAX)
        await queueAgain(tx, row, { progress_note: note }, RETRY_DELAY_SECONDS ** row.attempts);
      else
        await fail(tx, row, {
          code: 'UNEXPECTED',
          detail: `It failed unexpectedly ${row.attempts} times. The log says why.`,
          details: [],
        });
    }
  }

  async function fail(tx: Transaction, row: TaskRow, problem: TaskProblem): Promise<void> {
    await changeTask(tx, row.id, { state: 'failed', problem: JSON.stringify(problem), finished_at: now() });
    await raiseAlert(tx, {
      ...{ kind: 'tasks.failed', severity: problem.code === 'UNEXPECTED' ? 'critical' : 'warning' },
      ...{ title: `"${row.title}" has failed`, detail: `${problem.detail} Look at the task, and run it again.` },
      ...{ subjectKind: 'task', subjectId: row.id, sameAs: sameWork(row) },
    });
  }

  function completeJob(tx: Transaction, jobId: string) {
    return boss.complete(QUEUE, jobId, null, { db: fromKysely(tx.query) });
  }

  async function queueAgain(
    tx: Transaction,
    row: TaskRow,
    change: { progress_note?: string; attempts?: number },
    delaySeconds: number,
  ) {
    const jobId = await sendJob(tx, row.id, delaySeconds);
    await tellTask(tx, row.id, 'queued');
    return changeTask(tx, row.id, {
      ...{
        state: 'queued',
        progress: 0,
        problem: null,
        finished_at: null,
        cancel_requested_at: null,
        queue_job_id: jobId,
      },
      ...change,
    });
  }

  async function sendJob(tx: Transaction, taskId: number, delaySeconds: number): Promise<string | null> {
    const job: Job = { taskId, tenantId: tx.principal.tenantId };
    return boss.send(QUEUE, job, { startAfter: delaySeconds, db: fromKysely(tx.query) });
  }

  /** A finished task whose end cannot be written stays ours until it can. */
  async function untilDatabaseAnswers(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!working || (await database.isReachable())) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  // ---- schedules ------------------------------------------------------------------------------------------------------

  /** What a kind starts; undefined when nobody here can do it. */
  function workOf(kind: string): ScheduledWork | undefined {
    const work = scheduled.get(kind);
    return work !== undefined && handlers.has(work({}).kind) ? work : undefined;
  }

  const schedules = createScheduleTimer({
    ...{ database, clock, log, workOf },
    sessionTimes: () => sessionTimes,
    start: (tx, work) => engine.start(tx, work),
  });

  const engine: TaskEngine = {
    register(kind, handler) {
      if (handlers.has(kind)) throw new Error(`Work ${kind} is registered twice.`);
      handlers.set(kind, handler);
    },
    registerSchedule: (kind, work) => void scheduled.set(kind, work),
    registerScheduleCheck: (kind, check) => void checks.set(kind, check),
    registerSessionTimes(times) {
      sessionTimes = times;
    },
    hasSchedule: (kind) => workOf(kind) !== undefined,
    checkScheduleInput: async (tx, kind, input) => checks.get(kind)?.(tx, input),
    sessionTimes() {
      if (sessionTimes === null) throw new ProblemError('INVALID_REQUEST', 'This server knows no trading calendars.');
      return sessionTimes;
    },
    schedules,
    async start(tx, work) {
      if (!handlers.has(work.kind)) throw new Error(`Nobody registered how to do ${work.kind}.`);
      await open();
      const row = await insertTask(tx, work);
      const jobId = await sendJob(tx, row.id, 0);
      const queued = await changeTask(tx, row.id, { queue_job_id: jobId });
      await tellTask(tx, row.id, 'queued');
      return toTask(queued);
    },
    async run() {
      await open();
      await line.open();
      working = true;
      timer = setInterval(look, POLL_MS);
      look();
    },
    async stop() {
      working = false;
      clearInterval(timer);
      for (const { abort } of running.values()) abort.abort(new Stopping());
      const patience = new Promise((resolve) => setTimeout(resolve, STOP_GRACE_MS).unref());
      await Promise.race([Promise.all([...running.values()].map(({ ended }) => ended)), patience]);
      await line.close();
      if (opened !== null) await boss.stop({ graceful: false, close: false });
    },
    async cancel(principal, taskId) {
      return database.transaction(principal, async (tx) => {
        const row = found(await findTaskToChange(tx, taskId), `There is no task ${taskId}.`);
        if (!['queued', 'running'].includes(row.state)) {
          throw new ProblemError('NOT_POSSIBLE_NOW', `Task ${taskId} is ${row.state} already.`);
        }
        const ended = row.state === 'queued' ? { state: 'cancelled' as const, finished_at: now() } : {};
        const changed = await changeTask(tx, taskId, { cancel_requested_at: now(), ...ended });
        await tellTask(tx, taskId, 'cancel');
        await record(tx, 'task.cancelled', row);
        return toTask(changed);
      });
    },
    async retry(principal, taskId) {
      await open();
      return database.transaction(principal, async (tx) => {
        const row = found(await findTaskToChange(tx, taskId), `There is no task ${taskId}.`);
        if (!['failed', 'cancelled'].includes(row.state)) {
          throw new ProblemError(
            'NOT_POSSIBLE_NOW',
            `Task ${taskId} is ${row.state}; only a failed or cancelled one is run again.`,
          );
        }
        const changed = await queueAgain(tx, row, { progress_note: '', attempts: 0 }, 0);
        await record(tx, 'task.retried', row);
        return toTask(changed);
      });
    },
    watch(principal, listener) {
      const watcher = { principal, listener };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    async counts() {
      const { rows } = await database.pool.query(
        `SELECT count(*) FILTER (WHERE state IN ('created', 'retry')) AS queued, count(*) FILTER (WHERE state = 'active') AS running,
                count(*) FILTER (WHERE state = 'failed') AS failed FROM pgboss.job WHERE name = $1`,
        [QUEUE],
      );
      return { queued: rows[0].queued, running: rows[0].running, failed: rows[0].failed };
    },
    async queueFigures() {
      const { rows } = await database.pool.query(
        `SELECT extract(epoch FROM now() - min(greatest(start_after, created_on)))::float8 AS waited FROM pgboss.job
         WHERE name = $1 AND state IN ('created', 'retry') AND start_after <= now()`,
        [QUEUE],
      );
      const waited: number | null = rows[0].waited;
      return { ...(await engine.counts()), oldestWaitingSeconds: waited === null ? null : Math.max(0, waited) };
    },
  };
  return engine;
}

/** The same work with the same input, whichever task it is: when it succeeds later, its failure is healed. */
function sameWork(row: TaskRow): string {
  const input = createHash('sha256').update(JSON.stringify(row.input)).digest('hex').slice(0, 16);
  return `tasks.failed:${row.kind}:${input}`;
}

async function record(tx: Transaction, kind: string, row: TaskRow): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'task', subjectId: row.id, body: { taskKind: row.kind } });
}

/** Passes on at most four tellings a second, and always the last one. A telling that cannot be written is dropped. */
function createReporter(write: (progress: number, note: string) => Promise<void>) {
  let latest: { progress: number; note: string } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const flush = () => {
    timer = undefined;
    if (latest === null) return;
    const { progress, note } = latest;
    latest = null;
    writing = writing.then(() => write(progress, note)).catch(() => {});
  };
  return {
    report(progress: number, note: string): void {
      const isNumber = Number.isFinite(progress);
      latest = { progress: isNumber ? Math.min(1, Math.max(0, progress)) : 0, note: note.slice(0, 500) };
      timer ??= setTimeout(flush, PROGRESS_EVERY_MS);
    },
    async end(): Promise<void> {
      clearTimeout(timer);
      flush();
      await writing;
    },
  };
}
