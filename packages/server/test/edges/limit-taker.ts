// A process of its own that counts requests as fast as it can until told to stop, and then until nothing is left: tells how
// many were allowed.

import { createPool } from '../../src/platform/database/pool.ts';
import { createRedisLimitStore, createSqlLimitStore } from '../../src/platform/limits/limit-store.ts';
import { createLimits } from '../../src/platform/limits/limits.ts';
import { createRedisLine } from '../../src/platform/redis/redis.ts';

type Order = {
  connection: object;
  redisUrl: string | null;
  rate: { requestsPerMinute: number; burst: number };
  account: string;
};

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const log = { warn: () => {}, info: () => {} };
const pool = createPool({ ...order.connection, max: 2 }, () => {});
const redis = order.redisUrl === null ? null : createRedisLine(order.redisUrl, log);
const store = redis === null ? createSqlLimitStore(pool) : createRedisLimitStore(redis);
const { rate, account } = order;
const limits = createLimits(store, { auth: rate, address: rate, account: rate, tenant: rate }, log);
while (redis !== null && !redis.isUp()) await new Promise((resolve) => setTimeout(resolve, 5));
// Connected before the clock starts: the bucket refills from its first use on.
if (redis === null) await Promise.all([pool.query('SELECT pg_sleep(0.05)'), pool.query('SELECT pg_sleep(0.05)')]);
const now = () => performance.timeOrigin + performance.now();
let allowed = 0;
let lastAt = 0;
let isOver = false;
process.on('message', (word) => {
  if (word === 'stop') isOver = true;
});
const hammer = async () => {
  for (;;) {
    const verdict = await limits.count('account', account);
    lastAt = now();
    if (verdict.allowed) allowed++;
    else if (isOver) return;
    else await new Promise((resolve) => setTimeout(resolve, Math.min(20, verdict.retryAfterMs)));
  }
};
process.send?.('ready');
process.once('message', async () => {
  const from = now();
  await Promise.all([hammer(), hammer(), hammer(), hammer()]);
  process.send?.({ ...{ allowed, from, to: lastAt }, degraded: limits.describe().countedLocallyCount });
  await redis?.close();
  await pool.end();
  process.disconnect();
});
