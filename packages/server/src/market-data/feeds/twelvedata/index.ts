// The door of the TwelveData client.
export { createTwelveDataClient, systemTiming, type TwelveDataOptions } from './client.ts';
export { createTwelveDataFeed, type TwelveDataFeed } from './feed.ts';
export { openTwelveData } from './open-feed.ts';
export { createVendorPolicies, type VendorPolicies } from './policies.ts';
export { streamPrices } from './price-stream.ts';
export { testTwelveDataKey } from './test-key.ts';
export { VendorError } from './vendor-error.ts';
