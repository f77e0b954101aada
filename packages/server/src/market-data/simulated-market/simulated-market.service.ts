import { dayText } from '@touchstone/quant/series/day';
import { holidays } from '@touchstone/quant/series/trading-calendar';
import type { SimulatedMarket } from '@touchstone/quant/simulate/market-simulator';
import type { PoolConfig } from 'pg';
import type { Clock } from '../../platform/clock/clock.ts';
import { runInThread } from '../../platform/compute/run-in-thread.ts';
import { type Database, SYSTEM_PRINCIPAL } from '../../platform/database/database.ts';
import { canonicalJson } from '../../platform/evidence/canonical-json.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { FACT_TABLES, type RunKind } from '../facts/fact-tables.ts';
import type { PriceBasis } from '../facts/price-source.ts';
import { type PublishPlan, publishRun } from '../facts/publish-run.ts';
import { dropStaging } from '../facts/staging.ts';
import { withinOwn } from '../facts/within.ts';
import { stageFacts, type TableFact } from '../price-import/import-table.ts';
import type { Delivery } from '../price-import/judge-delivery.ts';
import { ensureSource, insertRun, type SourceRow } from '../price-import/price-import.repository.ts';
import { judgeForSource } from '../price-import/run-import.ts';
import { stageBars } from '../price-import/stage-bars.ts';
import * as repository from './simulated-market.repository.ts';
import { simulatedTruth, truthRecord } from './simulated-settings.ts';

const WORKER = new URL('./simulated-market-worker.ts', import.meta.url);

export type SimulatedMarketDeps = { database: Database; objects: ObjectStore; clock: Clock };

export const SOURCE = 'simulated-market';
/** The index has a source of its own: it is a total return, and no member of a universe of companies. */
const INDEX_SOURCE = 'simulated-index';
const STEPS = ['listings', 'corporate-actions', 'prices', 'corrections', 'market-caps', 'holidays', 'index'] as const;
type Step = (typeof STEPS)[number];
const LOCK = 7420011;
const MS_PER_DAY = 86_400_000;
/** Closings that were not planned were told a few days ahead at the least. */
const HOLIDAY_NOTICE_DAYS = 3;

/**
 * Loads the simulated market into the system tenant, through the same path as any file: judged, staged, published.
 *
 * Each step is a run of its own. A start that was interrupted goes on with the first step that is not published; with all
 * published it returns after one query. Two servers that start at once load it once.
 */
export async function ensureSimulatedMarket(deps: SimulatedMarketDeps): Promise<{ loaded: Step[] }> {
  if ((await findMissing(deps.database)).length === 0) return { loaded: [] };
  const lock = await deps.database.pool.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [LOCK]);
    const missing = await findMissing(deps.database);
    if (missing.length > 0) await load(deps, missing);
    return { loaded: missing };
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {});
    lock.release();
  }
}

/** The same in a thread of its own, unless there is nothing to do: a first start leaves no heap behind. */
export async function loadSimulatedMarket(deps: {
  database: Database;
  /** How the thread reaches the database as the application. */
  connection: PoolConfig;
  objectsFolder: string;
}): Promise<{ loaded: string[] }> {
  const { database, connection, objectsFolder } = deps;
  if ((await findMissing(database)).length === 0) return { loaded: [] };
  return runInThread<{ loaded: string[] }>(WORKER, { connection, objectsFolder });
}

async function findMissing(database: Database): Promise<Step[]> {
  const published = await database.transaction(
    SYSTEM_PRINCIPAL,
    (tx) => repository.findPublishedSteps(tx, [SOURCE, INDEX_SOURCE]),
    { readOnly: true },
  );
  return STEPS.filter((step) => !published.has(step));
}

type Loading = SimulatedMarketDeps & {
  market: SimulatedMarket;
  source: SourceRow;
  indexSource: SourceRow;
  /** By the market's instrument index. */
  ids: Int32Array;
  indexId: number;
};

async function load(deps: SimulatedMarketDeps, missing: readonly Step[]): Promise<void> {
  const market = simulatedTruth();
  await keepTruth(deps, market);
  const loading = await deps.database.transaction(SYSTEM_PRINCIPAL, async (tx): Promise<Loading> => {
    const common = { kind: 'simulator', calendar: 'XNYS', currency: 'USD', knownAtRule: 'declared_in_data' };
    const source = await ensureSource(tx, { ...common, code: SOURCE, name: 'Simulated market' });
    const indexSource = await ensureSource(tx, { ...common, code: INDEX_SOURCE, name: 'Simulated market index' });
    const { instrument } = market.benchmark;
    const ids = await repository.ensureNamedInstruments(tx, [
      ...latestNames(market),
      { ...instrument, kind: 'index', sector: instrument.sector },
    ]);
    return { ...deps, market, source, indexSource, ids: Int32Array.from(ids.slice(0, -1)), indexId: ids.at(-1)! };
  });
  for (const step of missing) await LOADERS[step](loading);
}

/** Companies under the last symbol they had; the earlier ones are listing events. */
function latestNames(market: SimulatedMarket): repository.NewInstrument[] {
  return market.instruments.map(({ symbol, name, sector, currency, calendar }, index) => {
    const renamed = market.listingEvents.findLast(
      (event) => event.instrumentIndex === index && event.kind === 'renamed',
    );
    return {
      symbol: renamed?.symbol ?? symbol,
      name: renamed?.name ?? name,
      kind: 'equity',
      sector,
      currency,
      calendar,
    };
  });
}

/** What was planted is kept before anything is judged by it, under a hash that the evidence tells. */
async function keepTruth({ database, objects }: SimulatedMarketDeps, market: SimulatedMarket): Promise<void> {
  const stored = await objects.put(Buffer.from(canonicalJson(truthRecord(market))));
  await database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
    if ((await repository.findTruthSha256(tx)) !== undefined) return;
    await appendEvidence(tx, {
      kind: 'simulation.planted',
      subjectKind: 'source',
      subjectId: SOURCE,
      body: { truthSha256: stored.sha256, seed: market.seed, faultCount: market.truth.faults.length },
    });
  });
}

const LOADERS: Record<Step, (loading: Loading) => Promise<void>> = {
  listings: (loading) =>
    loadFacts(loading, 'listings', 'listings', (market, ids) =>
      market.listingEvents.map(({ instrumentIndex, kind, day, symbol, knownAt }) =>
        fact(knownAt, { instrument_id: ids[instrumentIndex]!, day: dayText(day), kind, symbol, calendar: 'XNYS' }),
      ),
    ),
  'corporate-actions': (loading) =>
    loadFacts(loading, 'corporate-actions', 'corporate_actions', (market, ids) =>
      market.corporateActions.map(({ instrumentIndex, kind, exDay, value, knownAt }) =>
        fact(knownAt, { instrument_id: ids[instrumentIndex]!, day: dayText(exDay), kind, value }),
      ),
    ),
  prices: (loading) => loadBars(loading, 'prices', loading.source, 'raw', observedBars(loading), 'Simulated market'),
  corrections: (loading) => loadBars(loading, 'corrections', loading.source, 'raw', correctedBars(loading)),
  'market-caps': (loading) =>
    loadFacts(loading, 'market-caps', 'market_caps', (market, ids) =>
      market.marketCaps.map(({ instrumentIndex, day, cap, knownAt }) =>
        fact(knownAt, { instrument_id: ids[instrumentIndex]!, day: dayText(day), value: cap }),
      ),
    ),
  holidays: (loading) =>
    loadFacts(loading, 'holidays', 'holidays', (market) =>
      holidays('XNYS', market.day[0]!, market.day.at(-1)!).map(({ day, kind, name }) =>
        fact((day - HOLIDAY_NOTICE_DAYS) * MS_PER_DAY, { calendar: 'XNYS', day: dayText(day), kind, name }),
      ),
    ),
  index: (loading) => loadBars(loading, 'index', loading.indexSource, 'total_return', indexBars(loading)),
};

function fact(declaredAt: number, values: TableFact['values']): TableFact {
  return { table: 0, line: 0, declaredAt, values };
}

async function beginRun({ database }: Loading, source: SourceRow, kind: RunKind, step: Step): Promise<number> {
  return database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
    const left = await repository.findUnpublishedRun(tx, source.id, step);
    if (left !== undefined) await dropStaging(tx, left);
    return left ?? insertRun(tx, { sourceId: source.id, kind, fileName: null, options: { step } });
  });
}

async function loadFacts(
  loading: Loading,
  step: Step,
  kind: RunKind,
  factsOf: (market: SimulatedMarket, ids: Int32Array) => TableFact[],
): Promise<void> {
  const { database, market, ids, source } = loading;
  const runId = await beginRun(loading, source, kind, step);
  const facts = factsOf(market, ids);
  const tables = await stageFacts(withinOwn(database, SYSTEM_PRINCIPAL), runId, FACT_TABLES[kind], facts);
  const days = facts.map(({ values }) => String(values.day)).sort();
  await publishRun(database, SYSTEM_PRINCIPAL, {
    ...EMPTY_PLAN,
    runId,
    tables,
    instrumentIds: kind === 'holidays' ? [] : [...ids],
    counts: { ...EMPTY_PLAN.counts, rowCount: facts.length, acceptedCount: facts.length },
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
  });
}

async function loadBars(
  loading: Loading,
  step: Step,
  source: SourceRow,
  basis: PriceBasis,
  delivery: Delivery,
  universeName?: string,
): Promise<void> {
  const { database, clock } = loading;
  const runId = await beginRun(loading, source, 'prices', step);
  const about = { id: source.id, calendar: 'XNYS' as const, knownAtRule: 'declared_in_data' as const };
  const within = withinOwn(database, SYSTEM_PRINCIPAL);
  const judged = await judgeForSource(within, about, basis, delivery, clock.now());
  const staged = await stageBars(within, runId, delivery, judged);
  const { acceptedCount, unchangedCount, revisedCount, quarantinedCount, cases } = judged;
  await publishRun(database, SYSTEM_PRINCIPAL, {
    ...EMPTY_PLAN,
    runId,
    tables: [staged.bars],
    held: staged.held,
    cases,
    instrumentIds: [...delivery.instrumentIds],
    contentSha256: staged.contentSha256,
    counts: {
      rowCount: delivery.day.length,
      acceptedCount,
      unchangedCount,
      revisedCount,
      quarantinedCount,
      errorCount: 0,
    },
    firstDay: staged.firstDay === null ? null : dayText(staged.firstDay),
    lastDay: staged.lastDay === null ? null : dayText(staged.lastDay),
    priceBasis: basis,
    universeName,
  });
}

const EMPTY_PLAN: PublishPlan = {
  runId: 0,
  tables: [],
  held: null,
  cases: [],
  instrumentIds: [],
  contentSha256: null,
  counts: { rowCount: 0, acceptedCount: 0, unchangedCount: 0, revisedCount: 0, quarantinedCount: 0, errorCount: 0 },
  errors: [],
  firstDay: null,
  lastDay: null,
  priceBasis: null,
  fileSha256: null,
  note: 'Simulated; no real company is meant.',
  reason: '',
};

// ---- Bars of the market as deliveries ---------------------------------------------------------------------------------

function emptyDelivery(instrumentIds: Int32Array, counts: readonly number[]): Delivery & { knownAt: Float64Array } {
  const offsets = new Int32Array(counts.length + 1);
  counts.forEach((count, i) => {
    offsets[i + 1] = offsets[i]! + count;
  });
  const size = offsets[counts.length]!;
  return {
    instrumentIds,
    offsets,
    day: new Int32Array(size),
    line: new Int32Array(size),
    open: new Float64Array(size),
    high: new Float64Array(size),
    low: new Float64Array(size),
    close: new Float64Array(size),
    volume: new Float64Array(size),
    adjClose: null,
    knownAt: new Float64Array(size),
  };
}

function observedBars({ market, ids }: Loading): Delivery {
  const delivery = emptyDelivery(
    ids,
    market.observed.map(({ bars }) => bars.day.length),
  );
  market.observed.forEach(({ bars, knownAt }, i) => {
    const at = delivery.offsets[i]!;
    for (const name of ['day', 'open', 'high', 'low', 'close', 'volume'] as const) delivery[name].set(bars[name], at);
    delivery.knownAt.set(knownAt, at);
  });
  return delivery;
}

function correctedBars({ market, ids }: Loading): Delivery {
  const perInstrument = market.instruments.map((_, index) =>
    market.corrections.filter((one) => one.instrumentIndex === index).sort((a, b) => a.day - b.day),
  );
  const delivery = emptyDelivery(
    ids,
    perInstrument.map((list) => list.length),
  );
  perInstrument.flat().forEach((correction, row) => {
    for (const name of ['day', 'open', 'high', 'low', 'close', 'volume', 'knownAt'] as const)
      delivery[name][row] = correction[name];
  });
  return delivery;
}

function indexBars({ market, indexId }: Loading): Delivery {
  const { bars, knownAt } = market.benchmark;
  return {
    ...bars,
    instrumentIds: Int32Array.of(indexId),
    offsets: Int32Array.of(0, bars.day.length),
    line: new Int32Array(bars.day.length),
    adjClose: null,
    knownAt,
  };
}
