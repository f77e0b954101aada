import type pg from 'pg';
import type { CacheState } from '../cache/cache.ts';
import { createProcessCache } from '../cache/process-cache.ts';
import { createRedisCache } from '../cache/redis-cache.ts';
import type { Database } from '../database/database.ts';
import { createRedisLimitStore, createSqlLimitStore } from '../limits/limit-store.ts';
import { createLimits, type Limits, type LimitsState, limitRates } from '../limits/limits.ts';
import { createRedisLine } from '../redis/redis.ts';
import { type AnswerCache, createAnswerCache } from './answer-cache.ts';
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts';

/** What stands between a request and its route: counts, kept answers, patience. */
export type Edges = {
  limits: Limits;
  keptAnswers: KeptAnswers;
  answerCache: AnswerCache;
  allowedOrigins: readonly string[];
  patience: Patience;
  open(): Promise<void>;
  close(): Promise<void>;
  /** What is in use and what stands in for it. */
  describe(): { redis: 'none' | 'up' | 'away'; limits: LimitsState; cache: CacheState };
};

/** How long and for how many the server waits. */
export type Patience = {
  /** Until the headers of a request are there. */
  headersMs: number;
  /** Until a body of JSON is there; between two pieces of an upload. */
  bodyMs: number;
  /** Until the last byte of any request is there. */
  requestMs: number;
  connectionsMax: number;
};

export const PATIENCE: Patience = {
  ...{ headersMs: 15_000, bodyMs: 20_000, requestMs: 2 * 3_600_000, connectionsMax: 2_000 },
};

export type EdgesSettings = Readonly<{
  redisUrl: string | null;
  allowedOrigins: readonly string[];
  /** Of one user or key; null: no limits. */
  requestsPerMinute: number | null;
}>;

export type EdgesParts = {
  config: EdgesSettings;
  database: Database;
  /** For a connection outside the pool. */
  connection: pg.ClientConfig;
  /** The installation's secret. */
  secret: string;
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void };
  patience?: Partial<Patience>;
  /** Only for tests that put two servers into one process. */
  origin?: string;
};

const CLEAN_EVERY_MS = 15 * 60_000;

export function createEdges(parts: EdgesParts): Edges {
  const { config, database, log } = parts;
  const redis = config.redisUrl === null ? null : createRedisLine(config.redisUrl, log);
  const store = redis === null ? createSqlLimitStore(database.pool) : createRedisLimitStore(redis);
  const rates = limitRates(config.requestsPerMinute);
  const limits = createLimits(rates === null ? null : store, rates, log);
  const keptAnswers = createKeptAnswers(database, parts.secret);
  database.onCommit(keptAnswers.commitListener);
  const cache = redis === null ? createProcessCache() : createRedisCache(redis);
  const answerCache = createAnswerCache(cache, parts);
  let cleaning: NodeJS.Timeout | undefined;

  /** Any process may clean; twice does no harm. */
  async function clean(): Promise<void> {
    try {
      await keptAnswers.forgetOld();
      // A bucket nobody touched for an hour is full again.
      await database.pool.query(
        `DELETE FROM edge.limit_bucket WHERE refilled_at < clock_timestamp() - interval '1 hour'`,
      );
    } catch (error) {
      log.warn({ err: error }, 'old answers and counts could not be removed');
    }
  }

  return {
    ...{ limits, keptAnswers, answerCache },
    allowedOrigins: config.allowedOrigins,
    patience: { ...PATIENCE, ...parts.patience },
    async open() {
      await answerCache.open();
      cleaning = setInterval(clean, CLEAN_EVERY_MS);
      cleaning.unref();
    },
    async close() {
      clearInterval(cleaning);
      await answerCache.close();
      await redis?.close();
    },
    describe: () => ({
      redis: redis === null ? 'none' : redis.isUp() ? 'up' : 'away',
      limits: limits.describe(),
      cache: answerCache.describe(),
    }),
  };
}
