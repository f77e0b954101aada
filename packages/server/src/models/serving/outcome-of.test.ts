import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import fc from 'fast-check';
import { dueDayOf } from './due-day.ts';
import { isInside, lossOf, nextLevel, rankedOutcome, settledOutcomes, volatilityAt } from './outcome-of.ts';

const FIRST = dayNumber('2020-01-02');

function barsOf(close: readonly number[]): Bars {
  const day = Int32Array.from(close, (_, i) => FIRST + i);
  const [open, high, low, last, volume] = [1, 1.01, 0.99, 1, 0].map((factor) =>
    Float64Array.from(close, (price) => price * factor),
  );
  return { day, open: open!, high: high!, low: low!, close: last!, volume: volume! };
}

test('an outcome is settled once every bar up to the horizon is known, and not when it is known early', () => {
  const target = targetNamed('drawdown_touch');
  // The low falls 10 % on the second day: known at once, settled after 21.
  const falling = [100, 90, ...Array.from({ length: 30 }, () => 90)];
  const whole = settledOutcomes(target, barsOf(falling));
  assert.deepEqual(whole.get(FIRST), { value: 1, day: dayText(FIRST + target.horizonDays) });
  assert.equal(settledOutcomes(target, barsOf(falling.slice(0, target.horizonDays))).size, 0);
  for (const [day, { day: settled }] of whole) assert.equal(dayNumber(settled), day + target.horizonDays);
});

test('appending bars changes no outcome that was settled', () => {
  const target = targetNamed('forward_volatility');
  const random = createRandom(3);
  const close = Array.from({ length: 80 }, () => 100 * Math.exp(0.02 * random.normal()));
  const before = settledOutcomes(target, barsOf(close.slice(0, 60)));
  const after = settledOutcomes(target, barsOf(close));
  for (const [day, outcome] of before) assert.deepEqual(after.get(day), outcome);
});

test('ranks of all members add up to half their number, and too few have none', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 5, maxLength: 30 }), (values) => {
      const day = dayText(FIRST);
      const members = new Map(values.map((value, id) => [id, new Map([[FIRST, { value, day }]])]));
      const ranks = values.map((_, id) => rankedOutcome(members, id, day)!.value);
      assert.ok(Math.abs(ranks.reduce((sum, rank) => sum + rank, 0) - values.length / 2) < 1e-9);
      assert.ok(ranks.every((rank) => rank > 0 && rank < 1));
      const few = new Map([...members].slice(0, 4));
      assert.equal(rankedOutcome(few, 0, day), null);
      assert.equal(rankedOutcome(members, values.length, day), null);
    }),
  );
});

test('an adaptive level ends where the stated share lies inside, wherever it starts and however wrong the interval is', () => {
  for (const [start, exponent] of [
    [0.9, 1],
    [0.6, 1.5],
    [0.99, 0.7],
  ] as const) {
    const random = createRandom(7);
    let [level, inside] = [start as number, 0];
    const steps = 6000;
    for (let step = 0; step < steps; step++) {
      // An interval of this level really holds level ^ exponent of the outcomes.
      const isIn = random.uniform() < level ** exponent;
      if (step >= steps / 2) inside += Number(isIn);
      level = nextLevel(level, 0.9, isIn);
    }
    assert.ok(Math.abs(inside / (steps / 2) - 0.9) < 0.02, `${inside / (steps / 2)}`);
  }
});

test('losses: Brier of a probability, QLIKE of a volatility with its least at the truth, none where it kept silent', () => {
  const [direction, volatility] = [targetNamed('volatility_direction'), targetNamed('forward_volatility')];
  assert.equal(lossOf(direction, 0.7, 1)!.toFixed(12), '0.090000000000');
  assert.equal(lossOf(direction, null, 1), null);
  assert.equal(lossOf(volatility, 0.2, 0.2), 0);
  for (const wrong of [0.1, 0.19, 0.21, 0.4]) assert.ok(lossOf(volatility, wrong, 0.2)! > 0);
  assert.equal(lossOf(volatility, 0, 0.2), null);
  assert.equal(isInside(direction, 0.1, 0.9, 1), null, 'no event lies in an interval of probabilities');
  assert.deepEqual([isInside(volatility, 0.1, 0.3, 0.3), isInside(volatility, 0.1, 0.3, 0.31)], [true, false]);
});

test('volatility is that of the last 22 returns up to the day, and null without two', () => {
  const close = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 100 : 101));
  const step = Math.log(1.01);
  const n = 22;
  const expected = Math.sqrt((n * step * step) / (n - 1));
  assert.ok(Math.abs(volatilityAt(barsOf(close), dayText(FIRST + 30))! - expected) < 1e-12);
  assert.equal(volatilityAt(barsOf([100, 101]), dayText(FIRST)), null);
});

test('the due day counts sessions: holidays and weekends are left out', () => {
  assert.equal(dueDayOf('XNYS', dayNumber('2020-06-15'), 5), '2020-06-22');
  assert.equal(dueDayOf('XNYS', dayNumber('2019-12-30'), 2), '2020-01-02');
  assert.equal(dueDayOf('EVERY_DAY', dayNumber('2019-12-30'), 2), '2020-01-01');
  assert.equal(dueDayOf('unheard of', dayNumber('2020-06-19'), 1), '2020-06-22');
  assert.equal(dueDayOf(null, dayNumber('2020-06-15'), 0), '2020-06-15');
});
