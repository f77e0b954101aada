import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createGraph } from '../onnx/graph.ts';
import { createMessage } from '../onnx/protobuf.ts';
import { readOnnx } from '../onnx/read-onnx.ts';
import {
  createForeignModel,
  type ForeignBody,
  foreignAnswers,
  foreignQuestion,
  loadForeignModel,
  Unanswered,
} from './foreign-model.ts';

const body = (change: Partial<ForeignBody> = {}): ForeignBody => ({
  ...{ onnx: Uint8Array.of(8, 10), input: 'x', element: 'float32', layout: 'window', output: 'y', link: 'exp' },
  ...{ outputWidth: 2, outputColumn: 1, usedCount: 2, center: Float64Array.of(5, -1), scale: Float64Array.of(2, 1) },
  ...change,
});
const SHAPE = { goal: 'regression', stepCount: 2, featureCount: 3 } as const;

test('it is asked features as they are, in its own layout, without those it does not read', () => {
  const inputs = { rowCount: 1, stepCount: 2, featureCount: 3, values: Float64Array.of(0, 1, 9, -1, 2, 9) };
  const expected = { sizes: [1, 2, 2], values: Float64Array.of(5, 0, 3, 1) };
  assert.deepEqual(foreignQuestion(body(), inputs), expected);
  assert.deepEqual(foreignQuestion(body({ layout: 'flat' }), inputs), { ...expected, sizes: [1, 4] });
  assert.throws(() => foreignQuestion(body({ layout: 'table' }), inputs), /rows of 1 day/);
});

test('of what it says the chosen column counts, as a logarithm where the forecaster works on those', () => {
  assert.deepEqual(foreignAnswers(body(), 2, Float64Array.of(9, Math.E, 9, -1)), Float64Array.of(1, Number.NaN));
  assert.deepEqual(foreignAnswers(body({ link: 'identity' }), 1, Float64Array.of(9, 0.25)), Float64Array.of(0.25));
  assert.throws(() => foreignAnswers(body(), 2, Float64Array.of(1, 2)), /must give 4/);
});

test('it is written and read back the same, and says that it has to be asked elsewhere', () => {
  const model = createForeignModel(body(), SHAPE);
  const loaded = loadForeignModel(model.save());
  assert.deepEqual(loaded.save(), model.save());
  assert.deepEqual(loaded.body, model.body);
  const inputs = { rowCount: 0, stepCount: 2, featureCount: 3, values: new Float64Array(0) };
  assert.throws(() => loaded.predict(inputs), Unanswered);
  assert.throws(() => createForeignModel(body({ usedCount: 4 }), SHAPE), /1 to 3 features/);
  assert.throws(() => createForeignModel(body({ outputColumn: 2 }), SHAPE), /column 2/);
});

test('a file tells its operators, also those inside of branches, and whether its weights lie elsewhere', () => {
  const graph = createGraph('one');
  const [value] = graph.node('TreeEnsemble', graph.node('Sub', [graph.input('x', 'double', ['rows', 1]), 'x']));
  graph.output('y', value!, 'double', ['rows', 1]);
  const told = readOnnx(graph.finish({}));
  assert.deepEqual([told.operators, told.hasExternalData], [['Identity', 'Sub', 'ai.onnx.ml.TreeEnsemble'], false]);

  const tensor = createMessage().text(8, 'w').message(13, createMessage().text(1, 'location').text(2, '/etc/passwd'));
  const branch = createMessage().message(1, createMessage().text(4, 'RandomNormal')).message(5, tensor);
  const node = createMessage().text(4, 'If').message(5, createMessage().message(6, branch));
  const hidden = readOnnx(createMessage().message(7, createMessage().message(1, node)).finish());
  assert.deepEqual([hidden.operators, hidden.hasExternalData], [['If', 'RandomNormal'], true]);
});

test('bytes of something else are refused, never read past their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readOnnx(bytes);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
});
