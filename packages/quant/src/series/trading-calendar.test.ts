import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { dayNumber, dayText, weekday } from './day.ts';
import {
  CALENDAR_CODES,
  type CalendarCode,
  calendarInfo,
  closeInstant,
  holidays,
  isTradingDay,
  tradingDays,
} from './trading-calendar.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const data = process.env.TOUCHSTONE_DATA ?? join(root, '../shared/data');

function datesOf(file: string, column = 0): Set<string> {
  const lines = gunzipSync(readFileSync(join(data, file)))
    .toString('utf8')
    .trim()
    .split('\n');
  return new Set(lines.slice(1).map((line) => line.split(',')[column]!));
}

function missingFile(file: string): string | false {
  return existsSync(join(data, file)) ? false : `the real data file ${file} is not there`;
}

const closedIn = (calendar: CalendarCode, year: number) =>
  holidays(calendar, dayNumber(`${year}-01-01`), dayNumber(`${year}-12-31`))
    .filter((holiday) => holiday.kind === 'closed')
    .map((holiday) => dayText(holiday.day).slice(5));

const SP500 = 'indices_etfs/sp500_index_daily_1950_2022.csv.gz';
test('New York has a session on exactly the weekdays the S&P 500 has a close, 1950 to 2022', {
  skip: missingFile(SP500),
}, () => {
  const real = datesOf(SP500);
  const days = Array.from(tradingDays('XNYS', dayNumber('1950-01-03'), dayNumber('2022-03-10')));
  // That file leaves out every Saturday session of 1950–1952; the next test finds them in another file.
  const ours = new Set(days.filter((day) => weekday(day) < 5).map(dayText));
  assert.equal(days.length - ours.size, 87);
  assert.deepEqual(
    [...ours].filter((day) => !real.has(day)),
    [],
  );
  assert.deepEqual(
    [...real].filter((day) => !ours.has(day)),
    [],
  );
});

const FACTORS = 'macro/fama_french_3f_daily_1926_2021_pct.csv.gz';
test('New York has a session on exactly the days of the daily factor file, Saturdays included, 1950 to 2021', {
  skip: missingFile(FACTORS),
}, () => {
  const real = [...datesOf(FACTORS)].filter((day) => day >= '1950-01-01');
  const ours = Array.from(tradingDays('XNYS', dayNumber('1950-01-01'), dayNumber('2021-12-31')), dayText);
  assert.deepEqual(ours, real);
});

const PANEL = 'equities/us_stocks_daily_2010_2019_yahoo_adj.csv.gz';
test('New York has a session on exactly the days of the 2010 to 2019 panel of stocks', {
  skip: missingFile(PANEL),
}, () => {
  const ours = Array.from(tradingDays('XNYS', dayNumber('2010-01-01'), dayNumber('2019-12-31')), dayText);
  assert.deepEqual(ours, [...datesOf(PANEL)].sort());
});

test('New York keeps its holidays of each era', () => {
  assert.deepEqual(closedIn('XNYS', 1952), [
    '01-01',
    '02-12',
    '02-22',
    '04-11',
    '05-30',
    '07-04',
    '09-01',
    '10-13',
    '11-04',
    '11-11',
    '11-27',
    '12-25',
  ]);
  assert.deepEqual(closedIn('XNYS', 2022), [
    '01-17',
    '02-21',
    '04-15',
    '05-30',
    '06-20',
    '07-04',
    '09-05',
    '11-24',
    '12-26',
  ]);
  assert.equal(closedIn('XNYS', 1968).length, 36);
  assert.ok(!isTradingDay('XNYS', dayNumber('2025-01-09')));
  assert.ok(isTradingDay('XNYS', dayNumber('2021-12-31')), 'a New Year’s Day on a Saturday is lost');
  assert.ok(isTradingDay('XNYS', dayNumber('1952-05-24')) && !isTradingDay('XNYS', dayNumber('1952-10-04')));
});

test('London, Xetra and Paris keep their holidays', () => {
  assert.deepEqual(closedIn('XLON', 2022), [
    '01-03',
    '04-15',
    '04-18',
    '05-02',
    '06-02',
    '06-03',
    '08-29',
    '09-19',
    '12-26',
    '12-27',
  ]);
  assert.deepEqual(closedIn('XETR', 2017), ['04-14', '04-17', '05-01', '06-05', '10-03', '10-31', '12-25', '12-26']);
  assert.deepEqual(closedIn('XPAR', 2024), ['01-01', '03-29', '04-01', '05-01', '12-25', '12-26']);
});

test('the close follows summer time, shortened days and the era', () => {
  const close = (calendar: CalendarCode, day: string) => new Date(closeInstant(calendar, dayNumber(day))).toISOString();
  assert.equal(close('XNYS', '2026-01-15'), '2026-01-15T21:00:00.000Z');
  assert.equal(close('XNYS', '2026-07-15'), '2026-07-15T20:00:00.000Z');
  assert.equal(close('XNYS', '2025-11-28'), '2025-11-28T18:00:00.000Z');
  assert.equal(close('XNYS', '2020-03-06'), '2020-03-06T21:00:00.000Z');
  assert.equal(close('XNYS', '2020-03-09'), '2020-03-09T20:00:00.000Z');
  assert.equal(close('XNYS', '1950-02-18'), '1950-02-18T17:00:00.000Z');
  assert.equal(close('XNYS', '1960-01-05'), '1960-01-05T20:30:00.000Z');
  assert.equal(close('XLON', '2025-12-24'), '2025-12-24T12:30:00.000Z');
  assert.equal(close('XETR', '2025-06-02'), '2025-06-02T15:30:00.000Z');
  assert.equal(close('WEEKDAYS', '2026-01-15'), '2026-01-16T00:00:00.000Z');
});

test('the close is later on every later day, for every calendar', () => {
  for (const calendar of CALENDAR_CODES) {
    fc.assert(
      fc.property(fc.integer({ min: -8000, max: 30_000 }), (day) => {
        const ahead = closeInstant(calendar, day + 1) - closeInstant(calendar, day);
        return ahead > 18 * 3_600_000 && ahead < 30 * 3_600_000;
      }),
    );
  }
});

test('holidays and trading days never meet, and together they fill the weekdays', () => {
  for (const calendar of CALENDAR_CODES) {
    if (calendar === 'EVERY_DAY') continue;
    const first = dayNumber('1953-01-01');
    const last = dayNumber('2040-12-31');
    const open = new Set(tradingDays(calendar, first, last));
    const closed = new Set(
      holidays(calendar, first, last)
        .filter((h) => h.kind === 'closed')
        .map((h) => h.day),
    );
    for (let day = first; day <= last; day++) {
      if (weekday(day) < 5) assert.notEqual(open.has(day), closed.has(day), `${calendar} ${dayText(day)}`);
      else assert.ok(!open.has(day));
    }
  }
});

test('before its first year of rules a calendar knows weekdays only', () => {
  assert.equal(calendarInfo('XETR').rulesFrom, 2002);
  assert.ok(isTradingDay('XETR', dayNumber('1998-12-25')));
  assert.equal(holidays('XETR', dayNumber('1990-01-01'), dayNumber('2001-12-31')).length, 0);
});

test('edges: an empty span, every day, and a wrong day', () => {
  assert.equal(tradingDays('XNYS', 10, 9).length, 0);
  assert.equal(tradingDays('EVERY_DAY', -5, 5).length, 11);
  assert.throws(() => isTradingDay('XNYS', 0.5), /must be an integer/);
  assert.throws(() => tradingDays('XNYS', 0, 1e9), /at most 1,000 years/);
});
