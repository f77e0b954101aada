import { expect } from '../../../checks/expect.ts';
import type { Goal, Link } from '../../learner.ts';
import { gatherTrees, type RawTree } from './gather-trees.ts';
import { FEATURES_MAX, type ImportedTrees } from './imported-trees.ts';
import {
  type Fields,
  fieldsOf,
  listAt,
  numbersAt,
  objectAt,
  parseFields,
  textAt,
  wholeAt,
  wholesAt,
} from './json-fields.ts';

/** XGBoost's own bound: float32 holds whole numbers up to here. */
export const CATEGORIES_MAX = 1 << 24;
const INT32_MAX = 0x7fffffff;
const CATEGORICAL = 1;

const OBJECTIVES: Record<string, { goal: Goal; link: Link }> = {
  'binary:logistic': { goal: 'binary', link: 'logistic' },
  'reg:squarederror': { goal: 'regression', link: 'identity' },
  'reg:absoluteerror': { goal: 'regression', link: 'identity' },
  'reg:pseudohubererror': { goal: 'regression', link: 'identity' },
  'reg:quantileerror': { goal: 'quantile', link: 'identity' },
  'rank:ndcg': { goal: 'ranking', link: 'identity' },
  'rank:pairwise': { goal: 'ranking', link: 'identity' },
  'rank:map': { goal: 'ranking', link: 'identity' },
};

/**
 * Reads what XGBoost's `save_model` writes as JSON (1.7 to 3.x): trees of one output. Its answers are the same to float32:
 * XGBoost adds leaves up in float32, this ensemble in float64.
 *
 * @throws RangeError that names the field for a broken file, and the feature for what is not supported: other boosters than
 * `gbtree`, other objectives than those of a probability, a number, a quantile or a ranking, several outputs.
 */
export function importXgboost(text: string): ImportedTrees {
  const learner = objectAt(parseFields(text, 'model'), 'learner');
  const objective = textAt(objectAt(learner, 'objective'), 'name');
  const known = Object.hasOwn(OBJECTIVES, objective) ? OBJECTIVES[objective] : undefined;
  expect(known !== undefined, `objective ${objective} is not supported, only ${Object.keys(OBJECTIVES).join(', ')}`);
  const booster = objectAt(learner, 'gradient_booster');
  const boosterName = textAt(booster, 'name');
  expect(boosterName === 'gbtree', `booster ${boosterName} is not supported, only gbtree`);
  const parameters = objectAt(learner, 'learner_model_param');
  const featureCount = wholeAt(parameters, 'num_feature', 1, FEATURES_MAX);
  expect(wholeAt(parameters, 'num_class', 0, INT32_MAX) <= 1, 'several classes (num_class) are not supported');
  const severalTargets =
    parameters.values.num_target !== undefined && wholeAt(parameters, 'num_target', 0, INT32_MAX) > 1;
  expect(!severalTargets, 'several targets (num_target) are not supported');
  const model = objectAt(booster, 'model');
  const treeCount = wholeAt(objectAt(model, 'gbtree_model_param'), 'num_trees', 0, INT32_MAX);
  const list = listAt(model, 'trees');
  expect(list.length === treeCount, `${model.path}.trees must be ${treeCount} (num_trees), were ${list.length}`);
  const trees = gatherTrees(
    {
      featureCount,
      link: known.link,
      base: readBase(parameters, known.link),
      scale: 1,
      comparison: 'less',
      roundsInputs: true,
    },
    list.map((tree, i) => readTree(fieldsOf(tree, `${model.path}.trees[${i}]`))),
  );
  return { trees, goal: known.goal, featureNames: readNames(learner, featureCount) };
}

/** XGBoost keeps the base as an answer (a probability), as a text, since 3.1 in brackets; margins begin with it in float32. */
function readBase(parameters: Fields, link: Link): number {
  const text = textAt(parameters, 'base_score');
  const inner = /^\[([^[\]]*)\]$/.exec(text.trim())?.[1] ?? text;
  const score = inner.trim() === '' ? Number.NaN : Math.fround(Number(inner));
  expect(Number.isFinite(score), `${parameters.path}.base_score must be one number, was "${text}"`);
  if (link === 'identity') return score;
  expect(score > 0 && score < 1, `${parameters.path}.base_score must be a probability between 0 and 1, was ${score}`);
  return Math.fround(-Math.log(Math.fround(Math.fround(1 / score) - 1)));
}

function readNames({ path, values }: Fields, featureCount: number): string[] {
  const names = values.feature_names ?? [];
  expect(
    Array.isArray(names) && names.every((name) => typeof name === 'string'),
    `${path}.feature_names must be a list of texts`,
  );
  expect(
    names.length === 0 || names.length === featureCount,
    `${path}.feature_names must be ${featureCount} (num_feature), were ${names.length}`,
  );
  return names.length > 0 ? names : Array.from({ length: featureCount }, (_, i) => `f${i}`);
}

function readTree(tree: Fields): RawTree {
  const parameters = objectAt(tree, 'tree_param');
  const count = wholeAt(parameters, 'num_nodes', 1, INT32_MAX);
  expect(
    wholeAt(parameters, 'size_leaf_vector', 0, INT32_MAX) <= 1,
    `${parameters.path}.size_leaf_vector: several outputs are not supported`,
  );
  const leftOfFile = wholesAt(tree, 'left_children', count, -1, count - 1);
  const rightOfFile = wholesAt(tree, 'right_children', count, -1, count - 1);
  // A node that was pruned away keeps its place, with a feature beyond any: it is reached by none.
  const splits = numbersAt(tree, 'split_indices', count);
  const conditions = singlesAt(tree, 'split_conditions', count);
  const defaultLeft = wholesAt(tree, 'default_left', count, 0, 1);
  const feature = Int32Array.from(splits, (split, node) => {
    if (leftOfFile[node] === -1) return -1;
    expect(
      Number.isInteger(split) && split >= 0 && split <= INT32_MAX,
      `${tree.path}.split_indices[${node}] must be a feature, was ${split}`,
    );
    return split;
  });
  const categories = readCategories(tree, count);
  // XGBoost sends a category of the set right, an ensemble sends it left: such a node changes its sides.
  const swapped = (node: number) => categories.has(node);
  return {
    name: tree.path,
    feature,
    threshold: conditions,
    left: leftOfFile.map((child, node) => (swapped(node) ? rightOfFile[node]! : child)),
    right: rightOfFile.map((child, node) => (swapped(node) ? leftOfFile[node]! : child)),
    missingLeft: Uint8Array.from(defaultLeft, (flag, node) => (swapped(node) ? 1 - flag : flag)),
    zeroIsMissing: null,
    leaf: conditions,
    cover: singlesAt(tree, 'sum_hessian', count),
    gain: singlesAt(tree, 'loss_changes', count),
    categories,
  };
}

/** The decimals of these files stand for float32. */
function singlesAt(tree: Fields, key: string, count: number): Float64Array {
  return Float64Array.from(numbersAt(tree, key, count), Math.fround);
}

function readCategories(tree: Fields, nodeCount: number): Map<number, Int32Array> {
  const sets = new Map<number, Int32Array>();
  const types =
    tree.values.split_type === undefined ? new Int32Array(nodeCount) : wholesAt(tree, 'split_type', nodeCount, 0, 1);
  if (!types.includes(CATEGORICAL)) return sets;
  const all = wholesAt(tree, 'categories', null, 0, CATEGORIES_MAX - 1);
  const nodes = wholesAt(tree, 'categories_nodes', null, 0, nodeCount - 1);
  const starts = wholesAt(tree, 'categories_segments', nodes.length, 0, all.length);
  const sizes = wholesAt(tree, 'categories_sizes', nodes.length, 0, all.length);
  nodes.forEach((node, i) => {
    const end = starts[i]! + sizes[i]!;
    expect(
      end <= all.length,
      `${tree.path}.categories_sizes[${i}] must end within ${all.length} categories, ended at ${end}`,
    );
    expect(types[node] === CATEGORICAL, `${tree.path}.categories_nodes[${i}]: node ${node} must split a category`);
    expect(!sets.has(node), `${tree.path}.categories_nodes[${i}]: node ${node} must appear once`);
    sets.set(node, all.slice(starts[i]!, end));
  });
  const bare = types.findIndex((type, node) => type === CATEGORICAL && !sets.has(node));
  expect(bare === -1, `${tree.path}.categories_nodes must hold node ${bare}, which splits a category`);
  return sets;
}
