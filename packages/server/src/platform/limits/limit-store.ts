import type pg from 'pg';
import type { RedisLine } from '../redis/redis.ts';

/** A bucket of tokens: full it holds `burst`; it refills evenly. */
export type Rate = { requestsPerMinute: number; burst: number };
/** What a taker got of what it wanted, and when the next token is there. */
export type Grant = { granted: number; left: number; retryAfterMs: number };

/** Buckets that all processes share. */
export type LimitStore = {
  kind: 'database' | 'redis';
  /**
   * Takes up to `wanted` whole tokens. Never gives more than the bucket has.
   *
   * @throws whatever the store says when it does not answer.
   */
  take(name: string, rate: Rate, wanted: number): Promise<Grant>;
};

/** The clock is the store's own, so that processes need not agree on the time. */
export function createSqlLimitStore(pool: pg.Pool): LimitStore {
  return {
    kind: 'database',
    async take(name, rate, wanted) {
      const perSecond = rate.requestsPerMinute / 60;
      // One statement: the row is locked from the reading of the level to its writing.
      const { rows } = await pool.query({
        name: 'take-tokens',
        text: `INSERT INTO edge.limit_bucket AS b (name, tokens, granted) VALUES ($1, $2::float8 - least($4::int, floor($2::float8)), least($4::int, floor($2::float8)))
          ON CONFLICT (name) DO UPDATE SET
            (tokens, granted, refilled_at) = (
              SELECT level - least($4::int, floor(level)), least($4::int, floor(level)), greatest(b.refilled_at, at)
              FROM (SELECT at, greatest(0, least($2::float8, b.tokens + greatest(0, extract(epoch FROM at - b.refilled_at)) * $3::float8)) AS level
                    FROM (SELECT clock_timestamp() AS at) AS now) AS filled)
          RETURNING tokens, granted`,
        values: [name, rate.burst, perSecond, wanted],
      });
      return toGrant(rows[0].granted, rows[0].tokens, perSecond);
    },
  };
}

const TAKE = `
local now = redis.call('TIME')
local at = now[1] * 1000 + now[2] / 1000
local burst = tonumber(ARGV[1])
local perMs = tonumber(ARGV[2])
local wanted = tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local level = burst
if bucket[1] then
  level = math.min(burst, tonumber(bucket[1]) + math.max(0, at - tonumber(bucket[2])) * perMs)
  at = math.max(at, tonumber(bucket[2]))
end
local granted = math.min(wanted, math.floor(level))
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', level - granted), 'at', string.format('%.3f', at))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / perMs) + 1000)
return {granted, string.format('%.6f', level - granted)}
`;

export function createRedisLimitStore({ client, isUp }: RedisLine): LimitStore {
  return {
    kind: 'redis',
    async take(name, rate, wanted) {
      if (!isUp()) throw new Error('Redis does not answer.');
      const perSecond = rate.requestsPerMinute / 60;
      const reply = await client.eval(TAKE, 1, `touchstone:limit:${name}`, rate.burst, perSecond / 1000, wanted);
      const [granted, left] = Array.isArray(reply) ? reply.map(Number) : [];
      if (granted === undefined || left === undefined) throw new Error('Redis gave no count.');
      return toGrant(granted, left, perSecond);
    },
  };
}

function toGrant(granted: number, left: number, perSecond: number): Grant {
  const retryAfterMs = left >= 1 ? 0 : ((1 - left) / perSecond) * 1000;
  return { granted, left, retryAfterMs };
}
