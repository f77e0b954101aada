import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rollingStandardDeviation } from './rolling-standard-deviation.ts';

test('agrees with the definition on random columns with holes', () => {
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.double({ min: -0.1, max: 0.1, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 0, maxLength: 60 }), fc.integer({ min: 2, max: 9 }), (list, window) => {
      const width = 2;
      const values = Float64Array.from(list.slice(0, list.length - (list.length % width)));
      const result = rollingStandardDeviation(values, width, window, 2);
      for (let k = 0; k < values.length; k++) {
        const t = Math.floor(k / width);
        const seen: number[] = [];
        for (let s = Math.max(0, t - window + 1); s <= t; s++) {
          const x = values[s * width + (k % width)]!;
          if (!Number.isNaN(x)) seen.push(x);
        }
        if (seen.length < 2) assert.ok(Number.isNaN(result[k]!));
        else {
          const mean = seen.reduce((a, b) => a + b, 0) / seen.length;
          const expected = Math.sqrt(seen.reduce((a, x) => a + (x - mean) ** 2, 0) / (seen.length - 1));
          assert.ok(Math.abs(result[k]! - expected) < 1e-8, `${result[k]} was not ${expected}`);
        }
      }
    }),
  );
});

test('a bad tick is gone to the last bit once it has left the window', () => {
  const clean = Float64Array.from({ length: 40 }, (_, t) => Math.sin(t) / 100);
  const dirty = clean.slice();
  dirty[9] = 1e12;
  const a = rollingStandardDeviation(clean, 1, 5, 5);
  const b = rollingStandardDeviation(dirty, 1, 5, 5);
  assert.deepEqual(a.subarray(14), b.subarray(14));
});

test('a constant series has no volatility, and too few values have none to tell', () => {
  const constant = rollingStandardDeviation(new Float64Array(30).fill(0.1), 1, 7, 7);
  assert.ok(constant.subarray(6).every((x) => x === 0));
  assert.ok(constant.subarray(0, 6).every((x) => Number.isNaN(x)));
  assert.throws(() => rollingStandardDeviation(new Float64Array(5), 2, 3, 2), /values must be T x 2/);
  assert.throws(() => rollingStandardDeviation(new Float64Array(5), 1, 1, 2), /window must be/);
});
