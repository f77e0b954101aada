import { expect } from '../../checks/expect.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import type { Graph, TensorValues, Value } from './graph.ts';

/** Codes of the operator `TreeEnsemble`. */
const MODE = { less_or_equal: 0, less: 1, member: 6 } as const;
const SUM = 1;
const NO_TRANSFORM = 0;

/**
 * Trees as one node of the graph (operator `TreeEnsemble`, machine-learning set 5); gives rows × 1, the margin.
 *
 * Categories are compared with the value itself: it must be whole, as categories are.
 * Thresholds and leaves are doubles where the trees compare doubles, so that a value never lands on another side of a split.
 *
 * @throws RangeError where zeros count as missing: the operator knows missing values only.
 */
export function exportTrees(graph: Graph, inputs: Value, trees: TreeEnsemble): Value {
  expect(
    !trees.zeroIsMissing?.some((isMissing) => isMissing === 1),
    'trees to whom a zero is missing cannot be written as ONNX',
  );
  const { splits, leaves, roots } = separate(trees);
  const numbers = (values: readonly number[]) => ({
    tensor: {
      shape: [values.length],
      values: trees.roundsInputs ? Float32Array.from(values) : Float64Array.from(values),
    },
  });
  const ints = (values: readonly number[]) => ({ ints: values });
  const members = splits.flatMap(({ categories }) => (categories === null ? [] : [...categories, Number.NaN]));
  const [sum] = graph.node('TreeEnsemble', [inputs], {
    aggregate_function: { int: SUM },
    post_transform: { int: NO_TRANSFORM },
    n_targets: { int: 1 },
    tree_roots: ints(roots),
    nodes_featureids: ints(splits.map(({ feature }) => feature)),
    nodes_modes: {
      tensor: {
        shape: [splits.length],
        values: Uint8Array.from(splits, ({ categories }) =>
          categories === null ? MODE[trees.comparison] : MODE.member,
        ),
      },
    },
    nodes_splits: numbers(splits.map(({ threshold }) => threshold)),
    ...(members.length === 0 ? {} : { membership_values: numbers(members) }),
    nodes_missing_value_tracks_true: ints(splits.map(({ missingLeft }) => missingLeft)),
    nodes_truenodeids: ints(splits.map(({ left }) => left.at)),
    nodes_trueleafs: ints(splits.map(({ left }) => Number(left.isLeaf))),
    nodes_falsenodeids: ints(splits.map(({ right }) => right.at)),
    nodes_falseleafs: ints(splits.map(({ right }) => Number(right.isLeaf))),
    leaf_targetids: ints(leaves.map(() => 0)),
    leaf_weights: numbers(leaves),
  });
  const base: TensorValues = trees.roundsInputs ? Float32Array.of(trees.base) : Float64Array.of(trees.base);
  return graph.node('Add', [sum!, graph.constant({ shape: [1], values: base })])[0]!;
}

type Place = { at: number; isLeaf: boolean };
type Split = {
  feature: number;
  threshold: number;
  categories: Int32Array | null;
  missingLeft: number;
  left: Place;
  right: Place;
};

/** The format keeps splits and leaves in two lists. A tree of one leaf is a split with that leaf on both sides. */
function separate(trees: TreeEnsemble): { splits: Split[]; leaves: number[]; roots: number[] } {
  const { feature, treeStart } = trees;
  const place: Place[] = [];
  let splitCount = 0;
  const leaves: number[] = [];
  for (let node = 0; node < feature.length; node++) {
    if (feature[node]! >= 0) place.push({ at: splitCount++, isLeaf: false });
    else place.push({ at: leaves.push(trees.scale * trees.leaf[node]!) - 1, isLeaf: true });
  }
  const splits: Split[] = [];
  for (let node = 0; node < feature.length; node++) {
    if (feature[node]! < 0) continue;
    const [from, to] = [trees.categoryStart[node]!, trees.categoryStart[node + 1]!];
    splits.push({
      feature: feature[node]!,
      threshold: to > from ? 0 : trees.threshold[node]!,
      categories: to > from ? trees.categories.subarray(from, to) : null,
      missingLeft: trees.missingLeft[node]!,
      left: place[trees.left[node]!]!,
      right: place[trees.right[node]!]!,
    });
  }
  const roots = Array.from(treeStart.subarray(0, -1), (root) => {
    const at = place[root]!;
    if (!at.isLeaf) return at.at;
    return splits.push({ feature: 0, threshold: 0, categories: null, missingLeft: 0, left: at, right: at }) - 1;
  });
  return { splits, leaves, roots };
}
