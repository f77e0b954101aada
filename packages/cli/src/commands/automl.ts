import {
  AUTOML_SECONDS_MAX,
  type AutomlAnswer,
  FAMILIES_BY_SIMPLICITY,
  getAutoml,
  type LossInterval,
  listAutoml,
  startAutoml,
} from '@touchstone/contracts/automl';
import { TARGETS } from '@touchstone/contracts/model-manifest';
import { cancelTask, getTask, retryTask } from '@touchstone/contracts/tasks';
import { type Call, type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf, universeId } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

/** Models are searched: asked for, watched, stopped, gone on with. */
export const automlCommands: Command[] = [
  {
    name: 'automl',
    summary: 'Search a model of TARGET for a universe and register the simplest of the best',
    args: ['UNIVERSE', 'TARGET'],
    options: {
      seconds: { value: 'NUMBER', summary: `How long to search, at most ${AUTOML_SECONDS_MAX}; default 1200` },
      units: { value: 'NUMBER', summary: 'Fits at most; when these end it, the same bytes everywhere' },
      families: { value: 'LIST', summary: `Some of ${FAMILIES_BY_SIMPLICITY.join(', ')}; default: all` },
      from: { value: 'DAY', summary: 'First day learnt from' },
      seed: { value: 'NUMBER', summary: 'Equal seeds, equal trials; default 1' },
      quick: { summary: 'Small models only, to see that all of it works' },
      background: { summary: 'Do not wait for it' },
      ...TIME_OPTIONS,
    },
    example: 'automl "My universe" volatility_direction --seconds 600',
    async run(call) {
      const target = TARGETS.find((name) => name === call.args[1]);
      if (target === undefined) throw new UsageError(`TARGET is one of ${TARGETS.join(', ')}.`);
      const [from, workUnits] = [call.text('from'), call.number('units')];
      const started = await call.client.call(startAutoml, {
        body: {
          ...{ universeId: await universeId(call, call.args[0] ?? ''), target },
          ...{ seconds: call.number('seconds') ?? 1_200, seed: call.number('seed') ?? 1 },
          ...(workUnits === undefined ? {} : { workUnits }),
          ...(from === undefined ? {} : { from }),
          ...familiesOf(call),
          effort: call.flag('quick') ? 'quick' : 'normal',
          ...timesOf(call),
        },
      });
      if (!call.flag('background')) await watchTask(call, started.task);
      return shown(call, started.automlId);
    },
  },
  {
    name: 'automl list',
    summary: 'Searches for models, newest first',
    args: [],
    options: LIMIT_OPTION,
    example: 'automl list',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listAutoml, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'SEARCH', value: (row) => row.id },
          { title: 'UNIVERSE', value: (row) => row.universeId },
          { title: 'TARGET', value: (row) => row.target.replaceAll('_', ' ') },
          { title: 'STATE', value: (row) => row.state },
          { title: 'PROGRESS', value: (row) => percent(row.progress), right: true },
          { title: 'TRIALS', value: (row) => row.trialCount, right: true },
          { title: 'NOW', value: (row) => row.progressNote },
          { title: 'ASKED FOR', value: (row) => row.createdAt },
        ],
        'Nothing was searched yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'automl show',
    summary: 'One search: its trials, those that cannot be told from the best, and the chosen one',
    args: ['SEARCH'],
    example: 'automl show 4',
    run: (call) => shown(call, numberOf(call.args[0], 'SEARCH')),
  },
  {
    name: 'automl stop',
    summary: 'Stop a search; trials done are kept for `automl resume`',
    args: ['SEARCH'],
    example: 'automl stop 4',
    async run(call) {
      const search = await find(call);
      await call.client.call(cancelTask, { params: { taskId: search.taskId } });
      return shown(call, search.id);
    },
  },
  {
    name: 'automl resume',
    summary: 'Go on with a search that was stopped or has failed',
    args: ['SEARCH'],
    example: 'automl resume 4',
    async run(call) {
      const search = await find(call);
      await call.client.call(retryTask, { params: { taskId: search.taskId } });
      await watchTask(call, await call.client.call(getTask, { params: { taskId: search.taskId } }));
      return shown(call, search.id);
    },
  },
];

function familiesOf(call: Call) {
  const text = call.text('families');
  if (text === undefined) return {};
  const names = text.split(',').map((name) => name.trim());
  const families = FAMILIES_BY_SIMPLICITY.filter((family) => names.includes(family));
  const unknown = names.filter((name) => !families.some((family) => family === name));
  if (unknown.length > 0)
    throw new UsageError(`--families must be some of ${FAMILIES_BY_SIMPLICITY.join(', ')}; was ${unknown.join(', ')}.`);
  return { families };
}

function find(call: Call): Promise<AutomlAnswer> {
  return call.client.call(getAutoml, { params: { automlId: numberOf(call.args[0], 'SEARCH') } });
}

async function shown(call: Call, automlId: number) {
  const search = await call.client.call(getAutoml, { params: { automlId } });
  return { json: search, text: describe(search) };
}

function describe(search: AutomlAnswer): string {
  const { chosen } = search;
  const about = facts([
    ['search', search.id],
    ['target', search.target.replaceAll('_', ' ')],
    ['universe', search.universeId],
    ['state', search.state],
    ['now', search.progressNote],
    ['trials', `${search.trialCount} with ${search.unitsDone} fits, ${search.trialsReused} of them from before`],
    ['ended by', search.ended?.replaceAll('_', ' ') ?? null],
    ['done on', search.runNote ?? search.ranOn],
    ['outer days from', search.outerFrom],
    ['chosen', chosen?.sentence ?? null],
    ['inner loss', chosen === null ? null : intervalText(chosen.inner)],
    ['outer loss', chosen?.outer == null ? null : intervalText(chosen.outer)],
    ['bias', search.bias],
    ['gate', chosen?.verdict.sentence ?? null],
    ['version', chosen === null || chosen.version === null ? null : `${chosen.model} ${chosen.version}`],
    ['task', search.taskId],
  ]);
  const trials = table(
    search.trials,
    [
      { title: 'TRIAL', value: (row) => `${row.number}${row.isChosen ? ' *' : ''}` },
      { title: 'FAMILY', value: (row) => row.family.replaceAll('_', ' ') },
      { title: 'FEATURES', value: (row) => row.featureSet.replaceAll('_', ' ') },
      { title: 'DAYS', value: (row) => row.stepCount, right: true },
      { title: 'LEARNS FROM', value: (row) => row.trainDays ?? 'all' },
      { title: 'RUNG', value: (row) => `${row.rung} of ${search.rungCount}` },
      { title: 'INNER LOSS', value: (row) => (row.inner === null ? (row.problem ?? '') : intervalText(row.inner)) },
      { title: 'EQUAL', value: (row) => (row.inSet ? 'yes' : '') },
      { title: 'SETTINGS', value: (row) => JSON.stringify(row.settings) },
    ],
    'No trial is done yet.',
  );
  return `${about}\n${trials}`;
}

function intervalText({ value, low, high }: LossInterval): string {
  return `${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
}
