import type { Learner } from '../learner.ts';
import { planLstm } from './lstm-network.ts';
import { createNetworkLearner, getSize } from './network-learner.ts';
import { TRAINING_DEFAULTS, type TrainingSettings } from './train-network.ts';

export type LstmSettings = TrainingSettings & {
  /** Numbers the state of a layer has. */
  hidden: number;
  layers: number;
};

/** A long short-term memory over the days of a window; its last state through one dense unit. Tensors: `lstm-network.ts`. */
export const lstm: Learner<LstmSettings> = createNetworkLearner<LstmSettings>({
  name: 'lstm',
  defaults: { ...TRAINING_DEFAULTS, hidden: 32, layers: 1 },
  sizes: ({ hidden, layers }, stepCount, featureCount) => {
    const sizes = { stepCount, featureCount, hidden, layers };
    for (const name of Object.keys(sizes)) getSize(sizes, name);
    return sizes;
  },
  plan: (sizes, rowCountMax, settings) =>
    planLstm(
      {
        stepCount: getSize(sizes, 'stepCount'),
        featureCount: getSize(sizes, 'featureCount'),
        hidden: getSize(sizes, 'hidden'),
        layers: getSize(sizes, 'layers'),
      },
      rowCountMax,
      settings?.dropout ?? 0,
      settings !== null,
    ),
});
