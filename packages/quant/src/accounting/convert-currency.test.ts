import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { convertCurrency, type ExchangeRates } from './convert-currency.ts';

const NONE = Number.NaN;
const DAYS = Int32Array.of(10, 11, 12, 13, 20);
const RATES: ExchangeRates = {
  base: 'EUR',
  currencies: ['USD', 'JPY'],
  day: Int32Array.of(9, 11, 12),
  rate: Float64Array.of(1.1, 130, 1.2, NONE, 1.25, 150),
};

test('a dollar price becomes euros at the last rate known that day, carried over gaps and then gone', () => {
  const result = convertCurrency(DAYS, Float64Array.of(11, 12, 12.5, 25, 30), ['USD'], 'EUR', RATES);
  near([...result.values.subarray(0, 4)], [10, 10, 10, 20]);
  assert.ok(Number.isNaN(result.values[4]!)); // eight days after the last rate
  assert.deepEqual([result.missingRateCount, result.carriedRateCount], [1, 2]);
});

test('two currencies cross through the base, and a missing rate of one is carried from its own last day', () => {
  const result = convertCurrency(DAYS, Float64Array.of(1, 1, 1, 1, 1), ['USD'], 'JPY', RATES);
  near([...result.values.subarray(0, 3)], [130 / 1.1, 130 / 1.2, 120]);
});

test('what is in the target currency already is copied, even without a rate; missing stays missing and is not counted', () => {
  const values = Float64Array.of(1, 2, 3, NONE, 5);
  const result = convertCurrency(DAYS, values, ['USD'], 'USD', {
    ...RATES,
    day: new Int32Array(0),
    rate: new Float64Array(0),
  });
  assert.deepEqual(result, { values, missingRateCount: 0, carriedRateCount: 0 });
  assert.equal(convertCurrency(DAYS, values.fill(NONE), ['USD'], 'EUR', RATES).missingRateCount, 0);
});

const positive = fc.double({ min: 0.01, max: 1000, noNaN: true });

test('a triangle comes to the same: a to b to c is a to c, and there and back is where it was', () => {
  fc.assert(
    fc.property(fc.array(positive, { minLength: 3, maxLength: 3 }), positive, positive, (prices, usd, jpy) => {
      const day = Int32Array.of(1, 2, 3);
      const rates: ExchangeRates = {
        base: 'EUR',
        currencies: ['USD', 'JPY'],
        day: Int32Array.of(1),
        rate: Float64Array.of(usd, jpy),
      };
      const go = (values: Float64Array, from: string, to: string) =>
        convertCurrency(day, values, [from], to, rates).values;
      const start = Float64Array.from(prices);
      near([...go(go(start, 'USD', 'JPY'), 'JPY', 'EUR')], [...go(start, 'USD', 'EUR')]);
      near([...go(go(start, 'USD', 'JPY'), 'JPY', 'USD')], prices);
    }),
  );
});

test('scaling prices scales the result, and quoting a currency in hundredths changes only its own columns', () => {
  fc.assert(
    fc.property(positive, positive, positive, (price, usd, factor) => {
      const rates = (scale: number): ExchangeRates => ({
        base: 'EUR',
        currencies: ['USD'],
        day: Int32Array.of(1),
        rate: Float64Array.of(usd * scale),
      });
      const go = (p: number, scale: number) =>
        convertCurrency(Int32Array.of(1), Float64Array.of(p, p), ['USD', 'EUR'], 'EUR', rates(scale)).values;
      const [plain, same] = go(price, 1);
      near([...go(price * factor, 1)], [plain! * factor, same! * factor]);
      near([...go(price, 100)], [plain! / 100, same!]);
    }),
  );
});

test('the canary passes: a later rate changes no earlier value', () => {
  const T = 60;
  const random = createRandom('rates');
  const verdict = checkNoLookAhead({
    name: 'convert currency',
    input: {
      day: Int32Array.from({ length: T }, (_, t) => t),
      close: Float64Array.from({ length: 2 * T }, () => 50 + random.uniform()),
      rate: Float64Array.from({ length: T }, () => (random.uniform() < 0.2 ? NONE : 1 + random.uniform())),
    },
    rowCount: T,
    random,
    compute: ({ day, close, rate }) =>
      convertCurrency(day, close, ['USD', 'EUR'], 'EUR', { base: 'EUR', currencies: ['USD'], day, rate }).values,
  });
  assert.ok(verdict.ok && verdict.isSensitive, JSON.stringify(verdict));
});

test('unknown currencies, rates that are not positive and days out of order are refused', () => {
  const one = Float64Array.of(1, 1, 1, 1, 1);
  assert.throws(() => convertCurrency(DAYS, one, ['CHF'], 'EUR', RATES), /no exchange rate is known for currency CHF/);
  assert.throws(
    () => convertCurrency(DAYS, one, ['USD'], 'EUR', { ...RATES, rate: RATES.rate.map(() => 0) }),
    /a rate must be positive/,
  );
  assert.throws(() => convertCurrency(DAYS.toReversed(), one, ['USD'], 'EUR', RATES), /days must ascend/);
  assert.throws(() => convertCurrency(DAYS, one, ['USD', 'EUR'], 'EUR', RATES), /values must be 5 x 2/);
  assert.throws(() => convertCurrency(DAYS, one, ['USD'], 'EUR', RATES, -1), /maxAgeDays/);
});

function near(actual: number[], expected: number[]): void {
  for (const [k, value] of actual.entries())
    assert.ok(Math.abs(value - expected[k]!) <= 1e-12 * Math.abs(expected[k]!), `${value} is not ${expected[k]}`);
}
