import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readArtefact, writeArtefact } from './artefact.ts';

test('what is written is read back, bit by bit, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.float64Array(), fc.float32Array(), fc.int32Array(), fc.uint8Array(), (a, b, c, d) => {
      const bytes = writeArtefact({ kind: 'test/1', meta: { b: [1, null], a: 'x' }, arrays: { a, b, c, d } });
      const again = writeArtefact({ arrays: { d, c, b, a }, meta: { a: 'x', b: [1, null] }, kind: 'test/1' });
      assert.deepEqual(bytes, again);
      const read = readArtefact(bytes, 'test/1');
      assert.deepEqual(read, { kind: 'test/1', meta: { a: 'x', b: [1, null] }, arrays: { a, b, c, d } });
    }),
  );
});

test('one changed bit anywhere is found', () => {
  const bytes = writeArtefact({ kind: 'test/1', meta: {}, arrays: { a: Float64Array.of(1, 2, 3) } });
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i]! ^= 1;
    assert.throws(() => readArtefact(damaged), RangeError, `byte ${i}`);
  }
  assert.throws(() => readArtefact(bytes.subarray(0, bytes.length - 8)), RangeError);
});

test('an artefact of another kind is refused by name', () => {
  const bytes = writeArtefact({ kind: 'ridge/1', meta: {}, arrays: {} });
  assert.throws(() => readArtefact(bytes, 'lstm/1'), /is a ridge\/1, wanted was a lstm\/1/);
});

test('an artefact is read from the middle of a larger buffer, wherever that begins', () => {
  const bytes = writeArtefact({
    kind: 'test/1',
    meta: {},
    arrays: { x: Float64Array.of(1, 2, 3), n: Int32Array.of(7) },
  });
  for (const offset of [0, 1, 3, 8]) {
    const pool = Buffer.alloc(bytes.length + 16);
    pool.set(bytes, offset);
    const { arrays } = readArtefact(pool.subarray(offset, offset + bytes.length));
    assert.deepEqual(arrays.x, Float64Array.of(1, 2, 3));
    assert.deepEqual(arrays.n, Int32Array.of(7));
  }
});
