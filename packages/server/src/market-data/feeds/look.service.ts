import type { LookGap, Quote, SymbolAbout } from '@touchstone/contracts/feeds';
import { dayText } from '@touchstone/quant/series/day';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Principal } from '../../platform/database/database.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { FeedContext, FeedGap, FeedQuote, OpenFeed } from './feed.ts';
import { type FeedsService, tellCredits } from './feeds.service.ts';
import type { PriceLines, Watcher } from './price-lines.ts';

export type LookDeps = { database: Database; clock: Clock; feeds: FeedsService; lines: PriceLines };
export type LookService = ReturnType<typeof createLookService>;

const NOTE = 'Looked at and not stored: these are no facts, and nothing is computed from them.';
const QUOTES_TIMEOUT_MS = 30_000;
/** It may wait a minute for credits. */
const ABOUT_TIMEOUT_MS = 100_000;
const YEAR_DAYS = 366;
const MS_PER_DAY = 86_400_000;

/** What a vendor tells at this moment, for people to look at. Nothing of it is stored. */
export function createLookService({ database, clock, feeds, lines }: LookDeps) {
  const open = (principal: Principal, id: number) =>
    database.transaction(principal, (tx) => feeds.open(tx, id), { readOnly: true });

  async function credits({ credits: budget }: OpenFeed) {
    return budget === null ? null : tellCredits(await budget.status());
  }

  /** The answer; null when it did not come in time. */
  async function inTime<T>(
    principal: Principal,
    timeoutMs: number,
    question: (context: FeedContext) => Promise<T>,
  ): Promise<T | null> {
    const signal = AbortSignal.timeout(timeoutMs);
    return question({ principal, signal, traceparent: null }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
      return null;
    });
  }

  return {
    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a feed without quotes or without its key. */
    async quotes(principal: Principal, id: number, symbols: readonly string[]) {
      const { row, opened } = await open(principal, id);
      if (opened.quotes === undefined) throw tellsNone(row.name, 'prices of this moment');
      const ask = opened.quotes;
      const asked = [...new Set(symbols)];
      const answer = (await inTime(principal, QUOTES_TIMEOUT_MS, (context) => ask(asked, context))) ?? {
        quotes: [],
        gaps: asked.map(tooLate),
      };
      return {
        ...{ quotes: answer.quotes.map(tellQuote), gaps: answer.gaps.map(tellGap) },
        ...{ note: NOTE, credits: await credits(opened) },
      };
    },

    /**
     * Prepares to watch prices. What it returns begins it, and returns what ends it.
     *
     * @throws NOT_FOUND, NOT_POSSIBLE_NOW for a feed without a stream or without its key, or for too many watchers.
     */
    async watch(principal: Principal, id: number): Promise<(watcher: Watcher) => () => void> {
      const { row, opened } = await open(principal, id);
      if (opened.stream === undefined) throw tellsNone(row.name, 'prices as they happen');
      lines.checkRoom(principal.tenantId);
      const source = {
        ...{ tenantId: principal.tenantId, sourceId: id, version: row.version, open: opened.stream },
        isAsItWas: () =>
          open(principal, id).then(
            (now) => now.row.version === row.version,
            (error: unknown) => {
              if (error instanceof ProblemError) return false;
              throw error;
            },
          ),
      };
      return (watcher) => lines.watch(source, watcher);
    },

    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a feed that tells nothing of a symbol or is without its key. */
    async about(principal: Principal, id: number, symbol: string): Promise<SymbolAbout> {
      const { row, opened } = await open(principal, id);
      if (opened.about === undefined) throw tellsNone(row.name, 'anything of a symbol but its bars');
      const ask = opened.about;
      const today = Math.floor(clock.now() / MS_PER_DAY);
      const answer = await inTime(principal, ABOUT_TIMEOUT_MS, (context) =>
        ask(symbol, today - YEAR_DAYS, today, context),
      );
      const parts = ['firstDay', 'statistics', 'splits', 'dividends'] as const;
      const told = answer ?? {
        ...{ firstDay: null, statistics: null, splits: null, dividends: null },
        gaps: parts.map((part) => ({ ...tooLate(symbol), part })),
      };
      return {
        ...{ symbol, firstDay: told.firstDay === null ? null : dayText(told.firstDay), statistics: told.statistics },
        splits: told.splits?.map((split) => ({ ...split, day: dayText(split.day) })) ?? null,
        dividends: told.dividends?.map((dividend) => ({ ...dividend, day: dayText(dividend.day) })) ?? null,
        gaps: told.gaps.map((gap) => ({ ...tellGap(gap), part: gap.part })),
        ...{ note: NOTE, credits: await credits(opened) },
      };
    },
  };
}

export function tellGap({ symbol, kind, sentence, retryAt }: FeedGap): LookGap {
  return { symbol, kind, sentence, retryAt: retryAt === null ? null : new Date(retryAt).toISOString() };
}

function tellQuote({ symbol, name, price, previousClose, currency, at, isMarketOpen }: FeedQuote): Quote {
  const isKnown = !Number.isNaN(previousClose);
  return {
    ...{ symbol, name, price, currency, isMarketOpen, at: new Date(at).toISOString() },
    previousClose: isKnown ? previousClose : null,
    change: isKnown ? price / previousClose - 1 : null,
  };
}

function tooLate(symbol: string): FeedGap {
  return { symbol, kind: 'unavailable', sentence: `${symbol}: the vendor did not answer in time.`, retryAt: null };
}

function tellsNone(name: string, what: string): ProblemError {
  return new ProblemError('NOT_POSSIBLE_NOW', `${name} does not tell ${what}.`);
}
