import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPrices } from '@touchstone/quant/volatility/_test-prices';
import type { RiskInput } from './risk-bars.ts';
import { readDrawdown, readValueAtRisk, readVolatility } from './volatility.worker.ts';

const PATH = testPrices(1600, 5);

function input(count: number, change: (price: number) => number = (price) => price): RiskInput {
  const column = (values: Float64Array) => values.slice(0, count).map(change);
  const { open, high, low, close } = PATH;
  const day = Int32Array.from({ length: count }, (_, t) => 15_000 + t);
  const prices = { day, open: column(open), high: column(high), low: column(low), close: column(close) };
  return { prices, seed: 1 };
}

test('the sessions a reason names are the sessions it takes', () => {
  assert.equal(readDrawdown(input(1590)).reason, null);
  assert.equal(readDrawdown(input(1589)).reason?.sentence, 'Needs 1590 sessions; 1589 are known by then.');
  for (const [method, needed] of [
    ['filtered_historical', 1066],
    ['historical', 501],
    ['garch_t', 501],
    ['ewma_normal', 23],
  ] as const) {
    const of = (count: number) => readValueAtRisk(input(count)).measures.find((one) => one.method === method);
    assert.ok(of(needed)!.valueAtRisk! > 0, method);
    const before = of(needed - 1);
    // Of the least demanding nothing at all is left.
    if (before === undefined) assert.equal(readValueAtRisk(input(22)).reason?.code, 'too_little_history');
    else assert.equal(before.reason?.sentence, `Needs ${needed} sessions; ${needed - 1} are known by then.`);
  }
  assert.ok(readVolatility(input(123)).forecasts[0]!.low! > 0);
  const { low, reason } = readVolatility(input(122)).forecasts[0]!;
  assert.equal(low, null);
  assert.equal(reason?.sentence, 'The interval needs 123 sessions; 122 are known.');
});

test('nothing but missing prices, prices that do not move and no session at all are told by their reason', () => {
  for (const read of [readVolatility, readDrawdown, readValueAtRisk]) {
    assert.equal(read(input(400, () => Number.NaN)).reason?.code, 'all_missing');
    assert.equal(read(input(400, () => -5)).reason?.code, 'all_missing');
    assert.equal(read(input(400, () => 7)).reason?.code, 'constant_prices');
    assert.equal(read(input(1)).reason?.code, 'too_little_history');
    assert.equal(read(input(0)).reason?.code, 'too_little_history');
  }
});

test('every figure of an answer is a number or null, also where a part of the past is missing', () => {
  const holes = input(900);
  for (let t = 0; t < 900; t++) {
    if (t % 7 === 0) holes.prices.high[t] = Number.NaN;
    if (t % 50 === 3) holes.prices.close[t] = Number.NaN;
  }
  for (const read of [readVolatility, readDrawdown, readValueAtRisk])
    JSON.stringify(read(holes), (key, value: unknown) => {
      assert.ok(typeof value !== 'number' || Number.isFinite(value), `${read.name} ${key} is ${value}`);
      return value;
    });
});
