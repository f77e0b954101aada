import type { FeedSeries } from '../feed.ts';
import { checkShape, type SeriesAnswer, seriesSchema } from './answers.ts';
import { lie, VendorError } from './vendor-error.ts';

/** Days since 1970-01-01, both included. */
export type DaySpan = { from: number; to: number };

export type SeriesPage = {
  series: FeedSeries;
  /** First day the vendor told, also outside the span; null when it told none. */
  firstDay: number | null;
  /** As many bars as one answer holds: there may be more before them. */
  isFull: boolean;
};

/** Most bars the vendor puts into one answer. */
export const PAGE_BARS_MAX = 5000;
const MS_PER_DAY = 86_400_000;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** The day begins first where clocks are 14 hours ahead of UTC. */
const EARLIEST_ZONE_MS = 14 * 3_600_000;

/** Currencies that are the hundredth part of one with an ISO code. */
const MINOR_UNITS: Record<string, string> = { GBp: 'GBP', GBX: 'GBP', ZAc: 'ZAR', ZAC: 'ZAR', ILA: 'ILS', ILa: 'ILS' };

/**
 * Daily bars as typed columns, ascending by day, those of the span only.
 *
 * Prices in a hundredth of a currency (pence) become prices in the currency. A bar without a close is left out; other
 * missing values are NaN.
 *
 * @param value One symbol's part of an answer to `time_series`, newest bar first.
 * @throws VendorError `lies` when it cannot be true; `empty` when it holds no bar of the span.
 */
export function readSeries(symbol: string, value: unknown, { from, to }: DaySpan, now: number): SeriesPage {
  const answer = checkShape(seriesSchema, value);
  checkSymbol(symbol, answer.meta.symbol);
  const { interval } = answer.meta;
  if (interval !== undefined && interval !== null && interval !== '1day') {
    throw lie(`TwelveData told bars of “${symbol}” for ${interval} instead of a day.`);
  }
  const days = readDays(symbol, answer.values, now);
  const kept = days.reduce((count, day, i) => count + Number(isKept(day, answer.values[i]!, { from, to })), 0);
  const isFull = days.length >= PAGE_BARS_MAX;
  // An empty list is not how the vendor is documented to say that there is nothing.
  if (days.length === 0) {
    throw new VendorError('empty', `TwelveData told no bar of “${symbol}” for these days.`, { isPassing: true });
  }
  if (kept === 0 && !isFull) throw new VendorError('empty', `TwelveData has no bar of “${symbol}” for these days.`);

  const { currency, scale } = currencyOf(answer);
  const series: FeedSeries = {
    ...{ symbol, currency, day: new Int32Array(kept) },
    ...{ open: new Float64Array(kept), high: new Float64Array(kept), low: new Float64Array(kept) },
    ...{ close: new Float64Array(kept), volume: new Float64Array(kept) },
  };
  // Newest first in the answer, oldest first here.
  let at = kept;
  for (const [i, bar] of answer.values.entries()) {
    const price = (name: 'open' | 'high' | 'low' | 'close') => readPrice(symbol, bar, name) / scale;
    const row = { open: price('open'), high: price('high'), low: price('low'), close: price('close') };
    const volume = readVolume(symbol, bar);
    if (!isKept(days[i]!, bar, { from, to })) continue;
    at--;
    series.day[at] = days[i]!;
    series.open[at] = row.open;
    series.high[at] = row.high;
    series.low[at] = row.low;
    series.close[at] = row.close;
    series.volume[at] = volume;
  }
  return { series, firstDay: days.at(-1)!, isFull };
}

/** Letters, digits and what the vendor's symbols hold. A comma would ask for two. */
const SYMBOL = /^[A-Za-z0-9][A-Za-z0-9.:/_^=-]{0,39}$/;

/** @throws VendorError `unknown` for a text that is not written like a symbol; the vendor need not be asked. */
export function checkWritten(symbol: string): void {
  if (SYMBOL.test(symbol)) return;
  throw new VendorError('unknown', `“${symbol.slice(0, 40)}” is not written like a symbol of TwelveData.`);
}

/** @throws VendorError `lies` when the answer is about another symbol. */
export function checkSymbol(asked: string, told: string): void {
  // 'RY:TSX' asks for RY at an exchange; the answer names RY.
  const names = [asked, asked.split(':')[0]!].map((name) => name.toUpperCase());
  if (!names.includes(told.toUpperCase())) {
    throw lie(`TwelveData answered with data of “${told.slice(0, 40)}” when asked for “${asked}”.`);
  }
}

/** @throws VendorError `lies` unless it is a real date that is no later than today anywhere on earth. */
export function readDay(symbol: string, text: string, now: number): number {
  const day = dayOf(text);
  if (Number.isNaN(day)) throw lie(`TwelveData told “${text.slice(0, 40)}” as a day of “${symbol}”.`);
  const ms = day * MS_PER_DAY;
  if (ms > now + EARLIEST_ZONE_MS)
    throw lie(`TwelveData told data of “${symbol}” for ${text}, which is in the future.`);
  return day;
}

/** Days since 1970-01-01 of an ISO date, NaN for anything else. Makes no objects: it runs once a bar. */
function dayOf(text: string): number {
  if (text.length !== 10 || text[4] !== '-' || text[7] !== '-') return Number.NaN;
  let digits = 0;
  for (let i = 0; i < 10; i++) {
    if (i === 4 || i === 7) continue;
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    digits = digits * 10 + digit;
  }
  const year = Math.floor(digits / 10_000);
  const month = Math.floor(digits / 100) % 100;
  const dayOfMonth = digits % 100;
  if (month < 1 || month > 12 || dayOfMonth < 1 || year < 1000) return Number.NaN;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (dayOfMonth > (month === 2 && isLeap ? 29 : MONTH_DAYS[month - 1]!)) return Number.NaN;
  return Date.UTC(year, month - 1, dayOfMonth) / MS_PER_DAY;
}

/** @throws VendorError `lies` unless it is a finite number. */
export function readNumber(symbol: string, name: string, value: string | number): number {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) {
    throw lie(`TwelveData told “${String(value).slice(0, 40)}” as ${name} of “${symbol}”.`);
  }
  return number;
}

/** @throws VendorError `lies` unless it is a number above zero. */
export function readPositive(symbol: string, name: string, value: string | number): number {
  const number = readNumber(symbol, name, value);
  if (number <= 0) throw lie(`TwelveData told ${number} as ${name} of “${symbol}”, which must be above zero.`);
  return number;
}

/** The ISO code of a currency, and what its prices are divided by. */
export function currencyUnit(code: string | null | undefined): { currency: string | null; scale: number } {
  if (code === null || code === undefined) return { currency: null, scale: 1 };
  const major = Object.hasOwn(MINOR_UNITS, code) ? MINOR_UNITS[code]! : null;
  if (major !== null) return { currency: major, scale: 100 };
  return { currency: /^[A-Z]{3}$/.test(code) ? code : null, scale: 1 };
}

type Bar = SeriesAnswer['values'][number];

function currencyOf({ meta }: SeriesAnswer): { currency: string | null; scale: number } {
  if (meta.currency !== undefined && meta.currency !== null) return currencyUnit(meta.currency);
  // A pair is quoted in its second currency; the answer may only name it within the symbol.
  const quote = /^[A-Z]{3,5}\/([A-Z]{3})$/.exec(meta.symbol.toUpperCase())?.[1];
  return { currency: quote ?? null, scale: 1 };
}

function readDays(symbol: string, bars: readonly Bar[], now: number): Int32Array {
  const days = new Int32Array(bars.length);
  for (const [i, bar] of bars.entries()) {
    days[i] = readDay(symbol, bar.datetime, now);
    if (i === 0 || days[i]! < days[i - 1]!) continue;
    throw lie(
      days[i] === days[i - 1]
        ? `TwelveData told two bars of “${symbol}” for ${bar.datetime}.`
        : `TwelveData’s bars of “${symbol}” are not in order: ${bar.datetime} follows ${bars[i - 1]!.datetime}.`,
    );
  }
  return days;
}

function isKept(day: number, bar: Bar, { from, to }: DaySpan): boolean {
  return day >= from && day <= to && bar.close !== null && bar.close !== undefined;
}

function readPrice(symbol: string, bar: Bar, name: 'open' | 'high' | 'low' | 'close'): number {
  const value = bar[name];
  return value === null || value === undefined ? Number.NaN : readPositive(symbol, `${name} on ${bar.datetime}`, value);
}

function readVolume(symbol: string, bar: Bar): number {
  if (bar.volume === null || bar.volume === undefined) return Number.NaN;
  const volume = readNumber(symbol, `volume on ${bar.datetime}`, bar.volume);
  if (volume < 0) throw lie(`TwelveData told a volume of ${volume} for “${symbol}” on ${bar.datetime}.`);
  return volume;
}
