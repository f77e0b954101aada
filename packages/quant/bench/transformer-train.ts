import { transformer } from '../src/learn/neural/transformer.ts';
import type { BenchResult } from './index-kernel.ts';
import { benchNetwork } from './neural-train.ts';

/**
 * Samples a second of a transformer encoder of width 32, against PyTorch.
 *
 * @public
 */
export function run(): BenchResult[] {
  return benchNetwork(transformer, 'width 32, 2 heads, 2 layers, inner width 64', 0.8);
}
