import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Examples, takeExamples, takeInputs } from '../examples.ts';
import type { Goal } from '../learner.ts';
import { type BoostedTreesSettings, gradientBoostedTrees } from './gradient-boosted-trees.ts';
import { fitIsolationForest } from './isolation-forest.ts';
import { gainsOf, groupsOf, meanNdcg } from './lambda-rank.ts';
import { randomForest } from './random-forest.ts';

// Made by packages/quant/golden/make-trees.py with xgboost, lightgbm and scikit-learn; both draw the same tables.
const reference = JSON.parse(readFileSync(join(import.meta.dirname, '../../../golden/trees.json'), 'utf8'));

const [ROWS, TRAIN, FEATURES, GROUP] = [8000, 4000, 8, 25];
/** The metric may be so much worse than the peer's. */
const TOLERANCE = 0.01;
const SETTINGS = { ...gradientBoostedTrees.defaults, maxDepth: 4 };

const u = draws(20261122, ROWS * FEATURES);
const noise = draws(7, ROWS);
const x = u.map((each, k) => (k % FEATURES === 6 ? Math.floor(each * 6) : Math.round((each * 4 - 2) * 1000) / 1000));
const value = noise.map((each, row) => {
  const at = (column: number): number => x[row * FEATURES + column]!;
  const signal = at(0) - 0.7 * at(1) + (at(2) > 0 ? 0.8 * at(3) : 0) + 0.5 * Math.abs(at(4));
  return Math.round((signal + (at(6) % 2 === 0 ? 0.6 : -0.6) + 2 * (each - 0.5)) * 1e6) / 1e6;
});
const middle = value.toSorted();
const label = value.map((each) => Number(each > (middle[ROWS / 2 - 1]! + middle[ROWS / 2]!) / 2));
const relevance = value.map((each) => Math.min(Math.max(Math.floor(each + 2), 0), 4));
const isHole = draws(11, ROWS * FEATURES).map((each, k) => Number(each < 0.1 && k % FEATURES !== 6));
const holed = x.map((each, k) => (isHole[k] ? Number.NaN : each));

test('the drawn tables are those of the peers', () => {
  for (const [row, wanted] of reference.check.value.entries()) assert.ok(Math.abs(value[row]! - wanted) < 1e-9);
  assert.equal(sum(label), reference.check.ones);
  assert.equal(sum(isHole), reference.check.missing);
  assert.equal(sum(relevance), reference.check.relevance);
});

test('boosted trees order as well as those of xgboost, also where values are missing', () => {
  const told = fitted('binary', x, label);
  atLeast(areaUnderCurve(told, label.subarray(TRAIN)), reference.binary.auc);
  const loss = told.map((p, row) => -Math.log(label[TRAIN + row] === 1 ? p : 1 - p));
  atMost(mean(loss), reference.binary.logLoss);
  atLeast(areaUnderCurve(fitted('binary', holed, label), label.subarray(TRAIN)), reference.missing.auc);
});

test('their squared error is that of xgboost, also under monotone constraints and with categories', () => {
  atMost(squaredError(fitted('regression', x, value)), reference.regression.mse);
  const monotone = [1, -1, 0, 0, 0, 0, 0, 0];
  atMost(squaredError(fitted('regression', x, value, { monotone })), reference.monotone.mse);
  atMost(squaredError(fitted('regression', x, value, { categorical: [6] })), reference.categorical.mse);
});

test('their pinball loss is that of xgboost', () => {
  const told = fitted('quantile', x, value, { quantile: 0.8 });
  const loss = told.map((q, row) => Math.max(0.8 * (value[TRAIN + row]! - q), -0.2 * (value[TRAIN + row]! - q)));
  atMost(mean(loss), reference.quantile.pinball);
});

test('their ranking is as good as the better of xgboost and lightgbm', () => {
  const group = Int32Array.from({ length: ROWS }, (_, row) => Math.floor(row / GROUP));
  const told = fitted('ranking', x, relevance, {}, group);
  const groups = groupsOf(group.subarray(TRAIN));
  atLeast(meanNdcg(groups, gainsOf(groups, relevance.subarray(TRAIN)), told, 10), reference.ranking.ndcg);
});

test('the forest is as good as that of scikit-learn', () => {
  const settings = { ...randomForest.defaults, treeCount: 60 };
  const ofLabel = randomForest.fit(part(x, label), 'binary', settings, 1);
  atLeast(areaUnderCurve(ofLabel.predict(rest(x)), label.subarray(TRAIN)), reference.forest.auc);
  const ofValue = randomForest.fit(part(x, value), 'regression', settings, 1);
  atMost(squaredError(ofValue.predict(rest(x))), reference.forest.mse);
});

test('the isolation forest finds planted outliers as well as that of scikit-learn, with scores as high', () => {
  const [a, b] = [draws(3, 1200), draws(5, 1200)];
  const values = a.map((each, k) => Math.round((each + b[k]! - 1) * (k < 60 ? 4 : 1) * 1e4) / 1e4);
  const inputs = { rowCount: 400, stepCount: 1, featureCount: 3, values };
  const scores = fitIsolationForest(inputs, { treeCount: 200 }, 1).score(inputs);
  const isOdd = Float64Array.from({ length: 400 }, (_, row) => Number(row < 20));
  atLeast(areaUnderCurve(scores, isOdd), reference.isolation.auc);
  assert.ok(Math.abs(mean(scores) / reference.isolation.mean - 1) < 0.02);
});

/** The minimal standard generator of Park and Miller, in 0..1. */
function draws(seed: number, count: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  });
}

function examplesOf(values: Float64Array, target: Float64Array, group: Int32Array | null): Examples {
  const inputs = { rowCount: ROWS, stepCount: 1, featureCount: FEATURES, values };
  return { inputs, target, weight: null, group };
}

function part(values: Float64Array, target: Float64Array, group: Int32Array | null = null): Examples {
  const rows = Int32Array.from({ length: TRAIN }, (_, row) => row);
  return takeExamples(examplesOf(values, target, group), rows);
}

function rest(values: Float64Array) {
  const rows = Int32Array.from({ length: ROWS - TRAIN }, (_, row) => TRAIN + row);
  return takeInputs({ rowCount: ROWS, stepCount: 1, featureCount: FEATURES, values }, rows);
}

function fitted(
  goal: Goal,
  values: Float64Array,
  target: Float64Array,
  more: Partial<BoostedTreesSettings> = {},
  group: Int32Array | null = null,
): Float64Array {
  return gradientBoostedTrees.fit(part(values, target, group), goal, { ...SETTINGS, ...more }, 1).predict(rest(values));
}

function squaredError(told: Float64Array): number {
  return mean(told.map((each, row) => (each - value[TRAIN + row]!) ** 2));
}

/** Share of pairs (1, 0) in which the 1 has the higher score; ties count half. */
function areaUnderCurve(scores: Float64Array, truth: Float64Array): number {
  let [won, pairs] = [0, 0];
  for (const [i, one] of scores.entries())
    if (truth[i] === 1)
      for (const [j, zero] of scores.entries())
        if (truth[j] === 0) {
          pairs += 1;
          won += one > zero ? 1 : one === zero ? 0.5 : 0;
        }
  return won / pairs;
}

function atMost(loss: number, peer: number): void {
  assert.ok(loss <= peer * (1 + TOLERANCE), `${loss} is more than ${peer} and a hundredth`);
}

function atLeast(quality: number, peer: number): void {
  assert.ok(quality >= peer * (1 - TOLERANCE), `${quality} is less than ${peer} less a hundredth`);
}

function sum(values: Float64Array): number {
  return values.reduce((total, each) => total + each, 0);
}

function mean(values: Float64Array): number {
  return sum(values) / values.length;
}
