import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { areaPath, linePath, logTicks, niceTicks, timeTicks } from './chart-scale.ts';
import { dayFromNumber } from './day.ts';

test('Ticks are round and stay between the ends.', () => {
  assert.deepEqual(niceTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(niceTicks(0.97, 1.04, 3), [0.975, 1, 1.025]);
  assert.deepEqual(niceTicks(3, 3, 5), [3]);
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      (low, span) => {
        const ticks = niceTicks(low, low + span, 5);
        assert.ok(ticks.length <= 12);
        assert.ok(ticks.every((tick) => tick >= low - span * 1e-6 && tick <= low + span * (1 + 1e-6)));
      },
    ),
  );
});

test('A logarithmic axis has ticks however short or long it is.', () => {
  assert.deepEqual(logTicks(90, 1100), [100, 200, 500, 1000]);
  assert.ok(logTicks(95, 130).length >= 3);
  assert.deepEqual(logTicks(5, 5), [5]);
  // No logarithm, no ticks: before its values are there, a chart has neither end.
  assert.deepEqual(logTicks(0, 1), []);
});

test('An axis of days labels years when it is long and days when it is short.', () => {
  const long = Array.from({ length: 3650 }, (_, index) => dayFromNumber(13_150 + index));
  const labels = timeTicks(long, 8).map((tick) => tick.label);
  assert.ok(labels.length >= 3 && labels.length <= 10, labels.join());
  assert.match(labels[0] ?? '', /^\d{4}$/);
  assert.match(timeTicks(long.slice(0, 20), 5)[0]?.label ?? '', /^\d+ [A-Z][a-z]{2}$/);
  assert.deepEqual(timeTicks([], 5), []);
});

test('A gap breaks the line and is not bridged.', () => {
  const path = linePath(
    [1, 2, null, 3, 4],
    (index) => index * 10,
    (value) => value,
  );
  assert.equal(path, 'M0.0 1.0L10.0 2.0M30.0 3.0L40.0 4.0');
});

test('The extremes of a crowded line survive the thinning.', () => {
  const values = Array.from({ length: 10_000 }, (_, index) => (index === 4321 ? 99 : index % 7));
  const path = linePath(
    values,
    (index) => index / 100,
    (value) => value,
  );
  assert.ok(path.includes(' 99.0'));
  assert.ok(path.length < 10_000);
});

test('An area is one closed piece for every run of days that have both ends.', () => {
  const same = (value: number) => value;
  const path = areaPath({ low: [1, 2, null, 4], high: [3, 4, 5, 6] }, same, same);
  assert.equal(path, 'M0.0 3.0L1.0 4.0L1.0 2.0L0.0 1.0ZM3.0 6.0L3.0 4.0Z');
  assert.equal(areaPath({ low: [null], high: [1] }, same, same), '');
});
