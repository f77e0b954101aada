import { dayNumber } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import type { FeedBatch, FeedSeries, FeedSplit, OpenFeed, PriceFeed } from '../../src/market-data/feeds/feed.ts';
import { createFeedsService } from '../../src/market-data/feeds/feeds.service.ts';
import { createOpenFeeds, type FeedOpenerOptions } from '../../src/market-data/feeds/open-feed.ts';
import { createRefreshService } from '../../src/market-data/refresh/refresh.service.ts';
import { publishBatch, type RefreshBatchJob } from '../../src/market-data/refresh/refresh-batch.ts';
import { refreshFigures } from '../../src/market-data/refresh/refresh-figures.ts';
import { createSecretBox } from '../../src/platform/auth/secret-box.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import type { RunInThread } from '../../src/platform/compute/run-in-thread.ts';
import type { Principal } from '../../src/platform/database/database.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import { createHeldTasks, type HeldTasks } from './import-harness.ts';

export const SEVEN: Principal = { tenantId: 7, actorId: null };
export const SECRET_TEXT = 'a secret of the tests, long enough to be one';

/** A symbol's true bars in the fake vendor, by a formula: they move a little and never repeat. */
export function trueSeries(symbol: string, days: Int32Array, level = 100): FeedSeries {
  const seed = [...symbol].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const close = Float64Array.from(days, (day) => round(level * (1 + 0.02 * Math.sin(day * 1.7 + seed)) + day * 0.001));
  const open = close.map((value, i) => round(value - 0.002 * level * Math.cos(days[i]! + seed)));
  return {
    ...{ symbol, currency: 'USD', day: Int32Array.from(days), open, close },
    high: close.map((value, i) => round(Math.max(value, open[i]!) + 0.003 * level)),
    low: close.map((value, i) => round(Math.min(value, open[i]!) - 0.0025 * level)),
    volume: Float64Array.from(days, (day) => 100_000 + ((37 * day + seed) % 9_000)),
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/** A vendor in this process that tells what the test says. Replaces the network and the vendor. */
export type FakeVendor = {
  feed: PriceFeed;
  /** Changes the answer to every question from now on. */
  tell(change: (batch: FeedBatch, symbols: readonly string[], from: number, to: number) => FeedBatch): void;
  /** What one symbol's bars are, before `tell`. */
  bars(symbol: string, change: (series: FeedSeries) => FeedSeries): void;
  splits: FeedSplit[];
  questions: { symbols: readonly string[]; from: number; to: number }[];
};

export function createFakeVendor(batchSize = 4, basis: PriceFeed['basis'] = 'split_adjusted'): FakeVendor {
  let told: Parameters<FakeVendor['tell']>[0] = (batch) => batch;
  const changes = new Map<string, (series: FeedSeries) => FeedSeries>();
  const vendor: FakeVendor = {
    ...{ splits: [], questions: [] },
    tell: (change) => {
      told = change;
    },
    bars: (symbol, change) => void changes.set(symbol, change),
    feed: {
      ...{ basis, batchSize },
      async fetchBars(symbols, from, to, { signal }) {
        signal.throwIfAborted();
        vendor.questions.push({ symbols, from, to });
        const series = symbols.map((symbol) => {
          const whole = trueSeries(symbol, tradingDays('XNYS', dayNumber('2020-01-02'), to));
          const changed = changes.get(symbol)?.(whole) ?? whole;
          return between(changed, from, to);
        });
        return told({ series, gaps: [] }, symbols, from, to);
      },
      fetchSplits: async (symbols, from, to) =>
        vendor.splits.filter(({ symbol, day }) => symbols.includes(symbol) && day >= from && day <= to),
    },
  };
  return vendor;
}

/** Rows of a series on the days from one to another, both included. */
export function between(series: FeedSeries, from: number, to: number): FeedSeries {
  return pick(series, (day) => day >= from && day <= to);
}

/** Rows of a series on chosen days. */
export function pick(series: FeedSeries, isWanted: (day: number) => boolean): FeedSeries {
  const rows = Array.from(series.day.keys()).filter((row) => isWanted(series.day[row]!));
  const part = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
  return {
    ...{ symbol: series.symbol, currency: series.currency, day: Int32Array.from(rows, (row) => series.day[row]!) },
    ...{ open: part(series.open), high: part(series.high), low: part(series.low) },
    ...{ close: part(series.close), volume: part(series.volume) },
  };
}

/** The four prices of some days times a factor. */
export function scaled(
  series: FeedSeries,
  factor: number,
  isWanted: (day: number) => boolean = () => true,
): FeedSeries {
  const by = (column: Float64Array) =>
    column.map((value, row) => (isWanted(series.day[row]!) ? value * factor : value));
  return {
    ...series,
    ...{ open: by(series.open), high: by(series.high), low: by(series.low), close: by(series.close) },
  };
}

/** A database with the feed and refresh services on it; batches are published in this process. */
export async function createRefreshHarness(vendor: FakeVendor, options: Omit<FeedOpenerOptions, 'clock'> = {}) {
  const db: TestDatabase = await createTestDatabase();
  const tasks: HeldTasks = createHeldTasks(db);
  let now = Date.UTC(2024, 5, 15, 12);
  const clock: Clock = { now: () => now };
  const open = (): OpenFeed => ({
    ...{ source: { prices: vendor.feed }, credits: null },
    ...{ restsUntil: async () => null, probe: async () => null },
  });
  const openFeeds = createOpenFeeds({
    ...{ allowLoopback: true, retryDelayMs: 1, ...options, clock },
    openers: { twelvedata: open, ...options.openers },
  });
  const secretBox = createSecretBox(SECRET_TEXT);
  const feeds = createFeedsService({ refreshFigures, database: db.database, clock, secretBox, openFeeds });
  const inThread: RunInThread = async <T>(_module: URL, data: unknown, { signal }: { signal?: AbortSignal } = {}) => {
    signal?.throwIfAborted();
    // The one caller hands over a batch, and takes its outcome.
    const outcome = await publishBatch(db.database, (data as RefreshBatchJob).batch);
    return outcome as T;
  };
  const refresh = createRefreshService({
    ...{ database: db.database, connection: db.connection, tasks, clock, feeds, inThread },
  });
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven'), (8, 'eight')`);
  return {
    ...{ db, tasks, clock, feeds, refresh },
    setDay(day: string, hourUtc = 23) {
      now = Date.parse(`${day}T00:00:00Z`) + hourUtc * 3_600_000;
    },
    setNow(value: number) {
      now = value;
    },
    /** A feed of the fake vendor, with its number. */
    async addFeed(code = 'vendor', settings: { years?: number; overlapDays?: number } = {}): Promise<number> {
      const feed = await feeds.create(SEVEN, {
        ...{ feed: 'twelvedata', code, calendar: 'XNYS', currency: 'USD', key: 'a-key-of-tests', settings },
      });
      return feed.id;
    },
    /** Refreshes as the queue would; what the task told. */
    async run(sourceId: number, symbols: string[], signal?: AbortSignal): Promise<Record<string, unknown>> {
      const task = await refresh.start(SEVEN, sourceId, { symbols });
      return tasks.work(SEVEN, task.id, signal);
    },
    async count(table: string): Promise<number> {
      const { rows } = await db.migrator.query(`SELECT count(*)::int AS n FROM ${table}`);
      return rows[0].n;
    },
    /** Every row of a query, as text. */
    async rows(query: string): Promise<Record<string, unknown>[]> {
      return (await db.migrator.query(query)).rows;
    },
    /** One hash over every fact and every publication. */
    async digest(): Promise<string> {
      const { rows } = await db.migrator.query(
        `SELECT md5(string_agg(t, '|' ORDER BY t)) AS digest FROM (
           SELECT o::text AS t FROM price_observation o UNION ALL SELECT q::text FROM price_quarantine q
           UNION ALL SELECT a::text FROM corporate_action a UNION ALL SELECT p::text FROM publication p) facts`,
      );
      return rows[0].digest;
    },
    close: () => db.close(),
  };
}

export type RefreshHarness = Awaited<ReturnType<typeof createRefreshHarness>>;
