import { dayNumber } from '@touchstone/quant/series/day';
import type { Clock } from '../../platform/clock/clock.ts';
import { CsvRefusal, parseTable } from '../csv/index.ts';
import { rateKnownAt, type TableFact } from '../price-import/import-table.ts';
import type { AskVendor } from './ask-vendor.ts';
import type { FactFeed, FactQuestion, FeedGap } from './feed.ts';

/** The whole history since 1999 as one table in an archive, renewed every working day at about 16:00 in Frankfurt. */
export const ECB_URL = 'https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip';

export type EcbOptions = {
  ask: AskVendor;
  clock: Clock;
  url: string;
  /** Currencies to keep; empty: all. */
  quotes: readonly string[];
};

const RETRY_MS = 15 * 60_000;

/** Euro reference rates: units of each currency for one euro, known at 16:00 in Frankfurt of their day. */
export function createEcbFeed({ ask, clock, url, quotes }: EcbOptions): FactFeed {
  const wanted = new Set(quotes);
  return {
    kind: 'exchange_rates',
    symbols: ['EUR'],
    async fetchFacts({ symbol, from, to }: FactQuestion, { signal }) {
      const answer = await ask(new URL(url), 'Euro reference rates', signal);
      if ('gap' in answer) return { facts: [], gaps: [{ symbol, ...answer.gap }] };
      const lie = (sentence: string): { facts: TableFact[]; gaps: FeedGap[] } => ({
        facts: [],
        gaps: [
          { symbol, kind: 'lies', sentence: `Euro reference rates: ${sentence}`, retryAt: clock.now() + RETRY_MS },
        ],
      });
      try {
        const source = { name: 'eurofxref-hist.csv', chunks: textChunks(answer.text) };
        const { rows, errorCount, errors } = await parseTable(source, 'exchange-rates', {
          ...{ base: 'EUR', dateFormat: 'ymd', decimal: '.', onBadRow: 'keep-good' },
        });
        if (errorCount > 0) return lie(`${errorCount} rows cannot be read; the first: ${errors[0]?.sentence ?? ''}`);
        const late = rows.find(({ day }) => rateKnownAt('EUR', day) > clock.now() + MS_PER_DAY);
        if (late !== undefined) return lie(`a rate is dated ${late.day}, which has not come yet.`);
        const bad = rows.find(({ rate }) => !(rate > 0));
        if (bad !== undefined) return lie(`a rate of ${bad.quote} on ${bad.day} is ${bad.rate}.`);
        const facts = rows
          .filter(
            ({ day, quote }) =>
              dayNumber(day) >= from && dayNumber(day) <= to && (wanted.size === 0 || wanted.has(quote)),
          )
          .map(({ line, base, quote, day, rate }): TableFact => {
            return { table: 0, line, declaredAt: rateKnownAt(base, day), values: { base, quote, day, value: rate } };
          });
        return { facts, gaps: [] };
      } catch (error) {
        if (error instanceof CsvRefusal) return lie(error.sentence);
        throw error;
      }
    },
  };
}

const MS_PER_DAY = 86_400_000;

/** A text as the CSV library takes a file. */
export async function* textChunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
