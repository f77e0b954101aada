import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { createDatabase, SYSTEM_PRINCIPAL } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { poolFigures, watchStatements } from '../src/platform/database/statements.ts';
import { registerGauge } from '../src/platform/telemetry/gauges.ts';
import { hideInText, hideSecrets } from '../src/platform/telemetry/hide-secrets.ts';
import { createLog } from '../src/platform/telemetry/log.ts';
import { diffPlans, normaliseSql, whyNoPlan } from '../src/platform/telemetry/plan-text.ts';
import { addSlowRuns, keepPlan, QUERIES_MAX } from '../src/platform/telemetry/query-log.repository.ts';
import { takePlan } from '../src/platform/telemetry/slow-queries.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let db: TestDatabase;
let server: TestServer;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, { slowQueryMs: 1 });
  // The tenant that was made first: its owners operate the installation.
  await server.tokenFor('viewer', 1);
});
after(async () => {
  await server.close();
  await db.close();
});

// ---- logs -------------------------------------------------------------------------------------------------------------

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  write(createLog('trace', destination));
  return text;
}

test('no secret reaches the log: in fields at any depth, in errors, in addresses, in words, in bound fields', () => {
  const secret = 'hunter2-s3cr3t-value';
  const fields = ['authorization', 'cookie', 'set-cookie', 'apikey', 'apiKey', 'api_key', 'password', 'token'];
  const more = ['accessToken', 'refresh_token', 'clientSecret', 'x-csrf-token', 'X-API-Key', 'newPassword'];
  for (const name of [...fields, ...more]) {
    const deep = { a: [{ b: { c: { d: { e: { f: { [name]: secret } } } } } }], headers: { [name]: [secret] } };
    const text = logged((log) => {
      log.info({ [name]: secret }, 'top');
      log.info(deep, 'deep');
      log.child({ [name]: secret }).info('bound');
    });
    assert.ok(!text.includes(secret), `${name}: ${text}`);
    assert.ok(text.includes('[hidden]'), name);
  }
  const texts = [
    `https://api.example.org/time_series?symbol=A&apikey=${secret}&outputsize=10`,
    `postgres://app:${secret}@db.example.org:5432/touchstone`,
    `/api/v1/auth/callback?code=${secret}&state=${secret}`,
    `Authorization: Bearer ${secret}.eyJ.sig`,
    `redis://:${secret}@127.0.0.1:6379/0`,
    `reset?password_reset_token=${secret}`,
  ];
  for (const said of texts) {
    const text = logged((log) => {
      log.info(said);
      log.info({ url: said, nested: { url: [said] } }, 'asked');
      log.warn({ err: new Error(said, { cause: new Error(said) }) }, said);
    });
    assert.ok(!text.includes(secret), `${said}: ${text}`);
  }
});

test('what is not secret stays in the log as it was', () => {
  const text = logged((log) =>
    log.info({ url: '/api/v1/tasks?limit=5&state=running', tokenCount: 3, n: [1, null] }, 'x'),
  );
  const line = JSON.parse(text);
  assert.deepEqual([line.tokenCount, line.n], [3, [1, null]]);
  assert.match(line.url, /limit=5/);
  assert.equal(hideInText('the exit code=3 is told'), 'the exit code=3 is told');
});

test('hiding never fails, whatever is logged', () => {
  const ring: Record<string, unknown> = {};
  ring.self = ring;
  assert.ok(hideSecrets(ring));
  fc.assert(fc.property(fc.anything(), (value) => void hideSecrets(value)));
});

// ---- health -----------------------------------------------------------------------------------------------------------

test('/readyz tells what is in use, and fails with its reasons when migrations are missing or the database is away', async () => {
  await db.migrator.query('GRANT SELECT ON schema_migration TO touchstone_app');
  const ready = await fetch(`${server.url}/readyz`);
  const told = Object(await ready.json());
  assert.equal(ready.status, 200, JSON.stringify(told));
  const names = told.parts.map((part: { name: string }) => part.name);
  assert.deepEqual(names, ['database', 'timescaledb', 'vector', 'redis', 'objects', 'queue', 'opentelemetry', 'pages']);
  assert.equal(told.parts.find((part: { name: string }) => part.name === 'redis').state, 'fall-back');

  await db.migrator.query(`UPDATE schema_migration SET name = name || '_away' WHERE name LIKE '%create_alerts'`);
  const behind = await fetch(`${server.url}/readyz`);
  assert.equal(behind.status, 503);
  assert.match(Object(await behind.json()).reasons[0], /lacks 1 migrations, the first is 202611221300_create_alerts/);
  await db.migrator.query(`UPDATE schema_migration SET name = replace(name, '_away', '')`);

  const pool = createPool({ ...db.connection, max: 4 }, () => {});
  const lost = await startTestServer(db, { database: createDatabase(pool) });
  await pool.end();
  const reply = await fetch(`${lost.url}/readyz`);
  assert.equal(reply.status, 503);
  assert.deepEqual(Object(await reply.json()).reasons, ['The database does not answer.']);
  assert.equal((await fetch(`${lost.url}/healthz`)).status, 200, 'the process lives');
  await lost.close();
});

test('the health answer puts together what the page shows', async () => {
  const token = await server.tokenFor('viewer', 7);
  const { status, json } = await server.call('GET', '/diagnostics/health', { token });
  assert.equal(status, 200, JSON.stringify(json));
  assert.ok(Array.isArray(json.reasons));
  assert.equal(Object(json.pool).max, db.database.pool.options.max);
  assert.equal(Object(json.queue).oldestWaitingSeconds, null);
  assert.deepEqual(json.alerts, { info: 0, warning: 0, critical: 0 });
});

// ---- metrics ----------------------------------------------------------------------------------------------------------

test('/metrics is for the machine itself and for keys with the right; a stranger gets nothing', async () => {
  const stop = registerGauge({
    ...{ name: 'test_figure', help: 'A figure of a test.', labelNames: ['tenant'] },
    read: () => [
      { value: 1, tenantId: 7, labels: { tenant: '7' } },
      { value: 2, tenantId: 8, labels: { tenant: '8' } },
    ],
  });
  const stopBroken = registerGauge({
    ...{ name: 'test_broken', help: 'Cannot be read.' },
    read: () => Promise.reject(new Error('away')),
  });
  const get = (headers: Record<string, string>) => fetch(`${server.url}/metrics`, { headers });
  const local = await get({});
  const text = await local.text();
  assert.equal(local.status, 200, text);
  for (const name of ['pool_connections', 'pool_wait_seconds_total', 'queue_oldest_waiting_seconds', 'alerts_open']) {
    assert.ok(text.includes(`touchstone_${name}`), `${name} is in ${text}`);
  }
  assert.match(text, /touchstone_test_figure\{tenant="7"\} 1/);
  assert.match(text, /touchstone_test_figure\{tenant="8"\} 2/);
  assert.ok(!text.includes('test_broken'), 'what cannot be read is left out');

  // A proxy passed it on, so it is not the machine itself.
  const stranger = await get({ 'x-forwarded-for': '203.0.113.9' });
  assert.equal(stranger.status, 401);
  assert.ok(!(await stranger.text()).includes('touchstone_'));
  const wrong = await get({ authorization: 'Bearer a.b.c' });
  assert.equal(wrong.status, 401);

  const ofSeven = await (await get({ authorization: `Bearer ${await server.tokenFor('viewer', 7)}` })).text();
  assert.match(ofSeven, /touchstone_test_figure\{tenant="7"\} 1/);
  assert.ok(!ofSeven.includes('tenant="8"'), 'another tenant’s figures are not shown');
  const token = await server.tokenFor('owner', 1);
  const operator = await (await get({ authorization: `Bearer ${token}` })).text();
  assert.match(operator, /tenant="8"/);
  for (const [scopes, seesAll] of [
    [['system:read', 'system:write'], true],
    [['system:read'], false],
  ] as const) {
    const made = await server.call('POST', '/keys', { token, body: { name: scopes.join(), scopes } });
    const { key } = Object(made.json);
    const told = await (await get({ authorization: `Bearer ${key}` })).text();
    assert.match(told, /touchstone_request_seconds/, made.text);
    assert.equal(told.includes('tenant="8"'), seesAll, `the operator’s key with ${scopes}`);
  }
  const elsewhere = await (await get({ authorization: `Bearer ${await server.tokenFor('owner', 8)}` })).text();
  assert.ok(!elsewhere.includes('tenant="7"'), 'an owner of another tenant is no operator');
  stop();
  stopBroken();
});

// ---- slow queries -----------------------------------------------------------------------------------------------------

test('a slow statement is kept without its values, with its plan and what was measured', async () => {
  const token = await server.tokenFor('viewer', 7);
  const secret = 'albatross-98765';
  for (const seconds of [0.02, 0.03, 0.025]) {
    await db.database.transaction({ tenantId: 7, actorId: null }, ({ client }) =>
      client.query(
        `SELECT id, pg_sleep($2) FROM tenant WHERE name <> '${secret}' AND id = $1 AND id <> 987654321 LIMIT 1`,
        [7, seconds],
      ),
    );
  }
  await server.slowQueries.flush();
  const list = await server.call('GET', '/diagnostics/slow-queries?sort=max', { token });
  assert.equal(list.json.thresholdMs, 1);
  assert.ok(!list.text.includes(secret) && !list.text.includes('987654321'), list.text);
  const items = Array.isArray(list.json.items) ? list.json.items : [];
  const found = items.find((item: { text: string }) => item.text.includes('pg_sleep'));
  assert.equal(found.count, 3, list.text);
  assert.equal(found.text, "SELECT id, pg_sleep($2) FROM tenant WHERE name <> '?' AND id = $1 AND id <> ? LIMIT ?");
  assert.ok(found.p95Ms >= 20 && found.p95Ms <= found.maxMs && found.totalMs >= found.maxMs, JSON.stringify(found));

  const one = await server.call('GET', `/diagnostics/slow-queries/${found.id}`, { token });
  assert.equal(one.json.planReason, null, one.text);
  assert.match(Object(one.json.plan).text, /(Index|Seq) .*tenant/);
  assert.ok(!one.text.includes(secret), one.text);
  assert.equal((await server.call('GET', '/diagnostics/slow-queries/99999', { token })).json.code, 'NOT_FOUND');
});

test('explaining runs nothing: a change of rows is explained and changes none, several statements in one are refused', async () => {
  const before = await db.migrator.query('SELECT count(*) FROM tenant');
  const write = await takePlan(db.database, `UPDATE tenant SET name = $1 WHERE id = $2`, 2);
  assert.ok('plan' in write && write.plan.includes('Update on tenant'), JSON.stringify(write));
  for (const text of [
    `SELECT 1; UPDATE tenant SET name = 'taken'`,
    `SELECT 'a;b'; DELETE FROM tenant`,
    'VACUUM',
    'SELECT nothing FROM nowhere',
  ]) {
    const taken = await takePlan(db.database, text, 0);
    assert.ok('reason' in taken, `${text}: ${JSON.stringify(taken)}`);
  }
  const { rows } = await db.migrator.query(`SELECT count(*)::int AS n FROM tenant WHERE name = 'taken'`);
  assert.equal(rows[0].n, 0);
  assert.deepEqual((await db.migrator.query('SELECT count(*) FROM tenant')).rows, before.rows);
});

test('a new plan makes the one before the previous, and their difference is told line by line', async () => {
  const token = await server.tokenFor('viewer', 7);
  const id = await db.database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
    const row = await addSlowRuns(tx, { fingerprint: 'a'.repeat(64), text: 'SELECT $1 FROM task', durationsMs: [200] });
    await keepPlan(tx, row, { plan: 'Limit\n  ->  Index Scan using task_pkey on task' });
    return row.id;
  });
  await db.database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
    const row = await addSlowRuns(tx, { fingerprint: 'a'.repeat(64), text: 'SELECT $1 FROM task', durationsMs: [300] });
    await keepPlan(tx, row, { plan: 'Limit\n  ->  Seq Scan on task' });
  });
  const { json } = await server.call('GET', `/diagnostics/slow-queries/${id}`, { token });
  assert.match(Object(json.previousPlan).text, /Index Scan/);
  assert.deepEqual(json.planDiff, [
    { change: 'same', line: 'Limit' },
    { change: 'removed', line: '  ->  Index Scan using task_pkey on task' },
    { change: 'added', line: '  ->  Seq Scan on task' },
  ]);
  assert.notEqual(json.planChangedAt, null);
});

test('the log of slow queries is bounded: the one not seen for longest makes room', async () => {
  await db.database.transaction(SYSTEM_PRINCIPAL, async (tx) => {
    for (let i = 0; i < QUERIES_MAX + 20; i++) {
      const fingerprint = i.toString(16).padStart(64, '0');
      await addSlowRuns(tx, { fingerprint, text: `SELECT column_${i}`, durationsMs: [5, 7] });
    }
  });
  const { rows } = await db.migrator.query(
    `SELECT count(*)::int AS n, max(times) AS most, bool_or(text = 'SELECT column_219') AS has_last FROM query_log`,
  );
  assert.deepEqual([rows[0].n, rows[0].has_last], [QUERIES_MAX, true]);
});

test('statements with other values, or more of them, are one; comments and spaces do not count', () => {
  const same = [
    `SELECT * FROM a WHERE b = 'x''y' AND c IN ($1, $2, $3) -- why\n  AND d > 1.5e3`,
    `SELECT *  FROM a WHERE b = 'zz' AND c IN ($1, $2) AND d > 7`,
  ].map(normaliseSql);
  assert.equal(same[0], same[1]);
  assert.equal(normaliseSql('INSERT INTO t VALUES ($1, $2), ($3, $4)'), 'INSERT INTO t VALUES ($…), …');
  assert.equal(
    normaliseSql('SELECT x FROM price_observation_2020 WHERE y = $12'),
    'SELECT x FROM price_observation_2020 WHERE y = $12',
  );
  fc.assert(
    fc.property(fc.string(), (value) => {
      const text = normaliseSql(`SELECT 1 WHERE a = '${value.replaceAll("'", "''")}'`);
      assert.equal(text, "SELECT ? WHERE a = '?'");
    }),
  );
  assert.equal(whyNoPlan(`SELECT ';'`), null);
});

test('the difference of two plans holds every line of both, in order', () => {
  const plan = fc.array(fc.constantFrom('Limit', 'Sort', 'Seq Scan on a', 'Index Scan on b'), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(plan, plan, (a, b) => {
      const lines = diffPlans(a.join('\n'), b.join('\n'));
      if (a.join() === b.join()) return assert.deepEqual(lines, []);
      const of = (...changes: string[]) =>
        lines.filter(({ change }) => changes.includes(change)).map(({ line }) => line);
      assert.deepEqual(of('same', 'removed'), a);
      assert.deepEqual(of('same', 'added'), b);
    }),
  );
});

// ---- pool -------------------------------------------------------------------------------------------------------------

test('a hundred readers at once on ten connections all get their answer, the wait is measured, nothing leaks', async () => {
  const pool = createPool({ ...db.connection, max: 10 }, () => {});
  const database = createDatabase(pool);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      database.transaction(
        { tenantId: 7, actorId: null },
        async ({ client }) => (await client.query('SELECT $1::int AS n, pg_sleep(0.01)', [i])).rows[0].n,
        { readOnly: true },
      ),
    ),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 100 }, (_, i) => i),
  );
  const figures = poolFigures(pool);
  assert.equal(figures.takenCount, 100);
  assert.ok(figures.size <= 10 && figures.waiting === 0 && figures.idle === figures.size, JSON.stringify(figures));
  assert.ok((figures.waitMsMax ?? 0) > 10 && (figures.waitMsP95 ?? 0) > 0, JSON.stringify(figures));

  // Work that throws, in JavaScript or in SQL, gives its connection back as well.
  for (const work of [() => Promise.reject(new Error('ours')), undefined]) {
    const failing = Array.from({ length: 30 }, () =>
      database.transaction({ tenantId: 7, actorId: null }, work ?? (({ client }) => client.query('SELECT 1/0'))),
    );
    const outcomes = await Promise.allSettled(failing);
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  }
  assert.equal(pool.idleCount, pool.totalCount);
  await database.close();
});

test('every statement of a pool is told once, however it is asked, also when it fails', async () => {
  const pool = createPool({ ...db.connection, max: 2 }, () => {});
  const seen: string[] = [];
  const stop = watchStatements(pool, ({ text, problem }) => seen.push(`${text} ${problem ?? 'ok'}`));
  await pool.query('SELECT 1');
  await pool.query({ text: 'SELECT $1::int', values: [2] });
  await assert.rejects(pool.query('SELECT 1/0'));
  const client = await pool.connect();
  await client.query('SELECT 3');
  client.release();
  stop();
  await pool.query('SELECT 4');
  assert.deepEqual(seen, ['SELECT 1 ok', 'SELECT $1::int ok', 'SELECT 1/0 22012', 'SELECT 3 ok']);
  await pool.end();
});
