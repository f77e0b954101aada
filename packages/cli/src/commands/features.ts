import { readFile } from 'node:fs/promises';
import {
  changeFeatureView,
  checkFeatureView,
  createFeatureView,
  deleteFeatureView,
  type FeatureView,
  freezeFeatures,
  getFeatureCatalogue,
  getFeatureSeries,
  getFeatureSkew,
  getFeatureView,
  getHistoricalFeatures,
  getOnlineFeatures,
  listFeatureViews,
  listMaterialisations,
  materialiseFeatures,
  startFeatureSkew,
  type ViewCheck,
} from '@touchstone/contracts/features';
import type { Input } from '@touchstone/contracts/route';
import type { Task } from '@touchstone/contracts/tasks';
import { checkFile } from '../check-file.ts';
import { type Call, type Command, type Output, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { numberOf, universeId } from '../look-up.ts';
import { type Column, facts, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

const DETACH = { detach: { summary: 'Do not wait until it is done' } } as const;

/** Features: the catalogue, views of one's own, values of the past and of now. */
export const featureCommands: Command[] = [
  {
    name: 'features',
    summary: 'Every indicator, what it needs, and whether it stood the look-ahead canary',
    args: [],
    options: { family: { value: 'NAME', summary: 'Only this family: overlap, momentum, candle, …' } },
    example: 'features --family momentum',
    async run(call) {
      const family = call.text('family');
      const answer = await call.client.call(getFeatureCatalogue, { query: family === undefined ? {} : { family } });
      const text = table(
        answer.items,
        [
          { title: 'NAME', value: (row) => row.name, whole: true },
          { title: 'FAMILY', value: (row) => row.family },
          { title: 'UNIT', value: (row) => row.unit },
          { title: 'WARM-UP', value: (row) => row.warmUp },
          { title: 'AGREES WITH', value: (row) => row.reference.source },
          { title: 'CANARY', value: (row) => (row.badges.canary.passed ? 'silent' : 'SINGS') },
          { title: 'WARM-UP TEST', value: (row) => (row.badges.warmUp.passed ? 'passed' : 'FAILED') },
        ],
        'There is no such family.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'features views',
    summary: 'Feature views in their newest version',
    args: [],
    example: 'features views',
    async run({ client }) {
      const answer = await client.call(listFeatureViews);
      const text = table(
        answer.items,
        [
          { title: 'VIEW', value: (row) => row.name, whole: true },
          { title: 'VERSION', value: (row) => row.version },
          { title: 'OWNER', value: (row) => row.owner },
          { title: 'FEATURES', value: (row) => row.featureNames.length },
          { title: 'TESTS', value: (row) => (row.checksPassed ? 'passed' : 'FAILED') },
          { title: 'ONLINE', value: (row) => row.materialised?.entityCount ?? null },
          { title: 'LATEST DAY', value: (row) => row.materialised?.latestDay ?? null },
        ],
        'There is no view.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'features view',
    summary: 'One feature view with its features and their badges',
    args: ['VIEW'],
    options: { version: { value: 'NUMBER', summary: 'Default: the newest' } },
    example: 'features view trend',
    async run(call) {
      const version = call.number('version');
      const query = version === undefined ? {} : { version };
      const view = await call.client.call(getFeatureView, { params: { view: call.args[0] ?? '' }, query });
      return { json: view, text: describe(view) };
    },
  },
  {
    name: 'features check',
    summary: 'Put a definition through the canary without saving it',
    args: ['FILE'],
    example: 'features check view.json',
    async run(call) {
      const check = await call.client.call(checkFeatureView, { body: await readDefinition(call.args[0]) });
      return { json: check, text: describeCheck(check), exitCode: check.accepted ? 0 : 1 };
    },
  },
  {
    name: 'features add',
    summary: 'Save a feature view from a JSON file, or a new version of one',
    args: ['FILE'],
    options: { from: { value: 'VERSION', summary: 'Change the view, starting from this version' } },
    example: 'features add view.json',
    async run(call) {
      const body = await readDefinition(call.args[0]);
      const from = call.text('from');
      if (from === undefined) {
        const view = await call.client.call(createFeatureView, { body });
        return { json: view, text: describe(view) };
      }
      const { name, entity: _entity, source: _source, ...change } = body;
      const view = await call.client.call(changeFeatureView, {
        params: { view: name },
        body: { ...change, version: numberOf(from, '--from') },
      });
      return { json: view, text: describe(view) };
    },
  },
  {
    name: 'features delete',
    summary: 'Delete a feature view; what was computed with it stays',
    args: ['VIEW'],
    example: 'features delete stretch',
    async run(call) {
      const view = call.args[0] ?? '';
      await call.client.call(deleteFeatureView, { params: { view } });
      return { json: { deleted: view }, text: `Feature view ${view} is deleted.\n` };
    },
  },
  {
    name: 'features series',
    summary: 'Features of one instrument day by day, as known then',
    args: ['SYMBOL', 'FEATURE…'],
    options: { from: { value: 'DAY', summary: 'First day shown' }, ...TIME_OPTIONS },
    example: 'features series ALDR trend:sma_20 rsi_14',
    async run(call) {
      const [instrument = '', ...features] = call.args;
      const from = call.text('from');
      const answer = await call.client.call(getFeatureSeries, {
        query: { instrument, features: features.join(','), ...(from === undefined ? {} : { from }), ...timesOf(call) },
      });
      const rows = answer.days.map((day, i) => ({ day, i }));
      const columns: Column<{ day: string; i: number }>[] = [
        { title: 'DAY', value: (row) => row.day },
        { title: 'CLOSE', value: (row) => answer.bars.close[row.i] ?? null },
        ...answer.columns.map((column) => ({
          title: column.feature,
          value: (row: { i: number }) => column.values[row.i] ?? null,
        })),
      ];
      const reasons = answer.columns.flatMap(({ feature, reason }) =>
        reason === null ? [] : [`${feature}: ${reason.sentence}\n`],
      );
      return { json: answer, text: table(rows, columns, 'No bar is known by then.') + reasons.join('') };
    },
  },
  {
    name: 'features historical',
    summary: 'Features as they could be known at each row: from a CSV file with instrument, as_of[, known_at]',
    args: ['FILE', 'FEATURE…'],
    options: { freeze: { summary: 'Freeze them as a dataset, in the background' }, ...DETACH },
    example: 'features historical rows.csv trend:sma_20 rsi_14',
    async run(call) {
      const [file = '', ...features] = call.args;
      if (features.length === 0) throw new UsageError('Name the features after the file.');
      const body = { rows: readRows(await readText(file)), features };
      if (call.flag('freeze')) return taskOf(call, (await call.client.call(freezeFeatures, { body })).task);
      const answer = await call.client.call(getHistoricalFeatures, { body });
      const text = table(
        answer.rows,
        [
          { title: 'INSTRUMENT', value: (row) => row.instrument },
          { title: 'AS OF', value: (row) => row.asOf },
          { title: 'KNOWN AT', value: (row) => row.knownAt },
          ...features.map((title, i) => ({
            title,
            value: (row: (typeof answer.rows)[number]) => row.values[i] ?? row.missing[title] ?? null,
          })),
        ],
        'There are no rows.',
      );
      return { json: answer, text: text + answer.problems.map(({ reason }) => `${reason.sentence}\n`).join('') };
    },
  },
  {
    name: 'features freeze',
    summary: 'Freeze features of a universe in a period as a dataset',
    args: ['UNIVERSE', 'FEATURE…'],
    options: {
      from: { value: 'DAY', summary: 'First day' },
      to: { value: 'DAY', summary: 'Last day' },
      every: { value: 'COUNT', summary: 'Every so many bars; default 1' },
      ...DETACH,
    },
    example: 'features freeze "My universe" trend:sma_20 --from 2025-01-02 --to 2025-12-31',
    async run(call) {
      const [name = '', ...features] = call.args;
      const [from, to] = [call.text('from'), call.text('to')];
      if (from === undefined || to === undefined) throw new UsageError('Say the period with --from DAY and --to DAY.');
      const universe = { universeId: await universeId(call, name), from, to, everyDays: call.number('every') ?? 1 };
      const { task } = await call.client.call(freezeFeatures, { body: { universe, features } });
      return taskOf(call, task);
    },
  },
  {
    name: 'features online',
    summary: 'The newest features of some instruments, from the online store',
    args: ['SYMBOL', 'FEATURE…'],
    example: 'features online ALDR trend:sma_20',
    async run(call) {
      const [symbols = '', ...features] = call.args;
      const answer = await call.client.call(getOnlineFeatures, {
        body: { features, instruments: symbols.split(',') },
      });
      const rows = answer.entities.flatMap(({ instrument, values, reasons }) =>
        answer.features.map((feature, i) => ({
          instrument,
          feature,
          value: values[i] ?? null,
          reason: reasons[i] ?? null,
        })),
      );
      const text = table(
        rows,
        [
          { title: 'INSTRUMENT', value: (row) => row.instrument },
          { title: 'FEATURE', value: (row) => row.feature, whole: true },
          { title: 'VALUE', value: (row) => row.value },
          { title: 'WHY NOT', value: (row) => row.reason },
        ],
        'Nothing was asked for.',
      );
      return { json: answer, text: text + answer.problems.map(({ reason }) => `${reason.sentence}\n`).join('') };
    },
  },
  {
    name: 'features materialise',
    summary: 'Bring the online store up to date: only what changed since the last time',
    args: ['UNIVERSE', '[VIEW…]'],
    options: { full: { summary: 'Compute all again' }, ...DETACH },
    example: 'features materialise "My universe" trend momentum',
    async run(call) {
      const [name = '', ...views] = call.args;
      const body = {
        universeId: await universeId(call, name),
        full: call.flag('full'),
        ...(views.length > 0 ? { views } : {}),
      };
      return taskOf(call, (await call.client.call(materialiseFeatures, { body })).task);
    },
  },
  {
    name: 'features materialised',
    summary: 'How far each view is materialised',
    args: [],
    example: 'features materialised',
    async run({ client }) {
      const answer = await client.call(listMaterialisations);
      const text = table(
        answer.items,
        [
          { title: 'VIEW', value: (row) => `${row.view}@${row.version}`, whole: true },
          { title: 'UNIVERSE', value: (row) => row.universeId },
          { title: 'ENTITIES', value: (row) => row.entityCount },
          { title: 'CHANGED', value: (row) => row.changedCount },
          { title: 'WHOLE', value: (row) => row.complete },
          { title: 'KNOWN AT', value: (row) => row.knownAt },
          { title: 'AT', value: (row) => row.updatedAt },
        ],
        `Nothing is materialised yet. Store: ${answer.store}.`,
      );
      return { json: answer, text };
    },
  },
  {
    name: 'features skew',
    summary: 'Whether served features equal those computed afterwards; with --check, check now',
    args: [],
    options: { check: { summary: 'Check now' }, ...DETACH },
    example: 'features skew',
    async run(call) {
      if (call.flag('check')) {
        const output = await taskOf(call, (await call.client.call(startFeatureSkew)).task);
        if (call.flag('detach')) return output;
      }
      const answer = await call.client.call(getFeatureSkew);
      const text = table(
        answer.items,
        [
          { title: 'CHECKED', value: (row) => row.checkedAt },
          { title: 'READS', value: (row) => row.sampleCount },
          { title: 'VALUES', value: (row) => row.valueCount },
          { title: 'DIFFERENT', value: (row) => row.mismatchCount },
        ],
        'Nothing was checked yet.',
      );
      const isSkewed = (answer.latest?.mismatchCount ?? 0) > 0;
      return {
        json: answer,
        text: `${text}${answer.waitingCount} reads wait for the next check.\n`,
        exitCode: isSkewed ? 1 : 0,
      };
    },
  },
];

async function taskOf(call: Call, task: Task): Promise<Output> {
  const shown = call.flag('detach') ? task : await watchTask(call, task);
  const told = Object.entries(shown.result ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return { json: shown, text: facts([['task', shown.id], ['state', shown.state], ...told]) };
}

async function readText(file: string): Promise<string> {
  await checkFile(file);
  return readFile(file, 'utf8');
}

async function readDefinition(file = ''): Promise<FeatureViewFile> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} must hold a feature view as JSON.`);
  }
}
type FeatureViewFile = Input<typeof createFeatureView>['body'];

/** Rows of a CSV file; the columns may come in any order. */
function readRows(text: string): { instrument: string; asOf: string; knownAt?: string }[] {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const names = head.split(',').map((name) => name.trim().toLowerCase());
  const [instrument, asOf, knownAt] = ['instrument', 'as_of', 'known_at'].map((name) => names.indexOf(name));
  if (instrument === -1 || asOf === -1)
    throw new UsageError('The first line must name the columns instrument and as_of, and known_at if there is one.');
  return lines.map((line) => {
    const fields = line.split(',').map((field) => field.trim());
    const known = fields[knownAt!];
    return {
      ...{ instrument: fields[instrument!] ?? '', asOf: fields[asOf!] ?? '' },
      ...(known === undefined || known === '' ? {} : { knownAt: known }),
    };
  });
}

function describe(view: FeatureView): string {
  const about = facts([
    [
      'view',
      `${view.name}@${view.version}${view.version === view.latestVersion ? '' : ` (newest: ${view.latestVersion})`}`,
    ],
    ['description', view.description],
    ['owner', view.owner],
    ['time to live', view.ttlDays === null ? 'for ever' : `${view.ttlDays} days`],
    ['source', view.source],
    ['hash', view.sha256],
    ['saved', view.createdAt],
  ]);
  return `${about}\n${featureTable(view.features)}`;
}

function describeCheck(check: ViewCheck): string {
  const problems = check.problems.map(({ feature, part, sentence }) => `${feature}: ${part}: ${sentence}\n`);
  return `${check.accepted ? 'It may be saved.' : 'It may not be saved.'}\n${problems.join('')}\n${featureTable(check.features)}`;
}

function featureTable(features: FeatureView['features']): string {
  return table(
    features,
    [
      { title: 'FEATURE', value: (row) => row.name, whole: true },
      { title: 'EXPRESSION', value: (row) => row.expression },
      { title: 'WARM-UP', value: (row) => row.warmUp },
      { title: 'CANARY', value: (row) => (row.badges === null ? null : row.badges.canary.passed ? 'silent' : 'SINGS') },
      {
        title: 'WARM-UP TEST',
        value: (row) => (row.badges === null ? null : row.badges.warmUp.passed ? 'passed' : 'FAILED'),
      },
    ],
    'It has no features.',
  );
}
