import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { measureBaseRates, type Signal, type SignalSeries } from './base-rates.ts';

const KEYS = new Map<string, 1 | -1>([
  ['known', 1],
  ['noise', 1],
  ['rare', -1],
  ['never', 1],
]);

/** Random walks; the signal `known` stands before bars that were made to rise in three of four cases. */
function universe(seed: number, memberCount: number, dayCount: number): SignalSeries[] {
  const root = createRandom(seed);
  return Array.from({ length: memberCount }, (_, member) => {
    const random = root.split(member);
    const signals: Signal[] = [];
    const steps = Float64Array.from({ length: dayCount }, () => 0.01 * random.normal());
    for (let bar = 10; bar + 1 < dayCount; bar += 1) {
      const draw = random.uniform();
      if (draw < 0.02) {
        signals.push({ key: 'known', bar, direction: 1 });
        steps[bar + 1] = (random.uniform() < 0.75 ? 1 : -1) * Math.abs(steps[bar + 1]!);
      } else if (draw < 0.04) signals.push({ key: 'noise', bar, direction: 1 });
      else if (draw < 0.041) signals.push({ key: 'rare', bar, direction: -1 });
    }
    let level = 0;
    const close = steps.map((step) => {
      level += step;
      return 50 * Math.exp(level);
    });
    return { day: Int32Array.from({ length: dayCount }, (_, t) => 15_000 + t), close, signals };
  });
}

const options = { horizon: 1, asOf: 99_999, random: createRandom(1) };

test('a signal with an edge is told, one without is not, one with few cases has no figure', () => {
  const [known, noise, rare, never] = measureBaseRates(universe(3, 5, 1500), KEYS, options);
  assert.ok(Math.abs(known!.rate - 0.75) < 0.08 && known!.adjustedP < 0.001 && known!.low > 0);
  assert.ok(noise!.adjustedP > 0.05 && noise!.low < 0 && noise!.high > 0);
  assert.ok(rare!.caseCount < 30 && Number.isNaN(rare!.pValue) && Number.isNaN(rare!.low));
  assert.equal(never!.caseCount, 0);
  assert.ok(Number.isNaN(never!.rate) && Number.isNaN(never!.adjustedP));
});

test('rates, lift and means are those counted by hand', () => {
  const close = Float64Array.of(10, 11, 10, 12, 12, 9);
  const day = Int32Array.from([1, 2, 3, 4, 5, 6]);
  const signals: Signal[] = [0, 2, 3, 5].map((bar) => ({ key: 'a', bar, direction: 1 }));
  const [rate] = measureBaseRates([{ day, close, signals }], new Map([['a', 1]]), options);
  // Next bars: up, down, up, flat, down. Signals on bars 0, 2, 3; the one on the last bar has no outcome.
  assert.equal(rate!.caseCount, 3);
  assert.equal(rate!.rate, 2 / 3);
  assert.equal(rate!.unconditionalRate, 2 / 5);
  assert.ok(Math.abs(rate!.lift - 5 / 3) < 1e-12);
  assert.ok(Math.abs(rate!.unconditionalMeanReturn - Math.log(0.9) / 5) < 1e-12);
});

test('outcomes count only when they were known: a later day gives more cases and the same answer as a shorter history', () => {
  const series = universe(4, 2, 800);
  const asOf = 15_000 + 500;
  const known = measureBaseRates(series, KEYS, { ...options, horizon: 5, asOf, random: createRandom(2) });
  const cut = series.map(({ day, close, signals }) => ({
    day: day.slice(0, 501),
    close: close.slice(0, 501),
    signals: signals.filter(({ bar }) => bar <= 500),
  }));
  const short = measureBaseRates(cut, KEYS, { ...options, horizon: 5, asOf, random: createRandom(2) });
  known.forEach((rate, k) => {
    assert.equal(rate.caseCount, short[k]!.caseCount);
    assert.equal(rate.unconditionalRate, short[k]!.unconditionalRate);
  });
  const whole = measureBaseRates(series, KEYS, { ...options, horizon: 5 });
  assert.ok(whole[0]!.caseCount > known[0]!.caseCount);
});

test('of signals made of nothing few are told: the false-discovery rate holds over many keys', () => {
  const random = createRandom(11);
  const series = universe(12, 4, 1200).map(({ day, close }, member) => {
    const child = random.split(member);
    const signals = Array.from({ length: 2400 }, (): Signal => {
      const key = `key-${child.integer(40)}`;
      return { key, bar: child.integer(1190), direction: 1 };
    });
    return { day, close, signals };
  });
  const keys = new Map(Array.from({ length: 40 }, (_, k) => [`key-${k}`, 1] as const));
  const told = measureBaseRates(series, keys, { ...options, horizon: 5 }).filter(({ adjustedP }) => adjustedP <= 0.05);
  assert.ok(told.length <= 2, `${told.length} told`);
});

test('an empty universe has keys without cases; a horizon below one is refused', () => {
  assert.equal(measureBaseRates([], KEYS, options)[0]!.caseCount, 0);
  assert.throws(() => measureBaseRates([], KEYS, { ...options, horizon: 0 }), /horizon must be a positive/);
});
