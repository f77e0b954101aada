import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import type { Kernels, Precision } from './kernels.ts';
import { WASM_BASE64 } from './neural-wasm-double.ts';
import { createPlainKernels } from './plain-kernels.ts';
import { bindTwin, compileTwin, createTwinKernels } from './twin-kernels.ts';

const double = compileTwin(WASM_BASE64);
const MEMORY = 40_000;

function pair(precision: Precision): [Kernels, Kernels] {
  const twin = precision === 'float32' ? createTwinKernels(MEMORY) : bindTwin(double, MEMORY, Float64Array);
  assert.ok(twin);
  return [createPlainKernels(MEMORY, precision), twin];
}

/** Both do the same on the same numbers, in normal and in large sizes; their whole memories must be equal to the last bit. */
function same([plain, twin]: [Kernels, Kernels], seed: number, work: (kernels: Kernels) => unknown): void {
  const random = createRandom(seed);
  const spread = seed % 7 === 0 ? 60 : 1.5;
  for (let k = 0; k < MEMORY; k++) plain.memory[k] = spread * (2 * random.uniform() - 1);
  twin.memory.set(plain.memory);
  const answer = work(plain);
  assert.ok(Object.is(work(twin), answer), 'answers differ');
  for (let k = 0; k < MEMORY; k++)
    if (!Object.is(twin.memory[k], plain.memory[k]))
      assert.fail(`place ${k}: ${twin.memory[k]} is not ${plain.memory[k]}`);
}

const size = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.constantFrom(16, 17, 31, 33, 60));
const seed = fc.nat();

for (const precision of ['float32', 'float64'] as const)
  describe(`the WebAssembly twin in ${precision} gives the bits of the plain kernels`, () => {
    const kernels = pair(precision);
    const check = (work: (k: Kernels, rows: number, columns: number, inner: number) => unknown) =>
      fc.assert(
        fc.property(size, size, size, seed, (rows, columns, inner, start) =>
          same(kernels, start, (k) => work(k, rows, columns, inner)),
        ),
        { numRuns: 30 },
      );

    test('products, also with a transposed factor, strides, and more inner entries than a block holds', () => {
      check((k, rows, columns, inner) => {
        k.multiply(rows, columns, inner, 0, inner + 1, 1, 5000, columns + 3, 10_000, columns + 2, 0);
        k.multiply(rows, columns, inner, 0, 1, rows, 5000, columns, 20_000, columns, 1);
        k.multiply(rows, columns, 4 * inner, 0, 4 * inner, 1, 15_000, columns, 30_001, columns, 1);
        k.transpose(rows, columns, 3, columns + 1, 35_000, rows + 2);
      });
    });

    test('sums of entries and rows', () => {
      check((k, rows, columns) => {
        k.addEach(columns, 1, 5000);
        k.scaleEach(columns, 3, 6000);
        k.addRow(rows, columns, 10_000, 20_000);
        k.sumRows(rows, columns, 10_000, 30_000);
        return k.squares(rows * columns, 10_001);
      });
    });

    test('steps of an LSTM and back', () => {
      check((k, rows, hidden) => {
        k.gatesForward(rows, hidden, 0, 15_000, 16_000, 20_000, 24_000, 28_000);
        k.gatesBackward(rows, hidden, 0, 16_000, 24_000, 32_000, 36_000, 15_000);
      });
    });

    test('GELU and back, also far from zero', () => {
      check((k, rows, columns) => {
        k.scaleEach(rows * columns, 0, 4000);
        k.geluForward(rows * columns, 0, 20_000);
        k.geluBackward(rows * columns, 0, 30_000);
      });
    });

    test('layer norm and back', () => {
      check((k, rows, columns) => {
        k.normForward(rows, columns, 0, 5000, 6000, 10_000, 15_000, 20_000);
        k.normBackward(rows, columns, 30_000, 10_000, 15_000, 5000, 25_000, 26_000, 35_000);
      });
    });

    test('softmax and back', () => {
      check((k, rows, columns) => {
        k.softmaxForward(rows, columns, 0, 0.25);
        k.softmaxBackward(rows, columns, 0, 10_000, 0.25);
      });
    });

    test('steps of Adam', () => {
      check((k, rows, columns) => {
        k.scaleEach(rows * columns, 30_000, 30_000);
        const variance = 35_000;
        for (let j = 0; j < rows * columns; j++) k.memory[variance + j] = Math.abs(k.memory[variance + j]!);
        k.adam(rows * columns, 0, 10_000, 20_000, variance, 0.3, 1e-3, 1 / (1 - 0.9 ** 3), 1 / (1 - 0.999 ** 3), 0.999);
      });
    });
  });

test('the kernels agree with the mathematics of the engine', () => {
  const plain = createPlainKernels(2001 * 3, 'float64');
  for (let k = 0; k <= 2000; k++) plain.memory[k] = (k - 1000) / 50;
  plain.geluForward(2001, 0, 2001);
  for (let k = 0; k <= 2000; k++) {
    const x = (k - 1000) / 50;
    const gelu = (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    assert.ok(Math.abs(plain.memory[2001 + k]! - gelu) < 1e-14, `${x}`);
  }
  plain.softmaxForward(1, 2001, 0, 1);
  let total = 0;
  for (let k = 0; k <= 2000; k++) total += plain.memory[k]!;
  assert.ok(Math.abs(total - 1) < 1e-12);
  for (let k = 1500; k <= 2000; k++) {
    const wanted = Math.exp((k - 2000) / 50) * (1 - Math.exp(-0.02));
    assert.ok(Math.abs(plain.memory[k]! / wanted - 1) < 1e-12);
  }
});
