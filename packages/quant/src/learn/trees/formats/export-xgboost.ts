import { expect } from '../../../checks/expect.ts';
import type { Goal } from '../../learner.ts';
import { firstRight32 } from '../neighbours.ts';
import type { TreeEnsemble } from '../tree-ensemble.ts';
import { CATEGORIES_MAX } from './import-xgboost.ts';
import { checkLink, type ExportedTrees, namesToWrite } from './imported-trees.ts';

/** XGBoost's mark for the parent of a root. */
const NO_PARENT = 0x7fffffff;
/** A base that float32 holds this well as a probability is written as one. */
const BASE_TOLERANCE = 1e-7;

/**
 * Writes the JSON that XGBoost 2.0 and newer load. Leaves are rounded to float32 as XGBoost keeps them; splits fall the same
 * way for every input that float32 holds, and for every input if the ensemble `roundsInputs`.
 *
 * A base that is no float32 probability becomes a tree of one leaf.
 *
 * @throws RangeError if zero counts as missing somewhere, or a threshold is beyond float32.
 */
export function exportXgboost(model: ExportedTrees): string {
  const { trees, goal } = model;
  expect(!trees.zeroIsMissing?.includes(1), 'XGBoost cannot tell zeros as missing: zeroIsMissing must be 0 everywhere');
  checkLink(model, 'XGBoost');
  const names = namesToWrite(model);
  const isLogistic = trees.link === 'logistic';
  const score = isLogistic ? Math.fround(1 / (1 + Math.exp(-trees.base))) : Math.fround(trees.base);
  const isHeld = !isLogistic || Math.abs(Math.log(score) - Math.log1p(-score) - trees.base) <= BASE_TOLERANCE;
  const treeCount = trees.treeStart.length - 1;
  const written = Array.from({ length: treeCount }, (_, tree) => writeTree(trees, tree, tree));
  if (!isHeld) written.push(writeLeaf(trees, treeCount));
  const isCategorical = new Uint8Array(trees.featureCount);
  trees.feature.forEach((feature, node) => {
    if (feature >= 0 && trees.categoryStart[node + 1]! > trees.categoryStart[node]!) isCategorical[feature] = 1;
  });
  return writeJson({
    learner: {
      attributes: {},
      feature_names: names,
      feature_types: Array.from(isCategorical, (flag) => (flag ? 'c' : 'float')),
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(written.length) },
          iteration_indptr: Array.from({ length: written.length + 1 }, (_, i) => i),
          tree_info: written.map(() => 0),
          trees: written,
        },
        name: 'gbtree',
      },
      learner_model_param: {
        base_score: String(isHeld ? score : 0.5),
        boost_from_average: '1',
        num_class: '0',
        num_feature: String(trees.featureCount),
        num_target: '1',
      },
      objective: writeObjective(goal, model.quantile),
    },
    version: [2, 0, 0],
  });
}

function writeObjective(goal: Goal, quantile: number | undefined): Record<string, unknown> {
  if (goal === 'binary') return { name: 'binary:logistic', reg_loss_param: { scale_pos_weight: '1' } };
  if (goal === 'ranking') return { name: 'rank:ndcg', lambdarank_param: {} };
  if (goal === 'regression') return { name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } };
  expect(quantile !== undefined && quantile > 0 && quantile < 1, `quantile must be between 0 and 1, was ${quantile}`);
  return { name: 'reg:quantileerror', quantile_loss_param: { quantile_alpha: `[${quantile}]` } };
}

function writeTree(trees: TreeEnsemble, tree: number, id: number): Record<string, unknown> {
  const order = orderOf(trees, tree);
  const count = order.length;
  const numberOf = new Map(order.map((node, i) => [node, i]));
  const ints = () => new Array<number>(count).fill(0);
  const [parents, defaultLeft, types, splits] = [ints(), ints(), ints(), ints()];
  const [left, right] = [ints().fill(-1), ints().fill(-1)];
  const conditions = new Float64Array(count);
  const weights = new Float64Array(count);
  const categories: number[] = [];
  const [nodes, segments, sizes]: [number[], number[], number[]] = [[], [], []];
  parents[0] = NO_PARENT;
  order.forEach((node, i) => {
    if (trees.feature[node]! < 0) {
      const value = Math.fround(trees.leaf[node]! * trees.scale);
      expect(Number.isFinite(value), `a leaf must be within float32, was ${trees.leaf[node]! * trees.scale}`);
      [conditions[i], weights[i]] = [value, value];
      return;
    }
    const set = trees.categories.slice(trees.categoryStart[node]!, trees.categoryStart[node + 1]!).sort();
    const isCategory = set.length > 0;
    const [a, b] = [numberOf.get(trees.left[node]!)!, numberOf.get(trees.right[node]!)!];
    [parents[a], parents[b]] = [i, i];
    // XGBoost sends a category of the set right: such a node changes its sides.
    [left[i], right[i]] = isCategory ? [b, a] : [a, b];
    defaultLeft[i] = isCategory ? 1 - trees.missingLeft[node]! : trees.missingLeft[node]!;
    splits[i] = trees.feature[node]!;
    if (isCategory) {
      expect(
        set[0]! >= 0 && set.at(-1)! < CATEGORIES_MAX,
        `a category must be in 0..${CATEGORIES_MAX - 1}, were ${set[0]} to ${set.at(-1)}`,
      );
      types[i] = 1;
      nodes.push(i);
      segments.push(categories.length);
      sizes.push(set.length);
      for (const category of set) categories.push(category);
    } else {
      conditions[i] = firstRight32(trees.threshold[node]!, trees.comparison);
      expect(Number.isFinite(conditions[i]), `a threshold must be within float32, was ${trees.threshold[node]}`);
    }
  });
  return {
    base_weights: weights,
    categories,
    categories_nodes: nodes,
    categories_segments: segments,
    categories_sizes: sizes,
    default_left: defaultLeft,
    id,
    left_children: left,
    loss_changes: Float64Array.from(order, (node) => Math.fround(trees.gain[node]!)),
    parents,
    right_children: right,
    split_conditions: conditions,
    split_indices: splits,
    split_type: types,
    sum_hessian: Float64Array.from(order, (node) => Math.fround(trees.cover[node]!)),
    tree_param: {
      num_deleted: '0',
      num_feature: String(trees.featureCount),
      num_nodes: String(count),
      size_leaf_vector: '1',
    },
  };
}

/** Nodes of a tree, parents first. */
export function orderOf({ treeStart, feature, left, right }: TreeEnsemble, tree: number): number[] {
  const order: number[] = [];
  const waiting = [treeStart[tree]!];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    order.push(node);
    if (feature[node]! >= 0) waiting.push(right[node]!, left[node]!);
  }
  return order;
}

/** The base as a tree. */
function writeLeaf(trees: TreeEnsemble, id: number): Record<string, unknown> {
  const leaf = Float64Array.of(trees.base);
  const single = {
    treeStart: Int32Array.of(0, 1),
    feature: Int32Array.of(-1),
    left: Int32Array.of(0),
    right: Int32Array.of(0),
    leaf,
    cover: Float64Array.of(trees.cover[0] ?? 0),
    gain: new Float64Array(1),
    categoryStart: new Int32Array(2),
  };
  return writeTree({ ...trees, ...single, scale: 1 }, 0, id);
}

/** JSON in which the numbers of a Float64Array have a point or an exponent: XGBoost reads no others as float. */
function writeJson(value: unknown): string {
  if (value instanceof Float64Array)
    return `[${Array.from(value, (x) => (/[.e]/.test(`${x}`) ? x : `${x}.0`)).join()}]`;
  if (Array.isArray(value)) return `[${value.map(writeJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${writeJson(inner)}`);
  return `{${fields.join()}}`;
}
