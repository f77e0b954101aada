import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { mean } from '../stats/moments.ts';
import { testPrices } from './_test-prices.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { qlikeLosses } from './qlike.ts';
import {
  chooseProxy,
  type DailyPrices,
  garmanKlassOvernightVariance,
  garmanKlassVariance,
  logReturns,
  parkinsonVariance,
  rogersSatchellVariance,
  squaredReturnVariance,
  yangZhangVariance,
} from './range-variance.ts';

const bar = (open: number, high: number, low: number, close: number): DailyPrices => ({
  open: Float64Array.of(open),
  high: Float64Array.of(high),
  low: Float64Array.of(low),
  close: Float64Array.of(close),
});

test('one bar written out: each formula gives what its paper says', () => {
  const prices = bar(100, 104, 98, 101);
  const [range, body] = [Math.log(104 / 98), Math.log(101 / 100)];
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-16, `${actual}`);
  near(parkinsonVariance(prices)[0]!, range ** 2 / (4 * Math.log(2)));
  near(garmanKlassVariance(prices)[0]!, 0.5 * range ** 2 - (2 * Math.log(2) - 1) * body ** 2);
  const rogersSatchell = Math.log(104 / 101) * Math.log(104 / 100) + Math.log(98 / 101) * Math.log(98 / 100);
  near(rogersSatchellVariance(prices)[0]!, rogersSatchell);
});

test('on a simulated path every proxy has the true variance as its mean, and the range less noise than the return', () => {
  const prices = testPrices(4000, 11);
  const truth = mean(prices.trueVariance);
  // A path of 60 steps hides a part of its range: the range proxies come out a little low.
  const ratio = (values: Float64Array) => mean(values.filter(Number.isFinite)) / truth;
  assert.ok(Math.abs(ratio(squaredReturnVariance(prices.close)) - 1) < 0.1);
  for (const values of [garmanKlassOvernightVariance(prices), yangZhangVariance(prices, 22)])
    assert.ok(ratio(values) > 0.75 && ratio(values) < 1.05, `${ratio(values)}`);
  for (const values of [parkinsonVariance(prices), garmanKlassVariance(prices), rogersSatchellVariance(prices)])
    assert.ok(ratio(values) > 0.8 * 0.75 && ratio(values) < 0.8 * 1.05, `${ratio(values)}`);
  const noise = (values: Float64Array) => {
    const bias = ratio(values);
    return mean(values.slice(1).map((v, t) => (v / prices.trueVariance[t + 1]! - bias) ** 2));
  };
  assert.ok(noise(garmanKlassOvernightVariance(prices)) < 0.5 * noise(squaredReturnVariance(prices.close)));
});

test('another currency changes nothing, and no proxy sees a later row', () => {
  const { trueVariance: _, ...prices } = testPrices(120, 3);
  const proxies = (p: DailyPrices) => [
    squaredReturnVariance(p.close),
    parkinsonVariance(p),
    garmanKlassOvernightVariance(p),
    rogersSatchellVariance(p),
    yangZhangVariance(p, 10),
    ewmaVariance(squaredReturnVariance(p.close), 0.9),
  ];
  const scaled = {
    open: prices.open.map((x) => 7 * x),
    high: prices.high.map((x) => 7 * x),
    low: prices.low.map((x) => 7 * x),
    close: prices.close.map((x) => 7 * x),
  };
  const [one, other] = [proxies(prices), proxies(scaled)];
  one.forEach((values, k) => {
    values.forEach((v, t) => {
      assert.ok(Number.isNaN(v) === Number.isNaN(other[k]![t]!));
      if (!Number.isNaN(v)) assert.ok(Math.abs(v - other[k]![t]!) < 1e-12 * Math.max(1, v / 1e-4));
    });
    const compute = (p: DailyPrices) => proxies(p)[k]!;
    const verdict = checkNoLookAhead({
      name: `proxy ${k}`,
      input: prices,
      rowCount: 120,
      compute,
      random: createRandom(1),
    });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
    assert.ok(verdict.isSensitive);
  });
});

test('a missing price, a bar that contradicts itself and one bar alone give NaN, not a number', () => {
  for (const prices of [
    bar(Number.NaN, 104, 98, 101),
    bar(100, 97, 98, 101),
    bar(100, 104, 102, 101),
    bar(100, Number.POSITIVE_INFINITY, 98, 101),
    bar(0, 1, 0, 1),
  ])
    for (const proxy of [parkinsonVariance, garmanKlassVariance, rogersSatchellVariance])
      assert.ok(Number.isNaN(proxy(prices)[0]!));
  assert.ok(Number.isNaN(squaredReturnVariance(Float64Array.of(5))[0]!));
  assert.ok(Number.isNaN(garmanKlassOvernightVariance(bar(100, 104, 98, 101))[0]!));
  assert.equal(logReturns(new Float64Array(0)).length, 0);
  assert.throws(() => yangZhangVariance(bar(1, 1, 1, 1), 1), /window must be/);
});

test('closes alone are measured by their squared returns, and the reason is told', () => {
  const prices = testPrices(200, 5);
  assert.equal(chooseProxy(prices).proxy, 'garman_klass_overnight');
  const missing = new Float64Array(200).fill(Number.NaN);
  const chosen = chooseProxy({ open: missing, high: missing, low: missing, close: prices.close });
  assert.equal(chosen.proxy, 'squared_return');
  assert.match(chosen.reason!, /only 0.0 % of the days have an open, high and low/);
  assert.deepEqual(chosen.variance, squaredReturnVariance(prices.close));
  // One price a day written four times has no range either.
  const flat = { open: prices.close, high: prices.close, low: prices.close, close: prices.close };
  assert.equal(chooseProxy(flat).proxy, 'squared_return');
});

test('QLIKE is zero for a perfect forecast, dearer below than above, and least on average at the mean', () => {
  const target = Float64Array.of(1, 2, 3);
  assert.deepEqual(qlikeLosses(target, target), new Float64Array(3));
  const [low, high] = qlikeLosses(Float64Array.of(1, 1), Float64Array.of(0.5, 1.5));
  assert.ok(low! > high!);
  const average = (forecast: number) => mean(qlikeLosses(target, new Float64Array(3).fill(forecast)));
  assert.ok(average(2) < average(1.9) && average(2) < average(2.1));
  assert.ok(Number.isNaN(qlikeLosses(Float64Array.of(0), Float64Array.of(1))[0]!));
});
