import { TARGETS } from '@touchstone/contracts/model-manifest';
import { cancelTask, getTask, retryTask } from '@touchstone/contracts/tasks';
import {
  FAMILIES,
  getTraining,
  listTargets,
  listTrainings,
  type Training,
  train,
} from '@touchstone/contracts/training';
import { type Call, type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf, universeId } from '../look-up.ts';
import { facts, percent, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

/** Models are made: asked for, watched, stopped, run again. */
export const trainingCommands: Command[] = [
  {
    name: 'train',
    summary: 'Train models for a universe and say what each is worth; finished parts are kept',
    args: ['UNIVERSE'],
    options: {
      targets: { value: 'LIST', summary: `Some of ${TARGETS.join(', ')}; default: all` },
      families: { value: 'LIST', summary: `Some of ${FAMILIES.join(', ')}; default: all` },
      from: { value: 'DAY', summary: 'First day learnt from' },
      seed: { value: 'NUMBER', summary: 'Equal seeds, equal bytes; default 1' },
      quick: { summary: 'Fewer blocks and smaller models, to see that all of it works' },
      promote: { summary: 'Serve what passes the gate at once; needs the right to promote' },
      background: { summary: 'Do not wait for it' },
      ...TIME_OPTIONS,
    },
    example: 'train "My universe" --targets volatility_direction',
    async run(call) {
      const from = call.text('from');
      const started = await call.client.call(train, {
        body: {
          universeId: await universeId(call, call.args[0] ?? ''),
          ...chosen(call, 'targets', TARGETS),
          ...chosen(call, 'families', FAMILIES),
          ...(from === undefined ? {} : { from }),
          ...{ seed: call.number('seed') ?? 1, effort: call.flag('quick') ? 'quick' : 'normal' },
          promote: call.flag('promote') ? 'if_passed' : 'never',
          ...timesOf(call),
        },
      });
      if (!call.flag('background')) await watchTask(call, started.task);
      return shown(call, started.trainingId);
    },
  },
  {
    name: 'train list',
    summary: 'Trainings, newest first',
    args: [],
    options: LIMIT_OPTION,
    example: 'train list',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listTrainings, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'TRAINING', value: (row) => row.id },
          { title: 'UNIVERSE', value: (row) => row.universeId },
          { title: 'STATE', value: (row) => row.state },
          { title: 'PROGRESS', value: (row) => percent(row.progress), right: true },
          { title: 'PARTS', value: (row) => `${row.partsDone} of ${row.partCount}` },
          { title: 'NOW', value: (row) => row.progressNote },
          { title: 'ASKED FOR', value: (row) => row.createdAt },
        ],
        'Nothing was trained yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'train show',
    summary: 'One training: how far it is, and what its models are worth',
    args: ['TRAINING'],
    example: 'train show 7',
    run: (call) => shown(call, numberOf(call.args[0], 'TRAINING')),
  },
  {
    name: 'train stop',
    summary: 'Stop a training; what is finished is kept for `train resume`',
    args: ['TRAINING'],
    example: 'train stop 7',
    async run(call) {
      const training = await find(call);
      await call.client.call(cancelTask, { params: { taskId: training.taskId } });
      return shown(call, training.id);
    },
  },
  {
    name: 'train resume',
    summary: 'Go on with a training that was stopped or has failed',
    args: ['TRAINING'],
    example: 'train resume 7',
    async run(call) {
      const training = await find(call);
      await call.client.call(retryTask, { params: { taskId: training.taskId } });
      await watchTask(call, await call.client.call(getTask, { params: { taskId: training.taskId } }));
      return shown(call, training.id);
    },
  },
  {
    name: 'targets',
    summary: 'What can be forecast, and what a model has to beat',
    args: [],
    example: 'targets',
    async run(call) {
      const answer = await call.client.call(listTargets);
      const text = table(
        answer.items,
        [
          { title: 'TARGET', value: (row) => row.target, whole: true },
          { title: 'SESSIONS', value: (row) => row.horizonDays, right: true },
          { title: 'UNIT', value: (row) => row.unit },
          { title: 'FEATURES', value: (row) => row.features.length, right: true },
          { title: 'BASELINES', value: (row) => row.baselines.join('; '), whole: true },
          { title: 'WHAT', value: (row) => row.definition, whole: true },
        ],
        'Nothing can be forecast.',
      );
      return { json: answer, text };
    },
  },
];

function find(call: Call): Promise<Training> {
  return call.client.call(getTraining, { params: { trainingId: numberOf(call.args[0], 'TRAINING') } });
}

async function shown(call: Call, trainingId: number) {
  const training = await call.client.call(getTraining, { params: { trainingId } });
  return { json: training, text: describe(training) };
}

function describe(training: Training): string {
  const about = facts([
    ['training', training.id],
    ['universe', training.universeId],
    ['state', training.state],
    ['now', training.progressNote],
    ['parts', `${training.partsDone} of ${training.partCount}, ${training.partsReused} of them from before`],
    ['failed parts', training.partsFailed],
    ['dataset', training.datasetSha256],
    ['task', training.taskId],
  ]);
  const models = table(
    training.models,
    [
      { title: 'MODEL', value: (row) => row.model, whole: true },
      { title: 'VERSION', value: (row) => row.version },
      { title: 'FAMILY', value: (row) => `${row.family.replaceAll('_', ' ')}${row.isRecommended ? ' *' : ''}` },
      { title: 'SKILL', value: skillText },
      { title: 'GATE', value: (row) => (row.verdict.passed ? 'passes' : 'fails') },
      { title: 'SECONDS', value: (row) => Math.round(row.costSeconds), right: true },
      { title: 'WHY', value: (row) => row.verdict.sentence, whole: true },
    ],
    'Its models are not made yet.',
  );
  return `${about}\n${models}`;
}

function skillText({ skill }: Training['models'][number]): string {
  if (skill === null || skill.value === null || skill.low === null || skill.high === null) return '';
  const [value, low, high] = [skill.value, skill.low, skill.high].map((x) => x.toFixed(3).replace('-', '−'));
  return `${skill.metric.replaceAll('_', ' ')} ${value} (${low} to ${high})`;
}

function chosen<Name extends string>(call: Call, option: string, all: readonly Name[]): { [key: string]: Name[] } {
  const text = call.text(option);
  if (text === undefined) return {};
  const names = text.split(',').map((name) => name.trim());
  const known = all.filter((name) => names.includes(name));
  const unknown = names.filter((name) => !known.some((each) => each === name));
  if (unknown.length > 0)
    throw new UsageError(`--${option} must be some of ${all.join(', ')}; was ${unknown.join(', ')}.`);
  return { [option]: known };
}
