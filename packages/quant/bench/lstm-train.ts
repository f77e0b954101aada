import { lstm } from '../src/learn/neural/lstm.ts';
import { planLstm } from '../src/learn/neural/lstm-network.ts';
import { startWeights } from '../src/learn/neural/network.ts';
import { createPlainKernels } from '../src/learn/neural/plain-kernels.ts';
import { answer } from '../src/learn/neural/train-network.ts';
import { createRandom } from '../src/random/random.ts';
import type { BenchResult } from './index-kernel.ts';
import { benchNetwork, describeAnswer } from './neural-train.ts';

const SHAPE = { stepCount: 60, featureCount: 20 };

/**
 * Samples a second of an LSTM of 32, against PyTorch; one answer, with and without WebAssembly.
 *
 * @public
 */
export function run(): BenchResult[] {
  const network = planLstm({ ...SHAPE, hidden: 32, layers: 1 }, 1, 0, false);
  const kernels = createPlainKernels(network.count, 'float32');
  const random = createRandom('plain');
  startWeights(network, kernels.memory, random);
  const values = Float64Array.from({ length: SHAPE.stepCount * SHAPE.featureCount }, random.normal);
  const inputs = { ...SHAPE, rowCount: 1, values };
  return [
    ...benchNetwork(lstm, 'hidden 32', 1.2),
    describeAnswer('lstm-predict-plain', 'one window, 60 days x 20 features, hidden 32, plain TypeScript', () =>
      answer(network, kernels, { inputs }, Int32Array.of(0), null),
    ),
  ];
}
