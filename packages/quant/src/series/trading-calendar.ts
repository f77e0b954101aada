import { expect } from '../checks/expect.ts';
import { dayNumber, dayText, weekday } from './day.ts';

/** An exchange by its market identifier code, or one of two calendars without holidays. */
export type CalendarCode = 'XNYS' | 'XNAS' | 'XLON' | 'XETR' | 'XPAR' | 'WEEKDAYS' | 'EVERY_DAY';

/** A day that is not an ordinary session: `closed` has none, `early` has a shorter one. `day` counts from 1970-01-01. */
export type Holiday = { day: number; name: string; kind: 'closed' | 'early' };

export type CalendarInfo = {
  code: CalendarCode;
  name: string;
  /** IANA name of the zone the times are told in. */
  timeZone: string;
  /** Today's regular close, local wall clock; `24:00` is the midnight that ends the day. */
  closeTime: string;
  /** Today's close on a shortened day; equals `closeTime` where there are none. */
  earlyCloseTime: string;
  /** First year the holiday rules were checked for. In earlier years every weekday counts as a trading day. */
  rulesFrom: number;
};

export const CALENDAR_CODES: readonly CalendarCode[] = [
  'XNYS',
  'XNAS',
  'XLON',
  'XETR',
  'XPAR',
  'WEEKDAYS',
  'EVERY_DAY',
];

const NEW_YORK = {
  timeZone: 'America/New_York',
  closeTime: '16:00',
  earlyCloseTime: '13:00',
  rulesFrom: 1950,
} as const;

const INFO: Record<CalendarCode, CalendarInfo> = {
  XNYS: { code: 'XNYS', name: 'New York Stock Exchange', ...NEW_YORK },
  XNAS: { code: 'XNAS', name: 'Nasdaq', ...NEW_YORK },
  XLON: {
    code: 'XLON',
    name: 'London Stock Exchange',
    timeZone: 'Europe/London',
    closeTime: '16:30',
    earlyCloseTime: '12:30',
    rulesFrom: 1990,
  },
  XETR: {
    code: 'XETR',
    name: 'Xetra',
    timeZone: 'Europe/Berlin',
    closeTime: '17:30',
    earlyCloseTime: '14:00',
    rulesFrom: 2002,
  },
  XPAR: {
    code: 'XPAR',
    name: 'Euronext Paris',
    timeZone: 'Europe/Paris',
    closeTime: '17:30',
    earlyCloseTime: '14:05',
    rulesFrom: 2002,
  },
  WEEKDAYS: {
    code: 'WEEKDAYS',
    name: 'Every weekday',
    timeZone: 'UTC',
    closeTime: '24:00',
    earlyCloseTime: '24:00',
    rulesFrom: 1,
  },
  EVERY_DAY: {
    code: 'EVERY_DAY',
    name: 'Every day',
    timeZone: 'UTC',
    closeTime: '24:00',
    earlyCloseTime: '24:00',
    rulesFrom: 1,
  },
};

const MS_PER_DAY = 86_400_000;
const MS_PER_MINUTE = 60_000;

/** What the code stands for: zone, closing times, and since when its rules hold. */
export function calendarInfo(calendar: CalendarCode): CalendarInfo {
  return INFO[calendar];
}

/**
 * Is there a session on this day?
 *
 * @param day Days since 1970-01-01, an integer.
 * @throws RangeError if `day` is no integer.
 */
export function isTradingDay(calendar: CalendarCode, day: number): boolean {
  expect(Number.isInteger(day), `a day number must be an integer, was ${day}`);
  if (calendar === 'EVERY_DAY') return true;
  const position = weekday(day);
  if (position === 6) return false;
  if (position === 5 && !(isNewYork(calendar) && isSaturdaySessionSeason(day))) return false;
  return yearOf(calendar, day).get(day)?.kind !== 'closed';
}

/**
 * All days with a session from `first` to `last`, both included, ascending. Empty if `last < first`.
 *
 * @throws RangeError if a bound is no integer or the span is longer than 1,000 years.
 */
export function tradingDays(calendar: CalendarCode, first: number, last: number): Int32Array {
  checkSpan(first, last);
  const days = new Int32Array(Math.max(0, last - first + 1));
  let count = 0;
  for (let day = first; day <= last; day++) {
    if (isTradingDay(calendar, day)) days[count++] = day;
  }
  return days.slice(0, count);
}

/**
 * Closed weekdays and shortened sessions from `first` to `last`, both included, ascending by day.
 *
 * Ordinary weekends are not listed. Shortened New York days are listed from 1993 (the Saturday sessions of 1950–1952
 * too), Xetra's from 2010, London's and Paris' from the start of their rules.
 *
 * @throws RangeError if a bound is no integer or the span is longer than 1,000 years.
 */
export function holidays(calendar: CalendarCode, first: number, last: number): Holiday[] {
  checkSpan(first, last);
  const result: Holiday[] = [];
  if (last < first || calendar === 'EVERY_DAY' || calendar === 'WEEKDAYS') return result;
  for (let year = yearNumber(first); year <= yearNumber(last); year++) {
    for (const holiday of holidaysOfYear(calendar, year).values()) {
      if (holiday.day >= first && holiday.day <= last) result.push({ ...holiday });
    }
  }
  return result.sort((a, b) => a.day - b.day);
}

/**
 * The instant the session of this day ends, in milliseconds since 1970-01-01T00:00Z, with the summer time of the day
 * and the closing times of its era (New York: 15:00 until 1952-09-27, 15:30 until 1974-09-30, 16:00 since).
 *
 * A day without a session gets the regular closing time, so that a bar on a day the calendar does not know still has one.
 *
 * @throws RangeError if `day` is no integer.
 */
export function closeInstant(calendar: CalendarCode, day: number): number {
  expect(Number.isInteger(day), `a day number must be an integer, was ${day}`);
  let cache = closeCache.get(calendar);
  if (cache === undefined) {
    cache = new Map();
    closeCache.set(calendar, cache);
  }
  const known = cache.get(day);
  if (known !== undefined) return known;
  const [hours, minutes] = closingTime(calendar, day).split(':');
  const wallClock = day * MS_PER_DAY + (Number(hours) * 60 + Number(minutes)) * MS_PER_MINUTE;
  const zone = INFO[calendar].timeZone;
  // The second look is at the instant itself: the first one may lie on the other side of a clock change.
  const guess = wallClock - zoneOffset(zone, wallClock);
  const instant = wallClock - zoneOffset(zone, guess);
  if (cache.size >= CLOSE_CACHE_SIZE_MAX) cache.clear();
  cache.set(day, instant);
  return instant;
}

// Memory only: the same question has the same answer, so a cache changes nothing but the time it takes.
const CLOSE_CACHE_SIZE_MAX = 100_000;
const closeCache = new Map<CalendarCode, Map<number, number>>();
const yearCache = new Map<string, Map<number, Holiday>>();
const offsetCache = new Map<string, OffsetChange[]>();
const zoneFormats = new Map<string, Intl.DateTimeFormat>();

function checkSpan(first: number, last: number): void {
  expect(
    Number.isInteger(first) && Number.isInteger(last),
    `bounds must be integer day numbers, were ${first}..${last}`,
  );
  expect(last - first <= 366_000, `a span must be at most 1,000 years, was ${last - first} days`);
}

function isNewYork(calendar: CalendarCode): boolean {
  return calendar === 'XNYS' || calendar === 'XNAS';
}

function yearNumber(day: number): number {
  return new Date(day * MS_PER_DAY).getUTCFullYear();
}

const NO_HOLIDAYS: ReadonlyMap<number, Holiday> = new Map();

function yearOf(calendar: CalendarCode, day: number): ReadonlyMap<number, Holiday> {
  return calendar === 'WEEKDAYS' ? NO_HOLIDAYS : holidaysOfYear(calendar, yearNumber(day));
}

function holidaysOfYear(calendar: CalendarCode, year: number): ReadonlyMap<number, Holiday> {
  if (year < INFO[calendar].rulesFrom || year > 9999) return NO_HOLIDAYS;
  const key = `${isNewYork(calendar) ? 'XNYS' : calendar}/${year}`;
  let year_ = yearCache.get(key);
  if (year_ === undefined) {
    year_ = new Map();
    const list = isNewYork(calendar)
      ? newYork(year)
      : calendar === 'XLON'
        ? london(year)
        : calendar === 'XETR'
          ? xetra(year)
          : paris(year);
    // A closed day wins over an early one of the same date: the lists put closures first.
    for (const holiday of list) if (!year_.has(holiday.day)) year_.set(holiday.day, holiday);
    yearCache.set(key, year_);
  }
  return year_;
}

// ---- New York ----

/** Closures for one reason each, outside the yearly rules. Source: NYSE, "Holidays and Special Closings". */
const NEW_YORK_SPECIAL: readonly (readonly [string, string])[] = [
  ['1950-12-23', 'Saturday before Christmas'],
  ['1954-12-24', 'Christmas Eve'],
  ['1956-12-24', 'Christmas Eve'],
  ['1958-12-26', 'Day after Christmas'],
  ['1961-05-29', 'Day before Decoration Day'],
  ['1963-11-25', 'Funeral of President Kennedy'],
  ['1968-02-12', 'Lincoln’s Birthday'],
  ['1968-04-09', 'Day of mourning for Martin Luther King Jr.'],
  ['1968-07-05', 'Day after Independence Day'],
  ['1968-11-11', 'Veterans Day'],
  ['1969-02-10', 'Heavy snow'],
  ['1969-03-31', 'Funeral of President Eisenhower'],
  ['1969-07-21', 'First landing on the moon'],
  ['1972-12-28', 'Funeral of President Truman'],
  ['1973-01-25', 'Funeral of President Johnson'],
  ['1977-07-14', 'New York City blackout'],
  ['1985-09-27', 'Hurricane Gloria'],
  ['1994-04-27', 'Funeral of President Nixon'],
  ['2001-09-11', 'Attack of 11 September'],
  ['2001-09-12', 'Attack of 11 September'],
  ['2001-09-13', 'Attack of 11 September'],
  ['2001-09-14', 'Attack of 11 September'],
  ['2004-06-11', 'Funeral of President Reagan'],
  ['2007-01-02', 'Funeral of President Ford'],
  ['2012-10-29', 'Hurricane Sandy'],
  ['2012-10-30', 'Hurricane Sandy'],
  ['2018-12-05', 'Funeral of President Bush'],
  ['2025-01-09', 'Funeral of President Carter'],
];

/** Wednesdays of the paperwork crisis of 1968, when four-day weeks let the back offices catch up. */
const PAPERWORK_FIRST = dayNumber('1968-06-12');
const PAPERWORK_LAST = dayNumber('1968-12-18');
/** Weeks that had a holiday anyway kept their Wednesday. */
const PAPERWORK_KEPT = ['1968-07-03', '1968-09-04', '1968-11-06', '1968-11-13', '1968-11-27'].map(dayNumber);

const SATURDAY_SESSIONS_FIRST = dayNumber('1950-01-01');
const SATURDAY_SESSIONS_LAST = dayNumber('1952-05-24');
const FIVE_DAY_WEEK_FIRST = dayNumber('1952-09-29');
const HALF_PAST_THREE_LAST = dayNumber('1974-09-30');

/** Saturday mornings were sessions until May 1952, except from June to September. */
function isSaturdaySessionSeason(day: number): boolean {
  if (day < SATURDAY_SESSIONS_FIRST || day > SATURDAY_SESSIONS_LAST) return false;
  const month = Number(dayText(day).slice(5, 7));
  return month < 6 || month > 9;
}

function newYork(year: number): Holiday[] {
  const list: Holiday[] = [];
  const closed = (day: number | null, name: string) => {
    if (day !== null) list.push({ day, name, kind: 'closed' });
  };
  // New Year's Day on a Saturday is lost: the Friday before closes the books of the year.
  closed(sundayToMonday(date(year, 1, 1)), 'New Year’s Day');
  if (year >= 1998) closed(nthWeekday(year, 1, 0, 3), 'Martin Luther King Jr. Day');
  if (year <= 1953) closed(sundayToMonday(date(year, 2, 12)), 'Lincoln’s Birthday');
  closed(year >= 1971 ? nthWeekday(year, 2, 0, 3) : newYorkObserved(date(year, 2, 22)), 'Washington’s Birthday');
  closed(easterSunday(year) - 2, 'Good Friday');
  // In 1970 the Saturday holiday was lost: both records of the time have a session on Friday 29 May.
  closed(
    year >= 1971 ? lastWeekday(year, 5, 0) : year === 1970 ? date(year, 5, 30) : newYorkObserved(date(year, 5, 30)),
    year >= 1971 ? 'Memorial Day' : 'Decoration Day',
  );
  if (year >= 2022) closed(newYorkObserved(date(year, 6, 19)), 'Juneteenth');
  closed(newYorkObserved(date(year, 7, 4)), 'Independence Day');
  closed(nthWeekday(year, 9, 0, 1), 'Labor Day');
  if (year <= 1953) closed(sundayToMonday(date(year, 10, 12)), 'Columbus Day');
  // Every year until 1968, then in presidential years until 1980: the Tuesday after the first Monday of November.
  if (year <= 1968 || (year <= 1980 && year % 4 === 0)) closed(nthWeekday(year, 11, 0, 1) + 1, 'Election Day');
  if (year <= 1953) closed(sundayToMonday(date(year, 11, 11)), 'Armistice Day');
  const thanksgiving = nthWeekday(year, 11, 3, 4);
  closed(thanksgiving, 'Thanksgiving Day');
  closed(newYorkObserved(date(year, 12, 25)), 'Christmas Day');
  for (const [text, name] of NEW_YORK_SPECIAL) if (text.startsWith(String(year))) closed(dayNumber(text), name);
  if (year === 1968) {
    for (let day = PAPERWORK_FIRST; day <= PAPERWORK_LAST; day += 7) {
      if (!PAPERWORK_KEPT.includes(day)) closed(day, 'Paperwork crisis');
    }
  }
  const sessions = list.filter((holiday) => weekday(holiday.day) < 5 || isSaturdaySessionSeason(holiday.day));
  return [...sessions, ...newYorkEarly(year, thanksgiving, new Set(list.map((holiday) => holiday.day)))];
}

function newYorkEarly(year: number, thanksgiving: number, closed: ReadonlySet<number>): Holiday[] {
  const list: Holiday[] = [];
  const early = (day: number, name: string) => {
    if (!closed.has(day)) list.push({ day, name, kind: 'early' });
  };
  if (year <= 1952) {
    for (let day = date(year, 1, 1); day <= date(year, 12, 31); day++) {
      if (weekday(day) === 5 && isSaturdaySessionSeason(day)) early(day, 'Saturday session');
    }
  }
  if (year < 1993) return list;
  early(thanksgiving + 1, 'Day after Thanksgiving');
  const independence = weekday(date(year, 7, 4));
  // Until 2012 a Thursday holiday shortened the Friday after it, since 2013 the Wednesday before it.
  if (independence === 3 && year < 2013) early(date(year, 7, 5), 'Day after Independence Day');
  else if (independence >= 1 && independence <= 4) early(date(year, 7, 3), 'Day before Independence Day');
  const christmas = weekday(date(year, 12, 25));
  if (christmas >= 1 && christmas <= 4) early(date(year, 12, 24), 'Christmas Eve');
  if (year === 1997 || year === 2003) early(date(year, 12, 26), 'Day after Christmas');
  if (year === 1999) early(date(year, 12, 31), 'Last day of the century');
  return list;
}

const SATURDAY_KEPT_ON_FRIDAY_FIRST = dayNumber('1959-07-01');

/** Sunday is kept on Monday. Saturday is kept on Friday since July 1959; before that it was lost. */
function newYorkObserved(day: number): number {
  if (weekday(day) === 6) return day + 1;
  return weekday(day) === 5 && day >= SATURDAY_KEPT_ON_FRIDAY_FIRST ? day - 1 : day;
}

// ---- Europe ----

const LONDON_SPECIAL: readonly (readonly [string, string])[] = [
  ['1999-12-31', 'Eve of 2000'],
  ['2002-06-03', 'Golden Jubilee'],
  ['2002-06-04', 'Spring Bank Holiday'],
  ['2011-04-29', 'Royal wedding'],
  ['2012-06-04', 'Spring Bank Holiday'],
  ['2012-06-05', 'Diamond Jubilee'],
  ['2022-06-02', 'Spring Bank Holiday'],
  ['2022-06-03', 'Platinum Jubilee'],
  ['2022-09-19', 'Funeral of Queen Elizabeth II'],
  ['2023-05-08', 'Coronation of King Charles III'],
];

function london(year: number): Holiday[] {
  const list: Holiday[] = [];
  const closed = (day: number, name: string) => list.push({ day, name, kind: 'closed' });
  const toMonday = (day: number) => (weekday(day) >= 5 ? day + (7 - weekday(day)) : day);
  const easter = easterSunday(year);
  closed(toMonday(date(year, 1, 1)), 'New Year’s Day');
  closed(easter - 2, 'Good Friday');
  closed(easter + 1, 'Easter Monday');
  // Moved to 8 May for the anniversaries of 1945.
  closed(year === 1995 || year === 2020 ? date(year, 5, 8) : nthWeekday(year, 5, 0, 1), 'Early May Bank Holiday');
  if (year !== 2002 && year !== 2012 && year !== 2022) closed(lastWeekday(year, 5, 0), 'Spring Bank Holiday');
  closed(lastWeekday(year, 8, 0), 'Summer Bank Holiday');
  const christmas = date(year, 12, 25);
  // On a Saturday and Sunday the pair moves to Monday and Tuesday; a Sunday Christmas moves behind Boxing Day.
  closed(weekday(christmas) >= 5 ? christmas + 2 : christmas, 'Christmas Day');
  closed(weekday(christmas + 1) === 5 || weekday(christmas + 1) === 6 ? christmas + 3 : christmas + 1, 'Boxing Day');
  for (const [text, name] of LONDON_SPECIAL) if (text.startsWith(String(year))) closed(dayNumber(text), name);
  const taken = new Set(list.map((holiday) => holiday.day));
  for (const [day, name] of [
    [date(year, 12, 24), 'Christmas Eve'],
    [date(year, 12, 31), 'New Year’s Eve'],
  ] as const) {
    const session = weekday(day) >= 5 ? day - (weekday(day) - 4) : day;
    if (!taken.has(session)) list.push({ day: session, name, kind: 'early' });
  }
  return list;
}

function xetra(year: number): Holiday[] {
  const list: Holiday[] = [];
  const closed = (day: number, name: string) => list.push({ day, name, kind: 'closed' });
  const easter = easterSunday(year);
  closed(date(year, 1, 1), 'New Year’s Day');
  closed(easter - 2, 'Good Friday');
  closed(easter + 1, 'Easter Monday');
  closed(date(year, 5, 1), 'Labour Day');
  if (year === 2007 || (year >= 2015 && year <= 2021)) closed(easter + 50, 'Whit Monday');
  if (year >= 2014 && year <= 2021) closed(date(year, 10, 3), 'German Unity Day');
  if (year === 2017) closed(date(year, 10, 31), 'Reformation Day');
  closed(date(year, 12, 24), 'Christmas Eve');
  closed(date(year, 12, 25), 'Christmas Day');
  closed(date(year, 12, 26), 'Second day of Christmas');
  closed(date(year, 12, 31), 'New Year’s Eve');
  if (year >= 2010) {
    let last = date(year, 12, 30);
    while (weekday(last) >= 5) last -= 1;
    list.push({ day: last, name: 'Last session of the year', kind: 'early' });
  }
  return list.filter((holiday) => weekday(holiday.day) < 5);
}

function paris(year: number): Holiday[] {
  const easter = easterSunday(year);
  const list: Holiday[] = [
    { day: date(year, 1, 1), name: 'New Year’s Day', kind: 'closed' },
    { day: easter - 2, name: 'Good Friday', kind: 'closed' },
    { day: easter + 1, name: 'Easter Monday', kind: 'closed' },
    { day: date(year, 5, 1), name: 'Labour Day', kind: 'closed' },
    { day: date(year, 12, 25), name: 'Christmas Day', kind: 'closed' },
    { day: date(year, 12, 26), name: 'Second day of Christmas', kind: 'closed' },
    { day: date(year, 12, 24), name: 'Christmas Eve', kind: 'early' },
    { day: date(year, 12, 31), name: 'New Year’s Eve', kind: 'early' },
  ];
  return list.filter((holiday) => weekday(holiday.day) < 5);
}

// ---- dates ----

function date(year: number, month: number, dayOfMonth: number): number {
  return Date.UTC(year, month - 1, dayOfMonth) / MS_PER_DAY;
}

/** The nth (1 = first) given weekday (Monday = 0) of a month. */
function nthWeekday(year: number, month: number, position: number, nth: number): number {
  const first = date(year, month, 1);
  return first + ((position - weekday(first) + 7) % 7) + 7 * (nth - 1);
}

function lastWeekday(year: number, month: number, position: number): number {
  const last = date(year, month + 1, 0);
  return last - ((weekday(last) - position + 7) % 7);
}

function sundayToMonday(day: number): number {
  return weekday(day) === 6 ? day + 1 : day;
}

/** Gregorian Easter Sunday, by the anonymous algorithm (Meeus, Astronomical Algorithms, chapter 8). */
function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * e + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return date(year, month, ((h + l - 7 * m + 114) % 31) + 1);
}

// ---- time of day ----

function closingTime(calendar: CalendarCode, day: number): string {
  const info = INFO[calendar];
  const early = yearOf(calendar, day).get(day)?.kind === 'early';
  if (!isNewYork(calendar) || day > HALF_PAST_THREE_LAST) return early ? info.earlyCloseTime : info.closeTime;
  if (early) return '12:00';
  return day < FIVE_DAY_WEEK_FIRST ? '15:00' : '15:30';
}

/** From `instant` on the wall clock is `offset` milliseconds ahead of UTC. */
type OffsetChange = { instant: number; offset: number };

/** Milliseconds to add to the UTC instant to get the wall clock of the zone. */
function zoneOffset(timeZone: string, instant: number): number {
  if (timeZone === 'UTC') return 0;
  const year = new Date(instant).getUTCFullYear();
  const key = `${timeZone}/${year}`;
  let changes = offsetCache.get(key);
  if (changes === undefined) {
    changes = findOffsetChanges(timeZone, year);
    offsetCache.set(key, changes);
  }
  let offset = changes[0]!.offset;
  for (const change of changes) if (change.instant <= instant) offset = change.offset;
  return offset;
}

/** The offset at the start of the UTC year and every change in it. No zone here changes twice within a month. */
function findOffsetChanges(timeZone: string, year: number): OffsetChange[] {
  const changes: OffsetChange[] = [
    { instant: Date.UTC(year, 0, 1), offset: readOffset(timeZone, Date.UTC(year, 0, 1)) },
  ];
  for (let month = 0; month < 12; month++) {
    let before = Date.UTC(year, month, 1);
    let after = Date.UTC(year, month + 1, 1);
    const old = changes[changes.length - 1]!.offset;
    const offset = readOffset(timeZone, after);
    if (offset === old) continue;
    // Asking the time-zone tables takes tens of microseconds, so the change is found by halves instead of day by day.
    while (after - before > MS_PER_MINUTE) {
      const middle = before + Math.floor((after - before) / (2 * MS_PER_MINUTE)) * MS_PER_MINUTE;
      if (readOffset(timeZone, middle) === old) before = middle;
      else after = middle;
    }
    changes.push({ instant: after, offset });
  }
  return changes;
}

function readOffset(timeZone: string, instant: number): number {
  let format = zoneFormats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    zoneFormats.set(timeZone, format);
  }
  const [month, dayOfMonth, year, hour, minute] = format.format(instant).split(/\D+/).map(Number);
  const wallClock = Date.UTC(year!, month! - 1, dayOfMonth!, hour!, minute!);
  return wallClock - Math.floor(instant / MS_PER_MINUTE) * MS_PER_MINUTE;
}
