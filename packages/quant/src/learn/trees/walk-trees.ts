import { checkInputs, type Inputs, lastStep } from '../examples.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

/** LightGBM's: what is nearer to zero than this is zero. */
const ZERO_WIDTH = 1e-35;

/** Whether a value goes left at an inner node: the rule of `TreeEnsemble`, plain. */
export function goesLeft(trees: TreeEnsemble, node: number, raw: number): boolean {
  const value = trees.roundsInputs ? Math.fround(raw) : raw;
  if (Number.isNaN(value)) return trees.missingLeft[node] === 1;
  if (trees.zeroIsMissing?.[node] === 1 && Math.abs(value) <= ZERO_WIDTH) return trees.missingLeft[node] === 1;
  const start = trees.categoryStart[node]!;
  const end = trees.categoryStart[node + 1]!;
  if (end > start) return value >= 0 && trees.categories.subarray(start, end).includes(Math.trunc(value));
  return trees.comparison === 'less' ? value < trees.threshold[node]! : value <= trees.threshold[node]!;
}

/**
 * Margin of every row, before the link: trees one after the other, the plain way that faster ones are held against.
 *
 * @param inputs Of a window, the last day is read.
 * @throws RangeError if the features are not as many as the trees were made for.
 */
export function treeMargins(trees: TreeEnsemble, inputs: Inputs): Float64Array {
  checkInputs(inputs);
  if (inputs.featureCount !== trees.featureCount)
    throw new RangeError(`inputs must have ${trees.featureCount} features, had ${inputs.featureCount}`);
  const { rowCount, featureCount, values } = lastStep(inputs);
  const treeCount = trees.treeStart.length - 1;
  return Float64Array.from({ length: rowCount }, (_, row) => {
    let sum = 0;
    for (let tree = 0; tree < treeCount; tree++) {
      let node = trees.treeStart[tree]!;
      while (trees.feature[node]! >= 0) {
        const left = goesLeft(trees, node, values[row * featureCount + trees.feature[node]!]!);
        node = left ? trees.left[node]! : trees.right[node]!;
      }
      sum += trees.leaf[node]!;
    }
    return trees.base + trees.scale * sum;
  });
}
