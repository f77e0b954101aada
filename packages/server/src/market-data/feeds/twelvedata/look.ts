import { WINDOW_MS } from '../credits/credit-bucket.ts';
import type { FeedContext, FeedGap, OpenFeed, SymbolFacts } from '../feed.ts';
import { createTwelveDataClient, systemTiming, type TwelveDataOptions } from './client.ts';
import { checkWritten } from './series.ts';
import { gapOf, VendorError } from './vendor-error.ts';

/** What a person looks at and nobody stores. */
export function createLook(options: TwelveDataOptions): Required<Pick<OpenFeed, 'quotes' | 'about'>> {
  const { timing = systemTiming } = options;
  // Whoever looks at prices now does not want those of the next minute.
  const now = createTwelveDataClient({ ...options, patienceMs: 0 });
  const patient = createTwelveDataClient({ ...options, patienceMs: options.patienceMs ?? WINDOW_MS });

  async function orGap<T>(
    symbol: string,
    { signal }: FeedContext,
    question: () => Promise<T>,
  ): Promise<{ value: T } | { gap: FeedGap }> {
    try {
      checkWritten(symbol);
      return { value: await question() };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof VendorError)) throw error;
      return { gap: gapOf(symbol, error, timing.now()) };
    }
  }

  return {
    async quotes(symbols, context) {
      const answers = await Promise.all(
        symbols.map((symbol) => orGap(symbol, context, () => now.quote(symbol, context))),
      );
      return {
        quotes: answers.flatMap((answer) =>
          'value' in answer ? [{ ...answer.value, price: answer.value.close }] : [],
        ),
        gaps: answers.flatMap((answer) => ('gap' in answer ? [answer.gap] : [])),
      };
    },

    async about(symbol, from, to, context) {
      const gaps: SymbolFacts['gaps'] = [];
      const ask = async <T>(part: SymbolFacts['gaps'][number]['part'], question: () => Promise<T>) => {
        const answer = await orGap(symbol, context, question);
        if ('value' in answer) return answer.value;
        gaps.push({ ...answer.gap, part });
        return null;
      };
      // One after another, the cheap ones first: what the credits are enough for is answered.
      const firstDay = await ask('firstDay', () => patient.earliestDay(symbol, context));
      const splits = await ask('splits', () => patient.splits(symbol, { from, to }, context));
      const dividends = await ask('dividends', () => patient.dividends(symbol, { from, to }, context));
      const statistics = await ask('statistics', () => patient.statistics(symbol, context));
      return {
        ...{ firstDay, dividends, statistics, gaps },
        splits: splits?.map(({ day, newPerOld }) => ({ day, ratio: newPerOld })) ?? null,
      };
    },
  };
}
