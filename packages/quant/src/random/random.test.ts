import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';

function moments(draw: () => number, count: number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const x = draw();
    sum += x;
    squares += x * x;
  }
  return { mean: sum / count, variance: squares / count - (sum / count) ** 2 };
}

test('the same seed gives the same numbers, another seed gives others', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).uniform);
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('a child depends on seed and label only, not on what was drawn before', () => {
  const fresh = createRandom(1).split('a').uniform();
  const parent = createRandom(1);
  for (let i = 0; i < 100; i++) parent.normal();
  assert.equal(parent.split('a').uniform(), fresh);
  assert.notEqual(parent.split('b').uniform(), fresh);
  assert.notEqual(parent.split(1).uniform(), parent.split('1').uniform());
});

test('uniform, normal, exponential, gamma and t have the moments of their distributions', () => {
  const random = createRandom('moments');
  const near = (actual: number, expected: number, tolerance: number) =>
    assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);
  const uniform = moments(random.uniform, 200_000);
  near(uniform.mean, 0.5, 0.005);
  near(uniform.variance, 1 / 12, 0.002);
  const normal = moments(random.normal, 200_000);
  near(normal.mean, 0, 0.01);
  near(normal.variance, 1, 0.02);
  near(moments(random.exponential, 200_000).mean, 1, 0.015);
  const gamma = moments(() => random.gamma(0.5), 200_000);
  near(gamma.mean, 0.5, 0.01);
  near(gamma.variance, 0.5, 0.03);
  near(moments(() => random.studentT(8), 200_000).variance, 8 / 6, 0.06);
});

test('integers fill their range evenly', () => {
  const random = createRandom(3);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[random.integer(6)]! += 1;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
});

test('a bad seed or bound is named', () => {
  assert.throws(() => createRandom(-1), /seed must be an integer/);
  assert.throws(() => createRandom(1).integer(0), /bound must be in 1/);
});
