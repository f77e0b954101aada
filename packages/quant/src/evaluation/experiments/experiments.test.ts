import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { assignArm } from './assign-arm.ts';
import { compareLosses } from './compare-losses.ts';
import { boundInDeviations, confidenceSequence, longRunDeviationEstimate } from './confidence-sequence.ts';
import { adjustTogether, compareGroups, type GroupRow } from './group-losses.ts';
import { JUDGED_WORLD, longRunDeviation, simulateLosses } from './loss-simulator.ts';
import {
  effectForSessions,
  longRunDeviationOf,
  outcomesForHitRate,
  sessionsForLoss,
  yearsForAlpha,
  yearsForSharpe,
} from './power.ts';
import { predictionLoss } from './prediction-loss.ts';

const GOLDEN = JSON.parse(readFileSync(join(import.meta.dirname, '../../../golden/watching.json'), 'utf8')) as {
  losses: number[];
  longRun: { horizon: number; deviation: number }[];
  bounds: { sessions: number; tightestAt: number; level: number; horizon: number; value: number }[];
  hitRate: { rate: number; known: number; exact: number }[];
  oneLook: { effect: number; deviation: number; sessions: number };
  holm: { pValues: number[]; adjusted: number[] };
};
const near = (a: number, b: number, relative: number) =>
  assert.ok(Math.abs(a - b) <= relative * Math.abs(b), `${a}, wanted ${b}`);

test('long-run deviations and bounds are those of statsmodels and scipy', () => {
  for (const { horizon, deviation } of GOLDEN.longRun)
    near(longRunDeviationEstimate(Float64Array.from(GOLDEN.losses), horizon), deviation, 1e-10);
  for (const { sessions, tightestAt, level, horizon, value } of GOLDEN.bounds)
    near(boundInDeviations(sessions, tightestAt, level, horizon), value, 1e-8);
});

test('the numbers that make a test hopeless are those of the tables', () => {
  const needed = [67, 3843, 1716, 111, 3575];
  for (const [k, { rate, known, exact }] of GOLDEN.hitRate.entries()) {
    assert.equal(outcomesForHitRate(rate, known), needed[k]);
    // Quantiles to three decimals, as in tables: within half a thousandth of the exact count.
    near(outcomesForHitRate(rate, known), exact, 1e-2);
  }
  for (const [correlation, years] of [
    [0.8, 110],
    [0.9, 55],
    [0.95, 28],
    [0.98, 11],
  ] as const)
    assert.equal(Math.round(yearsForSharpe(0.65, 0.5, correlation)), years);
  assert.deepEqual(
    [0.05, 0.1, 0.15].map((trackingError) => Math.round(yearsForAlpha(0.05, trackingError))),
    [6, 25, 56],
  );
  const { effect, deviation, sessions } = GOLDEN.oneLook;
  near(sessionsForLoss(effect, deviation, { isSequential: false, horizon: 1 })!, sessions, 0.01);
});

test('sessions and effect are inverse to each other, and looking every day costs sessions', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 2000 }),
      fc.constantFrom(1, 5, 21),
      fc.boolean(),
      (n, horizon, isSequential) => {
        const settings = { isSequential, horizon };
        const effect = effectForSessions(n, 1, settings);
        if (!Number.isFinite(effect)) return;
        const needed = sessionsForLoss(effect, 1, settings)!;
        assert.ok(needed <= n && effectForSessions(needed, 1, settings) <= effect);
        const oneLook = sessionsForLoss(effect, 1, { isSequential: false, horizon })!;
        assert.ok(oneLook <= needed);
      },
    ),
    { numRuns: 60 },
  );
  assert.equal(sessionsForLoss(1e-6, 1, { isSequential: true, horizon: 1 }), null);
  assert.equal(longRunDeviationOf(2, 0.6), 4);
  for (const wrong of [
    () => outcomesForHitRate(0.5, 0.5),
    () => outcomesForHitRate(1.2, 0.5),
    () => yearsForSharpe(0.5, 0.6, 1),
    () => yearsForAlpha(0, 0.1),
    () => sessionsForLoss(0, 1, { isSequential: true, horizon: 1 }),
  ])
    assert.throws(wrong, RangeError);
});

test('bounds use no later session, hold before the first look nothing, and are scaled with the losses', () => {
  const { control, treatment } = simulateLosses(JUDGED_WORLD, 120, 0.01, createRandom(3));
  const d = treatment.map((loss, t) => loss - control[t]!);
  const settings = { tightestAt: 100, horizon: 5 };
  const whole = confidenceSequence(d, settings);
  const part = confidenceSequence(d.subarray(0, 70), settings);
  for (const name of ['mean', 'low', 'high'] as const) assert.deepEqual(whole[name].subarray(0, 70), part[name], name);
  assert.ok(Number.isNaN(whole.low[28]!) && Number.isFinite(whole.low[29]!));
  const scaled = confidenceSequence(
    d.map((x) => 8 * x),
    settings,
  );
  near(scaled.high[119]!, 8 * whole.high[119]!, 1e-12);
});

test('peeking every day calls few false differences and finds what was planted', () => {
  const sessions = 250;
  const effect = effectForSessions(sessions, longRunDeviation(JUDGED_WORLD), { isSequential: true, horizon: 5 });
  let [falseCalls, found] = [0, 0];
  const runs = 120;
  for (let seed = 0; seed < runs; seed++) {
    for (const planted of [0, -effect]) {
      const { control, treatment } = simulateLosses(JUDGED_WORLD, sessions, planted, createRandom(500_000 + seed));
      const path = confidenceSequence(
        treatment.map((loss, t) => loss - control[t]!),
        { tightestAt: sessions, horizon: 5 },
      );
      const isCalled = path.low.some((low, t) => low > 0 || path.high[t]! < 0);
      if (planted === 0 && isCalled) falseCalls += 1;
      if (planted !== 0 && path.high.some((high) => high < 0)) found += 1;
    }
  }
  assert.ok(falseCalls <= 13, `${falseCalls} of ${runs}`);
  assert.ok(found >= 0.75 * runs, `${found} of ${runs}`);
});

test('a comparison decides once, by the bounds that hold at every look', () => {
  const { control, treatment } = simulateLosses(JUDGED_WORLD, 300, -0.02, createRandom(8));
  const settings = { level: 0.05, horizon: 5, tightestAt: 250, effect: 0.02, random: createRandom(1) };
  const better = compareLosses(control, treatment, settings);
  assert.equal(better.decision, 'treatment');
  assert.ok(better.bootstrap.high < 0 && better.hac.high < 0 && better.hac.pValue < 0.01);
  assert.equal(compareLosses(treatment, control, settings).decision, 'control');
  // What is bad later does not take back what was decided.
  const later = compareLosses(
    control,
    treatment.map((loss, t) => (t < 280 ? loss : loss + 5)),
    settings,
  );
  assert.equal(later.decision, 'treatment');
  assert.equal(compareLosses(control.subarray(0, 10), treatment.subarray(0, 10), settings).decision, 'too_early');
  assert.equal(compareLosses(control.subarray(0, 0), control.subarray(0, 0), settings).decision, 'too_early');
  const same = simulateLosses(JUDGED_WORLD, 300, 0, createRandom(11));
  const none = compareLosses(same.control, same.treatment, { ...settings, effect: 0.2 });
  assert.equal(none.decision, 'no_effect_of_that_size');
  assert.throws(() => compareLosses(control, treatment.subarray(1), settings), /one length/);
});

test('an arm is the same for ever, fair, and blocks come in pairs of either', () => {
  const subjects = Array.from({ length: 4000 }, (_, k) => `instrument/${k}`);
  const share =
    subjects.filter((subject) => assignArm('sticky', 'test/1', subject, 0, 1) === 'treatment').length / 4000;
  assert.ok(Math.abs(share - 0.5) < 0.03, String(share));
  const both = subjects.filter(
    (subject) => assignArm('sticky', 'test/1', subject, 0, 1) === assignArm('sticky', 'test/2', subject, 0, 1),
  ).length;
  assert.ok(Math.abs(both / 4000 - 0.5) < 0.04, 'another test draws anew');
  for (let pair = 0; pair < 40; pair++) {
    const arms = [0, 1].map((k) => assignArm('interleaved', 'x', 'a', (2 * pair + k) * 5, 5));
    assert.deepEqual(arms.toSorted(), ['control', 'treatment']);
    assert.equal(assignArm('interleaved', 'x', 'b', 2 * pair * 5 + 4, 5), arms[0], 'one block, one arm, every subject');
  }
  assert.equal(assignArm('shadow', 'x', 'a', 3, 5), 'control');
  assert.throws(() => assignArm('sticky', 'x', 'a', -1, 5), RangeError);
});

test('losses are those of their definitions', () => {
  assert.equal(predictionLoss('brier', { value: 0.7, outcome: 1 }), (0.7 - 1) ** 2);
  assert.equal(predictionLoss('error_rate', { value: 0.7, outcome: 0 }), 1);
  near(predictionLoss('log_loss', { value: 0.7, outcome: 0 }), -Math.log(1 - 0.7), 1e-15);
  assert.ok(Number.isFinite(predictionLoss('log_loss', { value: 1, outcome: 0 })));
  assert.equal(predictionLoss('qlike', { value: 0.2, outcome: 0.2 }), 0);
  assert.equal(predictionLoss('squared_error', { value: 2, outcome: -1 }), 9);
  near(predictionLoss('interval_score', { value: 0, outcome: 3, lower: -1, upper: 2, level: 0.9 }), 3 + 20, 1e-12);
  for (const told of [
    predictionLoss('brier', { value: 1.2, outcome: 1 }),
    predictionLoss('brier', { value: 0.5, outcome: 0.5 }),
    predictionLoss('qlike', { value: 0, outcome: 1 }),
    predictionLoss('interval_score', { value: 0, outcome: 1 }),
  ])
    assert.ok(Number.isNaN(told));
});

test('a part that is worse is told, parts that are not are not, and Holm is that of statsmodels', () => {
  const random = createRandom(6);
  const rows: GroupRow[] = [];
  for (let day = 0; day < 120; day++) {
    const market = 0.05 * random.normal();
    for (const group of ['a', 'b', 'c', 'd'])
      rows.push({ day, group, loss: 0.2 + market + 0.05 * random.normal() + (group === 'c' ? 0.05 : 0) });
  }
  rows.push({ day: 3, group: 'few', loss: 0.9 });
  const told = compareGroups(rows, 10, createRandom(2));
  const adjusted = adjustTogether(told);
  assert.deepEqual(
    told.map(({ group }) => group),
    ['a', 'b', 'c', 'd', 'few'],
  );
  assert.ok(adjusted[2]! < 0.01 && told[2]!.low > 0);
  assert.ok(Number.isNaN(told[4]!.pValue) && Number.isNaN(adjusted[4]!));
  assert.equal(told[0]!.sampleCount, 120);
  const { pValues, adjusted: wanted } = GOLDEN.holm;
  const given = pValues.map((pValue, k) => ({ ...told[0]!, group: String(k), pValue }));
  for (const [k, p] of adjustTogether(given).entries()) near(p, wanted[k]!, 1e-12);
  assert.deepEqual(compareGroups(rows, 10, createRandom(2)), told, 'the same seed, the same answer');
});
