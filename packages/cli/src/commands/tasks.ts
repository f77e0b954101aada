import {
  cancelTask,
  createSchedule,
  deleteSchedule,
  getTask,
  listSchedules,
  listTasks,
  retryTask,
  type Schedule,
  schedule,
  type Task,
  taskState,
  updateSchedule,
} from '@touchstone/contracts/tasks';
import { type Call, type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { allPages, indexId, limitOf, numberOf } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

const CRON_OPTION = { cron: { value: 'CRON', summary: 'Five fields in UTC: minute hour day month weekday' } };

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
  {
    name: 'schedules',
    summary: 'Work that comes again',
    args: [],
    example: 'schedules',
    async run({ client }) {
      const answer = await client.call(listSchedules);
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'TITLE', value: (row) => row.title },
          { title: 'STARTS', value: (row) => row.kind },
          { title: 'CRON (UTC)', value: (row) => row.cron },
          { title: 'ON', value: (row) => row.enabled },
          { title: 'LAST', value: (row) => row.lastStartedAt },
        ],
        'Nothing is planned.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'schedule create',
    summary: 'Add work that comes again',
    args: ['KIND'],
    options: {
      ...CRON_OPTION,
      index: { value: 'NAME', summary: 'Index to compute; only with index-run' },
      title: { value: 'TEXT', summary: 'What it is called; default says what it starts' },
    },
    example: 'schedule create index-run --index "My index" --cron "0 22 * * 1-5"',
    run: addSchedule,
  },
  {
    name: 'schedule update',
    summary: 'Change when work comes again, or pause it',
    args: ['NUMBER'],
    options: {
      ...CRON_OPTION,
      enabled: { value: 'true|false', summary: 'Whether it starts' },
      title: { value: 'TEXT', summary: 'What it is called' },
    },
    example: 'schedule update 12 --enabled false',
    run: changeSchedule,
  },
  {
    name: 'schedule delete',
    summary: 'Delete a schedule',
    args: ['NUMBER'],
    example: 'schedule delete 12',
    async run(call) {
      const id = numberOf(call.args[0], 'NUMBER');
      await call.client.call(deleteSchedule, { params: { scheduleId: id } });
      return { json: { deleted: id }, text: `Schedule ${id} is deleted.\n` };
    },
  },
];

async function addSchedule(call: Call): Promise<Output> {
  const kinds = schedule.shape.kind.options;
  const kind = kinds.find((known) => known === call.args[0]);
  if (kind === undefined) throw new UsageError(`KIND must be one of ${kinds.join(', ')}, was "${call.args[0]}".`);
  const cron = call.text('cron');
  if (cron === undefined) throw new UsageError('Say when with --cron "MINUTE HOUR DAY MONTH WEEKDAY", in UTC.');
  const index = call.text('index');
  if (kind === 'index-run' && index === undefined) throw new UsageError('Say which index with --index NAME.');
  if (kind !== 'index-run' && index !== undefined) throw new UsageError(`--index says nothing to ${kind}.`);
  const title = call.text('title') ?? (index === undefined ? 'Verify everything' : `Compute ${index}`);
  const input = index === undefined ? {} : { indexId: await indexId(call, index) };
  const made = await call.client.call(createSchedule, { body: { kind, title, cron, input, enabled: true } });
  return { json: made, text: describeSchedule(made) };
}

async function changeSchedule(call: Call): Promise<Output> {
  const id = numberOf(call.args[0], 'NUMBER');
  const [enabled, cron, title] = [call.text('enabled'), call.text('cron'), call.text('title')];
  if (enabled !== undefined && enabled !== 'true' && enabled !== 'false') {
    throw new UsageError(`--enabled must be true or false, was "${enabled}".`);
  }
  const change = {
    ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
    ...(cron === undefined ? {} : { cron }),
    ...(title === undefined ? {} : { title }),
  };
  if (Object.keys(change).length === 0) throw new UsageError('Say what to change: --enabled, --cron or --title.');
  const { items } = await call.client.call(listSchedules);
  const before = items.find((item) => item.id === id);
  if (before === undefined) throw new UsageError(`There is no schedule ${id}.`);
  const changed = await call.client.call(updateSchedule, {
    params: { scheduleId: id },
    body: { ...change, version: before.version },
  });
  return { json: changed, text: describeSchedule(changed) };
}

function describeSchedule(made: Schedule): string {
  return facts([
    ['schedule', made.id],
    ['title', made.title],
    ['starts', made.kind],
    ['cron (UTC)', made.cron],
    ['on', made.enabled],
    ['last', made.lastStartedAt],
  ]);
}

function describe(task: Task): string {
  return facts([
    ['task', task.id],
    ['what', task.title],
    ['kind', task.kind],
    ['state', task.cancelRequestedAt !== null && task.state === 'running' ? 'running, asked to stop' : task.state],
    ['progress', `${percent(task.progress)} ${task.progressNote}`.trim()],
    ['problem', task.problem === null ? null : `${task.problem.detail} (${task.problem.code})`],
    ['result', task.result === null ? null : JSON.stringify(task.result)],
    ['attempts', task.attempts],
    ['created', task.createdAt],
    ['started', task.startedAt],
    ['finished', task.finishedAt],
  ]);
}
