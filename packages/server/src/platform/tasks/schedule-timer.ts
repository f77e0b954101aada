import type { Task } from '@touchstone/contracts/tasks';
import { type Selectable, sql } from 'kysely';
import type { Clock } from '../clock/clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { ScheduleTable, ScheduleTimerTable } from '../database/schema-types.ts';
import { nextInstants, type SessionTimes, type Timing } from './schedule-times.ts';
import { toRecord } from './task.repository.ts';
import type { TaskInput } from './tasks.ts';

export type ScheduleRow = Selectable<ScheduleTable>;
type TimerRow = Selectable<ScheduleTimerTable>;

/** What a schedule of one kind starts. */
export type ScheduledWork = (input: TaskInput) => { kind: string; title: string; input: TaskInput };

export type ScheduleTimerParts = {
  database: Database;
  clock: Clock;
  log: { warn(fields: object, text: string): void };
  sessionTimes: () => SessionTimes | null;
  /** What a kind starts; undefined when this process cannot do it. */
  workOf: (kind: string) => ScheduledWork | undefined;
  start: (tx: Transaction, work: ReturnType<ScheduledWork>) => Promise<Task>;
};

export type ScheduleTimer = ReturnType<typeof createScheduleTimer>;

/** What an older version's clock is told by; it lies in the queue's own schema. */
const LEGACY_QUEUE = 'touchstone-schedules';
/** A clock behind the one that computed a time by more than this was set back. Clocks of several machines differ less. */
const SET_BACK_MS = 5 * 60_000;

/**
 * Starts due schedules, each due time once, whatever the number of processes.
 *
 * The next due time is a row. Whoever finds it due locks the schedule, starts the work and writes the time after it, in
 * one transaction. So a time that passed while nothing ran is served once; a clock that is set back finds nothing due;
 * and one that is set forward serves what it jumped over once.
 */
export function createScheduleTimer(parts: ScheduleTimerParts) {
  const { database, clock, log } = parts;
  const next = (tx: Transaction, row: ScheduleRow, after: number, count: number) =>
    nextInstants(tx, timingOf(row), after, count, parts.sessionTimes());

  /** Serves one schedule. Returns true when it started something. */
  async function serve(tx: Transaction, scheduleId: number): Promise<boolean> {
    const row = await tx.query
      .selectFrom('schedule')
      .selectAll()
      .where('id', '=', scheduleId)
      .where('enabled', '=', true)
      .forUpdate()
      // Another process serves it, or somebody changes it, this moment.
      .skipLocked()
      .executeTakeFirst();
    if (row === undefined) return false;
    const timer = await findTimer(tx, scheduleId);
    const now = clock.now();
    const served = timer?.last_due_at == null ? now : Math.max(now, Date.parse(timer.last_due_at));
    if (timer === undefined || timer.for_version !== row.version) {
      await forgetLegacyCron(tx, scheduleId);
      await writeTimer(tx, row, (await next(tx, row, served, 1))[0]);
      return false;
    }
    if (Date.parse(timer.computed_at) > now + SET_BACK_MS) {
      await writeTimer(tx, row, (await next(tx, row, served, 1))[0]);
      return false;
    }
    if (timer.next_run_at === null || Date.parse(timer.next_run_at) > now) return false;
    const dueAt = Date.parse(timer.next_run_at);
    // Since it was computed, the day may have been told to be a holiday, or to close early.
    const [still] = await next(tx, row, dueAt - 1, 1);
    if (still === undefined || still > now) {
      await writeTimer(tx, row, still);
      return false;
    }
    const work = parts.workOf(row.kind);
    // A process of another version may know how.
    if (work === undefined) return false;
    const [following] = await next(tx, row, Math.max(now, dueAt), 1);
    const task = await parts.start(tx, { ...work(toRecord(row.input) ?? {}), title: row.title });
    await writeTimer(tx, row, following, { dueAt, startedAt: now, taskId: task.id });
    return true;
  }

  async function writeTimer(
    tx: Transaction,
    row: ScheduleRow,
    nextRunAt: number | undefined,
    started?: { dueAt: number; startedAt: number; taskId: number },
  ): Promise<void> {
    const computed = {
      for_version: row.version,
      next_run_at: nextRunAt === undefined ? null : isoOf(nextRunAt),
      computed_at: isoOf(clock.now()),
      ...(started === undefined
        ? {}
        : {
            last_due_at: isoOf(started.dueAt),
            last_started_at: isoOf(started.startedAt),
            last_task_id: started.taskId,
          }),
    };
    await tx.query
      .insertInto('schedule_timer')
      .values({ tenant_id: row.tenant_id, schedule_id: row.id, ...computed })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'schedule_id']).doUpdateSet(computed))
      .execute();
  }

  return {
    /** Starts what is due. Returns how many. */
    async tick(): Promise<number> {
      const { rows } = await database.pool.query<{
        tenant_id: number;
        schedule_id: number;
        created_by: number | null;
      }>('SELECT tenant_id, schedule_id, created_by FROM touchstone_due_schedules($1)', [isoOf(clock.now())]);
      let started = 0;
      for (const { tenant_id: tenantId, schedule_id: scheduleId, created_by: actorId } of rows) {
        try {
          // On behalf of who made it: a private index is seen by its maker only.
          if (await database.transaction({ tenantId, actorId }, (tx) => serve(tx, scheduleId))) started++;
        } catch (error) {
          // The others must not wait for one that cannot be served.
          log.warn({ err: error, scheduleId }, 'a schedule could not be served');
        }
      }
      return started;
    },

    /** Puts a new or changed schedule into force, in the transaction of the change. A kept time keeps its due time. */
    async put(tx: Transaction, row: ScheduleRow, before: ScheduleRow | null): Promise<void> {
      await forgetLegacyCron(tx, row.id);
      const timer = await findTimer(tx, row.id);
      const isKept =
        before?.enabled === true && JSON.stringify(timingOf(before)) === JSON.stringify(timingOf(row)) && timer;
      const kept = isKept && timer.next_run_at !== null ? Date.parse(timer.next_run_at) : undefined;
      if (row.enabled) await writeTimer(tx, row, kept ?? (await next(tx, row, clock.now(), 1))[0]);
    },

    /** Takes a schedule out of force. */
    forget: (tx: Transaction, scheduleId: number) => forgetLegacyCron(tx, scheduleId),

    nextRuns: async (tx: Transaction, row: ScheduleRow, count: number): Promise<string[]> =>
      row.enabled ? (await next(tx, row, clock.now(), count)).map(isoOf) : [],
  };
}

/** What the row says of its time. */
export function timingOf(
  row: Pick<ScheduleRow, 'cron' | 'after_close_calendar' | 'after_close_minutes' | 'trading_days_only'>,
): Timing {
  if (row.after_close_calendar !== null) {
    return { kind: 'after-close', calendar: row.after_close_calendar, minutes: row.after_close_minutes ?? 0 };
  }
  return { kind: 'cron', cron: row.cron, tradingDaysOnly: row.trading_days_only };
}

function findTimer(tx: Transaction, scheduleId: number): Promise<TimerRow | undefined> {
  return tx.query.selectFrom('schedule_timer').selectAll().where('schedule_id', '=', scheduleId).executeTakeFirst();
}

/** An older version kept its clock in the queue: two clocks would start everything twice. */
async function forgetLegacyCron(tx: Transaction, scheduleId: number): Promise<void> {
  const key = `${tx.principal.tenantId}-${scheduleId}`;
  await sql`DELETE FROM pgboss.schedule WHERE name = ${LEGACY_QUEUE} AND key = ${key}`.execute(tx.query);
}

function isoOf(instant: number): string {
  return new Date(instant).toISOString();
}
