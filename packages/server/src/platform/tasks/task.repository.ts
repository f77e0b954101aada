import type { Task } from '@touchstone/contracts/tasks';
import { type Selectable, sql } from 'kysely';
import type { Transaction } from '../database/database.ts';
import type { TaskTable } from '../database/schema-types.ts';
import { currentTraceparent } from '../trace/trace.ts';
import { TASK_CHANNEL, type TaskNews } from './task-line.ts';
import type { TaskInput } from './tasks.ts';

export type TaskRow = Selectable<TaskTable>;
export type TaskProblem = NonNullable<Task['problem']>;

/** What may be written about a task. Instants are ISO texts. */
export type TaskChange = {
  state?: Task['state'];
  progress?: number;
  progress_note?: string;
  result?: string | null;
  problem?: string | null;
  attempts?: number;
  queue_job_id?: string | null;
  cancel_requested_at?: string | null;
  started_at?: string | null;
  finished_at?: string | null;
};

export async function insertTask(
  tx: Transaction,
  work: { kind: string; title: string; input: TaskInput },
): Promise<TaskRow> {
  return tx.query
    .insertInto('task')
    .values({
      tenant_id: tx.principal.tenantId,
      kind: work.kind,
      title: work.title,
      input: JSON.stringify(work.input),
      traceparent: currentTraceparent(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The task, locked against other changes until commit. */
export function findTaskToChange(tx: Transaction, taskId: number): Promise<TaskRow | undefined> {
  return tx.query.selectFrom('task').selectAll().where('id', '=', taskId).forUpdate().executeTakeFirst();
}

export function findTask(tx: Transaction, taskId: number): Promise<TaskRow | undefined> {
  return tx.query.selectFrom('task').selectAll().where('id', '=', taskId).executeTakeFirst();
}

/** Newest first; one more than asked for tells that there is a next page. */
export function listTaskRows(tx: Transaction, query: { before: number | null; state?: Task['state']; limit: number }) {
  return tx.query
    .selectFrom('task')
    .selectAll()
    .$if(query.before !== null, (rows) => rows.where('id', '<', query.before!))
    .$if(query.state !== undefined, (rows) => rows.where('state', '=', query.state!))
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
}

/** Writes and tells it, both at commit. */
export async function changeTask(tx: Transaction, taskId: number, change: TaskChange): Promise<TaskRow> {
  const row = await tx.query
    .updateTable('task')
    .set(change)
    .where('id', '=', taskId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await tellTask(tx, taskId, 'changed');
  return row;
}

export async function tellTask(tx: Transaction, taskId: number, what: TaskNews['what']): Promise<void> {
  await sql`SELECT pg_notify(${TASK_CHANNEL}, ${`${tx.principal.tenantId} ${taskId} ${what}`})`.execute(tx.query);
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: toState(row.state),
    progress: row.progress,
    progressNote: row.progress_note,
    input: toRecord(row.input) ?? {},
    result: toRecord(row.result),
    problem: toProblem(row.problem),
    attempts: row.attempts,
    cancelRequestedAt: row.cancel_requested_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

const STATES: readonly Task['state'][] = ['queued', 'running', 'done', 'failed', 'cancelled'];

function toState(text: string): Task['state'] {
  const state = STATES.find((candidate) => candidate === text);
  if (state === undefined) throw new Error(`A task cannot be ${text}.`);
  return state;
}

export function toRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function toProblem(value: unknown): Task['problem'] {
  const told = toRecord(value);
  if (told === null) return null;
  const details = Array.isArray(told.details) ? told.details : [];
  return { code: String(told.code), detail: String(told.detail), details };
}
