import type { Scope } from '@touchstone/contracts/policy';
import { type Schedule, type ScheduleKind, scheduleKind } from '@touchstone/contracts/tasks';
import { changedMeanwhile } from '../database/changed-meanwhile.ts';
import type { Database, Principal, Transaction } from '../database/database.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found, ProblemError } from '../problem-error.ts';
import { type ScheduleRow, timingOf } from './schedule-timer.ts';
import { checkCron, type Timing } from './schedule-times.ts';
import { toRecord, toTask } from './task.repository.ts';
import type { TaskEngine } from './task-engine.ts';

type AfterClose = { calendar: string; minutes: number };
export type NewSchedule = Pick<Schedule, 'kind' | 'title' | 'input' | 'enabled'> & {
  cron?: string | undefined;
  afterClose?: AfterClose | undefined;
  tradingDaysOnly?: string | null | undefined;
};
export type ScheduleChange = { [K in keyof NewSchedule]?: NewSchedule[K] | undefined } & { version: number };

type Caller = Principal & { scopes: readonly Scope[] };

export type ScheduleService = ReturnType<typeof createScheduleService>;

const NEXT_RUNS = 3;
/** What the previous version shows for a schedule that follows a close: the regular one, in winter. */
const NEAREST_CRON = '0 22 * * 1-5';

/** Work that comes again. When it is due is decided by the timer; what it starts, by whoever registered the kind. */
export function createScheduleService(database: Database, tasks: TaskEngine) {
  async function checkInput(tx: Transaction, kind: ScheduleKind, input: Schedule['input']): Promise<Schedule['input']> {
    if (!tasks.hasSchedule(kind)) {
      throw new ProblemError('INVALID_REQUEST', `This version cannot start "${kind}" by schedule.`);
    }
    return (await tasks.checkScheduleInput(tx, kind, input)) ?? input;
  }

  function checkTiming(timing: Timing): void {
    const calendar = timing.kind === 'cron' ? timing.tradingDaysOnly : timing.calendar;
    if (timing.kind === 'cron') checkCron(timing.cron);
    if (calendar !== null) tasks.sessionTimes().check(calendar);
  }

  async function createIn(tx: Transaction, body: NewSchedule): Promise<Schedule> {
    const { kind, title, enabled } = body;
    const timing = timingFrom(body, null);
    checkTiming(timing);
    const input = await checkInput(tx, kind, body.input);
    const row = await tx.query
      .insertInto('schedule')
      .values({
        ...{ tenant_id: tx.principal.tenantId, kind, title, enabled, input: JSON.stringify(input) },
        ...columnsOf(timing),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await tasks.schedules.put(tx, row, null);
    await record(tx, 'schedule.created', row);
    return tell(tx, row);
  }

  async function updateIn(tx: Transaction, scheduleId: number, change: ScheduleChange): Promise<Schedule> {
    const before = found(await findToChange(tx, scheduleId), `There is no schedule ${scheduleId}.`);
    if (before.version !== change.version) {
      throw await changedMeanwhile(tx, 'schedule', scheduleId, { name: before.title, version: change.version });
    }
    const kind = change.kind ?? toKind(before.kind);
    const timing = timingFrom(change, timingOf(before));
    checkTiming(timing);
    const input = await checkInput(tx, kind, change.input ?? toRecord(before.input) ?? {});
    const row = await tx.query
      .updateTable('schedule')
      .set({
        ...{ kind, title: change.title ?? before.title, enabled: change.enabled ?? before.enabled },
        ...{ input: JSON.stringify(input), deleted_at: null },
        ...columnsOf(timing),
      })
      .where('id', '=', scheduleId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await tasks.schedules.put(tx, row, before);
    await record(tx, 'schedule.changed', row);
    return tell(tx, row);
  }

  /** The schedule as people see it. */
  async function tell(tx: Transaction, row: ScheduleRow): Promise<Schedule> {
    const timing = timingOf(row);
    const timer = await tx.query
      .selectFrom('schedule_timer')
      .select(['last_started_at', 'last_task_id'])
      .where('schedule_id', '=', row.id)
      .executeTakeFirst();
    const task =
      timer?.last_task_id == null
        ? undefined
        : await tx.query.selectFrom('task').selectAll().where('id', '=', timer.last_task_id).executeTakeFirst();
    const last = task === undefined ? null : toTask(task);
    return {
      id: row.id,
      kind: toKind(row.kind),
      title: row.title,
      cron: timing.kind === 'cron' ? timing.cron : '',
      afterClose: timing.kind === 'cron' ? null : { calendar: timing.calendar, minutes: timing.minutes },
      tradingDaysOnly: timing.kind === 'cron' ? timing.tradingDaysOnly : null,
      input: toRecord(row.input) ?? {},
      enabled: row.enabled,
      lastStartedAt: timer?.last_started_at ?? row.last_started_at,
      nextRuns: await tasks.schedules.nextRuns(tx, row, NEXT_RUNS),
      lastTask:
        last === null
          ? null
          : { id: last.id, state: last.state, finishedAt: last.finishedAt, detail: last.problem?.detail ?? '' },
      createdAt: row.created_at,
      createdBy: row.created_by,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
      deletedAt: row.deleted_at,
      version: row.version,
    };
  }

  async function listIn(tx: Transaction): Promise<Schedule[]> {
    const rows = await tx.query.selectFrom('schedule').selectAll().orderBy('id').limit(500).execute();
    const items: Schedule[] = [];
    for (const row of rows) items.push(await tell(tx, row));
    return items;
  }

  return {
    createIn,
    updateIn,
    listIn,
    list: (principal: Principal): Promise<Schedule[]> => database.transaction(principal, listIn, { readOnly: true }),
    create: (caller: Caller, body: NewSchedule): Promise<Schedule> =>
      database.transaction(caller, (tx) => {
        checkScope(caller, body.kind);
        return createIn(tx, body);
      }),
    update: (caller: Caller, scheduleId: number, change: ScheduleChange): Promise<Schedule> =>
      database.transaction(caller, async (tx) => {
        const before = await findToChange(tx, scheduleId);
        for (const kind of [before?.kind, change.kind]) checkScope(caller, kind);
        return updateIn(tx, scheduleId, change);
      }),

    async remove(caller: Caller, scheduleId: number): Promise<void> {
      await database.transaction(
        caller,
        async (tx) => {
          const row = await findToChange(tx, scheduleId);
          checkScope(caller, row?.kind);
          const { kind } = found(row?.deleted_at === null ? row : null, `There is no schedule ${scheduleId}.`);
          await tx.query
            .updateTable('schedule')
            .set({ deleted_at: new Date().toISOString() })
            .where('id', '=', scheduleId)
            .execute();
          await tasks.schedules.forget(tx, scheduleId);
          await record(tx, 'schedule.deleted', { id: scheduleId, kind });
        },
        { includeDeleted: true },
      );
    },
  };
}

/** These touch everything the installation holds, not only what the tenant has. */
function checkScope({ scopes }: Caller, kind: string | undefined): void {
  if ((kind === 'backup' || kind === 'archive') && !scopes.includes('system:write')) {
    throw new ProblemError(
      'FORBIDDEN',
      `Only the operator may schedule "${kind}": it concerns the whole installation.`,
    );
  }
}

/** The time a body asks for; what it leaves out stays as it was. */
function timingFrom(
  body: { cron?: string | undefined; afterClose?: AfterClose | undefined; tradingDaysOnly?: string | null | undefined },
  before: Timing | null,
): Timing {
  const { cron, afterClose, tradingDaysOnly } = body;
  const isBoth = afterClose !== undefined && (cron !== undefined || typeof tradingDaysOnly === 'string');
  if (isBoth) {
    throw new ProblemError('INVALID_REQUEST', 'Say the time either by cron or by afterClose, not by both.');
  }
  if (afterClose !== undefined) return { kind: 'after-close', ...afterClose };
  const old = before?.kind === 'cron' ? before : null;
  if (cron === undefined && tradingDaysOnly === undefined && before !== null) return before;
  const text = cron ?? old?.cron;
  if (text === undefined) throw new ProblemError('INVALID_REQUEST', 'Say the time by cron or by afterClose.');
  const calendar = tradingDaysOnly === undefined ? (old?.tradingDaysOnly ?? null) : tradingDaysOnly;
  return { kind: 'cron', cron: text, tradingDaysOnly: calendar };
}

function columnsOf(timing: Timing) {
  return timing.kind === 'cron'
    ? {
        cron: timing.cron,
        trading_days_only: timing.tradingDaysOnly,
        after_close_calendar: null,
        after_close_minutes: null,
      }
    : {
        cron: NEAREST_CRON,
        trading_days_only: null,
        after_close_calendar: timing.calendar,
        after_close_minutes: timing.minutes,
      };
}

function findToChange(tx: Transaction, scheduleId: number): Promise<ScheduleRow | undefined> {
  return tx.query.selectFrom('schedule').selectAll().where('id', '=', scheduleId).forUpdate().executeTakeFirst();
}

async function record(tx: Transaction, kind: string, row: { id: number; kind: string }): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'schedule', subjectId: row.id, body: { scheduleKind: row.kind } });
}

function toKind(text: string): ScheduleKind {
  const kind = scheduleKind.options.find((candidate) => candidate === text);
  if (kind === undefined) throw new Error(`There is no schedule kind ${text}.`);
  return kind;
}
