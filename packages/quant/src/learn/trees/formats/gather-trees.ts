import { expect } from '../../../checks/expect.ts';
import type { TreeEnsemble } from '../tree-ensemble.ts';

/** One tree as a file tells it; node 0 is the root. */
export type RawTree = {
  /** How messages call it, as `trees[3]`. */
  name: string;
  /** One a node: −1 for a leaf. */
  feature: Int32Array;
  threshold: Float64Array;
  left: Int32Array;
  right: Int32Array;
  missingLeft: Uint8Array;
  zeroIsMissing: Uint8Array | null;
  leaf: Float64Array;
  cover: Float64Array;
  gain: Float64Array;
  /** By node: categories that go left. */
  categories: Map<number, Int32Array>;
};

/** Deeper trees are made to hurt: what walks or explains them takes time or room by the depth. */
const DEPTH_MAX = 512;

type Frame = Omit<
  TreeEnsemble,
  | 'treeStart'
  | 'feature'
  | 'threshold'
  | 'left'
  | 'right'
  | 'missingLeft'
  | 'zeroIsMissing'
  | 'leaf'
  | 'cover'
  | 'gain'
  | 'categoryStart'
  | 'categories'
>;

/**
 * Trees as one ensemble: the nodes that can be reached, each before its children, the left one first.
 *
 * @throws RangeError if a child is no node, a node is reached twice, a tree is too deep, a feature is out of range, or a number is not finite.
 */
export function gatherTrees(frame: Frame, rawTrees: readonly RawTree[]): TreeEnsemble {
  const orders = rawTrees.map(reachable);
  const nodeCount = orders.reduce((sum, order) => sum + order.length, 0);
  const treeStart = new Int32Array(rawTrees.length + 1);
  const feature = new Int32Array(nodeCount);
  const threshold = new Float64Array(nodeCount);
  const left = new Int32Array(nodeCount);
  const right = new Int32Array(nodeCount);
  const missingLeft = new Uint8Array(nodeCount);
  const zeroIsMissing = new Uint8Array(nodeCount);
  const leaf = new Float64Array(nodeCount).fill(Number.NaN);
  const cover = new Float64Array(nodeCount);
  const gain = new Float64Array(nodeCount);
  const categoryStart = new Int32Array(nodeCount + 1);
  const categories: number[] = [];
  rawTrees.forEach((raw, tree) => {
    const order = orders[tree]!;
    const start = treeStart[tree]!;
    treeStart[tree + 1] = start + order.length;
    const numberOf = new Map(Array.from(order, (node, i) => [node, start + i]));
    order.forEach((node, i) => {
      const at = start + i;
      checkNode(raw, node, frame.featureCount);
      feature[at] = raw.feature[node]!;
      cover[at] = raw.cover[node]!;
      const isLeaf = raw.feature[node]! < 0;
      left[at] = isLeaf ? at : numberOf.get(raw.left[node]!)!;
      right[at] = isLeaf ? at : numberOf.get(raw.right[node]!)!;
      if (isLeaf) leaf[at] = raw.leaf[node]!;
      else {
        threshold[at] = raw.categories.has(node) ? 0 : raw.threshold[node]!;
        missingLeft[at] = raw.missingLeft[node]!;
        zeroIsMissing[at] = raw.zeroIsMissing?.[node] ?? 0;
        gain[at] = raw.gain[node]!;
        for (const category of raw.categories.get(node) ?? []) categories.push(category);
      }
      categoryStart[at + 1] = categories.length;
    });
  });
  const ensemble: TreeEnsemble = {
    ...frame,
    treeStart,
    feature,
    threshold,
    left,
    right,
    missingLeft,
    leaf,
    cover,
    gain,
    categoryStart,
    categories: Int32Array.from(categories),
  };
  return zeroIsMissing.includes(1) ? { ...ensemble, zeroIsMissing } : ensemble;
}

/** Nodes from the root on, parents first. */
function reachable({ name, feature, left, right }: RawTree): Int32Array {
  const nodeCount = feature.length;
  expect(nodeCount >= 1, `${name} must have a node`);
  const seen = new Uint8Array(nodeCount);
  const order: number[] = [];
  const waiting = [{ node: 0, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    expect(depth <= DEPTH_MAX, `${name} must be at most ${DEPTH_MAX} splits deep`);
    expect(seen[node] === 0, `${name}: node ${node} must be reached once, was reached twice`);
    seen[node] = 1;
    order.push(node);
    if (feature[node]! < 0) continue;
    for (const child of [right[node]!, left[node]!]) {
      expect(
        child > 0 && child < nodeCount,
        `${name}: a child of node ${node} must be in 1..${nodeCount - 1}, was ${child}`,
      );
      waiting.push({ node: child, depth: depth + 1 });
    }
  }
  return Int32Array.from(order);
}

function checkNode({ name, feature, threshold, leaf, cover, categories }: RawTree, node: number, featureCount: number) {
  const where = `${name}, node ${node}`;
  expect(
    Number.isFinite(cover[node]) && cover[node]! >= 0,
    `${where}: cover must be a number >= 0, was ${cover[node]}`,
  );
  if (feature[node]! < 0) {
    expect(Number.isFinite(leaf[node]), `${where}: leaf value must be a finite number, was ${leaf[node]}`);
    return;
  }
  expect(feature[node]! < featureCount, `${where}: feature must be in 0..${featureCount - 1}, was ${feature[node]}`);
  // A categorical node holds no threshold, and an empty set of categories would be read as a threshold.
  const set = categories.get(node);
  expect(set === undefined || set.length > 0, `${where}: categories must be at least one`);
  expect(
    set !== undefined || !Number.isNaN(threshold[node]),
    `${where}: threshold must be a number, was ${threshold[node]}`,
  );
}
