import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { forwardReturn } from './forward-return.ts';
import { purgedRows } from './purged-rows.ts';
import { sampleWeights } from './sample-weights.ts';
import { labelConcurrency, uniquenessOf } from './uniqueness.ts';

/** Random ends of labels, some not known yet. */
const ends = fc.array(fc.nat(8), { minLength: 2, maxLength: 40 }).map((lengths) => {
  const last = lengths.length - 1;
  return Int32Array.from(lengths, (length, t) => (t + length > last ? -1 : t + length));
});

test('uniqueness is the mean share of each row a label has to itself: three labels, told by hand', () => {
  // Label 0 is decided over rows 1–2, label 1 over 2–3, label 2 over row 3; row 2 and row 3 are shared by two each.
  const labelEnd = Int32Array.of(2, 3, 3, 3, -1);
  assert.deepEqual(Array.from(labelConcurrency(labelEnd)), [0, 1, 2, 2, 0]);
  const uniqueness = uniquenessOf(labelEnd);
  assert.deepEqual(Array.from(uniqueness), [0.75, 0.5, 0.5, Number.NaN, Number.NaN]);
});

test('uniqueness agrees with counting, for any labels', () => {
  fc.assert(
    fc.property(ends, (labelEnd) => {
      const last = labelEnd.length - 1;
      const endOf = (t: number) => (labelEnd[t]! < 0 ? last : labelEnd[t]!);
      const uniqueness = uniquenessOf(labelEnd);
      labelEnd.forEach((end, t) => {
        let sum = end > t ? 0 : Number.NaN;
        for (let r = t + 1; r <= end; r++) sum += 1 / labelEnd.filter((_, s) => s < r && endOf(s) >= r).length;
        const expected = sum / (end - t);
        assert.ok(Object.is(uniqueness[t], expected) || Math.abs(uniqueness[t]! - expected) < 1e-12);
      });
    }),
    { numRuns: 100, seed: 2 },
  );
});

test('daily labels of five days are a fifth unique, and labels that do not overlap are wholly so', () => {
  const { uniqueness } = forwardReturn(new Float64Array(50).fill(1), 5);
  assert.ok(uniqueness.slice(5, 40).every((u) => Math.abs(u - 0.2) < 1e-12));
  const { labelEnd } = forwardReturn(new Float64Array(50).fill(1), 5);
  const apart = Int32Array.of(0, 5, 10, 15);
  for (const t of apart) assert.ok(Math.abs(uniquenessOf(labelEnd, apart)[t]! - 1) < 1e-12);
});

test('weights share a return among the labels decided over it, and have mean 1', () => {
  const close = Float64Array.of(100, 100, 110, 110, 110);
  const labelEnd = Int32Array.of(2, 3, 4, -1, -1);
  const weights = sampleWeights({ rows: Int32Array.of(0, 1, 2), labelEnd, close });
  // The move into row 2 belongs to labels 0 and 1 alike; nothing happens in label 2.
  assert.deepEqual(Array.from(weights), [1.5, 1.5, 0]);
  const byUniqueness = sampleWeights({ rows: Int32Array.of(0, 1, 2), labelEnd });
  assert.ok(Math.abs(byUniqueness.reduce((a, b) => a + b) - 3) < 1e-12);
  assert.deepEqual(
    Array.from(sampleWeights({ rows: Int32Array.of(0, 1), labelEnd, close: new Float64Array(5).fill(7) })),
    [1, 1],
  );
});

test('decay falls in a straight line of uniqueness from the newest row to the oldest', () => {
  const labelEnd = Int32Array.of(1, 2, 3, 4, -1);
  const rows = Int32Array.of(0, 1, 2, 3);
  const shares = (decay: number) => {
    const weights = sampleWeights({ rows, labelEnd, decay });
    return Array.from(weights, (weight) => Math.round((weight / weights[3]!) * 1e12) / 1e12);
  };
  assert.deepEqual(shares(1), [1, 1, 1, 1]);
  assert.deepEqual(shares(0), [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(shares(0.5), [0.625, 0.75, 0.875, 1]);
  assert.deepEqual(shares(-0.5), [0, 0, 0.5, 1]);
  assert.throws(() => sampleWeights({ rows, labelEnd, decay: -1 }), /decay must lie in/);
  assert.throws(() => sampleWeights({ rows: Int32Array.of(4), labelEnd }), /label of row 4 must be known/);
  assert.throws(() => sampleWeights({ rows: Int32Array.of(1, 0), labelEnd }), /rows must ascend/);
});

test('no training row that stays shares a day with a test label, whatever the labels', () => {
  fc.assert(
    fc.property(ends, fc.nat(5), fc.integer({ min: 0, max: 1e6 }), (labelEnd, embargo, seed) => {
      const random = createRandom(seed);
      const last = labelEnd.length - 1;
      const endOf = (t: number) => (labelEnd[t]! < 0 ? last : labelEnd[t]!);
      const isTest = Array.from(labelEnd, () => random.uniform() < 0.2);
      const rows = Int32Array.from(labelEnd.keys());
      const testRows = rows.filter((t) => isTest[t]);
      const train = rows.filter((t) => !isTest[t]);
      const stays = (t: number) =>
        labelEnd[t]! >= 0 &&
        testRows.every((s) => {
          const isDisjoint = endOf(t) <= s || endOf(s) <= t || endOf(t) === t || endOf(s) === s;
          const isEmbargoed = t >= endOf(s) && t < endOf(s) + embargo;
          return isDisjoint && !isEmbargoed;
        });
      assert.deepEqual(purgedRows(train, testRows, labelEnd, embargo), train.filter(stays));
    }),
    { numRuns: 200, seed: 4 },
  );
});

test('rows whose label ends on the last day before the test stay, and the embargo takes those after', () => {
  const { labelEnd } = forwardReturn(new Float64Array(30).fill(1), 3);
  const rows = Int32Array.from({ length: 27 }, (_, t) => t);
  const testRows = Int32Array.of(10, 11, 12);
  const train = rows.filter((t) => t < 10 || t > 12);
  // Test labels are decided over rows 11–15. Label 7 ends on row 10, label 15 begins after row 15.
  assert.deepEqual(Array.from(purgedRows(train, testRows, labelEnd, 0)), [
    ...[0, 1, 2, 3, 4, 5, 6, 7],
    ...[15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26],
  ]);
  assert.deepEqual(
    Array.from(purgedRows(train, testRows, labelEnd, 2)).slice(8),
    [17, 18, 19, 20, 21, 22, 23, 24, 25, 26],
  );
  assert.throws(() => purgedRows(train, testRows, labelEnd, -1), /embargo must be/);
  assert.throws(() => purgedRows(Int32Array.of(30), testRows, labelEnd, 0), /rows must lie in 0..29/);
});
