import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelManifest } from '@touchstone/contracts/model-manifest';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { SIGNED, testManifest } from '../../../test/models/manifest.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createDatabase } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import { verifyEvidence } from '../../platform/evidence/evidence.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { registerRegistryRoutes } from './registry.routes.ts';
import { createRegistry } from './registry.ts';
import type { Registry } from './registry.types.ts';

const TENANT = 5;
const who = { tenantId: TENANT, actorId: null };

let db: TestDatabase;
let server: TestServer;
let registry: Registry;
let manager: string;
let analyst: string;
let viewer: string;
let stranger: string;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    wire: ({ serve, database, objects }) => {
      registry = createRegistry({ database, objects, codeVersion: 'test' });
      registerRegistryRoutes(serve, database, registry);
    },
  });
  manager = await server.tokenFor('manager', TENANT);
  analyst = await server.tokenFor('analyst', TENANT);
  viewer = await server.tokenFor('viewer', TENANT);
  stranger = await server.tokenFor('owner', 6);
});
after(async () => {
  await server.close();
  await db.close();
});

/** A version with bytes of its own. */
async function register(model: string, change: Partial<ModelManifest> = {}, runId: number | null = null) {
  const { version } = await db.database.transaction(who, (tx) =>
    registry.registerVersion(tx, {
      ...{ model, runId, manifest: testManifest(change) },
      artefact: Buffer.from(`${model} ${n++}`),
    }),
  );
  return version;
}
let n = 0;

async function call(method: string, at: string, body?: unknown, token = manager) {
  const reply = await server.call(method, at, { token, body });
  assert.ok(reply.status < 300, `${method} ${at}: ${reply.status} ${reply.text}`);
  return reply.json;
}
const promote = (model: string, version: number, expected: number | null, token = manager) =>
  server.call('POST', `/models/${model}/promote`, {
    token,
    body: { version, expected, reason: 'better', checklist: SIGNED },
  });
const evidenceOf = async (kind: string) =>
  (
    await db.migrator.query(`SELECT count(*)::integer AS count FROM evidence WHERE tenant_id = $1 AND kind LIKE $2`, [
      TENANT,
      kind,
    ])
  ).rows[0].count;

test('a version is registered under the next number of its model, with bytes that are found by their hash', async () => {
  assert.deepEqual([await register('counted'), await register('counted'), await register('other')], [1, 2, 1]);
  const version = await call('GET', '/models/counted/versions/2', undefined, viewer);
  assert.equal(Object(version.manifest).seed, 1);
  const file = await server.call('GET', '/models/counted/versions/2/artefact', { token: viewer });
  assert.equal(file.status, 200);
  assert.match(file.text, /^counted \d+$/);
  const { items } = await call('GET', '/models/counted/versions?limit=1', undefined, viewer);
  assert.ok(Array.isArray(items) && items.length === 1 && Object(items[0]).version === 2);
});

test('versions registered at once get a number each, also when the model is new', async () => {
  const numbers = await Promise.all(Array.from({ length: 6 }, () => register('crowded')));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6],
  );
});

test('a version without dataset, features, code or seed is refused by the name of what is missing', async () => {
  for (const field of ['datasetSha256', 'featureSha256', 'codeVersion', 'seed'] as const) {
    const { [field]: _left, ...rest } = testManifest();
    const manifest: ModelManifest = JSON.parse(JSON.stringify(rest));
    await assert.rejects(
      db.database.transaction(who, (tx) =>
        registry.registerVersion(tx, { model: 'refused', runId: null, manifest, artefact: Buffer.from('x') }),
      ),
      (error) =>
        error instanceof ProblemError &&
        error.code === 'INVALID_REQUEST' &&
        error.message.includes(`manifest.${field}`),
      field,
    );
  }
  const gone = await server.call('GET', '/models/refused', { token: viewer });
  assert.equal(gone.status, 404);
});

test('nobody can change or delete a version or the history of an alias: SQLSTATE 42501', async () => {
  const version = await register('fixed');
  await promote('fixed', version, null);
  for (const table of ['model_version', 'model_alias_event', 'model_version_choice', 'run_metric']) {
    for (const statement of [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table}`]) {
      await assert.rejects(
        db.database.transaction(who, ({ client }) => client.query(statement)),
        (error) => error instanceof pg.DatabaseError && error.code === '42501',
        statement,
      );
    }
  }
  await assert.rejects(db.migrator.query(`UPDATE model_version SET seed = 2`), /append-only/);
});

test('of two promotions at once one is made, and the other is told who was first', async () => {
  const [first, second] = [await register('raced'), await register('raced')];
  const replies = await Promise.all([promote('raced', first, null), promote('raced', second, null)]);
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409]);
  const refused = replies.find(({ status }) => status === 409)!;
  const made = replies.find(({ status }) => status === 200)!;
  assert.equal(refused.json.code, 'CONFLICT');
  assert.match(
    String(refused.json.detail),
    new RegExp(`Version ${made.json.to} became champion of raced at .* by user ${made.json.by}; .* there was none`),
  );
  const { items } = await call('GET', '/models/raced/alias-history');
  assert.ok(Array.isArray(items) && items.length === 1);
});

test('what did not pass the gate is not promoted, and the answer says why', async () => {
  const weak = await register('gated', { verdict: { passed: false, sentence: 'Not better than the majority.' } });
  const unjudged = await register('gated', { verdict: null });
  const kept = await register('gated', { format: 'mlflow' });
  for (const [version, says] of [
    ...[[weak, /Not better than the majority/] as const, [unjudged, /never judged/] as const],
    [kept, /kept as it came/] as const,
  ]) {
    const reply = await promote('gated', version, null);
    assert.deepEqual([reply.status, reply.json.code], [422, 'GATE_NOT_PASSED']);
    assert.match(String(reply.json.detail), says);
  }
});

test('the check list must be signed as a whole, and is kept with the promotion', async () => {
  const version = await register('signed');
  const body = { version, expected: null, reason: 'better', checklist: SIGNED.slice(1) };
  const open = await server.call('POST', '/models/signed/promote', { token: manager, body });
  assert.deepEqual([open.status, open.json.code], [422, 'CHECKLIST_OPEN']);
  assert.match(String(open.json.detail), /limits_read/);
  await call('POST', '/models/signed/promote', { ...body, checklist: SIGNED });
  const card = await call('GET', '/models/signed/versions/1/card', undefined, viewer);
  assert.deepEqual(card.checklist, SIGNED);
});

test('an analyst trains and points at challengers, but puts nothing into production', async () => {
  const version = await register('ranked');
  assert.equal((await promote('ranked', version, null, analyst)).status, 403);
  const body = { version, expected: null, reason: 'to compare' };
  assert.equal((await server.call('PUT', '/models/ranked/aliases/challenger', { token: viewer, body })).status, 403);
  await call('PUT', '/models/ranked/aliases/challenger', body, analyst);
  for (const alias of ['champion', 'previous', 'latest']) {
    const reply = await server.call('PUT', `/models/ranked/aliases/${alias}`, { token: manager, body });
    assert.deepEqual([reply.status, reply.json.code], [400, 'INVALID_REQUEST'], alias);
  }
  await assert.rejects(
    db.database.transaction(who, (tx) =>
      registry.rollback(tx, { scopes: ['model:write'] }, { model: 'ranked', reason: 'no right' }),
    ),
    (error) => error instanceof ProblemError && error.code === 'FORBIDDEN',
  );
});

test('one call rolls back, a second goes further back, and the history tells which version answered when', async () => {
  for (const expected of [null, 1, 2]) {
    const version = await register('rolled');
    assert.equal((await promote('rolled', version, expected)).status, 200);
  }
  const instants: string[] = [];
  for (const to of [2, 1]) {
    const event = await call('POST', '/models/rolled/rollback', { reason: 'it errs' });
    assert.deepEqual([event.action, event.to], ['rolled_back', to]);
    instants.push(String(event.at));
  }
  const last = await server.call('POST', '/models/rolled/rollback', { token: manager, body: { reason: 'again' } });
  assert.deepEqual([last.status, last.json.code], [409, 'NOT_POSSIBLE_NOW']);
  for (const [i, version] of [2, 1].entries()) {
    const then = await call('GET', `/models/rolled/serving?at=${instants[i]}`, undefined, viewer);
    assert.deepEqual([then.version, then.since], [version, instants[i]]);
  }
  const early = await call('GET', '/models/rolled/serving?at=2020-01-01T00:00:00.000Z', undefined, viewer);
  assert.equal(early.version, null);
  assert.ok(Array.isArray(early.periods));
  assert.deepEqual(
    early.periods.map((period) => Object(period).version),
    [1, 2, 3, 2, 1],
  );
});

test('a rollback that names another champion than the present one is refused', async () => {
  await register('named');
  await promote('named', 1, null);
  await register('named');
  await promote('named', 2, 1);
  const body = { reason: 'it errs', expected: 1 };
  const reply = await server.call('POST', '/models/named/rollback', { token: manager, body });
  assert.deepEqual([reply.status, reply.json.code], [409, 'CONFLICT']);
  await call('POST', '/models/named/rollback', { ...body, expected: 2 });
});

test('a withdrawn model serves nothing, its archived version takes no alias, and both come back', async () => {
  await register('resting');
  await promote('resting', 1, null);
  const busy = await server.call('POST', '/models/resting/versions/1/archive', {
    token: manager,
    body: { reason: 'old' },
  });
  assert.deepEqual([busy.status, busy.json.code], [409, 'NOT_POSSIBLE_NOW']);
  assert.equal((await server.call('DELETE', '/models/resting', { token: manager })).status, 409);
  await call('POST', '/models/resting/withdraw', { expected: 1, reason: 'recalled' });
  assert.equal((await call('GET', '/models/resting')).champion, null);
  await call('POST', '/models/resting/versions/1/archive', { reason: 'old' });
  assert.equal((await promote('resting', 1, null)).status, 409);
  await call('POST', '/models/resting/versions/1/restore', { reason: 'needed' });
  assert.equal((await promote('resting', 1, null)).status, 200);
});

test('a deleted model is gone for readers, keeps its versions, and comes back by undelete', async () => {
  await register('gone');
  assert.equal((await server.call('DELETE', '/models/gone', { token: manager })).status, 204);
  assert.equal((await server.call('GET', '/models/gone', { token: manager })).status, 404);
  await assert.rejects(register('gone'), /is deleted/);
  const all = await call('GET', '/models?includeDeleted=true&limit=500');
  assert.ok(Array.isArray(all.items) && all.items.some((model) => Object(model).name === 'gone'));
  assert.equal((await call('POST', '/models/gone/undelete')).versionCount, 1);
  assert.equal(await register('gone'), 2);
});

test('a corrupt artefact is named and never given out', async () => {
  await register('damaged');
  const { artefactSha256 } = await registry.resolve(who, 'damaged', { alias: 'latest' });
  const file = path.join(server.home, 'objects', artefactSha256.slice(0, 2), artefactSha256);
  await writeFile(file, 'something else');
  const changed = await server.call('GET', '/models/damaged/versions/1/artefact', { token: viewer });
  assert.deepEqual([changed.status, changed.json.code], [500, 'ARTEFACT_DAMAGED']);
  assert.match(String(changed.json.detail), new RegExp(artefactSha256.slice(0, 12)));
  await rm(file);
  const missing = await server.call('GET', '/models/damaged/versions/1/artefact', { token: viewer });
  assert.equal(missing.json.code, 'ARTEFACT_DAMAGED');
});

test('a training run keeps parameters, metrics, files and its place in the trials ledger', async () => {
  const { runId } = await db.database.transaction(who, (tx) =>
    registry.startRun(tx, {
      ...{ model: 'trained', name: 'weekly', parameters: { trees: 200 }, tags: { origin: 'test' } },
      ...{ datasetSha256: testManifest().datasetSha256, seed: 3 },
    }),
  );
  await db.database.transaction(who, async (tx) => {
    await registry.logParameters(tx, runId, { depth: 3, trees: 200 });
    await registry.logMetrics(tx, runId, [
      { name: 'loss', value: 0.7, step: 1 },
      { name: 'loss', value: 0.6, step: 2 },
      { name: 'odd', value: Number.NaN },
    ]);
    await registry.logArtefact(tx, runId, 'folds.json', Buffer.from('[1, 2]'));
    await registry.setRunTags(tx, runId, { note: 'kept', origin: null });
  });
  await assert.rejects(
    db.database.transaction(who, (tx) => registry.logParameters(tx, runId, { depth: 4 })),
    (error) => error instanceof ProblemError && error.code === 'CONFLICT' && error.message.includes('depth'),
  );
  const { trialId } = await db.database.transaction(who, (tx) => registry.finishRun(tx, runId, { status: 'finished' }));
  await register('trained', {}, runId);
  const run = await call('GET', `/training-runs/${runId}`, undefined, viewer);
  assert.deepEqual(run.parameters, { depth: 3, trees: 200 });
  assert.deepEqual([run.status, run.trialId, run.tags], ['finished', trialId, { note: 'kept' }]);
  assert.deepEqual(run.versions, [{ model: 'trained', version: 1 }]);
  assert.ok(Array.isArray(run.metrics));
  assert.deepEqual(
    run.metrics.map((metric) => [Object(metric).name, Object(metric).value, Object(metric).count]),
    [
      ['loss', 0.6, 2],
      ['odd', null, 1],
    ],
  );
  const losses = await call('GET', `/training-runs/${runId}/metrics?name=loss`, undefined, viewer);
  assert.ok(Array.isArray(losses.items));
  assert.deepEqual(
    losses.items.map((metric) => Object(metric).value),
    [0.7, 0.6],
  );
  const file = await server.call('GET', `/training-runs/${runId}/artefact?name=folds.json`, { token: viewer });
  assert.equal(file.text, '[1, 2]');
  const listed = await call('GET', '/training-runs?model=trained', undefined, viewer);
  assert.deepEqual(Object(listed.items)[0].metrics, { loss: 0.6, odd: null });
  const { rows } = await db.migrator.query('SELECT kind, parameters, result, seed FROM trial WHERE id = $1', [trialId]);
  assert.deepEqual(rows[0], {
    ...{ kind: 'training', parameters: { depth: 3, trees: 200 }, result: { loss: 0.6, odd: null }, seed: 3 },
  });
  await assert.rejects(
    db.database.transaction(who, (tx) => registry.finishRun(tx, runId, { status: 'failed' })),
    /has ended/,
  );
});

test('what belongs to another tenant does not exist', async () => {
  await register('mine');
  const { runId } = await db.database.transaction(who, (tx) => registry.startRun(tx, { model: 'mine', name: 'mine' }));
  for (const [method, at, body] of [
    ...[['GET', '/models/mine'] as const, ['GET', '/models/mine/versions/1'] as const],
    ...[['GET', '/models/mine/versions/1/artefact'] as const, ['DELETE', '/models/mine'] as const],
    ['POST', '/models/mine/promote', { version: 1, expected: null, reason: 'x', checklist: SIGNED }] as const,
    ['GET', `/training-runs/${runId}`] as const,
  ]) {
    assert.equal((await server.call(method, at, { token: stranger, body })).status, 404, `${method} ${at}`);
  }
  await assert.rejects(registry.resolve({ tenantId: 6, actorId: null }, 'mine', { version: 1 }), /no model mine/);
});

test('a resolved model is kept, and follows promotion, rollback and archiving at once', async () => {
  await register('followed');
  await register('followed');
  await promote('followed', 1, null);
  const champion = async () => (await registry.resolve(who, 'followed', { alias: 'champion' })).version;
  assert.equal(await champion(), 1);
  await promote('followed', 2, 1);
  assert.equal(await champion(), 2);
  const chain = await registry.servingChain(who, 'followed');
  assert.deepEqual([chain.champion?.version, chain.previous?.version], [2, 1]);
  await call('POST', '/models/followed/rollback', { reason: 'it errs' });
  assert.equal(await champion(), 1);
  assert.equal((await registry.servingChain(who, 'followed')).previous, null);
  assert.equal((await registry.resolve(who, 'followed', { alias: 'latest' })).version, 2);
  await call('POST', '/models/followed/versions/2/archive', { reason: 'it errs' });
  assert.equal((await registry.resolve(who, 'followed', { version: 2 })).archived, true);
  await assert.rejects(registry.resolve(who, 'followed', { alias: 'nobody' }), /has no nobody/);
});

test('a rollback on one server is heard by the line of another, and followed', async (t) => {
  await register('heard');
  await register('heard');
  await promote('heard', 1, null);
  await promote('heard', 2, 1);
  // Another server with its own pool; the line tells changes by the name of their maker.
  const database = createDatabase(createPool({ ...db.connection, max: 2 }, () => {}));
  let elsewhere: Registry | undefined;
  const other = await startTestServer(db, {
    ...{ database, home: server.home, edges: { origin: 'another' } },
    wire: ({ objects }) => {
      elsewhere = createRegistry({ database, objects, codeVersion: 'test' });
    },
  });
  const champion = async () => (await elsewhere!.resolve(who, 'heard', { alias: 'champion' })).version;
  assert.equal(database.elsewhere.isHeard(), true);
  assert.equal(await champion(), 2);
  const startedAt = performance.now();
  await call('POST', '/models/heard/rollback', { reason: 'it errs' });
  while ((await champion()) !== 1 && performance.now() - startedAt < 5_000)
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.diagnostic(`followed ${Math.round(performance.now() - startedAt)} ms after the rollback was asked for`);
  assert.equal(await champion(), 1);
  await other.close();
  assert.equal(database.elsewhere.isHeard(), false);
  // Without the line a change is seen when what is kept is looked at again.
  await promote('heard', 2, 1);
  while ((await champion()) !== 2 && performance.now() - startedAt < 10_000)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await champion(), 2);
  await database.close();
});

test('every change is on record, and the chain holds', async () => {
  const expected = ['model.created', 'model.version_registered', 'model.alias_set', 'model.alias_promoted'];
  expected.push('model.alias_rolled_back', 'model.alias_removed', 'model.version_archived', 'model.version_restored');
  expected.push('model.deleted', 'model.undeleted', 'training_run.started', 'training_run.ended', 'experiment.created');
  for (const kind of expected) assert.ok((await evidenceOf(kind)) > 0, kind);
  const { rows } = await db.migrator.query(
    'SELECT count(*)::integer AS count FROM model_alias_event WHERE tenant_id = $1',
    [TENANT],
  );
  assert.equal(await evidenceOf('model.alias_%'), rows[0].count);
  const verdict = await db.database.transaction(who, verifyEvidence);
  assert.equal(verdict.ok, true);
});

test('the card says what was measured, against what, and what the version does not know', async () => {
  await register('carded', { limits: ['Weak in calm markets.\n# not a heading'] });
  const card = await call('GET', '/models/carded/versions/1/card', undefined, viewer);
  const text = String(card.markdown);
  for (const line of [
    /^# carded, version 1$/m,
    /Hypothetical, out of sample: balanced\\_accuracy 0\.670 \\\[0\.640, 0\.700\\\]/,
  ])
    assert.match(text, line);
  assert.match(text, /Against 5-day above 22-day mean \(0\.630\): \+0\.040 \\\[0\.0200, 0\.0600\\\]/);
  assert.match(text, /Passed\. Better than its baseline/);
  assert.equal(text.match(/^# /gm)?.length, 1);
  const described = await call('PATCH', '/models/carded', { description: 'for tests', version: 2 }, analyst);
  assert.equal(described.description, 'for tests');
  const late = await server.call('PATCH', '/models/carded', { token: analyst, body: { description: '', version: 2 } });
  assert.equal(late.json.code, 'CONFLICT');
});
