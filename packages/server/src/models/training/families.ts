import type { FamilyName } from '@touchstone/contracts/training';
import type { Walk } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { STEPS_MAX } from '@touchstone/quant/evaluation/forecast-training/training-table';
import type { Target } from '@touchstone/quant/evaluation/targets/targets';

export type Effort = 'quick' | 'normal';
export type MemberFamily = Exclude<FamilyName, 'ensemble'>;

/** How a family is fitted. */
export type FamilyRecipe = {
  family: MemberFamily;
  learner: string;
  settings: Record<string, unknown>;
  stepCount: number;
  /** At most so many rows are learnt from; null: all. */
  rowsMax: number | null;
};

/** The simplest first: of models that are as good, this order decides. */
export const MEMBER_FAMILIES: readonly MemberFamily[] = [
  'linear',
  'gradient_boosted_trees',
  'random_forest',
  'lstm',
  'transformer',
];

export function walkOf(effort: Effort): Walk {
  return { foldCount: effort === 'quick' ? 3 : 5, firstShare: 0.35, embargoDays: 0 };
}

/** Sequence models learn from a draw of the rows: neighbouring windows share nearly all their days, and tell little new. */
export function recipeOf(family: MemberFamily, target: Target, effort: Effort): FamilyRecipe {
  const isQuick = effort === 'quick';
  if (family === 'linear') {
    // A penalty as if so many rows had said that nothing matters.
    const learner = target.goal === 'binary' ? 'logistic' : 'ridge';
    return { family, learner, settings: { penalty: 100 }, stepCount: 1, rowsMax: null };
  }
  if (family === 'gradient_boosted_trees')
    return {
      ...{ family, learner: 'gradient_boosted_trees', stepCount: 1, rowsMax: isQuick ? 4_000 : 60_000 },
      settings: {
        ...{ treeCount: isQuick ? 30 : 200, learningRate: isQuick ? 0.15 : 0.05, maxDepth: 4, binCountMax: 64 },
        ...{ minChildWeight: 20, l2: 10, rowShare: 0.7, columnShare: 0.7 },
      },
    };
  if (family === 'random_forest')
    return {
      ...{ family, learner: 'random_forest', stepCount: 1, rowsMax: isQuick ? 2_000 : 20_000 },
      settings: { treeCount: isQuick ? 20 : 150, maxDepth: isQuick ? 5 : 8, binCountMax: 64, minLeafWeight: 20 },
    };
  const training = {
    ...{ epochs: isQuick ? 2 : 10, batchSize: 64, learningRate: 0.002, dropout: 0.1, patience: 2 },
  };
  const about = { stepCount: isQuick ? 5 : STEPS_MAX, rowsMax: isQuick ? 400 : 12_000 };
  if (family === 'lstm')
    return { family, learner: 'lstm', ...about, settings: { ...training, hidden: isQuick ? 8 : 24 } };
  return {
    ...{ family, learner: 'transformer', ...about },
    settings: { ...training, width: isQuick ? 8 : 16, heads: 2, layers: 1, feedForward: isQuick ? 16 : 32 },
  };
}
