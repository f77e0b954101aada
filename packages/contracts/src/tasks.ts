import { z } from 'zod';
import { audit, count, fraction, id, idParam, instant, name, page, pageQuery } from './fields.ts';
import { problem } from './problems.ts';
import { defineRoute } from './route.ts';

export const taskState = z
  .enum(['queued', 'running', 'done', 'failed', 'cancelled'])
  .meta({ description: 'Where it stands.', example: 'running' });

export const task = z.object({
  id,
  kind: z.string().meta({ description: 'stage.slice.verb', example: 'market-data.price-import.run' }),
  title: z.string().meta({ description: 'What it does, for people.', example: 'Import prices.csv.gz' }),
  state: taskState,
  progress: fraction.meta({ description: '0 to 1.', example: 0.4 }),
  progressNote: z
    .string()
    .meta({ description: 'What it is doing now.', example: 'Read 400,000 of about 1,000,000 rows' }),
  input: z.record(z.string(), z.unknown()).meta({ example: {} }),
  result: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'What it did; null until it is done.', example: null }),
  problem: problem.pick({ code: true, detail: true, details: true }).nullable().meta({ example: null }),
  attempts: count,
  cancelRequestedAt: instant.nullable(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type Task = z.infer<typeof task>;

/** Answer of every route that starts work in the background. */
export const accepted = z.object({ task });

const taskParams = z.object({ taskId: idParam });

export const listTasks = defineRoute({
  id: 'listTasks',
  method: 'GET',
  path: '/tasks',
  group: 'tasks',
  summary: 'Background work, newest first',
  scope: 'task:read',
  query: pageQuery.extend({ state: taskState.optional() }),
  status: 200,
  answer: page(task),
  problems: [],
});
export const getTask = defineRoute({
  id: 'getTask',
  method: 'GET',
  path: '/tasks/:taskId',
  group: 'tasks',
  summary: 'One piece of background work',
  scope: 'task:read',
  params: taskParams,
  status: 200,
  answer: task,
  problems: ['NOT_FOUND'],
});
export const cancelTask = defineRoute({
  id: 'cancelTask',
  method: 'POST',
  path: '/tasks/:taskId/cancel',
  group: 'tasks',
  summary: 'Ask it to stop; what it had not published is dropped',
  scope: 'task:write',
  params: taskParams,
  status: 202,
  answer: task,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const retryTask = defineRoute({
  id: 'retryTask',
  method: 'POST',
  path: '/tasks/:taskId/retry',
  group: 'tasks',
  summary: 'Run a failed or cancelled task again',
  scope: 'task:write',
  params: taskParams,
  status: 202,
  answer: task,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const watchTasks = defineRoute({
  id: 'watchTasks',
  method: 'GET',
  path: '/tasks/events',
  group: 'tasks',
  summary: 'Server-sent events: `task` with a task each time one changes',
  scope: 'task:read',
  gives: 'events',
  status: 200,
  problems: [],
});

export const scheduleKind = z
  .enum([
    ...(['index-run', 'verify', 'refresh', 'court', 'backup', 'archive'] as const),
    ...(['materialise', 'feature-skew', 'market-record'] as const),
    ...(['predict', 'outcomes', 'drift'] as const),
  ])
  .meta({ description: 'What it starts.', example: 'verify' });
export type ScheduleKind = z.infer<typeof scheduleKind>;

/** A time that follows an exchange: holidays are left out, early closes and daylight saving are followed. */
export const afterClose = z
  .object({
    calendar: z.string().max(16).meta({ description: 'Code of the trading calendar.', example: 'XNYS' }),
    minutes: z
      .int()
      .min(0)
      .max(1440)
      .meta({ description: 'Minutes after the close of each trading day.', example: 75 }),
  })
  .meta({ description: 'So many minutes after the close of each trading day. Instead of cron.' });

const cron = z
  .string()
  .regex(/^(\S+ ){4}\S+$/)
  .meta({ description: 'Five cron fields, in UTC.', example: '0 3 * * *' });
const tradingDaysOnly = z
  .string()
  .max(16)
  .nullable()
  .meta({ description: 'With cron: only on trading days of this calendar, by its own local day.', example: null });
const scheduleInput = z.record(z.string(), z.unknown()).meta({
  description:
    'refresh: { universeId, sourceId }. court: { universeId }. index-run: { indexId }. archive: { years }. materialise: { universeId, views? }. predict: { model, universeId }. backup, verify, feature-skew, outcomes: {}.',
  example: {},
});

export const schedule = audit.extend({
  id,
  kind: scheduleKind,
  title: name.meta({ example: 'Verify every night' }),
  cron: z.string().meta({ description: 'Five cron fields, in UTC. Empty with afterClose.', example: '0 3 * * *' }),
  afterClose: afterClose.nullable(),
  tradingDaysOnly,
  input: scheduleInput,
  enabled: z.boolean().meta({ example: true }),
  lastStartedAt: instant.nullable(),
  nextRuns: z
    .array(instant)
    .max(3)
    .meta({ description: 'When it starts next; empty when it is off.', example: ['2026-01-16T03:00:00.000Z'] }),
  lastTask: z
    .object({
      id,
      state: taskState,
      finishedAt: instant.nullable(),
      detail: z.string().meta({ description: 'Why it failed; empty otherwise.', example: '' }),
    })
    .nullable()
    .meta({ description: 'What it started last.', example: { id: 12, state: 'done', finishedAt: null, detail: '' } }),
});
export type Schedule = z.infer<typeof schedule>;
const scheduleBody = z.object({
  kind: scheduleKind,
  title: schedule.shape.title,
  cron: cron.optional(),
  afterClose: afterClose.optional(),
  tradingDaysOnly: tradingDaysOnly.optional(),
  input: scheduleInput,
  enabled: schedule.shape.enabled,
});

export const listSchedules = defineRoute({
  id: 'listSchedules',
  method: 'GET',
  path: '/schedules',
  group: 'tasks',
  summary: 'Work that comes again',
  scope: 'task:read',
  status: 200,
  answer: z.object({ items: z.array(schedule) }),
  problems: [],
});
export const createSchedule = defineRoute({
  id: 'createSchedule',
  method: 'POST',
  path: '/schedules',
  group: 'tasks',
  summary: 'Add a schedule: cron, or minutes after a close',
  scope: 'task:write',
  body: scheduleBody,
  status: 201,
  answer: schedule,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const updateSchedule = defineRoute({
  id: 'updateSchedule',
  method: 'PATCH',
  path: '/schedules/:scheduleId',
  group: 'tasks',
  summary: 'Change a schedule; cron or afterClose takes the place of the other',
  scope: 'task:write',
  params: z.object({ scheduleId: idParam }),
  body: scheduleBody.partial().extend({ version: schedule.shape.version }),
  status: 200,
  answer: schedule,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const deleteSchedule = defineRoute({
  id: 'deleteSchedule',
  method: 'DELETE',
  path: '/schedules/:scheduleId',
  group: 'tasks',
  summary: 'Delete a schedule',
  scope: 'task:write',
  params: z.object({ scheduleId: idParam }),
  status: 204,
  problems: ['NOT_FOUND'],
});

const universeParams = z.object({ universeId: idParam });

export const keepCurrent = defineRoute({
  id: 'keepCurrent',
  method: 'POST',
  path: '/universes/:universeId/keep-current',
  group: 'tasks',
  summary: 'Refresh, judge and compute again after every close: makes the schedules, or brings them up to date',
  scope: 'task:write',
  params: universeParams,
  body: z.object({
    sourceId: id.meta({ description: 'Where the prices are fetched from.' }),
    minutes: z
      .int()
      .min(0)
      .max(1200)
      .default(75)
      .meta({ description: 'Minutes from the close to the refresh; court and indexes follow.', example: 75 }),
  }),
  status: 200,
  answer: z.object({
    items: z.array(schedule).meta({ description: 'In the order in which they start.' }),
    changedCount: count.meta({ description: 'How many were made or changed; 0 when all was as asked.' }),
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const startCourt = defineRoute({
  id: 'startCourt',
  method: 'POST',
  path: '/universes/:universeId/court',
  group: 'tasks',
  summary: 'Judge all bars of a universe again, in the background; opens cases, changes no fact',
  scope: 'task:write',
  params: universeParams,
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const serverProcess = z.object({
  id: z.uuid().meta({ description: 'Made at its start.', example: '01890a5d-ac96-774b-bcce-b302099a8057' }),
  kind: z.enum(['server', 'worker']).meta({ description: 'With HTTP, or without.', example: 'worker' }),
  codeVersion: z.string().meta({ example: '0.1.0+3f2a9c71b04d' }),
  startedAt: instant,
  lastSeenAt: instant,
  state: z
    .enum(['running', 'stopped', 'lost'])
    .meta({ description: 'lost: it was not heard of for a minute and did not say goodbye.', example: 'running' }),
  isThis: z.boolean().meta({ description: 'The process that answers.', example: false }),
});
export type ServerProcess = z.infer<typeof serverProcess>;

export const listProcesses = defineRoute({
  id: 'listProcesses',
  method: 'GET',
  path: '/diagnostics/processes',
  group: 'diagnostics',
  summary: 'Servers and workers on this database, those of the last day',
  scope: 'system:read',
  status: 200,
  answer: z.object({ items: z.array(serverProcess) }),
  problems: [],
});
