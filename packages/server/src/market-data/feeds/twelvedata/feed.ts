import { dayText } from '@touchstone/quant/series/day';
import type { FeedBatch, FeedContext, FeedGap, FeedSeries, FeedSplit, PriceFeed } from '../feed.ts';
import {
  createTwelveDataClient,
  PATIENCE_MS,
  type SeriesOutcome,
  systemTiming,
  type TwelveDataClient,
  type TwelveDataOptions,
} from './client.ts';
import { checkWritten, type DaySpan, type SeriesPage } from './series.ts';
import { gapOf, VendorError } from './vendor-error.ts';

export type TwelveDataFeed = Omit<PriceFeed, 'fetchSplits'> & {
  /** Costs 20 credits a symbol and a plan above the basic one. */
  fetchSplits(symbols: readonly string[], from: number, to: number, context: FeedContext): Promise<FeedSplit[]>;
  /** The endpoints beyond the contract. */
  client: TwelveDataClient;
};

/** One call of `fetchBars` under way. */
type Work = {
  span: DaySpan;
  context: FeedContext;
  series: FeedSeries[];
  gaps: FeedGap[];
  /** What may be answered when asked once more. */
  again: Set<string>;
  /** How long it may still wait for credits. */
  patience: { leftMs: number };
};

/** Most symbols the vendor takes in one question. */
const BATCH_SYMBOLS_MAX = 120;
/** Pages of 5,000 bars of one symbol: more than the life of any market. */
const PAGES_MAX = 20;

/**
 * Daily bars of TwelveData behind the contract of a price feed.
 *
 * Prices are adjusted for splits, not for dividends. Asks for as many symbols at once as there are credits in the minute,
 * and waits for the next minute while `patienceMs` lasts; what the day has no credits for is a gap. A lie, an empty answer
 * and a symbol that was left out are asked for once more.
 */
export function createTwelveDataFeed(options: TwelveDataOptions): TwelveDataFeed {
  const client = createTwelveDataClient(options);
  const { credits, timing = systemTiming } = options;

  const toGap = (symbol: string, error: unknown, signal: AbortSignal): FeedGap => {
    signal.throwIfAborted();
    if (error instanceof VendorError) return gapOf(symbol, error, timing.now());
    throw error;
  };

  /** One answer about some of the symbols, as many as there are credits for. */
  async function askSome(
    symbols: readonly string[],
    { span, context, patience }: Work,
  ): Promise<{ outcomes: Map<string, SeriesOutcome>; failure: VendorError | null }> {
    const granted = await reserveSome(Math.min(symbols.length, BATCH_SYMBOLS_MAX), context.signal, patience);
    const asked = symbols.slice(0, granted);
    try {
      return { outcomes: await client.timeSeries(asked, span, context, { isPaid: true }), failure: null };
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof VendorError)) throw error;
      return { outcomes: sameForAll(asked, error), failure: error };
    }
  }

  /** Takes at least one credit, waiting for the next minute while patience lasts. @throws VendorError `credits`. */
  async function reserveSome(wanted: number, signal: AbortSignal, patience: { leftMs: number }): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const answer = await credits.reserve(wanted, { atLeast: 1 });
      if (!('retryAt' in answer)) return answer.granted;
      const waitMs = Math.max((answer.retryAt ?? 0) - timing.now(), 20);
      if (answer.limit !== 'minute' || answer.retryAt === null || waitMs > patience.leftMs) {
        const sentence = `The credits of the TwelveData key are spent for the ${answer.limit}.`;
        throw new VendorError('credits', sentence, { retryAt: answer.retryAt });
      }
      patience.leftMs -= waitMs;
      await timing.sleep(waitMs, signal);
    }
  }

  /** Earlier pages of a symbol whose first answer was full. */
  async function pageBack(
    symbol: string,
    first: SeriesPage,
    from: number,
    context: FeedContext,
  ): Promise<{ series: FeedSeries; gap: FeedGap | null }> {
    const pages = [first];
    for (let page = first; page.isFull && page.firstDay! > from && pages.length < PAGES_MAX; page = pages[0]!) {
      const to = page.firstDay! - 1;
      try {
        const outcome = (await client.timeSeries([symbol], { from, to }, context)).get(symbol)!;
        if ('page' in outcome) pages.unshift(outcome.page);
        // Nothing before: the history simply begins here.
        else if (outcome.error.kind === 'empty') break;
        else throw outcome.error;
      } catch (error) {
        const gap = toGap(symbol, error, context.signal);
        const sentence = `Days before ${dayText(to + 1)} are missing. ${gap.sentence}`;
        return { series: joinPages(pages), gap: { ...gap, sentence } };
      }
    }
    return { series: joinPages(pages), gap: null };
  }

  /** Asks for the symbols of a queue until it is empty: each becomes a series, a gap, or is kept for another try. */
  async function empty(queue: Set<string>, work: Work): Promise<void> {
    while (queue.size > 0) {
      const { outcomes, failure } = await askSome([...queue], work).catch((error: unknown) => {
        work.context.signal.throwIfAborted();
        if (!(error instanceof VendorError)) throw error;
        return { outcomes: sameForAll(queue, error), failure: error };
      });
      for (const [symbol, outcome] of outcomes) {
        queue.delete(symbol);
        // A question that failed as a whole was asked again already.
        await settle(symbol, outcome, work, queue !== work.again && failure === null);
      }
      if (failure === null || !(failure.endsAll || failure.spent === 'day')) continue;
      for (const [symbol, outcome] of sameForAll(queue, failure)) await settle(symbol, outcome, work, false);
      queue.clear();
    }
  }

  async function settle(symbol: string, outcome: SeriesOutcome, work: Work, mayAskAgain: boolean): Promise<void> {
    if ('page' in outcome) {
      const { series, gap } = await pageBack(symbol, outcome.page, work.span.from, work.context);
      if (series.day.length > 0) work.series.push(series);
      if (gap !== null) work.gaps.push(gap);
    } else if (mayAskAgain && outcome.error.isPassing) {
      if (outcome.error.spent !== null) await credits.markSpent(outcome.error.spent);
      work.again.add(symbol);
    } else {
      work.gaps.push(toGap(symbol, outcome.error, work.context.signal));
    }
  }

  return {
    basis: 'split_adjusted',
    batchSize: Math.max(1, Math.min(BATCH_SYMBOLS_MAX, credits.limits.minuteLimit)),
    client,

    async fetchBars(symbols, from, to, context): Promise<FeedBatch> {
      const work: Work = {
        ...{ span: { from, to }, context, series: [], gaps: [], again: new Set<string>() },
        patience: { leftMs: options.patienceMs ?? PATIENCE_MS },
      };
      const asked = new Set<string>();
      for (const symbol of new Set(symbols)) {
        try {
          checkWritten(symbol);
          asked.add(symbol);
        } catch (error) {
          work.gaps.push(toGap(symbol, error, context.signal));
        }
      }
      await empty(asked, work);
      await empty(work.again, work);
      return { series: work.series, gaps: work.gaps };
    },

    async fetchSplits(symbols, from, to, context) {
      const found: FeedSplit[] = [];
      for (const symbol of new Set(symbols)) {
        try {
          checkWritten(symbol);
          const splits = await client.splits(symbol, { from, to }, context);
          found.push(...splits.map(({ day, newPerOld }) => ({ symbol, day, ratio: newPerOld })));
        } catch (error) {
          const { kind } = toGap(symbol, error, context.signal);
          // A plan that does not cover it, or a day without credits, is the same for every other symbol.
          if (kind === 'credits' || kind === 'refused') break;
        }
      }
      return found;
    },
  };
}

function sameForAll(symbols: Iterable<string>, error: VendorError): Map<string, SeriesOutcome> {
  return new Map([...symbols].map((symbol) => [symbol, { error }]));
}

/** Pages of one symbol, oldest first, as one series. */
function joinPages(pages: readonly SeriesPage[]): FeedSeries {
  const all = pages.map(({ series }) => series);
  const last = all.at(-1)!;
  if (all.length === 1) return last;
  const count = all.reduce((sum, { day }) => sum + day.length, 0);
  const joined: FeedSeries = {
    ...{ symbol: last.symbol, currency: last.currency, day: new Int32Array(count) },
    ...{ open: new Float64Array(count), high: new Float64Array(count), low: new Float64Array(count) },
    ...{ close: new Float64Array(count), volume: new Float64Array(count) },
  };
  let at = 0;
  for (const series of all) {
    joined.day.set(series.day, at);
    for (const field of ['open', 'high', 'low', 'close', 'volume'] as const) joined[field].set(series[field], at);
    at += series.day.length;
  }
  return joined;
}
