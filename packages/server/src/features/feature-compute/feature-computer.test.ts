import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testBars } from '@touchstone/quant/evaluation/expression-check';
import { type Compute, createCompute } from '../../platform/compute/compute.ts';
import { createFeatureComputer } from './feature-computer.ts';
import { reasonByte } from './reasons.ts';

const GUILTY = new URL('../../../test/features/guilty.worker.ts', import.meta.url);
const bars = { ...testBars(60), day: Int32Array.from({ length: 60 }, (_, i) => i) };
const jobs = [{ bars, at: Int32Array.of(10, 59) }];

let compute: Compute & { close(): Promise<void> };
before(() => {
  compute = createCompute(2);
});
after(() => compute.close());

test('features are computed in a thread, with a reason for each value that is not there', async () => {
  const computer = createFeatureComputer(compute);
  const { values, reasons, failures } = await computer.compute(['sma(20)', 'close', 'log(0 - close)'], jobs);
  assert.equal(failures.size, 0);
  assert.deepEqual(
    [...reasons[0]!],
    [reasonByte('too_little_history'), 0, reasonByte('not_defined'), 0, 0, reasonByte('not_defined')],
  );
  assert.equal(values[0]![1], bars.close[10]);
});

test('a bar without a volume is told as such, and a price that is missing as a gap', async () => {
  const holed = { ...bars, volume: new Float64Array(60).fill(Number.NaN), close: bars.close.slice() };
  holed.close[50] = Number.NaN;
  const { reasons } = await createFeatureComputer(compute).compute(
    ['mean(volume, 5)', 'mean(close, 20)'],
    [{ bars: holed, at: Int32Array.of(59) }],
  );
  assert.deepEqual([...reasons[0]!], [reasonByte('no_volume'), reasonByte('gap_in_window')]);
});

for (const [guilty, code, sentence] of [
  ['never', 'took_too_long', /more than 0\.4 s/],
  ['throws', 'failed', /it threw/],
] as const)
  test(`a feature of the kind "${guilty}" is left without values, and the others have theirs`, async () => {
    const computer = createFeatureComputer(compute, { worker: GUILTY, limitMs: 400 });
    const { values, reasons, failures } = await computer.compute(['a', 'b', guilty, 'd'], jobs);
    assert.deepEqual([...failures.keys()], [2]);
    assert.equal(failures.get(2)!.code, code);
    assert.match(failures.get(2)!.sentence, sentence);
    assert.ok(Number.isNaN(values[0]![2]));
    assert.deepEqual([...reasons[0]!.subarray(0, 4)], [0, 0, reasonByte(code), 0]);
    for (const column of [0, 1, 3]) assert.ok(!Number.isNaN(values[0]![column]!));
  });

test('whoever asked may stop waiting', async () => {
  const computer = createFeatureComputer(compute, { worker: GUILTY, limitMs: 20_000 });
  const stop = new AbortController();
  const waiting = computer.compute(['never'], jobs, stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await assert.rejects(waiting, /enough/);
});
