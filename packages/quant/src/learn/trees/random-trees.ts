import type { Random } from '../../random/random.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

export type RandomTreesOptions = {
  treeCount: number;
  featureCount: number;
  depthMax: number;
  /** The last feature is split by category. */
  hasCategories?: boolean;
  comparison?: TreeEnsemble['comparison'];
  roundsInputs?: boolean;
  link?: TreeEnsemble['link'];
};

const CATEGORIES = 40;
const ROWS = 500;

type Node = {
  feature: number;
  threshold: number;
  left: number;
  right: number;
  missingLeft: number;
  leaf: number;
  cover: number;
  gain: number;
  categories: number[];
};

/** Trees nobody trained, for tests: standard normal thresholds and leaves, covers that add up, features met again on a path. */
export function randomTrees(random: Random, options: RandomTreesOptions): TreeEnsemble {
  const { treeCount, depthMax, comparison = 'less_or_equal', roundsInputs = false, link = 'identity' } = options;
  const nodes: Node[] = [];
  const grow = (depth: number, rows: number): number => {
    const isLeaf = depth === depthMax || rows < 2 || (depth > 0 && random.uniform() < 0.15);
    const number = nodes.length;
    const node = isLeaf ? leafNode(random, number, rows) : innerNode(random, options, number, rows);
    nodes.push(node);
    if (isLeaf) return number;
    const rowsLeft = 1 + random.integer(rows - 1);
    node.left = grow(depth + 1, rowsLeft);
    node.right = grow(depth + 1, rows - rowsLeft);
    return number;
  };
  const treeStart = [0];
  for (let tree = 0; tree < treeCount; tree++) {
    grow(0, ROWS);
    treeStart.push(nodes.length);
  }
  const categoryStart = [0];
  for (const { categories } of nodes) categoryStart.push(categoryStart.at(-1)! + categories.length);
  return {
    featureCount: options.featureCount,
    link,
    base: random.normal(),
    scale: 0.5,
    comparison,
    roundsInputs,
    treeStart: Int32Array.from(treeStart),
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    missingLeft: Uint8Array.from(nodes, (node) => node.missingLeft),
    leaf: Float64Array.from(nodes, (node) => node.leaf),
    cover: Float64Array.from(nodes, (node) => node.cover),
    gain: Float64Array.from(nodes, (node) => node.gain),
    categoryStart: Int32Array.from(categoryStart),
    categories: Int32Array.from(nodes.flatMap((node) => node.categories)),
  };
}

function leafNode(random: Random, number: number, cover: number): Node {
  const place = { left: number, right: number, missingLeft: 0, categories: [] };
  return { ...place, feature: -1, threshold: 0, leaf: random.normal(), cover, gain: 0 };
}

function innerNode(random: Random, options: RandomTreesOptions, number: number, cover: number): Node {
  const { featureCount, hasCategories = false, roundsInputs = false } = options;
  const feature = random.integer(featureCount);
  const node = { feature, left: number, right: number, leaf: Number.NaN, cover, gain: random.exponential() };
  if (hasCategories && feature === featureCount - 1) {
    const drawn = Array.from({ length: CATEGORIES }, (_, category) => category).filter(() => random.uniform() < 0.4);
    // LightGBM has no other way for a category: a missing one is in no set.
    return { ...node, threshold: 0, missingLeft: 0, categories: drawn.length > 0 ? drawn : [0] };
  }
  const value = random.normal();
  const threshold = roundsInputs ? Math.fround(value) : value;
  return { ...node, threshold, missingLeft: random.integer(2), categories: [] };
}
