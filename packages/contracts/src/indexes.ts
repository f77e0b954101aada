import { z } from 'zod';
import {
  audit,
  count,
  currency,
  day,
  fraction,
  id,
  idParam,
  instant,
  lineage,
  longText,
  name,
  page,
  pageQuery,
  sha256,
  symbol,
  timeAnswer,
  timeQuery,
  version,
  visibility,
} from './fields.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

export const method = z
  .enum(['three_pillar', 'equal_weight', 'buy_and_hold'])
  .meta({ description: 'How weights are made.', example: 'three_pillar' });
export type IndexMethod = z.infer<typeof method>;

export const methodParameters = z
  .object({
    rebalanceEveryDays: z
      .int()
      .min(1)
      .max(252)
      .default(1)
      .meta({ description: 'Trading days between rebalances.', example: 1 }),
    maxNames: z.int().min(1).max(500).default(50).meta({ example: 50 }),
    maxWeight: fraction.min(0.01).max(1).default(0.4).meta({ example: 0.4 }),
    momentumPillar: fraction.min(0).max(1).default(0.4).meta({ example: 0.4 }),
    capPillar: fraction.min(0).max(1).default(0.3).meta({ example: 0.3 }),
    riskPillar: fraction.min(0).max(1).default(0.3).meta({ example: 0.3 }),
  })
  .meta({ description: 'Only rebalanceEveryDays matters to equal_weight, nothing to buy_and_hold.' });

export const indexDefinition = audit.extend({
  id,
  tenantId: id,
  name,
  description: longText,
  universeId: id,
  universeName: name,
  method,
  parameters: methodParameters,
  currency,
  costBasisPoints: z
    .number()
    .min(0)
    .max(1000)
    .meta({ description: 'Cost of each traded unit of weight, one way. 10 means 0.10 %.', example: 10 }),
  firstDay: day.nullable().meta({ description: 'Null: as early as the data allow.' }),
  baseValue: z.number().positive().meta({ description: 'Level on the first day.', example: 100 }),
  benchmarkInstrumentId: id.nullable(),
  benchmarkSymbol: symbol.nullable(),
  visibility,
  latestRunNumber: count.nullable().meta({ description: 'Null until it was computed.' }),
  latestRunAt: instant.nullable(),
  stale: z
    .object({
      since: instant.meta({ description: 'First publication since then that touches its data.' }),
      changeCount: count.meta({ description: 'Publications and retractions since the newest version.' }),
      firstDay: day.nullable().meta({ description: 'First day they tell of.' }),
    })
    .nullable()
    .meta({
      description: 'Facts visible now have changed since the newest version; null: they have not.',
      example: null,
    }),
});
export type IndexDefinition = z.infer<typeof indexDefinition>;

const indexBody = z.object({
  name,
  description: longText.default(''),
  universeId: id,
  method: method.default('three_pillar'),
  parameters: methodParameters.prefault({}),
  currency: currency.default('USD'),
  costBasisPoints: indexDefinition.shape.costBasisPoints.default(10),
  firstDay: day.nullable().default(null),
  baseValue: indexDefinition.shape.baseValue.default(100),
  benchmarkInstrumentId: id.nullable().default(null),
  visibility: visibility.default('tenant'),
});
const indexParams = z.object({ indexId: idParam });

export const listIndexes = defineRoute({
  id: 'listIndexes',
  method: 'GET',
  path: '/indexes',
  group: 'index',
  summary: 'Indexes',
  scope: 'portfolio:read',
  cache: ['index', 'universe', 'instrument', 'run', 'case'],
  query: pageQuery.extend({ includeDeleted: z.stringbool().default(false).meta({ example: 'false' }) }),
  status: 200,
  answer: page(indexDefinition),
  problems: [],
});
export const getIndex = defineRoute({
  id: 'getIndex',
  method: 'GET',
  path: '/indexes/:indexId',
  group: 'index',
  summary: 'One index definition',
  scope: 'portfolio:read',
  cache: ['index', 'universe', 'instrument', 'run', 'case'],
  params: indexParams,
  status: 200,
  answer: indexDefinition,
  problems: ['NOT_FOUND'],
});
export const createIndex = defineRoute({
  id: 'createIndex',
  method: 'POST',
  path: '/indexes',
  group: 'index',
  summary: 'Define an index',
  scope: 'portfolio:write',
  body: indexBody,
  status: 201,
  answer: indexDefinition,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS'],
});
export const updateIndex = defineRoute({
  id: 'updateIndex',
  method: 'PATCH',
  path: '/indexes/:indexId',
  group: 'index',
  summary: 'Change a definition; runs made before keep theirs',
  scope: 'portfolio:write',
  params: indexParams,
  body: z.object({
    name: name.optional(),
    description: longText.optional(),
    universeId: id.optional(),
    method: method.optional(),
    parameters: methodParameters.optional(),
    currency: currency.optional(),
    costBasisPoints: indexDefinition.shape.costBasisPoints.optional(),
    firstDay: day.nullable().optional(),
    baseValue: indexDefinition.shape.baseValue.optional(),
    benchmarkInstrumentId: id.nullable().optional(),
    visibility: visibility.optional(),
    version,
  }),
  status: 200,
  answer: indexDefinition,
  problems: ['NOT_FOUND', 'CONFLICT', 'ALREADY_EXISTS'],
});
export const deleteIndex = defineRoute({
  id: 'deleteIndex',
  method: 'DELETE',
  path: '/indexes/:indexId',
  group: 'index',
  summary: 'Delete an index; it can be brought back',
  scope: 'portfolio:write',
  params: indexParams,
  status: 204,
  problems: ['NOT_FOUND'],
});
export const undeleteIndex = defineRoute({
  id: 'undeleteIndex',
  method: 'POST',
  path: '/indexes/:indexId/undelete',
  group: 'index',
  summary: 'Bring a deleted index back',
  scope: 'portfolio:write',
  params: indexParams,
  status: 200,
  answer: indexDefinition,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS'],
});

// ---- Runs and what they say -----------------------------------------------------------------------------------------

export const indexRun = z.object({
  indexId: id,
  runNumber: count,
  time: timeAnswer,
  lineage,
  resultSha256: sha256,
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  rebalanceCount: count,
  instrumentCount: count,
  namesWithoutCap: count.meta({ description: 'Names that had no known market cap at some rebalance; never imputed.' }),
  infeasibleCount: count.meta({ description: 'Rebalances that had no feasible weights; the index kept what it held.' }),
  suspectStepCount: count.meta({
    description: 'Price steps that look like a split nobody told of, paid as no return until their case is decided.',
  }),
  cashDays: count.meta({ description: 'Days without any candidate.' }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type IndexRun = z.infer<typeof indexRun>;

export const startIndexRun = defineRoute({
  id: 'startIndexRun',
  method: 'POST',
  path: '/indexes/:indexId/runs',
  group: 'index',
  summary: 'Compute the index in the background; makes a new version',
  scope: 'portfolio:write',
  params: indexParams,
  body: timeQuery,
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY'],
});
export const listIndexRuns = defineRoute({
  id: 'listIndexRuns',
  method: 'GET',
  path: '/indexes/:indexId/runs',
  group: 'index',
  summary: 'All versions of an index, newest first',
  scope: 'portfolio:read',
  cache: ['index', 'instrument'],
  params: indexParams,
  query: pageQuery,
  status: 200,
  answer: page(indexRun),
  problems: ['NOT_FOUND'],
});

const runChoice = timeQuery.extend({
  runNumber: idParam.optional().meta({ description: 'Default: the newest recorded at recordedAt.', example: 1 }),
});

export const indexLevels = z.object({
  time: timeAnswer,
  run: indexRun,
  currency,
  hypothetical: z.string().meta({
    description: 'The sentence that must stand beside every backtest.',
    example: 'Hypothetical: computed after the fact by fixed rules; nobody traded it.',
  }),
  survivorship: z
    .string()
    .nullable()
    .meta({ description: 'What the universe leaves out, when it is known to.', example: null }),
  days: z.array(day).meta({ example: ['2026-01-14', '2026-01-15'] }),
  level: z.array(z.number()).meta({
    description: 'Index after costs, one a day. All levels have 7 digits here; the CSV export has all.',
    example: [100, 100.4],
  }),
  levelGross: z.array(z.number()).meta({ description: 'Before costs.', example: [100, 100.41] }),
  levelNextClose: z
    .array(z.number())
    .meta({ description: 'Filled one close later, after costs.', example: [100, 100.3] }),
  equalWeight: z
    .array(z.number())
    .meta({ description: 'Equal weight of the same universe, same costs.', example: [100, 100.2] }),
  buyAndHold: z.array(z.number()).meta({ description: 'Equal weight bought once, same costs.', example: [100, 100.2] }),
  benchmark: z
    .array(z.number().nullable())
    .nullable()
    .meta({ description: 'Null without a benchmark.', example: null }),
});
export type IndexLevels = z.infer<typeof indexLevels>;

export const getIndexLevels = defineRoute({
  id: 'getIndexLevels',
  method: 'GET',
  path: '/indexes/:indexId/levels',
  group: 'index',
  summary: 'Index, baselines and benchmark up to knownAt. A later correction changes no day of a run',
  scope: 'portfolio:read',
  cache: ['index', 'instrument'],
  params: indexParams,
  query: runChoice,
  status: 200,
  answer: indexLevels,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const holding = z.object({
  instrumentId: id,
  symbol,
  name: z.string().meta({ example: 'Alder Instruments' }),
  sector: z.string().nullable().meta({ example: 'Industrials' }),
  weight: fraction.meta({ description: 'Share of the index after this rebalance.', example: 0.04 }),
  previousWeight: fraction.meta({ description: 'Drifted share just before it.', example: 0.039 }),
  momentumScore: fraction
    .nullable()
    .meta({ description: 'What momentum gave to its score; null without pillars.', example: 0.02 }),
  capScore: fraction.nullable().meta({ example: 0.03 }),
  riskScore: fraction.nullable().meta({ example: 0.02 }),
});
export const getIndexHoldings = defineRoute({
  id: 'getIndexHoldings',
  method: 'GET',
  path: '/indexes/:indexId/holdings',
  group: 'index',
  summary: 'Weights of the last rebalance known at knownAt',
  scope: 'portfolio:read',
  cache: ['index', 'instrument'],
  params: indexParams,
  query: runChoice,
  status: 200,
  answer: z.object({
    time: timeAnswer,
    runNumber: count,
    day: day.nullable(),
    status: z.string().meta({ description: 'ok, cash, or infeasible with its reason.', example: 'ok' }),
    turnover: fraction,
    cashWeight: fraction,
    items: z.array(holding),
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const metric = z.object({
  name: z.string().meta({ example: 'sharpe' }),
  label: z.string().meta({ example: 'Sharpe ratio' }),
  unit: z.string().meta({ description: 'fraction, ratio, days, fraction a year, …', example: 'ratio' }),
  definition: z
    .string()
    .meta({ example: 'Mean daily excess return over its standard deviation, times the root of 252.' }),
  value: z.number().nullable().meta({ example: 0.8 }),
  reason: z.string().nullable().meta({ description: 'Why there is no value.', example: null }),
  interval: z
    .tuple([z.number(), z.number()])
    .nullable()
    .meta({ description: '95 % circular block bootstrap, blocks of 63 days.', example: [0.3, 1.2] }),
});
export const performance = z.object({
  time: timeAnswer,
  run: indexRun,
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  costBasisPoints: z.number().meta({ example: 10 }),
  trialCount: count.meta({ description: 'Distinct trials in the ledger on this data.' }),
  hypothetical: z.string().meta({ example: 'Hypothetical: computed after the fact by fixed rules; nobody traded it.' }),
  columns: z.array(
    z.object({
      name: z
        .enum(['index', 'index_next_close', 'equal_weight', 'buy_and_hold', 'benchmark'])
        .meta({ example: 'index' }),
      label: z.string().meta({ example: 'Index' }),
      metrics: z.array(metric),
    }),
  ),
  differences: z
    .array(z.object({ against: z.string().meta({ example: 'equal_weight' }), metric }))
    .meta({ description: 'Paired, same-day differences of the index to each baseline.' }),
});
export type Performance = z.infer<typeof performance>;
export const getIndexPerformance = defineRoute({
  id: 'getIndexPerformance',
  method: 'GET',
  path: '/indexes/:indexId/performance',
  group: 'index',
  summary: 'Figures with interval, baseline, period, cost and number of trials',
  scope: 'portfolio:read',
  params: indexParams,
  query: runChoice.extend({ from: day.optional(), to: day.optional() }),
  status: 200,
  answer: performance,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW', 'NOT_ENOUGH_HISTORY'],
});
export const exportIndex = defineRoute({
  id: 'exportIndex',
  method: 'GET',
  path: '/indexes/:indexId/export',
  group: 'index',
  summary: 'Levels or holdings as CSV',
  scope: 'portfolio:read',
  params: indexParams,
  query: runChoice.extend({ what: z.enum(['levels', 'holdings']).default('levels').meta({ example: 'levels' }) }),
  gives: 'csv',
  status: 200,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

// ---- Benchmarks and strategies --------------------------------------------------------------------------------------

export const listBenchmarks = defineRoute({
  id: 'listBenchmarks',
  method: 'GET',
  path: '/benchmarks',
  group: 'benchmark',
  summary: 'Instruments an index can be held against: indexes and funds first',
  scope: 'portfolio:read',
  query: z.object({ search: z.string().max(64).optional().meta({ example: 'SPY' }) }),
  status: 200,
  answer: z.object({
    items: z.array(
      z.object({
        instrumentId: id,
        symbol,
        name: z.string().meta({ example: 'Simulated market' }),
        kind: z.string().meta({ example: 'index' }),
        firstDay: day.nullable(),
        lastDay: day.nullable(),
      }),
    ),
  }),
  problems: [],
});
export const listStrategies = defineRoute({
  id: 'listStrategies',
  method: 'GET',
  path: '/strategies',
  group: 'strategy',
  summary: 'The methods an index can use, their parameters and the verdict of the look-ahead canary',
  scope: 'portfolio:read',
  status: 200,
  answer: z.object({
    items: z.array(
      z.object({
        method,
        title: z.string().meta({ example: 'Three pillars' }),
        definition: z.string().meta({ example: 'Score = 0.4 momentum + 0.3 cap share + 0.3 inverse volatility …' }),
        methodPage: z.string().meta({ example: 'docs/methods/three-pillar-index.md' }),
        canary: z.object({
          passed: z.boolean().meta({ example: true }),
          sentence: z.string().meta({ example: 'Rewriting the future changed nothing on 40 days.' }),
        }),
      }),
    ),
  }),
  problems: [],
});
