import type { IndexLevels, Performance } from '@touchstone/contracts/indexes';
import type { Task } from '@touchstone/contracts/tasks';
import type { MetricName } from '@touchstone/quant/evaluation/performance';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import type { PoolConfig } from 'pg';
import {
  type DatasetQuestion,
  insertMissingDataset,
  type SeriesQuery,
  type SubjectReader,
} from '../../features/index.ts';
import { findPriceSource, resolveTime, type TimeQuery } from '../../market-data/index.ts';
import { countDistinctTrials, insertTrial } from '../../models/index.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { type BundleTable, floatColumn, intColumn, readBundle, readPart } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import { definitionOf, getIndexIn } from '../index/index.service.ts';
import { findMembers } from '../universe/universe.repository.ts';
import { getUniverseIn } from '../universe/universe.service.ts';
import type { IndexSummary } from './compute-index.ts';
import { findIndexRun, insertIndexRun, listIndexRunsPage } from './index-run.repository.ts';
import type { IndexRunJob, IndexRunOutcome, PerformanceJob, PerformanceOutcome } from './index-run.worker.ts';

export const INDEX_RUN_TASK = 'portfolio.index-run.run';

export type IndexRunService = ReturnType<typeof createIndexRunService>;

export type IndexRunParts = {
  database: Database;
  objects: ObjectStore;
  objectsFolder: string;
  /** How a worker reaches the database as the application. */
  connection: PoolConfig;
  compute: Compute;
  tasks: Tasks;
  codeVersion: string;
};

const WORKER = new URL('./index-run.worker.ts', import.meta.url);
/** Seed of the intervals; in the lineage of every figure. */
const SEED = 1;
const RESULTS_KEPT = 16;
const PERFORMANCES_KEPT = 200;

const HYPOTHETICAL =
  'Hypothetical: computed after the fact by fixed rules on prices as they were known each day; nobody traded it, and costs are an estimate.';
const SURVIVORSHIP =
  'The universe holds only what its source delivered. Where that is today’s survivors, every figure here is flattered.';

type LevelsTable = { result: Record<'levels' | 'holdings' | 'rebalances', BundleTable>; summary: IndexSummary };

export function createIndexRunService(parts: IndexRunParts) {
  const { database, objects, compute, tasks, codeVersion } = parts;
  const results = createRecent<LevelsTable>(RESULTS_KEPT);
  const performances = createRecent<PerformanceOutcome>(PERFORMANCES_KEPT);

  const loadResult = (sha256: string) =>
    results.get(sha256, async () => {
      const bundle = await readBundle(objects, sha256);
      const [levels, holdings, rebalances] = await Promise.all(
        ['levels', 'holdings', 'rebalances'].map((name) => readPart(objects, bundle, name)),
      );
      const summary: IndexSummary = JSON.parse(JSON.stringify(bundle.about.summary));
      return { result: { levels: levels!, holdings: holdings!, rebalances: rebalances! }, summary };
    });

  /** The run asked for and how many of its rows were known at the time asked for. */
  async function open(tx: Transaction, indexId: number, choice: TimeQuery & { runNumber?: number | undefined }) {
    const index = await getIndexIn(tx, indexId);
    const run = await findIndexRun(tx, indexId, choice);
    if (run === undefined)
      throw new ProblemError('NOT_POSSIBLE_NOW', `${index.name} was not computed yet. Start a run first.`);
    const knownAt = choice.knownAt ?? run.time.knownAt;
    const asOf = choice.asOf ?? knownAt.slice(0, 10);
    const { result, summary } = await loadResult(run.resultSha256);
    const rowCount = countKnownRows(result.levels, knownAt, asOf);
    const start = summary.firstDay === null ? 0 : firstRow(result.levels, summary.firstDay);
    const time = {
      asOf: [asOf, run.time.asOf].sort()[0]!,
      knownAt: new Date(knownAt).toISOString(),
      recordedAt: run.time.recordedAt,
      reconstructed: run.time.reconstructed && Date.parse(knownAt) < Date.parse(run.createdAt),
    };
    return { index, run, result, summary, rows: { from: Math.min(start, rowCount), to: rowCount }, time };
  }

  const inTransaction = <T>(principal: Principal, work: (tx: Transaction) => Promise<T>) =>
    database.transaction(principal, work);

  return {
    /** Queues a run of the index at the times asked for. */
    start: (principal: Principal, indexId: number, asked: TimeQuery): Promise<Task> =>
      inTransaction(principal, async (tx) => {
        const index = await getIndexIn(tx, indexId);
        if (index.tenantId !== principal.tenantId) {
          throw new ProblemError(
            'FORBIDDEN',
            `${index.name} belongs to the system. Make an index of your own over its universe.`,
          );
        }
        return tasks.start(tx, {
          kind: INDEX_RUN_TASK,
          title: `Compute ${index.name}`,
          input: { indexId, ...JSON.parse(JSON.stringify(asked)) },
        });
      }),

    /** The work behind a run: freeze, compute in a worker, record. Safe to run twice: it makes one more version. */
    async run(input: TaskInput, context: TaskContext): Promise<Record<string, unknown>> {
      const { principal } = context;
      const indexId = Number(input.indexId);
      context.progress(0.05, 'Choosing what to freeze');
      const { job, index } = await inTransaction(principal, async (tx) => {
        const index = await getIndexIn(tx, indexId);
        const time = await resolveTime(tx, timesOf(input));
        const question = await questionOf(tx, index);
        const definition = definitionOf(index);
        const job: IndexRunJob = {
          connection: parts.connection,
          objectsFolder: parts.objectsFolder,
          principal,
          question,
          time,
          definition,
        };
        return { job, index };
      });
      context.progress(0.1, `Computing over ${job.question.instruments.length} instruments`);
      const trial = {
        kind: 'index-run',
        name: index.name,
        parameters: { definition: definitionOf(index), time: job.time },
        codeVersion,
        seed: SEED,
      };
      const outcome = await compute
        .run<IndexRunOutcome>(WORKER, 'runIndexJob', job, { signal: context.signal })
        .catch(async (error: unknown) => {
          // A failed try is a try: the ledger counts it.
          const reason = error instanceof Error ? error.message : String(error);
          await inTransaction(principal, (tx) =>
            insertTrial(tx, { ...trial, datasetSha256: null, outcome: 'failed', result: { reason } }),
          );
          throw error;
        });
      context.progress(0.95, 'Recording');
      return inTransaction(principal, async (tx) => {
        const { dataset, summary, resultSha256 } = outcome;
        const query = { indexId, universeId: index.universeId, sourceId: job.question.sourceId };
        await insertMissingDataset(tx, 'index-input', query, dataset, job.time);
        const trialId = await insertTrial(tx, {
          ...trial,
          datasetSha256: dataset.sha256,
          outcome: 'finished',
          result: { ...summary, resultSha256 },
        });
        const runNumber = await insertIndexRun(tx, {
          indexId,
          definition: definitionOf(index),
          datasetSha256: dataset.sha256,
          time: job.time,
          codeVersion,
          seed: SEED,
          trialId,
          summary,
          resultSha256,
        });
        await tx.query
          .insertInto('outbox_event')
          .values({
            tenant_id: principal.tenantId,
            name: 'index.computed',
            payload: JSON.stringify({ indexId, runNumber }),
          })
          .execute();
        await appendEvidence(tx, {
          kind: 'index.computed',
          subjectKind: 'index',
          subjectId: indexId,
          body: {
            runNumber,
            datasetSha256: dataset.sha256,
            resultSha256,
            trialId,
            codeVersion,
            seed: SEED,
            time: job.time,
          },
        });
        return { indexId, runNumber, datasetSha256: dataset.sha256, resultSha256, ...summary };
      });
    },

    runs: (principal: Principal, indexId: number, page: { before: number | undefined; limit: number }) =>
      inTransaction(principal, async (tx) => {
        await getIndexIn(tx, indexId);
        return listIndexRunsPage(tx, indexId, page);
      }),

    levels: (principal: Principal, indexId: number, choice: TimeQuery & { runNumber?: number }): Promise<IndexLevels> =>
      inTransaction(principal, async (tx) => {
        const { run, result, rows, time } = await open(tx, indexId, choice);
        const { definition, ...about } = run;
        const series = (name: string) => [...floatColumn(result.levels, name).subarray(rows.from, rows.to)];
        return {
          time,
          run: about,
          currency: definition.currency,
          hypothetical: HYPOTHETICAL,
          survivorship: SURVIVORSHIP,
          days: daysOf(result.levels, rows),
          level: series('level'),
          levelGross: series('level_gross'),
          levelNextClose: series('level_next_close'),
          equalWeight: series('equal_weight'),
          buyAndHold: series('buy_and_hold'),
          benchmark: result.levels.columns.benchmark
            ? series('benchmark').map((value) => (Number.isNaN(value) ? null : value))
            : null,
        };
      }),

    /** The levels as the series of a subject: what is computed from an instrument's bars can be from an index. */
    readSeries: async (tx: Transaction, indexId: number, query: SeriesQuery): ReturnType<SubjectReader> => {
      const { index, run, result, rows, time } = await open(tx, indexId, query);
      const from = query.from === undefined ? rows.from : Math.max(rows.from, firstRow(result.levels, query.from));
      const cut = { from: Math.min(from, rows.to), to: rows.to };
      const close = floatColumn(result.levels, 'level').slice(cut.from, cut.to);
      const none = () => new Float64Array(close.length).fill(Number.NaN);
      return {
        subject: { id: indexId, symbol: null, name: index.name, currency: run.definition.currency },
        time,
        bars: {
          day: intColumn(result.levels, 'day').slice(cut.from, cut.to),
          ...{ open: none(), high: none(), low: none(), close, volume: none() },
        },
        hasRange: false,
        basis: 'level',
        suspectDays: new Int32Array(0),
      };
    },

    holdings: (principal: Principal, indexId: number, choice: TimeQuery & { runNumber?: number }) =>
      inTransaction(principal, async (tx) => {
        const { run, result, rows, time } = await open(tx, indexId, choice);
        const rebalance = lastIndex(intColumn(result.rebalances, 'row'), rows.to);
        if (rebalance < 0) {
          return {
            time,
            runNumber: run.runNumber,
            day: null,
            status: 'before the first day',
            turnover: 0,
            cashWeight: 1,
            items: [],
          };
        }
        const row = intColumn(result.rebalances, 'row')[rebalance]!;
        const items = holdingsAt(result.holdings, row);
        const names = await tx.query
          .selectFrom('instrument')
          .select(['id', 'symbol', 'name', 'sector'])
          .where('id', 'in', [-1, ...items.map((item) => item.instrumentId)])
          .execute();
        const nameOf = new Map(names.map((name) => [name.id, name]));
        return {
          time,
          runNumber: run.runNumber,
          day: dayText(intColumn(result.levels, 'day')[row]!),
          status: ['ok', 'cash', 'infeasible'][intColumn(result.rebalances, 'status')[rebalance]!] ?? 'ok',
          turnover: floatColumn(result.rebalances, 'turnover')[rebalance]!,
          cashWeight: Math.max(0, floatColumn(result.rebalances, 'cash')[rebalance]!),
          items: items
            .map((item) => {
              const instrument = nameOf.get(item.instrumentId);
              return {
                ...item,
                symbol: instrument?.symbol ?? String(item.instrumentId),
                name: instrument?.name ?? '',
                sector: instrument?.sector ?? null,
              };
            })
            .sort((a, b) => b.weight - a.weight || b.previousWeight - a.previousWeight),
        };
      }),

    /** Figures with intervals, each beside its baselines, over the days known at the time asked for. */
    async performance(
      principal: Principal,
      indexId: number,
      choice: TimeQuery & { runNumber?: number; from?: string; to?: string },
    ): Promise<Performance> {
      const { opened, trialCount } = await inTransaction(principal, async (tx) => {
        const opened = await open(tx, indexId, choice);
        return { opened, trialCount: await countDistinctTrials(tx, opened.run.lineage.datasetSha256) };
      });
      const { run, result, time } = opened;
      const rows = { ...opened.rows };
      if (choice.from !== undefined) rows.from = Math.max(rows.from, firstRow(result.levels, choice.from));
      if (choice.to !== undefined) rows.to = Math.min(rows.to, firstRow(result.levels, choice.to, 1));
      if (rows.to - rows.from < 2)
        throw new ProblemError('NOT_ENOUGH_HISTORY', 'There are fewer than two days to measure.');
      const job: PerformanceJob = {
        seed: run.lineage.seed,
        columns: COLUMNS.filter((column) => result.levels.columns[column.column]).map((column) => ({
          name: column.name,
          returns: simpleReturns(floatColumn(result.levels, column.column).subarray(rows.from, rows.to)),
        })),
        benchmark: result.levels.columns.benchmark ? 'benchmark' : null,
      };
      const key = `${run.resultSha256}/${rows.from}/${rows.to}`;
      const outcome = await performances.get(key, () =>
        compute.run<PerformanceOutcome>(WORKER, 'computePerformanceTable', job),
      );
      const days = daysOf(result.levels, rows);
      const { definition, ...about } = run;
      return {
        time,
        run: about,
        firstDay: days[0] ?? null,
        lastDay: days.at(-1) ?? null,
        costBasisPoints: definition.costBasisPoints,
        trialCount,
        hypothetical: HYPOTHETICAL,
        columns: outcome.columns.map(({ name, metrics }) => {
          const column = COLUMNS.find((candidate) => candidate.name === name) ?? COLUMNS[0];
          return {
            name: column.name,
            label: column.label,
            metrics: metrics.map((metric) => ({ ...metric, label: METRIC_LABELS[metric.name] })),
          };
        }),
        differences: outcome.differences.map(({ against, metric }) => ({
          against,
          metric: { ...metric, label: METRIC_LABELS[metric.name] },
        })),
      };
    },
  };
}

const COLUMNS = [
  { name: 'index', label: 'Index', column: 'level' },
  { name: 'index_next_close', label: 'Filled at the next close', column: 'level_next_close' },
  { name: 'equal_weight', label: 'Equal weight', column: 'equal_weight' },
  { name: 'buy_and_hold', label: 'Buy and hold', column: 'buy_and_hold' },
  { name: 'benchmark', label: 'Benchmark', column: 'benchmark' },
] as const;

const METRIC_LABELS: Record<MetricName, string> = {
  totalReturn: 'Total return',
  annualReturn: 'Return a year',
  annualVolatility: 'Volatility a year',
  sharpe: 'Sharpe ratio',
  sortino: 'Sortino ratio',
  downsideDeviation: 'Downside deviation a year',
  maxDrawdown: 'Maximum drawdown',
  maxDrawdownDays: 'Longest drawdown',
  calmar: 'Calmar ratio',
  skewness: 'Skewness',
  excessKurtosis: 'Excess kurtosis',
  hitRate: 'Share of days up',
  valueAtRisk95: 'Value at risk, 95 %, one day',
  expectedShortfall95: 'Expected shortfall, 95 %, one day',
  beta: 'Beta',
  alpha: 'Regression alpha a year',
  trackingError: 'Tracking error a year',
  informationRatio: 'Information ratio',
  annualDifference: 'Return difference a year',
};

/** What is frozen for an index: its universe's members and source, and its benchmark's. */
async function questionOf(tx: Transaction, index: Awaited<ReturnType<typeof getIndexIn>>): Promise<DatasetQuestion> {
  const universe = await universeQuestion(tx, index.universeId);
  const benchmark = index.benchmarkInstrumentId === null ? null : await benchmarkOf(tx, index.benchmarkInstrumentId);
  return { kind: 'index-input', ...universe, from: null, to: null, currency: index.currency, benchmark };
}

/** What is frozen of a universe. Also the answer to the dataset service, which may not look downstream. */
export async function universeQuestion(
  tx: Transaction,
  universeId: number,
): Promise<Pick<DatasetQuestion, 'instruments' | 'sourceId' | 'priceBasis' | 'calendar'>> {
  const universe = await getUniverseIn(tx, universeId);
  const members = await findMembers(tx, universe);
  const source = await tx.query
    .selectFrom('source')
    .select(['price_basis', 'calendar'])
    .where('id', '=', universe.sourceId)
    .executeTakeFirst();
  const { price_basis: priceBasis, calendar } = found(source, `There is no source ${universe.sourceId}.`);
  return {
    instruments: members.map(({ instrumentId, ...member }) => ({ id: instrumentId, ...member })),
    sourceId: universe.sourceId,
    priceBasis: priceBasis ?? 'raw',
    calendar,
  };
}

async function benchmarkOf(tx: Transaction, instrumentId: number): Promise<DatasetQuestion['benchmark']> {
  const instrument = found(
    await tx.query
      .selectFrom('instrument')
      .select(['id', 'symbol', 'name', 'sector', 'currency'])
      .where('id', '=', instrumentId)
      .executeTakeFirst(),
    `There is no instrument ${instrumentId}.`,
  );
  const source = await findPriceSource(tx, instrumentId);
  if (source === undefined) return null;
  return {
    instrument: { ...instrument, firstDay: null, lastDay: null },
    sourceId: source.id,
    priceBasis: source.priceBasis ?? 'raw',
  };
}

function timesOf(input: TaskInput): TimeQuery {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { asOf: text(input.asOf), knownAt: text(input.knownAt), recordedAt: text(input.recordedAt) };
}

/** Rows whose level was known, and whose day is not after `asOf`: days ascend, so it is a prefix. */
function countKnownRows(levels: BundleTable, knownAt: string, asOf: string): number {
  const known = floatColumn(levels, 'known_at_ms');
  const limit = Date.parse(knownAt);
  let count = firstRow(levels, asOf, 1);
  while (count > 0 && known[count - 1]! > limit) count--;
  return count;
}

/** The first row whose day is at or after the given day plus `after` days. */
function firstRow(levels: BundleTable, day: string, after = 0): number {
  const wanted = dayNumber(day) + after;
  const days = intColumn(levels, 'day');
  const row = days.findIndex((number) => number >= wanted);
  return row < 0 ? days.length : row;
}

function daysOf(levels: BundleTable, rows: { from: number; to: number }): string[] {
  return Array.from(intColumn(levels, 'day').subarray(rows.from, rows.to), dayText);
}

function lastIndex(rows: Int32Array, below: number): number {
  let last = rows.length - 1;
  while (last >= 0 && rows[last]! >= below) last--;
  return last;
}

function holdingsAt(holdings: BundleTable, row: number) {
  const rows = intColumn(holdings, 'row');
  const score = (name: string, k: number) => {
    const value = floatColumn(holdings, name)[k]!;
    return Number.isNaN(value) ? null : value;
  };
  const items = [];
  for (let k = rows.indexOf(row); k >= 0 && k < rows.length && rows[k] === row; k++) {
    items.push({
      instrumentId: intColumn(holdings, 'instrument')[k]!,
      weight: floatColumn(holdings, 'weight')[k]!,
      previousWeight: floatColumn(holdings, 'previous_weight')[k]!,
      momentumScore: score('momentum_score', k),
      capScore: score('cap_score', k),
      riskScore: score('risk_score', k),
    });
  }
  return items;
}

function simpleReturns(levels: Float64Array): Float64Array {
  return Float64Array.from({ length: Math.max(0, levels.length - 1) }, (_, t) => levels[t + 1]! / levels[t]! - 1);
}
