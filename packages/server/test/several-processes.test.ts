import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { createTaskEngine, type TaskEngine } from '../src/platform/tasks/task-engine.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { priceFile } from './market-data/import-harness.ts';
import { DAYS, itemsOf, startProductServer } from './product-server.ts';

const TENANT = { tenantId: 7, actorId: null };
const TASKS = 300;

let db: TestDatabase;
/** Queues work and does none. */
let desk: TaskEngine;
const crew = new Set<ChildProcess>();
before(async () => {
  db = await createTestDatabase();
  await db.migrator.query(`INSERT INTO tenant (id, name) VALUES (7, 'seven')`);
  const log = { info() {}, warn() {}, error() {} };
  desk = createTaskEngine({ database: db.database, connection: db.connection, clock: { now: Date.now }, log });
  for (const verb of ['count', 'slow', 'new']) desk.register(`test.crew.${verb}`, async () => ({}));
});
afterEach(async () => {
  for (const child of crew) await stop(child, 'SIGKILL');
});
after(async () => {
  await desk.stop();
  await db.close();
});

type Member = { child: ChildProcess; began: number[]; ready: Promise<void> };

/** Starts a program of this package and listens to it. */
function start(file: string, args: string[], env: Record<string, string> = {}): Member {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  crew.add(child);
  const began: number[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line.includes('ready')) resolve();
      const number = /^began (\d+)/.exec(line)?.[1];
      if (number !== undefined) began.push(Number(number));
    });
  });
  ready.catch(() => {});
  return { child, began, ready };
}
const member = (...flags: string[]) => start('crew-worker.ts', [JSON.stringify(db.connection), ...flags]);

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  crew.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
  return child.exitCode;
}

async function queue(verb: string, count: number): Promise<number[]> {
  const ids: number[] = [];
  await db.database.transaction(TENANT, async (tx) => {
    for (let number = 0; number < count; number++) {
      const task = await desk.start(tx, { kind: `test.crew.${verb}`, title: `${verb} ${number}`, input: { number } });
      ids.push(task.id);
    }
  });
  return ids;
}

type TaskRow = { id: number; state: string; attempts: number; result: Record<string, unknown> | null; note: string };

async function until(ids: readonly number[], are: (rows: TaskRow[]) => boolean): Promise<TaskRow[]> {
  const deadline = performance.now() + 240_000;
  for (;;) {
    const { rows } = await db.migrator.query<TaskRow>(
      `SELECT id, state, attempts, result, progress_note AS note FROM task WHERE id = ANY ($1) ORDER BY id`,
      [ids],
    );
    if (are(rows)) return rows;
    if (performance.now() > deadline) throw new Error(`they are still ${JSON.stringify(rows.slice(0, 3))} …`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const isDone = (rows: TaskRow[]) => rows.every(({ state }) => state === 'done');

test(`three processes do ${TASKS} tasks, each exactly once, and every one of them does its share`, async (t) => {
  const ids = await queue('count', TASKS);
  const members = [member(), member(), member()];
  const rows = await until(ids, isDone);
  const began = members.flatMap((each) => each.began);
  assert.equal(began.length, TASKS, 'nothing was begun twice');
  assert.equal(new Set(began).size, TASKS, 'nothing was left out');
  assert.deepEqual(
    rows.map(({ result, attempts }) => [result?.square, attempts]),
    Array.from({ length: TASKS }, (_, number) => [number ** 2, 1]),
  );
  t.diagnostic(`shares: ${members.map((each) => each.began.length).join(', ')}`);
  for (const { child } of members) assert.equal(await stop(child, 'SIGTERM'), 0, 'ends in order');
});

test('a process that is killed in the middle loses nothing: another one takes its work over', async () => {
  const ids = await queue('slow', 1);
  const doomed = member('--hang');
  await until(ids, ([row]) => row?.state === 'running');
  await stop(doomed.child, 'SIGKILL');
  const next = member();
  const [row] = await until(ids, isDone);
  assert.deepEqual([row?.result?.square, row?.attempts, next.began], [0, 2, [0]]);
});

test('a process that is told to end gives its work back, and the try does not count', async () => {
  const ids = await queue('slow', 1);
  const ending = member('--hang');
  await until(ids, ([row]) => row?.state === 'running');
  assert.equal(await stop(ending.child, 'SIGTERM'), 0);
  const [returned] = await until(ids, ([row]) => row?.state === 'queued');
  assert.equal(returned?.attempts, 0);
  member();
  const [row] = await until(ids, isDone);
  assert.equal(row?.attempts, 1);
});

test('work of a newer version waits for a process that can do it, beside an older one that cannot', async () => {
  const old = member();
  await old.ready;
  const ids = await queue('new', 1);
  await until(ids, ([row]) => /Waits for a process whose version can do it/.test(row?.note ?? ''));
  member('--new');
  const [row] = await until(ids, isDone);
  assert.deepEqual([row?.result, row?.attempts], [{ by: 'the new version' }, 1]);
});

test('a worker without the address of a database says why it cannot join', async () => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../src/worker.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DATABASE_URL: '', TOUCHSTONE_HOME: '/tmp/touchstone-no-worker' },
  });
  const said = Array.fromAsync(child.stderr);
  await once(child, 'exit');
  assert.equal(child.exitCode, 1);
  assert.match(Buffer.concat(await said).toString(), /A worker joins by DATABASE_URL\. The embedded database belongs/);
});

test('a worker joins a server by DATABASE_URL, does its imports, is listed, and says goodbye', async () => {
  // Those killed above are still waited for.
  await db.migrator.query('UPDATE server_process SET stopped_at = now()');
  let home = '';
  const server = await startProductServer(db, (parts) => (home = parts.home), false);
  const { host, port, user, database } = db.connection;
  // The server that migrated it says so to those without the owner's credentials.
  await db.migrator.query(`GRANT SELECT ON schema_migration TO ${user}`);
  const url = `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  const worker = start('../src/worker.ts', [], { DATABASE_URL: url, TOUCHSTONE_HOME: home, LOG_LEVEL: 'error' });
  try {
    await worker.ready;
    const token = await server.tokenFor('owner', TENANT.tenantId);
    const file = priceFile(['ONE', 'TWO'], DAYS);
    const upload = await server.must(token, 'POST', '/data/uploads?fileName=a.csv', file);
    const task = await server.done(
      token,
      await server.must(token, 'POST', '/data/imports', {
        ...{ uploadId: upload.uploadId, fileName: 'a.csv', source: { code: 'shares', name: 'Shares' } },
        ...{ choices: { priceBasis: 'raw' }, onBadRow: 'keep-good', universeName: 'Shares' },
      }),
    );
    const run = await server.must(token, 'GET', `/data/runs/${Object(task.result).runId}`);
    assert.equal(run.acceptedCount, 2 * DAYS.length);
    const running = itemsOf(await server.must(token, 'GET', '/diagnostics/processes')).filter(
      ({ state }) => state === 'running',
    );
    assert.deepEqual(running.map(({ kind }) => kind).sort(), ['server', 'worker']);
    assert.equal(new Set(running.map(({ codeVersion }) => codeVersion)).size, 2, 'of two versions');
    assert.deepEqual(
      running.filter(({ isThis }) => isThis).map(({ kind }) => kind),
      ['server'],
    );
    assert.equal(await stop(worker.child, 'SIGTERM'), 0);
    const after = itemsOf(await server.must(token, 'GET', '/diagnostics/processes'));
    assert.equal(after.find(({ id }) => id === running.find(({ kind }) => kind === 'worker')?.id)?.state, 'stopped');
    await db.migrator.query(
      `UPDATE server_process SET last_seen_at = now() - interval '2 minutes', stopped_at = NULL WHERE kind = 'worker'`,
    );
    const lost = itemsOf(await server.must(token, 'GET', '/diagnostics/processes'));
    assert.ok(lost.filter(({ kind }) => kind === 'worker').every(({ state }) => state === 'lost'));
  } finally {
    await server.close();
  }
});
