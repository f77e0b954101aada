import path from 'node:path';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createBlastRadiusService, createCoverage, createDatasetService } from '../src/features/index.ts';
import { createCorrectionsService } from '../src/market-data/corrections/corrections.service.ts';
import { createInstrumentsService } from '../src/market-data/instruments/instruments.service.ts';
import { registerTrialDependents } from '../src/models/index.ts';
import type { Compute } from '../src/platform/compute/compute.ts';
import {
  createIndexRunService,
  createIndexService,
  createUniverseService,
  registerPortfolioDependents,
  universeQuestion,
} from '../src/portfolio/index.ts';
import { type BenchResult, type BenchServer, importFile, priceFile, startBenchServer, TENANT } from './bench-server.ts';

const ROWS = 1_000_000;
const MONTHS = 24;
const INDEX_RUNS = 3;
const CORRECTIONS = 10;
const ASKS = 5;
const GOAL_MS = 2_000;

/** In this thread: what is measured comes after the runs. */
const compute: Compute = {
  async run(worker, name, payload) {
    const functions = await import(worker.href);
    return functions[name](payload);
  },
};

/**
 * What a late correction reaches among a million bars, frozen by month and whole and computed into an index several
 * times; then the same of the delivery of all the bars. The slowest answer counts, the first one with cold manifests too.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startBenchServer();
  try {
    const { file, input } = await priceFile(server.folder, ROWS);
    const { runId } = await importFile(server, file, 'bench');
    await server.migrator.query('ANALYZE price_observation');
    const { datasetCount } = await freezeAndCompute(server, runId);
    const readCoverage = createCoverage(server.objects);
    const blastRadius = createBlastRadiusService(server.database, readCoverage);
    registerPortfolioDependents(blastRadius, readCoverage);
    registerTrialDependents(blastRadius);
    const times: number[] = [];
    for (const corrected of await correct(server, runId)) {
      for (let k = 0; k < ASKS; k++) {
        const started = performance.now();
        await blastRadius.ask(TENANT, { runId: corrected });
        times.push(performance.now() - started);
      }
    }
    const started = performance.now();
    const whole = await blastRadius.ask(TENANT, { runId });
    const wholeMs = performance.now() - started;
    if (whole.change.rowCount < 0.9 * ROWS) throw new Error(`the delivery had ${whole.change.rowCount} rows`);
    const told = `${datasetCount} datasets, ${INDEX_RUNS} index runs; ${input}`;
    return [
      result('blast-radius', Math.max(...times), `a late correction of one bar among ${told}`),
      result('blast-radius-delivery', wholeMs, `the delivery of all bars among ${told}`),
    ];
  } finally {
    await server.close();
  }
}

function result(name: string, figure: number, input: string): BenchResult {
  return {
    ...{ name, figure, unit: 'ms', peer: null, peerFigure: null, ratio: null },
    ...{ goal: `< ${GOAL_MS} ms`, met: figure < GOAL_MS, input },
  };
}

async function freezeAndCompute(server: BenchServer, runId: number): Promise<{ datasetCount: number }> {
  const { database, objects, connection } = server;
  const { rows } = await server.migrator.query('SELECT source_id FROM ingest_run WHERE id = $1', [runId]);
  const universe = await createUniverseService(database).create(TENANT, {
    ...{ name: 'All', description: '', rule: 'all_of_source', sourceId: rows[0].source_id, visibility: 'tenant' },
    members: [],
  });
  const datasets = createDatasetService(database, objects, universeQuestion);
  for (let month = 0; month < MONTHS; month++) {
    const from = dayText(dayNumber('2011-01-01') + 30 * month);
    await datasets.freeze(TENANT, { universeId: universe.id, from, to: dayText(dayNumber(from) + 29) });
  }
  await datasets.freeze(TENANT, { universeId: universe.id });
  const index = await createIndexService(database, createCoverage(objects)).create(TENANT, {
    ...{ name: 'Mine', description: '', universeId: universe.id, method: 'equal_weight', currency: 'USD' },
    parameters: {
      ...{ rebalanceEveryDays: 21, maxNames: 50, maxWeight: 0.4, momentumPillar: 0.4, capPillar: 0.3, riskPillar: 0.3 },
    },
    ...{ costBasisPoints: 10, firstDay: null, baseValue: 100, benchmarkInstrumentId: null, visibility: 'tenant' },
  });
  const runs = createIndexRunService({
    ...{ database, objects, connection, compute, codeVersion: 'bench' },
    objectsFolder: path.join(server.folder, 'objects'),
    tasks: { register: () => {}, start: () => Promise.reject(new Error('the bench runs the work itself')) },
  });
  const context = { principal: TENANT, taskId: 1, signal: new AbortController().signal, progress: () => {} };
  for (let k = 0; k < INDEX_RUNS; k++) await runs.run({ indexId: index.id, asOf: `201${5 + k}-06-30` }, context);
  return { datasetCount: MONTHS + 1 + INDEX_RUNS };
}

/** Corrects one bar of several instruments on days spread over the years; gives the runs. */
async function correct(server: BenchServer, runId: number): Promise<number[]> {
  const corrections = createCorrectionsService(server.database);
  const { items } = await createInstrumentsService(server.database).list(TENANT, { limit: 500 });
  const long = items.filter((item) => item.barCount > 2000);
  const days = Array.from(tradingDays('XNYS', dayNumber('2011-01-03'), dayNumber('2014-12-31')), dayText);
  const { rows } = await server.migrator.query('SELECT source_id FROM ingest_run WHERE id = $1', [runId]);
  const runs: number[] = [];
  for (let k = 0; k < CORRECTIONS; k++) {
    const bar = await corrections.correctBar(TENANT, {
      ...{ instrumentId: long[(k * 41) % long.length]!.id, sourceId: rows[0].source_id, day: days[k * 97]! },
      ...{ open: 10, high: 11, low: 9, close: 10, volume: 1, reason: 'bench' },
    });
    runs.push(bar.runId);
  }
  return runs;
}
