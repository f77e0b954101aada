import * as contract from '@touchstone/contracts/tasks';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Database, Principal } from '../database/database.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import type { Serve } from '../http/serve.ts';
import { found } from '../problem-error.ts';
import type { Processes } from './processes.ts';
import { createScheduleService } from './schedule.service.ts';
import { findTask, listTaskRows, toTask } from './task.repository.ts';
import type { TaskEngine } from './task-engine.ts';

const PING_MS = 15_000;
/** A stream ends with the access token it was opened with; the page opens the next one. */
const STREAM_LIFE_MS = 15 * 60_000;

export type TaskRouteParts = { tasks: TaskEngine; database: Database; processes: Processes };

export function registerTaskRoutes(serve: Serve, parts: TaskRouteParts, app: FastifyInstance): void {
  const { tasks, database, processes } = parts;
  const schedules = createScheduleService(database, tasks);
  const streams = new Set<FastifyReply>();

  serve(contract.listTasks, async ({ caller, query }) => {
    const before = decodeIdCursor(query.cursor);
    const { state, limit } = query;
    const rows = await database.transaction(caller, (tx) => listTaskRows(tx, { before, state, limit }), {
      readOnly: true,
    });
    return toPage(rows.map(toTask), limit, (task) => [task.id]);
  });
  serve(contract.getTask, async ({ caller, params }) => {
    const row = await database.transaction(caller, (tx) => findTask(tx, params.taskId), { readOnly: true });
    return toTask(found(row, `There is no task ${params.taskId}.`));
  });
  serve(contract.cancelTask, ({ caller, params }) => tasks.cancel(caller, params.taskId));
  serve(contract.retryTask, ({ caller, params }) => tasks.retry(caller, params.taskId));
  serve(contract.watchTasks, async ({ caller, reply }) => streamTasks(tasks, caller, reply, streams));

  serve(contract.listSchedules, async ({ caller }) => ({ items: await schedules.list(caller) }));
  serve(contract.createSchedule, ({ caller, body }) => schedules.create(caller, body));
  serve(contract.updateSchedule, ({ caller, params, body }) => schedules.update(caller, params.scheduleId, body));
  serve(contract.deleteSchedule, async ({ caller, params }) => {
    await schedules.remove(caller, params.scheduleId);
    return undefined;
  });

  serve(contract.listProcesses, async ({ caller }) => ({ items: await processes.list(caller) }));

  // An open stream would keep the server from closing.
  app.addHook('preClose', async () => {
    for (const reply of streams) reply.raw.end();
  });
}

function streamTasks(
  tasks: TaskEngine,
  principal: Principal,
  reply: FastifyReply,
  streams: Set<FastifyReply>,
): FastifyReply {
  reply.hijack();
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) headers[name] = String(value);
  reply.raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A proxy that buffers would hold events back.
    'x-accel-buffering': 'no',
  });
  reply.raw.write(': open\n\n');
  const stopWatching = tasks.watch(principal, (task) =>
    reply.raw.write(`event: task\ndata: ${JSON.stringify(task)}\n\n`),
  );
  const ping = setInterval(() => reply.raw.write(': ping\n\n'), PING_MS);
  const life = setTimeout(() => reply.raw.end(), STREAM_LIFE_MS);
  streams.add(reply);
  reply.raw.on('close', () => {
    clearInterval(ping);
    clearTimeout(life);
    stopWatching();
    streams.delete(reply);
  });
  return reply;
}
