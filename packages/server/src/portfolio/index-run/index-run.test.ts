import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addRun, addSource, addTenant, publish, type TestBar } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { createCoverage, createDatasetService } from '../../features/index.ts';
import type { Principal } from '../../platform/database/database.ts';
import { createFolderStore } from '../../platform/object-store/object-store.ts';
import type { TaskContext, Tasks } from '../../platform/tasks/tasks.ts';
import { createIndexService } from '../index/index.service.ts';
import { createUniverseService } from '../universe/universe.service.ts';
import { createIndexRunService, universeQuestion } from './index-run.service.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2019-01-02'), dayNumber('2020-06-30')), dayText);
const PARAMETERS = {
  rebalanceEveryDays: 5,
  maxNames: 50,
  maxWeight: 0.4,
  momentumPillar: 0.4,
  capPillar: 0.3,
  riskPillar: 0.3,
};

let db: TestDatabase;
let folder: string;
let who: Principal;
let other: Principal;
before(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp('/tmp/touchstone-objects-');
  who = await addTenant(db.migrator, 5);
  other = await addTenant(db.migrator, 6);
});
after(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const notUsed: Tasks = {
  register: () => {},
  start: () => Promise.reject(new Error('this test runs the work itself')),
};

function services() {
  const objects = createFolderStore(folder);
  const { database, connection } = db;
  return {
    objects,
    universes: createUniverseService(database),
    indexes: createIndexService(database, createCoverage(objects)),
    datasets: createDatasetService(database, objects, universeQuestion),
    runs: createIndexRunService({
      database,
      objects,
      objectsFolder: folder,
      connection,
      compute: inlineCompute,
      tasks: notUsed,
      codeVersion: 'test',
    }),
  };
}

function context(principal: Principal): TaskContext {
  return { principal, taskId: 1, signal: new AbortController().signal, progress: () => {} };
}

function randomBars(instrumentIds: readonly number[], seed: number): TestBar[] {
  const random = createRandom(seed);
  return instrumentIds.flatMap((instrumentId) => {
    let close = 50 + 50 * random.uniform();
    return DAYS.map((day) => {
      close *= 1 + 0.012 * random.normal();
      return { instrumentId, day, close };
    });
  });
}

async function makeIndex(code: string, symbols: readonly string[]) {
  const { universes, indexes } = services();
  const made = await db.database.transaction(who, async (tx) => {
    const sourceId = await addSource(tx, code);
    const ids = [];
    for (const symbol of symbols) ids.push(await addInstrument(tx, `${code}-${symbol}`));
    await addBars(tx, sourceId, randomBars(ids, 3));
    return { sourceId, ids };
  });
  const universe = await universes.create(who, {
    name: `${code} universe`,
    description: '',
    rule: 'all_of_source',
    sourceId: made.sourceId,
    visibility: 'tenant',
    members: [],
  });
  const index = await indexes.create(who, {
    name: `${code} index`,
    description: '',
    universeId: universe.id,
    method: 'three_pillar',
    parameters: PARAMETERS,
    currency: 'USD',
    costBasisPoints: 10,
    firstDay: '2019-04-01',
    baseValue: 100,
    benchmarkInstrumentId: made.ids[0]!,
    visibility: 'tenant',
  });
  return { ...made, universe, index };
}

test('an index is computed from a frozen dataset, and the same question gives the same hashes', async () => {
  const { runs } = services();
  const { index } = await makeIndex('first', ['AA', 'BB', 'CC', 'DD']);
  const one = await runs.run({ indexId: index.id }, context(who));
  const two = await runs.run({ indexId: index.id }, context(who));
  assert.equal(one.datasetSha256, two.datasetSha256);
  assert.equal(one.resultSha256, two.resultSha256);
  assert.deepEqual([one.runNumber, two.runNumber], [1, 2]);
  const levels = await runs.levels(who, index.id, {});
  assert.equal(levels.days[0], '2019-04-01');
  assert.equal(levels.level[0], 100);
  assert.equal(levels.days.at(-1), DAYS.at(-1));
  assert.ok(levels.level.at(-1)! < levels.levelGross.at(-1)!, 'costs lower the level');
  assert.equal(levels.benchmark?.length, levels.days.length);
});

test('the time machine shows a prefix of a run: no later day, no other number', async () => {
  const { runs } = services();
  const { index } = await makeIndex('machine', ['AA', 'BB', 'CC']);
  await runs.run({ indexId: index.id }, context(who));
  const whole = await runs.levels(who, index.id, {});
  const then = await runs.levels(who, index.id, { knownAt: '2019-12-31T22:00:00.000Z' });
  assert.equal(then.days.at(-1), '2019-12-31');
  assert.deepEqual(then.level, whole.level.slice(0, then.level.length));
  assert.equal(then.time.reconstructed, true);
  const hour = await runs.levels(who, index.id, { knownAt: '2019-12-31T20:59:00.000Z' });
  assert.equal(hour.days.at(-1), '2019-12-30', 'a level is known an hour after the close');
  const holdings = await runs.holdings(who, index.id, { knownAt: '2019-12-31T22:00:00.000Z' });
  assert.ok(holdings.day! <= '2019-12-31');
  assert.ok(Math.abs(holdings.items.reduce((sum, item) => sum + item.weight, 0) + holdings.cashWeight - 1) < 1e-9);
  assert.ok(holdings.items.every((item) => item.riskScore !== null));
});

test('a correction changes no run made before it, and the next run only from the day it was known', async () => {
  const { runs } = services();
  const { index, ids, sourceId } = await makeIndex('correct', ['AA', 'BB', 'CC']);
  await runs.run({ indexId: index.id }, context(who));
  const before = await runs.levels(who, index.id, {});
  await db.database.transaction(who, (tx) =>
    addBars(tx, sourceId, [
      { instrumentId: ids[1]!, day: '2019-08-01', close: 500, knownAt: '2019-10-01T12:00:00.000Z' },
    ]),
  );
  assert.deepEqual(await runs.levels(who, index.id, {}), before);
  await runs.run({ indexId: index.id }, context(who));
  const after = await runs.levels(who, index.id, {});
  const known = before.days.indexOf('2019-10-01');
  assert.deepEqual(after.level.slice(0, known), before.level.slice(0, known));
  assert.notDeepEqual(after.level.slice(known), before.level.slice(known));
  assert.deepEqual((await runs.levels(who, index.id, { runNumber: 1 })).level, before.level);
});

test('figures stand beside their baselines, with interval, period, cost and number of trials', async () => {
  const { runs } = services();
  const { index } = await makeIndex('figures', ['AA', 'BB', 'CC']);
  await runs.run({ indexId: index.id }, context(who));
  const performance = await runs.performance(who, index.id, {});
  assert.deepEqual(
    performance.columns.map((column) => column.name),
    ['index', 'index_next_close', 'equal_weight', 'buy_and_hold', 'benchmark'],
  );
  assert.equal(performance.trialCount, 1);
  assert.equal(performance.firstDay, '2019-04-01');
  for (const metric of performance.columns[0]!.metrics) {
    assert.ok(metric.value !== null || metric.reason !== null, `${metric.name} has neither value nor reason`);
    if (metric.interval) assert.ok(metric.interval[0] <= metric.interval[1]);
  }
  const sharpe = performance.columns[0]!.metrics.find((metric) => metric.name === 'sharpe')!;
  assert.ok(sharpe.interval !== null);
  const short = await runs.performance(who, index.id, { from: '2020-06-26' });
  assert.ok(short.columns[0]!.metrics.every((metric) => metric.interval === null && metric.reason !== null));
  await assert.rejects(runs.performance(who, index.id, { from: '2030-01-01' }), { code: 'NOT_ENOUGH_HISTORY' });
});

test('a dataset is frozen once, downloads as Arrow, and two are compared bar by bar', async () => {
  const { datasets } = services();
  const { universe, ids, sourceId } = await makeIndex('frozen', ['AA', 'BB']);
  const first = await datasets.freeze(who, { universeId: universe.id, to: '2019-03-29' });
  assert.deepEqual(await datasets.freeze(who, { universeId: universe.id, to: '2019-03-29' }), first);
  await db.database.transaction(who, (tx) =>
    addBars(tx, sourceId, [
      { instrumentId: ids[0]!, day: '2019-03-01', close: 77, knownAt: null },
      { instrumentId: ids[0]!, day: '2019-03-02', close: 78, knownAt: null },
    ]),
  );
  const second = await datasets.freeze(who, { universeId: universe.id, to: '2019-03-29' });
  assert.notEqual(second.sha256, first.sha256);
  const diff = await datasets.diff(who, first.sha256, second.sha256, 10);
  assert.deepEqual(
    { added: diff.added, removed: diff.removed, changed: diff.changed },
    { added: 1, removed: 0, changed: 1 },
  );
  assert.deepEqual(
    diff.examples.map((example) => [example.change, example.day, example.after?.close]),
    [
      ['changed', '2019-03-01', 77],
      ['added', '2019-03-02', 78],
    ],
  );
  const { stream } = await datasets.file(who, first.sha256);
  const [head] = await stream.take(1).toArray();
  assert.equal(head.subarray(0, 6).toString(), 'ARROW1');
  const again = await datasets.freeze(who, {
    universeId: universe.id,
    to: '2019-03-29',
    knownAt: first.time.knownAt,
    recordedAt: first.time.recordedAt,
  });
  assert.equal(again.sha256, first.sha256, 'the same times give the same answer after the facts have grown');
});

test('several currencies need rates, and get them as they were known', async () => {
  const { indexes, runs } = services();
  const { index, ids } = await makeIndex('euro', ['AA', 'BB']);
  const euro = await indexes.update(who, index.id, { currency: 'EUR', version: index.version });
  assert.equal(euro.currency, 'EUR');
  await assert.rejects(runs.run({ indexId: index.id }, context(who)), /no exchange rate between USD and EUR/);
  await db.database.transaction(who, async (tx) => {
    const sourceId = await addSource(tx, 'ecb');
    const runId = await addRun(tx, sourceId, 'exchange_rates');
    await tx.query
      .insertInto('exchange_rate')
      .values(
        DAYS.map((day, t) => ({
          tenant_id: who.tenantId,
          base: 'EUR',
          quote: 'USD',
          day,
          run_id: runId,
          source_id: sourceId,
          known_at: `${day}T15:00:00.000Z`,
          value: t < 200 ? 1.1 : 1.21,
        })),
      )
      .execute();
    await publish(tx, runId, { min: `${DAYS[0]}T15:00:00.000Z`, max: `${DAYS.at(-1)}T15:00:00.000Z` });
  });
  await runs.run({ indexId: index.id }, context(who));
  const inEuro = await runs.levels(who, index.id, {});
  await indexes.update(who, index.id, { currency: 'USD', version: euro.version });
  await runs.run({ indexId: index.id }, context(who));
  const inDollars = await runs.levels(who, index.id, {});
  const day = inEuro.days.indexOf(DAYS[200]!);
  const growth = (levels: number[]) => levels[day]! / levels[day - 1]!;
  assert.ok(Math.abs(growth(inEuro.buyAndHold) / growth(inDollars.buyAndHold) - 1.1 / 1.21) < 1e-9);
  assert.equal(ids.length, 2);
});

test('an index is edited by version, deleted, brought back, and another tenant sees none of it', async () => {
  const { indexes, universes } = services();
  const { index, universe } = await makeIndex('edit', ['AA']);
  const renamed = await indexes.update(who, index.id, { name: 'edited', version: index.version });
  assert.equal(renamed.name, 'edited');
  assert.equal(renamed.createdAt, index.createdAt);
  await assert.rejects(indexes.update(who, index.id, { name: 'too late', version: index.version }), {
    code: 'CONFLICT',
  });
  await assert.rejects(universes.delete(who, universe.id), { code: 'NOT_POSSIBLE_NOW' });
  await indexes.delete(who, index.id);
  await assert.rejects(indexes.get(who, index.id), { code: 'NOT_FOUND' });
  assert.equal((await indexes.undelete(who, index.id)).name, 'edited');
  await assert.rejects(indexes.get(other, index.id), { code: 'NOT_FOUND' });
  await assert.rejects(indexes.update(other, index.id, { name: 'x', version: 1 }), { code: 'NOT_FOUND' });
  await assert.rejects(indexes.delete(other, index.id), { code: 'NOT_FOUND' });
  await assert.rejects(universes.get(other, universe.id), { code: 'NOT_FOUND' });
});

test('a universe of a list takes members with days and refuses unknown ones', async () => {
  const { universes } = services();
  const { ids, sourceId } = await makeIndex('list', ['AA', 'BB']);
  const wanted = { name: 'two', description: '', rule: 'list' as const, sourceId, visibility: 'private' as const };
  const made = await universes.create(who, {
    ...wanted,
    members: [{ instrumentId: ids[0]!, firstDay: '2019-06-03', lastDay: null }],
  });
  assert.equal(made.memberCount, 1);
  const changed = await universes.update(who, made.id, {
    version: made.version,
    members: ids.map((instrumentId) => ({ instrumentId, firstDay: null, lastDay: null })),
  });
  assert.equal(changed.memberCount, 2);
  await assert.rejects(
    universes.update(who, made.id, {
      version: changed.version,
      members: [{ instrumentId: 999_999, firstDay: null, lastDay: null }],
    }),
    /no instrument 999999/,
  );
});
