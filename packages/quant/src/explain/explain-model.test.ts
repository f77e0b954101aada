import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Inputs } from '../learn/examples.ts';
import type { FittedModel, LinearBody, ModelBody } from '../learn/learner.ts';
import { randomTrees } from '../learn/trees/random-trees.ts';
import { treeMargins } from '../learn/trees/walk-trees.ts';
import { createRandom, type Random } from '../random/random.ts';
import { bruteForceShapley } from './brute-force-shapley.ts';
import { counterfactualSentence, findCounterfactual } from './counterfactual.ts';
import { type Explanation, explainModel } from './explain-model.ts';
import { explanationStability } from './explanation-stability.ts';
import { groupAttributions, groupFeatures } from './feature-groups.ts';
import { lime } from './lime.ts';
import { linearShap } from './linear-shap.ts';
import { type Predict, samplingShap } from './sampling-shap.ts';

function tableOf(rows: number[][], stepCount = 1): Inputs {
  const featureCount = rows[0]!.length / stepCount;
  return { rowCount: rows.length, stepCount, featureCount, values: Float64Array.from(rows.flat()) };
}

function drawn(random: Random, rowCount: number, featureCount: number, stepCount = 1): Inputs {
  const values = Float64Array.from({ length: rowCount * stepCount * featureCount }, () => random.normal());
  return { rowCount, stepCount, featureCount, values };
}

/** Answers row by row from the values of each. */
function answering(answer: (values: Float64Array) => number): Predict {
  return ({ rowCount, stepCount, featureCount, values }) => {
    const width = stepCount * featureCount;
    return Float64Array.from({ length: rowCount }, (_, row) => answer(values.subarray(row * width, (row + 1) * width)));
  };
}

function modelOf(body: ModelBody, predict: Predict, { stepCount, featureCount }: Inputs): FittedModel {
  const save = () => new Uint8Array(0);
  return { learner: 'made_up', goal: 'regression', stepCount, featureCount, body, predict, save };
}

const NETWORK: ModelBody = {
  kind: 'network',
  network: { architecture: 'lstm', link: 'identity', sizes: {}, tensors: {} },
};
const curved: Predict = answering((x) => Math.tanh(x[0]! * x[1]!) + x[2]! ** 2 - Math.max(0, x[3]!));

function defined(explanation: Explanation): Extract<Explanation, { status: 'ok' }> {
  assert.equal(explanation.status, 'ok');
  return explanation as Extract<Explanation, { status: 'ok' }>;
}

test('trees are explained by TreeSHAP, linear models exactly, others by sampling, and each says so', () => {
  const random = createRandom(1);
  const trees = randomTrees(random, { treeCount: 10, featureCount: 4, depthMax: 4, link: 'logistic' });
  const [row, background] = [drawn(random, 1, 4), drawn(random, 50, 4)];
  const logistic = (margin: number) => 1 / (1 + Math.exp(-margin));
  const treeModel = modelOf({ kind: 'trees', trees }, (inputs) => treeMargins(trees, inputs).map(logistic), row);
  const byTrees = defined(explainModel(treeModel, row, background, { seed: 1 }));
  assert.deepEqual([byTrees.method, byTrees.scale, byTrees.standardError], ['tree_shap', 'log_odds', null]);
  assert.ok(byTrees.residual <= 1e-9);
  assert.ok(Math.abs(logistic(byTrees.value) - treeModel.predict(row)[0]!) < 1e-15);

  const body: LinearBody = { kind: 'linear', weights: Float64Array.of(1, -2, 0.5, 0), intercept: 3, link: 'identity' };
  const answer = answering((x) => x.reduce((sum, value, k) => sum + value * body.weights[k]!, 3));
  const byWeights = defined(explainModel(modelOf(body, answer, row), row, background, { seed: 1 }));
  assert.deepEqual([byWeights.method, byWeights.scale, byWeights.standardError], ['linear_shap', 'answer', null]);
  assert.ok(byWeights.residual <= 1e-12);
  assert.ok(Math.abs(byWeights.value - answer(row)[0]!) < 1e-12);

  const network = modelOf(NETWORK, curved, row);
  const sampled = defined(explainModel(network, row, background, { seed: 1 }));
  assert.equal(sampled.method, 'sampling_shap');
  assert.ok(sampled.residual <= 1e-12);
  assert.ok(sampled.standardError!.every((error) => error >= 0 && error < 1));
  assert.deepEqual(explainModel(network, row, background, { seed: 1 }), sampled);
  assert.notDeepEqual(explainModel(network, row, background, { seed: 2 }), sampled);
  assert.equal(defined(explainModel(treeModel, row, background, { seed: 1, method: 'sampling' })).scale, 'answer');
});

test('a linear model is explained by its definition, days of a window summed', () => {
  const random = createRandom(2);
  const [row, background] = [drawn(random, 1, 3, 4), drawn(random, 9, 3, 4)];
  const weights = Float64Array.from({ length: 12 }, () => random.normal());
  const body: LinearBody = { kind: 'linear', weights, intercept: 1, link: 'identity' };
  const answer = (x: Float64Array) => x.reduce((sum, value, k) => sum + value * weights[k]!, 1);
  const found = linearShap(body, row, background);
  assert.equal(found.status, 'ok');
  if (found.status !== 'ok') return;
  const expected = bruteForceShapley(3, (members) => meanAnswer(answer, row, background, members));
  expected.forEach((value, k) => {
    assert.ok(Math.abs(found.contributions[k]! - value) < 1e-12);
  });
  const lastDay = linearShap({ ...body, weights: weights.slice(0, 3) }, row, background);
  const table = linearShap(
    { ...body, weights: weights.slice(0, 3) },
    tableOf([[...row.values.slice(9)]]),
    tableOf(Array.from({ length: 9 }, (_, i) => [...background.values.slice(i * 12 + 9, i * 12 + 12)])),
  );
  assert.deepEqual(lastDay, table);
});

/** Mean answer with the members' values (all days) from the row and the others' from each background row. */
function meanAnswer(answer: (x: Float64Array) => number, row: Inputs, background: Inputs, members: number): number {
  const { stepCount, featureCount } = row;
  const width = stepCount * featureCount;
  let sum = 0;
  for (let i = 0; i < background.rowCount; i++) {
    const mixed = background.values.slice(i * width, (i + 1) * width);
    for (let k = 0; k < width; k++) if ((members >> (k % featureCount)) & 1) mixed[k] = row.values[k]!;
    sum += answer(mixed);
  }
  return sum / background.rowCount;
}

test('a value no background row has is told, and so is a row with a missing value', () => {
  const body: LinearBody = { kind: 'linear', weights: Float64Array.of(1, 1), intercept: 0, link: 'identity' };
  const predict = answering((x) => x[0]! + x[1]!);
  const never = tableOf([[1, Number.NaN]]);
  const model = modelOf(body, predict, never);
  const ask = (row: Inputs, background: Inputs) => explainModel(model, row, background, { seed: 1 });
  const reasonOf = (explanation: Explanation) => (explanation.status === 'undefined' ? explanation.reason : null);
  assert.equal(reasonOf(ask(tableOf([[1, 2]]), never)), 'the background has no value of feature 1');
  assert.match(reasonOf(ask(never, tableOf([[1, 2]]))) ?? '', /no answer to a row with a missing value/);
  const network = modelOf(NETWORK, predict, never);
  assert.match(reasonOf(explainModel(network, never, tableOf([[1, 2]]), { seed: 1 })) ?? '', /no answer to this row/);
  assert.match(reasonOf(explainModel(network, tableOf([[1, 2]]), never, { seed: 1 })) ?? '', /any background row/);
});

test('sampled contributions are within four standard errors of the exact ones, which shrink with the orders drawn', () => {
  const random = createRandom(3);
  const [row, background] = [drawn(random, 1, 4, 2), drawn(random, 16, 4, 2)];
  const answer = (x: Float64Array) => Math.tanh(x[0]! * x[5]!) + x[2]! * x[6]! - Math.max(0, x[3]! + x[4]!);
  const exact = bruteForceShapley(4, (members) => meanAnswer(answer, row, background, members));
  const sample = (pairCount: number) => {
    const found = samplingShap(answering(answer), row, background, { seed: 9, pairCount });
    assert.equal(found.status, 'ok');
    return found as Extract<typeof found, { status: 'ok' }>;
  };
  const many = sample(1600);
  exact.forEach((value, k) => {
    const error = Math.abs(many.contributions[k]! - value);
    assert.ok(error <= 4 * many.standardError[k]!, `feature ${k}: ${error} of ${many.standardError[k]}`);
  });
  const meanBackground = meanAnswer(answer, row, background, 0);
  assert.ok(Math.abs(many.base - meanBackground) < 1e-12, 'every background row is drawn as often');
  const few = sample(100);
  few.standardError.forEach((error, k) => {
    assert.ok(many.standardError[k]! < 0.5 * error);
  });
});

test('sampled contributions add up to the answer, and a feature the model does not read has none', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), (seed, featureCount) => {
      const random = createRandom(seed);
      const [row, background] = [drawn(random, 1, featureCount), drawn(random, 5, featureCount)];
      const predict = answering((x) => Math.exp(x[0]!) * (x[2] ?? 1));
      const found = samplingShap(predict, row, background, { seed, pairCount: 5 });
      if (found.status !== 'ok') return assert.fail(found.reason);
      const sum = found.contributions.reduce((all, part) => all + part, found.base);
      assert.ok(Math.abs(sum - found.value) < 1e-11);
      assert.equal(found.contributions[1] ?? 0, 0);
      assert.equal(found.standardError[1] ?? 0, 0);
    }),
    { numRuns: 40 },
  );
});

test('LIME finds the slopes of a line with a fidelity of one, and says so when there is no line', () => {
  const random = createRandom(4);
  const [row, background] = [drawn(random, 1, 3), drawn(random, 200, 3)];
  background.values.forEach((value, k) => {
    if (k % 3 === 2) background.values[k] = value * 10;
  });
  const line = lime(
    answering((x) => 2 + 3 * x[0]! - x[2]!),
    row,
    background,
    { seed: 1, penalty: 0 },
  );
  assert.equal(line.status, 'ok');
  if (line.status !== 'ok') return;
  assert.ok(line.fidelity! > 1 - 1e-9);
  assert.ok(Math.abs(line.intercept - line.value) < 1e-9);
  // Per standard deviation: some 1 for the first, some 10 for the third.
  assert.ok(
    Math.abs(line.slopes[0]! - 3) < 0.4 && Math.abs(line.slopes[1]!) < 1e-9 && Math.abs(line.slopes[2]! + 10) < 1.5,
  );
  const wild = lime(
    answering((x) => Math.sign(Math.sin(40 * x[0]!))),
    row,
    background,
    { seed: 1 },
  );
  assert.ok(wild.status === 'ok' && wild.fidelity! < 0.2);
  const flat = lime(
    answering(() => 7),
    row,
    background,
    { seed: 1 },
  );
  assert.ok(flat.status === 'ok' && flat.fidelity === null && flat.slopes.every((slope) => Math.abs(slope) < 1e-12));
});

test('LIME leaves a missing and a constant feature alone', () => {
  const background = tableOf(Array.from({ length: 20 }, (_, i) => [i, i % 7, 5]));
  const found = lime(
    answering((x) => x[0]! + 9 * x[2]!),
    tableOf([[3, Number.NaN, 5]]),
    background,
    { seed: 2 },
  );
  assert.ok(found.status === 'ok' && found.slopes[0]! > 0 && found.slopes[1] === 0 && found.slopes[2] === 0);
});

test('correlated features are one group and their attributions one sum', () => {
  const random = createRandom(5);
  const rows = Array.from({ length: 80 }, () => {
    const [a, b] = [random.normal(), random.normal()];
    // The second and fifth say the first again, up to order; one value is missing.
    return [a, Math.exp(a), b, random.normal(), -a + 0.1 * random.normal()];
  });
  rows[3]![1] = Number.NaN;
  const groups = groupFeatures(tableOf(rows));
  assert.deepEqual([...groups], [0, 0, 1, 2, 0]);
  assert.deepEqual(groupAttributions(Float64Array.of(0.5, -0.25, -3, 0.125, 0.5), groups), [
    { features: [2], contribution: -3 },
    { features: [0, 1, 4], contribution: 0.75 }, // .5 - .25 + .5
    { features: [3], contribution: 0.125 },
  ]);
  assert.deepEqual([...groupFeatures(tableOf([[1, 1]]))], [0, 1]);
});

test('a counterfactual of trees is the smallest change there is: no smaller one on a fine grid crosses', () => {
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), (seed, roundsInputs) => {
      const random = createRandom(seed);
      const comparison = roundsInputs ? 'less' : 'less_or_equal';
      const trees = randomTrees(random, { treeCount: 4, featureCount: 3, depthMax: 3, comparison, roundsInputs });
      const [row, background] = [drawn(random, 1, 3), drawn(random, 60, 3)];
      const predict: Predict = (inputs) => treeMargins(trees, inputs);
      const crosses = trees.base + 0.3 * random.normal();
      const found = findCounterfactual({ predict, body: { kind: 'trees', trees } }, row, background, { crosses });
      const smallest = smallestOnGrid(predict, row, background, crosses);
      if (found.status === 'undefined') {
        assert.equal(smallest, Number.POSITIVE_INFINITY);
        return;
      }
      assert.ok(found.distance <= smallest + 1e-6, `${found.distance} against ${smallest}`);
      const changed = row.values.slice();
      changed[found.feature] = found.to;
      const after = predict({ ...row, values: changed })[0]!;
      assert.equal(after, found.after);
      assert.notEqual(after >= crosses, found.before >= crosses);
    }),
    { numRuns: 60 },
  );
});

/** Standard deviations to the nearest of 400 values a feature at which the answer is on the other side. */
function smallestOnGrid(predict: Predict, row: Inputs, background: Inputs, crosses: number): number {
  const before = predict(row)[0]!;
  let smallest = Number.POSITIVE_INFINITY;
  for (let feature = 0; feature < row.featureCount; feature++) {
    const column = Array.from(
      { length: background.rowCount },
      (_, i) => background.values[i * row.featureCount + feature]!,
    );
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length);
    const [low, high] = [Math.min(...column), Math.max(...column)];
    for (let i = 0; i <= 400; i++) {
      const values = row.values.slice();
      values[feature] = low + ((high - low) * i) / 400;
      const isAcross = predict({ ...row, values })[0]! >= crosses !== before >= crosses;
      const distance = Math.abs(values[feature]! - row.values[feature]!) / deviation;
      if (isAcross) smallest = Math.min(smallest, distance);
    }
  }
  return smallest;
}

test('a counterfactual of a smooth model is found by halving, on the last day of a window, and can be said', () => {
  const background = tableOf(
    Array.from({ length: 21 }, (_, i) => [0, 0, i / 10 - 1, 5 * (i / 10 - 1)]),
    2,
  );
  const model = { predict: answering((x) => 0.25 + 0.125 * (x[2]! + x[3]!)), body: NETWORK };
  const row = tableOf([[9, 9, 0, 0]], 2);
  const found = findCounterfactual(model, row, background, { crosses: 0.3 });
  assert.equal(found.status, 'ok');
  if (found.status !== 'ok') return;
  // Both need +0.4: that is less of the deviation of the second.
  assert.equal(found.feature, 1);
  assert.ok(Math.abs(found.to - 0.4) < 1e-8 && found.after >= 0.3);
  const names = ['ret5', 'vol21'];
  assert.equal(
    counterfactualSentence(found, { names, answer: 'the detected probability of a rise' }),
    'If vol21 were 0.4 instead of 0, the detected probability of a rise would be 0.300 instead of 0.250, at or above 0.300.',
  );
  assert.equal(
    counterfactualSentence({ ...found, from: 0.39999, to: 0.400001 }, { names, answer: 'it' }).split(',')[0],
    'If vol21 were 0.4 instead of 0.39999',
  );
  const fixed = findCounterfactual(model, row, background, { crosses: 0.3, fixed: [1] });
  assert.ok(fixed.status === 'ok' && fixed.feature === 0);
  const out = findCounterfactual(model, row, background, { crosses: 9 });
  assert.equal(
    counterfactualSentence(out, { names, answer: 'it' }),
    'No counterfactual: no single feature within its training range brings the answer across 9.',
  );
});

test('an explanation is steady when noise leaves its order, and unsteady when it does not', () => {
  const random = createRandom(6);
  const [row, background] = [drawn(random, 1, 5), drawn(random, 50, 5)];
  const weights = [5, 4, 3, 2, 1];
  const steady = explanationStability(({ values }) => values.map((_, k) => weights[k]!), row, background, { seed: 1 });
  assert.deepEqual(steady, { status: 'ok', score: 1, overlap: 1, repeatCount: 20 });
  const wild = explanationStability(({ values }) => values.map((value) => Math.sin(1e6 * value)), row, background, {
    seed: 1,
    topCount: 3,
  });
  assert.ok(wild.status === 'ok' && wild.score < 0.5 && wild.overlap < 0.9);
  assert.deepEqual(
    explanationStability(() => null, row, background, { seed: 1 }),
    {
      status: 'undefined',
      reason: 'the row has no explanation',
    },
  );
});

test('wrong shapes and settings out of range are refused', () => {
  const [row, background] = [tableOf([[1, 2]]), tableOf([[1, 2]])];
  const model = modelOf(NETWORK, curved, row);
  const other = tableOf([[1, 2, 3]]);
  assert.throws(() => explainModel(model, row, other, { seed: 1 }), /background must have 1 days × 2 features/);
  assert.throws(
    () =>
      explainModel(
        model,
        tableOf([
          [1, 2],
          [3, 4],
        ]),
        background,
        { seed: 1 },
      ),
    /one row .* were 2/,
  );
  assert.throws(() => samplingShap(curved, row, background, { seed: 1, pairCount: 1 }), /pairCount must be in 2/);
  assert.throws(() => lime(curved, row, background, { seed: 1, sampleCount: 3 }), /sampleCount must be in 50/);
  assert.throws(() => lime(curved, row, background, { seed: 1, kernelWidth: 0 }), /kernelWidth must be > 0/);
  assert.throws(() => findCounterfactual(model, row, background, { crosses: Number.NaN }), /crosses must be a number/);
  assert.throws(() => groupFeatures(background, 1), /correlationMin must be between 0 and 1/);
  assert.throws(() => groupAttributions(new Float64Array(2), new Int32Array(3)), /groups must be one for each of 2/);
  const body: LinearBody = { kind: 'linear', weights: new Float64Array(3), intercept: 0, link: 'identity' };
  assert.throws(() => linearShap(body, row, background), /weights must be 2, or 2 for a window, were 3/);
  const explain = () => new Float64Array(2);
  assert.throws(() => explanationStability(explain, row, background, { seed: 1, noise: 0 }), /noise must be > 0/);
});
