import { expect } from '../../../checks/expect.ts';
import type { Goal } from '../../learner.ts';
import { below32, below64, firstRight32 } from '../neighbours.ts';
import type { TreeEnsemble } from '../tree-ensemble.ts';
import { orderOf } from './export-xgboost.ts';
import { checkLink, type ExportedTrees, namesToWrite } from './imported-trees.ts';

const OBJECTIVES: Record<Goal, string> = {
  binary: 'binary sigmoid:1',
  regression: 'regression',
  quantile: 'quantile',
  ranking: 'lambdarank',
};
/** `decision_type` of a category; of a number whose zeros, or whose NaN, are missing, and the bit that sends them left. */
const [CATEGORY, ZERO_MISSING, NAN_MISSING, DEFAULT_LEFT] = [9, 4, 8, 2] as const;
const WORD_BITS = 32;

/**
 * Writes a text model that LightGBM 4 loads. Splits fall the same way for every float64, also of an ensemble that rounds its
 * inputs; the base becomes a tree of one leaf; the scale is multiplied into the leaves. Covers are written as weights; the
 * counts that LightGBM explains with are these rounded to whole rows.
 *
 * @throws RangeError if a missing category goes with its set (LightGBM sends it the other way), or a link does not fit the goal.
 */
export function exportLightgbm(model: ExportedTrees): string {
  const { trees, goal } = model;
  checkLink(model, 'LightGBM');
  const names = namesToWrite(model);
  const written = Array.from({ length: trees.treeStart.length - 1 }, (_, tree) => writeTree(trees, tree));
  if (trees.base !== 0) written.unshift(writeLeaf(trees.base, Math.round(trees.cover[0] ?? 0)));
  const blocks = written.map((tree, i) => `Tree=${i}\n${tree}\n\n`);
  const gains = gainsOf(trees);
  const ranked = [...names.keys()].filter((i) => gains[i]! > 0).sort((a, b) => gains[b]! - gains[a]!);
  return [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${trees.featureCount - 1}`,
    `objective=${OBJECTIVES[goal]}`,
    `feature_names=${names.join(' ')}`,
    `feature_infos=${featureInfos(trees).join(' ')}`,
    `tree_sizes=${blocks.map((block) => block.length).join(' ')}`,
    '',
    `${blocks.join('')}end of trees`,
    '',
    'feature_importances:',
    ...ranked.map((i) => `${names[i]}=${gains[i]}`),
    '',
    'parameters:',
    '[boosting: gbdt]',
    `[objective: ${OBJECTIVES[goal].split(' ')[0]}]`,
    ...(model.quantile === undefined ? [] : [`[alpha: ${model.quantile}]`]),
    'end of parameters',
    '',
    'pandas_categorical:null',
    '',
  ].join('\n');
}

/** Splits a feature has: what LightGBM calls its importance. */
function gainsOf({ feature, featureCount }: TreeEnsemble): Int32Array {
  const counts = new Int32Array(featureCount);
  for (const f of feature) if (f >= 0) counts[f] = counts[f]! + 1;
  return counts;
}

/** What LightGBM says of a column: its categories, its range (the thresholds'), or `none` where no split asks it. */
function featureInfos(trees: TreeEnsemble): string[] {
  const categories = Array.from({ length: trees.featureCount }, () => new Set<number>());
  const ranges = Array.from({ length: trees.featureCount }, () => [Infinity, -Infinity] as [number, number]);
  trees.feature.forEach((feature, node) => {
    if (feature < 0) return;
    const [start, end] = [trees.categoryStart[node]!, trees.categoryStart[node + 1]!];
    for (const category of trees.categories.subarray(start, end)) categories[feature]!.add(category);
    const [low, high] = ranges[feature]!;
    const threshold = trees.threshold[node]!;
    if (start === end) ranges[feature] = [Math.min(low, threshold), Math.max(high, threshold)];
  });
  return ranges.map(([low, high], i) => {
    if (categories[i]!.size > 0) return [...categories[i]!].join(':');
    return low > high ? 'none' : `[${low}:${high}]`;
  });
}

function writeLeaf(value: number, count: number): string {
  const empty = ['split_feature', 'split_gain', 'threshold', 'decision_type', 'left_child', 'right_child'];
  return [
    'num_leaves=1',
    'num_cat=0',
    ...empty.map((key) => `${key}=`),
    `leaf_value=${value}`,
    'leaf_weight=',
    `leaf_count=${count}`,
    'internal_value=',
    'internal_weight=',
    'internal_count=',
    'is_linear=0',
    'shrinkage=1',
  ].join('\n');
}

function writeTree(trees: TreeEnsemble, tree: number): string {
  const order = orderOf(trees, tree);
  const inner = order.filter((node) => trees.feature[node]! >= 0);
  const leaves = order.filter((node) => trees.feature[node]! < 0);
  const leafOf = (node: number) => trees.leaf[node]! * trees.scale;
  if (inner.length === 0) return writeLeaf(leafOf(leaves[0]!), Math.round(trees.cover[leaves[0]!]!));
  const numberOf = new Map([
    ...inner.map((node, i) => [node, i] as const),
    ...leaves.map((node, i) => [node, ~i] as const),
  ]);
  const { counts, means } = foldUp(trees, order);
  const thresholds: number[] = [];
  const decisions: number[] = [];
  const words: number[] = [];
  const bounds = [0];
  for (const node of inner) {
    const set = trees.categories.subarray(trees.categoryStart[node]!, trees.categoryStart[node + 1]!);
    if (set.length > 0) {
      expect(
        trees.missingLeft[node] === 0,
        `LightGBM sends a missing category away from the set: missingLeft of node ${node} must be 0`,
      );
      thresholds.push(bounds.length - 1);
      decisions.push(CATEGORY);
      words.push(...bitset(set));
      bounds.push(words.length);
    } else {
      const missing = trees.zeroIsMissing?.[node] === 1 ? ZERO_MISSING : NAN_MISSING;
      thresholds.push(lastLeft(trees, node));
      decisions.push(missing + (trees.missingLeft[node] === 1 ? DEFAULT_LEFT : 0));
    }
  }
  const line = (key: string, values: readonly number[]) => `${key}=${values.join(' ')}`;
  return [
    `num_leaves=${leaves.length}`,
    `num_cat=${bounds.length - 1}`,
    line(
      'split_feature',
      inner.map((node) => trees.feature[node]!),
    ),
    line(
      'split_gain',
      inner.map((node) => trees.gain[node]!),
    ),
    line('threshold', thresholds),
    line('decision_type', decisions),
    line(
      'left_child',
      inner.map((node) => numberOf.get(trees.left[node]!)!),
    ),
    line(
      'right_child',
      inner.map((node) => numberOf.get(trees.right[node]!)!),
    ),
    line('leaf_value', leaves.map(leafOf)),
    line(
      'leaf_weight',
      leaves.map((node) => trees.cover[node]!),
    ),
    line(
      'leaf_count',
      leaves.map((node) => counts.get(node)!),
    ),
    line(
      'internal_value',
      inner.map((node) => means.get(node)!),
    ),
    line(
      'internal_weight',
      inner.map((node) => trees.cover[node]!),
    ),
    line(
      'internal_count',
      inner.map((node) => counts.get(node)!),
    ),
    ...(bounds.length > 1 ? [line('cat_boundaries', bounds), line('cat_threshold', words)] : []),
    'is_linear=0',
    'shrinkage=1',
  ].join('\n');
}

/** Rows of every node, as whole numbers that add up, and the mean leaf below it. */
function foldUp(trees: TreeEnsemble, order: readonly number[]) {
  const counts = new Map<number, number>();
  const means = new Map<number, number>();
  for (const node of order.toReversed()) {
    if (trees.feature[node]! < 0) {
      counts.set(node, Math.max(1, Math.round(trees.cover[node]!)));
      means.set(node, trees.leaf[node]! * trees.scale);
      continue;
    }
    const [left, right] = [trees.left[node]!, trees.right[node]!];
    const [a, b] = [counts.get(left)!, counts.get(right)!];
    counts.set(node, a + b);
    means.set(node, (a * means.get(left)! + b * means.get(right)!) / (a + b));
  }
  return { counts, means };
}

function bitset(categories: Int32Array): number[] {
  const largest = categories.reduce((most, category) => Math.max(most, category), 0);
  const words = new Uint32Array(Math.floor(largest / WORD_BITS) + 1);
  for (const category of categories) {
    const word = Math.floor(category / WORD_BITS);
    words[word] = words[word]! | (1 << (category % WORD_BITS));
  }
  return [...words];
}

/** The largest float64 that goes left: LightGBM's threshold. */
function lastLeft({ threshold, comparison, roundsInputs }: TreeEnsemble, node: number): number {
  const value = threshold[node]!;
  if (!roundsInputs) return comparison === 'less_or_equal' ? value : below64(value);
  // Rounded inputs go left below a float32, so numbers up to half-way to it do: itself a float64, rounded to even.
  const first = firstRight32(value, comparison);
  const middle = (below32(first) + first) / 2;
  expect(Number.isFinite(middle), `a threshold must be within float32, was ${value}`);
  return Math.fround(middle) < first ? middle : below64(middle);
}
