/**
 * How days are written. `iso` also takes a time and a zone after the day; `ymd`, `dmy` and `mdy` take `/`, `.` or `-`, one
 * or two digits, and a time after the day; `epoch-*` count from 1970-01-01 UTC.
 */
export type DateFormat =
  | 'iso'
  | 'yyyymmdd'
  | 'ymd'
  | 'dmy'
  | 'mdy'
  | 'd-month-y'
  | 'month-d-y'
  | 'epoch-seconds'
  | 'epoch-milliseconds';

export const DATE_FORMATS: readonly DateFormat[] = [
  'iso',
  'yyyymmdd',
  'ymd',
  'dmy',
  'mdy',
  'd-month-y',
  'month-d-y',
  'epoch-seconds',
  'epoch-milliseconds',
];

const FORMAT_WORDS: Record<DateFormat, string> = {
  iso: 'YYYY-MM-DD',
  yyyymmdd: 'YYYYMMDD',
  ymd: 'year, month, day',
  dmy: 'day, month, year',
  mdy: 'month, day, year',
  'd-month-y': 'day, name of the month, year',
  'month-d-y': 'name of the month, day, year',
  'epoch-seconds': 'seconds since 1970',
  'epoch-milliseconds': 'milliseconds since 1970',
};
/** How days are written, as a sentence says it. */
export function dateFormatWords(format: DateFormat): string {
  return FORMAT_WORDS[format];
}

/** Answers of the day parsers that are no day. All real days lie far above. */
export const NO_DATE = -2_000_000_000;
export const DATE_OUT_OF_RANGE = -1_999_999_999;

export const FIRST_YEAR = 1800;
export const LAST_YEAR = 2199;
/** Characters of a stamp at most, with spaces around it. */
export const MAX_DATE_LENGTH = 64;
const MS_PER_DAY = 86_400_000;

const MONTHS = (LAST_YEAR - FIRST_YEAR + 1) * 12;
/** Day number of the first of every month from 1800-01 on, with one more at the end. */
const MONTH_START = Int32Array.from(
  { length: MONTHS + 1 },
  (_, i) => Date.UTC(FIRST_YEAR + Math.floor(i / 12), i % 12, 1) / MS_PER_DAY,
);

/** Days since 1970-01-01, or {@link NO_DATE} for no such day, or {@link DATE_OUT_OF_RANGE} outside 1800 to 2199. */
function civilDay(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > 31) return NO_DATE;
  if (year < FIRST_YEAR || year > LAST_YEAR) return DATE_OUT_OF_RANGE;
  const i = (year - FIRST_YEAR) * 12 + month - 1;
  const number = MONTH_START[i]! + day - 1;
  return number < MONTH_START[i + 1]! ? number : NO_DATE;
}

/**
 * The day in exactly ten bytes `2026-01-15`, or a number below {@link DATE_OUT_OF_RANGE} + 1. The first parser of every
 * row; anything it does not take goes through {@link parseDateText}.
 */
export function parseIsoDay(b: Uint8Array, at: number): number {
  if (b[at + 4] !== 45 || b[at + 7] !== 45) return NO_DATE;
  const y3 = b[at]! - 48;
  const y2 = b[at + 1]! - 48;
  const y1 = b[at + 2]! - 48;
  const y0 = b[at + 3]! - 48;
  const m1 = b[at + 5]! - 48;
  const m0 = b[at + 6]! - 48;
  const d1 = b[at + 8]! - 48;
  const d0 = b[at + 9]! - 48;
  // A digit is 0..9 exactly when neither x nor 9 - x is negative.
  const bad =
    y3 | y2 | y1 | y0 | m1 | m0 | d1 | d0 | (9 - y3) | (9 - y2) | (9 - y1) | (9 - y0) | (9 - m1) | (9 - m0) | (9 - d0);
  if ((bad | (9 - d1)) < 0) return NO_DATE;
  return civilDay(y3 * 1000 + y2 * 100 + y1 * 10 + y0, m1 * 10 + m0, d1 * 10 + d0);
}

const TIME = String.raw`(?:[T ,]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(AM|PM)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?`;
const WITH_TIME = {
  iso: new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})${TIME}$`, 'i'),
  yyyymmdd: new RegExp(`^(\\d{4})(\\d{2})(\\d{2})${TIME}$`, 'i'),
  ymd: new RegExp(`^(\\d{4})[/.-](\\d{1,2})[/.-](\\d{1,2})${TIME}$`, 'i'),
  xxy: new RegExp(`^(\\d{1,2})[/.-](\\d{1,2})[/.-](\\d{4}|\\d{2})${TIME}$`, 'i'),
};
const MONTH_NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * The day in a text written in the given format: days since 1970-01-01, {@link NO_DATE} or {@link DATE_OUT_OF_RANGE}.
 *
 * Without `timeZone` a stamp belongs to the day that is written. With one (an IANA name), a stamp that carries its own
 * zone, or counts from the epoch, belongs to the day it was in that zone at that instant.
 */
export function parseDateText(text: string, format: DateFormat, timeZone: string | null): number {
  // No way of writing a day is longer, and patterns must not walk through a field of any size.
  if (text.length > MAX_DATE_LENGTH) return NO_DATE;
  const trimmed = text.trim();
  if (format === 'epoch-seconds' || format === 'epoch-milliseconds') {
    if (!/^-?\d{1,14}(?:\.0*)?$/.test(trimmed)) return NO_DATE;
    return dayOfInstant(Number(trimmed) * (format === 'epoch-seconds' ? 1000 : 1), timeZone);
  }
  if (format === 'd-month-y' || format === 'month-d-y') return namedMonthDay(trimmed, format);
  const pattern = format === 'dmy' || format === 'mdy' ? WITH_TIME.xxy : WITH_TIME[format];
  const match = pattern.exec(trimmed);
  if (match === null) return NO_DATE;
  const [a, b, c] = [Number(match[1]), Number(match[2]), Number(match[3])];
  let day: number;
  if (format === 'dmy') day = civilDay(fullYear(match[3]!), b, a);
  else if (format === 'mdy') day = civilDay(fullYear(match[3]!), a, b);
  else day = civilDay(a, b, c);
  const zone = match[8];
  if (day <= DATE_OUT_OF_RANGE) return day;
  const seconds = timeOfDay(match[4], match[5], match[6], match[7]);
  if (Number.isNaN(seconds)) return NO_DATE;
  if (zone === undefined || timeZone === null) return day;
  return dayOfInstant(day * MS_PER_DAY + seconds * 1000 - offsetMs(zone), timeZone);
}

/** Whether a stamp carries a time other than midnight, and whether it carries a zone. */
export function stampParts(text: string): { time: boolean; zone: boolean } {
  if (text.length > MAX_DATE_LENGTH) return { time: false, zone: false };
  const match = /[T ,]\s*(\d{1,2}:\d{2}\S*)\s*(?:AM|PM)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/i.exec(text.trim());
  if (match === null) return { time: false, zone: false };
  const clock = match[1]!;
  return {
    time: !/^0?0:00(?::00(?:[.,]0+)?)?(?:Z|[+-].*)?$/i.test(clock),
    zone: match[2] !== undefined || /(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$/i.test(clock),
  };
}

/** Whether the runtime knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function timeOfDay(hour = '0', minute = '0', second = '0', half?: string): number {
  let h = Number(hour);
  if (half !== undefined) {
    if (h < 1 || h > 12) return Number.NaN;
    h = (h % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
  }
  // 24:00:00 and leap seconds are written by some sources and harm nothing.
  if (h > 24 || Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  return h * 3600 + Number(minute) * 60 + Number(second);
}

function offsetMs(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}

/** Two digits mean 1970 to 2069, as in POSIX within a year. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length > 2) return year;
  return year < 70 ? 2000 + year : 1900 + year;
}

function namedMonthDay(text: string, format: 'd-month-y' | 'month-d-y'): number {
  const match =
    format === 'd-month-y'
      ? /^(\d{1,2})[ ./-]+([a-z]{3,9})\.?[ ,./-]+(\d{4}|\d{2})$/i.exec(text)
      : /^([a-z]{3,9})\.?[ ./-]+(\d{1,2})[ ,./-]+(\d{4}|\d{2})$/i.exec(text);
  if (match === null) return NO_DATE;
  const [dayText, monthText] = format === 'd-month-y' ? [match[1]!, match[2]!] : [match[2]!, match[1]!];
  const month = MONTH_NAMES.indexOf(monthText.slice(0, 3).toLowerCase()) + 1;
  return civilDay(fullYear(match[3]!), month, Number(dayText));
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function dayOfInstant(ms: number, timeZone: string | null): number {
  if (Math.abs(ms) > 8e15) return DATE_OUT_OF_RANGE;
  let number = Math.floor(ms / MS_PER_DAY);
  if (timeZone !== null && timeZone !== 'UTC') {
    let formatter = formatters.get(timeZone);
    if (formatter === undefined) {
      formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory', {
        timeZone,
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
      });
      formatters.set(timeZone, formatter);
    }
    const [month, day, year] = formatter.format(ms).split('/').map(Number);
    return civilDay(year!, month!, day!);
  }
  const year = new Date(number * MS_PER_DAY).getUTCFullYear();
  if (year < FIRST_YEAR || year > LAST_YEAR) number = DATE_OUT_OF_RANGE;
  return number;
}
