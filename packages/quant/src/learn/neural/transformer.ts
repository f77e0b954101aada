import { expect } from '../../checks/expect.ts';
import type { Learner } from '../learner.ts';
import { createNetworkLearner, getSize } from './network-learner.ts';
import { TRAINING_DEFAULTS, type TrainingSettings } from './train-network.ts';
import { planTransformer } from './transformer-network.ts';

export type TransformerSettings = TrainingSettings & {
  /** Numbers a day is turned into; a multiple of `heads`. */
  width: number;
  heads: number;
  layers: number;
  /** Inner width of the perceptron of a layer. */
  feedForward: number;
  positions: 'learned' | 'sinusoidal';
  /** Layer norm before each part (trains without warming up) or after it. */
  norm: 'before' | 'after';
  pooling: 'mean' | 'last';
};

/** A small transformer encoder over the days of a window, pooled into one dense unit. Tensors: `transformer-network.ts`. */
export const transformer: Learner<TransformerSettings> = createNetworkLearner<TransformerSettings>({
  name: 'transformer',
  defaults: {
    ...TRAINING_DEFAULTS,
    width: 32,
    heads: 2,
    layers: 2,
    feedForward: 64,
    positions: 'learned',
    norm: 'before',
    pooling: 'mean',
  },
  sizes: ({ width, heads, layers, feedForward, positions, norm, pooling }, stepCount, featureCount) => {
    const sizes = { stepCount, featureCount, width, heads, layers, feedForward };
    for (const name of Object.keys(sizes)) getSize(sizes, name);
    expect(width % heads === 0, `width must be a multiple of heads, was ${width} for ${heads} heads`);
    expect(['learned', 'sinusoidal'].includes(positions), `positions must be learned or sinusoidal, was ${positions}`);
    expect(['before', 'after'].includes(norm), `norm must be before or after, was ${norm}`);
    expect(['mean', 'last'].includes(pooling), `pooling must be mean or last, was ${pooling}`);
    return { ...sizes, preNorm: Number(norm === 'before'), meanPooling: Number(pooling === 'mean') };
  },
  plan: (sizes, rowCountMax, settings) =>
    planTransformer(
      {
        stepCount: getSize(sizes, 'stepCount'),
        featureCount: getSize(sizes, 'featureCount'),
        width: getSize(sizes, 'width'),
        heads: getSize(sizes, 'heads'),
        layers: getSize(sizes, 'layers'),
        feedForward: getSize(sizes, 'feedForward'),
        preNorm: getSize(sizes, 'preNorm', 0) ? 1 : 0,
        meanPooling: getSize(sizes, 'meanPooling', 0) ? 1 : 0,
      },
      settings?.positions ?? 'learned',
      rowCountMax,
      settings?.dropout ?? 0,
      settings !== null,
    ), // A model that only answers reads its positions, whatever they were.
});
