import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Inputs } from '../learn/examples.ts';
import { importLightgbm } from '../learn/trees/formats/import-lightgbm.ts';
import { importXgboost } from '../learn/trees/formats/import-xgboost.ts';
import { gradientBoostedTrees } from '../learn/trees/gradient-boosted-trees.ts';
import { randomTrees } from '../learn/trees/random-trees.ts';
import type { TreeEnsemble } from '../learn/trees/tree-ensemble.ts';
import { goesLeft, treeMargins } from '../learn/trees/walk-trees.ts';
import { createRandom, type Random } from '../random/random.ts';
import { bruteForceShapley } from './brute-force-shapley.ts';
import { gaussLegendre } from './gauss-legendre.ts';
import { createTreeShap } from './tree-shap.ts';

function tableOf(rows: number[][]): Inputs {
  return { rowCount: rows.length, stepCount: 1, featureCount: rows[0]!.length, values: Float64Array.from(rows.flat()) };
}

function drawRows(random: Random, rowCount: number, featureCount: number): Inputs {
  const values = Float64Array.from({ length: rowCount * featureCount }, (_, k) => {
    if (random.uniform() < 0.15) return Number.NaN;
    return k % featureCount === featureCount - 1 ? random.integer(45) - 2 : random.normal();
  });
  return { rowCount, stepCount: 1, featureCount, values };
}

/** Margin when only some features are known: both sides of the others, by cover. */
function expectedMargin(trees: TreeEnsemble, row: Float64Array, members: number): number {
  const walk = (node: number): number => {
    const feature = trees.feature[node]!;
    if (feature < 0) return trees.leaf[node]!;
    const [left, right] = [trees.left[node]!, trees.right[node]!];
    if ((members >> feature) & 1) return walk(goesLeft(trees, node, row[feature]!) ? left : right);
    const [a, b] = [trees.cover[left]!, trees.cover[right]!];
    return (a * walk(left) + b * walk(right)) / (a + b);
  };
  let sum = 0;
  for (const root of trees.treeStart.subarray(0, -1)) sum += walk(root);
  return trees.base + trees.scale * sum;
}

function residuals(trees: TreeEnsemble, inputs: Inputs): Float64Array {
  const shap = createTreeShap(trees);
  const contributions = shap.contributions(inputs);
  const { featureCount } = trees;
  return treeMargins(trees, inputs).map((margin, row) => {
    const own = contributions.subarray(row * featureCount, (row + 1) * featureCount);
    return Math.abs(own.reduce((sum, part) => sum + part, shap.base) - margin);
  });
}

test('contributions are the Shapley values of their definition: categories, missing values, a feature met again', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 7 }), (seed, features, depth) => {
      const random = createRandom(seed);
      const shape = { treeCount: 3, featureCount: features, depthMax: depth, hasCategories: features > 1 };
      const comparison = random.uniform() < 0.5 ? 'less' : 'less_or_equal';
      const trees = randomTrees(random, { ...shape, comparison, roundsInputs: random.uniform() < 0.5 });
      const inputs = drawRows(random, 2, features);
      const shap = createTreeShap(trees);
      const contributions = shap.contributions(inputs);
      for (let row = 0; row < 2; row++) {
        const values = inputs.values.subarray(row * features, (row + 1) * features);
        const expected = bruteForceShapley(features, (members) => expectedMargin(trees, values, members));
        expected.forEach((value, feature) => {
          const actual = contributions[row * features + feature]!;
          assert.ok(Math.abs(actual - value) < 1e-12, `seed ${seed}, feature ${feature}: ${actual} is not ${value}`);
        });
        assert.ok(Math.abs(shap.base - expectedMargin(trees, values, 0)) < 1e-12);
      }
    }),
    { numRuns: 60 },
  );
});

test('contributions and base add up to the margin within 1e-9, also of deep trees with many features', () => {
  for (const [featureCount, depthMax] of [
    [30, 6],
    [40, 16],
    [3, 24],
  ] as const) {
    const random = createRandom(depthMax);
    const trees = randomTrees(random, { treeCount: 20, featureCount, depthMax });
    const largest = Math.max(...residuals(trees, drawRows(random, 20, featureCount)));
    assert.ok(largest <= 1e-11, `depth ${depthMax}: ${largest}`);
  }
});

test('models trained here, with categories and missing values, explain within 1e-9', () => {
  const random = createRandom(12);
  const inputs = drawRows(random, 300, 5);
  // Training takes categories from 0 on.
  inputs.values.forEach((value, k) => {
    if (k % 5 === 4) inputs.values[k] = Math.max(0, value);
  });
  const target = Float64Array.from({ length: 300 }, (_, row) => Number((inputs.values[row * 5] || 0.3) > 0));
  const settings = { ...gradientBoostedTrees.defaults, treeCount: 20, maxDepth: 5, categorical: [4] };
  const model = gradientBoostedTrees.fit({ inputs, target, weight: null, group: null }, 'binary', settings, 1);
  if (model.body.kind !== 'trees') return assert.fail('boosted trees are trees');
  assert.ok(Math.max(...residuals(model.body.trees, inputs)) <= 1e-9);
});

test('a branch no training row reached is worth nothing unless the row goes there', () => {
  const random = createRandom(5);
  const trees = randomTrees(random, { treeCount: 4, featureCount: 4, depthMax: 5 });
  // Covers as large as they were, but nothing went right at the roots, nor below there.
  const cover = trees.cover.slice();
  for (const root of trees.treeStart.subarray(0, -1)) {
    const end = trees.treeStart.find((start) => start > root)!;
    if (trees.feature[root]! >= 0) cover.fill(0, trees.right[root]!, end);
  }
  const inputs = drawRows(random, 30, 4);
  const [empty] = [{ ...trees, cover }];
  assert.ok(Math.max(...residuals(empty, inputs)) < 1e-12);
  assert.ok(createTreeShap(empty).contributions(inputs).every(Number.isFinite));
  const nowhere = { ...trees, cover: new Float64Array(cover.length) };
  assert.ok(Math.max(...residuals(nowhere, inputs)) < 1e-12);
});

test('of a window the last day is read, and a row does not depend on the others', () => {
  const random = createRandom(6);
  const trees = randomTrees(random, { treeCount: 5, featureCount: 3, depthMax: 4 });
  const shap = createTreeShap(trees);
  const windows = { ...drawRows(random, 8, 3), rowCount: 4, stepCount: 2 };
  const contributions = shap.contributions(windows);
  for (let row = 0; row < 4; row++) {
    const last = windows.values.subarray((2 * row + 1) * 3, (2 * row + 2) * 3);
    assert.deepEqual(
      shap.contributions({ rowCount: 1, stepCount: 1, featureCount: 3, values: last }),
      contributions.slice(row * 3, (row + 1) * 3),
    );
  }
  assert.equal(
    shap.contributions({ rowCount: 0, stepCount: 1, featureCount: 3, values: new Float64Array(0) }).length,
    0,
  );
});

test('no trees explain nothing, and one leaf is all base', () => {
  const random = createRandom(7);
  const leaf = randomTrees(random, { treeCount: 1, featureCount: 2, depthMax: 0 });
  const inputs = drawRows(random, 1, 2);
  assert.deepEqual(createTreeShap(leaf).contributions(inputs), new Float64Array(2));
  assert.equal(createTreeShap(leaf).base, leaf.base + leaf.scale * leaf.leaf[0]!);
  const none = randomTrees(random, { treeCount: 0, featureCount: 2, depthMax: 0 });
  assert.equal(createTreeShap(none).base, none.base);
});

test('a negative cover and a wrong count of features are refused', () => {
  const trees = randomTrees(createRandom(8), { treeCount: 1, featureCount: 2, depthMax: 2 });
  assert.throws(() => createTreeShap({ ...trees, cover: trees.cover.map(() => -1) }), /cover must be a number >= 0/);
  assert.throws(
    () => createTreeShap(trees).contributions(drawRows(createRandom(1), 1, 3)),
    /must have 2 features, had 3/,
  );
});

test('the points integrate polynomials of their degree exactly', () => {
  for (const count of [1, 2, 3, 7, 20, 60]) {
    const { points, weights } = gaussLegendre(count);
    for (let degree = 0; degree < 2 * count; degree++) {
      const integral = weights.reduce((sum, weight, k) => sum + weight * points[k]! ** degree, 0);
      assert.ok(Math.abs(integral - 1 / (degree + 1)) < 1e-14, `${count} points, degree ${degree}: ${integral}`);
    }
  }
});

type Told = { name: string; model: string; contributions: number[][] };

/** Largest difference, relative to the largest contribution of the model; the base is the last column. */
function largestDifference(trees: TreeEnsemble, inputs: Inputs, told: readonly number[][], scale = 1): number {
  const shap = createTreeShap(trees);
  const contributions = shap.contributions(inputs);
  const size = Math.max(...told.flat().map(Math.abs));
  let largest = 0;
  told.forEach((row, i) => {
    row.forEach((value, k) => {
      const own = k < trees.featureCount ? contributions[i * trees.featureCount + k]! : shap.base;
      largest = Math.max(largest, Math.abs(own / scale - value) / size);
    });
  });
  return largest;
}

test('contributions are those of XGBoost to float32 and of LightGBM to 1e-12', () => {
  const golden: { inputs: (number | null)[][]; xgboost: Told[]; lightgbm: Told[] } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../golden/tree-formats.json'), 'utf8'),
  );
  const inputs = tableOf(golden.inputs.map((row) => row.map((value) => value ?? Number.NaN)));
  for (const { name, model, contributions } of golden.xgboost)
    assert.ok(largestDifference(importXgboost(model).trees, inputs, contributions) < 3e-7, name);
  for (const { name, model, contributions } of golden.lightgbm) {
    const { trees } = importLightgbm(model);
    // LightGBM shares out the sum of leaves, before the sigmoid's factor and the forest's mean.
    assert.ok(largestDifference(trees, inputs, contributions, trees.scale) < 1e-12, name);
  }
});

test('contributions are those of XGBoost on Exxon Mobil to float32, with values missing too', (t) => {
  const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../shared/data');
  const file = join(folder, 'golden/gbm_xgboost_treeshap_xom_dev.json.gz');
  if (!existsSync(file))
    return t.skip('gbm_xgboost_treeshap_xom_dev.json.gz is not in the data folder (TOUCHSTONE_DATA)');
  const golden: {
    test: { X: (number | null)[][] };
    models: Record<string, { missing_rule: string | null; model_json: object; margin: number[]; shap: number[][] }>;
  } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
  const cases = Object.entries(golden.models);
  assert.equal(cases.length, 3);
  for (const [name, { missing_rule, model_json, margin, shap }] of cases) {
    const { trees } = importXgboost(JSON.stringify(model_json));
    // "test col 2 NaN at rows 0,5,10.."
    const isMissing = (row: number, column: number) => missing_rule !== null && column === 2 && row % 5 === 0;
    const rows = golden.test.X.map((row, i) =>
      row.map((value, k) => (isMissing(i, k) ? Number.NaN : (value ?? Number.NaN))),
    );
    const inputs = tableOf(rows);
    assert.ok(largestDifference(trees, inputs, shap) < 3e-7, name);
    const largest = Math.max(...margin.map(Math.abs));
    treeMargins(trees, inputs).forEach((own, row) => {
      assert.ok(Math.abs(own - margin[row]!) < 3e-7 * Math.max(1, largest), `${name}, row ${row}`);
    });
    assert.ok(Math.max(...residuals(trees, inputs)) <= 1e-9, name);
  }
});
