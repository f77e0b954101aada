import { expect } from '@touchstone/quant/checks/expect';
import { dayNumber } from '@touchstone/quant/series/day';

/** What a plan allows. Credits, counted by the vendor per minute and per day (UTC). */
export type CreditLimits = { minuteLimit: number; dayLimit: number };

/** What one key has used lately. */
export type CreditBucket = {
  /** [EpochMs, credits] of the last minute, ascending. */
  recent: readonly (readonly [number, number])[];
  /** Days since 1970-01-01, UTC. */
  day: number;
  usedToday: number;
};

/** Either credits, which are spent from then on, or when they will be there. */
export type CreditAnswer =
  | { granted: number }
  | {
      granted: 0;
      /** EpochMs; null: never, the plan is too small for the question. */
      retryAt: number | null;
      limit: 'minute' | 'day' | 'plan';
    };

export type CreditStatus = CreditLimits & {
  minuteLeft: number;
  dayLeft: number;
  /** EpochMs when all credits of the minute are back; now, when none is out. */
  minuteResetsAt: number;
  /** EpochMs of the vendor's next midnight. */
  dayResetsAt: number;
};

/** The basic plan of TwelveData. */
export const BASIC_LIMITS: CreditLimits = { minuteLimit: 8, dayLimit: 800 };

/**
 * No span of this length sees more grants than the minute's limit, wherever the vendor's minutes begin. The second above
 * the minute is for questions that travel slowly.
 */
export const WINDOW_MS = 61_000;
const MS_PER_DAY = 86_400_000;

export const EMPTY_BUCKET: CreditBucket = { recent: [], day: dayNumber('1970-01-01'), usedToday: 0 };

/**
 * Takes up to `wanted` credits, at least `atLeast`, or none.
 *
 * @param now EpochMs of the clock all processes share. It may jump: see `bucketAt`.
 * @throws RangeError unless 1 <= atLeast <= wanted.
 */
export function takeCredits(
  bucket: CreditBucket,
  now: number,
  { wanted, atLeast }: { wanted: number; atLeast: number },
  limits: CreditLimits,
): { bucket: CreditBucket; answer: CreditAnswer } {
  expect(
    Number.isInteger(wanted) && Number.isInteger(atLeast) && atLeast >= 1 && wanted >= atLeast,
    `credits must be whole numbers with 1 <= atLeast <= wanted, were ${atLeast} and ${wanted}`,
  );
  const current = bucketAt(bucket, now);
  const refused = (retryAt: number | null, limit: 'minute' | 'day' | 'plan') => ({
    bucket: current,
    answer: { granted: 0 as const, retryAt, limit },
  });
  if (atLeast > Math.min(limits.minuteLimit, limits.dayLimit)) return refused(null, 'plan');
  const dayLeft = limits.dayLimit - current.usedToday;
  if (dayLeft < atLeast) return refused((current.day + 1) * MS_PER_DAY, 'day');
  const minuteLeft = limits.minuteLimit - recentSum(current);
  if (minuteLeft < atLeast) return refused(whenFree(current, atLeast - minuteLeft), 'minute');
  const granted = Math.min(wanted, dayLeft, minuteLeft);
  return {
    bucket: { ...current, recent: withGrant(current.recent, now, granted), usedToday: current.usedToday + granted },
    answer: { granted },
  };
}

/** The vendor says that the minute, or the day, is spent, whatever was counted here: others may use the same key. */
export function markSpent(
  bucket: CreditBucket,
  now: number,
  span: 'minute' | 'day',
  limits: CreditLimits,
): CreditBucket {
  const current = bucketAt(bucket, now);
  if (span === 'day') return { ...current, usedToday: Math.max(current.usedToday, limits.dayLimit) };
  const missing = Math.max(0, limits.minuteLimit - recentSum(current));
  return { ...current, recent: withGrant(current.recent, now, missing) };
}

export function creditStatus(bucket: CreditBucket, now: number, limits: CreditLimits): CreditStatus {
  const current = bucketAt(bucket, now);
  return {
    ...limits,
    minuteLeft: Math.max(0, limits.minuteLimit - recentSum(current)),
    dayLeft: Math.max(0, limits.dayLimit - current.usedToday),
    minuteResetsAt: (current.recent.at(-1)?.[0] ?? now - WINDOW_MS) + WINDOW_MS,
    dayResetsAt: (current.day + 1) * MS_PER_DAY,
  };
}

/**
 * The bucket at a moment: old grants are forgotten, a new day begins.
 *
 * A clock that goes backwards gives nothing back. Grants that now lie in the future count as made just now, and the day
 * stays the later one; only when the clock was wrong by more than a day does the day follow it, with what was used.
 */
function bucketAt(bucket: CreditBucket, now: number): CreditBucket {
  const recent = bucket.recent
    .map(([at, credits]) => [Math.min(at, now), credits] as const)
    .filter(([at]) => at > now - WINDOW_MS);
  const today = Math.floor(now / MS_PER_DAY);
  // A question of the last minute before midnight may be counted by the vendor after it.
  if (today > bucket.day) return { recent, day: today, usedToday: recentSum({ recent }) };
  return { recent, day: bucket.day > today + 1 ? today : bucket.day, usedToday: bucket.usedToday };
}

function recentSum({ recent }: Pick<CreditBucket, 'recent'>): number {
  return recent.reduce((sum, [, credits]) => sum + credits, 0);
}

/** EpochMs when so many more credits of the minute are back. */
function whenFree(bucket: CreditBucket, missing: number): number {
  let back = 0;
  for (const [at, credits] of bucket.recent) {
    back += credits;
    if (back >= missing) return at + WINDOW_MS;
  }
  throw new Error('a question that fits the plan must fit an empty minute');
}

/** Grants of one second are kept as one, at the later moment, so that a row stays short with any plan. */
function withGrant(recent: CreditBucket['recent'], now: number, credits: number): CreditBucket['recent'] {
  if (credits === 0) return recent;
  const last = recent.at(-1);
  if (last === undefined || Math.floor(last[0] / 1000) !== Math.floor(now / 1000)) return [...recent, [now, credits]];
  return [...recent.slice(0, -1), [Math.max(last[0], now), last[1] + credits]];
}
