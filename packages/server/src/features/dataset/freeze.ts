import {
  loadActions,
  loadCaps,
  loadRates,
  loadSuspectSteps,
  loadTellings,
  type RateTellings,
  type ReadTime,
} from '../../market-data/index.ts';
import type { Transaction } from '../../platform/database/database.ts';
import { type Bundle, type BundleTable, writeBundle } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';

/** One instrument of a frozen question, with what does not change from day to day. */
export type FrozenInstrument = {
  id: number;
  symbol: string;
  name: string;
  sector: string | null;
  currency: string;
  /** Days of membership, inclusive; null is open. */
  firstDay: string | null;
  lastDay: string | null;
};

/** A question put to the facts. Equal questions at equal times give equal bytes, and so the same hash. */
export type DatasetQuestion = {
  kind: 'prices' | 'index-input' | 'features';
  instruments: readonly FrozenInstrument[];
  sourceId: number;
  priceBasis: string;
  calendar: string;
  from: string | null;
  to: string | null;
  /** Of kind index-input: the currency to convert to, and what the index is held against. */
  currency: string | null;
  benchmark: { instrument: FrozenInstrument; sourceId: number; priceBasis: string } | null;
};

/** Rates are told against one of these; a cross rate goes through it. */
const PIVOTS = ['EUR', 'USD'];

/**
 * Freezes every visible telling the question asks for: corrected bars come with all their tellings, so that a kernel can
 * see each day as it was known then.
 *
 * @throws ProblemError NOT_ENOUGH_HISTORY when there is no bar.
 */
export async function freezeDataset(
  tx: Transaction,
  objects: ObjectStore,
  question: DatasetQuestion,
  time: ReadTime,
): Promise<Bundle> {
  const range = { from: question.from ?? undefined, to: question.to ?? undefined };
  const ids = question.instruments.map((instrument) => instrument.id);
  if (ids.length === 0) throw new ProblemError('NOT_ENOUGH_HISTORY', 'The universe has no instruments.');
  const bars = await loadTellings(tx, { instrumentIds: ids, sourceId: question.sourceId, ...range, time });
  if (bars.rowCount === 0)
    throw new ProblemError('NOT_ENOUGH_HISTORY', 'There is no bar of this universe at that time.');
  const tables: Record<string, BundleTable> = { bars: barTable(bars) };
  if (question.kind === 'index-input') {
    const actions = await loadActions(tx, ids, time);
    tables.actions = {
      rowCount: actions.rowCount,
      columns: {
        instrument: { type: 'int32', values: actions.instrument },
        day: { type: 'date', values: actions.day },
        kind: { type: 'int32', values: actions.kind },
        value: { type: 'float64', values: actions.value },
        known_at_ms: { type: 'float64', values: actions.knownAt },
      },
    };
    const steps = await loadSuspectSteps(tx, ids, question.sourceId, time);
    tables.suspect_steps = {
      rowCount: steps.rowCount,
      columns: {
        instrument: { type: 'int32', values: steps.instrument },
        day: { type: 'date', values: steps.day },
      },
    };
    const caps = await loadCaps(tx, ids, time);
    tables.caps = {
      rowCount: caps.rowCount,
      columns: {
        instrument: { type: 'int32', values: caps.instrument },
        day: { type: 'date', values: caps.day },
        value: { type: 'float64', values: caps.value },
        known_at_ms: { type: 'float64', values: caps.knownAt },
      },
    };
    if (question.benchmark !== null) {
      const { instrument, sourceId } = question.benchmark;
      tables.benchmark = barTable(await loadTellings(tx, { instrumentIds: [instrument.id], sourceId, ...range, time }));
      const benchmarkActions = await loadActions(tx, [instrument.id], time);
      tables.benchmark_actions = {
        rowCount: benchmarkActions.rowCount,
        columns: {
          day: { type: 'date', values: benchmarkActions.day },
          kind: { type: 'int32', values: benchmarkActions.kind },
          value: { type: 'float64', values: benchmarkActions.value },
          known_at_ms: { type: 'float64', values: benchmarkActions.knownAt },
        },
      };
    }
    Object.assign(tables, await rateTables(tx, question, time));
  }
  return writeBundle(
    objects,
    { question, time: { asOf: time.asOf, knownAt: time.knownAt, recordedAt: time.recordedAt } },
    tables,
  );
}

function barTable(bars: Awaited<ReturnType<typeof loadTellings>>): BundleTable {
  return {
    rowCount: bars.rowCount,
    columns: {
      instrument: { type: 'int32', values: bars.instrument },
      day: { type: 'date', values: bars.day },
      known_at_ms: { type: 'float64', values: bars.knownAt },
      run: { type: 'int32', values: bars.run },
      open: { type: 'float64', values: bars.open },
      high: { type: 'float64', values: bars.high },
      low: { type: 'float64', values: bars.low },
      close: { type: 'float64', values: bars.close },
      volume: { type: 'float64', values: bars.volume },
    },
  };
}

/** Rates between the currencies in use, each pair as it was told: `rate_EURUSD` is dollars for a euro. */
async function rateTables(
  tx: Transaction,
  question: DatasetQuestion,
  time: ReadTime,
): Promise<Record<string, BundleTable>> {
  const target = question.currency;
  const used = new Set(question.instruments.map((instrument) => instrument.currency));
  if (question.benchmark !== null) used.add(question.benchmark.instrument.currency);
  if (target === null || (used.size === 1 && used.has(target))) return {};
  const codes = [...used.add(target)].sort();
  const tables: Record<string, BundleTable> = {};
  for (const base of [...new Set([...PIVOTS, ...codes])]) {
    for (const quote of codes) {
      if (base === quote) continue;
      const rates: RateTellings = await loadRates(tx, base, quote, time);
      if (rates.rowCount === 0) continue;
      tables[`rate_${base}${quote}`] = {
        rowCount: rates.rowCount,
        columns: {
          day: { type: 'date', values: rates.day },
          value: { type: 'float64', values: rates.value },
          known_at_ms: { type: 'float64', values: rates.knownAt },
        },
      };
    }
  }
  return tables;
}
