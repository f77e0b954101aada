import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError, readConfig } from '../src/config.ts';
import { APP_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../src/platform/database/provision.ts';
import { createTestDatabase, hasPostgres15, startTestCluster, type TestDatabase } from './cluster.ts';

const MAIN = path.join(import.meta.dirname, '../src/main.ts');
// The first start makes the simulated market; on a busy machine that takes a while.
const START_TIMEOUT_MS = 180_000;

let home: string;
let db: TestDatabase;
before(async () => {
  home = await mkdtemp('/tmp/touchstone-start-');
  db = await createTestDatabase();
});
after(async () => {
  await db.close();
  await rm(home, { recursive: true, force: true });
});

type Started = { child: ChildProcess; said: () => string; ended: Promise<number | null> };

function run(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, TOUCHSTONE_HOME: home, PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (said += String(chunk)));
  const ended = once(child, 'exit').then(([code]) => code);
  return { child, said: () => said, ended };
}

async function addressOf({ said, child }: Started): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const address = /is ready at (\S+)/.exec(said())?.[1];
    if (address !== undefined) return address;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`It did not start: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const urlAs = (user: string) =>
  `postgres://${user}@localhost:${db.connection.port}/${db.connection.database}?host=${encodeURIComponent(db.connection.host)}`;

test('settings are checked as a whole, and every problem is named', () => {
  assert.throws(
    () =>
      readConfig({
        PORT: '99999',
        LOG_LEVEL: 'loud',
        TOUCHSTONE_SECRET: 'short',
        DATABASE_URL: 'mysql://x',
        TRUST_PROXY: '1',
        ...{ S3_ENDPOINT: 'http://elsewhere.example.org', S3_BUCKET: 'objects', S3_SECRET_KEY: 'hidden' },
      }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      for (const name of [
        ...['PORT', 'LOG_LEVEL', 'TOUCHSTONE_SECRET', 'DATABASE_URL', 'TRUST_PROXY', 'S3_ENDPOINT', 'S3_ACCESS_KEY'],
      ])
        assert.match(error.message, new RegExp(name));
      assert.doesNotMatch(error.message, /short"|hidden/);
      return true;
    },
  );
  const config = readConfig({});
  assert.deepEqual([config.port, config.host, config.logLevel], [8080, '127.0.0.1', 'info']);
  assert.ok(Object.isFrozen(config));
});

test('a server starts on an empty folder, keeps its secret to itself, refuses a second one, and stops when asked', async () => {
  const first = run({});
  const url = await addressOf(first);
  assert.equal((await fetch(`${url}/api/v1/auth/state`)).status, 200);
  assert.match(await (await fetch(`${url}/readyz`)).text(), /"ready":true/);
  assert.equal((await stat(path.join(home, 'secret'))).mode & 0o777, 0o600);
  const secret = await readFile(path.join(home, 'secret'), 'utf8');

  const second = run({});
  assert.equal(await second.ended, 1);
  assert.match(second.said(), /The data folder .* is in use by process \d+\. Stop it, or set TOUCHSTONE_HOME/);

  const opened = await fetch(`${url}/api/v1/tasks/events`);
  assert.equal(opened.status, 200);
  first.child.kill('SIGTERM');
  assert.equal(await first.ended, 0, first.said());

  const again = run({});
  await addressOf(again);
  assert.equal(await readFile(path.join(home, 'secret'), 'utf8'), secret);
  again.child.kill('SIGINT');
  assert.equal(await again.ended, 0);
});

test('when the embedded database is killed the server lives on and starts it again', async () => {
  const server = run({});
  const url = await addressOf(server);
  const record: { pid: number } = JSON.parse(await readFile(path.join(home, 'database/postmaster.json'), 'utf8'));
  process.kill(record.pid, 'SIGKILL');
  const statuses = new Set<number>();
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const { status } = await fetch(`${url}/api/v1/tasks`);
    statuses.add(status);
    if (status === 200 && statuses.has(503)) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual([...statuses].sort(), [200, 503], server.said());
  server.child.kill('SIGTERM');
  assert.equal(await server.ended, 0, server.said());
});

test('a taken port, an absent database and a short secret are told in a sentence, with an exit code', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const cases: [Record<string, string>, RegExp][] = [
    [
      { PORT: port, DATABASE_URL: urlAs(db.connection.user), DATABASE_MIGRATION_URL: urlAs(MIGRATOR_ROLE) },
      new RegExp(`Port ${port} is taken`),
    ],
    [{ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, /The database does not answer .*check DATABASE_URL/],
    [{ TOUCHSTONE_SECRET: 'too short' }, /TOUCHSTONE_SECRET must have at least 32 characters, had 9/],
  ];
  for (const [env, sentence] of cases) {
    const server = run(env);
    assert.equal(await server.ended, 1, server.said());
    assert.match(server.said(), sentence);
    assert.doesNotMatch(server.said(), /\n\s+at /, 'no stack');
  }
  taken.close();
});

test('a role that could go around the protection of facts is refused', async () => {
  for (const [user, why] of [
    ['postgres', /is a superuser/],
    [MIGRATOR_ROLE, /owns tables/],
  ] as const) {
    const server = run({ DATABASE_URL: urlAs(user), DATABASE_MIGRATION_URL: urlAs(MIGRATOR_ROLE) });
    assert.equal(await server.ended, 1, server.said());
    assert.match(server.said(), why);
  }
});

test('on a separately installed PostgreSQL 15 it works as the application’s role, and not as a superuser', async (t) => {
  if (!hasPostgres15) {
    assert.ok(!process.env.TOUCHSTONE_REQUIRE?.includes('postgres15'), 'PostgreSQL 15 is required and not there');
    t.skip('PostgreSQL 15 is not installed here');
    return;
  }
  const cluster = await startTestCluster('postgres15');
  const ownHome = await mkdtemp('/tmp/touchstone-start15-');
  const name = 'installed';
  try {
    await provisionDatabase({ host: cluster.host, port: cluster.port, user: cluster.superuser }, name);
    const at = (user: string) =>
      `postgres://${user}@localhost:${cluster.port}/${name}?host=${encodeURIComponent(cluster.host)}`;
    const common = { TOUCHSTONE_HOME: ownHome, DATABASE_MIGRATION_URL: at(MIGRATOR_ROLE) };

    // Also on an empty database: what these would migrate would be granted to the wrong role.
    for (const [user, why] of [
      [cluster.superuser, /The database role postgres is a superuser, so nothing would protect the facts/],
      [MIGRATOR_ROLE, /The database role touchstone_migrator owns tables/],
    ] as const) {
      const refused = run({ ...common, DATABASE_URL: at(user) });
      assert.equal(await refused.ended, 1, refused.said());
      assert.match(refused.said(), why);
    }

    const server = run({ ...common, DATABASE_URL: at(APP_ROLE) });
    const url = await addressOf(server);
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 200);
    const state: { ready: boolean; database: { kind: string; version: string } } = JSON.parse(await ready.text());
    assert.deepEqual([state.ready, state.database.kind], [true, 'server']);
    assert.match(state.database.version, /^15\./);
    const indexes = await fetch(`${url}/api/v1/indexes`);
    assert.equal(indexes.status, 200);
    assert.match(await indexes.text(), /"latestRunNumber":1/);
    assert.match(
      await (await fetch(`${url}/api/v1/data/simulated-market/truth`)).text(),
      /"kind":"bad-tick","planted":71/,
    );
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0, server.said());

    // Migrated once, it needs the owner no more.
    const again = run({ TOUCHSTONE_HOME: ownHome, DATABASE_URL: at(APP_ROLE) });
    await addressOf(again);
    again.child.kill('SIGTERM');
    assert.equal(await again.ended, 0, again.said());
  } finally {
    await cluster.stop();
    await rm(ownHome, { recursive: true, force: true });
  }
});
