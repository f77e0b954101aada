import { type FeedSettings, feedSettings } from '@touchstone/contracts/feeds';
import { dayNumber } from '@touchstone/quant/series/day';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Principal } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { createAskVendor } from './ask-vendor.ts';
import { createEcbFeed, ECB_URL } from './ecb-feed.ts';
import type { FeedContext, FeedGap, OpenFeed } from './feed.ts';
import type { FeedName } from './feeds.repository.ts';
import { ALFRED_URL, createAlfredFeed, createFredFeed, FRED_URL } from './fred-feed.ts';
import { AddressRefused, checkPublicUrl, createPublicFetch } from './public-fetch.ts';
import { createStooqFeed, fillTemplate, STOOQ_URL } from './stooq-feed.ts';

/** A feed as it is stored, its key opened. */
export type FeedSource = {
  principal: Principal;
  sourceId: number;
  settings: FeedSettings;
  key: string | null;
  currency: string;
};

/** How a vendor with its own client is opened. */
export type FeedOpener = (source: FeedSource) => OpenFeed;

export type FeedOpenerOptions = {
  clock: Clock;
  /** Vendors whose client lives elsewhere. Without one its feed cannot be made. */
  openers?: Partial<Record<FeedName, FeedOpener>>;
  /** Also http to this machine: doubles in tests. */
  allowLoopback?: boolean;
  /** Other places of the keyless vendors, for their doubles. */
  urls?: Partial<Record<'ecb' | 'fred' | 'alfred', string>>;
  retryDelayMs?: number;
};

export type OpenFeeds = {
  open(feed: FeedName, source: FeedSource): OpenFeed;
  /** @throws INVALID_REQUEST when the settings do not fit the feed; NOT_POSSIBLE_NOW for a vendor that is not built in. */
  check(feed: FeedName, settings: Partial<FeedSettings>): FeedSettings;
};

/** Which settings a feed has beside those of all. */
const OWN_SETTINGS: Record<FeedName, readonly string[]> = {
  twelvedata: ['creditsPerMinute', 'creditsPerDay'],
  stooq: ['urlTemplate', 'basis'],
  ecb: ['quotes'],
  fred: ['series'],
  alfred: ['series'],
};
const SHARED_SETTINGS = ['years', 'overlapDays'];
/** A symbol every vendor of American shares has. */
const PROBE_SYMBOL = 'AAPL';
const PROBE_DAYS = 10;
const MS_PER_DAY = 86_400_000;

/** Opens the vendors that need no client of their own, and those given. */
export function createOpenFeeds(options: FeedOpenerOptions): OpenFeeds {
  const { clock, openers = {}, allowLoopback = false, urls = {} } = options;
  const fetch = createPublicFetch({ allowLoopback });
  const ask = createAskVendor({
    ...{ fetch, clock },
    ...(options.retryDelayMs === undefined ? {} : { retryDelayMs: options.retryDelayMs }),
  });

  function openSource(feed: FeedName, { settings, currency }: FeedSource): OpenFeed['source'] {
    const series = settings.series ?? [];
    switch (feed) {
      case 'stooq': {
        const { urlTemplate = STOOQ_URL, basis = 'split_adjusted' } = settings;
        return { prices: createStooqFeed({ ask, clock, urlTemplate, basis, currency }) };
      }
      case 'ecb':
        return { facts: createEcbFeed({ ask, clock, url: urls.ecb ?? ECB_URL, quotes: settings.quotes ?? [] }) };
      case 'fred':
        return { facts: createFredFeed({ ask, clock, url: urls.fred ?? FRED_URL, series }) };
      case 'alfred':
        return { facts: createAlfredFeed({ ask, clock, url: urls.alfred ?? ALFRED_URL, series }) };
      case 'twelvedata':
        throw new ProblemError('NOT_POSSIBLE_NOW', 'This installation has no client for TwelveData.');
    }
  }

  return {
    open(feed, source) {
      const opener = openers[feed];
      if (opener !== undefined) return opener(source);
      const opened = openSource(feed, source);
      return {
        source: opened,
        credits: null,
        restsUntil: async () => null,
        probe: (context) => probe(opened, clock, context),
      };
    },
    check(feed, given) {
      if (feed === 'twelvedata' && openers.twelvedata === undefined)
        throw new ProblemError('NOT_POSSIBLE_NOW', 'This installation has no client for TwelveData.');
      const known = [...SHARED_SETTINGS, ...OWN_SETTINGS[feed]];
      const strange = Object.keys(given).find((name) => !known.includes(name));
      if (strange !== undefined)
        throw new ProblemError(
          'INVALID_REQUEST',
          `A feed of ${feed} has no setting ${strange}; it has ${known.join(', ')}.`,
        );
      if (given.urlTemplate !== undefined) checkTemplate(given.urlTemplate, allowLoopback);
      return feedSettings.parse(given);
    },
  };
}

/** @throws INVALID_REQUEST for an address that must not or cannot be asked. */
function checkTemplate(template: string, allowLoopback: boolean): void {
  const refuse = (sentence: string) => new ProblemError('INVALID_REQUEST', sentence);
  if (!template.includes('{symbol}')) throw refuse('The address must say where the symbol goes: {symbol}.');
  const strange = [...template.matchAll(/\{(\w*)\}/g)].find(
    ([, name = '']) => !['symbol', 'from', 'to', 'fromDay', 'toDay'].includes(name),
  );
  if (strange !== undefined)
    throw refuse(`The address has ${strange[0]}; known are {symbol}, {from}, {to}, {fromDay}, {toDay}.`);
  const text = fillTemplate(template, PROBE_SYMBOL, 0, 0);
  if (!URL.canParse(text)) throw refuse('The address is no URL.');
  // The part that names the machine is fixed: a symbol must never choose whom we ask.
  const origin = (symbol: string) => {
    const filled = fillTemplate(template, symbol, 0, 0);
    return URL.canParse(filled) ? new URL(filled).origin : null;
  };
  if (origin('a') !== origin('b') || origin('a') === null)
    throw refuse('The address may use {symbol} only after the name of the machine.');
  try {
    checkPublicUrl(new URL(text), allowLoopback);
  } catch (error) {
    if (error instanceof AddressRefused) throw refuse(error.message);
    throw error;
  }
}

async function probe(source: OpenFeed['source'], clock: Clock, context: FeedContext): Promise<FeedGap | null> {
  const today = Math.floor(clock.now() / MS_PER_DAY);
  const from = today - PROBE_DAYS;
  if ('prices' in source) {
    const { gaps } = await source.prices.fetchBars([PROBE_SYMBOL], from, today, context);
    return gaps[0] ?? null;
  }
  const symbol = source.facts.symbols[0];
  if (symbol === undefined)
    return { symbol: '', kind: 'unknown', sentence: 'No series is named in its settings.', retryAt: null };
  const question = { symbol, from: dayNumber('2020-01-01'), to: today, knownThrough: today - 1, told: new Map() };
  const { gaps } = await source.facts.fetchFacts(question, context);
  return gaps[0] ?? null;
}
