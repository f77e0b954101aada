import { planCredits } from '../credits/plan-credits.ts';
import type { OpenFeed } from '../feed.ts';
import { systemTiming, type TwelveDataOptions } from './client.ts';
import { createTwelveDataFeed } from './feed.ts';
import { createLook } from './look.ts';
import { createPriceStream } from './price-stream.ts';
import { gapOf, VendorError } from './vendor-error.ts';

/** What the vendor's own endpoint of a key is called in a gap: it has no symbol. */
const KEY_SYMBOL = '';

/** TwelveData opened with a key, as the refresh wants a vendor. */
export function openTwelveData(options: TwelveDataOptions): OpenFeed {
  const { credits, policies, timing = systemTiming } = options;
  const feed = createTwelveDataFeed(options);
  return {
    source: { prices: feed },
    credits: {
      status: () => credits.status(),
      plan: async (symbolCount) => planCredits(symbolCount, await credits.status()),
    },
    restsUntil: async () => policies.restsUntil(),
    async probe(context) {
      try {
        await feed.client.usage(context);
        return null;
      } catch (error) {
        context.signal.throwIfAborted();
        if (!(error instanceof VendorError)) throw error;
        return gapOf(KEY_SYMBOL, error, timing.now());
      }
    },
    ...createLook(options),
    stream(signal) {
      const stream = createPriceStream({ ...options, signal });
      return {
        ...stream,
        async *news() {
          try {
            yield* stream.news();
          } catch (error) {
            if (!(error instanceof VendorError)) throw error;
            yield { gap: gapOf(KEY_SYMBOL, error, timing.now()) };
          }
        },
      };
    },
  };
}
