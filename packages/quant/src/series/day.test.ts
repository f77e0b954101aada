import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayNumber, dayText, weekday } from './day.ts';

test('a day survives the way to a number and back', () => {
  fc.assert(fc.property(fc.integer({ min: -100_000, max: 100_000 }), (n) => dayNumber(dayText(n)) === n));
  assert.equal(dayNumber('1970-01-01'), 0);
});

test('weekdays follow the calendar', () => {
  assert.equal(weekday(dayNumber('2026-01-15')), 3); // a Thursday
  assert.equal(weekday(dayNumber('1950-01-02')), 0); // a Monday
});

test('a text that is no date is refused', () => {
  for (const text of ['2026-02-30', '2026-1-5', '', 'yesterday'])
    assert.throws(() => dayNumber(text), /a day must be a real date/);
});
