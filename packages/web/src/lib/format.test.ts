import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addDays, addMonths, clampDay, dayFromNumber, dayNumber, dayOfInstant, endOfDay, isDay } from './day.ts';
import {
  agentWords,
  formatAgo,
  formatBytes,
  formatDay,
  formatInstant,
  formatInterval,
  formatLongDay,
  formatMetric,
  formatNumber,
  formatPercent,
  formatPlain,
  formatPrice,
  plural,
  shortHash,
  unitWords,
  words,
} from './format.ts';

test('A fraction is shown as a percentage with a true minus sign.', () => {
  assert.equal(formatPercent(0.0125), '1.3\u202f%');
  assert.equal(formatPercent(-0.4), '\u221240.0\u202f%');
  assert.equal(formatPercent(12.345, 0), '1,235\u202f%');
});

test('A value that is missing is a dash, never a zero.', () => {
  assert.equal(formatNumber(null), '\u2013');
  assert.equal(formatPercent(undefined), '\u2013');
  assert.equal(formatNumber(Number.NaN), '\u2013');
  assert.equal(formatMetric({ unit: 'ratio', value: null, interval: null }), '\u2013');
});

test('A tiny negative number that rounds to zero shows no minus sign.', () => {
  assert.equal(formatNumber(-0.001), '0.00');
  assert.equal(formatPercent(-0.00001), '0.0\u202f%');
});

test('Prices below one keep four decimals.', () => {
  assert.equal(formatPrice(0.01234), '0.0123');
  assert.equal(formatPrice(101.255), '101.26');
  assert.equal(formatPlain(-1.5), '\u22121.5');
});

test('An interval is written in the unit of its figure.', () => {
  assert.equal(
    formatInterval({ unit: 'fraction a year', value: 0.1, interval: [-0.02, 0.22] }),
    '\u22122.0 to 22.0\u202f%',
  );
  assert.equal(formatInterval({ unit: 'ratio', value: 0.8, interval: [0.3, 1.2] }), '0.30 to 1.20');
  assert.equal(formatInterval({ unit: 'ratio', value: 0.8, interval: null }), null);
  assert.equal(formatMetric({ unit: 'days', value: 412, interval: null }), '412');
});

test('Days and instants are written in UTC, the same for every reader.', () => {
  assert.equal(formatDay('2026-01-15'), '15 Jan 2026');
  assert.equal(formatLongDay('2026-11-02'), '2 November 2026');
  assert.equal(formatInstant('2026-01-15T23:30:00.000Z'), '15 Jan 2026, 23:30 UTC');
  assert.equal(formatDay(null), '\u2013');
});

test('Sizes, hashes, units and codes are written for people.', () => {
  assert.equal(formatBytes(999), '999\u202fB');
  assert.equal(formatBytes(1_234_567), '1.2\u202fMB');
  assert.equal(shortHash('9f86d081884c7d65'), '9f86d08188');
  assert.equal(unitWords('fraction a year'), 'a year');
  assert.equal(unitWords('ratio'), '');
  assert.equal(words('split_adjusted'), 'Split adjusted');
  assert.equal(plural(1, 'row'), '1 row');
  assert.equal(plural(2300, 'row'), '2,300 rows');
});

test('Age is coarse and never negative.', () => {
  const now = Date.parse('2026-01-15T12:00:00Z');
  assert.equal(formatAgo('2026-01-15T12:00:30Z', now), 'just now');
  assert.equal(formatAgo('2026-01-15T11:15:00Z', now), '45 min ago');
  assert.equal(formatAgo('2026-01-12T12:00:00Z', now), '3 days ago');
  assert.equal(formatAgo('2024-01-12T12:00:00Z', now), '12 Jan 2024');
});

test('A day survives the way to its number and back.', () => {
  fc.assert(
    fc.property(fc.integer({ min: -20_000, max: 60_000 }), (count) => {
      assert.equal(dayNumber(dayFromNumber(count)), count);
      assert.equal(addDays(dayFromNumber(count), 1), dayFromNumber(count + 1));
    }),
  );
});

test('A month step stays inside the month it reaches.', () => {
  assert.equal(addMonths('2026-03-31', -1), '2026-02-28');
  assert.equal(addMonths('2024-01-31', 1), '2024-02-29');
  assert.equal(addMonths('2026-01-15', -12), '2025-01-15');
});

test('A day is kept between the first and the last one known.', () => {
  assert.equal(clampDay('1999-01-01', '2006-01-03', '2017-12-29'), '2006-01-03');
  assert.equal(clampDay('2030-01-01', '2006-01-03', '2017-12-29'), '2017-12-29');
  assert.equal(clampDay('2010-01-01', '2006-01-03', '2017-12-29'), '2010-01-01');
  assert.equal(dayOfInstant('2026-01-15T23:59:59.000Z'), '2026-01-15');
  assert.equal(endOfDay('2026-01-15'), '2026-01-15T23:59:59.000Z');
  assert.equal(isDay('2026-13-40'), false);
  assert.equal(isDay('2026-01-15'), true);
});

test('A browser is named by its name and its system, another program as it names itself.', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
  assert.equal(agentWords(chrome), 'Chrome on Linux');
  assert.equal(agentWords('touchstone-cli'), 'Command line');
  assert.equal(agentWords('curl/8.0'), 'curl/8.0');
  assert.equal(agentWords(''), 'Unknown program');
});
