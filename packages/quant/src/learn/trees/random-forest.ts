import { expect } from '../../checks/expect.ts';
import { createRandom, type Random } from '../../random/random.ts';
import { checkExamples } from '../check-examples.ts';
import { type Examples, lastStep } from '../examples.ts';
import type { Goal, Learner, Watch } from '../learner.ts';
import { binColumns } from './bin-columns.ts';
import { checkColumns, checkWhole } from './check-tree-settings.ts';
import { createEnsembleBuilder } from './ensemble-builder.ts';
import { chooseColumns } from './find-split.ts';
import { gridFor, largestOf, onGrid, orderlessSum } from './gradient-grid.ts';
import { type Ground, growTree } from './grow-tree.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import type { TreeRoom } from './tree-kernels.ts';
import { loadTreeModel, treeModel } from './tree-model.ts';
import { createTreeKernels } from './twin-tree-kernels.ts';

export type RandomForestSettings = {
  /** 1..10,000. */
  treeCount: number;
  /** Splits above a leaf, 1..30. */
  maxDepth: number;
  /** Bins of a column, 2..256. */
  binCountMax: number;
  /** Least weight of the rows of a leaf, counted as often as they were drawn; > 0. */
  minLeafWeight: number;
  /** Share of columns looked at at each split, drawn anew, in (0, 1]; null: √features for binary, a third for regression. */
  columnShare: number | null;
  /** Columns whose values are categories: whole numbers from 0 on, at most 255 of them. */
  categorical: readonly number[];
};

type Job = {
  examples: Examples;
  goal: Goal;
  settings: RandomForestSettings;
  random: Random;
  watch?: Watch | undefined;
};

/**
 * Mean of trees, each grown deep on as many rows as there are, drawn with replacement, looking at a few columns at each split. Binary: the
 * mean share of ones in the leaves, split by squared error of shares, which parts as Gini impurity does. Thresholds lie between
 * bins; missing values go where the error falls more. Time O(trees · depth · rows · columns drawn).
 *
 * @see Breiman 2001, doi:10.1023/A:1010933404324.
 */
export const randomForest: Learner<RandomForestSettings> = {
  name: 'random_forest',
  goals: ['binary', 'regression'],
  reads: 'table',
  missing: 'taken',
  defaults: { treeCount: 200, maxDepth: 16, binCountMax: 256, minLeafWeight: 1, columnShare: null, categorical: [] },
  fit(examples, goal, settings, seed, watch) {
    checkExamples(randomForest, examples, goal);
    const { minLeafWeight, columnShare, treeCount, maxDepth, binCountMax } = settings;
    checkWhole({ treeCount, maxDepth, binCountMax });
    checkColumns(settings.categorical, [], examples.inputs.featureCount);
    expect(minLeafWeight > 0, `minLeafWeight must be above 0, was ${minLeafWeight}`);
    expect(
      columnShare === null || (columnShare > 0 && columnShare <= 1),
      `columnShare must be null, or above 0 and at most 1, was ${columnShare}`,
    );
    const table = { ...examples, inputs: lastStep(examples.inputs) };
    const trees = growForest({ examples: table, goal, settings, random: createRandom(seed), watch });
    return treeModel({ learner: randomForest.name, goal, stepCount: examples.inputs.stepCount }, trees);
  },
  load: (bytes) => loadTreeModel(randomForest.name, randomForest.goals, bytes),
};

/** Grows a forest with given kernels; both twins give the same bits. */
export function growForest(
  { examples, goal, settings, random, watch }: Job,
  createKernels: typeof createTreeKernels = createTreeKernels,
): TreeEnsemble {
  const { inputs, target, weight } = examples;
  const { rowCount, featureCount } = inputs;
  const { maxDepth, minLeafWeight, treeCount } = settings;
  const columnCount = columnsPerSplit(settings.columnShare, featureCount, goal);
  const isAll = columnCount === featureCount;
  const shape = { rowCount, columnCount: featureCount, histogramCount: isAll ? maxDepth + 1 : 1 };
  const kernels = createKernels(shape);
  const { room } = kernels;
  const binned = binColumns(kernels, inputs, new Set(settings.categorical), settings.binCountMax);
  const columns = Int32Array.from(binned, (_, column) => column);
  chooseColumns(kernels, binned, columns, false);
  if (isAll) kernels.layRows(rowCount, featureCount);
  if (weight === null) room.weight.fill(1);
  else room.weight.set(weight);
  // Shares of ones lie in 0..1, so that leaves are shares; other targets are taken from their mean, which loses fewer digits.
  const base =
    goal === 'binary' ? 0 : orderlessSum(target.map((y, i) => y * room.weight[i]!)) / orderlessSum(room.weight);
  room.target.set(target.map((y) => y - base));
  const ground: Ground = {
    ...{ kernels, binned, rowCount, monotone: null },
    settings: { maxDepth, l1: 0, l2: 0, minChildWeight: minLeafWeight, gamma: 0, leafScale: 1 },
  };
  const builder = createEnsembleBuilder();
  for (let tree = 0; tree < treeCount; tree++) {
    const draw = random.split(`tree/${tree}`);
    const sampleCount = drawBootstrap(room, rowCount, draw);
    const drawColumns = isAll ? null : { count: columnCount, random: draw };
    builder.addTree(growTree(ground, { sampleCount, heldCount: sampleCount, columns, drawColumns, refit: null }));
    watch?.(tree + 1, treeCount);
  }
  return builder.finish({ featureCount, link: 'identity', base, scale: 1 / treeCount }, treeCount);
}

function columnsPerSplit(share: number | null, featureCount: number, goal: Goal): number {
  if (share !== null) return Math.max(1, Math.round(share * featureCount));
  return Math.max(1, Math.floor(goal === 'binary' ? Math.sqrt(featureCount) : featureCount / 3));
}

/** Draws rows with replacement; a row drawn twice counts twice. Returns how many different ones were drawn. */
function drawBootstrap({ rows, pairs, target, weight }: TreeRoom, rowCount: number, random: Random): number {
  const times = new Float64Array(rowCount);
  for (let k = 0; k < rowCount; k++) times[random.integer(rowCount)]! += 1;
  const counted = weight.map((each, row) => each * times[row]!);
  const heaviest = largestOf(counted);
  const gridGradient = gridFor(heaviest * largestOf(target), rowCount);
  const gridHessian = gridFor(heaviest, rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) {
    if (times[row] === 0) continue;
    rows[count++] = row;
    pairs[2 * row] = onGrid(-target[row]! * counted[row]!, gridGradient);
    pairs[2 * row + 1] = onGrid(counted[row]!, gridHessian);
  }
  return count;
}
