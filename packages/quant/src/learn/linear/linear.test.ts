import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { type Examples, takeExamples, takeInputs } from '../examples.ts';
import type { FittedModel, LinearBody } from '../learner.ts';
import { elasticNet, lasso } from './elastic-net.ts';
import { kMeans, nearestCenters } from './k-means.ts';
import { fitMachine, linearSvm } from './linear-svm.ts';
import { logistic } from './logistic.ts';
import { principalComponents, projectRows } from './principal-components.ts';
import { ridge } from './ridge.ts';

type Peer = { weights: number[]; intercept: number };
const golden = JSON.parse(readFileSync(new URL('../../../golden/linear.json', import.meta.url), 'utf8')) as {
  rowCount: number;
  featureCount: number;
  trainCount: number;
  x: number[];
  y: number[];
  label: number[];
  weight: number[];
  ridge: Peer & { r2: number };
  ridgeWeighted: Peer;
  lasso: Peer & { r2: number };
  elasticNet: Peer & { r2: number };
  elasticNetWeighted: Peer;
  logistic: Peer & { logLoss: number; auc: number };
  logisticWeighted: Peer;
  linearSvm: Peer & { aucOfLinearSVC: number };
  kMeans: { centers: number[]; inertia: number };
  pca: { mean: number[]; components: number[]; variance: number[] };
};
const { rowCount, featureCount, trainCount } = golden;
const inputs = { rowCount, stepCount: 1, featureCount, values: Float64Array.from(golden.x) };
const trainRows = Int32Array.from({ length: trainCount }, (_, i) => i);
const testRows = Int32Array.from({ length: rowCount - trainCount }, (_, i) => trainCount + i);
const testInputs = takeInputs(inputs, testRows);

function trainOn(target: number[], isWeighted = false): Examples {
  const weight = isWeighted ? Float64Array.from(golden.weight) : null;
  return takeExamples({ inputs, target: Float64Array.from(target), weight, group: null }, trainRows);
}

function bodyOf(model: FittedModel): LinearBody {
  assert.equal(model.body.kind, 'linear');
  return model.body as LinearBody;
}

function checkPeer({ weights, intercept }: LinearBody, peer: Peer): void {
  peer.weights.forEach((w, j) => {
    assert.ok(Math.abs(weights[j]! - w) <= 1e-6 * Math.max(1, Math.abs(w)), `weight ${j}: ${weights[j]} and ${w}`);
  });
  assert.ok(Math.abs(intercept - peer.intercept) <= 1e-6 * Math.max(1, Math.abs(peer.intercept)));
}

function checkMetric(ours: number, peer: number): void {
  assert.ok(Math.abs(ours - peer) <= 0.01 * Math.abs(peer), `${ours} and ${peer}`);
}

function rSquared(told: Float64Array): number {
  const target = Float64Array.from(testRows, (row) => golden.y[row]!);
  const mean = target.reduce((sum, y) => sum + y, 0) / target.length;
  const left = target.reduce((sum, y, i) => sum + (y - told[i]!) ** 2, 0);
  return 1 - left / target.reduce((sum, y) => sum + (y - mean) ** 2, 0);
}

function areaUnderCurve(told: Float64Array): number {
  const labels = Array.from(testRows, (row) => golden.label[row]!);
  let [won, pairs] = [0, 0];
  labels.forEach((one, i) => {
    labels.forEach((zero, j) => {
      if (one !== 1 || zero !== 0) return;
      pairs++;
      won += told[i]! > told[j]! ? 1 : told[i] === told[j] ? 0.5 : 0;
    });
  });
  return won / pairs;
}

test('ridge, lasso and elastic net have the weights of scikit-learn, with and without weights of rows', () => {
  const cases = [
    [ridge.fit(trainOn(golden.y), 'regression', { penalty: 3 }, 1), golden.ridge],
    [lasso.fit(trainOn(golden.y), 'regression', { penalty: 0.3 }, 1), golden.lasso],
    [elasticNet.fit(trainOn(golden.y), 'regression', { penalty: 0.2, absoluteShare: 0.4 }, 1), golden.elasticNet],
  ] as const;
  for (const [model, peer] of cases) {
    checkPeer(bodyOf(model), peer);
    checkMetric(rSquared(model.predict(testInputs)), peer.r2);
  }
  const weighted = trainOn(golden.y, true);
  checkPeer(bodyOf(ridge.fit(weighted, 'regression', { penalty: 3 }, 1)), golden.ridgeWeighted);
  checkPeer(
    bodyOf(elasticNet.fit(weighted, 'regression', { penalty: 0.2, absoluteShare: 0.4 }, 1)),
    golden.elasticNetWeighted,
  );
  assert.ok(bodyOf(cases[1][0]).weights.some((w) => w === 0));
});

test('logistic regression has the weights, the log loss and the area of scikit-learn', () => {
  const model = logistic.fit(trainOn(golden.label), 'binary', { penalty: 2 }, 1);
  checkPeer(bodyOf(model), golden.logistic);
  checkPeer(bodyOf(logistic.fit(trainOn(golden.label, true), 'binary', { penalty: 2 }, 1)), golden.logisticWeighted);
  const told = model.predict(testInputs);
  const losses = told.map((p, i) => -Math.log(golden.label[trainCount + i] === 1 ? p : 1 - p));
  checkMetric(losses.reduce((sum, loss) => sum + loss, 0) / losses.length, golden.logistic.logLoss);
  checkMetric(areaUnderCurve(told), golden.logistic.auc);
});

test('the support vector machine has the exact weights of its objective and the area of LinearSVC', () => {
  checkPeer(fitMachine(trainOn(golden.label), 2), golden.linearSvm);
  const model = linearSvm.fit(trainOn(golden.label), 'binary', { penalty: 2, foldCount: 5 }, 1);
  const told = model.predict(testInputs);
  checkMetric(areaUnderCurve(told), golden.linearSvm.aucOfLinearSVC);
  // Its probabilities are worth something: better than telling the share of ones.
  const brier = told.reduce((sum, p, i) => sum + (p - golden.label[trainCount + i]!) ** 2, 0) / told.length;
  assert.ok(brier < 0.22, `${brier}`);
});

test('the lasso is at an optimum: no weight can be moved for the better', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
      const random = createRandom(seed);
      const [n, k, penalty] = [40, 4, 0.1];
      const values = Float64Array.from({ length: n * k }, () => random.normal());
      const target = Float64Array.from({ length: n }, (_, i) => values[i * k]! + random.normal());
      const examples = {
        inputs: { rowCount: n, stepCount: 1, featureCount: k, values },
        target,
        weight: null,
        group: null,
      };
      const { weights, intercept } = bodyOf(lasso.fit(examples, 'regression', { penalty }, 1));
      const left = target.map((y, i) => y - intercept - weights.reduce((sum, w, j) => sum + w * values[i * k + j]!, 0));
      for (let j = 0; j < k; j++) {
        const column = Float64Array.from({ length: n }, (_, i) => values[i * k + j]!);
        const mean = column.reduce((sum, x) => sum + x, 0) / n;
        const scale = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
        const pull = column.reduce((sum, x, i) => sum + ((x - mean) / scale) * left[i]!, 0) / n;
        const slack = weights[j] === 0 ? Math.abs(pull) - penalty : Math.abs(pull - Math.sign(weights[j]!) * penalty);
        assert.ok(slack <= 1e-8, `${slack}`);
      }
    }),
    { numRuns: 20 },
  );
});

test('a ranking is learnt within its groups: a level that all of a day share teaches nothing', () => {
  const random = createRandom(5);
  const n = 200;
  const group = Int32Array.from({ length: n }, (_, i) => Math.floor(i / 10));
  const level = Float64Array.from({ length: 20 }, () => 50 * random.normal());
  const values = new Float64Array(2 * n);
  const target = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    values[2 * i] = random.normal();
    values[2 * i + 1] = random.normal();
    target[i] = values[2 * i]! + level[group[i]!]!;
  }
  const examples = { inputs: { rowCount: n, stepCount: 1, featureCount: 2, values }, target, weight: null, group };
  const { weights } = bodyOf(ridge.fit(examples, 'ranking', { penalty: 0.01 }, 1));
  assert.ok(Math.abs(weights[0]! - 1) < 1e-3 && Math.abs(weights[1]!) < 1e-3);
  assert.throws(() => ridge.fit({ ...examples, group: null }, 'ranking', { penalty: 1 }, 1), /needs groups/);
});

test('separable labels keep finite weights, labels of one class tell their rate, constant columns weigh nothing', () => {
  const values = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i : 7));
  const examples = (target: Float64Array): Examples => ({
    inputs: { rowCount: 20, stepCount: 1, featureCount: 2, values },
    target,
    weight: null,
    group: null,
  });
  const split = examples(Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 0 : 1)));
  const same = examples(new Float64Array(20).fill(1));
  for (const learner of [logistic, linearSvm] as const) {
    const model = learner.fit(split, 'binary', { ...linearSvm.defaults, penalty: 1e-3 }, 1);
    const { weights } = bodyOf(model);
    assert.ok(Number.isFinite(weights[0]!) && weights[0]! > 0);
    assert.equal(weights[1], 0);
    const sure = learner.fit(same, 'binary', linearSvm.defaults, 1).predict(same.inputs);
    assert.ok(
      sure.every((p) => p > 0.9 && p < 1),
      `${learner.name} ${sure[0]}`,
    );
  }
});

test('k-means reaches the centres of scikit-learn from the same start', () => {
  const found = kMeans(inputs.values, rowCount, featureCount, {
    count: 4,
    seed: 1,
    initial: inputs.values.slice(0, 4 * featureCount),
  });
  golden.kMeans.centers.forEach((x, i) => {
    assert.ok(Math.abs(found.centers[i]! - x) <= 1e-6 * Math.max(1, Math.abs(x)));
  });
  assert.ok(Math.abs(found.inertia / golden.kMeans.inertia - 1) < 1e-9);
  const drawn = kMeans(inputs.values, rowCount, featureCount, { count: 4, seed: 1 });
  assert.ok(drawn.inertia <= found.inertia * (1 + 1e-12) && drawn.converged);
  assert.deepEqual(drawn, kMeans(inputs.values, rowCount, featureCount, { count: 4, seed: 1 }));
  assert.deepEqual(nearestCenters(drawn.centers, inputs.values, rowCount, featureCount), drawn.assignment);
});

test('k-means keeps as many clusters as were asked for, also with rows that are the same', () => {
  const found = kMeans(Float64Array.of(1, 1, 1, 1, 9), 5, 1, { count: 2, seed: 3 });
  assert.equal(found.inertia, 0);
  assert.equal(kMeans(new Float64Array(6), 3, 2, { count: 3, seed: 1 }).inertia, 0);
  assert.throws(() => kMeans(new Float64Array(6), 3, 2, { count: 4, seed: 1 }), /count must be a whole number in 1..3/);
  assert.deepEqual(nearestCenters(Float64Array.of(0, 5), Float64Array.of(4, Number.NaN), 2, 1), Int32Array.of(1, -1));
});

test('principal components are those of scikit-learn with the sign rule, and rows are told by them without loss', () => {
  const found = principalComponents(inputs.values, rowCount, featureCount);
  golden.pca.variance.forEach((x, i) => {
    assert.ok(Math.abs(found.variance[i]! / x - 1) < 1e-9);
  });
  for (let k = 0; k < featureCount; k++) {
    const peer = golden.pca.components.slice(k * featureCount, (k + 1) * featureCount);
    const ours = found.components.subarray(k * featureCount, (k + 1) * featureCount);
    const largest = peer.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
    peer.forEach((x, j) => {
      assert.ok(Math.abs(ours[j]! - x * Math.sign(largest)) < 1e-7);
    });
  }
  const told = projectRows(found, inputs.values, rowCount);
  for (let row = 0; row < 5; row++)
    for (let j = 0; j < featureCount; j++) {
      let value = found.mean[j]!;
      for (let k = 0; k < featureCount; k++)
        value += told[row * featureCount + k]! * found.components[k * featureCount + j]!;
      assert.ok(Math.abs(value - inputs.values[row * featureCount + j]!) < 1e-9);
    }
});

test('settings out of their range are refused by name', () => {
  const examples = trainOn(golden.y);
  assert.throws(() => ridge.fit(examples, 'regression', { penalty: 0 }, 1), /penalty must be above 0, was 0/);
  assert.throws(() => lasso.fit(examples, 'regression', { penalty: Number.NaN }, 1), /penalty/);
  assert.throws(
    () => elasticNet.fit(examples, 'regression', { penalty: 1, absoluteShare: 1.1 }, 1),
    /absoluteShare must be in 0..1/,
  );
  const labels = trainOn(golden.label);
  assert.throws(() => linearSvm.fit(labels, 'binary', { penalty: 1, foldCount: 1 }, 1), /foldCount/);
  assert.throws(() => logistic.fit(examples, 'binary', { penalty: 1 }, 1), /0 or 1/);
});
