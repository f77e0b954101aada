import { createFeedsService } from '../../src/market-data/feeds/feeds.service.ts';
import { createOpenFeeds } from '../../src/market-data/feeds/open-feed.ts';
import { createRefreshService } from '../../src/market-data/refresh/refresh.service.ts';
import { publishBatch, type RefreshBatchJob } from '../../src/market-data/refresh/refresh-batch.ts';
import { refreshFigures } from '../../src/market-data/refresh/refresh-figures.ts';
import { createSecretBox } from '../../src/platform/auth/secret-box.ts';
import { createDatabase } from '../../src/platform/database/database.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createFakeVendor, SECRET_TEXT } from './refresh-harness.ts';

/** A process that does one queued refresh and may be killed at a fail point on the way: `refresh-child.ts JSON`. */
const { connection, tenantId, taskId, input, now } = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(createPool(connection, () => {}));
const vendor = createFakeVendor(2);
const clock = { now: () => now };
const feeds = createFeedsService({
  ...{ database, clock, refreshFigures, secretBox: createSecretBox(SECRET_TEXT) },
  openFeeds: createOpenFeeds({
    clock,
    openers: {
      twelvedata: () => ({
        ...{ source: { prices: vendor.feed }, credits: null },
        ...{ restsUntil: async () => null, probe: async () => null },
      }),
    },
  }),
});
const refresh = createRefreshService({
  ...{ database, connection, clock, feeds },
  tasks: { register: () => {}, start: () => Promise.reject(new Error('nothing is queued here')) },
  async inThread<T>(_module: URL, data: unknown) {
    const outcome = await publishBatch(database, (data as RefreshBatchJob).batch);
    return outcome as T;
  },
});
const principal = { tenantId, actorId: null };
await refresh.run(input, { principal, taskId, signal: new AbortController().signal, progress: () => {} });
await database.close();
