import { dayText } from '@touchstone/quant/series/day';
import type { FeedGap, FeedSeries } from '../feeds/feed.ts';
import type { PriceBasis } from '../price-import/judge-delivery.ts';
import type { Question } from './plan-questions.ts';

/** Closes this source told before of one symbol, by day. */
export type KnownCloses = ReadonlyMap<number, number>;

export type CheckedAnswer =
  | { verdict: 'good'; series: FeedSeries }
  /** Every close up to `day` came back times `ratio`. */
  | { verdict: 'retold'; ratio: number; day: number }
  | { verdict: 'gap'; gap: FeedGap };

const MS_PER_DAY = 86_400_000;
const RETRY_MS = 15 * 60_000;
const TAIL_RETRY_MS = 6 * 3_600_000;
/** Closes may differ by this much and be the same price: vendors round. A dividend may move a total return by less. */
const SAME: Record<PriceBasis, number> = { raw: 0.005, split_adjusted: 0.005, total_return: 0.0005 };
/** Bars at another level that tell a new basis from a correction. */
const RETOLD_BARS_MIN = 3;
/** Days two tellings share before the answer can be called another symbol's. */
const STRANGER_BARS_MIN = 4;
/** Median absolute log ratio to what was told before, above which it is. */
const STRANGER_LOG_RATIO = 0.25;

/**
 * Looks at one symbol's answer before anything of it is judged or stored: an answer that cannot be true is a gap as a
 * whole, one that tells the past anew at another level is named, and a good one is cut to what was asked.
 *
 * @param now Our clock, EpochMs.
 */
export function checkAnswer(
  series: FeedSeries,
  question: Question,
  known: KnownCloses,
  basis: PriceBasis,
  now: number,
): CheckedAnswer {
  const lie = findLie(series, question, now);
  if (lie !== null) return gapOf(question, 'lies', `${lie} Nothing of the answer was stored.`, now + RETRY_MS);
  const cut = cutSeries(series, question.from, question.to);
  if (cut.day.length === 0) {
    const days = `${dayText(question.from)} to ${dayText(question.to)}`;
    return gapOf(question, 'empty', `the vendor has nothing for ${days}.`, now + TAIL_RETRY_MS);
  }
  const common = commonDays(cut, known);
  const retold = basis === 'raw' ? null : findRetelling(common, SAME[basis]);
  if (retold !== null) return { verdict: 'retold', ...retold };
  const strangeness = median(common.map(({ ratio }) => Math.abs(Math.log(ratio))));
  if (common.length >= STRANGER_BARS_MIN && strangeness > STRANGER_LOG_RATIO) {
    const factor = Math.exp(strangeness).toFixed(2);
    const sentence = `its prices differ by a factor of about ${factor} from what this vendor told before. That looks like another symbol. Nothing of the answer was stored.`;
    return gapOf(question, 'lies', sentence, now + RETRY_MS);
  }
  return { verdict: 'good', series: cut };
}

/** The gap that is left when an answer ends before the days asked for; null when it does not. */
export function findTail(series: FeedSeries, question: Question, now: number): FeedGap | null {
  const last = series.day.at(-1) ?? question.from - 1;
  if (last >= question.to) return null;
  const sentence = `${question.symbol}: the vendor has nothing after ${dayText(last)} yet.`;
  return { symbol: question.symbol, kind: 'empty', sentence, retryAt: now + TAIL_RETRY_MS };
}

function gapOf(question: Question, kind: FeedGap['kind'], sentence: string, retryAt: number | null): CheckedAnswer {
  return {
    verdict: 'gap',
    gap: { symbol: question.symbol, kind, sentence: `${question.symbol}: ${sentence}`, retryAt },
  };
}

const PRICES = ['open', 'high', 'low', 'close'] as const;

function findLie(series: FeedSeries, { listedDay }: Question, now: number): string | null {
  // Where the sun rises earlier tomorrow may have begun; the day after has begun nowhere.
  const tomorrow = Math.floor(now / MS_PER_DAY) + 1;
  for (let row = 0; row < series.day.length; row++) {
    const day = series.day[row]!;
    if (row > 0 && day <= series.day[row - 1]!) return `a bar of ${dayText(day)} comes twice or out of order.`;
    if (day > tomorrow) return `a bar is dated ${dayText(day)}, which has not come yet.`;
    if (listedDay !== null && day < listedDay)
      return `a bar is dated ${dayText(day)}, before it was listed on ${dayText(listedDay)}.`;
    const bad = PRICES.find((name) => series[name][row]! < 0);
    if (bad !== undefined) return `the ${bad} of ${dayText(day)} is ${series[bad][row]}; no price is negative.`;
    if (series.volume[row]! < 0) return `the volume of ${dayText(day)} is ${series.volume[row]}.`;
  }
  return null;
}

function cutSeries(series: FeedSeries, from: number, to: number): FeedSeries {
  const { day } = series;
  let first = 0;
  while (first < day.length && day[first]! < from) first++;
  let end = day.length;
  while (end > first && day[end - 1]! > to) end--;
  if (first === 0 && end === day.length) return series;
  const part = (column: Float64Array) => column.subarray(first, end);
  return {
    ...{ symbol: series.symbol, currency: series.currency, day: day.subarray(first, end) },
    ...{ open: part(series.open), high: part(series.high), low: part(series.low) },
    ...{ close: part(series.close), volume: part(series.volume) },
  };
}

type Common = { day: number; ratio: number };

/** Days both told, ascending, with the new close over the old one. */
function commonDays({ day, close }: FeedSeries, known: KnownCloses): Common[] {
  const common: Common[] = [];
  for (let row = 0; row < day.length; row++) {
    const ratio = close[row]! / (known.get(day[row]!) ?? Number.NaN);
    if (ratio > 0 && Number.isFinite(ratio)) common.push({ day: day[row]!, ratio });
  }
  return common;
}

/**
 * An adjusted history is told anew after each split (and, with dividends in it, after each of those): up to some day every
 * close differs by one factor, after it none does.
 */
function findRetelling(common: readonly Common[], same: number): { ratio: number; day: number } | null {
  const isSame = ({ ratio }: Common) => Math.abs(ratio - 1) <= same;
  const unchanged = common.findIndex(isSame);
  const prefix = unchanged < 0 ? common : common.slice(0, unchanged);
  if (prefix.length < RETOLD_BARS_MIN || !common.slice(prefix.length).every(isSame)) return null;
  const ratio = median(prefix.map((each) => each.ratio));
  if (prefix.some((each) => Math.abs(each.ratio / ratio - 1) > same)) return null;
  return { ratio, day: prefix.at(-1)!.day };
}

const SPLIT_TERMS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100];
/** Larger terms on both sides name a ratio that no company chose. */
const SMALLER_TERM_MAX = 4;
const SPLIT_TOLERANCE = 0.01;

/** The split (new shares for one old share) that a factor on old prices looks like; null if like none. */
export function splitOf(priceRatio: number): number | null {
  const wanted = 1 / priceRatio;
  let best: number | null = null;
  for (const above of SPLIT_TERMS) {
    for (const below of SPLIT_TERMS) {
      const ratio = above / below;
      if (ratio === 1 || Math.min(above, below) > SMALLER_TERM_MAX) continue;
      const distance = Math.abs(wanted / ratio - 1);
      if (distance <= SPLIT_TOLERANCE && (best === null || distance < Math.abs(wanted / best - 1))) best = ratio;
    }
  }
  return best;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
