import type { Principal } from '../../platform/database/database.ts';
import type { PriceBasis } from '../price-import/judge-delivery.ts';

/** Daily bars of one symbol as a vendor told them, ascending by day; missing is NaN. */
export type FeedSeries = {
  symbol: string;
  /** ISO 4217; null when the vendor does not say. */
  currency: string | null;
  /** Days since 1970-01-01. */
  day: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
};

/** Why a symbol has no answer, or not all of it. */
export type FeedGap = {
  symbol: string;
  /**
   * `unknown`: the vendor does not know the symbol. `empty`: it knows, and has nothing for the days.
   * `refused`: key or plan. `credits`: the budget is spent. `unavailable`: no good answer after retries.
   * `lies`: an answer that cannot be true, and is not stored (future days, negative prices, another symbol, a web page).
   */
  kind: 'unknown' | 'empty' | 'refused' | 'credits' | 'unavailable' | 'lies';
  /** For the user: what is missing and why. */
  sentence: string;
  /** EpochMs when asking again makes sense; null: only after somebody changes something. */
  retryAt: number | null;
};

/** What one question brought: every symbol asked for is in one of the two. */
export type FeedBatch = { series: FeedSeries[]; gaps: FeedGap[] };

export type FeedContext = {
  principal: Principal;
  signal: AbortSignal;
  /** W3C traceparent of the work that asks. */
  traceparent: string | null;
};

/** A vendor of daily bars behind one contract. Its failures are gaps, never exceptions; only an abort is thrown. */
export type PriceFeed = {
  /** What its prices are adjusted for. */
  basis: PriceBasis;
  /** Symbols one question may name. */
  batchSize: number;
  /** Bars of `from` to `to`, both included, days since 1970-01-01. */
  fetchBars(symbols: readonly string[], from: number, to: number, context: FeedContext): Promise<FeedBatch>;
};
