import { cancelTask, getTask, listTasks, retryTask, type Task, taskState } from '@touchstone/contracts/tasks';
import { type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

export const taskCommands: Command[] = [
  {
    name: 'tasks',
    summary: 'Background work, newest first',
    args: [],
    options: { ...LIMIT_OPTION, state: { value: 'STATE', summary: taskState.options.join(', ') } },
    example: 'tasks --state running',
    async run(call) {
      const given = call.text('state');
      const state = given === undefined ? undefined : taskState.safeParse(given);
      if (state?.success === false) throw new UsageError(`--state must be one of ${taskState.options.join(', ')}.`);
      const query = { state: state?.data };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listTasks, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'TASK', value: (row) => row.id },
          { title: 'STATE', value: (row) => row.state },
          { title: 'PROGRESS', value: (row) => percent(row.progress), right: true },
          { title: 'WHAT', value: (row) => row.title },
          { title: 'NOW', value: (row) => row.problem?.detail ?? row.progressNote },
          { title: 'STARTED', value: (row) => row.startedAt },
          { title: 'FINISHED', value: (row) => row.finishedAt },
        ],
        'Nothing was asked for yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'task',
    summary: 'One piece of background work',
    args: ['TASK'],
    options: { wait: { summary: 'Wait until it is done' } },
    example: 'task 12',
    async run(call) {
      const task = await call.client.call(getTask, { params: { taskId: numberOf(call.args[0], 'TASK') } });
      const shown = call.flag('wait') ? await watchTask(call, task) : task;
      return { json: shown, text: describe(shown) };
    },
  },
  {
    name: 'task cancel',
    summary: 'Ask it to stop; what it had not published is dropped',
    args: ['TASK'],
    example: 'task cancel 12',
    async run(call) {
      const task = await call.client.call(cancelTask, { params: { taskId: numberOf(call.args[0], 'TASK') } });
      return { json: task, text: describe(task) };
    },
  },
  {
    name: 'task retry',
    summary: 'Run a failed or cancelled task again',
    args: ['TASK'],
    example: 'task retry 12',
    async run(call) {
      const task = await call.client.call(retryTask, { params: { taskId: numberOf(call.args[0], 'TASK') } });
      return { json: task, text: describe(task) };
    },
  },
];

function describe(task: Task): string {
  return facts([
    ['task', task.id],
    ['what', task.title],
    ['kind', task.kind],
    ['state', task.cancelRequestedAt !== null && task.state === 'running' ? 'running, asked to stop' : task.state],
    ['progress', `${percent(task.progress)} ${task.progressNote}`.trim()],
    ['problem', task.problem === null ? null : `${task.problem.detail} (${task.problem.code})`],
    ['result', task.result],
    ['attempts', task.attempts],
    ['created', task.createdAt],
    ['started', task.startedAt],
    ['finished', task.finishedAt],
  ]);
}
