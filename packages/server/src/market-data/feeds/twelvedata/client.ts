import { setTimeout as pause } from 'node:timers/promises';
import { dayText } from '@touchstone/quant/series/day';
import { type Dispatcher, fetch } from 'undici';
import type { z } from 'zod';
import { WINDOW_MS } from '../credits/credit-bucket.ts';
import type { Credits } from '../credits/credits.ts';
import type { FeedContext } from '../feed.ts';
import {
  checkShape,
  dividendsSchema,
  earliestSchema,
  errorSchema,
  exchangeRateSchema,
  priceSchema,
  quoteSchema,
  splitsSchema,
  statisticsSchema,
  usageSchema,
} from './answers.ts';
import type { VendorPolicies } from './policies.ts';
import { readMembers } from './read-members.ts';
import {
  checkSymbol,
  currencyUnit,
  type DaySpan,
  PAGE_BARS_MAX,
  readDay,
  readNumber,
  readPositive,
  readSeries,
  type SeriesPage,
} from './series.ts';
import { errorOf, lie, VendorError } from './vendor-error.ts';

/** Time and chance, so that tests need not wait. */
export type Timing = {
  /** EpochMs. */
  now(): number;
  /** @throws the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Uniform in [0, 1), for the jitter of retries. */
  random(): number;
};

export const systemTiming: Timing = {
  now: Date.now,
  async sleep(ms, signal) {
    // Its own error of an abort hides the reason.
    await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  },
  random: Math.random,
};

export type TwelveDataOptions = {
  /** From the configuration only: nothing a user says may choose where the key is sent. */
  baseUrl: string;
  key: string;
  credits: Credits;
  policies: VendorPolicies;
  /** How connections are made, for tests. */
  dispatcher?: Dispatcher;
  timing?: Timing;
  /** How long one question may wait for credits of a later minute. */
  patienceMs?: number;
};

/** Who asks: for the abort and the trace. */
export type Asker = Pick<FeedContext, 'signal' | 'traceparent'>;

/** Credits of one symbol, by the vendor's documentation. */
export const WEIGHTS = {
  ...{ time_series: 1, quote: 1, price: 1, exchange_rate: 1, earliest_timestamp: 1, api_usage: 1 },
  ...{ splits: 20, dividends: 20, statistics: 50 },
} as const;
type Endpoint = keyof typeof WEIGHTS;

export type Quote = {
  symbol: string;
  name: string | null;
  exchange: string | null;
  currency: string | null;
  /** Missing is NaN. */
  open: number;
  high: number;
  low: number;
  close: number;
  previousClose: number;
  volume: number;
  /** EpochMs. */
  at: number;
  isMarketOpen: boolean | null;
};
export type Split = {
  /** Ex-day, days since 1970-01-01. */
  day: number;
  /** New shares per old share: 4 for a 4-for-1 split. */
  newPerOld: number;
};
export type Dividend = {
  /** Ex-day, days since 1970-01-01. */
  day: number;
  /** Cash per share as it was paid, not adjusted for later splits. */
  amount: number;
  currency: string | null;
};
export type Statistics = {
  symbol: string;
  currency: string | null;
  /** Null: the vendor does not say. */
  marketCap: number | null;
  sharesOutstanding: number | null;
  sharesFloat: number | null;
  trailingPe: number | null;
  priceToBook: number | null;
};
export type Usage = {
  planName: string | null;
  minuteLimit: number;
  minuteUsed: number;
  /** Null: the plan has no limit of the day. */
  dayLimit: number | null;
  dayUsed: number | null;
};

/** What came of one symbol of a question about several. */
export type SeriesOutcome = { page: SeriesPage } | { error: VendorError };

/** TwelveData's HTTP API, checked and typed. Every method throws VendorError, or the reason of an abort. */
export type TwelveDataClient = ReturnType<typeof createTwelveDataClient>;

/** Long enough for one full minute, wherever it stands. */
export const PATIENCE_MS = 2 * WINDOW_MS;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 8000;
/** Of a message of the vendor, in a sentence for the user. */
const MESSAGE_LENGTH_MAX = 200;
/** From a split's ratio to the one of its factors. */
const RATIO_TOLERANCE = 0.01;

export function createTwelveDataClient(options: TwelveDataOptions) {
  const { baseUrl, key, credits, policies, dispatcher, timing = systemTiming, patienceMs = PATIENCE_MS } = options;

  /** Takes credits for one attempt, waiting for the next minute while patience lasts. */
  async function takeCredits(wanted: number, patience: { leftMs: number }, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const answer = await credits.reserve(wanted);
      if (answer.granted > 0) return;
      if (!('retryAt' in answer)) throw new Error('a reservation must be granted or refused');
      if (answer.limit === 'plan' || answer.retryAt === null) {
        const { minuteLimit, dayLimit } = credits.limits;
        const sentence = `The question costs ${wanted} credits; the plan allows ${minuteLimit} a minute and ${dayLimit} a day.`;
        throw new VendorError('refused', sentence);
      }
      const waitMs = await untilCredits(answer.retryAt, answer.limit, patience.leftMs);
      patience.leftMs -= waitMs;
      await timing.sleep(waitMs, signal);
    }
  }

  /** How long to wait for credits. @throws VendorError `credits` when that is more than patience allows. */
  async function untilCredits(retryAt: number, limit: 'minute' | 'day', leftMs: number): Promise<number> {
    // The time told is the database's; a clock that differs asks again, at most once a window.
    const waitMs = Math.min(Math.max(retryAt - timing.now(), MIN_WAIT_MS), WINDOW_MS);
    if (limit === 'minute' && waitMs <= leftMs) return waitMs;
    throw new VendorError('credits', `The credits of the TwelveData key are spent for the ${limit}.`, { retryAt });
  }

  /**
   * One question, asked again while it may help.
   *
   * @param read Turns the members of the answer into a result; what it throws is judged like a failure of the vendor.
   * @param isPaid The credits of the first attempt are taken already.
   */
  async function ask<T>(
    endpoint: Endpoint,
    parameters: Record<string, string>,
    { signal, traceparent }: Asker,
    read: (members: AsyncIterable<[string, unknown]>) => Promise<T>,
    { symbolCount = 1, isPaid = false } = {},
  ): Promise<T> {
    const patience = { leftMs: patienceMs };
    const about = symbolCount === 1 ? (parameters.symbol ?? null) : null;
    const url = new URL(`${endpoint}?${new URLSearchParams(parameters)}`, withSlash(baseUrl));
    try {
      return await policies.run(
        {
          async prepare(attempt) {
            if (attempt > 0) await timing.sleep(backoffMs(attempt, timing.random()), signal);
            if (attempt > 0 || !isPaid) await takeCredits(WEIGHTS[endpoint] * symbolCount, patience, signal);
          },
          ask: (attemptSignal) => send({ url, about, traceparent }, attemptSignal, read),
        },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async function send<T>(
    { url, about, traceparent }: { url: URL; about: string | null; traceparent: string | null },
    signal: AbortSignal,
    read: (members: AsyncIterable<[string, unknown]>) => Promise<T>,
  ): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json', authorization: `apikey ${key}` };
    if (traceparent !== null) headers.traceparent = traceparent;
    try {
      // A redirect would take the key to another place.
      const init = { headers, signal, redirect: 'manual' as const };
      const response = await fetch(url, dispatcher === undefined ? init : { ...init, dispatcher });
      const body: AsyncIterable<Uint8Array> = response.body ?? emptyBody();
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new VendorError('unavailable', `TwelveData answered with a redirect (${response.status}).`, {
          ...{ isPassing: true, isOutage: true },
        });
      }
      if (!response.ok) throw await failureOf(response.status, about, body);
      return await read(readMembers(body));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof VendorError) {
        if (error.spent !== null) await credits.markSpent(error.spent);
        throw error;
      }
      // Of the cause only its code: other fields of a network error may hold the request.
      const sentence = `TwelveData could not be reached (${networkCode(error)}).`;
      throw new VendorError('unavailable', sentence, { isPassing: true, isOutage: true });
    }
  }

  /** The error a status that is not 2xx stands for; its body may say more. */
  async function failureOf(
    status: number,
    about: string | null,
    body: AsyncIterable<Uint8Array>,
  ): Promise<VendorError> {
    try {
      const members = await collect(readMembers(body));
      return vendorErrorIn(members, about) ?? errorOf(status, '', about);
    } catch (error) {
      if (!(error instanceof VendorError)) throw error;
      return errorOf(status, '', about);
    }
  }

  /** The vendor's own error, if the value is one: it comes with a status of 200 too, and within answers about several. */
  function vendorErrorIn(value: unknown, symbol: string | null): VendorError | null {
    const parsed = errorSchema.safeParse(value);
    if (!parsed.success) return null;
    const message = (parsed.data.message ?? '').replaceAll(key, '[hidden]').slice(0, MESSAGE_LENGTH_MAX).trim();
    return errorOf(parsed.data.code ?? 500, message, symbol);
  }

  /** A question about one thing: its members together have a shape. */
  function askOne<T extends z.ZodType>(
    endpoint: Endpoint,
    parameters: Record<string, string>,
    asker: Asker,
    schema: T,
  ): Promise<z.output<T>> {
    return ask(endpoint, parameters, asker, async (members) => {
      const answer = await collect(members);
      const failure = vendorErrorIn(answer, parameters.symbol ?? null);
      if (failure !== null) throw failure;
      return checkShape(schema, answer);
    });
  }

  /** Looks for lies in a checked answer; asks once more when it finds one, because the fault may pass. */
  async function believe<T, R>(question: () => Promise<T>, look: (answer: T) => R): Promise<R> {
    const answer = await question();
    try {
      return look(answer);
    } catch (error) {
      if (!(error instanceof VendorError && error.kind === 'lies')) throw error;
      return look(await question());
    }
  }

  return {
    /**
     * Daily bars of several symbols, at most 5,000 each, the newest of the span. Adjusted for splits.
     *
     * @returns For every symbol its page or why there is none.
     */
    async timeSeries(
      symbols: readonly string[],
      span: DaySpan,
      asker: Asker,
      { isPaid = false } = {},
    ): Promise<Map<string, SeriesOutcome>> {
      const parameters = {
        ...{ symbol: symbols.join(','), interval: '1day', outputsize: String(PAGE_BARS_MAX), order: 'DESC' },
        // The end may be meant as that day's midnight; a day too many is cut off afterwards.
        ...{ start_date: dayText(span.from), end_date: dayText(span.to + 1), adjust: 'splits', format: 'JSON' },
      };
      return ask('time_series', parameters, asker, (members) => readBatch(symbols, members, span), {
        ...{ symbolCount: symbols.length, isPaid },
      });
    },

    async quote(symbol: string, asker: Asker): Promise<Quote> {
      const question = () => askOne('quote', { symbol }, asker, quoteSchema);
      return believe(question, (answer) => {
        checkSymbol(symbol, answer.symbol);
        const { currency, scale } = currencyUnit(answer.currency);
        const read = (name: string, value: string | number | null | undefined) =>
          value === null || value === undefined ? Number.NaN : readPositive(symbol, name, value) / scale;
        const at = readInstant(symbol, answer.last_quote_at ?? answer.timestamp);
        return {
          ...{ symbol, name: answer.name ?? null, exchange: answer.exchange ?? null, currency, at },
          ...{ open: read('open', answer.open), high: read('high', answer.high), low: read('low', answer.low) },
          ...{ close: read('close', answer.close), previousClose: read('previous close', answer.previous_close) },
          volume:
            answer.volume === null || answer.volume === undefined ? Number.NaN : readVolume(symbol, answer.volume),
          isMarketOpen: answer.is_market_open ?? null,
        };
      });
    },

    /** The latest price, in the currency the vendor quotes, which this answer does not name. */
    async price(symbol: string, asker: Asker): Promise<number> {
      const question = () => askOne('price', { symbol }, asker, priceSchema);
      return believe(question, ({ price }) => readPositive(symbol, 'price', price));
    },

    /** Units of `quote` for one unit of `base`. */
    async exchangeRate(base: string, quote: string, asker: Asker): Promise<{ rate: number; at: number }> {
      const symbol = `${base}/${quote}`;
      const question = () => askOne('exchange_rate', { symbol }, asker, exchangeRateSchema);
      return believe(question, (answer) => {
        checkSymbol(symbol, answer.symbol);
        return { rate: readPositive(symbol, 'rate', answer.rate), at: readInstant(symbol, answer.timestamp) };
      });
    },

    /** Splits with their ex-day in the span, ascending. Not part of the basic plan. */
    async splits(symbol: string, span: DaySpan, asker: Asker): Promise<Split[]> {
      const parameters = { symbol, start_date: dayText(span.from), end_date: dayText(span.to) };
      const question = () => askOne('splits', parameters, asker, splitsSchema);
      return believe(question, ({ meta, splits }) => {
        checkSymbol(symbol, meta.symbol);
        const read = splits.map(({ date, ratio, from_factor: newShares, to_factor: oldShares }) => {
          const day = readDay(symbol, date, timing.now() + ANNOUNCED_AHEAD_MS);
          const newPerOld =
            readPositive(symbol, `split on ${date}`, newShares) / readPositive(symbol, `split on ${date}`, oldShares);
          // The documented ratio is old shares per new one: 0.25 for a 4-for-1 split.
          if (ratio !== null && ratio !== undefined && Math.abs(ratio * newPerOld - 1) > RATIO_TOLERANCE) {
            throw lie(`TwelveData told a split of “${symbol}” on ${date} whose ratio and factors differ.`);
          }
          return { day, newPerOld };
        });
        return sortedEvents(symbol, read, span, () => true);
      });
    },

    /** Cash dividends with their ex-day in the span, ascending, as they were paid; of one day as a sum. Not part of the basic plan. */
    async dividends(symbol: string, span: DaySpan, asker: Asker): Promise<Dividend[]> {
      const parameters = {
        ...{ symbol, start_date: dayText(span.from), end_date: dayText(span.to), adjust: 'false' },
      };
      const question = () => askOne('dividends', parameters, asker, dividendsSchema);
      return believe(question, ({ meta, dividends }) => {
        checkSymbol(symbol, meta.symbol);
        const { currency, scale } = currencyUnit(meta.currency);
        const read = dividends.map(({ ex_date: date, amount }) => ({
          day: readDay(symbol, date, timing.now() + ANNOUNCED_AHEAD_MS),
          amount: readPositive(symbol, `dividend on ${date}`, amount) / scale,
          currency,
        }));
        return sumByDay(sortedEvents(symbol, read, span, (a, b) => a.amount === b.amount));
      });
    },

    /** First day the vendor has a daily bar of, days since 1970-01-01. */
    async earliestDay(symbol: string, asker: Asker): Promise<number> {
      const question = () => askOne('earliest_timestamp', { symbol, interval: '1day' }, asker, earliestSchema);
      return believe(question, ({ datetime }) => readDay(symbol, datetime.slice(0, 10), timing.now()));
    },

    /** Not part of the basic plan. */
    async statistics(symbol: string, asker: Asker): Promise<Statistics> {
      const question = () => askOne('statistics', { symbol }, asker, statisticsSchema);
      return believe(question, ({ meta, statistics }) => {
        checkSymbol(symbol, meta.symbol);
        const { valuations_metrics: valuation, stock_statistics: stock } = statistics;
        const positive = (name: string, value: number | null | undefined) =>
          value === null || value === undefined ? null : readPositive(symbol, name, value);
        return {
          ...{ symbol, currency: currencyUnit(meta.currency).currency },
          marketCap: positive('market capitalisation', valuation?.market_capitalization),
          sharesOutstanding: positive('shares outstanding', stock?.shares_outstanding),
          sharesFloat: positive('shares in free float', stock?.float_shares),
          // A loss makes the first of these negative, and negative equity the second.
          trailingPe: valuation?.trailing_pe ?? null,
          priceToBook: valuation?.price_to_book_mrq ?? null,
        };
      });
    },

    /** What the plan allows and what is used, as the vendor counts. */
    async usage(asker: Asker): Promise<Usage> {
      const answer = await askOne('api_usage', {}, asker, usageSchema);
      return {
        ...{ planName: answer.plan_category ?? null, minuteLimit: answer.plan_limit, minuteUsed: answer.current_usage },
        ...{ dayLimit: answer.plan_daily_limit ?? null, dayUsed: answer.daily_usage ?? null },
      };
    },
  };

  async function readBatch(
    symbols: readonly string[],
    members: AsyncIterable<[string, unknown]>,
    span: DaySpan,
  ): Promise<Map<string, SeriesOutcome>> {
    const outcomes = new Map<string, SeriesOutcome>();
    const envelope: Record<string, unknown> = {};
    const strangers: string[] = [];
    for await (const [name, value] of members) {
      const symbol = symbols.find((asked) => asked.toUpperCase() === name.toUpperCase());
      // One symbol is answered without its name around it; `meta` and `values` are then the members.
      if (symbol !== undefined && isPart(value)) outcomes.set(symbol, outcomeOf(symbol, value, span));
      else if (isPart(value)) strangers.push(name);
      else envelope[name] = value;
    }
    const failure = vendorErrorIn(envelope, symbols.length === 1 ? symbols[0]! : null);
    if (failure !== null && outcomes.size === 0) {
      if (symbols.length > 1 || failure.isPassing || failure.kind === 'refused') throw failure;
      return new Map([[symbols[0]!, { error: failure }]]);
    }
    if ('meta' in envelope || 'values' in envelope) {
      const first = symbols[0]!;
      if (symbols.length === 1) return new Map([[first, outcomeOf(first, envelope, span)]]);
    }
    for (const symbol of symbols) {
      if (outcomes.has(symbol)) continue;
      const error =
        strangers.length > 0
          ? lie(`TwelveData answered with “${strangers[0]!.slice(0, 40)}” when asked for “${symbol}”.`)
          : new VendorError('unavailable', `TwelveData’s answer leaves out “${symbol}”.`, { isPassing: true });
      outcomes.set(symbol, { error });
    }
    return outcomes;
  }

  function outcomeOf(symbol: string, value: unknown, span: DaySpan): SeriesOutcome {
    const failure = vendorErrorIn(value, symbol);
    if (failure !== null) return { error: failure };
    try {
      return { page: readSeries(symbol, value, span, timing.now()) };
    } catch (error) {
      if (error instanceof VendorError) return { error };
      throw error;
    }
  }

  function readInstant(symbol: string, seconds: number): number {
    const at = seconds * 1000;
    if (!(at > 0 && at <= timing.now() + CLOCK_TOLERANCE_MS)) {
      throw lie(`TwelveData told an instant of “${symbol}” that is in the future or none.`);
    }
    return at;
  }
}

const MIN_WAIT_MS = 20;
/** The vendor's clock may be ahead of ours. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** Splits and dividends are announced before they happen. */
const ANNOUNCED_AHEAD_MS = 2 * 366 * 86_400_000;

function readVolume(symbol: string, value: string | number): number {
  const volume = readNumber(symbol, 'volume', value);
  if (volume < 0) throw lie(`TwelveData told a volume of ${volume} for “${symbol}”.`);
  return volume;
}

/** The events of the span, ascending. `same` says that two of one day are one told twice. */
function sortedEvents<T extends { day: number }>(
  symbol: string,
  events: readonly T[],
  { from, to }: DaySpan,
  same: (a: T, b: T) => boolean,
): T[] {
  const sorted = events.filter(({ day }) => day >= from && day <= to).toSorted((a, b) => a.day - b.day);
  for (const [i, event] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined && before.day === event.day && same(before, event)) {
      throw lie(`TwelveData told one event of “${symbol}” twice for ${dayText(event.day)}.`);
    }
  }
  return sorted;
}

/** A regular and a special dividend may share their ex-day. */
function sumByDay(dividends: readonly Dividend[]): Dividend[] {
  return [...Map.groupBy(dividends, ({ day }) => day).values()].map((ofDay) => ({
    ...ofDay[0]!,
    amount: ofDay.reduce((sum, { amount }) => sum + amount, 0),
  }));
}

/** True for one symbol's part of an answer about several: its bars, or its error. */
function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('meta' in value || 'status' in value);
}

async function collect(members: AsyncIterable<[string, unknown]>): Promise<Record<string, unknown>> {
  const all: [string, unknown][] = [];
  for await (const member of members) all.push(member);
  return Object.fromEntries(all);
}

/** Grows with the attempts; half of it is chance, so that processes do not come back together. */
function backoffMs(attempt: number, chance: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
  return ceiling / 2 + (chance * ceiling) / 2;
}

function networkCode(error: unknown): string {
  const codes = [error, error instanceof Error ? error.cause : null].map((level) =>
    typeof level === 'object' && level !== null && 'code' in level ? String(level.code) : '',
  );
  return codes.find((code) => /^[A-Z_0-9]+$/.test(code)) ?? 'connection lost';
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
