import type { Schedule } from '@touchstone/contracts/tasks';
import type { Selectable } from 'kysely';
import type { Database, Principal, Transaction } from '../database/database.ts';
import type { ScheduleTable } from '../database/schema-types.ts';
import { appendEvidence } from '../evidence/evidence.ts';
import { found, ProblemError } from '../problem-error.ts';
import { toRecord } from './task.repository.ts';
import type { ScheduleKind, TaskEngine } from './task-engine.ts';

export type NewSchedule = Pick<Schedule, 'kind' | 'title' | 'input' | 'enabled'> & { cron?: string | undefined };
export type ScheduleChange = Partial<NewSchedule> & { version: number };

/** Work that comes again. The cron itself is kept by the queue; what is due is looked up here when its time comes. */
export function createScheduleService(database: Database, tasks: TaskEngine) {
  const check = (schedule: { kind: ScheduleKind; cron: string }) => {
    tasks.checkCron(schedule.cron);
    if (tasks.hasSchedule(schedule.kind)) return;
    throw new ProblemError('INVALID_REQUEST', `This version cannot start "${schedule.kind}" by schedule.`);
  };
  const putInForce = (row: Row) => tasks.setCron(row.tenant_id, row.id, row.enabled ? row.cron : null);

  return {
    async list(principal: Principal): Promise<Schedule[]> {
      const rows = await database.transaction(principal, ({ query }) =>
        query.selectFrom('schedule').selectAll().orderBy('id').limit(500).execute(),
      );
      return rows.map(toSchedule);
    },

    async create(principal: Principal, body: NewSchedule): Promise<Schedule> {
      check({ kind: body.kind, cron: body.cron ?? '' });
      return database.transaction(principal, async (tx) => {
        const { kind, title, cron = '', enabled } = body;
        const row = await tx.query
          .insertInto('schedule')
          .values({ tenant_id: principal.tenantId, kind, title, cron, enabled, input: JSON.stringify(body.input) })
          .returningAll()
          .executeTakeFirstOrThrow();
        await record(tx, 'schedule.created', row);
        await putInForce(row);
        return toSchedule(row);
      });
    },

    async update(
      principal: Principal,
      scheduleId: number,
      { version, input, ...change }: ScheduleChange,
    ): Promise<Schedule> {
      return database.transaction(principal, async (tx) => {
        const before = found(await findToChange(tx, scheduleId), `There is no schedule ${scheduleId}.`);
        if (before.version !== version) {
          throw new ProblemError('CONFLICT', `Schedule ${scheduleId} was changed meanwhile. Load it again.`);
        }
        check({ kind: toKind(change.kind ?? before.kind), cron: change.cron ?? before.cron });
        const row = await tx.query
          .updateTable('schedule')
          .set({ ...change, ...(input === undefined ? {} : { input: JSON.stringify(input) }), deleted_at: null })
          .where('id', '=', scheduleId)
          .returningAll()
          .executeTakeFirstOrThrow();
        await record(tx, 'schedule.changed', row);
        await putInForce(row);
        return toSchedule(row);
      });
    },

    async remove(principal: Principal, scheduleId: number): Promise<void> {
      await database.transaction(
        principal,
        async (tx) => {
          const row = await findToChange(tx, scheduleId);
          found(row?.deleted_at === null ? row : null, `There is no schedule ${scheduleId}.`);
          await tx.query
            .updateTable('schedule')
            .set({ deleted_at: new Date().toISOString() })
            .where('id', '=', scheduleId)
            .execute();
          await record(tx, 'schedule.deleted', { id: scheduleId, kind: row!.kind });
          await tasks.setCron(principal.tenantId, scheduleId, null);
        },
        { includeDeleted: true },
      );
    },
  };
}

type Row = Selectable<ScheduleTable>;

function findToChange(tx: Transaction, scheduleId: number): Promise<Row | undefined> {
  return tx.query.selectFrom('schedule').selectAll().where('id', '=', scheduleId).forUpdate().executeTakeFirst();
}

async function record(tx: Transaction, kind: string, row: { id: number; kind: string }): Promise<void> {
  await appendEvidence(tx, { kind, subjectKind: 'schedule', subjectId: row.id, body: { scheduleKind: row.kind } });
}

const KINDS: readonly ScheduleKind[] = ['index-run', 'verify'];

function toKind(text: string): ScheduleKind {
  const kind = KINDS.find((candidate) => candidate === text);
  if (kind === undefined) throw new Error(`There is no schedule kind ${text}.`);
  return kind;
}

function toSchedule(row: Row): Schedule {
  return {
    id: row.id,
    kind: toKind(row.kind),
    title: row.title,
    cron: row.cron,
    afterClose: null,
    tradingDaysOnly: null,
    nextRuns: [],
    lastTask: null,
    input: toRecord(row.input) ?? {},
    enabled: row.enabled,
    lastStartedAt: row.last_started_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    deletedAt: row.deleted_at,
    version: row.version,
  };
}
