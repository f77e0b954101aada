import assert from 'node:assert/strict';
import { test } from 'node:test';
import { volatilityDirection } from '../../labels/volatility-direction.ts';
import { expandingForecast } from '../../learn/expanding-forecast.ts';
import { logistic } from '../../learn/linear/logistic.ts';
import { createRandom } from '../../random/random.ts';
import { ewmaVariance } from '../../volatility/ewma-variance.ts';
import { type DailyPrices, garmanKlassOvernightVariance, logReturns } from '../../volatility/range-variance.ts';
import { VOLATILITY_DIRECTION_FEATURES, volatilityDirectionFeatures } from './volatility-direction-features.ts';

const FEATURES = VOLATILITY_DIRECTION_FEATURES.length;

/** Prices whose volatility comes back to its mean within weeks. */
function simulated(n: number): DailyPrices {
  const random = createRandom(9);
  const bars = {
    open: new Float64Array(n),
    high: new Float64Array(n),
    low: new Float64Array(n),
    close: new Float64Array(n),
  };
  let [price, log] = [100, 0];
  for (let t = 0; t < n; t++) {
    log = 0.96 * log + 0.22 * random.normal();
    const step = 0.004 * Math.exp(log);
    bars.open[t] = price;
    let [high, low] = [price, price];
    for (let k = 0; k < 12; k++) {
      price *= Math.exp((step / Math.sqrt(12)) * random.normal());
      high = Math.max(high, price);
      low = Math.min(low, price);
    }
    [bars.high[t], bars.low[t], bars.close[t]] = [high, low, price];
  }
  return bars;
}

function cut(bars: DailyPrices, n: number): DailyPrices {
  return {
    open: bars.open.slice(0, n),
    high: bars.high.slice(0, n),
    low: bars.low.slice(0, n),
    close: bars.close.slice(0, n),
  };
}

test('features do not look ahead: a shorter history has the same rows', () => {
  const bars = simulated(400);
  const whole = volatilityDirectionFeatures(bars).values;
  const short = volatilityDirectionFeatures(cut(bars, 250)).values;
  assert.deepEqual(short, whole.slice(0, 250 * FEATURES));
  assert.ok(whole.slice(140 * FEATURES).every(Number.isFinite));
});

test('features do not depend on the unit of the prices, and a stale bar stays within bounds', () => {
  const bars = simulated(200);
  const times = (values: Float64Array) => values.map((x) => 8 * x);
  const other = { open: times(bars.open), high: times(bars.high), low: times(bars.low), close: times(bars.close) };
  assert.deepEqual(volatilityDirectionFeatures(other).values, volatilityDirectionFeatures(bars).values);
  for (const column of [bars.open, bars.high, bars.low, bars.close]) column[160] = bars.close[159]!;
  const stale = volatilityDirectionFeatures(bars).values.slice(160 * FEATURES, 161 * FEATURES);
  assert.ok(
    stale.every((x) => Math.abs(x) < 6),
    `${stale}`,
  );
});

test('features are what their description says', () => {
  const bars = simulated(300);
  const v = garmanKlassOvernightVariance(bars);
  const r = logReturns(bars.close);
  const { values } = volatilityDirectionFeatures(bars);
  const t = 250;
  const mean = (column: Float64Array, days: number) =>
    column.slice(t - days + 1, t + 1).reduce((sum, x) => sum + x, 0) / days;
  const month = mean(v, 22);
  const logs = v.map(Math.log);
  const ema = ewmaVariance(v, 1 - 2 / 33)[t]!;
  const wanted: Record<string, number> = {
    variance_ratio_day: Math.log(v[t]! / month),
    variance_ratio_week: Math.log(mean(v, 5) / month),
    variance_ratio_quarter: Math.log(month / mean(v, 66)),
    variance_ratio_ema_32: Math.log(ema / month),
    variance_ratio_log_quarter: mean(logs, 66) - Math.log(month),
    fall_of_week: (Math.min(mean(r, 5), 0) * Math.sqrt(5)) / Math.sqrt(month),
    size_of_day: Math.abs(r[t]!) / Math.sqrt(month),
  };
  for (const [name, value] of Object.entries(wanted)) {
    const told = values[t * FEATURES + VOLATILITY_DIRECTION_FEATURES.findIndex((feature) => feature.name === name)]!;
    assert.ok(Math.abs(told - value) < 1e-4, `${name}: ${told} and ${value}`);
  }
});

test('a logistic regression on them tells the direction better than the majority, without seeing later labels', () => {
  const bars = simulated(1500);
  const inputs = volatilityDirectionFeatures(bars);
  const labels = volatilityDirection(garmanKlassOvernightVariance(bars));
  const settings = {
    learner: logistic,
    goal: 'binary',
    settings: { penalty: 30 },
    seed: 1,
    horizon: 5,
    refitEvery: 63,
    rowsMin: 400,
  } as const;
  const { told, fitCount, model } = expandingForecast(inputs, labels, settings);
  const rows = Array.from(told.keys()).filter((t) => !Number.isNaN(told[t]!) && !Number.isNaN(labels.value[t]!));
  const share = (right: (t: number) => boolean) => rows.filter(right).length / rows.length;
  const ours = share((t) => told[t]! > 0.5 === (labels.value[t] === 1));
  const ones = share((t) => labels.value[t] === 1);
  assert.ok(ours > Math.max(ones, 1 - ones) + 0.05, `${ours} ${ones}`);
  assert.ok(fitCount >= 15 && model !== null);
  const changed = { ...labels, value: labels.value.map((y, t) => (t > 995 ? 1 - y : y)) };
  assert.deepEqual(expandingForecast(inputs, changed, settings).told.slice(0, 1001), told.slice(0, 1001));
});
