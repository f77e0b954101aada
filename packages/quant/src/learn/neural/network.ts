import type { Random } from '../../random/random.ts';
import type { Kernels, RealArray } from './kernels.ts';

/** One array of weights, a run of the network's memory. */
export type Tensor = {
  name: string;
  shape: readonly number[];
  /** Index of its first number. */
  at: number;
  count: number;
  /** Starts uniform in ±bound, or as what this says. */
  start: { bound: number } | { values: (k: number) => number };
  /** Learned; otherwise it stays as it starts. */
  learns: boolean;
  /** Shrunk by weight decay: matrices are, gains and biases are not. */
  decays: boolean;
};

/**
 * A network laid out in a memory of `count` numbers: weights first, then (where it learns) their gradients and the two
 * moments of Adam, each a block of `weightCount`; then what it works with. One network works on one memory.
 */
export type Network = {
  tensors: readonly Tensor[];
  weightCount: number;
  count: number;
  /** Most rows a batch may have. */
  rowCountMax: number;
  /** Outputs and their gradients, one a row. */
  margins: number;
  dMargins: number;
  /** Writes what stays the same into a fresh memory. */
  prepare: (memory: RealArray) => void;
  /** Writes window `row` of a batch of `rowCount`; `source` has it at `from`, days × features. */
  place: (memory: RealArray, source: Float64Array, from: number, row: number, rowCount: number) => void;
  /** From the placed windows to the margins. `random` draws what is dropped; null: nothing is. */
  forward: (kernels: Kernels, rowCount: number, random: Random | null) => void;
  /** Adds to the gradients of the weights, from those of the margins. `forward` must have run on this batch. */
  backward: (kernels: Kernels, rowCount: number) => void;
};

/** Runs of a memory begin at multiples of a cache line of float32. */
const ALIGNMENT = 16;

/** Hands out runs of a memory, one after the other. */
export function createLayout(start = 0): { take: (count: number) => number; end: () => number } {
  let end = start;
  return {
    take(count) {
      const at = end;
      end += Math.ceil(count / ALIGNMENT) * ALIGNMENT;
      return at;
    },
    end: () => end,
  };
}

/** Collects the weights of a network while it is laid out. */
export function createTensors() {
  const layout = createLayout();
  const tensors: Tensor[] = [];
  const add = (name: string, shape: readonly number[], start: Tensor['start'], kind: 'matrix' | 'vector' | 'fixed') => {
    const count = shape.reduce((product, size) => product * size, 1);
    const at = layout.take(count);
    tensors.push({ name, shape, at, count, start, learns: kind !== 'fixed', decays: kind === 'matrix' });
    return at;
  };
  return { tensors, add, end: layout.end };
}

/** Writes the weights a network starts from. */
export function startWeights(network: Network, memory: RealArray, random: Random): void {
  for (const { name, at, count, start } of network.tensors) {
    const { uniform } = random.split(name);
    for (let k = 0; k < count; k++)
      memory[at + k] = 'bound' in start ? start.bound * (2 * uniform() - 1) : start.values(k);
  }
}

/** Sixteen bits decide about a number, so that one draw serves two. */
const MASK_LEVELS = 65_536;

/** Writes a mask that drops a share and lifts the rest, so that the sum is expected to stay. */
export function drawMask(memory: RealArray, at: number, count: number, share: number, random: Random): void {
  const threshold = Math.round(share * MASK_LEVELS);
  const lift = 1 / (1 - threshold / MASK_LEVELS);
  for (let k = 0; k < count; k += 2) {
    const bits = random.integer(MASK_LEVELS * MASK_LEVELS);
    memory[at + k] = bits % MASK_LEVELS < threshold ? 0 : lift;
    if (k + 1 < count) memory[at + k + 1] = bits >>> 16 < threshold ? 0 : lift;
  }
}
