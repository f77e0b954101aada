import type { Grant, LimitStore, Rate } from './limit-store.ts';

/** Who is counted by what. */
export type LimitName = 'auth' | 'address' | 'account' | 'tenant';
export type LimitRates = Record<LimitName, Rate>;

/** The answer to one request. */
export type Verdict = {
  allowed: boolean;
  rate: Rate;
  /** About what is left in the shared bucket. */
  remaining: number;
  /** Until the next token, 0 when allowed. */
  retryAfterMs: number;
};

export type Limits = {
  /**
   * Counts one request of somebody.
   *
   * @throws LimitsAwayError for `auth` when the store does not answer: nobody gets in uncounted.
   */
  count(name: LimitName, who: string): Promise<Verdict>;
  /** What was last known to be left, without counting; null when nothing is known here. */
  peek(name: LimitName, who: string): number | null;
  rates: LimitRates | null;
  describe(): LimitsState;
};

/** For readiness and metrics. */
export type LimitsState = {
  store: 'database' | 'redis' | 'none';
  /** True while the store does not answer and each process counts by itself. */
  degraded: boolean;
  /** Since the start. */
  refusedCount: number;
  countedLocallyCount: number;
};

/** The store of the limits does not answer, and this one must not be passed uncounted. */
export class LimitsAwayError extends Error {
  override name = 'LimitsAwayError';
}

/** An account may do 100 requests a second all the time; what a person does with the pages stays far below. */
const ACCOUNT_PER_MINUTE = 6_000;

/** @param accountPerMinute Null: no limits. */
export function limitRates(accountPerMinute: number | null = ACCOUNT_PER_MINUTE): LimitRates | null {
  if (accountPerMinute === null) return null;
  const of = (requestsPerMinute: number): Rate => ({ requestsPerMinute, burst: requestsPerMinute });
  return {
    // A password is looked at for 50 ms and more; the lock of an account after ten tries comes on top.
    auth: of(Math.max(60, Math.round(accountPerMinute / 50))),
    address: of(accountPerMinute),
    account: of(accountPerMinute),
    tenant: of(accountPerMinute * 10),
  };
}

/** Part of a bucket a process takes at once, so that most requests ask nobody. Three processes leave 1.5 % unused. */
const CHUNK_SHARE = 0.005;
/** A chunk not used up by then is dropped: a quiet process must not hoard what it could use in a burst later. */
const CHUNK_LIFE_MS = 30_000;
/** After a failure the store is asked again this much later; until then each process counts by itself. */
const RETRY_STORE_MS = 1_000;
const TAKE_TIMEOUT_MS = 1_000;
const LOG_EVERY_MS = 10_000;
const BUCKETS_MAX = 20_000;

type Bucket = {
  tokens: number;
  takenAt: number;
  remaining: number;
  /** Nothing is there before this. */
  emptyUntil: number;
  taking: Promise<void> | null;
  /** Used while the store is away. */
  local: { tokens: number; at: number } | null;
};

type Log = { warn(fields: object, text: string): void };

/** @param now Milliseconds of a clock that only goes forward. */
export function createLimits(
  store: LimitStore | null,
  rates: LimitRates | null,
  log: Log,
  now: () => number = () => performance.now(),
): Limits {
  const buckets = new Map<string, Bucket>();
  const state: LimitsState = {
    ...{ store: store?.kind ?? 'none', degraded: false, refusedCount: 0, countedLocallyCount: 0 },
  };
  let askAgainAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;

  function bucketOf(key: string): Bucket {
    let bucket = buckets.get(key);
    if (bucket !== undefined) return bucket;
    bucket = { tokens: 0, takenAt: 0, remaining: 0, emptyUntil: Number.NEGATIVE_INFINITY, taking: null, local: null };
    buckets.set(key, bucket);
    if (buckets.size > BUCKETS_MAX) buckets.delete(buckets.keys().next().value!);
    return bucket;
  }

  /** Takes the next chunk, once however many requests wait for it. */
  function takeChunk(shared: LimitStore, key: string, bucket: Bucket, rate: Rate): Promise<void> {
    bucket.taking ??= withTimeout(shared.take(key, rate, Math.max(1, Math.floor(rate.burst * CHUNK_SHARE))))
      .then(({ granted, left, retryAfterMs }: Grant) => {
        state.degraded = false;
        bucket.tokens = granted;
        bucket.takenAt = now();
        bucket.remaining = Math.floor(left);
        bucket.emptyUntil = granted === 0 ? now() + retryAfterMs : Number.NEGATIVE_INFINITY;
        bucket.local = null;
      })
      .finally(() => {
        bucket.taking = null;
      });
    return bucket.taking;
  }

  function away(name: LimitName, error: unknown): void {
    state.degraded = true;
    askAgainAt = now() + RETRY_STORE_MS;
    if (now() - toldAt < LOG_EVERY_MS) return;
    toldAt = now();
    log.warn({ err: error, limit: name }, 'the store of the limits does not answer; this process counts by itself');
  }

  function countLocally(bucket: Bucket, rate: Rate): Verdict {
    state.countedLocallyCount++;
    const at = now();
    const perMs = rate.requestsPerMinute / 60_000;
    bucket.local ??= { tokens: rate.burst, at };
    const { local } = bucket;
    local.tokens = Math.min(rate.burst, local.tokens + (at - local.at) * perMs);
    local.at = at;
    if (local.tokens < 1) return refuse(rate, (1 - local.tokens) / perMs);
    local.tokens--;
    return { allowed: true, rate, remaining: Math.floor(local.tokens), retryAfterMs: 0 };
  }

  function refuse(rate: Rate, retryAfterMs: number): Verdict {
    state.refusedCount++;
    return { allowed: false, rate, remaining: 0, retryAfterMs };
  }

  return {
    rates,
    describe: () => ({ ...state }),
    peek(name, who) {
      const bucket = buckets.get(`${name}:${who}`);
      if (bucket === undefined) return null;
      return bucket.local === null ? bucket.remaining + bucket.tokens : Math.floor(bucket.local.tokens);
    },
    async count(name, who) {
      const rate = rates?.[name];
      if (rate === undefined) return UNLIMITED;
      const key = `${name}:${who}`;
      const bucket = bucketOf(key);
      for (;;) {
        const at = now();
        if (bucket.tokens >= 1 && at - bucket.takenAt < CHUNK_LIFE_MS) {
          bucket.tokens--;
          return { allowed: true, rate, remaining: bucket.remaining + bucket.tokens, retryAfterMs: 0 };
        }
        if (at < bucket.emptyUntil) return refuse(rate, bucket.emptyUntil - at);
        const mayGoOn = name !== 'auth';
        if (store === null || (mayGoOn && at < askAgainAt)) return countLocally(bucket, rate);
        try {
          await takeChunk(store, key, bucket, rate);
        } catch (error) {
          away(name, error);
          if (!mayGoOn) throw new LimitsAwayError('The store of the limits does not answer.', { cause: error });
        }
      }
    },
  };
}

const UNLIMITED: Verdict = {
  ...{ allowed: true, rate: { requestsPerMinute: 0, burst: 0 }, remaining: 0, retryAfterMs: 0 },
};

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), TAKE_TIMEOUT_MS);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
