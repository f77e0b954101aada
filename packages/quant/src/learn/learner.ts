import type { Examples, Inputs } from './examples.ts';
import type { ForeignBody } from './foreign/foreign-model.ts';
import type { TreeEnsemble } from './trees/tree-ensemble.ts';

/** binary: probability of 1. regression: a number. quantile: that quantile. ranking: a score, comparable in its group. */
export type Goal = 'binary' | 'regression' | 'quantile' | 'ranking';

/**
 * One way to learn. The same examples, settings and seed give the same model, to the last bit of what `save` writes, on every
 * machine; a model that was saved and loaded answers the same bits as before. `conformance.ts` holds every learner to it.
 */
export type Learner<Settings extends object> = {
  /** Standard term, as `gradient_boosted_trees`. */
  name: string;
  goals: readonly Goal[];
  /** window: reads all days of a row. table: the last day only (`lastStep`). */
  reads: 'table' | 'window';
  /** taken: a missing value is a value. refused: `fit` throws; `predict` answers NaN for that row. */
  missing: 'taken' | 'refused';
  defaults: Settings;
  /**
   * @param goal One of `goals`.
   * @throws RangeError if the examples are empty, a target is NaN, or a setting is out of its range.
   */
  fit(examples: Examples, goal: Goal, settings: Settings, seed: number, watch?: Watch): FittedModel;
  /** @throws RangeError for bytes that `save` did not write. */
  load(bytes: Uint8Array): FittedModel;
};

/** Told about the way; may throw to stop it. */
export type Watch = (done: number, total: number) => void;

export type FittedModel = {
  /** Name of its learner. */
  learner: string;
  goal: Goal;
  stepCount: number;
  featureCount: number;
  body: ModelBody;
  /** One value a row; NaN where it cannot tell. A row's answer does not depend on the other rows. */
  predict(inputs: Inputs): Float64Array;
  /** An artefact (`artefact.ts`). */
  save(): Uint8Array;
};

/** What a model is made of, for those who explain it or write it in another format. */
export type ModelBody =
  | LinearBody
  | { kind: 'trees'; trees: TreeEnsemble }
  | { kind: 'network'; network: NetworkBody }
  /** Answers through a runtime of its own: `foreign/foreign-model.ts`. */
  | { kind: 'foreign'; foreign: ForeignBody };

/** link(intercept + Σ weights · x). */
export type LinearBody = { kind: 'linear'; weights: Float64Array; intercept: number; link: Link };

/** logistic: 1 / (1 + exp(−margin)). */
export type Link = 'identity' | 'logistic';

/** Tensors, gate order and formulas: `neural/lstm-network.ts`, `neural/transformer-network.ts`. */
export type NetworkBody = {
  architecture: 'lstm' | 'transformer';
  link: Link;
  /** stepCount, featureCount, layers; lstm: hidden; transformer: width, heads, feedForward, preNorm, meanPooling (0 or 1). */
  sizes: Record<string, number>;
  /** Weights by name, row-major float32, with their shape. */
  tensors: Record<string, { shape: readonly number[]; values: Float32Array }>;
};
