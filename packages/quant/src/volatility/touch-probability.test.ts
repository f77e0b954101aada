import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { drawdownTouch } from '../labels/drawdown-touch.ts';
import { createRandom } from '../random/random.ts';
import { testPrices } from './_test-prices.ts';
import { fitLogistic, probabilityOf } from './logistic.ts';
import { chooseProxy, garmanKlassOvernightVariance } from './range-variance.ts';
import { TOUCH_EVENT, TOUCH_FEATURES, touchForecast } from './touch-probability.ts';

const SETTINGS = { ...TOUCH_EVENT, features: TOUCH_FEATURES };

test('a forecast sees no row after its own, nor a label before it is known', () => {
  const { open, high, low, close } = testPrices(1500, 14);
  const verdict = checkNoLookAhead({
    name: 'touch',
    input: { open, high, low, close },
    rowCount: 1500,
    compute: (prices) => {
      const settings = { ...SETTINGS, rowsMin: 300, refitEvery: 150 };
      const told = touchForecast(prices, garmanKlassOvernightVariance(prices), settings);
      return Float64Array.from([...told.probability].flatMap((p, t) => [p, told.baseRate[t]!]));
    },
    probeRows: [900, 1300, 1480],
    kinds: ['truncated', 'missing', 'shuffled'],
    random: createRandom(2),
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.isSensitive);
});

test('on a path whose volatility wanders it is better than the base rate, and means what it says', () => {
  const prices = testPrices(5000, 15);
  const labels = drawdownTouch(prices, TOUCH_EVENT.sessions, TOUCH_EVENT.fall).value;
  const told = touchForecast(prices, garmanKlassOvernightVariance(prices), SETTINGS);
  let [own, base, mean, came, count] = [0, 0, 0, 0, 0];
  labels.forEach((y, t) => {
    if (Number.isNaN(y) || Number.isNaN(told.probability[t]!)) return;
    own += (told.probability[t]! - y) ** 2;
    base += (told.baseRate[t]! - y) ** 2;
    mean += told.probability[t]!;
    came += y;
    count++;
  });
  assert.ok(own < base, `${own} ${base}`);
  assert.ok(Math.abs(mean - came) / count < 0.05);
  assert.ok(told.fitCount > 5);
});

test('too little history, constant prices and missing prices give NaN and no exception', () => {
  for (const n of [1, 30, 1200])
    for (const value of [100, Number.NaN]) {
      const column = new Float64Array(n).fill(value);
      const prices = { open: column, high: column, low: column, close: column };
      const told = touchForecast(prices, chooseProxy(prices).variance, SETTINGS);
      assert.ok(
        told.probability.every((p) => Number.isNaN(p)),
        `${n} ${value}`,
      );
    }
});

test('a logistic regression finds the coefficients that made the labels, and stays finite where they separate', () => {
  const random = createRandom(6);
  const n = 20_000;
  const x = Float64Array.from({ length: 2 * n }, (_, k) => (k % 2 === 0 ? 1 : random.normal()));
  const y = Float64Array.from({ length: n }, (_, t) =>
    random.uniform() < probabilityOf(-1 + 0.7 * x[2 * t + 1]!) ? 1 : 0,
  );
  const b = fitLogistic(y, x, 2, 1e-9);
  assert.ok(b && Math.abs(b[0]! + 1) < 0.06 && Math.abs(b[1]! - 0.7) < 0.06, `${b}`);
  const separable = fitLogistic(Float64Array.of(0, 0, 1, 1), Float64Array.of(1, -2, 1, -1, 1, 1, 1, 2), 2, 0.01);
  assert.ok(separable?.every(Number.isFinite));
  assert.equal(fitLogistic(Float64Array.of(0, 1), Float64Array.of(1, 0, 1, 0), 2, 0), null);
});
