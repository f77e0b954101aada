import * as contract from '@touchstone/contracts/tasks';
import type { Database } from '../database/database.ts';
import { decodeIdCursor, toPage } from '../http/cursor.ts';
import { openEventStream } from '../http/event-stream.ts';
import type { Serve } from '../http/serve.ts';
import { found } from '../problem-error.ts';
import type { Processes } from './processes.ts';
import { createScheduleService } from './schedule.service.ts';
import { findTask, listTaskRows, toTask } from './task.repository.ts';
import type { TaskEngine } from './task-engine.ts';

export type TaskRouteParts = { tasks: TaskEngine; database: Database; processes: Processes };

export function registerTaskRoutes(serve: Serve, { tasks, database, processes }: TaskRouteParts): void {
  const schedules = createScheduleService(database, tasks);

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
  serve(contract.watchTasks, async ({ caller, reply }) => {
    const stream = openEventStream(reply);
    stream.onClose(tasks.watch(caller, (task) => stream.tell('task', task)));
    return reply;
  });

  serve(contract.listSchedules, async ({ caller }) => ({ items: await schedules.list(caller) }));
  serve(contract.createSchedule, ({ caller, body }) => schedules.create(caller, body));
  serve(contract.updateSchedule, ({ caller, params, body }) => schedules.update(caller, params.scheduleId, body));
  serve(contract.deleteSchedule, async ({ caller, params }) => {
    await schedules.remove(caller, params.scheduleId);
    return undefined;
  });

  serve(contract.listProcesses, async ({ caller }) => ({ items: await processes.list(caller) }));
}
