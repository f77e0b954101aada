import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL_ROUTES } from '@touchstone/contracts/routes';
import fc from 'fast-check';
import { createDatabase, type Database } from '../../src/platform/database/database.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createTestDatabase, type TestDatabase } from '../cluster.ts';
import type { TestServer } from '../test-server.ts';
import { until } from '../until.ts';
import { type RedisServer, skipsRedis, startRedis } from './redis-server.ts';
import { type Belongings, DAY, fillTenant, firstOf, must, startWholeServer } from './whole-server.ts';

// Servers that share a database and nothing else, as processes do. One of them keeps no answers: it tells the truth.

let db: TestDatabase;
let truth: TestServer;
let own: Belongings;
let analyst: string;
const opened: { server: TestServer; database: Database }[] = [];

/** A server with a pool of its own. The made-up origin lets it hear what the others, in this same process, send. */
async function startOther(redisUrl: string | null = null): Promise<TestServer> {
  const database = createDatabase(createPool({ ...db.connection, max: 4 }, () => {}));
  const server = await startWholeServer(db, {
    database,
    home: truth.home,
    edges: { origin: 'another process', redisUrl },
  });
  opened.push({ server, database });
  return server;
}

before(async () => {
  db = await createTestDatabase();
  truth = await startWholeServer(db, { runTasks: true });
  own = await fillTenant(truth, await truth.tokenFor('owner', 7), 'cached');
  analyst = await truth.tokenFor('analyst', 7);
  await truth.edges.answerCache.close();
});
after(async () => {
  for (const { server, database } of opened) {
    await server.close();
    await database.close();
  }
  await truth.close();
  await db.close();
});

/** Every route that keeps answers, asked about what there is. */
function reads(): string[] {
  const of = new Map<string, unknown>([...Object.entries(own), ['day', DAY], ['calendar', 'XNYS']]);
  of.set('kind', 'index').set('id', own.indexId);
  const query: Record<string, string> = {
    ...{
      listHolidays: '?from=2024-01-01&to=2024-12-31',
      listExchangeRates: '?base=EUR&quote=USD',
      listMacroSeries: '?series=CPI',
      listUniverses: '?limit=3',
    },
  };
  return ALL_ROUTES.filter((route) => route.cache !== undefined).map(
    (route) => route.path.replace(/:(\w+)/g, (_match, name: string) => String(of.get(name))) + (query[route.id] ?? ''),
  );
}

/** Changes of everything that kept answers depend on, each by the front door. */
const WRITES: ((server: TestServer, token: string, n: number) => Promise<unknown>)[] = [
  async (server, token, n) => {
    const { version } = await must(truth, token, 'GET', `/universes/${own.universeId}`);
    return must(server, token, 'PATCH', `/universes/${own.universeId}`, { name: `universe ${n}`, version });
  },
  async (server, token, n) => {
    const { version } = await must(truth, token, 'GET', `/instruments/${own.instrumentId}`.replace('/', '/data/'));
    return must(server, token, 'PATCH', `/data/instruments/${own.instrumentId}`, { name: `name ${n}`, version });
  },
  async (server, token, n) => {
    const source = firstOf(await must(truth, token, 'GET', '/data/sources'));
    return must(server, token, 'PATCH', `/data/sources/${source.id}`, { name: `source ${n}`, version: source.version });
  },
  async (server, token, n) => {
    const { version } = await must(truth, token, 'GET', `/indexes/${own.indexId}`);
    return must(server, token, 'PATCH', `/indexes/${own.indexId}`, { description: `text ${n}`, version });
  },
  (server, token, n) =>
    must(server, token, 'POST', '/data/corrections', {
      ...{ instrumentId: own.instrumentId, sourceId: own.sourceId, day: DAY, reason: `notice ${n}` },
      ...{ open: 50, high: 60 + (n % 9), low: 40, close: 50, volume: n },
    }),
  (server, token, n) =>
    must(server, token, 'POST', '/universes', { name: `list ${n}`, rule: 'list', sourceId: own.sourceId }),
  async (server, token, n) => {
    const made = await must(server, token, 'POST', '/indexes', {
      ...{ name: `index ${n}`, universeId: own.universeId, method: 'equal_weight', visibility: 'private' },
    });
    return must(server, token, 'DELETE', `/indexes/${made.id}`);
  },
];

let changes = 0;

/** Random writes and reads at two servers; every answer must be that of the server that keeps none. */
async function checkEqual(servers: readonly TestServer[], isShared: boolean): Promise<void> {
  const step = fc.record({
    ...{ at: fc.nat(servers.length - 1), write: fc.option(fc.nat(WRITES.length - 1), { nil: null }) },
    ...{ read: fc.nat(reads().length - 1), isOwner: fc.boolean() },
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      for (const { at, write, read, isOwner } of steps) {
        const who = isOwner ? own.token : analyst;
        if (write !== null) {
          const heard = servers.map((server) => server.edges.describe().cache.invalidatedCount);
          await WRITES[write]!(servers[at]!, own.token, changes++);
          // The writer's own server and a shared cache know at once; another process when it has heard.
          const others = servers.filter((_server, i) => i !== at);
          if (!isShared) {
            await until(
              () =>
                others.every(
                  (server) => server.edges.describe().cache.invalidatedCount > heard[servers.indexOf(server)]!,
                ),
              'the other server heard of the change',
            );
          }
        }
        const path = reads()[read]!;
        const expected = await truth.call('GET', path, { token: who });
        for (const server of servers) {
          const told = await server.call('GET', path, { token: who });
          assert.equal(told.status, expected.status, path);
          // A problem names its request, so two are never the same text.
          if (told.status !== 200) assert.equal(told.json.code, expected.json.code, path);
          else
            assert.deepEqual(
              [told.text, told.headers.get('etag')],
              [expected.text, expected.headers.get('etag')],
              path,
            );
        }
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
}

test('answers are the same with and without a cache in the process, whatever two servers write and read', async () => {
  const servers = [await startOther(), await startOther()];
  await checkEqual(servers, false);
  const hits = servers.map((server) => server.edges.describe().cache.hitCount);
  assert.ok(
    hits.every((count) => count > 0),
    `hits ${hits.join()}`,
  );
});

test('answers are the same with and without a cache in Redis, and a change at one server is known at the other at once', async (t) => {
  if (skipsRedis(t)) return;
  const redis: RedisServer = await startRedis();
  try {
    const servers = [await startOther(redis.url), await startOther(redis.url)];
    await until(() => servers.every((server) => server.edges.describe().cache.usable), 'Redis is used');
    await checkEqual(servers, true);
    await redis.kill();
    await checkEqual(servers, true);
    await redis.start();
    await until(() => servers.every((server) => server.edges.describe().cache.usable), 'Redis is used again');
    await checkEqual(servers, true);
  } finally {
    for (const { server, database } of opened.splice(-2)) {
      await server.close();
      await database.close();
    }
    await redis.stop();
  }
});

test('an answer kept for one is not given to another who may see other things', async () => {
  const server = await startOther();
  const made = await must(truth, own.token, 'POST', '/universes', {
    ...{ name: 'private one', rule: 'list', sourceId: own.sourceId, visibility: 'private' },
  });
  const path = `/universes/${made.id}`;
  const stranger = await server.tokenFor('owner', 8);
  for (let i = 0; i < 2; i++) {
    assert.equal((await server.call('GET', path, { token: own.token })).status, 200);
    assert.equal((await server.call('GET', path, { token: analyst })).status, 404);
    assert.equal((await server.call('GET', path, { token: stranger })).status, 404);
    assert.equal((await server.call('GET', path)).status, 401);
  }
});

test('while a server cannot hear of changes it keeps nothing, and afterwards nothing from before', async () => {
  const server = await startOther();
  const path = `/universes/${own.universeId}`;
  const nameAt = async (where: TestServer) => (await where.call('GET', path, { token: own.token })).json.name;
  await nameAt(server);
  const rename = async (name: string) => {
    const { version } = await must(truth, own.token, 'GET', path);
    await must(truth, own.token, 'PATCH', path, { name, version });
  };
  await db.database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'touchstone-changes' AND datname = current_database()`,
  );
  await until(() => !server.edges.describe().cache.usable, 'the line is down');
  await rename('while nobody heard');
  assert.equal(await nameAt(server), 'while nobody heard');
  await until(() => server.edges.describe().cache.usable, 'the line is up again');
  assert.equal(await nameAt(server), 'while nobody heard');
  const before = server.edges.describe().cache.hitCount;
  assert.equal(await nameAt(server), 'while nobody heard');
  assert.equal(server.edges.describe().cache.hitCount, before + 1);
});

test('a change that is rolled back makes nothing old, and one that is committed does so before its maker hears', async () => {
  const server = await startOther();
  const { database, edges } = server;
  const path = `/universes/${own.universeId}`;
  await server.call('GET', path, { token: own.token });
  const count = () => edges.describe().cache.invalidatedCount;
  const from = count();
  const refused = await server.call('PATCH', path, { token: own.token, body: { name: 'too late', version: 1 } });
  assert.equal(refused.json.code, 'CONFLICT');
  assert.equal(count(), from);
  await assert.rejects(
    database.transaction({ tenantId: 7, actorId: null }, async (tx) => {
      const { appendEvidence } = await import('../../src/platform/evidence/evidence.ts');
      await appendEvidence(tx, { kind: 'universe.changed', subjectKind: 'universe', subjectId: 1, body: {} });
      throw new Error('no');
    }),
  );
  assert.equal(count(), from);
  const { version } = await must(truth, own.token, 'GET', path);
  await must(server, own.token, 'PATCH', path, { name: 'in time', version });
  assert.ok(count() > from);
});
