import { expect } from '../checks/expect.ts';
import { checkInputs, type Inputs, lastStep } from '../learn/examples.ts';
import { below64 } from '../learn/trees/neighbours.ts';
import type { TreeEnsemble } from '../learn/trees/tree-ensemble.ts';
import { goesLeft } from '../learn/trees/walk-trees.ts';

import { gaussLegendre } from './gauss-legendre.ts';

/** Shapley values of the margins of trees: made once for a model, asked for many rows. */
export type TreeShap = {
  /** Mean margin by cover: what the trees answer while no feature is known. */
  base: number;
  /**
   * Row-major rows × features; a row's sum and `base` are its margin (before the link).
   *
   * @param inputs Of a window, the last day is read.
   */
  contributions(inputs: Inputs): Float64Array;
};

/**
 * How the side a row takes at a node bears on the part of its feature in the product of a path: it follows the row (and did so
 * at all earlier splits of that feature), it leaves the row here, or it had left before.
 */
const [FOLLOWS, LEAVES, LEFT_BEFORE] = [0, 1, 2] as const;
const STATES = 3;

/** One tree, its nodes parents first; node 0 is the root. */
type Plan = {
  nodeCount: number;
  pointCount: number;
  parent: Int32Array;
  /** Feature the parent splits by: whose contribution grows by this node's leaves. */
  feature: Int32Array;
  /** Last node above that was reached by a split of the same feature, or −1. */
  before: Int32Array;
  isLeft: Uint8Array;
  /** Inner nodes: their number here, feature, last value that goes left, side of NaN; number in the ensemble if not that plain. */
  inner: Int32Array;
  innerFeature: Int32Array;
  lastLeft: Float64Array;
  missingLeft: Uint8Array;
  oddNode: Int32Array;
  /** Leaf value times scale; 0 for inner nodes. */
  leaf: Float64Array;
  /** [point][state][node]: what the product of the path is multiplied by; what a unit of it adds to the feature. */
  factor: Float64Array;
  coefficient: Float64Array;
  pointWeights: Float64Array;
};

/**
 * Exact TreeSHAP, path dependent: a feature that is not known is followed down both sides by cover, and a row's margin is shared
 * out by Shapley's rule.
 *
 * The weight of a set of s among m features is ∫ tˢ(1−t)ᵐ⁻¹⁻ˢ dt, so the sum over sets is the integral of a product with one
 * part for each feature of the path: t + (1−t)z where the row follows, (1−t)z where it does not, z being the share of cover.
 * Gauss–Legendre with ⌈m/2⌉ points integrates that polynomial exactly, and the products are kept on the way down and their leaf
 * sums on the way up: O(T · L · D) a row instead of O(T · L · D²), without recursion. Divisions are by parts greater than zero.
 *
 * @throws RangeError if covers are negative or not finite. A tree whose root has a cover of zero shares it evenly.
 * @see Lundberg, S. M. et al. (2020), From local explanations to global understanding with explainable AI for trees, DOI
 * 10.1038/s42256-019-0138-9; Yu, P. et al. (2022), Linear TreeShap, arXiv 2209.08192, for the way down and up.
 */
export function createTreeShap(trees: TreeEnsemble): TreeShap {
  expect(
    trees.cover.every((cover) => cover >= 0 && Number.isFinite(cover)),
    'cover must be a number >= 0 at every node',
  );
  const treeCount = trees.treeStart.length - 1;
  let base = trees.base;
  const plans = Array.from({ length: treeCount }, (_, tree) => {
    const { plan, mean } = planTree(trees, trees.treeStart[tree]!);
    base += trees.scale * mean;
    return plan;
  });
  return {
    base,
    contributions(inputs) {
      checkInputs(inputs);
      expect(
        inputs.featureCount === trees.featureCount,
        `inputs must have ${trees.featureCount} features, had ${inputs.featureCount}`,
      );
      const { rowCount, values } = lastStep(inputs);
      const rounded = trees.roundsInputs ? Float64Array.from(values, Math.fround) : values;
      const result = new Float64Array(rowCount * trees.featureCount);
      // Trees outside, rows inside: the tables of a tree stay in the cache.
      for (const plan of plans) addTree(trees, plan, rounded, rowCount, result);
      return result;
    },
  };
}

function addTree(trees: TreeEnsemble, plan: Plan, values: Float64Array, rowCount: number, result: Float64Array): void {
  const { nodeCount, pointCount, parent, feature, before, isLeft, leaf, factor, coefficient, pointWeights } = plan;
  const { featureCount } = trees;
  const goes = new Uint8Array(nodeCount);
  const state = new Uint8Array(nodeCount);
  const entry = new Int32Array(nodeCount);
  const product = new Float64Array(nodeCount);
  const sum = new Float64Array(nodeCount);
  for (let row = 0; row < rowCount; row++) {
    const at = row * featureCount;
    decide(trees, plan, values, at, goes);
    for (let node = 1; node < nodeCount; node++) {
      const earlier = before[node]!;
      const follows = goes[parent[node]!]! === isLeft[node]!;
      const told = earlier >= 0 && state[earlier]! !== FOLLOWS ? LEFT_BEFORE : follows ? FOLLOWS : LEAVES;
      state[node] = told;
      entry[node] = told * nodeCount + node;
    }
    for (let point = 0; point < pointCount; point++) {
      const table = point * STATES * nodeCount;
      product[0] = pointWeights[point]!;
      sum[0] = 0;
      for (let node = 1; node < nodeCount; node++) {
        const value = product[parent[node]!]! * factor[table + entry[node]!]!;
        product[node] = value;
        sum[node] = value * leaf[node]!;
      }
      for (let node = nodeCount - 1; node > 0; node--) {
        const below = sum[node]!;
        const target = at + feature[node]!;
        result[target] = result[target]! + coefficient[table + entry[node]!]! * below;
        sum[parent[node]!] = sum[parent[node]!]! + below;
      }
    }
  }
}

/** 1 for every inner node that a row passes, or would pass, to the left. */
function decide(trees: TreeEnsemble, plan: Plan, values: Float64Array, at: number, goes: Uint8Array): void {
  const { inner, innerFeature, lastLeft, missingLeft, oddNode } = plan;
  for (let k = 0; k < inner.length; k++) {
    const value = values[at + innerFeature[k]!]!;
    if (oddNode[k]! >= 0) goes[inner[k]!] = Number(goesLeft(trees, oddNode[k]!, value));
    else if (value <= lastLeft[k]!) goes[inner[k]!] = 1;
    else goes[inner[k]!] = value > lastLeft[k]! ? 0 : missingLeft[k]!;
  }
}

function planTree(trees: TreeEnsemble, root: number): { plan: Plan; mean: number } {
  const order: number[] = [];
  const parents: number[] = [];
  const waiting: [node: number, parent: number][] = [[root, -1]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, parent] = next;
    const number = order.push(node) - 1;
    parents.push(parent);
    if (trees.feature[node]! >= 0) waiting.push([trees.right[node]!, number], [trees.left[node]!, number]);
  }
  const nodeCount = order.length;
  const plan = {
    nodeCount,
    parent: Int32Array.from(parents),
    feature: new Int32Array(nodeCount),
    before: new Int32Array(nodeCount).fill(-1),
    isLeft: new Uint8Array(nodeCount),
    leaf: new Float64Array(nodeCount),
  };
  /** Share of cover that reached a node by splits of its feature; by all splits; count of features on its path. */
  const share = new Float64Array(nodeCount).fill(1);
  const reach = new Float64Array(nodeCount).fill(1);
  const features = new Int32Array(nodeCount);
  let featuresMax = 0;
  let mean = 0;
  order.forEach((node, number) => {
    const parent = parents[number]!;
    if (parent >= 0) {
      const above = order[parent]!;
      const feature = trees.feature[above]!;
      let before = parent;
      while (before > 0 && plan.feature[before] !== feature) before = parents[before]!;
      plan.feature[number] = feature;
      plan.before[number] = before > 0 ? before : -1;
      plan.isLeft[number] = Number(trees.left[above] === node);
      const part = trees.cover[above]! > 0 ? coverShare(trees, above, node) : 0.5;
      share[number] = part * (before > 0 ? share[before]! : 1);
      reach[number] = part * reach[parent]!;
      features[number] = features[parent]! + (before > 0 ? 0 : 1);
      featuresMax = Math.max(featuresMax, features[number]!);
    }
    if (trees.feature[node]! >= 0) return;
    plan.leaf[number] = trees.leaf[node]! * trees.scale;
    mean += reach[number]! * trees.leaf[node]!;
  });
  const tables = tabulate(plan.before, share, Math.ceil(featuresMax / 2));
  return { plan: { ...plan, ...planDecisions(trees, order), ...tables }, mean };
}

/** Of the children's covers, not of the parent's: rounding (float32) must not lose any of it. */
function coverShare({ cover, left, right }: TreeEnsemble, above: number, node: number): number {
  const both = cover[left[above]!]! + cover[right[above]!]!;
  return both > 0 ? cover[node]! / both : 0.5;
}

function planDecisions(trees: TreeEnsemble, order: readonly number[]) {
  const nodes = order.map((node, number) => ({ node, number })).filter(({ node }) => trees.feature[node]! >= 0);
  const isOdd = (node: number) =>
    trees.categoryStart[node + 1]! > trees.categoryStart[node]! || trees.zeroIsMissing?.[node] === 1;
  return {
    inner: Int32Array.from(nodes, ({ number }) => number),
    innerFeature: Int32Array.from(nodes, ({ node }) => trees.feature[node]!),
    lastLeft: Float64Array.from(nodes, ({ node }) =>
      trees.comparison === 'less' ? below64(trees.threshold[node]!) : trees.threshold[node]!,
    ),
    missingLeft: Uint8Array.from(nodes, ({ node }) => trees.missingLeft[node]!),
    oddNode: Int32Array.from(nodes, ({ node }) => (isOdd(node) ? node : -1)),
  };
}

/** Parts of the product for every point, state and node, relative to the part the same feature had above. */
function tabulate(before: Int32Array, share: Float64Array, pointCount: number) {
  const nodeCount = before.length;
  const { points, weights } = gaussLegendre(pointCount);
  const factor = new Float64Array(pointCount * STATES * nodeCount);
  const coefficient = new Float64Array(pointCount * STATES * nodeCount);
  for (let point = 0; point < pointCount; point++) {
    const t = points[point]!;
    const following = (z: number) => t + (1 - t) * z;
    for (let node = 1; node < nodeCount; node++) {
      const z = share[node]!;
      const above = before[node]! >= 0 ? share[before[node]!]! : null;
      const partAbove = above === null ? 1 : following(above);
      const gainAbove = above === null ? 0 : (1 - above) / following(above);
      const at = point * STATES * nodeCount + node;
      factor[at + FOLLOWS * nodeCount] = following(z) / partAbove;
      factor[at + LEAVES * nodeCount] = ((1 - t) * z) / partAbove;
      factor[at + LEFT_BEFORE * nodeCount] = above === null || above === 0 ? 0 : z / above;
      coefficient[at + FOLLOWS * nodeCount] = (1 - z) / following(z) - gainAbove;
      // −z / ((1−t)z): the share falls out, also where it is zero and the product with it.
      coefficient[at + LEAVES * nodeCount] = -1 / (1 - t) - gainAbove;
    }
  }
  return { pointCount, factor, coefficient, pointWeights: weights };
}
