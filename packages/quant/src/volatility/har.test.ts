import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { mean } from '../stats/moments.ts';
import { hacRegression } from '../stats/newey-west.ts';
import { testPrices } from './_test-prices.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { type HarVariant, harForecast } from './har.ts';
import { meanAhead, qlikeLosses } from './qlike.ts';
import { garmanKlassOvernightVariance, logReturns } from './range-variance.ts';
import { rollingFit } from './rolling-fit.ts';

const VARIANTS: HarVariant[] = [
  'har',
  'log_har',
  'log_har_leverage',
  'log_har_smooth',
  'log_har_decay',
  'log_har_blend',
];

test('a rolling fit is least squares on exactly the rows whose target was known, and smears with their residuals', () => {
  const random = createRandom(4);
  const n = 400;
  const x = Float64Array.from({ length: 2 * n }, (_, k) => (k % 2 === 0 ? 1 : random.normal()));
  const y = Float64Array.from({ length: n }, (_, t) => 0.3 + 0.5 * x[2 * t + 1]! + random.normal());
  y[100] = Number.NaN;
  const settings = { delay: 5, windowMax: 150, windowMin: 50, refitEvery: 1 };
  const fit = rollingFit(y, x, 2, settings);
  for (const t of [60, 200, 399]) {
    const rows: number[] = [];
    for (let s = t - 5; s >= 0 && rows.length < 150; s--) if (!Number.isNaN(y[s]!)) rows.unshift(s);
    const direct = hacRegression(
      Float64Array.from(rows, (s) => y[s]!),
      Float64Array.from(rows.flatMap((s) => [1, x[2 * s + 1]!])),
      2,
    );
    assert.equal(direct.status, 'ok');
    if (direct.status !== 'ok') return;
    const expected = direct.coefficients[0]! + direct.coefficients[1]! * x[2 * t + 1]!;
    assert.ok(Math.abs(fit.fitted[t]! - expected) < 1e-10, `${t}`);
    assert.ok(Math.abs(fit.smear[t]! - mean(direct.residuals.map(Math.exp))) < 1e-9);
  }
  assert.ok(Number.isNaN(fit.fitted[53]!));
  assert.equal(fit.rowCount, 150);
});

test('the logarithmic forms beat EWMA on a path with leverage, and their forecasts have no bias', () => {
  const prices = testPrices(3000, 21);
  const variance = garmanKlassOvernightVariance(prices);
  const returns = logReturns(prices.close);
  for (const horizon of [1, 5]) {
    const target = meanAhead(variance, horizon);
    const known = (values: Float64Array) => values.slice(1000, 3000 - horizon);
    const baseline = mean(known(qlikeLosses(target, ewmaVariance(variance, 0.94))));
    for (const variant of VARIANTS.slice(2)) {
      const { forecast, trainingRows } = harForecast(variance, returns, { variant, horizon });
      assert.ok(mean(known(qlikeLosses(target, forecast))) < baseline, variant);
      const ratio = mean(known(target).map((y, t) => y / known(forecast)[t]!));
      assert.ok(Math.abs(ratio - 1) < 0.1, `${variant} ${ratio}`);
      assert.equal(trainingRows, 1500);
    }
  }
});

test('no variant sees a row after its own', () => {
  const { close, open, high, low } = testPrices(320, 8);
  const window = { windowMax: 150, windowMin: 60, refitEvery: 5 };
  for (const variant of VARIANTS) {
    const verdict = checkNoLookAhead({
      name: variant,
      input: { open, high, low, close },
      rowCount: 320,
      compute: (prices) =>
        harForecast(garmanKlassOvernightVariance(prices), logReturns(prices.close), { variant, horizon: 5, window })
          .forecast,
      random: createRandom(2),
    });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
    assert.ok(verdict.isSensitive, variant);
  }
});

test('too little history, missing values and constant prices give NaN and no exception', () => {
  for (const [n, value] of [
    [1, 1e-4],
    [300, 1e-4],
    [700, Number.NaN],
    [700, 0],
    [700, 1e-4],
  ] as const)
    for (const variant of VARIANTS) {
      const variance = new Float64Array(n).fill(value);
      const { forecast } = harForecast(variance, new Float64Array(n), { variant, horizon: 5 });
      assert.ok(
        forecast.every((x) => Number.isNaN(x)),
        `${variant} ${n} ${value}`,
      );
    }
  const some = { variant: 'har', horizon: 0 } as const;
  assert.throws(() => harForecast(new Float64Array(9), new Float64Array(9), some), /horizon must be/);
  assert.throws(() => harForecast(new Float64Array(9), new Float64Array(8), { ...some, horizon: 1 }), /one length/);
});
