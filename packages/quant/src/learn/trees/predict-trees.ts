import { expect } from '../../checks/expect.ts';
import { checkInputs, type Inputs, lastStep } from '../examples.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import { goesLeft } from './walk-trees.ts';

/** Deeper trees, or trees that ask more than a threshold, are walked node by node. */
const FULL_DEPTH_MAX = 8;
/** Features are numbered in sixteen bits, so that trees take less of the cache. */
const FULL_FEATURES_MAX = 65_536;

/**
 * Trees filled up to one depth: children of place k are at 2k + 1 and 2k + 2, so that a walk needs no pointers and no question
 * whether it has arrived.
 */
type FullTrees = {
  kind: 'full';
  treeCount: number;
  depth: number;
  feature: Uint16Array;
  threshold: Float64Array;
  missingLeft: Uint8Array;
  leaf: Float64Array;
};
type Prepared = FullTrees | { kind: 'walked' };

/** What was made of an ensemble once serves all its predictions; it goes when the ensemble goes. */
const prepared = new WeakMap<TreeEnsemble, Prepared>();

/**
 * Margins, one a row: base + scale · Σ leaf. A row's margin does not depend on the other rows. Of windows the last day is read.
 *
 * @throws RangeError for inputs of another number of features.
 */
export function predictMargin(ensemble: TreeEnsemble, inputs: Inputs): Float64Array {
  checkInputs(inputs);
  const { featureCount } = ensemble;
  expect(inputs.featureCount === featureCount, `inputs must have ${featureCount} features, had ${inputs.featureCount}`);
  const { rowCount, values } = lastStep(inputs);
  const margins = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) margins[row] = predictRow(ensemble, values, row * featureCount);
  return margins;
}

/** Margin of the row that starts at `from` in `values`. 500 trees of depth six take some 6 µs. */
export function predictRow(ensemble: TreeEnsemble, values: Float64Array, from = 0): number {
  const trees = prepare(ensemble);
  const { featureCount, roundsInputs, base, scale } = ensemble;
  let row = values.subarray(from, from + featureCount);
  if (roundsInputs) row = row.map(Math.fround);
  if (trees.kind === 'walked') return base + scale * sumWalked(ensemble, row);
  return base + scale * (hasMissing(row) ? sumFullWithMissing(trees, row) : sumFull(trees, row));
}

function hasMissing(row: Float64Array): boolean {
  for (let k = 0; k < row.length; k++) if (Number.isNaN(row[k]!)) return true;
  return false;
}

/** The leaf of a tree that a row falls into, as a node of the ensemble. Rows must be rounded where the ensemble does. */
export function findLeaf(ensemble: TreeEnsemble, tree: number, row: Float64Array): number {
  const { feature, left, right, treeStart } = ensemble;
  let node = treeStart[tree]!;
  while (feature[node]! >= 0) node = goesLeft(ensemble, node, row[feature[node]!]!) ? left[node]! : right[node]!;
  return node;
}

function sumWalked(ensemble: TreeEnsemble, row: Float64Array): number {
  let sum = 0;
  for (let tree = 0; tree + 1 < ensemble.treeStart.length; tree++) sum += ensemble.leaf[findLeaf(ensemble, tree, row)]!;
  return sum;
}

/** Four trees at once: while one waits for memory the others walk on. The sum keeps the order of the trees. */
function sumFull({ treeCount, depth, feature, threshold, leaf }: FullTrees, row: Float64Array): number {
  const inner = (1 << depth) - 1;
  let sum = 0;
  let tree = 0;
  for (; tree + 3 < treeCount; tree += 4) {
    const [a, b, c, d] = [tree * inner, (tree + 1) * inner, (tree + 2) * inner, (tree + 3) * inner];
    let [i, j, k, l] = [a, b, c, d];
    for (let level = 0; level < depth; level++) {
      // Children of the place p − a of tree a are at 2 (p − a) + 1 and + 2 behind a.
      i = 2 * i - a + 2 - Number(row[feature[i]!]! < threshold[i]!);
      j = 2 * j - b + 2 - Number(row[feature[j]!]! < threshold[j]!);
      k = 2 * k - c + 2 - Number(row[feature[k]!]! < threshold[k]!);
      l = 2 * l - d + 2 - Number(row[feature[l]!]! < threshold[l]!);
    }
    // Leaves of a tree lie one place further a tree than its inner nodes, and start behind them.
    sum += leaf[i - inner + tree]!;
    sum += leaf[j - inner + tree + 1]!;
    sum += leaf[k - inner + tree + 2]!;
    sum += leaf[l - inner + tree + 3]!;
  }
  for (; tree < treeCount; tree++) {
    const start = tree * inner;
    let i = start;
    for (let level = 0; level < depth; level++) i = 2 * i - start + 2 - Number(row[feature[i]!]! < threshold[i]!);
    sum += leaf[i - inner + tree]!;
  }
  return sum;
}

function sumFullWithMissing(trees: FullTrees, row: Float64Array): number {
  const { treeCount, depth, feature, threshold, missingLeft, leaf } = trees;
  const inner = (1 << depth) - 1;
  let sum = 0;
  for (let tree = 0, node = 0, leaves = 0; tree < treeCount; tree++, node += inner, leaves += inner + 1) {
    let place = 0;
    for (let level = 0; level < depth; level++) {
      const value = row[feature[node + place]!]!;
      const isLeft = Number.isNaN(value) ? missingLeft[node + place]! : Number(value < threshold[node + place]!);
      place = 2 * place + 2 - isLeft;
    }
    sum += leaf[leaves + place - inner]!;
  }
  return sum;
}

function prepare(ensemble: TreeEnsemble): Prepared {
  const known = prepared.get(ensemble);
  if (known) return known;
  const depth = depthOf(ensemble);
  const isPlain = ensemble.categories.length === 0 && !ensemble.zeroIsMissing?.includes(1);
  const isFull = isPlain && depth <= FULL_DEPTH_MAX && ensemble.featureCount <= FULL_FEATURES_MAX;
  const made: Prepared = isFull ? fillUp(ensemble, depth) : { kind: 'walked' };
  prepared.set(ensemble, made);
  return made;
}

/** Splits above the deepest leaf. */
export function depthOf({ treeStart, feature, left, right }: TreeEnsemble): number {
  const depthBelow = (node: number): number =>
    feature[node]! < 0 ? 0 : 1 + Math.max(depthBelow(left[node]!), depthBelow(right[node]!));
  let deepest = 0;
  for (let tree = 0; tree + 1 < treeStart.length; tree++) deepest = Math.max(deepest, depthBelow(treeStart[tree]!));
  return deepest;
}

function fillUp(ensemble: TreeEnsemble, depth: number): FullTrees {
  const treeCount = ensemble.treeStart.length - 1;
  const inner = (1 << depth) - 1;
  const feature = new Uint16Array(treeCount * inner);
  const threshold = new Float64Array(treeCount * inner);
  const missingLeft = new Uint8Array(treeCount * inner);
  const leaf = new Float64Array(treeCount * (inner + 1));
  // Below a leaf both ways lead to the same value, whatever is asked there.
  const fill = (tree: number, place: number, node: number): void => {
    if (place >= inner) {
      leaf[tree * (inner + 1) + place - inner] = ensemble.leaf[node]!;
      return;
    }
    const isLeaf = ensemble.feature[node]! < 0;
    const at = tree * inner + place;
    if (!isLeaf) {
      feature[at] = ensemble.feature[node]!;
      threshold[at] = ensemble.comparison === 'less' ? ensemble.threshold[node]! : nextAbove(ensemble.threshold[node]!);
      missingLeft[at] = ensemble.missingLeft[node]!;
    }
    fill(tree, 2 * place + 1, isLeaf ? node : ensemble.left[node]!);
    fill(tree, 2 * place + 2, isLeaf ? node : ensemble.right[node]!);
  };
  for (let tree = 0; tree < treeCount; tree++) fill(tree, 0, ensemble.treeStart[tree]!);
  return { kind: 'full', treeCount, depth, feature, threshold, missingLeft, leaf };
}

/** The next float64: `value <= x` is `value < nextAbove(x)`. Infinity has none: it stays, and is never less. */
function nextAbove(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(Float64Array.of(x).buffer);
  bits[0]! += x > 0 ? 1n : -1n;
  return new Float64Array(bits.buffer)[0]!;
}
