import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../random/random.ts';
import { JUDGED_WORLD, longRunDeviation, simulateLosses } from './loss-simulator.ts';

test('the mean of many days has the long-run deviation that is told, and the effect that was planted', () => {
  const days = 250;
  const effect = 0.004;
  const means: number[] = [];
  for (let seed = 0; seed < 1500; seed++) {
    const { control, treatment } = simulateLosses(JUDGED_WORLD, days, effect, createRandom(seed));
    means.push(treatment.reduce((sum, x, t) => sum + x - control[t]!, 0) / days);
  }
  const mean = means.reduce((a, b) => a + b) / means.length;
  const deviation = Math.sqrt(means.reduce((sum, x) => sum + (x - mean) ** 2, 0) / means.length);
  const told = longRunDeviation(JUDGED_WORLD) / Math.sqrt(days);
  assert.ok(Math.abs(deviation / told - 1) < 0.06, `${deviation} against ${told}`);
  assert.ok(Math.abs(mean - effect) < 4 * (told / Math.sqrt(1500)), String(mean));
});

test('the same seed gives the same losses, and neighbouring days share their outcome', () => {
  const once = simulateLosses(JUDGED_WORLD, 4000, 0, createRandom(7));
  assert.deepEqual(once, simulateLosses(JUDGED_WORLD, 4000, 0, createRandom(7)));
  const d = once.treatment.map((x, t) => x - once.control[t]!);
  const product = (lag: number) => d.subarray(lag).reduce((sum, x, t) => sum + x * d[t]!, 0);
  assert.ok(Math.abs(product(1) / product(0) - 0.8) < 0.07);
  assert.ok(Math.abs(product(8) / product(0)) < 0.12);
});

test('settings outside their ranges are refused with the value', () => {
  assert.throws(() => simulateLosses({ ...JUDGED_WORLD, persistence: 1 }, 10, 0, createRandom(1)), /was 1/);
  assert.throws(() => simulateLosses({ ...JUDGED_WORLD, shockDegrees: 2 }, 10, 0, createRandom(1)), /above 2/);
});
