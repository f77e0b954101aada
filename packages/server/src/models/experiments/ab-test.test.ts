import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { abTest, abTestResult, powerAnswer } from '@touchstone/contracts/experiments';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { addScored, type ScoredPrediction } from '../../../test/models/scored-predictions.ts';
import { makeForecaster, promote, registerModel, walk } from '../../../test/models/served-model.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { systemClock } from '../../platform/clock/clock.ts';
import type { Principal } from '../../platform/database/database.ts';
import { verifyEvidence } from '../../platform/evidence/evidence.ts';
import { createRegistry, createServing, createWatching, type Registry, type Watching } from '../index.ts';

const TENANT: Principal = { tenantId: 5, actorId: null };
/** Of days to come: what is said of them is on record before anybody could know. */
const DAYS = Array.from(tradingDays('XNYS', dayNumber('2031-01-02'), dayNumber('2033-12-30')), dayText);
const PAST = Array.from(tradingDays('XNYS', dayNumber('2025-01-02'), dayNumber('2026-06-30')), dayText);

let db: TestDatabase;
let server: TestServer;
let registry: Registry;
let watching: Watching;
let manager: string;
let viewer: string;
let stranger: string;
let instruments: number[];

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    wire: ({ serve, database, objects, tasks }) => {
      const universeBars = async () => ({ name: 'all', sourceId: 1, instrumentIds: instruments });
      const series = createSeriesService(database, universeBars);
      registry = createRegistry({ database, objects, codeVersion: 'test' });
      const parts = { database, registry, series, tasks, universeBars, compute: inlineCompute, codeVersion: 'test' };
      watching = createWatching(parts);
      watching.registerRoutes(serve);
      createServing({ ...parts, clock: systemClock, answering: watching.answering }).registerRoutes(serve);
    },
  });
  manager = await server.tokenFor('manager', TENANT.tenantId);
  viewer = await server.tokenFor('viewer', TENANT.tenantId);
  stranger = await server.tokenFor('owner', 6);
  await db.database.transaction(TENANT, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    instruments = [];
    for (const [k, symbol] of ['ONE', 'TWO', 'THREE', 'FOUR'].entries()) {
      instruments.push(await addInstrument(tx, symbol));
      await addBars(tx, source, walk(instruments[k]!, PAST, k + 1));
    }
  });
});
after(async () => {
  await server.close();
  await db.close();
});

/** A model with two versions, the first of them champion. */
async function twoVersions(
  name: string,
  target: 'volatility_direction' | 'forward_volatility' = 'volatility_direction',
) {
  let modelId = 0;
  for (const seed of [1, 2]) {
    const made = await db.database.transaction(TENANT, (tx) =>
      registerModel(tx, registry, name, makeForecaster({ target, seed })),
    );
    modelId = made.modelId;
  }
  await promote(db.database, TENANT, registry, { model: name, version: 1, expected: null });
  return modelId;
}

/** What both versions say of the same questions; the second is nearer to the truth by `better` on average. */
function saidOf(days: readonly string[], better: number, seed: number): ScoredPrediction[] {
  const random = createRandom(seed);
  return days.flatMap((eventDay) =>
    instruments.slice(0, 2).flatMap((instrumentId): ScoredPrediction[] => {
      const outcome = Number(random.uniform() < 0.5);
      const miss = 0.45 + 0.1 * random.normal();
      const value = (off: number) => Math.min(1, Math.max(0, outcome === 1 ? 1 - off : off));
      return [
        { version: 1, instrumentId, eventDay, value: value(miss), outcome },
        { version: 2, instrumentId, eventDay, value: value(miss - better + 0.05 * random.normal()), outcome },
      ];
    }),
  );
}

const create = (name: string, body: object, token = manager) =>
  server.call('POST', `/models/${name}/ab-tests`, {
    token,
    body: { controlVersion: 1, treatmentVersion: 2, metric: 'brier', effect: 0.02, ...body },
  });

async function read(id: unknown) {
  const reply = await server.call('GET', `/ab-tests/${id}`, { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  return { test: abTest.parse(reply.json.test), result: abTestResult.parse(reply.json.result) };
}

const dayOf = (instant: unknown) => String(instant).slice(0, 10);

test('a test that could not find its effect is refused with the numbers', async () => {
  await twoVersions('hopeless');
  const refused = await create('hopeless', { effect: 0.0001, longRunDeviation: 0.06 });
  assert.equal(refused.status, 422, refused.text);
  assert.equal(refused.json.code, 'UNDERPOWERED');
  assert.match(String(refused.json.detail), /takes more than four centuries|takes [\d,]+ sessions to find/);
  assert.match(String(refused.json.detail), /may last 500\. Within these it finds 0\.01\d+ or more/);
  const money = await create('hopeless', { metric: 'sharpe', effect: 0.15 });
  assert.equal(money.json.code, 'UNDERPOWERED');
  assert.match(
    String(money.json.detail),
    /0\.65 from 0\.5 takes so many years: 110 at a correlation of 0\.8, 55 at .*0\.9, 28 at .*0\.95, 11 at .*0\.98\. Ask for brier/,
  );
  const unknown = await create('hopeless', {});
  assert.equal(unknown.json.code, 'NOT_ENOUGH_HISTORY');
  const other = await create('hopeless', { metric: 'qlike' });
  assert.equal(other.json.code, 'INVALID_REQUEST');
  assert.equal((await create('hopeless', { treatmentVersion: 9 })).status, 404);
  assert.equal((await create('hopeless', { treatmentVersion: 1 })).json.code, 'INVALID_REQUEST');
  assert.equal((await create('nobody', {})).status, 404);
  const { items } = (await server.call('GET', '/models/hopeless/ab-tests', { token: viewer })).json;
  assert.deepEqual(items, []);
});

test('a better version is found by paired losses, and what was said before the start does not count', async () => {
  const modelId = await twoVersions('better');
  await addScored(db.database, TENANT, modelId, saidOf(DAYS.slice(0, 80), -0.2, 1));
  const begun = await create('better', { maximumDays: 400 });
  assert.equal(begun.status, 201, begun.text);
  const made = abTest.parse(begun.json);
  assert.equal(made.noise.basis, 'paired_history');
  assert.equal(made.noise.dayCount, 80);
  assert.ok(made.neededDays <= 400 && made.neededDays > 5, String(made.neededDays));
  const early = await read(made.id);
  assert.equal(early.result.decision, 'too_early');
  assert.equal(early.result.reason?.code, 'not_known_yet');
  assert.equal(early.result.difference, null);

  await addScored(db.database, TENANT, modelId, saidOf(DAYS.slice(100, 200), 0.06, 2));
  await addScored(db.database, TENANT, modelId, [
    { version: 1, instrumentId: instruments[3]!, eventDay: DAYS[201]!, value: 0.5, outcome: 1 },
    { version: 2, instrumentId: instruments[3]!, eventDay: DAYS[201]!, value: null, outcome: 1 },
  ]);
  const { result } = await read(made.id);
  assert.equal(result.dayCount, 100);
  assert.equal(result.pairCount, 200);
  assert.equal(result.unpairedCount, 1);
  assert.equal(result.decision, 'treatment');
  assert.ok(result.difference! < 0 && result.sequential.high! < 0);
  assert.ok(result.treatmentLoss! < result.controlLoss!);
  assert.ok(result.hac.low! > result.sequential.low! && result.hac.high! < result.sequential.high!);
  assert.ok(result.bootstrap.high! < 0 && result.hac.pValue! < 0.01);
  assert.ok(DAYS.slice(100, 200).includes(result.sequential.firstDay!));
  assert.equal(result.path.days.length, 100);
  assert.match(result.sentence, /version 2 is better, since 203\d-/);
  assert.deepEqual((await read(made.id)).result, result, 'the same rows give the same answer');

  const stopped = await server.call('POST', `/ab-tests/${made.id}/stop`, {
    ...{ token: manager, body: { reason: 'Version 2 is better.' } },
  });
  assert.equal(stopped.status, 200, stopped.text);
  assert.equal(stopped.json.state, 'stopped');
  const again = await server.call('POST', `/ab-tests/${made.id}/stop`, { token: manager, body: { reason: 'Again.' } });
  assert.equal(again.json.code, 'NOT_POSSIBLE_NOW');
  await addScored(db.database, TENANT, modelId, saidOf(DAYS.slice(300, 320), 0, 3));
  assert.equal((await read(made.id)).result.dayCount, 100, 'what comes after the end does not count');
  const { rows } = await db.migrator.query(
    `SELECT kind, body FROM evidence WHERE tenant_id = 5 AND subject_kind = 'ab_test' AND subject_id = $1 ORDER BY sequence`,
    [String(made.id)],
  );
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['ab_test.started', 'ab_test.stopped'],
  );
  assert.equal((await db.database.transaction(TENANT, verifyEvidence)).ok ?? true, true);
});

test('one test of a model runs at a time, also of two begun at once', async () => {
  await twoVersions('single');
  const body = { longRunDeviation: 0.03, assignment: 'sticky' };
  const replies = await Promise.all([create('single', body), create('single', body)]);
  assert.deepEqual(replies.map(({ status }) => status).sort(), [201, 409]);
  const made = replies.find(({ status }) => status === 201)!;
  assert.match(String(replies.find(({ status }) => status === 409)!.json.detail), /still runs; stop it first/);
  const arms = new Set<unknown>();
  for (const instrumentId of [...instruments, 901, 902, 903, 904, 905, 906]) {
    const ask = (day: string) =>
      server.call('GET', `/ab-tests/${made.json.id}/arm?instrumentId=${instrumentId}&day=${day}`, { token: viewer });
    const [one, two] = [await ask('2031-01-02'), await ask('2033-06-07')];
    assert.equal(one.status, 200, one.text);
    assert.deepEqual(one.json, two.json, 'for good');
    arms.add(one.json.arm);
  }
  assert.deepEqual(arms, new Set(['control', 'treatment']));
});

test('in a shadow test the champion answers and the other version is on record unseen', async () => {
  await twoVersions('shadowed', 'forward_volatility');
  assert.equal((await create('shadowed', { metric: 'qlike', effect: 0.05, longRunDeviation: 0.1 })).status, 201);
  const reply = await server.call('POST', '/predict/shadowed', {
    ...{ token: await server.tokenFor('analyst', TENANT.tenantId), body: { symbol: 'ONE' } },
  });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.json.version, 1);
  const batch = await server.call('POST', '/predict/shadowed/batch', {
    token: manager,
    body: { subjects: [{ symbol: 'TWO' }, { symbol: 'THREE' }, { symbol: 'NONE' }] },
  });
  assert.equal(batch.status, 200, batch.text);
  assert.deepEqual(
    Object(batch.json.items).map(
      (item: { prediction: { version: number } | null }) => item.prediction?.version ?? null,
    ),
    [1, 1, null],
  );
  for (let tries = 0; ; tries++) {
    const { rows } = await db.migrator.query(
      `SELECT version_number AS v, count(DISTINCT subject_id)::integer AS n FROM prediction p JOIN model m ON m.id = p.model_id
       WHERE m.name = 'shadowed' GROUP BY 1 ORDER BY 1`,
    );
    if (rows.length === 2 && rows[1].n === 3) break;
    assert.ok(tries < 100, JSON.stringify(rows));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('in a sticky test each subject gets its version, and whoever names one gets that one', async () => {
  const model = 'stuck';
  await twoVersions(model, 'forward_volatility');
  const body = { metric: 'qlike', effect: 0.05, longRunDeviation: 0.1, assignment: 'sticky' };
  const { id } = (await create(model, body)).json;
  const seen = new Set<number>();
  for (const instrumentId of instruments) {
    const told = await server.call('POST', `/predict/${model}`, {
      token: manager,
      body: { subject: { id: instrumentId } },
    });
    assert.equal(told.status, 200, told.text);
    const { asOf } = Object(told.json.time);
    const arm = await server.call('GET', `/ab-tests/${id}/arm?instrumentId=${instrumentId}&day=${asOf}`, {
      token: viewer,
    });
    assert.equal(told.json.version, arm.json.version);
    seen.add(Number(told.json.version));
    const named = await server.call('POST', `/predict/${model}`, {
      ...{ token: manager, body: { subject: { id: instrumentId }, version: 2 } },
    });
    assert.equal(named.json.version, 2);
  }
  assert.ok(seen.size >= 1);
  await server.call('POST', `/ab-tests/${id}/stop`, { token: manager, body: { reason: 'Enough.' } });
  const after = await server.call('POST', `/predict/${model}`, { token: manager, body: { symbol: 'TWO' } });
  assert.equal(after.json.version, 1, 'the champion again');
  assert.equal(await watching.abTests.assign(TENANT, model, { kind: 'instrument', id: 1 }, '2031-01-02'), null);
});

test('the power of a question is told with what it needs', async () => {
  const ask = async (query: string) => {
    const reply = await server.call('GET', `/ab-tests/power?${query}`, { token: viewer });
    return reply.status === 200 ? powerAnswer.parse(reply.json) : reply;
  };
  const needed = async (query: string) => {
    const told = await ask(query);
    assert.ok('needed' in told, JSON.stringify(told));
    return told;
  };
  assert.equal((await needed('question=hit_rate&first=0.65&second=0.5')).needed, 67);
  const close = await needed('question=hit_rate&first=0.55&second=0.53');
  assert.equal(close.needed, 3843);
  assert.match(close.sentence, /55 % against 53 %: 3,843 independent outcomes, 15\.3 years/);
  assert.equal(close.answerable, false);
  const money = await needed('question=sharpe&first=0.65&second=0.5&correlation=0.9');
  assert.equal(Math.round(money.needed), 55);
  assert.ok(money.instead.length > 0);
  assert.equal(Math.round((await needed('question=alpha&first=0.05&trackingError=0.1')).needed), 25);
  const once = await needed('question=loss&first=0.01&second=0.06&autocorrelation=0.3');
  const daily = await needed('question=loss&first=0.01&second=0.06&autocorrelation=0.3&sequential=true');
  assert.ok(daily.needed > once.needed, 'looking every day costs sessions');
  for (const query of ['question=sharpe&first=0.5&second=0.6', 'question=hit_rate&first=1.5&second=0.5'])
    assert.equal(Object(await ask(query)).status, 400, query);
});

test('another tenant sees nothing of a test, and a viewer begins none', async () => {
  await twoVersions('guarded');
  const { id } = (await create('guarded', { longRunDeviation: 0.03 })).json;
  for (const path of [
    `/ab-tests/${id}`,
    '/models/guarded/ab-tests',
    `/ab-tests/${id}/arm?instrumentId=1&day=2031-01-02`,
  ])
    assert.equal((await server.call('GET', path, { token: stranger })).status, 404, path);
  const theirs = await server.call('POST', `/ab-tests/${id}/stop`, { token: stranger, body: { reason: 'Mine.' } });
  assert.equal(theirs.status, 404);
  assert.equal((await create('guarded', {}, viewer)).status, 403);
  const told = (await read(id)).test;
  assert.equal(told.state, 'running');
  assert.equal(dayOf(told.startedAt), told.firstDay);
});
