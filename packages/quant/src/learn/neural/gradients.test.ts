import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRandom } from '../../random/random.ts';
import type { KernelFactory, Kernels } from './kernels.ts';
import { planLstm } from './lstm-network.ts';
import { type Network, startWeights } from './network.ts';
import { WASM_BASE64 } from './neural-wasm-double.ts';
import { createPlainKernels } from './plain-kernels.ts';
import { planTransformer } from './transformer-network.ts';
import { bindTwin, compileTwin, createTwinKernels } from './twin-kernels.ts';

// Odd sizes: rows end within a vector, and no count is a multiple of another.
const ROWS = 3;
const STEPS = 5;
const FEATURES = 3;
const STEP = 1e-4;
/** The plain kernels are slow, and as below equal to the others: one weight in so many is looked at. */
const PLAIN_STRIDE = 5;
const LSTM = { stepCount: STEPS, featureCount: FEATURES, hidden: 5, layers: 2 };
const ENCODER = { stepCount: STEPS, featureCount: FEATURES, width: 6, heads: 2, layers: 2, feedForward: 7 };

const NETWORKS: Record<string, () => Network> = {
  'LSTM of two layers': () => planLstm(LSTM, ROWS, 0, true),
  'LSTM with dropout': () => planLstm(LSTM, ROWS, 0.3, true),
  'LSTM of one step': () => planLstm({ ...LSTM, stepCount: 1 }, ROWS, 0, true),
  'transformer, norm before, mean': () =>
    planTransformer({ ...ENCODER, preNorm: 1, meanPooling: 1 }, 'learned', ROWS, 0, true),
  'transformer, norm after, last day': () =>
    planTransformer({ ...ENCODER, preNorm: 0, meanPooling: 0 }, 'learned', ROWS, 0, true),
  'transformer with dropout': () =>
    planTransformer({ ...ENCODER, preNorm: 0, meanPooling: 1 }, 'sinusoidal', ROWS, 0.3, true),
};

const double = compileTwin(WASM_BASE64);
const SORTS: Record<string, KernelFactory> = {
  plain: (count) => createPlainKernels(count, 'float64'),
  WebAssembly: (count) => bindTwin(double, count, Float64Array),
};

/** A network with weights and a batch; the loss is a fixed mix of squares of the margins. */
function createCase(network: Network, factory: KernelFactory) {
  const kernels = factory(network.count);
  const random = createRandom(5);
  network.prepare(kernels.memory);
  startWeights(network, kernels.memory, random);
  // Gains of one and biases of zero would hide mistakes.
  for (const { at, count } of network.tensors)
    for (let k = 0; k < count; k++) kernels.memory[at + k]! += 0.1 * (2 * random.uniform() - 1);
  const source = Float64Array.from({ length: ROWS * STEPS * FEATURES }, () => 2 * random.uniform() - 1);
  const width = source.length / ROWS;
  const { memory } = kernels;
  const loss = (): number => {
    for (let row = 0; row < ROWS; row++) network.place(memory, source, row * width, row, ROWS);
    network.forward(kernels, ROWS, createRandom('mask'));
    let sum = 0;
    for (let row = 0; row < ROWS; row++) sum += 0.5 * (row + 1) * (memory[network.margins + row]! - 0.3) ** 2;
    return sum;
  };
  const gradients = (): number[] => {
    loss();
    memory.fill(0, network.weightCount, 2 * network.weightCount);
    for (let row = 0; row < ROWS; row++)
      memory[network.dMargins + row] = (row + 1) * (memory[network.margins + row]! - 0.3);
    network.backward(kernels, ROWS);
    return Array.from(memory.subarray(network.weightCount, 2 * network.weightCount));
  };
  return { kernels, loss, gradients };
}

/** Central differences of four points: error of the order of STEP⁴. */
function numericGradient({ memory }: Kernels, loss: () => number, at: number, step: number): number {
  const kept = memory[at]!;
  const shifted = (shift: number) => {
    memory[at] = kept + shift;
    return loss();
  };
  const near = shifted(step) - shifted(-step);
  const far = shifted(2 * step) - shifted(-2 * step);
  memory[at] = kept;
  return (8 * near - far) / (12 * step);
}

for (const [name, plan] of Object.entries(NETWORKS))
  describe(name, () => {
    for (const [sort, factory] of Object.entries(SORTS))
      test(`the backward pass of the ${sort} kernels is the numeric gradient to 1e-6, in float64`, () => {
        const network = plan();
        const { kernels, loss, gradients } = createCase(network, factory);
        const exact = gradients();
        const largest = Math.max(...exact.map(Math.abs));
        assert.ok(largest > 0.01);
        for (const tensor of network.tensors)
          for (let k = tensor.at; k < tensor.at + tensor.count; k += sort === 'plain' ? PLAIN_STRIDE : 1) {
            const numeric = numericGradient(kernels, loss, k, STEP);
            // Relative to the entry, or to a thousandth of the largest where the entry is all but zero.
            const scale = Math.max(Math.abs(numeric), 1e-3 * largest);
            const error = Math.abs(exact[k]! - numeric) / scale;
            assert.ok(error <= 1e-6, `${tensor.name} ${k - tensor.at}: ${exact[k]} is not ${numeric}`);
          }
      });

    test('float64 kernels of both sorts give the same gradients to the last bit', () => {
      const [plain, twin] = Object.values(SORTS).map((factory) => createCase(plan(), factory).gradients());
      assert.deepEqual(twin, plain);
    });

    test('float32 kernels of both sorts give the same bits, and the float64 gradients to float32 precision', () => {
      const single = createCase(plan(), (count) => createPlainKernels(count, 'float32')).gradients();
      const twin = createCase(plan(), (count) => createTwinKernels(count)!);
      const found = twin.gradients();
      assert.deepEqual(found, single);
      const exact = createCase(plan(), SORTS.plain!).gradients();
      const largest = Math.max(...exact.map(Math.abs));
      for (const [k, wanted] of exact.entries())
        assert.ok(Math.abs(found[k]! - wanted) <= 3e-6 * largest, `place ${k}`);
      // Numeric gradients of the float32 forward pass: as near as a loss of seven digits lets them come.
      for (const { at } of plan().tensors) {
        const numeric = numericGradient(twin.kernels, twin.loss, at, 0.01);
        assert.ok(Math.abs(found[at]! - numeric) <= 1e-3 * largest, `place ${at}: ${found[at]} is not ${numeric}`);
      }
    });
  });
