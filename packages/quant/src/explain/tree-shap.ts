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
/** Numbers in all tables: half a gigabyte. Trees that need more are chains of splits on hundreds of features. */
const TABLES_MAX = 1 << 26;

/** What a node adds to the decisions above it; one entry a node. */
type Steps = {
  count: number;
  /** Numbers of inner nodes: the one above, and the last one above reached by a split of the same feature, or −1. */
  parent: Int32Array;
  before: Int32Array;
  isLeft: Uint8Array;
  /** Feature the parent splits by: whose contribution grows by what lies below this node. */
  feature: Int32Array;
  /**
   * [point][state][node]. Of inner nodes: what the product of the path is multiplied by, and what a unit of the leaves below
   * gives the feature. Of leaves both hold the leaf's value already: what a unit of the product gives to those above, and
   * to the feature.
   */
  factor: Float64Array;
  coefficient: Float64Array;
};

/** One tree. Inner nodes are numbered parents first, the root is 0; leaves have numbers of their own. */
type Plan = {
  inner: Steps;
  leaves: Steps;
  /** Of inner nodes: feature, last value that goes left, side of NaN; number in the ensemble if the rule is not that plain. */
  splits: Int32Array;
  lastLeft: Float64Array;
  missingLeft: Uint8Array;
  oddNode: Int32Array;
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
 * A root without cover shares it evenly.
 *
 * @throws RangeError if covers are negative or not finite, or trees are too large.
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
  let tableSize = 0;
  const plans = Array.from({ length: treeCount }, (_, tree) => {
    const { plan, mean } = planTree(trees, trees.treeStart[tree]!, TABLES_MAX - tableSize);
    base += trees.scale * mean;
    tableSize += 2 * (plan.inner.factor.length + plan.leaves.factor.length);
    return plan;
  });
  const scratch = createScratch(plans);
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
      for (const plan of plans) addTree(trees, plan, scratch, rounded, rowCount, result);
      return result;
    },
  };
}

/** Room for the largest tree: made once, or one row of many trees would take longer to make room for than to explain. */
type Scratch = {
  goes: Uint8Array;
  state: Uint8Array;
  innerEntry: Int32Array;
  leafEntry: Int32Array;
  product: Float64Array;
  sum: Float64Array;
};

function createScratch(plans: readonly Plan[]): Scratch {
  const innerMax = plans.reduce((most, { inner }) => Math.max(most, inner.count), 0);
  return {
    goes: new Uint8Array(innerMax),
    state: new Uint8Array(innerMax),
    innerEntry: new Int32Array(innerMax),
    leafEntry: new Int32Array(innerMax + 1),
    product: new Float64Array(innerMax),
    sum: new Float64Array(innerMax),
  };
}

function addTree(
  trees: TreeEnsemble,
  plan: Plan,
  { goes, state, innerEntry, leafEntry, product, sum }: Scratch,
  values: Float64Array,
  rowCount: number,
  result: Float64Array,
): void {
  const { inner, leaves, pointWeights } = plan;
  if (inner.count === 0) return;
  for (let row = 0; row < rowCount; row++) {
    const at = row * trees.featureCount;
    decide(trees, plan, values, at, goes);
    for (let node = 1; node < inner.count; node++) {
      state[node] = stateOf(inner, node, goes, state);
      innerEntry[node] = state[node]! * inner.count + node;
    }
    for (let leaf = 0; leaf < leaves.count; leaf++)
      leafEntry[leaf] = stateOf(leaves, leaf, goes, state) * leaves.count + leaf;
    for (let point = 0; point < pointWeights.length; point++) {
      product[0] = pointWeights[point]!;
      descend(inner, point * STATES * inner.count, innerEntry, product);
      sum.fill(0, 0, inner.count);
      addLeaves(leaves, point * STATES * leaves.count, leafEntry, product, sum, result, at);
      ascend(inner, point * STATES * inner.count, innerEntry, sum, result, at);
    }
  }
}

function stateOf({ parent, before, isLeft }: Steps, node: number, goes: Uint8Array, state: Uint8Array): number {
  const earlier = before[node]!;
  if (earlier >= 0 && state[earlier]! !== FOLLOWS) return LEFT_BEFORE;
  return goes[parent[node]!]! === isLeft[node]! ? FOLLOWS : LEAVES;
}

function descend({ count, parent, factor }: Steps, table: number, entry: Int32Array, product: Float64Array): void {
  for (let node = 1; node < count; node++) product[node] = product[parent[node]!]! * factor[table + entry[node]!]!;
}

function addLeaves(
  { count, parent, feature, factor, coefficient }: Steps,
  table: number,
  entry: Int32Array,
  product: Float64Array,
  sum: Float64Array,
  result: Float64Array,
  at: number,
): void {
  for (let leaf = 0; leaf < count; leaf++) {
    const above = parent[leaf]!;
    const place = table + entry[leaf]!;
    const target = at + feature[leaf]!;
    const reached = product[above]!;
    sum[above] = sum[above]! + reached * factor[place]!;
    result[target] = result[target]! + reached * coefficient[place]!;
  }
}

function ascend(
  { count, parent, feature, coefficient }: Steps,
  table: number,
  entry: Int32Array,
  sum: Float64Array,
  result: Float64Array,
  at: number,
): void {
  for (let node = count - 1; node > 0; node--) {
    const above = parent[node]!;
    const target = at + feature[node]!;
    const below = sum[node]!;
    sum[above] = sum[above]! + below;
    result[target] = result[target]! + below * coefficient[table + entry[node]!]!;
  }
}

/** 1 for every inner node that a row passes, or would pass, to the left. */
function decide(trees: TreeEnsemble, plan: Plan, values: Float64Array, at: number, goes: Uint8Array): void {
  const { splits, lastLeft, missingLeft, oddNode } = plan;
  for (let node = 0; node < splits.length; node++) {
    const value = values[at + splits[node]!]!;
    if (oddNode[node]! >= 0) goes[node] = Number(goesLeft(trees, oddNode[node]!, value));
    else if (value <= lastLeft[node]!) goes[node] = 1;
    else goes[node] = value > lastLeft[node]! ? 0 : missingLeft[node]!;
  }
}

/** A node on the way down; its parent and `before` as numbers of inner nodes. */
type Step = {
  node: number;
  parent: number;
  before: number;
  feature: number;
  isLeft: boolean;
  /** Share of cover that came here by splits of this feature, and that came to `before`. */
  share: number;
  shareBefore: number | null;
};

function planTree(trees: TreeEnsemble, root: number, room: number): { plan: Plan; mean: number } {
  const inner: Step[] = [];
  const leaves: Step[] = [];
  let featuresMax = 0;
  let mean = 0;
  type Visit = { step: Step; reach: number; features: number };
  const start = { node: root, parent: -1, before: -1, feature: -1, isLeft: false, share: 1, shareBefore: null };
  const waiting: Visit[] = [{ step: start, reach: 1, features: 0 }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { step, reach, features } = visit;
    const { node } = step;
    const feature = trees.feature[node]!;
    if (feature < 0) {
      leaves.push(step);
      featuresMax = Math.max(featuresMax, features);
      mean += reach * trees.leaf[node]!;
      continue;
    }
    const parent = inner.push(step) - 1;
    let before = parent;
    while (before >= 0 && inner[before]!.feature !== feature) before = inner[before]!.parent;
    const shareBefore = before >= 0 ? inner[before]!.share : null;
    for (const child of [trees.right[node]!, trees.left[node]!]) {
      const part = coverShare(trees, node, child);
      const share = part * (shareBefore ?? 1);
      const isLeft = child === trees.left[node];
      waiting.push({
        step: { node: child, parent, before, feature, isLeft, share, shareBefore },
        reach: reach * part,
        features: features + (before >= 0 ? 0 : 1),
      });
    }
  }
  const pointCount = Math.ceil(featuresMax / 2);
  const need = 2 * pointCount * STATES * (inner.length + leaves.length);
  expect(need <= room, `trees are too large to explain: their tables need more than ${TABLES_MAX} numbers`);
  const { points, weights } = gaussLegendre(pointCount);
  const plan: Plan = {
    inner: tabulate(inner, points, null),
    leaves: tabulate(
      leaves,
      points,
      Float64Array.from(leaves, ({ node }) => trees.leaf[node]! * trees.scale),
    ),
    ...planDecisions(
      trees,
      inner.map(({ node }) => node),
    ),
    pointWeights: weights,
  };
  return { plan, mean };
}

/** Of the children's covers, not of the parent's: rounding (float32) must not lose any of it. */
function coverShare({ cover, left, right }: TreeEnsemble, above: number, node: number): number {
  const both = cover[left[above]!]! + cover[right[above]!]!;
  return both > 0 ? cover[node]! / both : 0.5;
}

function planDecisions(trees: TreeEnsemble, nodes: readonly number[]) {
  const isOdd = (node: number) =>
    trees.categoryStart[node + 1]! > trees.categoryStart[node]! || trees.zeroIsMissing?.[node] === 1;
  const lastLeft = (node: number) =>
    trees.comparison === 'less' ? below64(trees.threshold[node]!) : trees.threshold[node]!;
  return {
    splits: Int32Array.from(nodes, (node) => trees.feature[node]!),
    lastLeft: Float64Array.from(nodes, lastLeft),
    missingLeft: Uint8Array.from(nodes, (node) => trees.missingLeft[node]!),
    oddNode: Int32Array.from(nodes, (node) => (isOdd(node) ? node : -1)),
  };
}

/**
 * Parts of the product for every point, state and node, relative to the part the same feature had above.
 *
 * @param leafValues Of leaves: multiplied in; null: these are inner nodes.
 */
function tabulate(steps: readonly Step[], points: Float64Array, leafValues: Float64Array | null): Steps {
  const count = steps.length;
  const factor = new Float64Array(points.length * STATES * count);
  const coefficient = new Float64Array(points.length * STATES * count);
  points.forEach((t, point) => {
    const following = (z: number) => t + (1 - t) * z;
    const put = (state: number, node: number, part: number, gain: number) => {
      const at = (point * STATES + state) * count + node;
      factor[at] = part * (leafValues?.[node] ?? 1);
      coefficient[at] = gain * (leafValues === null ? 1 : factor[at]!);
    };
    steps.forEach(({ share: z, shareBefore: above }, node) => {
      const partAbove = above === null ? 1 : following(above);
      const gainAbove = above === null ? 0 : (1 - above) / following(above);
      put(FOLLOWS, node, following(z) / partAbove, (1 - z) / following(z) - gainAbove);
      // −z / ((1−t)z): the share falls out, also where it is zero and the product with it.
      put(LEAVES, node, ((1 - t) * z) / partAbove, -1 / (1 - t) - gainAbove);
      put(LEFT_BEFORE, node, above === null || above === 0 ? 0 : z / above, 0);
    });
  });
  return {
    count,
    parent: Int32Array.from(steps, ({ parent }) => parent),
    before: Int32Array.from(steps, ({ before }) => before),
    isLeft: Uint8Array.from(steps, ({ isLeft }) => Number(isLeft)),
    feature: Int32Array.from(steps, ({ feature }) => feature),
    factor,
    coefficient,
  };
}
