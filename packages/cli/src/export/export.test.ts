import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32, gunzipSync } from 'node:zlib';
import type { ExportedRun } from './read-run.ts';
import { exportToMlflow } from './to-mlflow.ts';
import { toLog, toWandb } from './to-wandb.ts';

const HASH = 'a'.repeat(64);
const AT = '2026-01-15T22:00:00.500Z';

function aRun(metricCount: number): ExportedRun {
  const metrics = Array.from({ length: metricCount }, (_, i) => ({
    ...{ name: i % 2 === 0 ? 'loss' : 'skill', value: 1 / (i + 1), step: i >> 1, at: AT },
  }));
  return {
    run: {
      ...{ id: 12, experiment: 'volatility', model: 'volatility-direction', name: 'weekly', status: 'finished' },
      ...{ reason: null, datasetSha256: HASH, codeVersion: '0.1.0+abc', seed: 7, trialId: 3, tags: { desk: 'north' } },
      ...{ startedAt: AT, endedAt: '2026-01-15T22:05:00.000Z', createdBy: null, deletedAt: null },
      ...{ parameters: { trees: 200, rule: 'deep', note: 'ä\n"' }, metrics: [], versions: [] },
      artefacts: [{ name: 'notes/folds 1.json', sha256: HASH, byteCount: 2, createdAt: AT }],
    },
    ...{ metrics, leftOut: 0, readFile: async () => new TextEncoder().encode('{}') },
  };
}

function pythonOf(t: { skip(reason: string): void }): string | undefined {
  const python = [
    process.env.TOUCHSTONE_MLFLOW_PYTHON ?? '',
    path.join(import.meta.dirname, '../../../../.peers-mlflow/bin/python'),
  ].find((candidate) => candidate !== '' && existsSync(candidate));
  if (python === undefined)
    t.skip('mlflow and wandb are not installed here: npm run peers, or TOUCHSTONE_MLFLOW_PYTHON');
  return python;
}

/** Reads a log in blocks back. */
function fromLog(content: Buffer): Buffer[] {
  assert.deepEqual(content.subarray(0, 7), Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0]));
  const messages: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 7; at < content.length; ) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      at += left;
      continue;
    }
    const [size, kind] = [content.readUInt16LE(at + 4), content.readUInt8(at + 6)];
    const data = content.subarray(at + 7, at + 7 + size);
    assert.equal(content.readUInt32LE(at), crc32(data, crc32(Buffer.from([kind]))));
    assert.equal(kind === 1 || kind === 2, parts.length === 0, 'a message begins once');
    parts.push(data);
    if (kind === 1 || kind === 4) {
      messages.push(Buffer.concat(parts));
      parts = [];
    }
    at += 7 + size;
  }
  return messages;
}

test('messages of every length come back from the blocks of the log', () => {
  const lengths = [0, 1, 32_747, 32_754, 32_755, 32_761, 3, 70_000, 0, 7];
  for (let shift = 0; shift < 16; shift++) {
    const messages = [shift, ...lengths].map((length, i) => Buffer.alloc(length, i + 1));
    assert.deepEqual(fromLog(toLog(messages)), messages);
  }
});

test('wandb reads history, config and summary of an offline run', async (t) => {
  const { folder, file, content } = toWandb(aRun(3_000));
  assert.equal(`${folder}/${file}`, 'offline-run-20260115_220000-touchstone12/run-touchstone12.wandb');
  assert.equal(fromLog(content).length, 2 + 1_500 + 2);
  const python = pythonOf(t);
  if (python === undefined) return;
  const place = await mkdtemp('/tmp/touchstone-wandb-');
  try {
    await writeFile(path.join(place, file), content);
    const script = path.join(import.meta.dirname, 'read_wandb.py');
    const { stdout } = await promisify(execFile)(python, [script, path.join(place, file)], { maxBuffer: 1e8 });
    const told = JSON.parse(stdout);
    t.diagnostic(`wandb ${told.wandb}`);
    assert.deepEqual(told.run, ['touchstone12', 'volatility', 'weekly']);
    assert.deepEqual([told.config.trees, told.config.note, told.config['touchstone.seed']], [200, 'ä\n"', '7']);
    assert.equal(told.history.length, 1_500);
    assert.deepEqual(told.history[2], [
      2,
      { loss: 1 / 5, skill: 1 / 6, _step: 2, _timestamp: 1768514400.5, _runtime: 0 },
    ]);
    assert.deepEqual([told.summary.loss, told.summary._step], [1 / 2_999, 1_499]);
    assert.deepEqual([...new Set(told.kinds)], ['header', 'run', 'history', 'summary', 'exit']);
  } finally {
    await rm(place, { recursive: true });
  }
});

test('wandb sync sends history, config and summary of an offline run', async (t) => {
  const python = pythonOf(t);
  if (python === undefined) return;
  const { folder, file, content } = toWandb(aRun(10));
  const place = await mkdtemp('/tmp/touchstone-wandb-');
  const sent: { history: unknown[]; summary: unknown; config: string } = { history: [], summary: null, config: '' };
  // As much of W&B's server as a sync asks for.
  const bucket = {
    ...{ id: 'QQ==', name: 'touchstone12', displayName: 'weekly', config: '{}', historyLineCount: 0 },
    project: { id: 'UA==', name: 'volatility', entity: { id: 'RQ==', name: 'e' } },
  };
  const data = {
    viewer: { id: 'VQ==', entity: 'e', username: 'u', flags: '{}', teams: { edges: [] } },
    serverInfo: { cliVersionInfo: { max_cli_version: '99' }, features: [] },
    upsertBucket: { bucket, inserted: true },
    createRunFiles: { runID: 'QQ==', uploadHeaders: [], files: [] },
  };
  const server = createServer(async (request, response) => {
    const raw = Buffer.concat(await request.toArray());
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    if (request.url?.endsWith('file_stream')) {
      const { files = {} } = JSON.parse(text);
      for (const line of files['wandb-history.jsonl']?.content ?? []) sent.history.push(JSON.parse(line));
      for (const line of files['wandb-summary.json']?.content ?? []) sent.summary = JSON.parse(line);
    } else if (text.includes('UpsertBucket')) sent.config = JSON.parse(text).variables.config;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await mkdir(path.join(place, folder));
    await writeFile(path.join(place, folder, file), content);
    const { port } = server.address() as AddressInfo;
    const env = {
      ...{ ...process.env, WANDB_BASE_URL: `http://127.0.0.1:${port}`, WANDB_API_KEY: 'a'.repeat(40) },
      ...{ WANDB_ERROR_REPORTING: 'false', WANDB_CACHE_DIR: place, WANDB_CONFIG_DIR: place, WANDB_DATA_DIR: place },
    };
    const wandb = path.join(path.dirname(python), 'wandb');
    await promisify(execFile)(wandb, ['sync', '--yes', path.join(place, folder)], { env, cwd: place, timeout: 60_000 });
    const row = (step: number) => ({ loss: 1 / (2 * step + 1), skill: 1 / (2 * step + 2), _step: step });
    const times = { _timestamp: 1768514400.5, _runtime: 0 };
    assert.deepEqual(
      sent.history,
      [0, 1, 2, 3, 4].map((step) => ({ ...row(step), ...times })),
    );
    assert.deepEqual(sent.summary, { ...row(4), ...times });
    assert.deepEqual(JSON.parse(sent.config).trees, { value: 200 });
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(place, { recursive: true, maxRetries: 5, retryDelay: 200 });
  }
});

test('an MLflow server is asked for an experiment, a run, its values, its files and its end', async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const answers: Record<string, [number, object]> = {
      'experiments/get-by-name?experiment_name=volatility': [404, { error_code: 'RESOURCE_DOES_NOT_EXIST' }],
      'experiments/create': [200, { experiment_id: '4' }],
      'runs/create': [200, { run: { info: { run_id: 'r1', artifact_uri: 'mlflow-artifacts:/4/r1/artifacts' } } }],
    };
    if (request.url?.endsWith('log-batch')) assert.ok((JSON.parse(body).metrics ?? []).length <= 1_000);
    const [status, answer] = answers[request.url?.replace('/api/2.0/mlflow/', '') ?? ''] ?? [200, {}];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const done = await exportToMlflow(aRun(2_500), { url: `http://127.0.0.1:${port}/`, token: 'key' });
    assert.deepEqual(done, { runId: 'r1', experimentId: '4', files: ['notes/folds 1.json'], filesLeftOut: [] });
    assert.deepEqual(asked, [
      'GET /api/2.0/mlflow/experiments/get-by-name?experiment_name=volatility Bearer key',
      'POST /api/2.0/mlflow/experiments/create Bearer key',
      'POST /api/2.0/mlflow/runs/create Bearer key',
      ...Array(4).fill('POST /api/2.0/mlflow/runs/log-batch Bearer key'),
      'PUT /api/2.0/mlflow-artifacts/artifacts/4/r1/artifacts/notes/folds%201.json Bearer key',
      'POST /api/2.0/mlflow/runs/update Bearer key',
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

const ASK = `
import json, sys, importlib.metadata, mlflow
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
run = client.get_run(sys.argv[2])
print(json.dumps([importlib.metadata.version("mlflow"), run.info.run_name, run.info.status, run.data.params,
  run.data.tags["touchstone.dataset_sha256"], [[m.step, m.value] for m in client.get_metric_history(sys.argv[2], "loss")][:2],
  mlflow.artifacts.load_text("runs:/" + sys.argv[2] + "/notes/folds 1.json")]))
`;

test('a real MLflow server takes a run, and its client reads it', async (t) => {
  const python = pythonOf(t);
  if (python === undefined) return;
  const place = await mkdtemp('/tmp/touchstone-mlflow-');
  const port = 20_000 + (process.pid % 20_000);
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${place}/runs.db`, '--artifacts-destination', path.join(place, 'files')],
    ],
    { cwd: place, stdio: 'ignore', detached: true, env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' } },
  );
  try {
    await untilUp(`${url}/health`);
    const { runId, files } = await exportToMlflow(aRun(6), { url });
    assert.deepEqual(files, ['notes/folds 1.json']);
    const env = { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' };
    const { stdout } = await promisify(execFile)(python, ['-c', ASK, url, runId], { env });
    const [version, ...told] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    t.diagnostic(`mlflow ${version}`);
    const params = { trees: '200', rule: 'deep', note: 'ä\n"' };
    assert.deepEqual(told, [
      'weekly',
      'FINISHED',
      params,
      HASH,
      [
        [0, 1],
        [1, 1 / 3],
      ],
      '{}',
    ]);
  } finally {
    // The server has children of its own; it leads their group.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await rm(place, { recursive: true, maxRetries: 5, retryDelay: 200 });
  }
});

async function untilUp(url: string): Promise<void> {
  for (let i = 0; i < 240; i++) {
    const isUp = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await sleep(250);
  }
  throw new Error('The MLflow server did not start within a minute.');
}
