import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { quantile } from '../../stats/quantile.ts';
import { abstentionOver, createAbstention } from './abstention.ts';
import {
  CONFORMAL,
  type ConformalMethod,
  type ConformalSettings,
  type ConformalState,
  conformalIntervals,
  createConformal,
  winklerScores,
} from './conformal-intervals.ts';

const METHODS: readonly ConformalMethod[] = ['plain', 'normalised', 'adaptive'];

/** Outcomes whose spread changes as told, times `wrong` from half way on. */
function history(n: number, seed: number, wrong = 1) {
  const random = createRandom(seed);
  const scale = Float64Array.from({ length: n }, (_, t) => 0.01 * (1.5 + Math.sin(t / 60)));
  const outcome = scale.map((s, t) => s * random.normal() * (2 * t < n ? 1 : wrong));
  return { center: new Float64Array(n), scale, outcome };
}

function coverage(method: ConformalMethod, data: ReturnType<typeof history>, from: number, more = {}): number {
  const { low, high } = conformalIntervals(data.center, data.scale, data.outcome, { ...CONFORMAL, ...more, method });
  const held = data.outcome.slice(from).filter((y, i) => y >= low[from + i]! && y <= high[from + i]!);
  return held.length / (data.outcome.length - from);
}

test('intervals hold the share they state, whatever the outcomes overlap', () => {
  const data = history(6000, 1);
  for (const method of METHODS)
    for (const horizon of [1, 5]) {
      const share = coverage(method, data, 1000, { horizon });
      assert.ok(Math.abs(share - 0.9) < 0.015, `${method} ${horizon}: ${share}`);
    }
});

test('when the scale tells half of the truth from a day on, only the adaptive level comes back', () => {
  const data = history(4000, 2, 2);
  const late = { method: 'adaptive', window: 4000, rate: 0.01 } as const;
  const adaptive = coverage('adaptive', data, 2200, late);
  const fixed = coverage('normalised', data, 2200, late);
  assert.ok(adaptive > 0.88 && fixed < adaptive - 0.02, `${adaptive} ${fixed}`);
});

test('bounds are the split conformal quantiles of the scores that were due, found by sorting them all', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 4 }), (seed, horizon) => {
      const { center, scale, outcome } = history(60, seed);
      const settings: ConformalSettings = { ...CONFORMAL, method: 'normalised', horizon, window: 30, scoresMin: 10 };
      const { low, high } = conformalIntervals(center, scale, outcome, settings);
      for (let t = 0; t < 60; t++) {
        const due = Array.from({ length: Math.max(0, t - horizon + 1) }, (_, s) => outcome[s]! / scale[s]!).slice(-30);
        const sorted = due.toSorted((a, b) => a - b);
        if (due.length < 10) assert.ok(Number.isNaN(low[t]!));
        else {
          const rank = Math.min(due.length, Math.ceil((due.length + 1) * 0.95 - 1e-9));
          assert.equal(high[t], scale[t]! * sorted[rank - 1]!);
          assert.equal(low[t], scale[t]! * sorted[due.length - rank]!);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('does not look ahead: other outcomes that are not due change nothing', () => {
  const data = history(800, 3);
  const horizon = 5;
  const settings: ConformalSettings = { ...CONFORMAL, horizon };
  const before = conformalIntervals(data.center, data.scale, data.outcome, settings);
  const changed = data.outcome.map((y, t) => (t > 600 - horizon ? 100 : y));
  const after = conformalIntervals(data.center, data.scale, changed, settings);
  assert.deepEqual(after.low.slice(0, 601), before.low.slice(0, 601));
  assert.deepEqual(after.high.slice(0, 601), before.high.slice(0, 601));
  assert.notDeepEqual(after.high.slice(601, 620), before.high.slice(601, 620));
});

test('going on from a state written as JSON gives the same bits as never having stopped', () => {
  for (const method of METHODS) {
    const { center, scale, outcome } = history(700, 4);
    // A hole in the forecasts and one in the outcomes.
    scale[333] = Number.NaN;
    outcome[410] = Number.NaN;
    const settings: ConformalSettings = { ...CONFORMAL, method, horizon: 3, window: 200, scoresMin: 50 };
    const whole = conformalIntervals(center, scale, outcome, settings);
    assert.ok(Number.isNaN(whole.low[333]!) && !Number.isNaN(whole.low[334]!));
    let conformal = createConformal(settings);
    for (let t = 0; t < 700; t++) {
      if (t % 97 === 0)
        conformal = createConformal(settings, JSON.parse(JSON.stringify(conformal.state())) as ConformalState);
      const told = conformal.step(t >= 3 ? outcome[t - 3]! : Number.NaN, { center: center[t]!, scale: scale[t]! });
      assert.ok(Object.is(told?.low ?? Number.NaN, whole.low[t]) && Object.is(told?.high ?? Number.NaN, whole.high[t]));
    }
  }
});

test('prices in another unit give the same intervals in it', () => {
  const data = history(500, 5);
  const one = conformalIntervals(data.center, data.scale, data.outcome);
  const times = (values: Float64Array) => values.map((x) => 4 * x);
  const four = conformalIntervals(times(data.center), times(data.scale), times(data.outcome));
  assert.deepEqual(four.high, times(one.high));
});

test("Winkler's score is the width, and twenty times what an outcome lies outside at 90 %", () => {
  const path = { low: Float64Array.of(-1, -1, -1), high: Float64Array.of(2, 2, Number.NaN) };
  const told = winklerScores(path, Float64Array.of(0, 2.5, 0), 0.9);
  assert.equal(told[0], 3);
  assert.ok(Math.abs(told[1]! - 13) < 1e-9 && Number.isNaN(told[2]!));
});

test('abstention takes its threshold from the values before, in one run or several', () => {
  const random = createRandom(6);
  const values = Float64Array.from({ length: 400 }, () => random.normal());
  values[120] = Number.NaN;
  const settings = { window: 100, share: 0.25, valuesMin: 40 };
  const whole = abstentionOver(values, settings);
  let abstention = createAbstention(settings);
  values.forEach((value, t) => {
    if (t % 50 === 0) abstention = createAbstention(settings, JSON.parse(JSON.stringify(abstention.state())));
    const { acts, threshold } = abstention.step(value);
    assert.ok(Object.is(acts === null ? Number.NaN : Number(acts), whole[t]));
    const past = values
      .slice(0, t)
      .filter((x) => !Number.isNaN(x))
      .map(Math.abs)
      .slice(-100);
    assert.equal(threshold, past.length < 40 ? null : quantile(past, 0.25));
  });
  assert.ok(Number.isNaN(whole[0]!) && Number.isNaN(whole[120]!));
  const acting = whole.slice(150).reduce((sum, x) => sum + x, 0) / 250;
  assert.ok(Math.abs(acting - 0.75) < 0.08);
});

test('settings out of their range are refused by name', () => {
  const wrong = [{ level: 1 }, { horizon: 0 }, { window: 10 }, { rate: -1 }];
  for (const change of wrong)
    assert.throws(() => createConformal({ ...CONFORMAL, ...change }), new RegExp(Object.keys(change)[0]!));
  assert.throws(() => conformalIntervals(new Float64Array(2), new Float64Array(2), new Float64Array(3)), /one length/);
  assert.throws(() => createAbstention({ window: 5, share: 0.2, valuesMin: 6 }), /valuesMin/);
});
