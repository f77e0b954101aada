import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { createRandom, type Random } from '../../../random/random.ts';
import type { Inputs } from '../../examples.ts';
import { randomTrees } from '../random-trees.ts';
import type { TreeEnsemble } from '../tree-ensemble.ts';
import { loadTreeModel, treeModel } from '../tree-model.ts';
import { treeMargins } from '../walk-trees.ts';
import { exportLightgbm } from './export-lightgbm.ts';
import { exportXgboost } from './export-xgboost.ts';
import { importLightgbm } from './import-lightgbm.ts';
import { importXgboost } from './import-xgboost.ts';

type Told = { name: string; model: string; answers: number[]; margins: number[] };
type Golden = { inputs: (number | null)[][]; xgboost: Told[]; lightgbm: Told[] };

const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../golden/tree-formats.json'), 'utf8'),
);
const inputs: Inputs = tableOf(golden.inputs.map((row) => row.map((value) => value ?? Number.NaN)));

function tableOf(rows: number[][]): Inputs {
  return { rowCount: rows.length, stepCount: 1, featureCount: rows[0]!.length, values: Float64Array.from(rows.flat()) };
}

function answersOf(trees: TreeEnsemble, asked: Inputs): Float64Array {
  const margins = treeMargins(trees, asked);
  return trees.link === 'logistic' ? margins.map((margin) => 1 / (1 + Math.exp(-margin))) : margins;
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, label: string): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance * Math.max(1, Math.abs(expected[i]!)),
      `${label}, row ${i}: ${actual[i]} is not ${expected[i]}`,
    );
}

/** Rows with missing values, zeros, thresholds themselves and categories never seen. */
function oddRows(random: Random, trees: TreeEnsemble, rowCount: number): Inputs {
  const thresholds = trees.threshold.filter((_, node) => trees.feature[node]! >= 0);
  const values = Float64Array.from({ length: rowCount * trees.featureCount }, (_, k) => {
    const kind = random.integer(8);
    if (kind === 0) return Number.NaN;
    if (kind === 1) return 0;
    if (k % trees.featureCount === trees.featureCount - 1 && trees.categories.length > 0) return random.integer(45) - 2;
    if (kind === 2 && thresholds.length > 0) return thresholds[random.integer(thresholds.length)]!;
    return random.normal();
  });
  return { rowCount, stepCount: 1, featureCount: trees.featureCount, values };
}

test('models of XGBoost answer as XGBoost does, to float32', () => {
  assert.equal(golden.xgboost.length, 4);
  for (const { name, model, answers, margins } of golden.xgboost) {
    const { trees, featureNames } = importXgboost(model);
    assertNear(treeMargins(trees, inputs), margins, 4e-7, name);
    assertNear(answersOf(trees, inputs), answers, 4e-7, name);
    assert.deepEqual(featureNames, ['ret5', 'vol21', 'gap', 'flow', 'sector']);
  }
  assert.deepEqual(
    golden.xgboost.map(({ model }) => importXgboost(model).goal),
    ['binary', 'regression', 'quantile', 'ranking'],
  );
});

test('models of LightGBM answer as LightGBM does, to 1e-12: sigmoids, forests, zeros that are missing', () => {
  assert.equal(golden.lightgbm.length, 6);
  let zeros = 0;
  for (const { name, model, answers } of golden.lightgbm) {
    const { trees } = importLightgbm(model);
    zeros += trees.zeroIsMissing?.includes(1) ? 1 : 0;
    assertNear(answersOf(trees, inputs), answers, 1e-12, name);
  }
  assert.equal(zeros, 1);
});

test('a model that was read serves, is saved and loaded like one trained here', () => {
  const all = [
    ...golden.xgboost.map((told) => ({ ...told, read: importXgboost(told.model), tolerance: 4e-7 })),
    ...golden.lightgbm.map((told) => ({ ...told, read: importLightgbm(told.model), tolerance: 1e-12 })),
  ];
  for (const { name, answers, read, tolerance } of all) {
    const learner = 'gradient_boosted_trees';
    const model = treeModel({ learner, goal: read.goal, stepCount: 1 }, read.trees);
    assertNear(model.predict(inputs), answers, tolerance, name);
    const loaded = loadTreeModel(learner, [read.goal], model.save());
    assert.deepEqual(loaded.predict(inputs), model.predict(inputs));
    assert.deepEqual(loaded.body, model.body);
  }
});

test('what is read can be written and read again: the same splits, the same answers', () => {
  for (const { model } of golden.xgboost) {
    const read = importXgboost(model);
    const again = importXgboost(exportXgboost({ ...read, quantile: 0.9 }));
    assert.deepEqual({ ...again.trees, base: 0 }, { ...read.trees, base: 0 });
    assert.ok(Math.abs(again.trees.base - read.trees.base) < 2e-7);
    assert.deepEqual(again.featureNames, read.featureNames);
  }
  for (const { model } of golden.lightgbm) {
    const read = importLightgbm(model);
    const again = importLightgbm(exportLightgbm({ ...read, quantile: 0.9 }));
    assertNear(treeMargins(again.trees, inputs), treeMargins(read.trees, inputs), 1e-14, model.slice(0, 20));
    assert.deepEqual(again.trees.cover, read.trees.cover);
  }
});

test('trees that round their inputs are the same trees in the text of LightGBM, for every float64', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = createRandom(seed);
      const shape = { treeCount: 3, featureCount: 4, depthMax: 4, hasCategories: true };
      const trees = randomTrees(random, { ...shape, comparison: 'less', roundsInputs: true });
      const read = importLightgbm(exportLightgbm({ trees, goal: 'regression', featureNames: null })).trees;
      assert.equal(read.roundsInputs, false);
      const rows = oddRows(random, trees, 50);
      // Half-way between two float32, where rounding decides.
      const split = trees.feature.findIndex((feature) => feature >= 0 && feature < 3);
      if (split >= 0) {
        const threshold = trees.threshold[split]!;
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(threshold))) - 24);
        [-2, -1, 0, 1, 2].forEach((step, row) => {
          rows.values[row * 4 + trees.feature[split]!] = threshold + step * unit;
        });
      }
      assertNear(treeMargins(read, rows), treeMargins(trees, rows), 1e-13, String(seed));
    }),
    { numRuns: 30 },
  );
});

test('trees over float64 are the same trees in the JSON of XGBoost, for inputs that float32 holds', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom('less', 'less_or_equal'), (seed, comparison) => {
      const random = createRandom(seed);
      const shape = { treeCount: 3, featureCount: 4, depthMax: 4, hasCategories: true };
      const trees = randomTrees(random, { ...shape, comparison, link: 'logistic' });
      const read = importXgboost(exportXgboost({ trees, goal: 'binary', featureNames: null })).trees;
      const rows = oddRows(random, trees, 50);
      const single = { ...rows, values: rows.values.map(Math.fround) };
      assertNear(treeMargins(read, single), treeMargins(trees, single), 1e-6, String(seed));
    }),
    { numRuns: 30 },
  );
});

test('a base no float32 probability holds becomes a tree of one leaf', () => {
  const trees = { ...randomTrees(createRandom(1), { treeCount: 1, featureCount: 2, depthMax: 2 }), base: 40 };
  const written = exportXgboost({ trees: { ...trees, link: 'logistic' }, goal: 'binary', featureNames: null });
  const read = importXgboost(written).trees;
  assert.equal(read.treeStart.length - 1, 2);
  const rows = oddRows(createRandom(2), trees, 5);
  assertNear(treeMargins(read, rows), treeMargins(trees, rows), 1e-6, 'base');
});

test('nodes that were pruned away are left out', () => {
  const model = JSON.parse(golden.xgboost[0]!.model);
  const tree = model.learner.gradient_booster.model.trees[0];
  const inner = tree.left_children.findLastIndex((child: number) => child !== -1);
  const dropped = [tree.left_children[inner], tree.right_children[inner]];
  [tree.left_children[inner], tree.right_children[inner]] = [-1, -1];
  for (const node of dropped) tree.split_indices[node] = 2147483647;
  tree.split_conditions[inner] = 0.25;
  const pruned = importXgboost(JSON.stringify(model)).trees;
  const whole = importXgboost(golden.xgboost[0]!.model).trees;
  assert.equal(pruned.feature.length, whole.feature.length - 2);
});

test('what is not supported is refused by its name', () => {
  const change = (edit: (learner: Record<string, Record<string, unknown>>) => void) => {
    const model = JSON.parse(golden.xgboost[0]!.model);
    edit(model.learner);
    return () => importXgboost(JSON.stringify(model));
  };
  const refuse = (edit: Parameters<typeof change>[0], pattern: RegExp) =>
    assert.throws(change(edit), (error) => error instanceof RangeError && pattern.test(error.message));
  refuse((learner) => Object.assign(learner.objective!, { name: 'count:poisson' }), /objective count:poisson/);
  refuse((learner) => Object.assign(learner.objective!, { name: 'constructor' }), /objective constructor/);
  refuse((learner) => Object.assign(learner.gradient_booster!, { name: 'dart' }), /booster dart/);
  refuse((learner) => Object.assign(learner.learner_model_param!, { num_class: '3' }), /several classes \(num_class\)/);
  refuse((learner) => Object.assign(learner.learner_model_param!, { num_target: '2' }), /several targets/);
  const text = golden.lightgbm[0]!.model;
  assert.throws(() => importLightgbm(text.replace('objective=binary', 'objective=poisson')), /objective poisson/);
  assert.throws(() => importLightgbm(text.replace('num_class=1', 'num_class=3')), /several classes/);
  assert.throws(() => importLightgbm(text.replace('is_linear=0', 'is_linear=1')), /Tree=0: linear leaves/);
  assert.throws(() => importLightgbm(text.replace('binary sigmoid:2', 'regression sqrt')), /reg_sqrt/);
});

test('what a format cannot hold is refused when it is written', () => {
  const trees = randomTrees(createRandom(4), { treeCount: 2, featureCount: 2, depthMax: 3, hasCategories: true });
  const model = { trees, goal: 'regression', featureNames: null } as const;
  const node = trees.feature.findIndex((_, n) => trees.categoryStart[n + 1]! > trees.categoryStart[n]!);
  const zeros = { ...trees, zeroIsMissing: Uint8Array.from(trees.feature, () => 1) };
  assert.throws(() => exportXgboost({ ...model, trees: zeros }), /zeroIsMissing/);
  const withSet = { ...trees, missingLeft: trees.missingLeft.map((flag, n) => (n === node ? 1 : flag)) };
  assert.throws(() => exportLightgbm({ ...model, trees: withSet }), new RegExp(`missingLeft of node ${node}`));
  assert.doesNotThrow(() => exportXgboost({ ...model, trees: withSet }));
  assert.throws(() => exportXgboost({ ...model, goal: 'binary' }), /link logistic only, was identity/);
  assert.throws(() => exportLightgbm({ ...model, goal: 'binary' }), /link logistic only, was identity/);
  assert.throws(() => exportXgboost({ ...model, goal: 'quantile' }), /quantile must be between 0 and 1/);
  assert.throws(() => exportLightgbm({ ...model, featureNames: ['a b', 'c'] }), /feature name .* "a b"/);
  assert.throws(() => exportLightgbm({ ...model, featureNames: ['a'] }), /featureNames must be 2, were 1/);
});

test('a broken XGBoost file is refused with the field that is broken', () => {
  const tree = 'model.learner.gradient_booster.model.trees[1]';
  const cases: [path: string[], value: unknown, message: string][] = [
    [['learner_model_param', 'base_score'], '[]', 'base_score must be one number'],
    [['learner_model_param', 'base_score'], '[5E-1,4E-1]', 'base_score must be one number'],
    [['learner_model_param', 'base_score'], '1.5', 'base_score must be a probability'],
    [['learner_model_param', 'num_feature'], '-1', 'num_feature must be a whole number'],
    [['learner_model_param', 'num_feature'], '1', 'feature must be in 0..0'],
    [['feature_names'], ['a'], 'feature_names must be 5'],
    [['gradient_booster', 'model', 'gbtree_model_param', 'num_trees'], '9', 'trees must be 9 (num_trees), were 4'],
    [['gradient_booster', 'model', 'trees', '1', 'left_children'], [1], `${tree}.left_children must be`],
    [['gradient_booster', 'model', 'trees', '1', 'left_children', '0'], 1e9, `${tree}.left_children[0]`],
    [['gradient_booster', 'model', 'trees', '1', 'left_children', '0'], 0, `${tree}: a child of node 0`],
    [['gradient_booster', 'model', 'trees', '1', 'right_children', '0'], 1, `${tree}: node 1 must be reached once`],
    [
      ['gradient_booster', 'model', 'trees', '1', 'split_conditions', '0'],
      null,
      `${tree}.split_conditions[0] must be a finite`,
    ],
    [
      ['gradient_booster', 'model', 'trees', '1', 'split_indices', '0'],
      0.5,
      `${tree}.split_indices[0] must be a feature`,
    ],
    [['gradient_booster', 'model', 'trees', '1', 'sum_hessian', '0'], -1, `${tree}, node 0: cover must be`],
    [['gradient_booster', 'model', 'trees', '1', 'split_type', '0'], 7, `${tree}.split_type[0]`],
    [['gradient_booster', 'model', 'trees', '1', 'categories_nodes'], [], `${tree}.categories_`],
    [['gradient_booster', 'model', 'trees', '1', 'categories_sizes', '0'], 1e6, `${tree}.categories_sizes[0]`],
    [['gradient_booster', 'model', 'trees', '1', 'tree_param'], 3, `${tree}.tree_param must be an object`],
  ];
  for (const [path, value, message] of cases) {
    const model = JSON.parse(golden.xgboost[0]!.model);
    let at = model.learner;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path.at(-1)!] = value;
    assert.throws(
      () => importXgboost(JSON.stringify(model)),
      (error) => error instanceof RangeError && error.message.includes(message),
      `${path.join('.')} = ${JSON.stringify(value)} must say ${message}`,
    );
  }
  assert.throws(
    () => importXgboost('{'),
    (error) => error instanceof RangeError && /model must be JSON/.test(error.message),
  );
  assert.throws(() => importXgboost('[]'), /model must be an object/);
});

test('a broken LightGBM file is refused with the field that is broken', () => {
  const cases: [from: RegExp, to: string, message: RegExp][] = [
    [/^tree/, 'three', /must begin with the line "tree"/],
    [/end of trees/, '', /cut off/],
    [/max_feature_idx=4/, 'max_feature_idx=9', /feature_names must be 10/],
    [/tree_sizes=\d+/, 'tree_sizes=', /tree_sizes must be one for each of 4 trees, were 3/],
    [/Tree=1/, 'Tree=5', /Tree must be 1, was 5/],
    [/num_leaves=7/, 'num_leaves=8', /Tree=0: leaf_value must be 8 numbers, were 7/],
    [/num_leaves=7/, 'num_leaves=0x7', /num_leaves\[0\] must be a finite number, was 0x7/],
    [/split_feature=\d/, 'split_feature=99', /Tree=0, node 0: feature must be in 0..4, was 99/],
    [/left_child=[^ ]+/, 'left_child=0', /a child of node 0 must be in 1\.\./],
    [/left_child=[^ ]+/, 'left_child=77', /left_child\[0\] must be a whole number in -7\.\.5, was 77/],
    [/decision_type=\d/, 'decision_type=14', /decision_type\[0\] must tell a missing type/],
    [/leaf_value=[^ ]+/, 'leaf_value=nan', /leaf_value\[0\] must be a finite number, was nan/],
    [/threshold=[^ ]+/, 'threshold=', /threshold must be 6 numbers, were 5/],
    [/num_cat=\d/, 'num_cat=0', /num_cat must count node/],
    [/num_cat=\d/, 'num_cat=9', /cat_boundaries must be 10/],
    [/cat_threshold=\d+/, 'cat_threshold=4294967296', /cat_threshold\[0\] must be 32 bits/],
    [/cat_boundaries=0/, 'cat_boundaries=99', /cat_boundaries\[0\] must be a whole number/],
    [/leaf_count=/, 'leaf_value=', /leaf_value must appear once/],
  ];
  for (const [from, to, message] of cases) {
    const broken = golden.lightgbm[0]!.model.replace(from, to);
    assert.notEqual(broken, golden.lightgbm[0]!.model);
    assert.throws(
      () => importLightgbm(broken),
      (error) => error instanceof RangeError && message.test(error.message),
      `${from} -> ${to} must say ${message}`,
    );
  }
});

test('a chain of splits made to hurt is refused', () => {
  const inner = 600;
  const list = (value: (i: number) => number, count = inner) =>
    Array.from({ length: count }, (_, i) => value(i)).join(' ');
  const tree = [
    `num_leaves=${inner + 1}`,
    `split_feature=${list(() => 0)}`,
    `threshold=${list((i) => i)}`,
    `decision_type=${list(() => 2)}`,
    `left_child=${list((i) => ~i)}`,
    `right_child=${list((i) => (i === inner - 1 ? ~inner : i + 1))}`,
    `leaf_value=${list(() => 1, inner + 1)}`,
  ].join('\n');
  const head = golden.lightgbm[0]!.model.split('Tree=0')[0]!.replace(/tree_sizes=.*/, 'tree_sizes=1');
  assert.throws(
    () => importLightgbm(`${head}Tree=0\n${tree}\n\nend of trees\n`),
    /Tree=0 must be at most 512 splits deep/,
  );
});

test('whatever is broken, nothing but a RangeError comes of it', () => {
  const xgboost = golden.xgboost[2]!.model;
  const lightgbm = golden.lightgbm[0]!.model;
  const onlyRangeErrors = (read: (text: string) => unknown, text: string) => {
    try {
      read(text);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  };
  fc.assert(
    fc.property(fc.nat(), fc.nat(60), fc.string({ maxLength: 6 }), (seed, length, put) => {
      for (const [read, text] of [[importXgboost, xgboost] as const, [importLightgbm, lightgbm] as const]) {
        const at = seed % text.length;
        onlyRangeErrors(read, text.slice(0, at) + put + text.slice(at + length));
      }
    }),
    { numRuns: 300 },
  );
});

const BLOCK = 512;

/** Texts of the archive by file name; null where the data folder is absent. */
function readArchive(): Map<string, string> | null {
  const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../../../shared/data');
  const archive = join(folder, 'golden/gbm_leaves_dev.tar.gz');
  if (!existsSync(archive)) return null;
  const bytes = gunzipSync(readFileSync(archive));
  const files = new Map<string, string>();
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const textAt = (start: number, length: number) =>
      bytes.toString('utf8', at + start, at + start + length).split('\0')[0]!;
    const size = Number.parseInt(textAt(124, 12), 8);
    files.set(textAt(0, 100).split('/').at(-1)!, bytes.toString('utf8', at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function numbersOf(text: string): number[][] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
}

test('trees that LightGBM trained on the breast cancer data reach the leaves it tells', (t) => {
  const files = readArchive();
  if (files === null) return t.skip('gbm_leaves_dev.tar.gz is not in the data folder (TOUCHSTONE_DATA)');
  const text = files.get('lg_breast_cancer.txt')!;
  const rows = numbersOf(files.get('lg_breast_cancer_data.txt')!);
  const leaves = numbersOf(files.get('lg_breast_cancer_data_pred_leaves.txt')!);
  const leafValues = [...text.matchAll(/^leaf_value=(.*)$/gm)].map(([, line]) => line!.split(' ').map(Number));
  const expected = leaves.map((row) => row.reduce((sum, leaf, tree) => sum + leafValues[tree]![leaf]!, 0));
  const { trees, goal } = importLightgbm(text);
  assert.equal(goal, 'binary');
  assertNear(treeMargins(trees, tableOf(rows)), expected, 1e-12, 'breast cancer');
});

test('an averaged forest of a version 2 file answers the probabilities its leaves hold', (t) => {
  const files = readArchive();
  if (files === null) return t.skip('gbm_leaves_dev.tar.gz is not in the data folder (TOUCHSTONE_DATA)');
  const rows = files
    .get('iris_test.libsvm')!
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split(' ')
        .slice(1)
        .map((pair) => Number(pair.split(':')[1])),
    );
  const { trees } = importLightgbm(files.get('lg_rf_iris.model')!);
  const expected = numbersOf(files.get('lg_rf_iris_true_predictions.txt')!).flat();
  assertNear(answersOf(trees, tableOf(rows)), expected, 1e-12, 'iris');
  assert.equal(importLightgbm(files.get('model_simple.txt')!).trees.categories.join(), '100,100');
  assert.throws(() => importXgboost(files.get('xgagaricus.model')!), /model must be JSON/);
});
