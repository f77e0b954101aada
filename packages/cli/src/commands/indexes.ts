import {
  createIndex,
  deleteIndex,
  exportIndex,
  getIndex,
  getIndexHoldings,
  getIndexLevels,
  getIndexPerformance,
  type IndexDefinition,
  type IndexMethod,
  type IndexRun,
  listBenchmarks,
  listIndexes,
  listIndexRuns,
  listStrategies,
  method,
  startIndexRun,
  undeleteIndex,
  updateIndex,
} from '@touchstone/contracts/indexes';
import { type Call, type Command, LIMIT_OPTION, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, indexId, instrumentId, limitOf, numberOf, universeId } from '../look-up.ts';
import { facts, percent, short, show, table } from '../render.ts';
import { saveTo } from '../save.ts';
import { watchTask } from '../watch-task.ts';
import { timeLine } from './data.ts';
import { DELETED_OPTION, VISIBILITY_OPTION, visibilityOf } from './universes.ts';

const DEFINITION_OPTIONS = {
  universe: { value: 'UNIVERSE', summary: 'Name or number of the universe' },
  method: { value: 'METHOD', summary: 'three_pillar (default), equal_weight or buy_and_hold' },
  description: { value: 'TEXT', summary: 'What it is for' },
  currency: { value: 'CODE', summary: 'Currency of the index; default USD' },
  cost: { value: 'BASIS_POINTS', summary: 'Cost of each traded unit of weight, one way; default 10' },
  'first-day': { value: 'DAY', summary: 'First day; default as early as the data allow' },
  base: { value: 'LEVEL', summary: 'Level on the first day; default 100' },
  benchmark: { value: 'SYMBOL', summary: 'Instrument it is held against' },
  'rebalance-every': { value: 'DAYS', summary: 'Trading days between rebalances; default 1' },
  'max-names': { value: 'COUNT', summary: 'Names at most; default 50' },
  'max-weight': { value: 'FRACTION', summary: 'Weight of one name at most; default 0.4' },
  momentum: { value: 'FRACTION', summary: 'Weight of the momentum pillar; default 0.4' },
  cap: { value: 'FRACTION', summary: 'Weight of the market-cap pillar; default 0.3' },
  risk: { value: 'FRACTION', summary: 'Weight of the risk pillar; default 0.3' },
  ...VISIBILITY_OPTION,
};
const RUN_OPTION = { run: { value: 'NUMBER', summary: 'Which version; default the newest' } };

export const indexCommands: Command[] = [
  {
    name: 'index list',
    summary: 'Indexes',
    args: [],
    options: { ...LIMIT_OPTION, ...DELETED_OPTION },
    example: 'index list',
    async run(call) {
      const query = { includeDeleted: String(call.flag('deleted')) };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listIndexes, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'NAME', value: (row) => row.name },
          { title: 'UNIVERSE', value: (row) => row.universeName },
          { title: 'METHOD', value: (row) => row.method },
          { title: 'CURRENCY', value: (row) => row.currency },
          { title: 'BENCHMARK', value: (row) => row.benchmarkSymbol },
          { title: 'RUN', value: (row) => row.latestRunNumber },
          { title: 'COMPUTED', value: (row) => row.latestRunAt },
          { title: 'DELETED', value: (row) => row.deletedAt },
        ],
        'There is no index yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'index show',
    summary: 'One index definition',
    args: ['INDEX'],
    example: 'index show "My index"',
    async run(call) {
      const index = await call.client.call(getIndex, { params: await paramsOf(call) });
      return { json: index, text: describe(index) };
    },
  },
  {
    name: 'index create',
    summary: 'Define an index over a universe',
    args: ['NAME'],
    options: DEFINITION_OPTIONS,
    example: 'index create "My index" --universe "My universe" --benchmark SPY',
    async run(call) {
      const [name = ''] = call.args;
      const { universeId: universe, ...given } = await definitionOf(call);
      if (universe === undefined) throw new UsageError('Say over which universe with --universe NAME.');
      const parameters = parametersOf(call);
      const index = await call.client.call(createIndex, { body: { name, ...given, universeId: universe, parameters } });
      return { json: index, text: describe(index) };
    },
  },
  {
    name: 'index update',
    summary: 'Change a definition; runs made before keep theirs',
    args: ['INDEX'],
    options: { name: { value: 'NAME', summary: 'New name' }, ...DEFINITION_OPTIONS },
    example: 'index update "My index" --cost 5',
    async run(call) {
      const params = await paramsOf(call);
      const now = await call.client.call(getIndex, { params });
      const parameters = parametersOf(call);
      const index = await call.client.call(updateIndex, {
        params,
        body: {
          ...(await definitionOf(call)),
          name: call.text('name'),
          version: now.version,
          ...(Object.keys(parameters).length > 0 ? { parameters: { ...now.parameters, ...parameters } } : {}),
        },
      });
      return { json: index, text: describe(index) };
    },
  },
  {
    name: 'index delete',
    summary: 'Delete an index; it can be brought back',
    args: ['INDEX'],
    example: 'index delete "My index"',
    async run(call) {
      const params = await paramsOf(call);
      await call.client.call(deleteIndex, { params });
      const text = `Deleted. Bring it back with: touchstone index undelete ${params.indexId}\n`;
      return { json: { deleted: params.indexId }, text };
    },
  },
  {
    name: 'index undelete',
    summary: 'Bring a deleted index back, by its number',
    args: ['NUMBER'],
    example: 'index undelete 4',
    async run(call) {
      const params = { indexId: numberOf(call.args[0], 'NUMBER') };
      const index = await call.client.call(undeleteIndex, { params });
      return { json: index, text: describe(index) };
    },
  },
  {
    name: 'index run',
    summary: 'Compute the index; makes a new version',
    args: ['INDEX'],
    options: { ...TIME_OPTIONS, detach: { summary: 'Do not wait for the end' } },
    example: 'index run "My index"',
    async run(call) {
      const params = await paramsOf(call);
      const { task } = await call.client.call(startIndexRun, { params, body: timesOf(call) });
      if (call.flag('detach')) return { json: { task }, text: `Task ${task.id} computes it.\n` };
      const done = await watchTask(call, task);
      const { items } = await call.client.call(listIndexRuns, { params, query: { limit: 1 } });
      return { json: { task: done, run: items[0] ?? null }, text: runTable(items) };
    },
  },
  {
    name: 'index runs',
    summary: 'All versions of an index, newest first',
    args: ['INDEX'],
    options: LIMIT_OPTION,
    example: 'index runs "My index"',
    async run(call) {
      const params = await paramsOf(call);
      const answer = await allPages(limitOf(call), (page) => call.client.call(listIndexRuns, { params, query: page }));
      return { json: answer, text: runTable(answer.items) };
    },
  },
  {
    name: 'index levels',
    summary: 'Index, baselines and benchmark, day by day',
    args: ['INDEX'],
    options: { ...TIME_OPTIONS, ...RUN_OPTION, ...LIMIT_OPTION },
    example: 'index levels "My index" --known-at 2026-01-15',
    async run(call) {
      const levels = await call.client.call(getIndexLevels, { params: await paramsOf(call), query: runChoice(call) });
      const first = Math.max(0, levels.days.length - limitOf(call));
      const rows = levels.days.slice(first).map((day, i) => ({ day, i: i + first }));
      const text = table(
        rows,
        [
          { title: 'DAY', value: (row) => row.day },
          { title: 'INDEX', value: (row) => levels.level[row.i], right: true },
          { title: 'BEFORE COSTS', value: (row) => levels.levelGross[row.i], right: true },
          { title: 'NEXT CLOSE', value: (row) => levels.levelNextClose[row.i], right: true },
          { title: 'EQUAL WEIGHT', value: (row) => levels.equalWeight[row.i], right: true },
          { title: 'BUY AND HOLD', value: (row) => levels.buyAndHold[row.i], right: true },
          { title: 'BENCHMARK', value: (row) => levels.benchmark?.[row.i], right: true },
        ],
        'There is no level by then.',
      );
      const words = [levels.hypothetical, levels.survivorship].filter((word) => word !== null).join('\n');
      const head = `${levels.days.length} days in ${levels.currency}, run ${levels.run.runNumber}; the last ${rows.length}:\n`;
      return { json: levels, text: `${timeLine(levels.time)}${words}\n\n${head}${text}` };
    },
  },
  {
    name: 'index holdings',
    summary: 'Weights of the last rebalance known by then',
    args: ['INDEX'],
    options: { ...TIME_OPTIONS, ...RUN_OPTION },
    example: 'index holdings "My index"',
    async run(call) {
      const answer = await call.client.call(getIndexHoldings, { params: await paramsOf(call), query: runChoice(call) });
      const text = table(
        answer.items,
        [
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'NAME', value: (row) => row.name },
          { title: 'SECTOR', value: (row) => row.sector },
          { title: 'WEIGHT', value: (row) => percent(row.weight), right: true },
          { title: 'BEFORE', value: (row) => percent(row.previousWeight), right: true },
          { title: 'MOMENTUM', value: (row) => row.momentumScore, right: true },
          { title: 'CAP', value: (row) => row.capScore, right: true },
          { title: 'RISK', value: (row) => row.riskScore, right: true },
        ],
        'It holds nothing.',
      );
      const turnover = `turnover ${percent(answer.turnover)}, cash ${percent(answer.cashWeight)}`;
      const head = `run ${answer.runNumber}, ${show(answer.day)}, ${answer.status}, ${turnover}\n`;
      return { json: answer, text: `${timeLine(answer.time)}${head}\n${text}` };
    },
  },
  {
    name: 'index performance',
    summary: 'Figures with interval, baseline, period, cost and number of trials',
    args: ['INDEX'],
    options: {
      ...TIME_OPTIONS,
      ...RUN_OPTION,
      from: { value: 'DAY', summary: 'First day of the period' },
      to: { value: 'DAY', summary: 'Last day of the period' },
    },
    example: 'index performance "My index"',
    async run(call) {
      const query = { ...runChoice(call), from: call.text('from'), to: call.text('to') };
      const answer = await call.client.call(getIndexPerformance, { params: await paramsOf(call), query });
      const cell = (found: Metric | undefined) => (found === undefined ? null : metricText(found));
      const text = table(
        answer.columns[0]?.metrics ?? [],
        [
          { title: 'FIGURE', value: (row) => `${row.label} (${row.unit})` },
          ...answer.columns.map((column) => ({
            title: column.label.toUpperCase(),
            value: (row: Metric) => cell(column.metrics.find((found) => found.name === row.name)),
          })),
        ],
        'There are no figures.',
      );
      const differences = table(
        answer.differences,
        [
          { title: 'DIFFERENCE', value: (row) => `${row.metric.label} against ${row.against.replaceAll('_', ' ')}` },
          { title: 'VALUE', value: (row) => metricText(row.metric) },
        ],
        'There is nothing to compare it with.',
      );
      const { firstDay, lastDay, costBasisPoints, trialCount } = answer;
      const head = `${show(firstDay)} to ${show(lastDay)}, cost ${costBasisPoints} basis points, ${trialCount} trials on this data\n`;
      return {
        json: answer,
        text: `${timeLine(answer.time)}${answer.hypothetical}\n${head}\n${text}\n${differences}`,
      };
    },
  },
  {
    name: 'index export',
    summary: 'Levels or holdings as CSV',
    args: ['INDEX', '[FILE]'],
    options: { ...TIME_OPTIONS, ...RUN_OPTION, what: { value: 'WHAT', summary: 'levels (default) or holdings' } },
    example: 'index export "My index" levels.csv',
    async run(call) {
      const what = call.text('what') ?? 'levels';
      if (what !== 'levels' && what !== 'holdings') {
        throw new UsageError(`--what must be levels or holdings, was "${what}".`);
      }
      const params = await paramsOf(call);
      const response = await call.client.raw(exportIndex, { params, query: { ...runChoice(call), what } });
      const [, file] = call.args;
      if (file === undefined) {
        const csv = await response.text();
        return { json: { what, csv }, text: csv };
      }
      return saveTo(file, response);
    },
  },
  {
    name: 'strategies',
    summary: 'The methods an index can use, and the verdict of the look-ahead canary',
    args: [],
    example: 'strategies',
    async run({ client }) {
      const answer = await client.call(listStrategies);
      const text = answer.items
        .map((item) =>
          facts([
            ['method', `${item.method}: ${item.title}`],
            ['definition', item.definition],
            ['page', item.methodPage],
            ['canary', `${item.canary.passed ? 'passed' : 'FAILED'}: ${item.canary.sentence}`],
          ]),
        )
        .join('\n');
      return { json: answer, text };
    },
  },
  {
    name: 'benchmarks',
    summary: 'Instruments an index can be held against',
    args: ['[SEARCH]'],
    example: 'benchmarks SPY',
    async run(call) {
      const answer = await call.client.call(listBenchmarks, { query: { search: call.args[0] } });
      const text = table(
        answer.items,
        [
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'NAME', value: (row) => row.name },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'FIRST', value: (row) => row.firstDay },
          { title: 'LAST', value: (row) => row.lastDay },
        ],
        'No benchmark fits.',
      );
      return { json: answer, text };
    },
  },
];

async function paramsOf(call: Call): Promise<{ indexId: number }> {
  return { indexId: await indexId(call, call.args[0] ?? '') };
}

function runChoice(call: Call) {
  return { ...timesOf(call), runNumber: call.number('run') };
}

async function definitionOf(call: Call) {
  const universe = call.text('universe');
  const benchmark = call.text('benchmark');
  return {
    universeId: universe === undefined ? undefined : await universeId(call, universe),
    benchmarkInstrumentId: benchmark === undefined ? undefined : await instrumentId(call, benchmark),
    method: methodOf(call.text('method')),
    description: call.text('description'),
    currency: call.text('currency')?.toUpperCase(),
    costBasisPoints: call.number('cost'),
    firstDay: call.text('first-day'),
    baseValue: call.number('base'),
    visibility: visibilityOf(call),
  };
}

function parametersOf(call: Call): Record<string, number> {
  const given = {
    rebalanceEveryDays: call.number('rebalance-every'),
    maxNames: call.number('max-names'),
    maxWeight: call.number('max-weight'),
    momentumPillar: call.number('momentum'),
    capPillar: call.number('cap'),
    riskPillar: call.number('risk'),
  };
  const parameters: Record<string, number> = {};
  for (const [name, value] of Object.entries(given)) if (value !== undefined) parameters[name] = value;
  return parameters;
}

function methodOf(text: string | undefined): IndexMethod | undefined {
  if (text === undefined) return undefined;
  const parsed = method.safeParse(text.replaceAll('-', '_'));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--method must be one of ${method.options.join(', ')}, was "${text}".`);
}

type Metric = {
  name: string;
  label: string;
  unit: string;
  value: number | null;
  reason: string | null;
  interval: readonly [number, number] | null;
};

function metricText({ value, reason, interval, unit }: Metric): string {
  if (value === null) return `– (${reason ?? 'no reason given'})`;
  const text = (figure: number) => (unit.startsWith('fraction') ? percent(figure) : figure.toFixed(2));
  return interval === null ? text(value) : `${text(value)} [${text(interval[0])}, ${text(interval[1])}]`;
}

function runTable(runs: readonly IndexRun[]): string {
  return table(
    runs,
    [
      { title: 'RUN', value: (row) => row.runNumber },
      { title: 'FIRST', value: (row) => row.firstDay },
      { title: 'LAST', value: (row) => row.lastDay },
      { title: 'NAMES', value: (row) => row.instrumentCount },
      { title: 'REBALANCES', value: (row) => row.rebalanceCount },
      { title: 'KNOWN AT', value: (row) => row.time.knownAt },
      { title: 'RECORDED AT', value: (row) => row.time.recordedAt },
      { title: 'DATASET', value: (row) => short(row.lineage.datasetSha256) },
      { title: 'RESULT', value: (row) => short(row.resultSha256) },
    ],
    'It was not computed yet. Do it with: touchstone index run INDEX',
  );
}

function describe(index: IndexDefinition): string {
  return facts([
    ['number', index.id],
    ['name', index.name],
    ['description', index.description],
    ['universe', index.universeName],
    ['method', index.method],
    ...Object.entries(index.parameters).map(([name, value]) => [`  ${name}`, value] as const),
    ['currency', index.currency],
    ['cost', `${index.costBasisPoints} basis points`],
    ['first day', index.firstDay],
    ['base', index.baseValue],
    ['benchmark', index.benchmarkSymbol],
    ['seen by', index.visibility],
    ['latest run', index.latestRunNumber],
    ['deleted', index.deletedAt],
  ]);
}
