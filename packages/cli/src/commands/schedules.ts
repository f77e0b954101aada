import {
  createSchedule,
  deleteSchedule,
  keepCurrent,
  listProcesses,
  listSchedules,
  type Schedule,
  type ScheduleKind,
  scheduleKind,
  startCourt,
  updateSchedule,
} from '@touchstone/contracts/tasks';
import { type Call, type Command, type Output, UsageError } from '../command.ts';
import { indexId, numberOf, sourceId, universeId } from '../look-up.ts';
import { facts, show, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

const TIME_OPTIONS = {
  cron: { value: 'CRON', summary: 'Five fields in UTC: minute hour day month weekday' },
  'trading-days': { value: 'CALENDAR', summary: 'With --cron: only on trading days of it, for example XNYS' },
  'after-close': { value: 'CALENDAR', summary: 'Instead of --cron: after each close of it, for example XNYS' },
  minutes: { value: 'COUNT', summary: 'With --after-close: minutes after the close; default 75' },
};
const MINUTES_DEFAULT = 75;

/** What each kind is told, as option and field. */
const INPUTS: Record<ScheduleKind, readonly ('universe' | 'source' | 'index' | 'years' | 'model')[]> = {
  refresh: ['universe', 'source'],
  court: ['universe'],
  'index-run': ['index'],
  backup: [],
  verify: [],
  archive: ['years'],
  materialise: ['universe'],
  'feature-skew': [],
  'market-record': ['universe'],
  drift: [],
  predict: ['model', 'universe'],
  outcomes: [],
};

export const scheduleCommands: Command[] = [
  {
    name: 'schedules',
    summary: 'Work that comes again, when it starts next and how it went',
    args: [],
    example: 'schedules',
    async run({ client }) {
      const answer = await client.call(listSchedules);
      return { json: answer, text: listed(answer.items) };
    },
  },
  {
    name: 'schedule create',
    summary:
      'Add work that comes again: refresh, court, index-run, market-record, predict, outcomes, backup, verify or archive',
    args: ['KIND'],
    options: {
      ...TIME_OPTIONS,
      index: { value: 'NAME', summary: 'Index to compute; with index-run' },
      universe: { value: 'NAME', summary: 'Universe to refresh, to judge or to put on record' },
      source: { value: 'CODE', summary: 'Where prices are fetched from; with refresh' },
      model: { value: 'NAME', summary: 'Model that predicts a universe; with predict' },
      years: { value: 'COUNT', summary: 'Years that stay in the database; with archive' },
      title: { value: 'TEXT', summary: 'What it is called; default says what it starts' },
    },
    example: 'schedule create index-run --index "My index" --after-close XNYS --minutes 120',
    run: addSchedule,
  },
  {
    name: 'schedule update',
    summary: 'Change when work comes again, or pause it',
    args: ['NUMBER'],
    options: {
      ...TIME_OPTIONS,
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
  {
    name: 'universe keep-current',
    summary: 'Refresh, judge and compute again after every close: makes the schedules, or moves them',
    args: ['UNIVERSE'],
    options: {
      source: { value: 'CODE', summary: 'Where prices are fetched from' },
      minutes: { value: 'COUNT', summary: 'Minutes from the close to the refresh; default 75' },
    },
    example: 'universe keep-current 3 --source 1',
    async run(call) {
      const source = call.text('source');
      if (source === undefined) throw new UsageError('Say where prices are fetched from with --source CODE.');
      const minutes = call.text('minutes');
      const answer = await call.client.call(keepCurrent, {
        params: { universeId: await universeId(call, call.args[0] ?? '') },
        body: {
          sourceId: await sourceId(call, source),
          ...(minutes === undefined ? {} : { minutes: numberOf(minutes, '--minutes') }),
        },
      });
      return { json: answer, text: `${listed(answer.items)}\n${answer.changedCount} made or changed.\n` };
    },
  },
  {
    name: 'universe judge',
    summary: 'Let the quality court look at all bars of a universe again',
    args: ['UNIVERSE'],
    options: { detach: { summary: 'Do not wait until it is done' } },
    example: 'universe judge 3',
    async run(call) {
      const params = { universeId: await universeId(call, call.args[0] ?? '') };
      const { task } = await call.client.call(startCourt, { params });
      const shown = call.flag('detach') ? task : await watchTask(call, task);
      const { newCaseCount, barCount } = shown.result ?? {};
      return {
        json: shown,
        text: facts([
          ['task', shown.id],
          ['state', shown.state],
          ['bars', barCount],
          ['new cases', newCaseCount],
        ]),
      };
    },
  },
  {
    name: 'processes',
    summary: 'Servers and workers on the same database',
    args: [],
    example: 'processes',
    async run({ client }) {
      const answer = await client.call(listProcesses);
      const text = table(
        answer.items,
        [
          { title: 'PROCESS', value: (row) => row.id, whole: true },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'STATE', value: (row) => (row.isThis ? `${row.state}, answers` : row.state) },
          { title: 'CODE', value: (row) => row.codeVersion },
          { title: 'STARTED', value: (row) => row.startedAt },
          { title: 'LAST SEEN', value: (row) => row.lastSeenAt },
        ],
        'No process was seen for a day.',
      );
      return { json: answer, text };
    },
  },
];

function listed(items: readonly Schedule[]): string {
  return table(
    items,
    [
      { title: 'NUMBER', value: (row) => row.id },
      { title: 'TITLE', value: (row) => row.title },
      { title: 'STARTS', value: (row) => row.kind },
      { title: 'WHEN', value: describeTime },
      { title: 'ON', value: (row) => row.enabled },
      { title: 'NEXT', value: (row) => row.nextRuns[0] ?? null },
      { title: 'LAST', value: (row) => row.lastStartedAt },
      { title: 'WENT', value: (row) => row.lastTask?.state ?? null },
    ],
    'Nothing is planned.',
  );
}

async function addSchedule(call: Call): Promise<Output> {
  const kind = scheduleKind.options.find((known) => known === call.args[0]);
  if (kind === undefined) {
    throw new UsageError(`KIND must be one of ${scheduleKind.options.join(', ')}, was "${call.args[0]}".`);
  }
  const time = timeOf(call);
  if (time === null)
    throw new UsageError('Say when with --cron "MINUTE HOUR DAY MONTH WEEKDAY", in UTC, or --after-close.');
  const input = await inputOf(call, kind);
  const title = call.text('title') ?? titleOf(call, kind);
  const made = await call.client.call(createSchedule, { body: { kind, title, ...time, input, enabled: true } });
  return { json: made, text: describe(made) };
}

async function inputOf(call: Call, kind: ScheduleKind): Promise<Record<string, number | string>> {
  const input: Record<string, number | string> = {};
  for (const option of ['universe', 'source', 'index', 'years', 'model'] as const) {
    const text = call.text(option);
    const isWanted = INPUTS[kind].includes(option);
    if (isWanted && text === undefined)
      throw new UsageError(`Say which ${option} with --${option} ${option === 'years' ? 'COUNT' : 'NAME'}.`);
    if (!isWanted && text !== undefined) throw new UsageError(`--${option} says nothing to ${kind}.`);
    if (text === undefined) continue;
    if (option === 'universe') input.universeId = await universeId(call, text);
    else if (option === 'source') input.sourceId = await sourceId(call, text);
    else if (option === 'index') input.indexId = await indexId(call, text);
    else if (option === 'model') input.model = text;
    else input.years = numberOf(text, '--years');
  }
  return input;
}

function titleOf(call: Call, kind: ScheduleKind): string {
  const titles: Record<ScheduleKind, string> = {
    refresh: `Refresh ${call.text('universe')}`,
    court: `Judge ${call.text('universe')}`,
    'index-run': `Compute ${call.text('index')}`,
    backup: 'Back up',
    verify: 'Verify everything',
    archive: 'Archive old years',
    materialise: `Materialise features of ${call.text('universe')}`,
    'feature-skew': 'Check features that were served',
    drift: 'Drift of every served model',
    'market-record': `Regimes and anomalies of ${call.text('universe')}`,
    predict: `Predict ${call.text('model')} of ${call.text('universe')}`,
    outcomes: 'Join outcomes of predictions',
  };
  return titles[kind];
}

async function changeSchedule(call: Call): Promise<Output> {
  const id = numberOf(call.args[0], 'NUMBER');
  const [enabled, title] = [call.text('enabled'), call.text('title')];
  if (enabled !== undefined && enabled !== 'true' && enabled !== 'false') {
    throw new UsageError(`--enabled must be true or false, was "${enabled}".`);
  }
  const change = {
    ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
    ...(title === undefined ? {} : { title }),
    ...timeOf(call),
  };
  if (Object.keys(change).length === 0) {
    throw new UsageError('Say what to change: --enabled, --cron, --after-close or --title.');
  }
  const { items } = await call.client.call(listSchedules);
  const before = items.find((item) => item.id === id);
  if (before === undefined) throw new UsageError(`There is no schedule ${id}.`);
  const changed = await call.client.call(updateSchedule, {
    params: { scheduleId: id },
    body: { ...change, version: before.version },
  });
  return { json: changed, text: describe(changed) };
}

function timeOf(call: Call) {
  const [cron, calendar, days, minutes] = ['cron', 'after-close', 'trading-days', 'minutes'].map((name) =>
    call.text(name),
  );
  if (calendar !== undefined && (cron !== undefined || days !== undefined))
    throw new UsageError('Say the time either by --cron or by --after-close.');
  if (calendar === undefined && minutes !== undefined) throw new UsageError('--minutes goes with --after-close.');
  if (calendar !== undefined)
    return {
      afterClose: { calendar, minutes: minutes === undefined ? MINUTES_DEFAULT : numberOf(minutes, '--minutes') },
    };
  if (cron === undefined && days === undefined) return null;
  return { ...(cron === undefined ? {} : { cron }), ...(days === undefined ? {} : { tradingDaysOnly: days }) };
}

function describeTime({ cron, afterClose, tradingDaysOnly }: Schedule): string {
  if (afterClose !== null) return `${afterClose.minutes} min after ${afterClose.calendar} closes`;
  return tradingDaysOnly === null ? `${cron} UTC` : `${cron} UTC, ${tradingDaysOnly} days`;
}

function describe(made: Schedule): string {
  const { lastTask } = made;
  return facts([
    ['schedule', made.id],
    ['title', made.title],
    ['starts', made.kind],
    ['when', describeTime(made)],
    ['on', made.enabled],
    ['next', made.nextRuns.map(show).join(', ')],
    ['last', made.lastStartedAt],
    ['went', lastTask === null ? null : `${lastTask.state} (task ${lastTask.id}) ${lastTask.detail}`.trim()],
  ]);
}
