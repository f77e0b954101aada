import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareInputs } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { Goal, Learner } from '@touchstone/quant/learn/learner';
import { LEARNERS } from '@touchstone/quant/learn/learners';
import { exportOnnx } from '@touchstone/quant/learn/onnx/export-model';
import { createGraph } from '@touchstone/quant/learn/onnx/graph';
import { createRandom } from '@touchstone/quant/random/random';
import { fitScaler } from '@touchstone/quant/series/preprocess/scaler';
import { OnnxRefused, openOnnx } from './onnx-runtime.ts';

const ROWS = 120;
const FEATURES = 5;
const STEPS = 7;
const TOLERANCE = { float32: 3e-6, float64: 1e-12 } as const;

/** Rows a learner can learn from, with a rule in them. */
function examplesFor({ reads }: Learner<object>, goal: Goal) {
  const stepCount = reads === 'window' ? STEPS : 1;
  const { uniform } = createRandom(7);
  const values = Float64Array.from({ length: ROWS * stepCount * FEATURES }, () => 4 * uniform() - 2);
  const target = Float64Array.from({ length: ROWS }, (_, row) => {
    const lean = values[(row * stepCount + stepCount - 1) * FEATURES]! + values[row * stepCount * FEATURES + 1]!;
    if (goal === 'binary') return lean > 0 ? 1 : 0;
    return goal === 'ranking' ? Math.max(0, Math.round(lean)) : lean;
  });
  return {
    inputs: { rowCount: ROWS, stepCount, featureCount: FEATURES, values },
    ...{
      target,
      weight: null,
      group: goal === 'ranking' ? Int32Array.from(target, (_, row) => Math.floor(row / 10)) : null,
    },
  };
}

for (const learner of LEARNERS)
  for (const goal of learner.goals)
    test(`${learner.name} for ${goal} answers the same as an ONNX model`, async () => {
      const quick = 'epochs' in learner.defaults ? { ...learner.defaults, epochs: 1 } : learner.defaults;
      const examples = examplesFor(learner, goal);
      const { inputs } = examples;
      const model = learner.fit(examples, goal, quick, 1);
      const { bytes, element } = exportOnnx(model, { features: 'a,b,c,d,e' });
      const opened = await openOnnx(bytes);
      const type = element === 'float' ? 'float32' : 'float64';
      assert.deepEqual(
        opened.inputs.map(({ name, element }) => [name, element]),
        [['features', type]],
      );
      const sizes = inputs.stepCount === 1 ? [ROWS, FEATURES] : [ROWS, inputs.stepCount, FEATURES];
      const answer = await opened.run({ name: 'features', element: type, sizes, values: inputs.values }, 'value');
      assert.deepEqual(answer.sizes, [ROWS, 1]);
      for (const [row, value] of model.predict(inputs).entries())
        assert.ok(Math.abs(answer.values[row]! - value) <= TOLERANCE[type] * (1 + Math.abs(value)), `row ${row}`);
      await opened.close();
    });

test('a file with a scaler takes features as they are, missing and wild ones included, and tells values', async () => {
  for (const name of ['ridge', 'lstm', 'random_forest']) {
    const learner = LEARNERS.find((candidate) => candidate.name === name)!;
    const examples = examplesFor(learner, 'regression');
    const quick = 'epochs' in learner.defaults ? { ...learner.defaults, epochs: 1 } : learner.defaults;
    const model = learner.fit(examples, 'regression', quick, 1);
    const raw = examples.inputs.values.map((x, k) => (k % 31 === 0 ? Number.NaN : k % 37 === 0 ? 900 : 7 + 3 * x));
    const inputs = { ...examples.inputs, values: raw };
    const scaler = fitScaler('standard', raw, FEATURES);
    scaler.columns[2] = { kind: 'undefined', why: 'no spread' };
    const features = Array.from({ length: FEATURES }, (_, j) => ({ name: `x${j}`, expression: '' }));
    const prepared = prepareInputs({ features, stepCount: inputs.stepCount, scaler, clip: 4 }, inputs);
    const { bytes } = exportOnnx(model, {}, { scaler, clip: 4, link: 'exp' });
    const opened = await openOnnx(bytes);
    const sizes = inputs.stepCount === 1 ? [ROWS, FEATURES] : [ROWS, inputs.stepCount, FEATURES];
    const answer = await opened.run({ name: 'features', element: 'float64', sizes, values: raw }, 'value');
    for (const [row, value] of model.predict(prepared).entries()) {
      const told = Math.exp(value);
      const tolerance = name === 'lstm' ? 1e-5 : 1e-12;
      assert.ok(Math.abs(answer.values[row]! - told) <= tolerance * (1 + told), `${name}, row ${row}`);
    }
    await opened.close();
  }
});

test('an unknown operator, bytes of something else and wrong sizes are told by name', async () => {
  const graph = createGraph('unknown');
  const [value] = graph.node('Prophesy', [graph.input('features', 'double', ['rows', 2])]);
  graph.output('value', value!, 'double', ['rows', 1]);
  await assert.rejects(
    openOnnx(graph.finish({})),
    (error) => error instanceof OnnxRefused && error.operator === 'Prophesy',
  );
  await assert.rejects(openOnnx(Uint8Array.of(1, 2, 3)), /no ONNX model/);
  const ridge = LEARNERS.find(({ name }) => name === 'ridge')!;
  const opened = await openOnnx(
    exportOnnx(ridge.fit(examplesFor(ridge, 'regression'), 'regression', ridge.defaults, 1)).bytes,
  );
  const wrong = { name: 'features', element: 'float64', sizes: [1, 2], values: new Float64Array(2) } as const;
  await assert.rejects(opened.run(wrong, 'value'), /invalid dimensions|Got: 2 Expected: 5/);
});
