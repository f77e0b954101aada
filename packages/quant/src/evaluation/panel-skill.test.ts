import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { areaUnderCurve, daySums, metricInterval, pairedSkill } from './panel-skill.ts';
import { judge } from './promotion-gate.ts';

const DAYS = 600;
const ASSETS = 3;
const day = Int32Array.from({ length: DAYS * ASSETS }, (_, row) => Math.floor(row / ASSETS));

/** Outcomes, and forecasts that say of each as much as `skill` tells. */
function drawn(skill: number, seed: number) {
  const random = createRandom(seed);
  const outcome = Float64Array.from(day, () => (random.uniform() < 0.4 ? 1 : 0));
  const forecast = outcome.map((y) => 1 / (1 + Math.exp(-(skill * (y - 0.4) + random.normal() - 0.4))));
  return { day, forecast, outcome };
}

test('metrics are what they are defined as', () => {
  const judged = {
    day: Int32Array.of(1, 1, 2, 2),
    forecast: Float64Array.of(0.9, 0.2, 0.6, 0.4),
    outcome: Float64Array.of(1, 0, 0, 1),
  };
  const value = (metric: Parameters<typeof daySums>[0]) =>
    metricInterval(metric, daySums(metric, judged), { seed: 1 }).value;
  assert.equal(value('balanced_accuracy'), 0.5);
  assert.equal(value('accuracy'), 0.5);
  assert.ok(Math.abs(value('brier') - (0.01 + 0.04 + 0.36 + 0.36) / 4) < 1e-12);
  assert.ok(Math.abs(value('log_loss') + (Math.log(0.9) + Math.log(0.8) + 2 * Math.log(0.4)) / 4) < 1e-12);
  assert.equal(areaUnderCurve(judged.forecast, judged.outcome), 0.75);
  // Of volatilities .2 and .1 told for .2 and .2: ratios of variances 1 and 4.
  const volatility = {
    day: Int32Array.of(1, 1),
    forecast: Float64Array.of(0.2, 0.1),
    outcome: Float64Array.of(0.2, 0.2),
  };
  assert.ok(
    Math.abs(metricInterval('qlike', daySums('qlike', volatility), { seed: 1 }).value - (3 - Math.log(4)) / 2) < 1e-9,
  );
});

test('rank correlation is taken within days, and a forecast without order has none', () => {
  const three = Int32Array.of(1, 1, 1, 2, 2, 2, 3, 3);
  const outcome = Float64Array.of(1, 2, 3, 3, 2, 1, 1, 2);
  const rising = { day: three, forecast: Float64Array.of(10, 20, 30, 1, 2, 3, 9, 8), outcome };
  const sums = daySums('rank_ic', rising);
  // Days 1 and 2 cancel; day 3 has too few rows.
  assert.ok(Math.abs(metricInterval('rank_ic', sums, { seed: 1 }).value) < 1e-12);
  const flat = daySums('rank_ic', { day: three, forecast: new Float64Array(8), outcome });
  assert.equal(metricInterval('rank_ic', flat, { seed: 1 }).value, 0);
});

test('missing forecasts are left out, and no day at all is NaN', () => {
  const judged = {
    day: Int32Array.of(1, 2),
    forecast: Float64Array.of(Number.NaN, 0.3),
    outcome: Float64Array.of(1, 0),
  };
  const sums = daySums('brier', judged);
  assert.deepEqual(Array.from(sums.day), [2]);
  const none = daySums('brier', { ...judged, forecast: new Float64Array(2).fill(Number.NaN) });
  assert.ok(Number.isNaN(metricInterval('brier', none, { seed: 1 }).value));
});

test('a paired difference is narrower than two intervals apart, and the same seed gives the same', () => {
  const one = drawn(1, 1);
  const other = { ...one, forecast: one.forecast.map((p) => 0.8 * p + 0.05) };
  const [a, b] = [daySums('brier', one), daySums('brier', other)];
  const paired = pairedSkill('brier', a, b, { seed: 3 });
  const apart = metricInterval('brier', a, { seed: 3 });
  assert.ok((paired.high - paired.low) * apart.value < apart.high - apart.low);
  assert.deepEqual(pairedSkill('brier', a, b, { seed: 3 }), paired);
});

test('planted skill passes the gate, its sentence says over what, and a forecast is not better than itself', () => {
  const model = daySums('balanced_accuracy', drawn(2, 1));
  const majority = daySums('balanced_accuracy', { ...drawn(2, 1), forecast: new Float64Array(day.length) });
  const settings = { seed: 1 };
  const about = { metric: 'balanced_accuracy', sampleCount: day.length, trialCount: 7, settings } as const;
  const passed = judge({ ...about, model, baselines: [{ name: 'the majority', sums: majority }] });
  assert.equal(passed.passed, true);
  assert.match(
    passed.sentence,
    /^Better than the baseline: the lowest lower bound is \+0\.\d{3} over the majority\. 1800 forecasts on 600 days, 7 trials/,
  );
  const same = judge({ ...about, model, baselines: [{ name: 'itself', sums: model }] });
  assert.equal(same.passed, false);
  assert.match(same.sentence, /^Not better than itself: the difference is \+0\.0000, 95 % interval/);
  const short = { ...model, day: model.day.slice(0, 100), sums: model.sums.slice(0, 400) };
  assert.match(judge({ ...about, model: short, baselines: [] }).sentence, /^Judged on 100 days; the gate asks for 250/);
  const poor = { gain: { value: 0.01, low: -0.02, high: 0.04 }, sentence: 'nothing is left.' };
  assert.match(judge({ ...about, model, baselines: [], money: poor }).sentence, /^After costs nothing is left/);
});

test('of forecasts without skill the gate lets at most a few through', () => {
  let passed = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const judged = drawn(0, seed);
    const model = daySums('balanced_accuracy', judged);
    const majority = daySums('balanced_accuracy', { ...judged, forecast: new Float64Array(day.length) });
    const settings = { seed, resampleCount: 300 };
    const baselines = [{ name: 'the majority', sums: majority }];
    if (judge({ metric: 'balanced_accuracy', model, baselines, sampleCount: 1, trialCount: 1, settings }).passed)
      passed++;
  }
  // 2.5 % in the long run, somewhat more with so few blocks.
  assert.ok(passed <= 9, `${passed} of 100 passed`);
});
