/** The door of the stage: facts in, facts out. */
export { findPriceSource, type PriceSource } from './facts/find-price-source.ts';
export {
  type ActionTellings,
  type CapTellings,
  loadActions,
  loadCaps,
  loadRates,
  type RateTellings,
} from './facts/load-small-facts.ts';
export { type BarTellings, findBars, type KnownBar, loadTellings } from './facts/read-bars.ts';
export { type ReadTime, resolveTime, type TimeQuery } from './facts/read-time.ts';
