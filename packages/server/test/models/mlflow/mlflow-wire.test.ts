import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createMlflowWire } from '../../../src/models/mlflow/mlflow.wire.ts';
import { createRegistry } from '../../../src/models/registry/registry.ts';
import { verifyEvidence } from '../../../src/platform/evidence/evidence.ts';
import type { Wire } from '../../../src/platform/http/serve-wire.ts';
import { createTestDatabase, type TestDatabase } from '../../cluster.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';
import { fillModels } from '../fill-models.ts';

// mlflow-exchanges.json is what the stock client of MLflow 3.17.2 and this server said to each other in the session of
// use_mlflow_client.py. Replayed, every request must get the answer it got then; times alone may differ.

type Exchange = {
  method: string;
  path: string;
  status: number;
  request?: unknown;
  bytes?: string;
  answer?: unknown;
};

const HERE = import.meta.dirname;
const TENANT = 5;
/** Our own clock stands in these. */
const TIMES = /^(creation_time|last_update_time|start_time|end_time|.*_timestamp(_ms)?)$/;

let db: TestDatabase;
let server: TestServer;
let wire: Wire;
let analyst: string;
let madeBy: string;
let exchanges: Exchange[];
before(async () => {
  ({ madeBy, exchanges } = JSON.parse(await readFile(path.join(HERE, 'mlflow-exchanges.json'), 'utf8')));
  ({ db, server } = await open());
  analyst = await server.tokenFor('analyst', TENANT);
});
after(async () => {
  await server.close();
  await db.close();
});

async function open(): Promise<{ db: TestDatabase; server: TestServer }> {
  const made = await createTestDatabase();
  const started = await startTestServer(made, {
    wires: ({ serveWire, database, objects }) => {
      const registry = createRegistry({ database, objects, codeVersion: 'test' });
      wire = createMlflowWire({ database, objects, registry });
      serveWire(wire);
    },
  });
  return { db: made, server: started };
}

async function ask(method: string, at: string, body?: string | Buffer, token = analyst) {
  const isFile = at.includes('/mlflow-artifacts/');
  const type = isFile ? 'application/octet-stream' : 'application/json';
  const reply = await fetch(`${server.url}/mlflow${at}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });
  return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()) };
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, TIMES.test(key) ? 'a time' : masked(member)]),
  );
}

test('every recorded exchange of the stock client happens again', async (t) => {
  t.diagnostic(`${exchanges.length} exchanges, ${madeBy}`);
  const files = new Map<string, Buffer>();
  for (const { method, path: at, status, request, bytes, answer } of exchanges) {
    const sent = bytes === undefined ? undefined : Buffer.from(bytes, 'base64');
    const reply = await ask(method, at, sent ?? (request === undefined ? undefined : JSON.stringify(request)));
    const told = `${method} ${at} ${JSON.stringify(request) ?? ''}`;
    assert.equal(reply.status, status, `${told}: ${reply.bytes.toString().slice(0, 500)}`);
    if (sent !== undefined) files.set(at, sent);
    const file = files.get(at);
    if (method === 'GET' && file !== undefined) assert.deepEqual(reply.bytes, file, told);
    if (answer !== undefined) assert.deepEqual(masked(JSON.parse(reply.bytes.toString())), masked(answer), told);
  }
  const verdict = await db.database.transaction({ tenantId: TENANT, actorId: null }, verifyEvidence);
  assert.ok(verdict.ok && verdict.records > 50, 'what was written is in evidence');
});

/** The path of a route with something in its gaps. */
function filled(at: string): string {
  return at
    .replace(/:model_id/, 'm-1')
    .replace(/:\w+/g, 'x')
    .replace('*', 'runs/1/conf.json');
}

test('nobody gets in without a key, and who may only read writes nothing', async () => {
  const viewer = await server.tokenFor('viewer', TENANT);
  for (const route of wire.routes) {
    const at = filled(route.path);
    const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : '{}';
    const told = `${route.method} ${at}`;
    const stranger = await ask(route.method, at, body, 'a.b.c');
    assert.equal(stranger.status, 401, told);
    assert.equal(JSON.parse(stranger.bytes.toString()).error_code, 'UNAUTHENTICATED');
    const reading = await ask(route.method, at, body, viewer);
    if (route.scope === 'model:read') assert.notEqual(reading.status, 403, told);
    else {
      assert.equal(reading.status, 403, told);
      assert.equal(JSON.parse(reading.bytes.toString()).error_code, 'PERMISSION_DENIED');
    }
    if (route.method !== 'GET' && !/search|get-latest/.test(at)) assert.equal(route.scope, 'model:write', told);
  }
});

test('what one tenant logged does not exist for another', async () => {
  const other = await server.tokenFor('owner', 6);
  for (const { method, path: at, status, request } of exchanges) {
    const isRead = method === 'GET' || at.endsWith('/search');
    if (!isRead || status !== 200) continue;
    const reply = await ask(method, at, request === undefined ? undefined : JSON.stringify(request), other);
    if (reply.status !== 200) {
      assert.equal(reply.status, 404, at);
      continue;
    }
    const { next_page_token: _token, ...lists } = JSON.parse(reply.bytes.toString());
    for (const list of Object.values(lists)) assert.deepEqual(list, [], `${method} ${at}`);
  }
  // Writing into it fails in the same words as for what was never there.
  for (const [at, body] of [
    ['runs/log-metric', { run_id: '1', key: 'a', value: 1 }],
    ['runs/set-tag', { run_id: '1', key: 'a', value: 'b' }],
    ['runs/update', { run_id: '1', status: 'FINISHED' }],
    ['runs/outputs', { run_id: '1', models: [{ model_id: 'm-1' }] }],
    ['experiments/set-experiment-tag', { experiment_id: '1', key: 'a', value: 'b' }],
    ['logged-models/m-1/params', { params: [] }],
    ['logged-models', { experiment_id: '1' }],
    ['runs/create', { experiment_id: '1' }],
    ['registered-models/set-tag', { name: 'network', key: 'a', value: 'b' }],
    ['registered-models/alias', { name: 'network', alias: 'mine', version: '1' }],
    ['model-versions/set-tag', { name: 'network', version: '1', key: 'a', value: 'b' }],
    ['model-versions/create', { name: 'network', source: 'runs:/1/x' }],
  ] as const) {
    const reply = await ask('POST', `/api/2.0/mlflow/${at}`, JSON.stringify(body), other);
    assert.equal(reply.status, 404, `${at}: ${reply.bytes}`);
  }
  const put = await ask('PUT', '/api/2.0/mlflow-artifacts/artifacts/runs/1/mine.txt', 'x', other);
  assert.equal(put.status, 404);
});

test('an ended run takes no values and no files, and a version none ever', async () => {
  const artefacts = '/api/2.0/mlflow-artifacts/artifacts';
  for (const [method, at, body] of [
    ['POST', '/api/2.0/mlflow/runs/log-metric', { run_id: '1', key: 'a', value: 1 }],
    ['POST', '/api/2.0/mlflow/runs/update', { run_id: '1', status: 'RUNNING' }],
    ['PUT', `${artefacts}/runs/1/late.txt`, 'x'],
    ['PUT', `${artefacts}/versions/network/1/MLmodel`, 'x'],
  ] as const) {
    const reply = await ask(method, at, typeof body === 'string' ? body : JSON.stringify(body));
    assert.equal(reply.status, 400, at);
    assert.equal(JSON.parse(reply.bytes.toString()).error_code, 'INVALID_STATE');
  }
  const up = await ask('PUT', `${artefacts}/runs/1/a%2F..%2F..%2Fb`, 'x');
  assert.equal(up.status, 400);
});

test('runs and models that were made here are told as well', async () => {
  const home = server.home;
  const { createFolderStore } = await import('../../../src/platform/object-store/object-store.ts');
  const objects = createFolderStore(path.join(home, 'objects'));
  const parts = { database: db.database, objects };
  const { runId, artefactSha256 } = await fillModels(parts, TENANT, { model: 'ours', mark: 'ours' });
  const read = async (at: string) => JSON.parse((await ask('GET', `/api/2.0/mlflow/${at}`)).bytes.toString());
  const { run } = await read(`runs/get?run_id=${runId}`);
  assert.deepEqual(
    run.data.metrics.map(({ key, value }: { key: string; value: number }) => [key, value]),
    [['loss', 0.5]],
  );
  const { model_version: champion } = await read('registered-models/alias?name=ours&alias=champion');
  assert.equal(champion.version, '1');
  const file = await ask('GET', '/api/2.0/mlflow-artifacts/artifacts/versions/ours/1/model.bin');
  assert.equal(createHash('sha256').update(file.bytes).digest('hex'), artefactSha256);
});

test('what is not spoken here is told in MLflow’s words', async () => {
  const reply = await ask('POST', '/api/2.0/mlflow/traces', '{}');
  assert.equal(reply.status, 404);
  assert.equal(JSON.parse(reply.bytes.toString()).error_code, 'RESOURCE_DOES_NOT_EXIST');
});

test('the stock client logs, searches, registers and loads', async (t) => {
  const python = [
    process.env.TOUCHSTONE_MLFLOW_PYTHON ?? '',
    path.join(HERE, '../../../../../.peers-mlflow/bin/python'),
  ].find((candidate) => candidate !== '' && existsSync(candidate));
  if (python === undefined) {
    t.skip('mlflow is not installed here: npm run peers, or TOUCHSTONE_MLFLOW_PYTHON');
    return;
  }
  const fresh = await open();
  try {
    const token = await fresh.server.tokenFor('analyst', TENANT);
    const made = await fresh.server.call('POST', '/keys', {
      token,
      body: { name: 'MLflow', scopes: ['model:read', 'model:write'] },
    });
    const env = { ...process.env, MLFLOW_TRACKING_TOKEN: String(made.json.key) };
    const script = path.join(HERE, 'use_mlflow_client.py');
    const { stdout } = await promisify(execFile)(python, [script, fresh.server.url], { env, timeout: 180_000 });
    const { mlflow, seen } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    t.diagnostic(`mlflow ${mlflow}`);
    const { onnx, same, loaded, searches, history, unnamed, champion, ...others } = seen;
    assert.deepEqual([onnx, same, loaded], [true, true, true], 'every model answers as it did before');
    assert.deepEqual(history, [
      [0, 0.7],
      [1, 0.5],
      [2, 0.4],
    ]);
    assert.deepEqual(Object.values(searches), [
      ['second', 'first', 'third'],
      ['first', 'second', 'third'],
      ['second', 'first', 'third'],
      ...[['second'], ['first'], ['first'], ['first'], ['first'], ['third'], ['third', 'first'], ['second'], []],
    ]);
    assert.match(unnamed[1], /touchstone\.dataset_sha256.*touchstone\.seed.*Set them on its run/);
    assert.match(champion[1], /promoted here, through the gate/);
    assert.deepEqual(
      { ...others, run: others.run.status, changed: others.changed[0], deleted: others.deleted[0] },
      {
        ...{ again: 'RESOURCE_ALREADY_EXISTS', experiment: [true, { desk: 'north', team: 'risk' }, 'active'] },
        ...{ changed: 'INVALID_STATE', run: 'FINISHED', misread: 'INVALID_PARAMETER_VALUE', pages: [2, 1] },
        ...{ experiments: [['momentum'], ['momentum'], []], frame: 1, files: ['conf.json', 'notes', 'tables'] },
        ...{ below: [['tables/plain file.csv', 8]], text: 'hello', absent: 'RESOURCE_DOES_NOT_EXIST' },
        downloaded: ['conf.json', 'notes/hello.txt', 'tables/plain file.csv'],
        measured: { accuracy: '0.9', loss: '0.7', odd: 'nan', 'val-loss': '0.6' },
        ...{ logged: ['classifier'], name: 'INVALID_PARAMETER_VALUE' },
        version: ['momentum-classifier', '1', true, { why: 'first' }],
        ...{ alias: ['1', 'the first', ['shadow'], 'yes'], gone: 'RESOURCE_DOES_NOT_EXIST' },
        ...{ models: ['momentum-classifier'], versions: [['momentum-classifier', '1']], of: ['network'] },
        deleted: 'INVALID_STATE',
      },
    );
  } finally {
    await fresh.server.close();
    await fresh.db.close();
  }
});
