import { expect } from '../../checks/expect.ts';
import { createRandom, type Random } from '../../random/random.ts';
import { checkExamples } from '../check-examples.ts';
import { type Examples, lastStep, takeExamples } from '../examples.ts';
import type { Goal, Learner, Watch } from '../learner.ts';
import { type BinnedColumn, binColumns } from './bin-columns.ts';
import { checkBoostedSettings } from './check-tree-settings.ts';
import { createEnsembleBuilder } from './ensemble-builder.ts';
import { chooseColumns } from './find-split.ts';
import { drawSome, type Ground, type GrownNode, growTree, leavesOf } from './grow-tree.ts';
import { logLoss, lossOf, type Objective, pinballLoss, rankingLoss, squaredLoss } from './objectives.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import type { TreeKernels } from './tree-kernels.ts';
import { loadTreeModel, treeModel } from './tree-model.ts';
import { createTreeKernels } from './twin-tree-kernels.ts';

export type BoostedTreesSettings = {
  /** 1..10,000. Fewer where validation stops earlier. */
  treeCount: number;
  /** Share of each tree that is taken, in (0, 1]. */
  learningRate: number;
  /** Splits above a leaf, 1..30. */
  maxDepth: number;
  /** Bins of a column, 2..256. */
  binCountMax: number;
  /** Least sum of hessians of a child (rows, for squared errors), >= 0. */
  minChildWeight: number;
  /** Penalties on absolute and squared leaf values, >= 0. */
  l1: number;
  l2: number;
  /** A last split is taken back if twice the loss falls by less, >= 0. */
  gamma: number;
  /** Share of rows each tree learns from, drawn anew, in (0, 1]. */
  rowShare: number;
  /** Share of columns each tree looks at, drawn anew, in (0, 1]. */
  columnShare: number;
  /** Columns whose values are categories: whole numbers from 0 on, at most 255 of them. */
  categorical: readonly number[];
  /** One a feature: 1 the answer never falls as the value rises, −1 it never rises, 0 either. Empty: nowhere. */
  monotone: readonly number[];
  /** Which quantile, in (0, 1); for the goal quantile. */
  quantile: number;
  /** Places of a group that count; for the goal ranking. */
  rankTruncation: number;
  /** The last share of the rows (of the groups, for ranking) that is not learned from but watched, in [0, 1). 0: none. */
  validationShare: number;
  /** Stops after so many trees without a lower loss on the watched rows, and keeps the trees up to the lowest. */
  patience: number;
};

type Job = {
  examples: Examples;
  goal: Goal;
  settings: BoostedTreesSettings;
  random: Random;
  watch?: Watch | undefined;
};

/**
 * Gradient boosting of regression trees over histograms: each tree takes a Newton step of the loss. Trees grow level by level, missing
 * values go where the loss falls more, categories are parted by subsets. Rows must stand in the order of time where
 * `validationShare` is used. Time O(trees · depth · rows · columns).
 *
 * The order of rows does not matter, except where rows are drawn or watched, for equal margins in a ranking, and for the goal quantile with
 * weights: gradients lie on a grid on which sums are exact.
 *
 * @see Friedman 2001, doi:10.1214/aos/1013203451; Chen and Guestrin 2016, doi:10.1145/2939672.2939785.
 */
export const gradientBoostedTrees: Learner<BoostedTreesSettings> = {
  name: 'gradient_boosted_trees',
  goals: ['binary', 'regression', 'quantile', 'ranking'],
  reads: 'table',
  missing: 'taken',
  defaults: {
    ...{ treeCount: 100, learningRate: 0.1, maxDepth: 6, binCountMax: 256, minChildWeight: 1, l1: 0, l2: 1, gamma: 0 },
    ...{ rowShare: 1, columnShare: 1, categorical: [], monotone: [], quantile: 0.5, rankTruncation: 30 },
    ...{ validationShare: 0, patience: 20 },
  },
  fit(examples, goal, settings, seed, watch) {
    checkExamples(gradientBoostedTrees, examples, goal);
    checkBoostedSettings(settings, examples.inputs.featureCount, goal);
    const table = { ...examples, inputs: lastStep(examples.inputs) };
    const trees = boost({ examples: table, goal, settings, random: createRandom(seed), watch });
    return treeModel({ learner: gradientBoostedTrees.name, goal, stepCount: examples.inputs.stepCount }, trees);
  },
  load: (bytes) => loadTreeModel(gradientBoostedTrees.name, gradientBoostedTrees.goals, bytes),
};

/** Boosts with given kernels; both twins give the same bits. */
export function boost(
  { examples, goal, settings, random, watch }: Job,
  createKernels: typeof createTreeKernels = createTreeKernels,
): TreeEnsemble {
  const { learned, watched } = holdBack(examples, goal, settings.validationShare);
  const { rowCount, featureCount } = learned.inputs;
  const kernels = createKernels({ rowCount, columnCount: featureCount, histogramCount: settings.maxDepth + 1 });
  const binned = binColumns(kernels, learned.inputs, new Set(settings.categorical), settings.binCountMax);
  const { room } = kernels;
  room.target.set(learned.target);
  if (learned.weight === null) room.weight.fill(1);
  else room.weight.set(learned.weight);
  const objective = objectiveOf(kernels, learned, goal, settings);
  room.margins.fill(objective.base);
  const ground = {
    ...{ kernels, binned, rowCount, settings: { ...settings, leafScale: settings.learningRate } },
    monotone: settings.monotone.some((direction) => direction !== 0) ? Int8Array.from(settings.monotone) : null,
  };
  const drawColumns = createColumnDraw(kernels, binned, rowCount, settings.columnShare);
  const stop = createStop(watched, objective.base, goal, settings);
  const builder = createEnsembleBuilder();
  for (let tree = 0; tree < settings.treeCount && !stop.isDue(); tree++) {
    objective.fillPairs();
    const draw = random.split(`tree/${tree}`);
    const columns = drawColumns(draw, ground.monotone !== null);
    const sampleCount = drawRows(room.rows, settings.rowShare, draw);
    const root = growTree(ground, {
      sampleCount,
      heldCount: rowCount,
      columns,
      drawColumns: null,
      refit: objective.refit,
    });
    addLeaves(ground, root);
    builder.addTree(root);
    stop.see(root);
    watch?.(tree + 1, settings.treeCount);
  }
  const frame = { featureCount, link: objective.link, base: objective.base, scale: 1 };
  return builder.finish(frame, stop.treeCount());
}

function objectiveOf(kernels: TreeKernels, examples: Examples, goal: Goal, settings: BoostedTreesSettings): Objective {
  if (goal === 'binary') return logLoss(kernels, examples.inputs.rowCount);
  if (goal === 'regression') return squaredLoss(kernels);
  if (goal === 'quantile') return pinballLoss(kernels, settings.quantile);
  return rankingLoss(kernels, examples.group!, settings.rankTruncation);
}

/** The last rows, or the groups that start among them, are kept for watching. */
function holdBack(examples: Examples, goal: Goal, share: number): { learned: Examples; watched: Examples | null } {
  if (share === 0) return { learned: examples, watched: null };
  const { rowCount } = examples.inputs;
  const cut = rowCount - Math.ceil(share * rowCount);
  const { group } = examples;
  const isEarly = new Uint8Array(rowCount);
  const firstOf = new Map<number, number>();
  for (let row = 0; row < rowCount; row++) {
    const name = goal === 'ranking' ? group![row]! : row;
    if (!firstOf.has(name)) firstOf.set(name, row);
    isEarly[row] = firstOf.get(name)! < cut ? 1 : 0;
  }
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const early = rows.filter((row) => isEarly[row] === 1);
  expect(
    early.length > 0 && early.length < rowCount,
    `validationShare ${share} of ${rowCount} rows leaves nothing to learn from, or nothing to watch`,
  );
  const watched = takeExamples(
    examples,
    rows.filter((row) => isEarly[row] === 0),
  );
  return { learned: takeExamples(examples, early), watched };
}

/** Draws columns for a tree and lays their bins out by rows; all columns are laid out once. */
function createColumnDraw(kernels: TreeKernels, binned: readonly BinnedColumn[], rowCount: number, share: number) {
  const all = Int32Array.from(binned, (_, column) => column);
  const count = Math.max(1, Math.round(share * all.length));
  let isLaidOut = false;
  return (random: Random, isMonotone: boolean): Int32Array => {
    const columns = count === all.length ? all : drawSome(all, count, random);
    if (!isLaidOut || columns !== all) {
      chooseColumns(kernels, binned, columns, isMonotone);
      kernels.layRows(rowCount, columns.length);
      isLaidOut = true;
    }
    return columns;
  };
}

/** Puts drawn rows first, in order, and the others behind. Returns how many were drawn: at least one. */
function drawRows(rows: Int32Array, share: number, random: Random): number {
  const count = rows.length;
  if (share === 1) {
    for (let row = 0; row < count; row++) rows[row] = row;
    return count;
  }
  const wanted = Math.max(1, Math.round(share * count));
  let [drawn, left] = [0, wanted];
  // Each row in turn is taken with the share that is still wanted of those still to come: so many exactly, evenly.
  for (let row = 0; row < count; row++) {
    if (random.uniform() * (count - row) < wanted - drawn) rows[drawn++] = row;
    else rows[left++] = row;
  }
  return drawn;
}

function addLeaves({ kernels }: Ground, root: GrownNode): void {
  for (const { start, end, outStart, outEnd, leaf } of leavesOf(root)) {
    kernels.addToRows(start, end, leaf);
    kernels.addToRows(outStart, outEnd, leaf);
  }
}

/** Watches the rows held back. Without them it never stops. */
function createStop(watched: Examples | null, base: number, goal: Goal, settings: BoostedTreesSettings) {
  const margins = new Float64Array(watched?.inputs.rowCount ?? 0).fill(base);
  let count = 0;
  let best = { loss: watched === null ? 0 : lossOf(watched, margins, goal, settings), treeCount: 0 };
  return {
    see(root: GrownNode): void {
      count += 1;
      if (watched === null) return;
      const { values, featureCount } = watched.inputs;
      for (let row = 0; row < margins.length; row++) margins[row]! += leafFor(root, values, row * featureCount);
      const loss = lossOf(watched, margins, goal, settings);
      if (loss < best.loss) best = { loss, treeCount: count };
    },
    isDue: (): boolean => watched !== null && count - best.treeCount >= settings.patience,
    treeCount: (): number => (watched === null ? count : best.treeCount),
  };
}

function leafFor(root: GrownNode, values: Float64Array, from: number): number {
  let node = root;
  while (node.split !== null) {
    const { feature, threshold, categories, missingLeft, left, right } = node.split;
    const value = values[from + feature]!;
    const isLeft = categories === null ? value < threshold : categories.includes(value);
    node = (Number.isNaN(value) ? missingLeft : isLeft) ? left : right;
  }
  return node.leaf;
}
