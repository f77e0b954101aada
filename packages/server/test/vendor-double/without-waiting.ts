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

/** A clock that stands still until somebody sleeps, and then is there at once. For one party: see `createSharedTiming`. */
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

/**
 * One clock of several parties that work beside each other. It goes on, to the earliest end of a sleep, only while every
 * party sleeps or has left: nobody's question is under way then, so none is counted in a later minute than it was paid in.
 * A party must do one thing at a time.
 */
export function createSharedTiming(startAt: number, partyCount: number, seed = 1) {
  const random = createRandom(seed).split('jitter');
  const sleepers: { until: number; wake: () => void }[] = [];
  let at = startAt;
  let awakeCount = partyCount;
  const rest = () => {
    awakeCount--;
    if (awakeCount > 0 || sleepers.length === 0) return;
    at = Math.min(...sleepers.map(({ until }) => until));
    const due = sleepers.filter(({ until }) => until <= at);
    for (const sleeper of due) {
      sleepers.splice(sleepers.indexOf(sleeper), 1);
      awakeCount++;
      sleeper.wake();
    }
  };
  const timing: Timing = {
    now: () => at,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      const woken = Promise.withResolvers<void>();
      sleepers.push({ until: at + ms, wake: woken.resolve });
      rest();
      await woken.promise;
    },
    random: () => random.uniform(),
  };
  /** A party's whole work; afterwards the others do not wait for it. */
  const party = <T>(work: Promise<T>): Promise<T> => work.finally(rest);
  return { timing, party };
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
