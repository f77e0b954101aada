import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  type ForeignManifest,
  sendForeignModel,
  type TrainingTableSpec,
  trainingTableSpec,
} from '@touchstone/contracts/foreign';
import { explanation, prediction } from '@touchstone/contracts/predictions';
import { createGraph, type Graph, type Value } from '@touchstone/quant/learn/onnx/graph';
import { tableFromIPC } from 'apache-arrow';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { makeForecaster, promote, registerModel } from '../../../test/models/served-model.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { addWorld, TENANT } from '../../../test/training-world.ts';
import { createFeatureComputer, createSeriesService } from '../../features/index.ts';
import { systemClock } from '../../platform/clock/clock.ts';
import { openOnnx } from '../../platform/onnx/onnx-runtime.ts';
import { universeBars } from '../../portfolio/index.ts';
import {
  createForeignService,
  createRegistry,
  createServing,
  createTrainingTableService,
  type Registry,
  registerForeignRoutes,
  registerRegistryRoutes,
} from '../index.ts';
import { decodeInputs } from '../serving/forecast-inputs.ts';

const MADE = path.join(import.meta.dirname, '../../../test/foreign');
const sklearn = readFileSync(path.join(MADE, 'sklearn-direction.onnx'));
const torch = readFileSync(path.join(MADE, 'torch-volatility.onnx'));

let db: TestDatabase;
let server: TestServer;
let registry: Registry;
let analyst: string;
let direction: TrainingTableSpec;
let volatility: TrainingTableSpec;

before(async () => {
  db = await createTestDatabase();
  const { universeId } = await addWorld(db);
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, database, objects, tasks }) => {
      const series = createSeriesService(database, universeBars);
      registry = createRegistry({ database, objects, codeVersion: 'test' });
      registerRegistryRoutes(serve, database, registry);
      const compute = inlineCompute;
      createServing({
        ...{ database, registry, series, tasks, universeBars, clock: systemClock, compute, codeVersion: 'test' },
      }).registerRoutes(serve);
      registerForeignRoutes(
        serve,
        createForeignService({ database, objects, compute, registry }),
        createTrainingTableService({
          ...{ database, objects, tasks, compute, series, universeBars, computer: createFeatureComputer(compute) },
        }),
      );
    },
  });
  analyst = await server.tokenFor('analyst', TENANT.tenantId);
  direction = await freeze(universeId, 'volatility_direction');
  volatility = await freeze(universeId, 'forward_volatility');
});
after(async () => {
  await server.close();
  await db.close();
});

async function freeze(universeId: number, target: string): Promise<TrainingTableSpec> {
  const asked = await server.call('POST', '/training-tables', { token: analyst, body: { universeId, target } });
  assert.equal(asked.status, 202, asked.text);
  const { id } = Object(asked.json.task);
  for (let tries = 0; tries < 600; tries++) {
    const { json } = await server.call('GET', `/tasks/${id}`, { token: analyst });
    if (json.state === 'done') {
      const { datasetSha256 } = Object(json.result);
      const told = await server.call('GET', `/training-tables/${datasetSha256}/${target}`, { token: analyst });
      assert.equal(told.status, 200, told.text);
      return trainingTableSpec.parse(told.json);
    }
    assert.notEqual(json.state, 'failed', JSON.stringify(json));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the task did not end');
}

const send = (body: Uint8Array) => server.call('POST', '/foreign-models', { token: analyst, body });

async function sent(bytes: Uint8Array) {
  const reply = await send(bytes);
  assert.equal(reply.status, 201, reply.text);
  return sendForeignModel.answer!.parse(reply.json);
}

const toManifest = (spec: TrainingTableSpec, change: Partial<ForeignManifest>): object => ({
  ...{ target: spec.target, horizonDays: spec.horizonDays, unit: spec.unit, stepCount: 1 },
  ...{ datasetSha256: spec.datasetSha256, tableSha256: spec.tableSha256, seed: 1, codeVersion: 'make 1' },
  ...{ trainer: 'made up', firstDay: spec.firstDay, trainedUntil: spec.trainedUntil, expiresAfterDays: 4000 },
  ...change,
});
const ofSklearn = (change: Partial<ForeignManifest> = {}) =>
  toManifest(direction, {
    features: ['forecast:variance_week_month', 'variance_ema_month', 'forecast:fall_of_week'],
    ...{ input: 'features', output: 'probabilities', outputColumn: 1, trainer: 'scikit-learn 1.9.1', ...change },
  });
const ofTorch = (change: Partial<ForeignManifest> = {}) =>
  toManifest(volatility, {
    features: ['forecast:variance_day', 'forecast:variance_week', 'forecast:variance_month'],
    ...{ input: 'features', output: 'volatility', stepCount: 10, trainer: 'PyTorch 1.13.0', ...change },
  });

async function register(model: string, bytes: Uint8Array, manifest: object, status = 201) {
  const { fileSha256 } = await sent(bytes);
  const body = { fileSha256, manifest };
  const reply = await server.call('POST', `/models/${model}/foreign`, { token: analyst, body });
  assert.equal(reply.status, status, reply.text);
  return reply.json;
}

async function ask(model: string, body: object) {
  const reply = await server.call('POST', `/predict/${model}`, { token: analyst, body });
  assert.equal(reply.status, 200, reply.text);
  return prediction.parse(reply.json);
}

async function replayed(predictionId: number) {
  return (await server.call('POST', `/predictions/${predictionId}/replay`, { token: analyst })).json;
}

test('a model of scikit-learn is registered, judged on later days only, and served with its explanation', async () => {
  const told = await register('by-sklearn', sklearn, ofSklearn());
  const { sentence } = Object(told.verdict);
  assert.match(sentence, /judged only on the days after 2021-/);
  assert.ok(Number(told.judgedRows) >= 1000, String(told.judgedRows));
  const { firstDay, baselines } = Object(told.skill);
  assert.ok(firstDay > direction.trainedUntil);
  assert.ok(JSON.stringify(baselines).includes('the linear model'));

  const made = await ask('by-sklearn', { symbol: 'SWING0', version: 1, asOf: '2022-03-15' });
  const { value } = made.forecast;
  assert.equal(made.servedBy, 'model');
  assert.ok(value !== null && value > 0 && value < 1);
  assert.ok(made.forecast.lower! <= value && value <= made.forecast.upper!);
  const explained = explanation.parse(
    (await server.call('GET', `/predictions/${made.predictionId}/explanation`, { token: analyst })).json,
  );
  assert.equal(explained.method, 'sampling');
  assert.ok(explained.standardError !== null && explained.groups.length > 0);
  const again = await replayed(made.predictionId);
  assert.deepEqual([again.equal, again.differences], [true, []], JSON.stringify(again));
});

test('a model of PyTorch over windows is registered and served, and a replay gives the same bytes', async () => {
  const { verdict } = await register('by-torch', torch, ofTorch());
  assert.equal(typeof Object(verdict).passed, 'boolean');
  const made = await ask('by-torch', { symbol: 'SWING1', version: 1, asOf: '2022-03-16' });
  const { value, lower, upper } = made.forecast;
  assert.ok(value !== null && value > 0.02 && value < 3 && lower! < value && value < upper!);
  const again = await replayed(made.predictionId);
  assert.deepEqual([again.equal, again.differences], [true, []], JSON.stringify(again));
});

test('what the server says is what the file says of the features as they are', async () => {
  const file = await server.call('GET', `/training-tables/${direction.datasetSha256}/volatility_direction`, {
    token: analyst,
  });
  assert.equal(file.json.fileSha256, direction.fileSha256);
  const response = await fetch(
    `${server.url}/api/v1/training-tables/${direction.datasetSha256}/volatility_direction/file`,
    { headers: { authorization: `Bearer ${analyst}` } },
  );
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  assert.equal(table.numRows, direction.rowCount);
  const names = ['variance_week_month', 'variance_ema_month', 'fall_of_week'].map((name) => `forecast:${name}`);
  const row = table.numRows - 1;
  const day = new Date(Number(table.getChild('day')?.get(row))).toISOString().slice(0, 10);
  const values = Float64Array.from(names, (name) => Number(table.getChild(name)?.get(row)));
  const opened = await openOnnx(sklearn);
  const answer = await opened.run({ name: 'features', element: 'float64', sizes: [1, 3], values }, 'probabilities');
  await opened.close();
  const made = await ask('by-sklearn', { symbol: 'SWING4', version: 1, asOf: day });
  assert.ok(Math.abs(made.forecast.value! - answer.values[1]!) < 1e-9, `${made.forecast.value} ${answer.values[1]}`);
});

test('no row of the days that judge is in the file, and folds are purged', async () => {
  const { heldBackFrom, trainedUntil, folds, heldBackRows } = direction;
  assert.ok(trainedUntil < heldBackFrom && heldBackRows > 1000);
  assert.equal(folds.length, 5);
  const response = await fetch(
    `${server.url}/api/v1/training-tables/${direction.datasetSha256}/volatility_direction/file`,
    { headers: { authorization: `Bearer ${analyst}` } },
  );
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  const column = (name: string) => Array.from(table.getChild(name)!, Number);
  const dayMs = 86_400_000;
  const until = Date.parse(`${heldBackFrom}T00:00:00Z`);
  assert.ok(column('day').every((day) => day < until));
  assert.ok(column('label_end').every((day) => day * dayMs < until));
  const [role, end] = [column('fold_2'), column('label_end')];
  const first = Date.parse(`${folds[2]!.firstTestDay}T00:00:00Z`) / dayMs;
  assert.equal(role.filter((x) => x === 1).length, folds[2]!.trainRows);
  assert.ok(role.every((x, row) => x !== 1 || end[row]! <= first));
});

test('what did not pass, and what nobody could judge, cannot become champion', async () => {
  const manager = await server.tokenFor('manager', TENANT.tenantId);
  const late = await register('too-late', sklearn, ofSklearn({ trainedUntil: '2022-06-30' }));
  assert.deepEqual([late.verdict, late.skill, late.judgedRows], [null, null, 0]);
  const checklist = ['limits_read', 'bias_reviewed', 'data_rights_clear', 'monitoring_ready', 'rollback_known'];
  const reply = await server.call('POST', '/models/too-late/promote', {
    token: manager,
    body: {
      ...{ version: 1, expected: null, reason: 'For a test.' },
      checklist: checklist.map((item) => ({ item, signed: true, note: '' })),
    },
  });
  assert.deepEqual([reply.status, reply.json.code], [422, 'GATE_NOT_PASSED']);
  assert.match(String(reply.json.detail), /never judged/);
});

/** A file that answers a function of two features. */
function file(build: (graph: Graph, features: Value) => Value, change: { columns?: number | string } = {}): Uint8Array {
  const graph = createGraph('made up');
  const features = graph.input('features', 'double', ['rows', change.columns ?? 2]);
  graph.output('value', build(graph, features), 'double', ['rows', 1]);
  return graph.finish({});
}
const number = (graph: Graph, value: number) => graph.constant({ shape: [1], values: Float64Array.of(value) });
const summed = (graph: Graph, features: Value) => {
  const ones = graph.constant({ shape: [2, 1], values: Float64Array.of(0.1, 0.1) });
  return graph.node('MatMul', [features, ones])[0]!;
};
const two = (change: Partial<ForeignManifest> = {}) =>
  toManifest(direction, {
    ...{ features: ['variance_week_month', 'variance_ema_month'], input: 'features', output: 'value', ...change },
  });
const rulesOf = (json: Record<string, unknown>) =>
  z
    .array(z.object({ rule: z.string() }))
    .parse(json.details)
    .map(({ rule }) => rule);

test('bytes that are damaged, unknown operators, random draws and endless loops are refused by name', async () => {
  for (const [bytes, rule] of [
    [Buffer.from('no model at all'), 'damaged'],
    [sklearn.subarray(0, 700), 'damaged'],
    [Buffer.alloc(0), 'damaged'],
    [file((graph, features) => graph.node('Prophesy', [features])[0]!), 'unknown_operator'],
    [file((graph, features) => graph.node('RandomNormalLike', [features])[0]!), 'draws'],
  ] as const) {
    const reply = await send(bytes);
    assert.deepEqual([reply.status, reply.json.code, ...rulesOf(reply.json)], [422, 'FILE_REFUSED', rule], reply.text);
  }
});

test('wrong sizes, no numbers, numbers that are none, and rows that mix are refused by name', async () => {
  const sigmoid = (graph: Graph, value: Value) => graph.node('Sigmoid', [value])[0]!;
  for (const [bytes, manifest, rule] of [
    [sklearn, ofSklearn({ features: ['variance_week_month'] }), 'wrong_sizes'],
    [torch, ofTorch({ stepCount: 5 }), 'wrong_sizes'],
    [sklearn, ofSklearn({ output: 'label', outputColumn: 0 }), 'no_numbers'],
    [sklearn, ofSklearn({ output: 'odds' }), 'wrong_output'],
    [sklearn, ofSklearn({ outputColumn: 2 }), 'wrong_output'],
    [sklearn, ofSklearn({ input: 'x' }), 'wrong_input'],
    [
      file((graph, x) => graph.node('Sqrt', [graph.node('Sub', [summed(graph, x), number(graph, 9)])[0]!])[0]!),
      two(),
      'not_finite',
    ],
    [file((graph, x) => graph.node('Add', [summed(graph, x), number(graph, 9)])[0]!), two(), 'no_probability'],
    [
      file((graph, x) => {
        const mean = graph.node('ReduceMean', [summed(graph, x)], { axes: { ints: [0] } })[0]!;
        return sigmoid(graph, graph.node('Add', [summed(graph, x), mean])[0]!);
      }),
      two(),
      'rows_mixed',
    ],
  ] as const) {
    const json = await register('refused', bytes, manifest, 422);
    assert.deepEqual([json.code, ...rulesOf(json)], ['FILE_REFUSED', rule], JSON.stringify(json));
  }
});

test('another dataset, other rows, other features and another target are named', async () => {
  const gone = await register('refused', sklearn, ofSklearn({ datasetSha256: 'a'.repeat(64) }), 404);
  assert.match(String(gone.detail), /is gone or was never frozen here/);
  const other = await register('refused', sklearn, ofSklearn({ tableSha256: 'b'.repeat(64) }), 409);
  assert.match(String(other.detail), /It learnt from the rows bbbbbbbbbbbb/);
  const strange = await register(
    'refused',
    sklearn,
    ofSklearn({ features: ['moon', 'fall_of_week', 'fall_of_week'] }),
    400,
  );
  assert.match(JSON.stringify(strange.details), /has no feature moon.*stands there twice/);
  const horizon = await register('refused', sklearn, ofSklearn({ horizonDays: 6, unit: 'percent' }), 400);
  assert.match(JSON.stringify(horizon.details), /Must be 5.*Must be probability/);
  const early = await register('refused', sklearn, ofSklearn({ trainedUntil: '2019-01-03' }), 422);
  assert.deepEqual(rulesOf(early), ['too_early']);
  const { status } = await server.call('GET', '/models/refused', { token: analyst });
  assert.equal(status, 404, 'nothing that was refused left a trace');
});

test('a champion that came from elsewhere serves, and where its file is damaged the one before it answers', async () => {
  const model = 'mixed';
  const { version } = await db.database.transaction(TENANT, (tx) =>
    registerModel(tx, registry, model, makeForecaster({ target: 'volatility_direction' })),
  );
  await promote(db.database, TENANT, registry, { model, version, expected: null });
  const { artefactSha256 } = await register(model, sklearn, ofSklearn({ seed: 9, expiresAfterDays: 5000 }));
  const artefact = await registry.readArtefact(String(artefactSha256));
  const { manifest } = (await db.database.transaction(TENANT, (tx) => registry.findVersion(tx, model, 2)))!;
  const passed = { ...manifest, verdict: { passed: true, sentence: 'Made up for a test.' } };
  await db.database.transaction(TENANT, (tx) =>
    registry.registerVersion(tx, { model, runId: null, manifest: passed, artefact }),
  );
  await promote(db.database, TENANT, registry, { model, version: 3, expected: 1 });
  const served = await ask(model, { symbol: 'SWING2', asOf: '2022-03-15' });
  assert.deepEqual([served.servedBy, served.lineage.modelVersion], ['model', `${model}@3`]);

  const damaged = Buffer.from(artefact);
  damaged[damaged.length - 400] = damaged[damaged.length - 400]! ^ 0xff;
  await db.database.transaction(TENANT, (tx) =>
    registry.registerVersion(tx, { model, runId: null, manifest: passed, artefact: damaged }),
  );
  await promote(db.database, TENANT, registry, { model, version: 4, expected: 3 });
  const after = await ask(model, { symbol: 'SWING2', asOf: '2022-03-17' });
  assert.deepEqual([after.servedBy, after.hops.map(({ code }) => code)], ['previous', ['artefact_damaged']]);
  assert.equal(after.lineage.modelVersion, `${model}@3`);
});

test('a member goes out as ONNX that takes features as they are and says what the server said', async () => {
  const made = await ask('mixed', { symbol: 'SWING3', version: 1, asOf: '2022-03-15' });
  const url = `${server.url}/api/v1/models/mixed/versions/1/onnx`;
  const headers = { authorization: `Bearer ${analyst}` };
  const unnamed = await server.call('GET', '/models/mixed/versions/1/onnx', { token: analyst });
  assert.deepEqual([unnamed.status, unnamed.json.code], [404, 'NOT_FOUND']);
  assert.match(String(unnamed.json.detail), /has the members logistic, logistic_tight/);
  const { rows } = await db.migrator.query('SELECT content FROM prediction_input WHERE sha256 = $1', [
    made.lineage.inputSha256,
  ]);
  const values = decodeInputs(rows[0].content);
  for (const { learner, value } of made.forecast.members) {
    const response = await fetch(`${url}?member=${learner}`, { headers });
    assert.equal(response.status, 200);
    const opened = await openOnnx(new Uint8Array(await response.arrayBuffer()));
    const input = { name: 'features', element: 'float64', sizes: [1, values.length], values } as const;
    const answer = await opened.run(input, 'value');
    await opened.close();
    assert.ok(Math.abs(answer.values[0]! - value!) < 1e-12, `${learner}: ${answer.values[0]} ${value}`);
  }
  const back = await fetch(`${server.url}/api/v1/models/by-torch/versions/1/onnx`, { headers });
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), torch, 'what came as a file goes as the same file');
});
