import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cosine, exponential, logarithmOfOnePlus, logistic, sine } from './elementary-functions.ts';

test('they agree with those of the engine', () => {
  const near = (actual: number, wanted: number, scale = Math.abs(wanted)) =>
    assert.ok(Math.abs(actual - wanted) <= 1e-13 * scale + Number.MIN_VALUE * 10, `${actual} is not ${wanted}`);
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (x, u) => {
      near(exponential(x), Math.exp(x));
      near(logistic(x), 1 / (1 + Math.exp(-x)));
      near(logarithmOfOnePlus(u), Math.log1p(u));
      near(cosine(x), Math.cos(x), 10);
      near(sine(x), Math.sin(x), 10);
    }),
  );
});
