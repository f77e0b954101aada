import { growIsolationForest, type IsolationSettings, usualDepth } from '../../anomaly/isolation-forest.ts';
import { expect } from '../../checks/expect.ts';
import { createRandom } from '../../random/random.ts';
import { readArtefact, writeArtefact } from '../artefact.ts';
import { checkInputs, type Inputs, lastStep } from '../examples.ts';
import { predictMargin } from './predict-trees.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import { joinEnsemble, splitEnsemble } from './tree-model.ts';

/** Learns without a target, so it is no `Learner`. */
export type FittedIsolationForest = {
  featureCount: number;
  /** Its margin is the mean depth at which a row stands alone. */
  trees: TreeEnsemble;
  /** Oddness, one a row, 0..1: about 0.5 is usual, near 1 is alone. NaN for a row with a missing value. */
  score(inputs: Inputs): Float64Array;
  /** An artefact (`artefact.ts`). */
  save(): Uint8Array;
};

const KIND = 'isolation_forest/1';

/**
 * The isolation forest of `anomaly/isolation-forest.ts` as trees that can be saved and explained: a leaf adds the depth it stands for. Of
 * windows the last day is read.
 *
 * @throws RangeError without two rows, or when a value is not finite.
 * @see Liu, Ting and Zhou 2008, doi:10.1109/ICDM.2008.17
 */
export function fitIsolationForest(
  inputs: Inputs,
  settings: Partial<IsolationSettings>,
  seed: number,
): FittedIsolationForest {
  checkInputs(inputs);
  const { values, featureCount } = lastStep(inputs);
  const forest = growIsolationForest(values, featureCount, createRandom(seed), settings);
  return isolationModel(layOutForest(forest), usualDepth(forest.sampleCount));
}

/** @throws RangeError for bytes that `save` did not write. */
export function loadIsolationForest(bytes: Uint8Array): FittedIsolationForest {
  const { meta, arrays } = readArtefact(bytes, KIND);
  const usual = arrays.usual;
  expect(usual instanceof Float64Array && usual.length === 1, 'the artefact has no usual depth');
  return isolationModel(joinEnsemble(meta, arrays), usual[0]!);
}

function isolationModel(trees: TreeEnsemble, usual: number): FittedIsolationForest {
  const { featureCount } = trees;
  return {
    featureCount,
    trees,
    score(inputs) {
      const table = lastStep(inputs);
      return predictMargin(trees, table).map((depth, row) => {
        const values = table.values.subarray(row * featureCount, (row + 1) * featureCount);
        return values.some(Number.isNaN) ? Number.NaN : 2 ** (-depth / usual);
      });
    },
    save() {
      const { head, arrays } = splitEnsemble(trees);
      return writeArtefact({ kind: KIND, meta: head, arrays: { ...arrays, usual: Float64Array.of(usual) } });
    },
  };
}

type GrownForest = ReturnType<typeof growIsolationForest>;

function layOutForest({ featureCount, trees }: GrownForest): TreeEnsemble {
  const treeStart = [0];
  for (const { feature } of trees) treeStart.push(treeStart.at(-1)! + feature.length);
  const nodeCount = treeStart.at(-1)!;
  const ensemble: TreeEnsemble = {
    ...{ featureCount, link: 'identity', base: 0, scale: 1 / trees.length },
    ...{ comparison: 'less_or_equal', roundsInputs: false, treeStart: Int32Array.from(treeStart) },
    feature: new Int32Array(nodeCount),
    threshold: new Float64Array(nodeCount),
    left: new Int32Array(nodeCount),
    right: new Int32Array(nodeCount),
    missingLeft: new Uint8Array(nodeCount),
    leaf: new Float64Array(nodeCount),
    cover: new Float64Array(nodeCount),
    gain: new Float64Array(nodeCount),
    categoryStart: new Int32Array(nodeCount + 1),
    categories: new Int32Array(0),
  };
  for (const [k, tree] of trees.entries()) {
    const start = treeStart[k]!;
    const put = (node: number, depth: number): void => {
      const at = start + node;
      const isLeaf = tree.feature[node]! < 0;
      ensemble.feature[at] = tree.feature[node]!;
      ensemble.threshold[at] = tree.threshold[node]!;
      ensemble.cover[at] = tree.rowCount[node]!;
      ensemble.leaf[at] = depth + usualDepth(tree.rowCount[node]!);
      ensemble.left[at] = isLeaf ? at : start + tree.left[node]!;
      ensemble.right[at] = isLeaf ? at : start + tree.right[node]!;
      if (isLeaf) return;
      put(tree.left[node]!, depth + 1);
      put(tree.right[node]!, depth + 1);
    };
    put(0, 0);
  }
  return ensemble;
}
