import type { GrownNode } from './grow-tree.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

type Frame = Pick<TreeEnsemble, 'featureCount' | 'link' | 'base' | 'scale'>;

/** Lays grown trees side by side: a node, then all of its left side, then all of its right. */
export function createEnsembleBuilder() {
  const treeStart = [0];
  const feature: number[] = [];
  const threshold: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const missingLeft: number[] = [];
  const leaf: number[] = [];
  const cover: number[] = [];
  const gain: number[] = [];
  const categoryStart = [0];
  const categories: number[] = [];

  const add = (grown: GrownNode): number => {
    const node = feature.length;
    const { split } = grown;
    feature.push(split?.feature ?? -1);
    threshold.push(split?.threshold ?? 0);
    missingLeft.push(split?.missingLeft ? 1 : 0);
    gain.push(split?.gain ?? 0);
    leaf.push(grown.leaf);
    cover.push(grown.cover);
    for (const category of split?.categories ?? []) categories.push(category);
    categoryStart.push(categories.length);
    left.push(node);
    right.push(node);
    if (split !== null) {
      left[node] = add(split.left);
      right[node] = add(split.right);
    }
    return node;
  };

  return {
    addTree(root: GrownNode): void {
      add(root);
      treeStart.push(feature.length);
    },
    /** The first `treeCount` trees. */
    finish(frame: Frame, treeCount: number): TreeEnsemble {
      const nodeCount = treeStart[treeCount]!;
      return {
        ...frame,
        comparison: 'less',
        roundsInputs: false,
        treeStart: Int32Array.from(treeStart.slice(0, treeCount + 1)),
        feature: Int32Array.from(feature.slice(0, nodeCount)),
        threshold: Float64Array.from(threshold.slice(0, nodeCount)),
        left: Int32Array.from(left.slice(0, nodeCount)),
        right: Int32Array.from(right.slice(0, nodeCount)),
        missingLeft: Uint8Array.from(missingLeft.slice(0, nodeCount)),
        leaf: Float64Array.from(leaf.slice(0, nodeCount)),
        cover: Float64Array.from(cover.slice(0, nodeCount)),
        gain: Float64Array.from(gain.slice(0, nodeCount)),
        categoryStart: Int32Array.from(categoryStart.slice(0, nodeCount + 1)),
        categories: Int32Array.from(categories.slice(0, categoryStart[nodeCount]!)),
      };
    },
  };
}
