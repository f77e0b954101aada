import { PgBoss } from 'pg-boss';
import type { Transaction } from '../database/database.ts';
import { ProblemError } from '../problem-error.ts';

/** When a schedule starts: cron in UTC, perhaps on trading days only, or minutes after each close of a calendar. */
export type Timing =
  | { kind: 'cron'; cron: string; tradingDaysOnly: string | null }
  | { kind: 'after-close'; calendar: string; minutes: number };

/** A trading day and the instant its session ends, EpochMs. */
export type Session = { day: string; closeAt: number };

/** What the tasks ask of trading calendars. They belong to a stage, so this comes from the wiring. */
export type SessionTimes = {
  /** @throws ProblemError NOT_FOUND naming the calendars there are. */
  check(calendar: string): void;
  /** Sessions whose close lies from `from` to `to`, EpochMs, ascending; told holidays and early closes included. */
  sessions(tx: Transaction, calendar: string, from: number, to: number): Promise<Session[]>;
  /** The day it is at an instant where the exchange is. */
  localDay(calendar: string, at: number): string;
};

const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
/** Sessions are looked up a window at a time; the longest closure known lasted four months. */
const WINDOW_MS = 45 * MS_PER_DAY;
const WINDOWS_MAX = 9;

/** Reads cron texts only; nothing of it touches the database. */
const reader = new PgBoss({ db: { executeSql: async () => ({ rows: [] }) }, schedule: false, supervise: false });

/** @throws ProblemError INVALID_REQUEST with what is wrong. */
export function checkCron(cron: string): void {
  try {
    reader.previewSchedule(cron, { tz: 'UTC', count: 1, from: new Date(0) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ProblemError('INVALID_REQUEST', `The cron text "${cron}" cannot be used: ${why}.`);
  }
}

/** The next instants after `after`, EpochMs, ascending; fewer when there are no more within a year. */
export async function nextInstants(
  tx: Transaction,
  timing: Timing,
  after: number,
  count: number,
  times: SessionTimes | null,
): Promise<number[]> {
  const found: number[] = [];
  let last = after;
  while (found.length < count) {
    const next = await nextInstant(tx, timing, last, times);
    if (next === null) break;
    found.push(next);
    last = next;
  }
  return found;
}

async function nextInstant(
  tx: Transaction,
  timing: Timing,
  after: number,
  times: SessionTimes | null,
): Promise<number | null> {
  if (timing.kind === 'cron' && timing.tradingDaysOnly === null) return nextOfCron(timing.cron, after);
  if (times === null) return null;
  if (timing.kind === 'after-close') return nextAfterClose(tx, timing, after, times);
  return nextOnTradingDay(tx, timing.cron, timing.tradingDaysOnly ?? '', after, times);
}

function nextOfCron(cron: string, after: number): number | null {
  const [next] = reader.previewSchedule(cron, { tz: 'UTC', count: 1, from: new Date(after) });
  return next === undefined ? null : next.getTime();
}

async function nextAfterClose(
  tx: Transaction,
  { calendar, minutes }: Timing & { kind: 'after-close' },
  after: number,
  times: SessionTimes,
): Promise<number | null> {
  const delay = minutes * MS_PER_MINUTE;
  let from = after - delay;
  for (let window = 0; window < WINDOWS_MAX; window++, from += WINDOW_MS) {
    const sessions = await times.sessions(tx, calendar, from, from + WINDOW_MS);
    const next = sessions.find(({ closeAt }) => closeAt + delay > after);
    if (next !== undefined) return next.closeAt + delay;
  }
  return null;
}

async function nextOnTradingDay(
  tx: Transaction,
  cron: string,
  calendar: string,
  after: number,
  times: SessionTimes,
): Promise<number | null> {
  let known = new Set<string>();
  let knownUntil = Number.NEGATIVE_INFINITY;
  const horizon = after + WINDOWS_MAX * WINDOW_MS;
  let next = nextOfCron(cron, after);
  while (next !== null && next <= horizon) {
    if (next > knownUntil) {
      const sessions = await times.sessions(tx, calendar, next - 2 * MS_PER_DAY, next + WINDOW_MS);
      known = new Set(sessions.map(({ day }) => day));
      knownUntil = next + WINDOW_MS - 2 * MS_PER_DAY;
    }
    if (known.has(times.localDay(calendar, next))) return next;
    // Local days begin on the hour, so the rest of this one is skipped: every minute of a weekend would be many.
    next = nextOfCron(cron, (Math.floor(next / MS_PER_HOUR) + 1) * MS_PER_HOUR - 1);
  }
  return null;
}
