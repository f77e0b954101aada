import { createRandom } from '@touchstone/quant/random/random';
import {
  BASIC_LIMITS,
  type CreditBucket,
  creditStatus,
  EMPTY_BUCKET,
  markSpent,
  takeCredits,
} from '../../src/market-data/feeds/credits/credit-bucket.ts';
import type { Credits } from '../../src/market-data/feeds/credits/credits.ts';
import type { Timing } from '../../src/market-data/feeds/twelvedata/client.ts';

/** A clock that stands still until somebody sleeps, and then is there at once. */
export function createFakeTiming(startAt: number, seed = 1): Timing & { at: number; slept: number[] } {
  const random = createRandom(seed).split('jitter');
  const timing = {
    ...{ at: startAt, slept: [] as number[] },
    now: () => timing.at,
    async sleep(ms: number, signal: AbortSignal) {
      signal.throwIfAborted();
      timing.slept.push(ms);
      timing.at += ms;
    },
    random: () => random.uniform(),
  };
  return timing;
}

/** The budget of a key in this process only, with the rules of the one in SQL. */
export function createMemoryCredits(now: () => number, limits = BASIC_LIMITS): Credits & { granted: number } {
  let bucket: CreditBucket = EMPTY_BUCKET;
  const credits = {
    ...{ limits, granted: 0 },
    async reserve(wanted: number, { atLeast = wanted }: { atLeast?: number } = {}) {
      const taken = takeCredits(bucket, now(), { wanted, atLeast }, limits);
      bucket = taken.bucket;
      credits.granted += taken.answer.granted;
      return taken.answer;
    },
    async markSpent(span: 'minute' | 'day') {
      bucket = markSpent(bucket, now(), span, limits);
    },
    status: async () => creditStatus(bucket, now(), limits),
  };
  return credits;
}
