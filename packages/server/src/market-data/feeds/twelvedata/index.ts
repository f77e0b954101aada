// The door of the TwelveData client.
export { systemTiming } from './client.ts';
export { createTwelveDataFeed } from './feed.ts';
export { openTwelveData } from './open-feed.ts';
export { createVendorPolicies } from './policies.ts';
