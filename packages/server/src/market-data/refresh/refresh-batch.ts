import { dayText } from '@touchstone/quant/series/day';
import type { CalendarCode } from '@touchstone/quant/series/trading-calendar';
import { sql } from 'kysely';
import type { PoolConfig } from 'pg';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { failPoint } from '../../platform/fail-point.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { FACT_TABLES } from '../facts/fact-tables.ts';
import { publishInTransaction } from '../facts/publish-run.ts';
import { dropStaging } from '../facts/staging.ts';
import { withinOne } from '../facts/within.ts';
import type { FeedGap, FeedSeries } from '../feeds/feed.ts';
import { ensureInstruments } from '../price-import/ensure-instruments.ts';
import { judgeFacts, stageFacts, type TableFact } from '../price-import/import-table.ts';
import type { Delivery, KnownAtRule, PriceBasis } from '../price-import/judge-delivery.ts';
import { insertRun } from '../price-import/price-import.repository.ts';
import { judgeForSource } from '../price-import/run-import.ts';
import { stageBars } from '../price-import/stage-bars.ts';
import { reconcile } from './reconcile.ts';
import * as repository from './refresh.repository.ts';

/** A gap with the days it is about. */
export type DatedGap = FeedGap & { from: number; to: number };

/** What one question brought, checked, and ready to be judged and stored. Plain data: it may travel to a thread. */
export type RefreshBatch = {
  principal: Principal;
  refreshId: number;
  taskId: number;
  source: { id: number; name: string; calendar: CalendarCode; currency: string; knownAtRule: KnownAtRule };
  basis: PriceBasis;
  series: readonly FeedSeries[];
  /** Splits the vendor told because a history came back at another level, and those the level itself tells. */
  splits: readonly { symbol: string; day: number; ratio: number }[];
  /** What to remember of this delivery, as sentences. */
  notes: readonly string[];
  gaps: readonly DatedGap[];
  /** Symbols that lack nothing any more. */
  filled: readonly string[];
  universeName: string | null;
  /** Our clock, EpochMs. */
  now: number;
};

/** The same for a vendor of rates or series. */
export type FactBatch = Pick<
  RefreshBatch,
  'principal' | 'refreshId' | 'taskId' | 'source' | 'gaps' | 'filled' | 'now'
> & {
  kind: 'exchange_rates' | 'macro';
  facts: readonly TableFact[];
};

/** For a thread of its own. */
export type RefreshBatchJob = { connection: PoolConfig; batch: RefreshBatch | FactBatch };

export type BatchOutcome = {
  /** Null when everything was known already. */
  runId: number | null;
  /** Symbols with an answer that was kept. */
  refreshedCount: number;
  acceptedCount: number;
  revisedCount: number;
  quarantinedCount: number;
  caseCount: number;
};

/**
 * Judges and publishes one batch in one transaction: its bars, cases, splits and gaps come into sight together or not at
 * all. Adds rows and changes none. The number of statements does not depend on the number of symbols.
 *
 * @throws NOT_POSSIBLE_NOW when the source was removed meanwhile.
 */
export async function publishBatch(database: Database, batch: RefreshBatch | FactBatch): Promise<BatchOutcome> {
  const outcome = await database.transaction(batch.principal, (tx) => publishInOne(tx, batch));
  failPoint('refresh.after-batch');
  return outcome;
}

const NOTHING: BatchOutcome = {
  ...{ runId: null, refreshedCount: 0, acceptedCount: 0, revisedCount: 0, quarantinedCount: 0, caseCount: 0 },
};

async function publishInOne(tx: Transaction, batch: RefreshBatch | FactBatch): Promise<BatchOutcome> {
  // Two refreshes of one source wait for each other: what the first has told is known to the second.
  if (!(await repository.lockFeed(tx, batch.source.id)))
    throw new ProblemError('NOT_POSSIBLE_NOW', 'The feed was removed while it was refreshed.');
  const outcome = 'facts' in batch ? await publishFacts(tx, batch) : await publishBars(tx, batch);
  await repository.closeGaps(tx, batch.source.id, batch.filled);
  await repository.openGaps(tx, batch);
  await repository.addToRefresh(tx, batch.refreshId, outcome);
  return outcome;
}

async function publishBars(tx: Transaction, batch: RefreshBatch): Promise<BatchOutcome> {
  const series = batch.series.filter(({ day }) => day.length > 0);
  const outcome = series.length === 0 ? NOTHING : await publishSeries(tx, batch, series);
  if (batch.splits.length > 0) await publishSplits(tx, batch);
  return { ...outcome, refreshedCount: series.length };
}

/** Rates or values that were not told before, to the last digit, in a run of their own. */
async function publishFacts(tx: Transaction, batch: FactBatch): Promise<BatchOutcome> {
  const within = withinOne(tx);
  const { kind, facts } = batch;
  const refreshedCount = batch.filled.length;
  if (facts.length === 0) return { ...NOTHING, refreshedCount };
  const judged = await judgeFacts(within, batch, kind, facts, () => {});
  if (judged.fresh.length === 0) return { ...NOTHING, refreshedCount };
  const runId = await insertRun(tx, {
    ...{ sourceId: batch.source.id, kind, fileName: null, taskId: batch.taskId },
    options: { refreshId: batch.refreshId },
  });
  const tables = await stageFacts(within, runId, FACT_TABLES[kind], judged.fresh);
  failPoint('refresh.after-staging');
  const days = judged.fresh.map(({ values }) => String(values.day)).sort();
  await publishInTransaction(tx, {
    ...{ runId, tables, held: null, cases: [], instrumentIds: [], contentSha256: null },
    counts: {
      ...{ rowCount: facts.length, acceptedCount: judged.fresh.length, unchangedCount: judged.unchangedCount },
      ...{ revisedCount: judged.revisedCount, quarantinedCount: 0, errorCount: judged.repeatedCount },
    },
    ...{ errors: [], priceBasis: null, fileSha256: null, note: '', reason: '' },
    ...{ firstDay: days[0] ?? null, lastDay: days.at(-1) ?? null },
  });
  await dropStaging(tx, runId);
  failPoint('refresh.before-commit');
  const { revisedCount } = judged;
  return { ...NOTHING, runId, acceptedCount: judged.fresh.length, revisedCount, refreshedCount };
}

async function publishSeries(
  tx: Transaction,
  batch: RefreshBatch,
  series: readonly FeedSeries[],
): Promise<BatchOutcome> {
  const { source, basis, now } = batch;
  const within = withinOne(tx);
  const currencies = series.map(({ currency }) => currency ?? source.currency);
  const symbols = series.map(({ symbol }) => symbol);
  const instrumentIds = await ensureInstruments(tx, symbols, currencies, source.calendar);
  const delivery = deliveryOf(series, instrumentIds);
  const judged = await judgeForSource(within, source, basis, delivery, now);
  failPoint('refresh.after-court');
  if (judged.acceptedCount === 0 && judged.quarantinedCount === 0 && judged.cases.length === 0) return NOTHING;
  const runId = await insertRun(tx, {
    ...{ sourceId: source.id, kind: 'prices', fileName: null, taskId: batch.taskId },
    ...{ options: { refreshId: batch.refreshId }, note: batch.notes.join(' ') },
  });
  const staged = await stageBars(within, runId, delivery, judged, { batchRows: Number.POSITIVE_INFINITY });
  failPoint('refresh.after-staging');
  const { acceptedCount, unchangedCount, revisedCount, quarantinedCount, cases } = judged;
  await publishInTransaction(tx, {
    ...{ runId, tables: [staged.bars], held: staged.held, cases, instrumentIds: [...instrumentIds] },
    contentSha256: staged.contentSha256,
    counts: {
      ...{ rowCount: delivery.day.length, acceptedCount, unchangedCount, revisedCount, quarantinedCount },
      errorCount: 0,
    },
    ...{ errors: [], priceBasis: basis, fileSha256: null, note: batch.notes.join(' '), reason: '' },
    firstDay: staged.firstDay === null ? null : dayText(staged.firstDay),
    lastDay: staged.lastDay === null ? null : dayText(staged.lastDay),
    universeName: batch.universeName ?? undefined,
  });
  await dropStaging(tx, runId);
  const [firstDay, lastDay] = [
    delivery.day.reduce((a, b) => Math.min(a, b)),
    delivery.day.reduce((a, b) => Math.max(a, b)),
  ];
  const disagreements = await reconcile(tx, {
    ...{ runId, source: { id: source.id, name: source.name, basis }, instrumentIds: [...instrumentIds] },
    ...{ firstDay: dayText(firstDay), lastDay: dayText(lastDay) },
  });
  failPoint('refresh.before-commit');
  const caseCount = cases.length + disagreements;
  return { runId, refreshedCount: series.length, acceptedCount, revisedCount, quarantinedCount, caseCount };
}

/** Bars side by side, symbol after symbol. A row's line is its place in the symbol's answer. */
function deliveryOf(series: readonly FeedSeries[], instrumentIds: Int32Array): Delivery {
  const offsets = new Int32Array(series.length + 1);
  series.forEach(({ day }, s) => {
    offsets[s + 1] = offsets[s]! + day.length;
  });
  const size = offsets[series.length]!;
  const [day, line] = [new Int32Array(size), new Int32Array(size)];
  const column = () => new Float64Array(size);
  const prices = { open: column(), high: column(), low: column(), close: column(), volume: column() };
  series.forEach((told, s) => {
    const at = offsets[s]!;
    day.set(told.day, at);
    for (let row = 0; row < told.day.length; row++) line[at + row] = row + 1;
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) prices[name].set(told[name], at);
  });
  return { instrumentIds, offsets, day, line, ...prices, adjClose: null, knownAt: null };
}

/** Splits the source has not told yet, known from now on. */
async function publishSplits(tx: Transaction, batch: RefreshBatch): Promise<void> {
  const { rows } = await sql<{ id: number; day: string; ratio: number }>`
    SELECT i.id, w.day, w.ratio
    FROM unnest(${batch.splits.map(({ symbol }) => symbol)}::text[], ${batch.splits.map(({ day }) => dayText(day))}::date[],
                ${batch.splits.map(({ ratio }) => ratio)}::float8[]) AS w (symbol, day, ratio)
    JOIN instrument i ON i.tenant_id = ${tx.principal.tenantId} AND i.symbol = w.symbol AND i.deleted_at IS NULL
    WHERE NOT EXISTS (
      SELECT FROM corporate_action a JOIN visible_run r ON r.run_id = a.run_id
      WHERE a.instrument_id = i.id AND a.kind = 'split' AND a.day = w.day AND r.retracted_at IS NULL)
    ORDER BY 1, 2
  `.execute(tx.query);
  if (rows.length === 0) return;
  const runId = await insertRun(tx, {
    ...{ sourceId: batch.source.id, kind: 'corporate_actions', fileName: null, taskId: batch.taskId },
    ...{ options: { refreshId: batch.refreshId }, note: batch.notes.join(' ') },
  });
  const days = rows.map(({ day }) => day).sort();
  const facts = rows.map(
    ({ id, day, ratio }, at): TableFact => ({
      ...{ table: 0, line: at + 1, declaredAt: Number.NaN },
      values: { instrument_id: id, day, kind: 'split', value: ratio },
    }),
  );
  const tables = await stageFacts(withinOne(tx), runId, FACT_TABLES.corporate_actions, facts);
  await publishInTransaction(tx, {
    ...{ runId, tables, held: null, cases: [], instrumentIds: rows.map(({ id }) => id), contentSha256: null },
    counts: {
      ...{ rowCount: facts.length, acceptedCount: facts.length, unchangedCount: 0, revisedCount: 0 },
      ...{ quarantinedCount: 0, errorCount: 0 },
    },
    ...{ errors: [], priceBasis: null, fileSha256: null, note: batch.notes.join(' '), reason: '' },
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
  });
  await dropStaging(tx, runId);
}
