import { FAMILIES_BY_SIMPLICITY } from '@touchstone/contracts/automl';
import type { FamilyName } from '@touchstone/contracts/training';
import { STEPS_MAX } from '@touchstone/quant/evaluation/forecast-training/training-table';
import type { Target } from '@touchstone/quant/evaluation/targets/targets';
import type { Candidate, Dimension, FamilySpace } from '@touchstone/quant/learn/search/search-space';
import { type Effort, type FamilyRecipe, MEMBER_FAMILIES, type MemberFamily, recipeOf } from '../training/families.ts';

/** A recipe of the search: also which features it sees, and how far back it learns. */
export type SearchRecipe = FamilyRecipe & { inner: string; featureSet: string; trainDays: number | null };

/** Features by what they tell; all of them is a set as well. */
const FEATURE_SETS: Readonly<Record<string, RegExp>> = {
  all: /./,
  variance: /^(variance|downside|night)/,
  moves: /^(return|fall|momentum|drawdown|above)/,
  variance_and_moves: /^(variance|downside|night|return|fall|momentum|drawdown|above)/,
};
/** A set with fewer teaches nothing of its own. */
const FEATURES_LEAST = 4;
/** Latest days learnt from; 0: all. */
const TRAIN_DAYS = [0, 1_000, 500] as const;

/** Names of the families searched, the simplest first. */
export function searchedFamilies(families: readonly FamilyName[] | undefined): FamilyName[] {
  return FAMILIES_BY_SIMPLICITY.filter((family) => family === 'linear' || (families?.includes(family) ?? true));
}

/** What is searched, and what each family starts from: the recipe of the training room. */
export function forecastSpace(
  target: Target,
  families: readonly FamilyName[],
  effort: Effort,
): { spaces: FamilySpace[]; starts: Candidate[] } {
  const members = FAMILIES_BY_SIMPLICITY.filter(
    (family): family is MemberFamily => family !== 'ensemble' && families.includes(family),
  );
  const sets = Object.keys(FEATURE_SETS).filter((name) => columnsOf(target, name).length >= FEATURES_LEAST);
  const spaces = members.map((family) => ({
    family,
    dimensions: [
      { kind: 'choice', name: 'featureSet', values: sets } as const,
      { kind: 'choice', name: 'trainDays', values: TRAIN_DAYS } as const,
      ...settingsOf(family, effort),
    ],
  }));
  const starts = members.map((family) => startOf(family, effort));
  return { spaces, starts };
}

/** How a candidate is fitted. */
export function recipeOfCandidate({ family, values }: Candidate, target: Target, effort: Effort): SearchRecipe {
  const known = MEMBER_FAMILIES.find((name) => name === family);
  if (known === undefined) throw new RangeError(`there is no family ${family}`);
  const base = recipeOf(known, target, effort);
  const { featureSet, trainDays, stepCount, ...chosen } = values;
  const columns = columnsOf(target, String(featureSet));
  const isAll = columns.length === target.features.length;
  const own: Record<string, unknown> = { ...base.settings, ...chosen };
  if (known === 'transformer' && typeof own.width === 'number') own.feedForward = 2 * own.width;
  return {
    ...base,
    inner: base.learner,
    learner: isAll ? base.learner : 'column_subset',
    settings: isAll ? own : { learner: base.learner, settings: own, columns },
    stepCount: typeof stepCount === 'number' ? stepCount : base.stepCount,
    featureSet: String(featureSet),
    trainDays: typeof trainDays === 'number' && trainDays > 0 ? trainDays : null,
  };
}

function columnsOf({ features }: Target, set: string): number[] {
  const wanted = FEATURE_SETS[set];
  return Array.from(features.keys()).filter((j) => wanted?.test(features[j]!.name));
}

const range = (
  name: string,
  low: number,
  high: number,
  about: { isLog?: boolean; isWhole?: boolean } = {},
): Dimension => ({
  ...{ kind: 'number', name, low, high },
  ...{ isLog: about.isLog ?? false, isWhole: about.isWhole ?? false },
});
const choice = (name: string, values: readonly number[]): Dimension => ({ kind: 'choice', name, values });

function settingsOf(family: MemberFamily, effort: Effort): Dimension[] {
  const isQuick = effort === 'quick';
  const [log, whole] = [{ isLog: true }, { isWhole: true }];
  if (family === 'linear') return [range('penalty', 1, 100_000, log)];
  if (family === 'random_forest')
    return [
      range('treeCount', 10, isQuick ? 20 : 150, { isLog: true, isWhole: true }),
      range('maxDepth', 3, isQuick ? 6 : 10, whole),
      range('minLeafWeight', 5, 200, { isLog: true, isWhole: true }),
      range('columnShare', 0.1, 1),
    ];
  if (family === 'gradient_boosted_trees')
    return [
      range('treeCount', 10, isQuick ? 40 : 300, { isLog: true, isWhole: true }),
      range('learningRate', 0.02, 0.3, log),
      range('maxDepth', 2, 6, whole),
      range('minChildWeight', 5, 200, log),
      range('l2', 1, 100, log),
    ];
  const training = [range('learningRate', 0.0005, 0.01, log), range('dropout', 0, 0.4)];
  const steps = choice('stepCount', isQuick ? [3, 5] : [5, 10, STEPS_MAX]);
  if (family === 'lstm') return [...training, steps, choice('hidden', isQuick ? [4, 8] : [8, 16, 24, 32])];
  return [
    ...training,
    steps,
    choice('width', isQuick ? [4, 8] : [8, 16, 32]),
    choice('layers', isQuick ? [1] : [1, 2]),
  ];
}

/** What the training room does without a search, in the words of the space. */
function startOf(family: MemberFamily, effort: Effort): Candidate {
  const isQuick = effort === 'quick';
  const seen = { featureSet: 'all', trainDays: 0 };
  const of = (values: Record<string, string | number>): Candidate => ({ family, values: { ...seen, ...values } });
  if (family === 'linear') return of({ penalty: 100 });
  if (family === 'random_forest')
    return of({ treeCount: isQuick ? 20 : 100, maxDepth: isQuick ? 5 : 8, minLeafWeight: 20, columnShare: 0.3 });
  if (family === 'gradient_boosted_trees')
    return of({
      ...{ treeCount: isQuick ? 30 : 150, learningRate: isQuick ? 0.15 : 0.05 },
      ...{ maxDepth: 4, minChildWeight: 20, l2: 10 },
    });
  const training = { learningRate: 0.002, dropout: 0.1, stepCount: isQuick ? 5 : STEPS_MAX };
  if (family === 'lstm') return of({ ...training, hidden: isQuick ? 8 : 24 });
  return of({ ...training, width: isQuick ? 8 : 16, layers: 1 });
}
