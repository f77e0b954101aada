import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DATE_OUT_OF_RANGE, type DateFormat, NO_DATE, parseDateText, parseIsoDay, stampParts } from './parse-date.ts';

const isoText = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);
const fast = (text: string) => parseIsoDay(new Uint8Array(Buffer.from(text)), 0);
const FIRST = Date.UTC(1800, 0, 1) / 86_400_000;
const LAST = Date.UTC(2199, 11, 31) / 86_400_000;

test('every day from 1800 to 2199 is read from its ISO text, by the fast way and the general one', () => {
  for (let day = FIRST; day <= LAST; day++) {
    const text = isoText(day);
    if (fast(text) !== day || parseDateText(text, 'iso', null) !== day) assert.fail(text);
  }
});

test('any other ten bytes are no ISO day', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (bytes) => {
      const real = /^\d{4}-\d{2}-\d{2}$/.test(Buffer.from(bytes).toString('latin1'));
      return real || parseIsoDay(bytes, 0) === NO_DATE;
    }),
    { numRuns: 500 },
  );
  assert.equal(fast('2015-02-29'), NO_DATE);
  assert.equal(fast('2016-13-01'), NO_DATE);
  assert.equal(fast('2016-00-10'), NO_DATE);
  assert.equal(fast('1799-12-31'), DATE_OUT_OF_RANGE);
  assert.equal(fast('2200-01-01'), DATE_OUT_OF_RANGE);
});

test('one day is read from every way it is written', () => {
  const day = Date.UTC(2016, 1, 3) / 86_400_000;
  const cases: [string, DateFormat][] = [
    ['2016-02-03', 'iso'],
    ['2016-02-03T00:00:00Z', 'iso'],
    ['2016-02-03 16:00:00-05:00', 'iso'],
    ['2016-02-03T23:59:59.999+0100', 'iso'],
    ['20160203', 'yyyymmdd'],
    ['2016/2/3', 'ymd'],
    ['3/2/2016', 'dmy'],
    ['03.02.16', 'dmy'],
    ['02/03/2016', 'mdy'],
    ['2-3-2016 4:00 PM', 'mdy'],
    ['3-Feb-16', 'd-month-y'],
    ['03 February 2016', 'd-month-y'],
    ['Feb 3, 2016', 'month-d-y'],
    [String(day * 86_400 + 3600), 'epoch-seconds'],
    [String(day * 86_400_000 + 1), 'epoch-milliseconds'],
  ];
  for (const [text, format] of cases) assert.equal(parseDateText(text, format, null), day, `${text} as ${format}`);
});

test('a stamp with its own zone belongs to the day it was in the given zone', () => {
  const day = Date.UTC(2016, 1, 3) / 86_400_000;
  assert.equal(parseDateText('2016-02-04T02:00:00Z', 'iso', 'America/New_York'), day);
  assert.equal(parseDateText('2016-02-02T22:00:00-05:00', 'iso', 'UTC'), day);
  assert.equal(parseDateText('2016-02-03T16:00:00', 'iso', 'Asia/Tokyo'), day, 'without a zone: as written');
  assert.equal(parseDateText(String((day + 1) * 86_400 + 7200), 'epoch-seconds', 'America/New_York'), day);
});

test('impossible times and formats are no date', () => {
  for (const text of ['2016-02-03T25:00', '2016-02-03 10:61', '2016-02-03x', '2016-02-03T10:00 Mars', 'yesterday', ''])
    assert.equal(parseDateText(text, 'iso', null), NO_DATE, text);
  assert.equal(parseDateText('31/04/2016', 'dmy', null), NO_DATE);
  assert.equal(parseDateText('3-Foo-16', 'd-month-y', null), NO_DATE);
});

test('times and zones of stamps are told apart', () => {
  assert.deepEqual(stampParts('2016-02-03'), { time: false, zone: false });
  assert.deepEqual(stampParts('2016-02-03T00:00:00.000Z'), { time: false, zone: true });
  assert.deepEqual(stampParts('2016-02-03 16:00:00'), { time: true, zone: false });
  assert.deepEqual(stampParts('2016-02-03 16:00:00-05:00'), { time: true, zone: true });
});
