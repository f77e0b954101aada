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

export const schedule = audit.extend({
  id,
  kind: z.enum(['index-run', 'verify']).meta({ description: 'What it starts.', example: 'verify' }),
  title: name.meta({ example: 'Verify every night' }),
  cron: z
    .string()
    .regex(/^(\S+ ){4}\S+$/)
    .meta({ description: 'Five cron fields, in UTC.', example: '0 3 * * *' }),
  input: z.record(z.string(), z.unknown()).meta({ description: 'For index-run: { indexId }.', example: {} }),
  enabled: z.boolean().meta({ example: true }),
  lastStartedAt: instant.nullable(),
});
export type Schedule = z.infer<typeof schedule>;
const scheduleBody = schedule.pick({ kind: true, title: true, cron: true, input: true, enabled: true });

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
  summary: 'Add a schedule',
  scope: 'task:write',
  body: scheduleBody,
  status: 201,
  answer: schedule,
  problems: [],
});
export const updateSchedule = defineRoute({
  id: 'updateSchedule',
  method: 'PATCH',
  path: '/schedules/:scheduleId',
  group: 'tasks',
  summary: 'Change a schedule',
  scope: 'task:write',
  params: z.object({ scheduleId: idParam }),
  body: scheduleBody.partial().extend({ version: schedule.shape.version }),
  status: 200,
  answer: schedule,
  problems: ['NOT_FOUND', 'CONFLICT'],
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
