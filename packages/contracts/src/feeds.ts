import { z } from 'zod';
import { source } from './data.ts';
import {
  count,
  currency,
  day,
  fraction,
  id,
  idParam,
  instant,
  name,
  page,
  pageQuery,
  price,
  symbol,
  version,
} from './fields.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** Vendors that facts can be fetched from. */
export const FEEDS = ['twelvedata', 'stooq', 'ecb', 'fred', 'alfred'] as const;

/** Symbols one refresh may name. */
export const REFRESH_SYMBOLS_MAX = 5000;

export const feedName = z.enum(FEEDS).meta({
  description:
    'The vendor: TwelveData (needs a key), daily CSV in the shape of Stooq, ECB euro rates, FRED series, ALFRED vintages.',
  example: 'twelvedata',
});

const seriesName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/)
  .meta({ description: 'Name of a macro series at the vendor.', example: 'UNRATE' });

/** How a feed asks. What a feed does not use is refused. */
export const feedSettings = z.object({
  years: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .meta({ description: 'Years of history asked for when a symbol is new.', example: 5 }),
  overlapDays: z
    .int()
    .min(1)
    .max(250)
    .default(10)
    .meta({ description: 'Sessions asked again each time, so that revisions are seen.', example: 10 }),
  urlTemplate: z.string().max(500).optional().meta({
    description:
      'stooq only. https address with {symbol}, {from} and {to} (days as 20260115), or {fromDay} and {toDay} (2026-01-15). Public addresses only.',
    example: 'https://stooq.com/q/d/l/?s={symbol}.us&d1={from}&d2={to}&i=d',
  }),
  basis: z
    .enum(['raw', 'split_adjusted', 'total_return'])
    .optional()
    .meta({ description: 'stooq only: what its prices are adjusted for. Default: splits.', example: 'split_adjusted' }),
  series: z
    .array(seriesName)
    .max(500)
    .optional()
    .meta({ description: 'fred and alfred only: the series to fetch.', example: ['UNRATE'] }),
  quotes: z
    .array(currency)
    .max(100)
    .optional()
    .meta({ description: 'ecb only: the currencies to keep. Default: all.', example: ['USD', 'GBP'] }),
  creditsPerMinute: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .meta({ description: 'twelvedata only: credits a minute of the plan. Default: 8.', example: 8 }),
  creditsPerDay: z
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .meta({ description: 'twelvedata only: credits a day of the plan. Default: 800.', example: 800 }),
});
export type FeedSettings = z.output<typeof feedSettings>;

export const gapKind = z.enum(['unknown', 'empty', 'refused', 'credits', 'unavailable', 'lies']).meta({
  description:
    'unknown: the vendor does not know the symbol. empty: it has nothing for the days. refused: key or plan. credits: the budget is spent. unavailable: no good answer after retries. lies: an answer that cannot be true, and was not stored.',
  example: 'unavailable',
});

export const refreshState = z.enum(['running', 'done', 'degraded', 'failed', 'cancelled']).meta({
  description: 'degraded: it ended, and something asked for is missing. What was known before is untouched.',
  example: 'done',
});

export const refreshSummary = z.object({
  id,
  sourceId: id,
  sourceName: name,
  universeId: id.nullable(),
  taskId: id.nullable(),
  state: refreshState,
  symbolCount: count.meta({ description: 'Symbols asked for.', example: 426 }),
  currentCount: count.meta({ description: 'Symbols that were up to date and not asked.', example: 0 }),
  refreshedCount: count.meta({ description: 'Symbols with an answer that was judged and kept.', example: 426 }),
  gapCount: count.meta({ description: 'Symbols with a gap at the end of the run.', example: 0 }),
  acceptedCount: count.meta({ description: 'New rows.', example: 536000 }),
  revisedCount: count,
  quarantinedCount: count,
  caseCount: count,
  batchCount: count,
  firstDay: day.nullable(),
  lastDay: day.nullable().meta({ description: 'The last closed day it asked for.', example: '2026-01-15' }),
  sentence: z.string().meta({ description: 'What happened, for people.', example: '426 of 426 symbols refreshed.' }),
  startedAt: instant,
  finishedAt: instant.nullable(),
});
export type RefreshSummary = z.infer<typeof refreshSummary>;

export const feed = source
  .pick({ id: true, tenantId: true, code: true, name: true, calendar: true, currency: true, priceBasis: true })
  .extend({
    feed: feedName,
    gives: z.enum(['prices', 'exchange_rates', 'macro']).meta({ example: 'prices' }),
    needsKey: z.boolean().meta({ example: true }),
    hasKey: z.boolean().meta({ description: 'The key itself is never told again.', example: true }),
    settings: feedSettings,
    state: z.enum(['ready', 'no_key', 'refused', 'waiting', 'resting']).meta({
      description:
        'no_key: give it a key. refused: the vendor refuses the key or the plan. waiting: the credits are spent until `credits.resetAt`. resting: the vendor failed often and is asked again at `retryAt`.',
      example: 'ready',
    }),
    stateSentence: z.string().meta({ description: 'The state for people, and what to do.', example: 'Ready.' }),
    retryAt: instant.nullable().meta({ description: 'When asking again makes sense; null: now, or after a change.' }),
    credits: z
      .object({
        minuteLeft: count.meta({ description: 'Left this minute.', example: 8 }),
        dayLeft: count.meta({ description: 'Left today.', example: 800 }),
        perMinute: count.meta({ example: 8 }),
        perDay: count.meta({ example: 800 }),
        resetAt: instant.meta({ description: 'When the day’s credits are full again.' }),
      })
      .nullable()
      .meta({ description: 'Null for feeds without credits.' }),
    openGapCount: count,
    instrumentCount: count,
    firstDay: day.nullable(),
    lastDay: day.nullable(),
    lastRefresh: refreshSummary.nullable(),
    createdAt: instant,
    version,
  });
export type Feed = z.infer<typeof feed>;

const feedParams = z.object({ sourceId: idParam });
const key = z
  .string()
  .trim()
  .min(8)
  .max(200)
  .regex(/^[\x21-\x7e]+$/)
  .meta({
    description: 'The key of the vendor. Kept sealed, and never told again.',
    example: 'your-key-of-the-vendor',
  });

export const listFeeds = defineRoute({
  id: 'listFeeds',
  method: 'GET',
  path: '/data/feeds',
  group: 'data',
  summary: 'Vendors that facts are fetched from, with credits, state and open gaps',
  scope: 'market:read',
  status: 200,
  answer: z.object({ items: z.array(feed) }),
  problems: [],
});
export const createFeed = defineRoute({
  id: 'createFeed',
  method: 'POST',
  path: '/data/feeds',
  group: 'data',
  summary: 'Add a vendor as a source',
  scope: 'market:write',
  body: z.object({
    feed: feedName,
    code: source.shape.code.optional().meta({ description: 'Default: the vendor’s name.', example: 'twelvedata' }),
    name: name.optional(),
    calendar: source.shape.calendar.default('XNYS'),
    currency: currency.default('USD').meta({ description: 'Of prices whose currency the vendor does not tell.' }),
    key: key.optional(),
    settings: feedSettings.partial().default({}),
  }),
  status: 201,
  answer: feed,
  problems: ['ALREADY_EXISTS'],
});
export const updateFeed = defineRoute({
  id: 'updateFeed',
  method: 'PATCH',
  path: '/data/feeds/:sourceId',
  group: 'data',
  summary: 'Change the name or the settings of a feed',
  scope: 'market:write',
  params: feedParams,
  body: z.object({ name: name.optional(), settings: feedSettings.partial().optional(), version }),
  status: 200,
  answer: feed,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const rotateFeedKey = defineRoute({
  id: 'rotateFeedKey',
  method: 'PUT',
  path: '/data/feeds/:sourceId/key',
  group: 'data',
  summary: 'Give a feed its key, another key, or none',
  scope: 'market:write',
  params: feedParams,
  body: z.object({ key: key.nullable(), version }),
  status: 200,
  answer: feed,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const deleteFeed = defineRoute({
  id: 'deleteFeed',
  method: 'DELETE',
  path: '/data/feeds/:sourceId',
  group: 'data',
  summary: 'Stop fetching from a feed and forget its key. Its facts stay',
  scope: 'market:write',
  params: feedParams,
  status: 204,
  problems: ['NOT_FOUND'],
});

export const feedTest = z.object({
  works: z.boolean().meta({ example: true }),
  problem: gapKind.nullable().meta({ description: 'Null when it works.', example: null }),
  sentence: z
    .string()
    .meta({ description: 'What was found, and what to do.', example: 'The key works: 8 credits a minute, 800 a day.' }),
  credits: feed.shape.credits,
  millis: count.meta({ description: 'How long the answer took.', example: 180 }),
});
export const testFeed = defineRoute({
  id: 'testFeed',
  method: 'POST',
  path: '/data/feeds/:sourceId/test',
  group: 'data',
  summary: 'Ask the vendor one small question; costs at most one credit',
  scope: 'market:write',
  params: feedParams,
  status: 200,
  answer: feedTest,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

const what = z.object({
  universeId: id.optional().meta({ description: 'Everything of a universe.', example: 1 }),
  symbols: z
    .array(symbol)
    .min(1)
    .max(REFRESH_SYMBOLS_MAX)
    .optional()
    .meta({ description: 'Or these symbols. Feeds of rates and series need neither.', example: ['AAPL', 'MSFT'] }),
});
export const planRefresh = defineRoute({
  id: 'planRefresh',
  method: 'POST',
  path: '/data/feeds/:sourceId/plan',
  group: 'data',
  summary: 'What a refresh would ask and cost; nothing is asked',
  scope: 'market:read',
  params: feedParams,
  body: what,
  status: 200,
  answer: z.object({
    symbolCount: count.meta({ description: 'Symbols that would be asked.', example: 426 }),
    currentCount: count.meta({ description: 'Symbols that are up to date.', example: 0 }),
    newCount: count.meta({ description: 'Symbols whose whole history would be asked.', example: 426 }),
    requestCount: count.meta({ description: 'Questions to the vendor.', example: 54 }),
    credits: count.meta({ description: '0 for feeds without credits.', example: 426 }),
    minutes: z.number().min(0).meta({ description: 'How long the plan’s credits take, in minutes.', example: 54 }),
    finishesOn: day.nullable().meta({ description: 'The day its last answer comes; null without credits.' }),
    throughDay: day.meta({ description: 'The last closed day.', example: '2026-01-15' }),
    sentence: z.string().meta({ example: '426 symbols = 426 credits, 54 minutes' }),
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const startRefresh = defineRoute({
  id: 'startRefresh',
  method: 'POST',
  path: '/data/feeds/:sourceId/refreshes',
  group: 'data',
  summary: 'Fetch, judge and publish in the background; nothing known is ever lost by it',
  scope: 'market:write',
  params: feedParams,
  body: what.extend({
    universeName: name
      .optional()
      .meta({ description: 'Also make a universe of everything the feed has.', example: 'Large caps' }),
  }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const listRefreshes = defineRoute({
  id: 'listRefreshes',
  method: 'GET',
  path: '/data/refreshes',
  group: 'data',
  summary: 'Refreshes, newest first',
  scope: 'market:read',
  query: pageQuery.extend({ sourceId: idParam.optional(), universeId: idParam.optional() }),
  status: 200,
  answer: page(refreshSummary),
  problems: [],
});

export const gap = z.object({
  id,
  sourceId: id,
  sourceName: name,
  refreshId: id.meta({ description: 'The refresh that told of it last.', example: 12 }),
  symbol: z.string().meta({ description: 'Symbol, series or base currency.', example: 'ALDR' }),
  instrumentId: id.nullable(),
  kind: gapKind,
  sentence: z.string().meta({
    description: 'What is missing and why.',
    example: 'ALDR: the vendor did not answer after 4 tries.',
  }),
  fromDay: day.meta({ description: 'What is missing, from this day …' }),
  toDay: day.meta({ description: '… to this one.' }),
  retryAt: instant
    .nullable()
    .meta({ description: 'When asking again makes sense; null: after somebody changes something.' }),
  times: count.meta({ description: 'Refreshes in a row that met it.', example: 1 }),
  openedAt: instant,
  closedAt: instant.nullable().meta({ description: 'When it was filled; null while it is open.' }),
});
export type Gap = z.infer<typeof gap>;

export const getRefresh = defineRoute({
  id: 'getRefresh',
  method: 'GET',
  path: '/data/refreshes/:refreshId',
  group: 'data',
  summary: 'The report of one refresh: its deliveries, and what is missing and why',
  scope: 'market:read',
  params: z.object({ refreshId: idParam }),
  status: 200,
  answer: refreshSummary.extend({
    freshShare: fraction.meta({ description: 'Symbols without a gap over symbols asked for, 0..1.', example: 1 }),
    gaps: z.array(gap).meta({ description: 'The first 500 it left open, by symbol.' }),
    runs: z
      .array(
        z.object({
          runId: id,
          state: z.string().meta({ example: 'published' }),
          acceptedCount: count,
          revisedCount: count,
          quarantinedCount: count,
          firstDay: day.nullable(),
          lastDay: day.nullable(),
          publishedAt: instant.nullable(),
        }),
      )
      .meta({ description: 'Its deliveries, one a batch, in order; the first 500.' }),
  }),
  problems: ['NOT_FOUND'],
});
export const listGaps = defineRoute({
  id: 'listGaps',
  method: 'GET',
  path: '/data/gaps',
  group: 'data',
  summary: 'What could not be fetched and why, newest first',
  scope: 'market:read',
  query: pageQuery.extend({
    sourceId: idParam.optional(),
    universeId: idParam.optional().meta({ description: 'Only members of this universe.', example: 1 }),
    state: z.enum(['open', 'closed', 'all']).default('open').meta({ example: 'open' }),
  }),
  status: 200,
  answer: page(gap).extend({ openCount: count.meta({ description: 'Open gaps in all.', example: 3 }) }),
  problems: [],
});

/** Symbols one look at prices may name. */
export const LOOK_SYMBOLS_MAX = 8;

const symbolList = z
  .string()
  .regex(new RegExp(`^[^,\\s]{1,32}(,[^,\\s]{1,32}){0,${LOOK_SYMBOLS_MAX - 1}}$`))
  .meta({ description: `Symbols of the vendor between commas, at most ${LOOK_SYMBOLS_MAX}.`, example: 'AAPL,MSFT' });
const vendorCurrency = currency.nullable().meta({ description: 'Null: the vendor does not say.', example: 'USD' });

/** What was asked just now and not answered. Nothing is stored of it. */
export const lookGap = gap.pick({ symbol: true, kind: true, sentence: true, retryAt: true });
export type LookGap = z.infer<typeof lookGap>;

export const quote = z.object({
  symbol,
  name: z.string().nullable().meta({ description: 'As the vendor calls it.', example: 'Alder Works' }),
  price: price.meta({ description: 'The last price the vendor told, in `currency`.', example: 101.25 }),
  previousClose: price.nullable().meta({ description: 'Null: the vendor does not say.', example: 100 }),
  change: fraction.nullable().meta({
    description: 'Price over previous close minus 1, a fraction; null without a previous close.',
    example: 0.0125,
  }),
  currency: vendorCurrency,
  at: instant.meta({ description: 'When the price was told for, by the vendor; may be minutes ago.' }),
  isMarketOpen: z.boolean().nullable().meta({ description: 'Null: the vendor does not say.', example: true }),
});
export type Quote = z.infer<typeof quote>;
export const readQuotes = defineRoute({
  id: 'readQuotes',
  method: 'GET',
  path: '/data/feeds/:sourceId/quotes',
  group: 'data',
  summary: 'Prices at this moment, asked of the vendor and paid with credits. Looked at, not stored as facts',
  scope: 'market:write',
  params: feedParams,
  query: z.object({ symbols: symbolList }),
  status: 200,
  answer: z.object({
    quotes: z.array(quote).meta({ description: 'In the order asked for.' }),
    gaps: z.array(lookGap).meta({ description: 'Symbols without a quote, and why.' }),
    note: z.string().meta({
      description: 'What these prices are, for people.',
      example: 'These quotes were looked at and are not stored: they are no facts, and nothing is computed from them.',
    }),
    credits: feed.shape.credits,
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

/** One `price` of watchPrices. */
export const priceTick = z.object({ symbol, price, at: instant });
export type PriceTick = z.infer<typeof priceTick>;
export const watchPrices = defineRoute({
  id: 'watchPrices',
  method: 'GET',
  path: '/data/feeds/:sourceId/prices/events',
  group: 'data',
  summary:
    'Server-sent events: `price` {symbol, price, at} as the vendor tells them, `gap` for a symbol it does not stream or when it ends. Not stored',
  scope: 'market:write',
  params: feedParams,
  query: z.object({ symbols: symbolList }),
  gives: 'events',
  status: 200,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const symbolAbout = z.object({
  symbol,
  firstDay: day.nullable().meta({ description: 'First day the vendor has a bar of; null with a gap.' }),
  statistics: z
    .object({
      currency: vendorCurrency,
      marketCap: z.number().nullable().meta({ description: 'In `currency`.', example: 3.1e12 }),
      sharesOutstanding: z.number().nullable().meta({ example: 1.5e10 }),
      sharesFloat: z.number().nullable().meta({ example: 1.49e10 }),
      trailingPe: z.number().nullable().meta({ description: 'Price over earnings of the last year.', example: 28.4 }),
      priceToBook: z.number().nullable().meta({ example: 35.2 }),
    })
    .nullable()
    .meta({ description: 'A figure is null when the vendor does not say it; all are, with a gap.' }),
  splits: z
    .array(z.object({ day, ratio: z.number().meta({ description: 'New shares per old share.', example: 4 }) }))
    .nullable()
    .meta({ description: 'Of the last year by ex-day; null with a gap.' }),
  dividends: z
    .array(
      z.object({
        day,
        amount: price.meta({ description: 'Cash a share as paid.', example: 0.26 }),
        currency: vendorCurrency,
      }),
    )
    .nullable()
    .meta({ description: 'Of the last year by ex-day; null with a gap.' }),
  gaps: z
    .array(lookGap.extend({ part: z.enum(['firstDay', 'statistics', 'splits', 'dividends']) }))
    .meta({ description: 'What was not answered and why, such as a plan that does not cover it.' }),
  note: z.string().meta({ example: 'Looked at and not stored.' }),
  credits: feed.shape.credits,
});
export type SymbolAbout = z.infer<typeof symbolAbout>;
export const readSymbol = defineRoute({
  id: 'readSymbol',
  method: 'GET',
  path: '/data/feeds/:sourceId/symbols/:symbol',
  group: 'data',
  summary: 'What the vendor knows of one symbol; costs up to 91 credits and may wait a minute for them. Not stored',
  scope: 'market:write',
  params: feedParams.extend({ symbol }),
  status: 200,
  answer: symbolAbout,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
