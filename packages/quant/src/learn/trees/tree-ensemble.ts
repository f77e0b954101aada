import type { Link } from '../learner.ts';

/**
 * Decision trees whose leaves are added up: margin = base + scale · Σ leaf. Nodes of all trees lie one after the other.
 *
 * At a node the value goes left if `value < threshold` (`comparison: 'less'`, XGBoost) or `value <= threshold`
 * (`'less_or_equal'`, LightGBM); a missing value goes where `missingLeft` says. A node with `categoryStart[n + 1] >
 * categoryStart[n]` splits a category instead: left if the value, its fraction cut off, is one of its `categories`.
 * `walk-trees.ts` is this rule as code.
 */
export type TreeEnsemble = {
  featureCount: number;
  link: Link;
  base: number;
  /** 1 for boosted trees, 1 / trees for a forest. */
  scale: number;
  comparison: 'less' | 'less_or_equal';
  /** Values are rounded to float32 before they are compared, as in XGBoost. */
  roundsInputs: boolean;
  /** First node (the root) of every tree, and the node count at the end: trees + 1. */
  treeStart: Int32Array;
  /** One a node: feature it splits by; −1 for a leaf. */
  feature: Int32Array;
  threshold: Float64Array;
  /** Node numbers over the whole ensemble; of a leaf: itself. */
  left: Int32Array;
  right: Int32Array;
  missingLeft: Uint8Array;
  /** One a node: 1 where a value within 1e-35 of zero counts as missing, as LightGBM may be told; absent: nowhere. */
  zeroIsMissing?: Uint8Array;
  /** What a leaf adds; of an inner node: the leaf it would have been, or NaN. */
  leaf: Float64Array;
  /** Sum of weights (hessians) of the training rows that came here: what TreeSHAP needs. */
  cover: Float64Array;
  /** Loss reduction of the split; 0 for a leaf. */
  gain: Float64Array;
  /** Nodes + 1: where the categories of a node lie in `categories`. */
  categoryStart: Int32Array;
  categories: Int32Array;
};
