// A process of its own that counts requests as fast as it can until told to stop: tells how many were allowed.

import { createPool } from '../../src/platform/database/pool.ts';
import { createRedisLimitStore, createSqlLimitStore } from '../../src/platform/limits/limit-store.ts';
import { createLimits } from '../../src/platform/limits/limits.ts';
import { createRedisLine } from '../../src/platform/redis/redis.ts';

type Order = { connection: object; redisUrl: string | null; rate: { requestsPerMinute: number; burst: number } };

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const log = { warn: () => {}, info: () => {} };
const pool = createPool({ ...order.connection, max: 2 }, () => {});
const redis = order.redisUrl === null ? null : createRedisLine(order.redisUrl, log);
const store = redis === null ? createSqlLimitStore(pool) : createRedisLimitStore(redis);
const { rate } = order;
const limits = createLimits(store, { auth: rate, address: rate, account: rate, tenant: rate }, log);
while (redis !== null && !redis.isUp()) await new Promise((resolve) => setTimeout(resolve, 5));
const now = () => performance.timeOrigin + performance.now();
let allowed = 0;
let lastAt = 0;
let isOver = false;
process.on('message', (word) => {
  if (word === 'stop') isOver = true;
});
const hammer = async () => {
  while (!isOver) {
    const verdict = await limits.count('account', '7.1');
    if (verdict.allowed) {
      allowed++;
      lastAt = now();
    } else await new Promise((resolve) => setTimeout(resolve, Math.min(20, verdict.retryAfterMs)));
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
