import { lstm } from '../src/learn/neural/lstm.ts';
import type { BenchResult } from './index-kernel.ts';
import { benchNetwork } from './neural-train.ts';

/**
 * Samples a second of an LSTM of 32, against PyTorch.
 *
 * @public
 */
export function run(): BenchResult[] {
  return benchNetwork(lstm, 'hidden 32', 1.2);
}
