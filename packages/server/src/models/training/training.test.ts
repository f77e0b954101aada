import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { type TrainBody, type Training, trainBody } from '@touchstone/contracts/training';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addWorld, createGate, startTrainer, TENANT, type Trainer } from '../../../test/training-world.ts';
import type { Caller } from '../../platform/http/serve.ts';
import { ProblemError } from '../../platform/problem-error.ts';

const OWNER: Caller = {
  ...{ ...TENANT, role: 'owner', family: null, keyId: null },
  scopes: ['model:read', 'model:write', 'model:promote'],
};

let db: TestDatabase;
let universeId = 0;
const open = new Set<Trainer>();
before(async () => {
  db = await createTestDatabase();
  ({ universeId } = await addWorld(db, 3));
});
afterEach(closeAll);
after(() => db.close());

async function closeAll(): Promise<void> {
  for (const trainer of open) await trainer.close();
  open.clear();
}

/** The only one that takes tasks: each has a data folder of its own. */
async function trainer(change: Parameters<typeof startTrainer>[1] = {}): Promise<Trainer> {
  await closeAll();
  const started = await startTrainer(db, change);
  open.add(started);
  return started;
}

const ask = (change: Partial<TrainBody> = {}): TrainBody =>
  trainBody.parse({ universeId, effort: 'quick', targets: ['volatility_direction'], families: ['linear'], ...change });

/** Waits until a training is in one of the states, or has so many parts. */
async function until(by: Trainer, trainingId: number, isSo: (training: Training) => boolean): Promise<Training> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const training = await by.training.get(OWNER, trainingId);
    if (isSo(training)) return training;
    if (training.state === 'failed') throw new Error(`it failed: ${JSON.stringify(await problemOf(training))}`);
    assert.ok(performance.now() < deadline, JSON.stringify(training));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const isDone = ({ state }: Training) => state === 'done';

async function problemOf({ taskId }: Training): Promise<{ code: string; detail: string }> {
  const { rows } = await db.migrator.query('SELECT problem FROM task WHERE id = $1', [taskId]);
  return rows[0].problem;
}

async function trained(by: Trainer, body: TrainBody): Promise<Training> {
  const { trainingId } = await by.training.start(OWNER, body);
  return until(by, trainingId, isDone);
}

const bytesOf = ({ models }: Training) => models.map(({ family, artefactSha256 }) => [family, artefactSha256]);
const LEASE_MS = 600;
/** Nothing is kept: the next training does every part itself. */
const forgetParts = () => db.migrator.query('DELETE FROM work.training_part');

test('models are judged, registered with all they rest on, counted, and made again to the byte by any number of threads', async () => {
  const body = ask({ families: ['linear', 'gradient_boosted_trees', 'ensemble'] });
  const first = await trained(await trainer({ threads: 2 }), body);
  assert.deepEqual(
    first.models.map(({ family, version }) => [family, version]),
    [
      ['linear', 1],
      ['gradient_boosted_trees', 2],
      ['ensemble', 3],
    ],
  );
  assert.equal(first.partCount, 8);
  const [linear, trees] = first.models;
  assert.equal(linear!.model, `volatility-direction-u${universeId}`);
  assert.equal(linear!.skill?.trialCount, 3);
  assert.ok(linear!.skill!.value! > 0.6 && linear!.skill!.low! < linear!.skill!.value!);
  assert.deepEqual(
    linear!.skill!.baselines.map(({ name }) => name),
    ['past majority', '5-day above 22-day mean', 'EWMA above 22-day mean'],
  );
  assert.equal(trees!.skill!.baselines.at(-1)!.name, 'the linear model');
  const { rows } = await db.migrator.query(
    `SELECT manifest, run_id FROM model_version WHERE tenant_id = 7 AND artefact_sha256 = $1`,
    [first.models[2]!.artefactSha256],
  );
  const { manifest } = rows[0];
  assert.equal(manifest.datasetSha256, first.datasetSha256);
  assert.ok(manifest.features.includes('forecast:variance_week_month') && manifest.codeVersion === 'test');
  const weights = manifest.members.map(({ weight }: { weight: number }) => weight);
  assert.ok(Math.abs(weights.reduce((sum: number, weight: number) => sum + weight, 0) - 1) < 1e-9);

  await forgetParts();
  const other = await trainer({ threads: 1 });
  const again = await trained(other, body);
  assert.deepEqual(bytesOf(again), bytesOf(first));
  assert.equal(again.partsReused, 0);
  assert.equal(again.models[0]!.skill?.trialCount, 3, 'the same settings on the same data are no new trial');
  const third = await trained(other, body);
  assert.deepEqual([third.partsReused, bytesOf(third)], [8, bytesOf(first)]);
});

test('a training that is stopped goes on where it was', async () => {
  await forgetParts();
  const gate = createGate();
  const by = await trainer({ gate });
  const { trainingId, task } = await by.training.start(
    OWNER,
    ask({ families: ['linear', 'random_forest', 'ensemble'] }),
  );
  gate.open(2);
  await until(by, trainingId, ({ partsDone }) => partsDone === 2);
  await by.tasks.cancel(TENANT, task.id);
  const stopped = await until(by, trainingId, ({ state }) => state === 'cancelled');
  assert.deepEqual([stopped.partsDone, stopped.models], [2, []]);
  gate.open(100);
  const { rows: kept } = await db.migrator.query(
    'SELECT ordinal, result_sha256 FROM work.training_part WHERE training_id = $1 AND result_sha256 IS NOT NULL',
    [trainingId],
  );
  await by.tasks.retry(TENANT, task.id);
  const done = await until(by, trainingId, isDone);
  assert.equal(done.models.length, 3);
  const { rows: after } = await db.migrator.query(
    'SELECT ordinal, result_sha256 FROM work.training_part WHERE training_id = $1 AND ordinal = ANY ($2)',
    [trainingId, kept.map(({ ordinal }) => ordinal)],
  );
  assert.deepEqual(
    after.sort((a, b) => a.ordinal - b.ordinal),
    kept.sort((a, b) => a.ordinal - b.ordinal),
  );
});

/** Starts another process that helps with a training. */
function helper(by: Trainer, trainingId: number, hangs: boolean) {
  const settings = { connection: db.connection, home: by.home, trainingId, leaseMs: LEASE_MS, hangs };
  const file = path.join(import.meta.dirname, '../../../test/training-child.ts');
  return spawn(process.execPath, [file, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('a worker that is killed in the middle of a part changes nothing, and one that helps changes nothing either', async () => {
  const body = ask({ seed: 2 });
  const calm = await trained(await trainer(), body);
  for (const hangs of [true, false]) {
    await forgetParts();
    const gate = createGate();
    const by = await trainer({ gate, leaseMs: LEASE_MS });
    const { trainingId } = await by.training.start(OWNER, body);
    // The first part waits at the gate; the others are there to be taken.
    await until(by, trainingId, ({ partCount }) => partCount > 0);
    const child = helper(by, trainingId, hangs);
    const gone = once(child, 'exit');
    if (hangs) {
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
    } else await until(by, trainingId, ({ partsDone }) => partsDone === 3);
    await gone;
    gate.open(100);
    assert.deepEqual(bytesOf(await until(by, trainingId, isDone)), bytesOf(calm));
  }
});

test('a trainer that dies costs its own family only, and says so', async () => {
  await forgetParts();
  const by = await trainer({ worker: new URL('../../../test/training-failing.worker.ts', import.meta.url) });
  const done = await trained(by, ask({ families: ['linear', 'gradient_boosted_trees', 'ensemble'] }));
  assert.equal(done.partsFailed, 4);
  const [linear, trees, ensemble] = ['linear', 'gradient_boosted_trees', 'ensemble'].map((family) =>
    done.models.find((model) => model.family === family),
  );
  assert.ok(linear!.version !== null && linear!.artefactSha256 !== null);
  assert.equal(trees!.version, null);
  assert.match(trees!.verdict.sentence, /^It could not be made: /);
  assert.equal(ensemble!.verdict.sentence, 'It could not be made: it needs two members, and there are fewer.');
});

test('what passes the gate is promoted only where that was asked for, by somebody who may', async () => {
  const by = await trainer();
  const model = `forward-volatility-u${universeId}`;
  const plain = await trained(by, ask({ targets: ['forward_volatility'] }));
  assert.equal(plain.models[0]!.verdict.passed, true, plain.models[0]!.verdict.sentence);
  assert.deepEqual([plain.models[0]!.isRecommended, plain.models[0]!.promoted], [true, false]);
  await assert.rejects(
    by.training.start({ ...OWNER, scopes: ['model:write'] }, ask({ promote: 'if_passed' })),
    (error) => error instanceof ProblemError && error.code === 'FORBIDDEN',
  );
  const promoted = await trained(by, ask({ targets: ['forward_volatility'], promote: 'if_passed' }));
  assert.equal(promoted.models[0]!.promoted, true);
  const chain = await by.registry.servingChain(TENANT, model);
  assert.equal(chain.champion?.version, promoted.models[0]!.version);
});

test('an unknown universe, too little history and rows that are gone are answered by name', async () => {
  const by = await trainer();
  await assert.rejects(
    by.training.start(OWNER, ask({ universeId: 999 })),
    (error) => error instanceof ProblemError && error.code === 'NOT_FOUND',
  );
  const { trainingId } = await by.training.start(OWNER, ask({ from: '2022-01-03' }));
  const failed = await until(by, trainingId, ({ state }) => state === 'failed');
  const { code, detail } = await problemOf(failed);
  assert.equal(code, 'NOT_ENOUGH_HISTORY');
  assert.match(detail, /^No member of the universe has 504 sessions by then; the longest has 1\d\d\.$/);
  // Somebody deletes everything while it runs: the answer has a name, and running it again makes the rows anew.
  await forgetParts();
  const gate = createGate();
  const slow = await trainer({ gate });
  const lost = await slow.training.start(OWNER, ask({ seed: 3 }));
  gate.open(1);
  await until(slow, lost.trainingId, ({ partsDone }) => partsDone === 1);
  await rm(path.join(slow.home, 'objects'), { recursive: true, force: true });
  gate.open(100);
  const gone = await until(slow, lost.trainingId, ({ state }) => state !== 'running');
  assert.equal(gone.state, 'failed');
  assert.match((await problemOf(gone)).detail, /are gone\. Run it again: they are made anew\.$/);
  await slow.tasks.retry(TENANT, lost.task.id);
  assert.equal((await until(slow, lost.trainingId, isDone)).models.length, 1);
});
