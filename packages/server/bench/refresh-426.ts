import { randomBytes } from 'node:crypto';
import { createCredits } from '../src/market-data/feeds/credits/credits.ts';
import type { FeedContext, PriceFeed } from '../src/market-data/feeds/feed.ts';
import { createFeedsService } from '../src/market-data/feeds/feeds.service.ts';
import { createOpenFeeds } from '../src/market-data/feeds/open-feed.ts';
import { createTwelveDataFeed, createVendorPolicies } from '../src/market-data/feeds/twelvedata/index.ts';
import { createRefreshService } from '../src/market-data/refresh/refresh.service.ts';
import { publishBatch, type RefreshBatchJob } from '../src/market-data/refresh/refresh-batch.ts';
import { refreshFigures } from '../src/market-data/refresh/refresh-figures.ts';
import { createSecretBox } from '../src/platform/auth/secret-box.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { type RunInThread, runInThread } from '../src/platform/compute/run-in-thread.ts';
import { createDatabase, type Database } from '../src/platform/database/database.ts';
import { startVendorDouble, type VendorDouble } from '../test/vendor-double/vendor-double.ts';
import { type BenchResult, type BenchServer, startBenchServer, TENANT, waitingTasks } from './bench-server.ts';

const SYMBOLS = 426;
const YEARS = 5;
const GOAL_SECONDS = 30;
/** More than the questions of a run cost, so that none waits for a minute. */
const CREDITS = 100_000;
const secretBox = createSecretBox(randomBytes(32).toString('hex'));

/**
 * The first refresh of 426 symbols with five years each from the vendor's double: asked, judged, published in batches.
 * What passes inside the questions to the vendor is measured and taken off. Beside it the number of statements one batch
 * takes, with few and with many symbols.
 *
 * @public
 */
export async function run(symbolCount: number = SYMBOLS): Promise<BenchResult[]> {
  const symbols = Array.from({ length: symbolCount }, (_, i) => `SYM${i}`);
  const server = await startBenchServer();
  const day = (ago: number) => new Date(systemClock.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const double = await startVendorDouble({
    ...{ seed: 426, symbols, firstDay: day(YEARS * 366), lastDay: day(0) },
    ...{ minuteLimit: CREDITS, dayLimit: CREDITS },
  });
  try {
    const { seconds, vendorSeconds, bars } = await refresh(server, double, symbols);
    const few = await countStatements(server, double, symbols.slice(0, 5), 'few');
    const many = await countStatements(server, double, symbols.slice(0, 50), 'many');
    const own = seconds - vendorSeconds;
    const input = `${symbolCount} symbols x ${YEARS} years, ${bars.toLocaleString('en')} bars; ${seconds.toFixed(1)} s in all, ${vendorSeconds.toFixed(1)} s of them in questions to the double`;
    const nobody = { peer: null, peerFigure: null, ratio: null };
    return [
      {
        ...{
          name: 'refresh-426',
          figure: own,
          unit: 's',
          ...nobody,
          goal: `<= ${GOAL_SECONDS} s`,
          met: own <= GOAL_SECONDS,
        },
        input,
      },
      {
        ...{
          name: 'refresh-426-statements',
          figure: many,
          unit: 'statements',
          ...nobody,
          goal: `as many as 5 symbols take (${few})`,
        },
        ...{ met: many === few, input: 'one batch of 50 symbols that are new to the source and known to another' },
      },
    ];
  } finally {
    await double.close();
    await server.close();
  }
}

/** The refresh service on the double, with a look at how long the vendor takes and how batches are published. */
function serviceOn(server: BenchServer, double: VendorDouble, inThread: RunInThread) {
  const { database, connection } = server;
  const times = { vendorMs: 0 };
  const credits = createCredits({
    ...{ database, principal: TENANT, vendor: 'twelvedata', key: double.key },
    limits: { minuteLimit: CREDITS, dayLimit: CREDITS },
  });
  const feed = createTwelveDataFeed({
    baseUrl: double.url,
    key: double.key,
    credits,
    policies: createVendorPolicies(),
  });
  const prices: PriceFeed = {
    ...{ basis: feed.basis, batchSize: feed.batchSize },
    async fetchBars(symbols: readonly string[], from: number, to: number, context: FeedContext) {
      const startedAt = performance.now();
      const answer = await feed.fetchBars(symbols, from, to, context);
      times.vendorMs += performance.now() - startedAt;
      return answer;
    },
  };
  const open = () => ({
    ...{ source: { prices }, credits: null },
    ...{ restsUntil: async () => null, probe: async () => null },
  });
  const openFeeds = createOpenFeeds({ clock: systemClock, openers: { twelvedata: open } });
  const feeds = createFeedsService({ refreshFigures, database, clock: systemClock, secretBox, openFeeds });
  const tasks = waitingTasks();
  const service = createRefreshService({ database, connection, tasks, clock: systemClock, feeds, inThread });
  return { service, feeds, times };
}

async function work(server: BenchServer, double: VendorDouble, symbols: string[], code: string, inThread: RunInThread) {
  const { service, feeds, times } = serviceOn(server, double, inThread);
  const feed = await feeds.create(TENANT, {
    ...{ feed: 'twelvedata', code, calendar: 'WEEKDAYS', currency: 'USD', key: double.key, settings: { years: YEARS } },
  });
  const task = await service.start(TENANT, feed.id, { symbols });
  const startedAt = performance.now();
  const context = { principal: TENANT, taskId: task.id, signal: new AbortController().signal, progress: () => {} };
  const result = await service.run({ sourceId: feed.id, symbols }, context);
  const seconds = (performance.now() - startedAt) / 1000;
  if (result.state !== 'done') throw new Error(`the refresh ended ${result.state}: ${result.sentence}`);
  return { seconds, vendorSeconds: times.vendorMs / 1000, result };
}

async function refresh(server: BenchServer, double: VendorDouble, symbols: string[]) {
  const { seconds, vendorSeconds, result } = await work(server, double, symbols, 'bench', runInThread);
  return { seconds, vendorSeconds, bars: Number(result.acceptedCount) };
}

/** Statements of the one transaction that judges and publishes a batch. */
async function countStatements(server: BenchServer, double: VendorDouble, symbols: string[], code: string) {
  let statements = 0;
  const { pool } = server.database;
  const connect = pool.connect.bind(pool);
  const countingPool = Object.assign(Object.create(pool), {
    async connect() {
      const client = await connect();
      const { query, release } = client;
      return Object.assign(client, {
        query: (...args: unknown[]) => {
          statements++;
          return Reflect.apply(query, client, args);
        },
        release: (error?: Error) => {
          Object.assign(client, { query, release });
          client.release(error);
        },
      });
    },
  });
  const counting: Database = createDatabase(countingPool);
  await work(server, double, symbols, code, async <T>(_module: URL, data: unknown) => {
    const outcome = await publishBatch(counting, (data as RefreshBatchJob).batch);
    return outcome as T;
  });
  return statements;
}
