import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import {
  type AutomlAnswer,
  type AutomlBody,
  automlAnswer,
  automlBody,
  FAMILIES_BY_SIMPLICITY,
} from '@touchstone/contracts/automl';
import { type Searcher, startSearcher } from '../../../test/automl-world.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addWorld, TENANT } from '../../../test/training-world.ts';
import type { Caller } from '../../platform/http/serve.ts';
import type { PartRunner } from '../training/part-runner.ts';
import { countDistinctTrials, listTrialsPage } from '../trials/trial.repository.ts';

const OWNER: Caller = {
  ...{ ...TENANT, role: 'owner', family: null, keyId: null },
  scopes: ['model:read', 'model:write', 'task:write'],
};

let db: TestDatabase;
let universeId = 0;
let home = '';
before(async () => {
  db = await createTestDatabase();
  home = await mkdtemp('/tmp/touchstone-automl-');
  ({ universeId } = await addWorld(db, 3));
});
afterEach(closeAll);
after(async () => {
  await db.close();
  await rm(home, { recursive: true, force: true });
});

const open = new Set<Searcher>();
async function closeAll(): Promise<void> {
  for (const searcher of open) await searcher.close();
  open.clear();
}

/** The only one that takes tasks. */
async function searcher(threads: number, change?: (runner: PartRunner) => PartRunner): Promise<Searcher> {
  await closeAll();
  const made = await startSearcher(db, { home, threads }, change);
  open.add(made);
  return made;
}

const ask = (change: Partial<AutomlBody> = {}): AutomlBody =>
  automlBody.parse({
    ...{ universeId, target: 'volatility_direction', effort: 'quick', seconds: 3_600, workUnits: 12 },
    ...{ families: ['linear', 'random_forest', 'ensemble'], ...change },
  });

async function until(by: Searcher, id: number, isSo: (search: AutomlAnswer) => boolean): Promise<AutomlAnswer> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const told = await by.automl.get(OWNER, id);
    if (isSo(told)) return told;
    const { rows } = await db.migrator.query('SELECT problem FROM task WHERE id = $1', [told.taskId]);
    if (told.state === 'failed') throw new Error(JSON.stringify(rows[0].problem));
    assert.ok(performance.now() < deadline, JSON.stringify(told));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const isDone = ({ state }: AutomlAnswer) => state === 'done';
async function searched(by: Searcher, body: AutomlBody): Promise<AutomlAnswer> {
  const { automlId } = await by.automl.start(OWNER, body);
  return until(by, automlId, isDone);
}
const forget = () => db.migrator.query('DELETE FROM work.automl_part');

/** What must be equal whoever did it and however often. */
const core = ({ trials, chosen, unitsDone, ended, outerFrom, bias }: AutomlAnswer) => ({
  trials: trials.map(({ seconds: _, reused: __, trialId: ___, ...trial }) => trial),
  chosen:
    chosen === null
      ? null
      : { ...chosen, version: 0, trialId: 0, skill: { ...chosen.skill, trialCount: 0 }, verdict: 0 },
  ...{ unitsDone, ended, outerFrom, bias },
});

test('a search tries, stops early, finds equals, and registers the simplest with its skill on days no choice has seen', async () => {
  const by = await searcher(2);
  const told = await searched(by, ask());
  automlAnswer.parse(told);
  assert.deepEqual(
    [told.ended, told.unitsDone <= 12, told.unitsDone >= 11, told.ranOn],
    ['work_units', true, true, 'threads'],
  );
  assert.deepEqual(
    told.trials.slice(0, 2).map(({ family, state }) => [family, state]),
    [
      ['linear', 'finished'],
      ['random_forest', 'finished'],
    ],
  );
  assert.ok(told.trials.some(({ state }) => state === 'stopped'));
  for (const { inner, blocks, trialId } of told.trials)
    assert.ok(
      inner !== null && inner.low <= inner.value && inner.value <= inner.high && blocks >= 1 && trialId !== null,
    );
  const chosen = told.chosen!;
  const equals = told.trials.filter(({ inSet }) => inSet);
  assert.ok(equals.length >= 1 && equals.every(({ state }) => state === 'finished'));
  if (chosen.family !== 'ensemble') {
    const simplest = Math.min(...equals.map(({ family }) => FAMILIES_BY_SIMPLICITY.indexOf(family)));
    assert.equal(FAMILIES_BY_SIMPLICITY.indexOf(chosen.family), simplest);
  }
  assert.ok(chosen.version === 1 && chosen.skill!.firstDay! >= told.outerFrom! && chosen.skill!.baselines.length >= 1);
  assert.ok(chosen.outer !== null && chosen.outer.low < chosen.outer.value);
  assert.match(told.bias!, /^Chosen among \d+ trials by an inner loss .* On days no choice has seen/);
  const ledger = await db.database.transaction(OWNER, async (tx) => ({
    rows: await listTrialsPage(tx, { before: undefined, limit: 500 }),
    distinct: await countDistinctTrials(tx, told.datasetSha256!),
  }));
  assert.equal(
    ledger.rows.filter(({ kind }) => kind === 'automl').length,
    told.trials.reduce((sum, { rung }) => sum + rung, 0),
  );
  assert.equal(ledger.distinct, told.trials.length + 1);
  assert.equal(chosen.skill!.trialCount, ledger.distinct);
  const { rows } = await db.migrator.query(`SELECT kind FROM evidence WHERE kind LIKE 'automl%' ORDER BY kind DESC`);
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['automl.started', 'automl.done'],
  );

  // The same question again costs no fit, and another number of threads changes no byte.
  const again = await searched(by, ask());
  assert.deepEqual(core(again), core(told));
  assert.equal(again.trialsReused, again.trialCount);
  await forget();
  const alone = await searched(await searcher(1), ask());
  assert.deepEqual(core(alone), core(told));
  assert.equal(alone.trialsReused, 0);
});

test('a search that is stopped goes on where it was, with the same end', async () => {
  const whole = await searched(await searcher(2), ask({ seed: 5 }));
  await forget();
  let done = 0;
  const by = await searcher(2, (runner) => ({
    ...runner,
    async run(job, signal) {
      done += 1;
      // Nobody goes on before the search was stopped.
      if (done > 6) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return runner.run(job, signal);
    },
  }));
  const { automlId } = await by.automl.start(OWNER, ask({ seed: 5 }));
  const half = await until(by, automlId, ({ trials }) => trials.length > 0 && done > 6);
  await closeAll();
  assert.ok(half.trialCount < whole.trialCount && half.chosen === null);
  const ended = await until(await searcher(1), automlId, isDone);
  assert.deepEqual(core(ended), core(whole));
});

test('trials that fail are told with their reason, stay in the ledger, and the others are judged', async () => {
  await forget();
  const by = await searcher(1, (runner) => ({
    ...runner,
    run: (job, signal) =>
      job.spec.family === 'random_forest'
        ? Promise.reject(new RangeError('no forest grows here'))
        : runner.run(job, signal),
  }));
  const told = await searched(by, ask({ seed: 9, workUnits: 8 }));
  const failed = told.trials.filter(({ state }) => state === 'failed');
  assert.ok(
    failed.length >= 1 &&
      failed.every(({ problem, trialId }) => problem === 'no forest grows here' && trialId !== null),
  );
  assert.equal(told.chosen!.family, 'linear');
  await assert.rejects(by.automl.get(OWNER, 999_999), /There is no search 999999/);
  await assert.rejects(by.automl.start(OWNER, ask({ universeId: 999_999 })), /999999/);
  assert.deepEqual((await by.automl.list(OWNER, { before: undefined, limit: 2 })).length, 2);
});
