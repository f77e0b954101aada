import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { calibration, explanation, type Prediction, prediction } from '@touchstone/contracts/predictions';
import { saveForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import pg from 'pg';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource, addTenant } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { makeForecaster, promote, registerModel, walk } from '../../../test/models/served-model.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { systemClock } from '../../platform/clock/clock.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Principal } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { createFolderStore } from '../../platform/object-store/object-store.ts';
import { createRegistry, createServing, type Registry, registerRegistryRoutes, verifyPredictions } from '../index.ts';
import { createServingService } from './serving.service.ts';
import { createServingWatch } from './serving-watch.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2018-01-02'), dayNumber('2020-12-31')), dayText);
const TENANT: Principal = { tenantId: 5, actorId: null };
const STRANGER = 6;
const MODEL = 'forward-volatility';

let db: TestDatabase;
let server: TestServer;
let registry: Registry;
let analyst: string;
let viewer: string;
let manager: string;
let stranger: string;
let source: number;
let universe: number[];

before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, database, objects, tasks }) => {
      const universeBars = async () => ({ name: 'all', sourceId: source, instrumentIds: universe });
      const series = createSeriesService(database, universeBars);
      registry = createRegistry({ database, objects, codeVersion: 'test' });
      registerRegistryRoutes(serve, database, registry);
      createServing({
        ...{ database, registry, series, tasks, universeBars, clock: systemClock },
        ...{ compute: inlineCompute, codeVersion: 'test' },
      }).registerRoutes(serve);
    },
  });
  for (const role of ['analyst', 'viewer', 'manager'] as const) await server.tokenFor(role, TENANT.tenantId);
  analyst = await server.tokenFor('analyst', TENANT.tenantId);
  viewer = await server.tokenFor('viewer', TENANT.tenantId);
  manager = await server.tokenFor('manager', TENANT.tenantId);
  stranger = await server.tokenFor('owner', STRANGER);
  await db.database.transaction(TENANT, async (tx) => {
    source = await addSource(tx, 'prices', 'total_return');
    universe = [await addInstrument(tx, 'ONE'), await addInstrument(tx, 'TWO'), await addInstrument(tx, 'NEW')];
    await addInstrument(tx, 'EMPTY');
    await addBars(tx, source, [
      ...walk(universe[0]!, DAYS, 1),
      ...walk(universe[1]!, DAYS, 2),
      ...walk(universe[2]!, DAYS.slice(-12), 3),
    ]);
  });
  await champion(MODEL);
});
after(async () => {
  await server.close();
  await db.close();
});

type Registered = Parameters<typeof registerModel>;

/** Registers and promotes; without arguments a model that works. */
async function champion(name: string, forecaster = makeForecaster(), change: Registered[4] = {}): Promise<number> {
  const { version } = await db.database.transaction(TENANT, (tx) =>
    registerModel(tx, registry, name, forecaster, change),
  );
  const { champion: before } = await registry.servingChain(TENANT, name);
  await promote(db.database, TENANT, registry, { model: name, version, expected: before?.version ?? null });
  return version;
}

async function ask(model: string, body: object, token = analyst): Promise<Prediction> {
  const reply = await server.call('POST', `/predict/${model}`, { token, body });
  assert.equal(reply.status, 200, reply.text);
  return prediction.parse(reply.json);
}

async function done(reply: { status: number; json: Record<string, unknown>; text: string }) {
  assert.equal(reply.status, 202, reply.text);
  const { id } = Object(reply.json.task);
  for (let tries = 0; tries < 400; tries++) {
    const task = (await server.call('GET', `/tasks/${id}`, { token: analyst })).json;
    if (task.state === 'done') return Object(task.result);
    assert.notEqual(task.state, 'failed', JSON.stringify(task));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the task did not end');
}

test('a forecast has value, interval, members, lineage and a seal, and is in the store before it is answered', async () => {
  const told = await ask(MODEL, { symbol: 'ONE', asOf: '2020-06-15' });
  const { forecast, lineage } = told;
  assert.equal(told.servedBy, 'model');
  assert.deepEqual(told.hops, []);
  assert.ok(forecast.value! > 0.02 && forecast.value! < 2);
  assert.ok(forecast.lower! < forecast.value! && forecast.value! < forecast.upper!);
  assert.equal(forecast.level, 0.9);
  assert.equal(forecast.members.length, 2);
  assert.ok(forecast.baseline.value! > 0);
  assert.equal(told.dueDay, '2020-06-22');
  assert.equal(told.seal.beforeOutcome, false, 'of a past day it is reconstructed');
  assert.equal(lineage.modelVersion, `${MODEL}@1`);
  assert.equal(told.fromStore, false);
  assert.ok(told.modelMilliseconds! >= 0);
  const { rows } = await db.migrator.query('SELECT sealed_sha256, body FROM prediction WHERE id = $1', [
    told.predictionId,
  ]);
  assert.equal(rows[0].sealed_sha256, told.seal.sha256);
  const { rows: evidence } = await db.migrator.query(
    'SELECT kind, body FROM evidence WHERE tenant_id = 5 AND sequence = $1',
    [told.seal.evidenceSequence],
  );
  assert.equal(evidence[0].kind, 'prediction.sealed');
  assert.ok(evidence[0].body.includes(told.seal.sha256));
});

test('the same question answers from the store, by number, by symbol and beside each other', async () => {
  const question = { asOf: '2020-06-16' };
  const first = await ask(MODEL, { symbol: 'TWO', ...question });
  const second = await ask(MODEL, { subject: { id: universe[1] }, ...question });
  assert.equal(first.fromStore, false);
  assert.equal(second.fromStore, true);
  const { fromStore: _a, modelMilliseconds: _b, ...one } = first;
  const { fromStore: _c, modelMilliseconds: _d, ...two } = second;
  assert.deepEqual(one, two);
  const many = await Promise.all(Array.from({ length: 20 }, () => ask(MODEL, { symbol: 'ONE', asOf: '2020-06-17' })));
  assert.equal(new Set(many.map(({ predictionId }) => predictionId)).size, 1);
  assert.equal(many.filter(({ fromStore }) => !fromStore).length, 1);
});

test('a forecast of a past day rests on nothing that came later', async () => {
  const before = await ask(MODEL, { symbol: 'ONE', asOf: '2019-03-01', knownAt: '2019-03-01T23:00:00.000Z' });
  const later = await ask(MODEL, { symbol: 'ONE', asOf: '2019-03-01' });
  assert.notEqual(before.predictionId, later.predictionId);
  assert.equal(before.lineage.inputSha256, later.lineage.inputSha256);
  assert.equal(before.forecast.value, later.forecast.value);
});

test('every prediction has its explanation: contributions add up to what it says, and what calibration adds is a part of its own', async () => {
  const told = await ask(MODEL, { symbol: 'ONE', asOf: '2020-06-18' });
  const reply = await server.call('GET', `/predictions/${told.predictionId}/explanation`, { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  const explained = explanation.extend({ sealSha256: z.string() }).parse(reply.json);
  assert.equal(explained.sealSha256, told.seal.sha256);
  assert.equal(explained.method, 'exact_linear');
  const sum = explained.groups.reduce((total, { contribution }) => total + contribution, explained.baseValue!);
  assert.ok(Math.abs(sum + explained.residual! - explained.total!) < 1e-12);
  assert.ok(Math.abs(explained.residual!) < 1e-9, 'nothing is left open');
  const calibration = explained.groups.find(({ name }) => name === 'averaging and calibration');
  assert.ok(Math.abs(calibration!.contribution - 0.01) < 1e-9, 'the shift of the calibration');
  assert.ok(Math.abs(Math.exp(explained.total!) - told.forecast.value!) < 1e-12);
  assert.ok(explained.groups.some(({ name }) => name === 'variance'));
  assert.match(explained.counterfactual.sentence, /would/);
  const { rows } = await db.migrator.query(
    `SELECT count(*)::int AS n FROM prediction WHERE explanation IS NULL OR explanation = ''`,
  );
  assert.equal(rows[0].n, 0);
});

test('a replay gives the same bytes, and names what was changed', async () => {
  const told = await ask(MODEL, { symbol: 'TWO', asOf: '2020-06-19' });
  const replay = async () =>
    (await server.call('POST', `/predictions/${told.predictionId}/replay`, { token: viewer })).json;
  const same = await replay();
  assert.deepEqual([same.equal, same.replayedSha256, same.differences], [true, told.seal.sha256, []]);
  await behindTheBack(
    `UPDATE prediction SET explanation = replace(explanation, '"exact":true', '"exact":false') WHERE id = $1`,
    [told.predictionId],
  );
  const changed = await replay();
  assert.equal(changed.equal, false);
  assert.match(JSON.stringify(changed.differences), /stored explanation/);
});

/** As somebody with full rights over the tables could. */
async function behindTheBack(statement: string, values: unknown[]): Promise<void> {
  await db.migrator.query('ALTER TABLE prediction DISABLE TRIGGER USER');
  await db.migrator.query(statement, values);
  await db.migrator.query('ALTER TABLE prediction ENABLE TRIGGER USER');
}

test('one changed byte is found, wherever it lies', async () => {
  const told = await ask(MODEL, { symbol: 'TWO', asOf: '2020-06-22' });
  const faults = async () => {
    const { broken } = await db.database.transaction(TENANT, verifyPredictions, { readOnly: true });
    return broken.filter(({ id }) => Number(id) === told.predictionId).map(({ fault }) => fault);
  };
  assert.deepEqual(await faults(), []);
  const { rows } = await db.migrator.query('SELECT * FROM prediction WHERE id = $1', [told.predictionId]);
  const constraint = 'ALTER TABLE prediction DROP CONSTRAINT body_has_its_hash';
  await db.migrator.query(constraint);
  for (const [change, fault] of [
    [`body = overlay(body placing ' ' from 2 for 0)`, /another body/],
    [`explanation = explanation || ' '`, /another explanation/],
    ['value = value + 1e-12', /told otherwise/],
    ['due_day = due_day + 1', /told otherwise/],
    [`sealed_sha256 = repeat('0', 64)`, /another body/],
    ['evidence_sequence = 1', /not named/],
  ] as const) {
    await behindTheBack(`UPDATE prediction SET ${change} WHERE id = $1`, [told.predictionId]);
    const [found] = await faults();
    assert.match(found ?? 'nothing', fault, change);
    const { body, explanation: explained, value, due_day, sealed_sha256, evidence_sequence } = rows[0];
    await behindTheBack(
      `UPDATE prediction SET body = $2, explanation = $3, value = $4, due_day = $5, sealed_sha256 = $6, evidence_sequence = $7
       WHERE id = $1`,
      [told.predictionId, body, explained, value, due_day, sealed_sha256, evidence_sequence],
    );
  }
  assert.deepEqual(await faults(), []);
});

test('a prediction cannot be written without its evidence, nor claim to be older than it is, nor be changed', async () => {
  const told = await ask(MODEL, { symbol: 'ONE', asOf: '2020-07-01' });
  const copy = (change: string) =>
    db.database.transaction(TENANT, ({ client }) =>
      client.query(
        `INSERT INTO prediction SELECT (p).* FROM (SELECT jsonb_populate_record(p, jsonb_build_object('id', nextval('prediction_id_seq'),
           'way_sha256', repeat('0', 64)) || $2::jsonb) AS p FROM prediction p WHERE id = $1) x`,
        [told.predictionId, change],
      ),
    );
  const isRefused = (error: unknown) =>
    error instanceof pg.DatabaseError && error.constraint === 'prediction_is_sealed';
  await assert.rejects(copy('{}'), isRefused, 'no record names it');
  await assert.rejects(copy(JSON.stringify({ id: 900_000 + told.predictionId })), isRefused);
  await assert.rejects(
    copy(JSON.stringify({ before_outcome: true })),
    isRefused,
    'nor may it say that it was there before',
  );
  for (const statement of [
    'UPDATE prediction SET value = 1',
    'DELETE FROM prediction',
    'TRUNCATE prediction_input CASCADE',
  ])
    await assert.rejects(
      db.database.transaction(TENANT, ({ client }) => client.query(statement)),
      (error) => error instanceof pg.DatabaseError && error.code === '42501',
      statement,
    );
});

test('a forecast whose outcome lies ahead is sealed before it', async () => {
  const today = Math.floor(Date.now() / 86_400_000);
  const recent = Array.from(tradingDays('XNYS', today - 60, today - 1), dayText);
  await db.database.transaction(TENANT, async (tx) => {
    const id = await addInstrument(tx, 'LIVE');
    const runId = await addBars(tx, source, walk(id, recent, 9));
    await appendEvidence(tx, { kind: 'run.published', subjectKind: 'run', subjectId: runId, body: {} });
  });
  const told = await ask(MODEL, { symbol: 'LIVE' });
  assert.equal(told.seal.beforeOutcome, true, JSON.stringify(told.time));
  assert.ok(told.dueDay > dayText(today));
});

test('who is not known is named, and one of many does not hold up the others', async () => {
  const unknown = await server.call('POST', `/predict/${MODEL}`, { token: analyst, body: { symbol: 'NONE' } });
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /There is no instrument NONE/);
  const nobody = await server.call('POST', '/predict/no-model', { token: analyst, body: { symbol: 'ONE' } });
  assert.equal(nobody.status, 404);
  assert.match(nobody.text, /There is no model no-model/);
  const both = await server.call('POST', `/predict/${MODEL}`, { token: analyst, body: {} });
  assert.equal(both.status, 400);
  const reply = await server.call('POST', `/predict/${MODEL}/batch`, {
    token: analyst,
    body: {
      subjects: [{ symbol: 'ONE' }, { symbol: 'NONE' }, { symbol: 'EMPTY' }, { symbol: 'TWO' }],
      asOf: '2020-07-02',
    },
  });
  assert.equal(reply.status, 200, reply.text);
  const { items } = z
    .object({
      items: z.array(
        z.object({ prediction: prediction.nullable(), problem: z.object({ code: z.string() }).nullable() }),
      ),
    })
    .parse(reply.json);
  assert.deepEqual(
    items.map(({ problem }) => problem?.code ?? null),
    [null, 'NOT_FOUND', 'NOT_ENOUGH_HISTORY', null],
  );
  assert.equal(items[3]!.prediction!.subject.symbol, 'TWO');
});

test('missing features fall back on the simple rule, and where that is missing too it abstains: each step is told', async () => {
  const told = await ask(MODEL, { symbol: 'NEW' });
  assert.equal(told.servedBy, 'nobody');
  assert.equal(told.forecast.value, null);
  assert.equal(told.forecast.abstained?.code, 'missing_features');
  assert.deepEqual(
    told.hops.map(({ from, to, code }) => [from, to, code]),
    [
      ['model', 'previous', 'missing_features'],
      ['previous', 'baseline', 'nothing_before'],
      ['baseline', 'nobody', 'no_baseline'],
    ],
  );
  await champion('direction', makeForecaster({ target: 'volatility_direction' }));
  const simple = await ask('direction', { symbol: 'NEW' });
  assert.equal(simple.servedBy, 'baseline');
  assert.equal(simple.forecast.value, 0.45);
  const again = await ask('direction', { symbol: 'NEW' });
  assert.equal(again.predictionId, simple.predictionId);
  for (const { predictionId } of [told, simple]) {
    const replay = await server.call('POST', `/predictions/${predictionId}/replay`, { token: viewer });
    assert.equal(replay.json.equal, true, replay.text);
  }
});

test('an unsure model keeps silent and says how it leans', async () => {
  await champion('unsure', makeForecaster({ target: 'volatility_direction', silentShare: 1 }));
  const told = await ask('unsure', { symbol: 'ONE', asOf: '2020-07-06' });
  assert.equal(told.servedBy, 'model');
  assert.equal(told.forecast.value, null);
  assert.equal(told.forecast.abstained?.code, 'not_sure_enough');
  assert.ok(told.forecast.leaning! > 0 && told.forecast.leaning! < 1);
  assert.deepEqual(told.hops, []);
});

test('an expired model abstains; a damaged one is answered by the champion before it; people are told', async () => {
  await champion('old', makeForecaster(), { manifest: { expiresAfterDays: 30 } });
  const late = await ask('old', { symbol: 'ONE', asOf: '2020-07-07' });
  assert.equal(late.servedBy, 'nobody');
  assert.equal(late.forecast.abstained?.code, 'expired');
  assert.match(late.hops[0]!.sentence, /learnt until 2019-12-31 and answers for 30 days; 2020-07-07 is 189 days later/);
  const early = await ask('old', { symbol: 'ONE', asOf: '2020-01-15' });
  assert.equal(early.servedBy, 'model');

  await champion('broken');
  const second = await champion('broken', makeForecaster({ seed: 2 }), {
    artefact: saveForecaster(makeForecaster({ seed: 2 })).slice(0, -40),
  });
  const told = await ask('broken', { symbol: 'ONE', asOf: '2020-07-08' });
  assert.deepEqual([told.servedBy, told.version, told.hops[0]?.code], ['previous', second - 1, 'artefact_damaged']);
  const named = await ask('broken', { symbol: 'ONE', asOf: '2020-07-08', version: second });
  assert.deepEqual([named.servedBy, named.forecast.abstained?.code], ['nobody', 'artefact_damaged']);
  const alerts = await server.call('GET', '/alerts', { token: analyst });
  assert.match(alerts.text, /old: the served version has expired/);
  assert.match(alerts.text, /broken: the served version does not answer/);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(
    metrics,
    /touchstone_prediction_hops_total\{tenant="5",model="broken",reason="artefact_damaged"\} [1-9]/,
  );
  assert.match(metrics, /touchstone_prediction_abstentions_total\{tenant="5",model="old",reason="expired"\} 1/);
  assert.match(metrics, /touchstone_prediction_model_seconds\{tenant="5",model="old",quantile="0.99"\}/);
  for (const { predictionId } of [late, told, named]) {
    const replay = await server.call('POST', `/predictions/${predictionId}/replay`, { token: viewer });
    assert.equal(replay.json.equal, true, replay.text);
  }
});

test('an artefact whose file was changed on the disk is not served', async () => {
  const version = await champion('swapped');
  const { artefactSha256 } = await registry.resolve(TENANT, 'swapped', { version });
  const objects = createFolderStore(`${server.home}/objects`);
  const kept = await objects.get(artefactSha256);
  await champion('swapped', makeForecaster({ seed: 3 }));
  const { champion: now } = await registry.servingChain(TENANT, 'swapped');
  const file = objects.pathOf(now!.artefactSha256);
  const before = await objects.get(now!.artefactSha256);
  await writeFile(file, kept);
  const told = await ask('swapped', { symbol: 'ONE', asOf: '2020-07-09' });
  assert.deepEqual([told.servedBy, told.version], ['previous', version]);
  await writeFile(file, before);
});

test('a computer of features that fails is a step of the fallback and is not remembered', async () => {
  let isBroken = true;
  const compute: Compute = {
    run: (...call) => (isBroken ? Promise.reject(new Error('the thread died')) : inlineCompute.run(...call)),
  };
  const { database } = db;
  const series = createSeriesService(database, () => Promise.reject(new Error('no universe')));
  const watch = createServingWatch(database, { warn: () => {} });
  const parts = { database, registry, series, compute, codeVersion: 'test', watch };
  const { predict } = createServingService(parts);
  const question = { subject: { kind: 'instrument' as const, symbol: 'ONE' }, asOf: '2020-07-15' };
  const told = await predict(TENANT, MODEL, question);
  assert.deepEqual([told.servedBy, told.hops[0]?.code], ['nobody', 'failed']);
  assert.match(told.hops[0]!.sentence, /the thread died/);
  isBroken = false;
  const next = await predict(TENANT, MODEL, question);
  assert.deepEqual([next.servedBy, next.hops], ['model', []]);
});

test('a promotion under load takes effect without a failed request', async () => {
  const versions: number[] = [];
  await champion('hot');
  let isOver = false;
  let failed = 0;
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let n = 0; !isOver; n++) {
      const day = DAYS[400 + ((n * 4 + lane) % 300)];
      const reply = await server.call('POST', '/predict/hot', { token: analyst, body: { symbol: 'ONE', asOf: day } });
      if (reply.status === 200) versions.push(Number(reply.json.version));
      else failed++;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const second = await champion('hot', makeForecaster({ seed: 4 }));
  const first = await ask('hot', { symbol: 'TWO', asOf: '2020-07-10' });
  assert.equal(first.version, second);
  const back = await server.call('POST', '/models/hot/rollback', {
    token: manager,
    body: { reason: 'It was a test.' },
  });
  assert.equal(back.status, 200, back.text);
  assert.equal((await ask('hot', { symbol: 'TWO', asOf: '2020-07-13' })).version, 1);
  isOver = true;
  await Promise.all(load);
  assert.equal(failed, 0);
  assert.ok(versions.includes(1) && versions.length > 10);
});

test('outcomes are joined when they are due, move the interval and fill the calibration', async () => {
  const body = { universeId: 1 };
  for (const asOf of DAYS.slice(-60, -20)) {
    const reply = await server.call('POST', `/predict/${MODEL}/batch`, {
      token: analyst,
      body: { subjects: [{ symbol: 'ONE' }, { symbol: 'TWO' }], asOf },
    });
    assert.equal(reply.status, 200, reply.text);
  }
  const universeTask = await done(
    await server.call('POST', `/predict/${MODEL}/universe`, { token: analyst, body: { ...body, asOf: DAYS.at(-2) } }),
  );
  assert.deepEqual([universeTask.memberCount, universeTask.predicted, universeTask.abstained], [3, 2, 1]);
  const joined = await done(await server.call('POST', '/predictions/outcomes', { token: analyst }));
  assert.ok(joined.joined >= 80, JSON.stringify(joined));
  assert.ok(joined.notSettled >= 2, 'the last days have no outcome yet');
  const again = await done(await server.call('POST', '/predictions/outcomes', { token: analyst }));
  assert.equal(again.joined, 0);

  const page = await server.call('GET', `/predictions?model=${MODEL}&state=resolved&limit=500`, { token: viewer });
  const { items } = z.object({ items: z.array(prediction) }).parse(page.json);
  assert.ok(items.length >= 80);
  for (const { forecast, outcome } of items) {
    assert.ok(outcome !== null);
    if (forecast.value === null) {
      assert.deepEqual([outcome.loss, outcome.inside], [null, null]);
      continue;
    }
    const ratio = (outcome.value / forecast.value) ** 2;
    assert.ok(Math.abs(outcome.loss! - (ratio - Math.log(ratio) - 1)) < 1e-12);
    assert.equal(outcome.inside, forecast.lower! <= outcome.value && outcome.value <= forecast.upper!);
  }
  const { subject, time, outcome } = items[0]!;
  const asked = await ask(MODEL, { subject: { id: subject.id }, asOf: time.asOf });
  assert.deepEqual([asked.fromStore, asked.outcome], [true, outcome], 'asked again, it knows what happened');
  const told = calibration.parse((await server.call('GET', `/models/${MODEL}/calibration`, { token: viewer })).json);
  assert.ok(told.counts.resolved >= 80 && told.counts.inSample > 0);
  assert.match(told.note, /learnt from and are left out/);
  const all = told.coverage.items.find(({ by }) => by === 'all')!;
  assert.ok(all.low! <= all.covered! && all.covered! <= all.high!);
  assert.ok(told.coverage.items.some(({ by }) => by === 'volatility'));
  assert.ok(told.skill.low! <= told.skill.value! && told.skill.value! <= told.skill.high!);
  assert.equal(told.reliability.reason?.code, 'not_defined');
  const adaptive = told.adaptive.find(({ group }) => group === `instrument:${universe[0]}`)!;
  assert.ok(adaptive.observed >= 40 && adaptive.level !== 0.9);
  const next = await ask(MODEL, { symbol: 'ONE', asOf: DAYS.at(-1) });
  assert.equal(next.forecast.level, adaptive.level);
  const replay = await server.call('POST', `/predictions/${next.predictionId}/replay`, { token: viewer });
  assert.equal(replay.json.equal, true, replay.text);
});

test('a probability is held against how often it came', async () => {
  await champion('reliable', makeForecaster({ target: 'volatility_direction' }));
  for (const asOf of DAYS.slice(-50, -30))
    await server.call('POST', '/predict/reliable/batch', {
      token: analyst,
      body: { subjects: [{ symbol: 'ONE' }, { symbol: 'TWO' }], asOf },
    });
  const early = calibration.parse((await server.call('GET', '/models/reliable/calibration', { token: viewer })).json);
  assert.equal(early.reliability.reason?.code, 'too_little_history');
  await done(await server.call('POST', '/predictions/outcomes', { token: analyst }));
  const told = calibration.parse((await server.call('GET', '/models/reliable/calibration', { token: viewer })).json);
  assert.equal(told.counts.resolved, 40);
  assert.equal(
    told.reliability.bins.reduce((sum, { count }) => sum + count, 0),
    40,
  );
  for (const { from, to, forecast, observed, low, high } of told.reliability.bins)
    assert.ok(from <= forecast && forecast <= to && low! <= observed && observed <= high!);
  assert.ok(told.reliability.error! >= 0);
  assert.equal(told.coverage.reason?.code, 'not_defined');
  const sealed = await server.call('GET', '/models/reliable/calibration?basis=sealed', { token: viewer });
  assert.equal(calibration.parse(sealed.json).reliability.reason?.code, 'too_little_history');
});

test('a universe is predicted and outcomes are joined on schedule, by those who may', async () => {
  const plan = (kind: string, input: object, token = analyst) =>
    server.call('POST', '/schedules', {
      token,
      body: { kind, input, title: kind, cron: '0 3 1 1 *', enabled: true },
    });
  assert.equal((await plan('predict', { model: MODEL, universeId: 1 })).status, 201);
  assert.equal((await plan('outcomes', {})).status, 201);
  assert.equal((await plan('predict', { universeId: 1 })).status, 400);
  assert.equal((await plan('predict', { model: 'nobody', universeId: 1 })).status, 404);
  assert.equal((await plan('outcomes', { model: MODEL })).status, 400);
  assert.equal((await plan('predict', { model: MODEL, universeId: 1 }, stranger)).status, 404);
});

test('another tenant sees nothing of it: not the model, not a prediction by its number, not a figure', async () => {
  const told = await ask(MODEL, { symbol: 'ONE', asOf: '2020-07-14' });
  await addTenant(db.migrator, 77).catch(() => {});
  for (const [method, path, body] of [
    ['POST', `/predict/${MODEL}`, { symbol: 'ONE' }],
    ['POST', `/predict/${MODEL}/batch`, { subjects: [{ symbol: 'ONE' }] }],
    ['GET', `/predictions/${told.predictionId}`, undefined],
    ['GET', `/predictions/${told.predictionId}/explanation`, undefined],
    ['POST', `/predictions/${told.predictionId}/replay`, undefined],
    ['GET', `/models/${MODEL}/calibration`, undefined],
  ] as const) {
    const reply = await server.call(method, path, { token: stranger, body });
    assert.equal(reply.status, 404, `${method} ${path}: ${reply.text}`);
  }
  const page = await server.call('GET', '/predictions', { token: stranger });
  assert.deepEqual(page.json.items, []);
  const viewed = await server.call('POST', `/predict/${MODEL}`, { token: viewer, body: { symbol: 'ONE' } });
  assert.equal(viewed.status, 403, 'a viewer writes nothing');
  const copied = await server.call('GET', `/predictions?model=${MODEL}&limit=2`, { token: viewer });
  const next = await server.call('GET', `/predictions?model=${MODEL}&limit=2&cursor=${copied.json.nextCursor}`, {
    token: viewer,
  });
  const numbers = [copied, next].flatMap(({ json }) =>
    z
      .array(prediction)
      .parse(json.items)
      .map((one) => one.predictionId),
  );
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(numbers).size, 4);
});
