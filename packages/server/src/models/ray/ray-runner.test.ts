import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fitPart, type PartSpec, saveResult } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { saveTable, type TrainingTable } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { createRandom } from '@touchstone/quant/random/random';
import type { PartRunner } from '../training/part-runner.ts';
import type { PartJob } from '../training/training.worker.ts';
import { createRayJobs } from './jobs-api.ts';
import { createRayRunner } from './ray-runner.ts';

type Recorded = { ask: string; status: number; body: unknown };
type Exchange = Record<'succeeded' | 'failed' | 'killed' | 'stopped', Recorded[]> & {
  version: { ray_version: string };
};
const EXCHANGE: Exchange = JSON.parse(await readFile(new URL('./jobs-exchange.json', import.meta.url), 'utf8'));

/** Persistent noise and a coin: what a part needs, and nothing to find. */
function smallTable(): TrainingTable {
  const target = targetNamed('volatility_direction');
  const random = createRandom(1);
  const rowCount = 160;
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    ...{ target: target.name, featureNames: target.features.map(({ name }) => name), rowCount },
    ...{ asset: rows.map(() => 1), day: rows.map((row) => 15_000 + row), labelEnd: rows.map((row) => 15_005 + row) },
    label: Float64Array.from(rows, () => (random.uniform() < 0.5 ? 0 : 1)),
    forwardReturn: new Float64Array(rowCount),
    values: Float64Array.from({ length: rowCount * target.features.length }, () => random.normal()),
  };
}
const TABLE = smallTable();
const SPEC: PartSpec = {
  ...{ family: 'linear', learner: 'logistic', settings: { penalty: 10 }, seed: 1, stepCount: 1, rowsMax: null },
  ...{ walk: { foldCount: 2, firstShare: 0.5, embargoDays: 0 }, fold: 1 },
};
const JOB: PartJob = { tableSha256: 'a'.repeat(64), tableBytes: saveTable(TABLE), spec: SPEC };
const HERE = Buffer.from(saveResult(fitPart(TABLE, SPEC)));

const threads: PartRunner = {
  runsOn: 'threads',
  note: () => null,
  run: async ({ spec }) => ({ bytes: saveResult(fitPart(TABLE, spec)), seconds: 0 }),
};

let folder = '';
before(async () => {
  folder = await mkdtemp('/tmp/touchstone-ray-');
});
after(() => rm(folder, { recursive: true, force: true }));
const servers = new Set<Server>();
afterEach(() => {
  for (const server of servers) server.close();
  servers.clear();
});

type Plan = 'succeeded' | 'killed' | 'hangs' | 'lies';
type Job = { plan: Plan; answers: Recorded[]; logs: string; ended: boolean };

/** Answers of a recorded job to those who ask where it stands. */
const statesOf = (kind: 'succeeded' | 'failed' | 'killed') =>
  EXCHANGE[kind].filter(({ ask }) => /^GET .*recorded-\d$/.test(ask));

/** Does the part itself, or dies, as told. */
function begin(plan: Plan, entrypoint: string): Job {
  const job: Job = {
    plan,
    answers: statesOf(plan === 'killed' ? 'killed' : 'succeeded'),
    logs: '',
    ended: plan === 'killed',
  };
  if (plan === 'killed' || plan === 'hangs') return job;
  const child = spawn('sh', ['-c', entrypoint], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      job.logs += chunk;
    });
  child.on('close', (code) => {
    if (code !== 0) job.answers = statesOf('failed').slice(-1);
    if (plan === 'lies') job.logs = job.logs.replace(/"sha256":"../, '"sha256":"zz');
    job.ended = true;
  });
  return job;
}

/** The next recorded answer; the last only when the part has ended. */
function stateOf(job: Job): Recorded {
  if (job.answers.length > 1) return job.answers.shift()!;
  return job.ended ? job.answers[0]! : statesOf('succeeded').at(-2)!;
}

/** Answers as Ray was recorded to, each job as planned; those that were not planned do their part. */
async function replay(plans: readonly Plan[]): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const jobs = new Map<string, Job>();
  const answerTo = (line: string, text: string): { status: number; body: unknown } => {
    if (line === 'POST /api/jobs/') {
      const { submission_id: id, entrypoint } = JSON.parse(text);
      jobs.set(id, begin(plans[jobs.size] ?? 'succeeded', entrypoint));
      return { status: 200, body: { job_id: id, submission_id: id } };
    }
    const id = line.split('/')[3] ?? '';
    const job = jobs.get(id);
    if (job === undefined) return { status: 404, body: `Job ${id} does not exist` };
    if (line.endsWith('/logs')) return { status: 200, body: { logs: job.logs } };
    if (line.endsWith('/stop')) return { status: 200, body: { stopped: true } };
    return line.startsWith('DELETE') ? { status: 200, body: { deleted: true } } : stateOf(job);
  };
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(line);
    let text = '';
    for await (const chunk of request) text += chunk;
    // The dashboard lets what looks like a browser change nothing.
    const isBrowser = request.method !== 'GET' && request.headers['sec-fetch-mode'] !== undefined;
    const { status, body } = isBrowser ? { status: 405, body: 'not for browsers' } : answerTo(line, text);
    response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  assert.ok(at !== null && typeof at === 'object');
  return { address: `http://127.0.0.1:${at.port}`, asked };
}
const ray = (address: string, log?: { warn(fields: object): void }) =>
  createRayRunner({ address, folder, command: null, jobs: 2 }, threads, log);
const never = new AbortController().signal;

test('a part done by the cluster comes back with the bytes of a part done here, and leaves nothing behind', async () => {
  const { address, asked } = await replay([]);
  const runner = ray(address);
  const { bytes, seconds } = await runner.run(JOB, never);
  assert.deepEqual(Buffer.from(bytes), HERE);
  assert.ok(seconds > 0 && runner.note() === null);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(asked[0], 'POST /api/jobs/');
  assert.match(asked.at(-1)!, /^DELETE /);
  assert.equal(EXCHANGE.version.ray_version, '2.60.0');
});

test('a job that dies is given again, and so is one whose result is not what was written', async () => {
  const { address } = await replay(['killed', 'lies', 'succeeded']);
  const warned: object[] = [];
  const runner = ray(address, { warn: (fields) => warned.push(fields) });
  assert.deepEqual(Buffer.from((await runner.run(JOB, never)).bytes), HERE);
  assert.equal(warned.length, 2);
  assert.match(JSON.stringify(warned[0]), /RAY_JOB_DIED.*-1".*exit code -9/);
});

test('what the part itself fails with is told and not tried again', async () => {
  const { address, asked } = await replay([]);
  await assert.rejects(
    ray(address).run({ ...JOB, spec: { ...SPEC, learner: 'oracle' } }, never),
    /^Error: there is no learner oracle$/,
  );
  assert.equal(asked.filter((line) => line.startsWith('POST')).length, 1);
});

test('while the cluster is away, or loses every job, own threads do the work and the reason is told', async () => {
  const warned: object[] = [];
  const away = ray('http://127.0.0.1:1', { warn: (fields) => warned.push(fields) });
  for (let k = 0; k < 3; k++) assert.deepEqual(Buffer.from((await away.run(JOB, never)).bytes), HERE);
  assert.match(
    away.note()!,
    /^The Ray cluster is away, own threads do its parts: no answer from http:\/\/127.0.0.1:1: ECONNREFUSED/,
  );
  assert.equal(warned.length, 1, 'it is not asked again at once');
  const { address } = await replay(['killed', 'killed', 'killed']);
  const losing = ray(address);
  assert.deepEqual(Buffer.from((await losing.run(JOB, never)).bytes), HERE);
  assert.match(losing.note()!, /a part was lost 3 times/);
});

test('a part that is no longer wanted is stopped there', async () => {
  const { address, asked } = await replay(['hangs']);
  const stopping = new AbortController();
  const running = ray(address).run(JOB, stopping.signal);
  while (!asked.some((line) => line.startsWith('GET'))) await sleep(10);
  stopping.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
  assert.ok(asked.some((line) => line.endsWith('/stop')));
});

const BINARY = process.env.TOUCHSTONE_RAY;
test('a real Ray head does a part to the same bytes, names a failing one, and stops one', {
  skip: BINARY === undefined && 'TOUCHSTONE_RAY names no ray program: the recorded exchange was replayed instead',
}, async () => {
  const temp = await mkdtemp('/tmp/rt-');
  const first = 20_000 + (process.pid % 400) * 100;
  const ports = ['port', 'dashboard-port', 'ray-client-server-port', 'dashboard-agent-listen-port'].map(
    (name, k) => `--${name}=${first + k}`,
  );
  const head = spawn(
    String(BINARY),
    [
      ...['start', '--head', '--block', '--include-dashboard=true', '--dashboard-host=127.0.0.1', '--num-cpus=1'],
      ...['--disable-usage-stats', '--object-store-memory=80000000', `--temp-dir=${temp}`, ...ports],
      ...[`--min-worker-port=${first + 20}`, `--max-worker-port=${first + 90}`],
    ],
    { stdio: 'ignore' },
  );
  try {
    const address = `http://127.0.0.1:${first + 1}`;
    const jobs = createRayJobs(address);
    const isUp = () =>
      jobs.ask('GET', '/api/version').then(
        ({ status }) => status === 200,
        () => false,
      );
    for (let k = 0; k < 240 && !(await isUp()); k++) await sleep(500);
    const runner = ray(address);
    const done = await Promise.all([runner.run(JOB, never), runner.run(JOB, never)]);
    assert.equal(runner.note(), null);
    for (const { bytes } of done) assert.deepEqual(Buffer.from(bytes), HERE);
    await assert.rejects(
      runner.run({ ...JOB, spec: { ...SPEC, learner: 'oracle' } }, never),
      /^Error: there is no learner oracle$/,
    );
    const hanging = createRayRunner({ address, folder, command: 'sleep 100;', jobs: 1 }, threads);
    const stopping = new AbortController();
    const running = hanging.run(JOB, stopping.signal);
    await sleep(4_000);
    stopping.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
  } finally {
    const ended = new Promise((resolve) => head.once('exit', resolve));
    head.kill('SIGTERM');
    await ended;
    await rm(temp, { recursive: true, force: true });
  }
});
