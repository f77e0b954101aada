import { dayText } from '@touchstone/quant/series/day';
import type { Clock } from '../../platform/clock/clock.ts';
import { CsvRefusal, detectDialect, parsePrices, readSample, sortBySymbolAndDay } from '../csv/index.ts';
import type { PriceBasis } from '../price-import/judge-delivery.ts';
import { type AskVendor, nextMidnight } from './ask-vendor.ts';
import type { FeedContext, FeedGap, FeedSeries, PriceFeed } from './feed.ts';

export const STOOQ_URL = 'https://stooq.com/q/d/l/?s={symbol}.us&d1={from}&d2={to}&i=d';

export type StooqOptions = { ask: AskVendor; clock: Clock; urlTemplate: string; basis: PriceBasis; currency: string };

/** One question a symbol; a batch of ten is one delivery, so that little is lost when the work stops. */
const BATCH_SIZE = 10;
const RETRY_MS = 15 * 60_000;

/** Daily bars as CSV, one symbol an address, in the shape Stooq made known: Date,Open,High,Low,Close,Volume. */
export function createStooqFeed(options: StooqOptions): PriceFeed {
  return {
    basis: options.basis,
    batchSize: BATCH_SIZE,
    async fetchBars(symbols, from, to, context) {
      const series: FeedSeries[] = [];
      const gaps: FeedGap[] = [];
      for (const symbol of symbols) {
        const answer = await fetchSymbol(options, symbol, from, to, context);
        if ('kind' in answer) gaps.push(answer);
        else series.push(answer);
      }
      return { series, gaps };
    },
  };
}

async function fetchSymbol(
  { ask, clock, urlTemplate, currency }: StooqOptions,
  symbol: string,
  from: number,
  to: number,
  { signal }: FeedContext,
): Promise<FeedSeries | FeedGap> {
  const answer = await ask(new URL(fillTemplate(urlTemplate, symbol, from, to)), symbol, signal);
  if ('gap' in answer) return { symbol, ...answer.gap };
  const { text } = answer;
  const now = clock.now();
  if (/^\s*(no data|$)/i.test(text)) {
    const days = `${dayText(from)} to ${dayText(to)}`;
    return { symbol, kind: 'empty', sentence: `${symbol}: the vendor has nothing for ${days}.`, retryAt: null };
  }
  if (/exceeded the daily hits limit/i.test(text)) {
    const sentence = `${symbol}: the vendor answers no more questions today.`;
    return { symbol, kind: 'credits', sentence, retryAt: nextMidnight(now) };
  }
  try {
    return await parse(text, symbol, currency);
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error;
    const sentence = `${symbol}: the answer is no table of daily bars: ${error.sentence}`;
    return { symbol, kind: 'lies', sentence, retryAt: now + RETRY_MS };
  }
}

/** Only a symbol and days are filled in, each escaped, so that a symbol cannot change the question. */
export function fillTemplate(template: string, symbol: string, from: number, to: number): string {
  const [fromDay, toDay] = [dayText(from), dayText(to)];
  const values: Record<string, string> = {
    symbol: encodeURIComponent(symbol),
    from: fromDay.replaceAll('-', ''),
    to: toDay.replaceAll('-', ''),
    fromDay,
    toDay,
  };
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

async function parse(text: string, symbol: string, currency: string): Promise<FeedSeries> {
  const open = () => ({
    name: `${symbol}.csv`,
    chunks: (async function* () {
      yield Buffer.from(text);
    })(),
  });
  const columns = {
    date: 'Date',
    open: 'Open',
    high: 'High',
    low: 'Low',
    close: 'Close',
    symbol: null,
    adjClose: null,
  };
  const overrides = {
    ...({ separator: ',', hasHeader: true, decimal: '.', thousands: '', dateFormat: 'ymd', symbol, currency } as const),
    columns: /^[^\n]*\bVolume\b/.test(text) ? { ...columns, volume: 'Volume' } : columns,
  };
  const parsed = await parsePrices(open(), detectDialect(await readSample(open()), overrides), {
    onBadRow: 'refuse-file',
  });
  sortBySymbolAndDay(parsed);
  const { day, open: opens, high, low, close, volume } = parsed;
  return { symbol, currency, day, open: opens, high, low, close, volume };
}
