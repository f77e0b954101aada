import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { injectFault, injectShift, PIPELINE_FAULTS, WINDOW_ROWS } from './drift-injector.ts';

const normals = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
};

test('nothing before the fault is touched but the values that a broken delivery leaves out', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PIPELINE_FAULTS), fc.integer({ min: 40, max: 99 }), (fault, row) => {
      const values = normals(100, 3);
      const faulty = injectFault(values, row, fault, createRandom(row));
      assert.deepEqual(values, normals(100, 3), 'the input stays');
      const from = fault === 'missing' ? row - WINDOW_ROWS + 1 : row;
      assert.deepEqual(faulty.subarray(0, from), values.subarray(0, from));
      assert.notEqual(faulty[row], values[row]);
    }),
  );
});

test('each fault is what its name says', () => {
  const values = normals(60, 1);
  const at = (fault: (typeof PIPELINE_FAULTS)[number], t: number) => injectFault(values, 30, fault, createRandom(2))[t];
  assert.equal(at('scale', 31), 100 * values[31]!);
  assert.equal(at('sign', 31), -values[31]!);
  assert.equal(at('constant', 31), values[29]);
  assert.equal(at('lag', 31), values[30]);
  const gone = injectFault(values, 30, 'missing', createRandom(2)).subarray(10, 31);
  assert.equal(gone.filter((x) => Number.isNaN(x)).length, 5);
  assert.ok(Number.isNaN(gone[20]!));
});

test('a shift moves 21 sessions by deviations of the past alone', () => {
  const values = Float64Array.of(...[1, -1, 1, -1, 1, -1, 1, -1, 1, -1], ...new Float64Array(30));
  const moved = injectShift(values, 10, 3);
  const deviation = Math.sqrt(10 / 9);
  assert.ok(Math.abs(moved[10]! - 3 * deviation) < 1e-12);
  assert.equal(moved[30], moved[10]);
  assert.equal(moved[31], 0);
  assert.throws(() => injectShift(values, 20, 3), /needs 21 sessions/);
  assert.throws(() => injectFault(values, 2, 'lag', createRandom(1)), /row must be in 21\.\.39, was 2/);
});
