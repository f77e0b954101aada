import type { Principal } from '../../platform/database/database.ts';
import type { TableFact } from '../price-import/import-table.ts';
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
  /**
   * Splits with an ex-day of `from` to `to`, for a vendor that tells them. Asked when a whole history came back at another
   * level; costs what the vendor charges. Nothing is said about symbols without one, nor about failures.
   */
  fetchSplits?(symbols: readonly string[], from: number, to: number, context: FeedContext): Promise<FeedSplit[]>;
};

/** New shares for one old share, effective at the open of `day` (days since 1970-01-01). */
export type FeedSplit = { symbol: string; day: number; ratio: number };

/** One question for facts that are no bars. */
export type FactQuestion = {
  /** A series, or whatever `symbols` of the feed names. */
  symbol: string;
  from: number;
  to: number;
  /** The last day whose state of knowledge is here already; null at first. Feeds with vintages go on from it. */
  knownThrough: number | null;
  /** The latest value told of each day; null where the source said that there is none. */
  told: ReadonlyMap<number, number | null>;
};

/** A vendor of exchange rates or macro series. Its failures are gaps, never exceptions; only an abort is thrown. */
export type FactFeed = {
  kind: 'exchange_rates' | 'macro';
  /** What it fetches when nobody names anything. */
  symbols: readonly string[];
  fetchFacts(question: FactQuestion, context: FeedContext): Promise<{ facts: TableFact[]; gaps: FeedGap[] }>;
};

export type FeedCredits = {
  minuteLeft: number;
  dayLeft: number;
  minuteLimit: number;
  dayLimit: number;
  /** EpochMs. */
  dayResetsAt: number;
};

/** What some symbols cost. */
export type FeedPlan = {
  credits: number;
  minutes: number;
  /** Days of the vendor it takes, today included. */
  days: number;
  sentence: string;
};

/** A price at this moment, to look at; never stored as a fact. */
export type FeedQuote = {
  symbol: string;
  name: string | null;
  price: number;
  /** Missing is NaN. */
  previousClose: number;
  /** ISO 4217; null when the vendor does not say. */
  currency: string | null;
  /** EpochMs of the price, as the vendor tells it. */
  at: number;
  isMarketOpen: boolean | null;
};

/** One price as it happened, in the currency of the symbol's quotes. */
export type PriceTick = {
  symbol: string;
  price: number;
  /** EpochMs, to the second. */
  at: number;
};

/** Prices as they happen, over one connection to the vendor. */
export type PriceStream = {
  add(symbols: readonly string[]): void;
  remove(symbols: readonly string[]): void;
  /** Until its signal is aborted. A gap is a symbol that is not streamed; one about no symbol says why all ends. */
  news(): AsyncGenerator<{ tick: PriceTick } | { gap: FeedGap }>;
};

/** What a vendor knows of one symbol. Null where a gap says why. */
export type SymbolFacts = {
  /** Days since 1970-01-01. */
  firstDay: number | null;
  statistics: {
    currency: string | null;
    /** Null: the vendor does not say. */
    marketCap: number | null;
    sharesOutstanding: number | null;
    sharesFloat: number | null;
    trailingPe: number | null;
    priceToBook: number | null;
  } | null;
  splits: Omit<FeedSplit, 'symbol'>[] | null;
  /** Cash a share as paid, by ex-day. */
  dividends: { day: number; amount: number; currency: string | null }[] | null;
  gaps: (FeedGap & { part: 'firstDay' | 'statistics' | 'splits' | 'dividends' })[];
};

/** A vendor opened with its settings and its key. */
export type OpenFeed = {
  source: { prices: PriceFeed } | { facts: FactFeed };
  /** Null for a vendor without credits. */
  credits: { status(): Promise<FeedCredits>; plan(symbolCount: number): Promise<FeedPlan> } | null;
  /** EpochMs until which a vendor that failed often is left alone; null: it is asked. */
  restsUntil(): Promise<number | null>;
  /** Asks one small question. Null when the answer was good. */
  probe(context: FeedContext): Promise<FeedGap | null>;
  /** Prices now, for a vendor that tells them. Every symbol asked for is in one of the two. */
  quotes?(symbols: readonly string[], context: FeedContext): Promise<{ quotes: FeedQuote[]; gaps: FeedGap[] }>;
  /** Prices as they happen, for a vendor that tells them. */
  stream?(signal: AbortSignal): PriceStream;
  /** One symbol, with its splits and dividends of `from` to `to`, for a vendor that tells them. */
  about?(symbol: string, from: number, to: number, context: FeedContext): Promise<SymbolFacts>;
};
