import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/database/database.ts';
import { BASIC_LIMITS } from './credits/credit-bucket.ts';
import { createCredits } from './credits/credits.ts';
import type { FeedOpener } from './open-feed.ts';
import { createVendorPolicies, openTwelveData, systemTiming } from './twelvedata/index.ts';

/** How a TwelveData source is opened. One breaker for the process: it is about the vendor, not about who asks. */
export function createTwelveDataOpener(database: Database, clock: Clock, baseUrl: string): FeedOpener {
  const policies = createVendorPolicies();
  return ({ principal, settings, key }) => {
    const limits = {
      minuteLimit: settings.creditsPerMinute ?? BASIC_LIMITS.minuteLimit,
      dayLimit: settings.creditsPerDay ?? BASIC_LIMITS.dayLimit,
    };
    const credits = createCredits({ database, principal, vendor: 'twelvedata', key: key ?? '', limits });
    return openTwelveData({
      baseUrl,
      key: key ?? '',
      credits,
      policies,
      timing: { ...systemTiming, now: () => clock.now() },
    });
  };
}
