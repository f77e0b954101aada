import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import { BASIC_LIMITS } from './credits/credit-bucket.ts';
import { createCredits } from './credits/credits.ts';
import { planCredits } from './credits/plan-credits.ts';
import type { FeedGap, PriceFeed } from './feed.ts';
import type { FeedOpener } from './open-feed.ts';
import { createTwelveDataFeed, createVendorPolicies, testTwelveDataKey } from './twelvedata/index.ts';
import { POLICY_LIMITS } from './twelvedata/policies.ts';

/** How a TwelveData source is opened. One breaker for the process: it is about the vendor, not about who asks. */
export function createTwelveDataOpener(database: Database, clock: Clock, baseUrl: string): FeedOpener {
  const policies = createVendorPolicies();
  return ({ principal, settings, key }) => {
    const limits = {
      minuteLimit: settings.creditsPerMinute ?? BASIC_LIMITS.minuteLimit,
      dayLimit: settings.creditsPerDay ?? BASIC_LIMITS.dayLimit,
    };
    const credits = createCredits({ database, principal, vendor: 'twelvedata', key: key ?? '', limits });
    const feed = createTwelveDataFeed({ baseUrl, key: key ?? '', credits, policies });
    const prices: PriceFeed = {
      ...{ basis: feed.basis, batchSize: feed.batchSize, fetchBars: feed.fetchBars },
      async fetchSplits(symbols, from, to, context) {
        // A plan without corporate actions says so as a gap; then the split is read off the prices.
        const { actions } = await feed.fetchSplits(symbols, from, to, context);
        return actions.flatMap(({ symbol, events }) =>
          events.map(({ day, newPerOld }) => ({ symbol, day, ratio: newPerOld })),
        );
      },
    };
    return {
      source: { prices },
      credits: {
        status: () => credits.status(),
        plan: async (symbolCount) => planCredits(symbolCount, await credits.status()),
      },
      // The breaker does not say when it opened; it is half open again after this at the latest.
      restsUntil: async () => (policies.state() === 'open' ? clock.now() + POLICY_LIMITS.halfOpenAfterMs : null),
      async probe({ signal, traceparent }): Promise<FeedGap | null> {
        const answer = await testTwelveDataKey(feed.client, { signal, traceparent });
        if ('plan' in answer) return null;
        return { symbol: '', kind: 'refused', sentence: answer.problem, retryAt: null };
      },
    };
  };
}
