// The door of the TwelveData client.
export {
  createTwelveDataClient,
  type Dividend,
  type Split,
  type Timing,
  type TwelveDataOptions,
  type Usage,
} from './client.ts';
export { createTwelveDataFeed, type TwelveDataFeed } from './feed.ts';
export { createVendorPolicies, type VendorPolicies } from './policies.ts';
export { streamPrices } from './price-stream.ts';
export { testTwelveDataKey } from './test-key.ts';
export { VendorError } from './vendor-error.ts';
