import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { mean } from '../stats/moments.ts';
import { testPrices } from './_test-prices.ts';
import { forecastCone } from './forecast-cone.ts';
import { qlikeLosses } from './qlike.ts';
import { garmanKlassOvernightVariance, logReturns } from './range-variance.ts';
import { servedForecasts } from './served-forecast.ts';
import { createSortedWindow } from './sorted-window.ts';

test('what is served beats EWMA, its interval covers what it says, and the members are told', () => {
  const prices = testPrices(2600, 33);
  const served = servedForecasts(
    garmanKlassOvernightVariance(prices),
    logReturns(prices.close),
    [1, 5],
    createRandom(1),
  );
  for (const { forecast, low, high, target, baseline, selection, horizon } of served) {
    const rows = Array.from({ length: 2600 - horizon }, (_, t) => t).filter((t) => t > 1200);
    const lossOf = (values: Float64Array) => mean(Float64Array.from(rows, (t) => qlikeLosses(target, values)[t]!));
    assert.ok(lossOf(forecast) < lossOf(baseline));
    const covered = rows.filter((t) => target[t]! >= low[t]! && target[t]! <= high[t]!).length / rows.length;
    assert.ok(covered > 0.82 && covered < 0.97, `${covered}`);
    if (!selection) return assert.fail('nothing was selected');
    assert.ok(selection.models.some(({ isMember }) => isMember));
    assert.ok(selection.lastRow + horizon <= selection.row);
  }
});

test('what is served sees no row after its own', () => {
  const { open, high, low, close } = testPrices(1250, 34);
  const verdict = checkNoLookAhead({
    name: 'served',
    input: { open, high, low, close },
    rowCount: 1250,
    compute: (prices) => {
      const variance = garmanKlassOvernightVariance(prices);
      const [one] = servedForecasts(variance, logReturns(prices.close), [5], createRandom(1));
      return Float64Array.from([...one!.forecast].flatMap((value, t) => [value, one!.low[t]!, one!.high[t]!]));
    },
    probeRows: [1150],
    kinds: ['truncated', 'missing', 'huge'],
    random: createRandom(2),
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.isSensitive);
});

test('with a short past the baseline is told, with none nothing is', () => {
  const prices = testPrices(300, 35);
  const [one] = servedForecasts(garmanKlassOvernightVariance(prices), logReturns(prices.close), [5], createRandom(1));
  assert.equal(one!.selection, null);
  assert.equal(one!.forecast[299], one!.baseline[299]);
  assert.ok(one!.low[299]! < one!.forecast[299]! && one!.high[299]! > one!.forecast[299]!);
  for (const n of [0, 1, 700])
    for (const { forecast } of servedForecasts(
      new Float64Array(n).fill(Number.NaN),
      new Float64Array(n).fill(Number.NaN),
      [1],
      createRandom(1),
    ))
      assert.ok(forecast.every((x) => Number.isNaN(x)));
});

test('a cone goes through its points and lies between them', () => {
  const points = [
    { horizon: 1, forecast: 1, low: 0.5, high: 2 },
    { horizon: 5, forecast: 4, low: 1, high: 8 },
    { horizon: 21, forecast: Number.NaN, low: 1, high: 8 },
    { horizon: 63, forecast: 2, low: 1, high: 4 },
  ];
  const cone = forecastCone(points, 63);
  assert.deepEqual(
    cone.map(({ horizon }) => horizon),
    Array.from({ length: 63 }, (_, k) => k + 1),
  );
  assert.equal(cone[4]!.forecast, 4);
  assert.ok(cone.every(({ interpolated, horizon }) => interpolated === ![1, 5, 63].includes(horizon)));
  assert.ok(cone.every(({ low, forecast, high }) => low <= forecast && forecast <= high));
  assert.equal(forecastCone(points, 3).length, 3);
  assert.deepEqual(forecastCone([], 63), []);
});

test('a sorted window holds the last values in order, whatever came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (list, size) => {
        const window = createSortedWindow(size);
        for (const value of list) window.add(value);
        assert.deepEqual(
          [...window.values()],
          list.slice(-size).sort((a, b) => a - b),
        );
      },
    ),
  );
});
