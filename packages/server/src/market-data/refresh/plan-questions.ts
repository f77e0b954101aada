import { type CalendarCode, closeInstant, isTradingDay } from '@touchstone/quant/series/trading-calendar';

/** A symbol a refresh is about, with what is known of it. Days since 1970-01-01. */
export type WantedSymbol = {
  symbol: string;
  /** Null for a symbol nobody has imported or fetched yet. */
  instrumentId: number | null;
  calendar: CalendarCode;
  /** The last day with a bar of the source, in sight or held back; null without any. */
  lastKnown: number | null;
  /** The first day with a bar of the source; null without any. */
  firstKnown: number | null;
  /** It had no price before this day. */
  listedDay: number | null;
  /** It has no price after this day: delisted, or no member any more. */
  endDay: number | null;
};

/** One symbol's part of a question: bars of `from` to `to`, of which those from `missingFrom` on are not here yet. */
export type Question = WantedSymbol & { from: number; to: number; missingFrom: number };

export type QuestionPlan = {
  questions: Question[];
  /** Symbols that have all there can be. */
  current: WantedSymbol[];
};

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
const DAYS_PER_YEAR = 365.25;
/** Exchanges have closed for longer only in wars. */
const SILENCE_DAYS_MAX = 40;
/** Symbols whose questions begin within these many days are asked together. */
const TOGETHER_DAYS = 30;

/** The last session that closed an hour ago or earlier: from then on its bar can be known. */
export function lastClosedDay(calendar: CalendarCode, now: number): number {
  const today = Math.floor(now / MS_PER_DAY) + 1;
  for (let day = today; day > today - SILENCE_DAYS_MAX; day--)
    if (isTradingDay(calendar, day) && closeInstant(calendar, day) + MS_PER_HOUR <= now) return day;
  return today - SILENCE_DAYS_MAX;
}

/**
 * What to ask: for a known symbol from some sessions before its last bar, so that revisions are seen; for a new one its
 * history. A clock that jumped back finds every symbol up to date and asks nothing.
 */
export function planQuestions(
  wanted: readonly WantedSymbol[],
  now: number,
  { years, overlapDays }: { years: number; overlapDays: number },
): QuestionPlan {
  const plan: QuestionPlan = { questions: [], current: [] };
  const closed = new Map<CalendarCode, number>();
  for (const symbol of wanted) {
    const { calendar, lastKnown, listedDay, endDay } = symbol;
    const last = closed.get(calendar) ?? lastClosedDay(calendar, now);
    closed.set(calendar, last);
    const to = Math.min(last, endDay ?? last);
    if (lastKnown !== null && lastKnown >= to) {
      plan.current.push(symbol);
      continue;
    }
    const start = Math.max(last - Math.round(years * DAYS_PER_YEAR), listedDay ?? Number.NEGATIVE_INFINITY);
    const from = lastKnown === null ? Math.min(start, to) : sessionsBefore(calendar, lastKnown, overlapDays);
    plan.questions.push({ ...symbol, from, to, missingFrom: lastKnown === null ? from : lastKnown + 1 });
  }
  return plan;
}

/** Groups questions by when they begin, at most `size` in one, so that nobody's whole history is asked for a neighbour. */
export function batchQuestions(questions: readonly Question[], size: number): Question[][] {
  const batches: Question[][] = [];
  for (const question of questions.toSorted((a, b) => a.from - b.from || (a.symbol < b.symbol ? -1 : 1))) {
    const batch = batches.at(-1);
    if (batch !== undefined && batch.length < size && question.from - batch[0]!.from <= TOGETHER_DAYS)
      batch.push(question);
    else batches.push([question]);
  }
  return batches;
}

/** The day that many sessions before a day, counting it. */
function sessionsBefore(calendar: CalendarCode, day: number, count: number): number {
  let at = day;
  let left = count - 1;
  for (let step = 0; left > 0 && step < count * SILENCE_DAYS_MAX; step++) {
    at--;
    if (isTradingDay(calendar, at)) left--;
  }
  return at;
}
