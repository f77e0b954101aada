import type { Goal } from '../../learner.ts';
import type { TreeEnsemble } from '../tree-ensemble.ts';

/** A model of another tool: its trees, what they answer, and how its columns are called. */
export type ImportedTrees = {
  trees: TreeEnsemble;
  goal: Goal;
  /** One a feature. */
  featureNames: string[];
};

/** What a file of another tool is written from. */
export type ExportedTrees = {
  trees: TreeEnsemble;
  goal: Goal;
  /** One a feature, without blanks; null: f0, f1, … */
  featureNames: readonly string[] | null;
  /** Of a quantile model: which, 0..1. */
  quantile?: number;
};

/** More features than this are a broken file, not a model. */
export const FEATURES_MAX = 1_000_000;

/** @throws RangeError unless probabilities are logistic and all else is not: the tools know no other trees. */
export function checkLink({ trees, goal }: ExportedTrees, tool: string): void {
  const wanted = goal === 'binary' ? 'logistic' : 'identity';
  const advice = goal === 'binary' ? '; trees whose leaves are probabilities can be written as a regression' : '';
  if (trees.link !== wanted)
    throw new RangeError(`${tool} knows ${goal} trees with the link ${wanted} only, was ${trees.link}${advice}`);
}

/** The names to write: given and checked, or f0, f1, … */
export function namesToWrite({ trees, featureNames }: ExportedTrees): string[] {
  if (featureNames === null) return Array.from({ length: trees.featureCount }, (_, i) => `f${i}`);
  if (featureNames.length !== trees.featureCount)
    throw new RangeError(`featureNames must be ${trees.featureCount}, were ${featureNames.length}`);
  for (const name of featureNames)
    if (!/^[^\s:[\]<>,"]+$/.test(name))
      throw new RangeError(`a feature name must be without blanks, brackets, quotes, commas and colons, was "${name}"`);
  return [...featureNames];
}
