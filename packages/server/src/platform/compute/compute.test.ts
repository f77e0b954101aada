import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCompute } from './compute.ts';

const WORKER = new URL('./compute-test.worker.ts', import.meta.url);
const compute = createCompute(2);
after(() => compute.close());

test('a function of a TypeScript file runs on another thread, and its buffer moves there', async () => {
  const values = Float64Array.from([1, 2, 3, 4, 5, 6]);
  const payload = { values, columns: 3 };
  const sums = await compute.run<Float64Array>(WORKER, 'sumRows', payload, { transfer: [values.buffer] });
  assert.deepEqual([...sums], [6, 15]);
  assert.equal(values.length, 0);
});

test('results do not depend on the number of threads', async () => {
  const alone = createCompute(1);
  const payload = { values: Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i)), columns: 10 };
  const all = await Promise.all(
    [alone, compute, compute].map((pool) => pool.run<Float64Array>(WORKER, 'sumRows', payload)),
  );
  for (const sums of all) assert.deepEqual(sums, all[0]);
  await alone.close();
});

test('a worker that does not end is ended by its signal, and the reason is told', async () => {
  const reason = new Error('asked to stop');
  const abort = new AbortController();
  const spinning = compute.run(WORKER, 'spin', null, { signal: abort.signal });
  setTimeout(() => abort.abort(reason), 100);
  await assert.rejects(spinning, reason);
  assert.equal(
    (await compute.run<Float64Array>(WORKER, 'sumRows', { values: new Float64Array(2), columns: 1 })).length,
    2,
  );
  await assert.rejects(compute.run(WORKER, 'spin', null, { signal: abort.signal }), reason);
});

test('what a worker throws is thrown to the caller', async () => {
  await assert.rejects(compute.run(WORKER, 'refuse', null), /columns must be positive/);
});
