import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Task, task as taskSchema } from '@touchstone/contracts/tasks';
import { ProblemError } from '../src/platform/problem-error.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const KIND = (verb: string) => `test.platform.${verb}`;
const TENANT = 7;

let db: TestDatabase;
let server: TestServer;
let token: string;
let manager: string;
let runs = 0;
/** What work that counts waits for halfway, so that whoever looks sees it there. */
let halfwayHeld: Promise<void> = Promise.resolve();
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire({ tasks }) {
      tasks.register(KIND('count'), async (input, { progress, principal }) => {
        for (let i = 1; i <= 4; i++) {
          progress(i / 4, `step ${i}`);
          if (i === 2) await halfwayHeld;
        }
        return { counted: input.upTo, tenantId: principal.tenantId };
      });
      tasks.register(KIND('wait'), async (_input, { signal }) => {
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return {};
      });
      tasks.register(KIND('refuse'), async () => {
        throw new ProblemError('FILE_REFUSED', 'Line 3 is not a price.', { details: [{ path: 'a.csv:3', rule: 'x' }] });
      });
      tasks.register(KIND('stumble'), async () => {
        runs++;
        if (runs < 3) throw new Error('a bug, twice');
        return { runs };
      });
      tasks.register(KIND('survive'), async () => ({ by: 'the next one' }));
      tasks.registerSchedule('verify', (input) => ({ kind: KIND('count'), title: 'Scheduled', input }));
    },
  });
  token = await server.tokenFor('owner', TENANT);
  manager = await server.tokenFor('manager', 8);
});
after(async () => {
  await server.close();
  await db.close();
});

const principal = { tenantId: TENANT, actorId: null };
const start = (verb: string, input: Record<string, unknown> = {}) =>
  db.database.transaction(principal, (tx) => server.tasks.start(tx, { kind: KIND(verb), title: `Do ${verb}`, input }));

async function get(taskId: number): Promise<Task> {
  return taskSchema.parse((await server.call('GET', `/tasks/${taskId}`, { token })).json);
}

async function until(taskId: number, is: (task: Task) => boolean, timeoutMs = 120_000): Promise<Task> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const task = await get(taskId);
    if (is(task)) return task;
    if (performance.now() > deadline) throw new Error(`it is still ${JSON.stringify(task)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('work starts at once, tells how far it is, and keeps what it did', async (t) => {
  const began = performance.now();
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  halfwayHeld = promise;
  const { id } = await start('count', { upTo: 4 });
  await until(id, (task) => task.state === 'running');
  // Reported, not judged: on a busy machine it says more about the machine.
  t.diagnostic(`started after ${Math.round(performance.now() - began)} ms`);
  const halfway = await until(id, (task) => task.progress > 0 && task.progress < 1);
  assert.match(halfway.progressNote, /^step \d$/);
  goOn();
  const done = await until(id, (task) => task.state === 'done');
  assert.deepEqual(done.result, { counted: 4, tenantId: TENANT });
  assert.equal(done.progress, 1);
  assert.equal(done.attempts, 1);
  assert.ok(done.startedAt !== null && done.finishedAt !== null && done.problem === null);
});

test('work whose transaction is rolled back never starts', async () => {
  let taskId = 0;
  await assert.rejects(
    db.database.transaction(principal, async (tx) => {
      taskId = (await server.tasks.start(tx, { kind: KIND('count'), title: 'x', input: {} })).id;
      throw new Error('changed my mind');
    }),
  );
  assert.equal((await server.call('GET', `/tasks/${taskId}`, { token })).status, 404);
  assert.deepEqual(await server.tasks.counts(), { queued: 0, running: 0, failed: 0 });
});

test('what the user is told about ends the task at once, without another try', async () => {
  const { id } = await start('refuse');
  const failed = await until(id, (task) => task.state === 'failed');
  assert.equal(failed.attempts, 1);
  assert.deepEqual(failed.problem, {
    code: 'FILE_REFUSED',
    detail: 'Line 3 is not a price.',
    details: [{ path: 'a.csv:3', rule: 'x' }],
  });
});

test('a bug is tried again, twice, a little later each time', async () => {
  const { id } = await start('stumble');
  const done = await until(id, (task) => task.state === 'done');
  assert.equal(done.attempts, 3);
  assert.deepEqual(done.result, { runs: 3 });
});

test('a running task stops soon after it is asked to, and can be run again', async (t) => {
  const { id } = await start('wait');
  await until(id, (task) => task.state === 'running');
  const asked = performance.now();
  const reply = await server.call('POST', `/tasks/${id}/cancel`, { token });
  assert.equal(reply.status, 202);
  const ended = await until(id, (task) => task.state === 'cancelled');
  t.diagnostic(`stopped after ${Math.round(performance.now() - asked)} ms`);
  assert.ok(ended.cancelRequestedAt !== null);
  assert.equal((await server.call('POST', `/tasks/${id}/cancel`, { token })).json.code, 'NOT_POSSIBLE_NOW');
  assert.equal((await server.call('POST', `/tasks/${id}/retry`, { token })).status, 202);
  const again = await until(id, (task) => task.state === 'running');
  assert.equal(again.attempts, 1);
  assert.equal((await server.call('POST', `/tasks/${id}/retry`, { token })).json.code, 'NOT_POSSIBLE_NOW');
  await server.call('POST', `/tasks/${id}/cancel`, { token });
  await until(id, (task) => task.state === 'cancelled');
});

test('two run at a time, the others wait, and a waiting one is cancelled without ever running', async () => {
  const ids = [await start('wait'), await start('wait'), await start('wait')].map((task) => task.id);
  await until(ids[0]!, (task) => task.state === 'running');
  await until(ids[1]!, (task) => task.state === 'running');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await get(ids[2]!)).state, 'queued');
  await server.call('POST', `/tasks/${ids[2]}/cancel`, { token });
  assert.equal((await get(ids[2]!)).state, 'cancelled');
  for (const id of ids.slice(0, 2)) await server.call('POST', `/tasks/${id}/cancel`, { token });
  for (const id of ids) await until(id, (task) => task.state === 'cancelled');
  assert.equal((await get(ids[2]!)).attempts, 0);
});

test('tasks are listed newest first, by page and by state', async () => {
  const first = await server.call('GET', '/tasks?limit=2', { token });
  const items = taskSchema.array().parse(first.json.items);
  assert.equal(items.length, 2);
  assert.ok(items[0]!.id > items[1]!.id);
  const next = await server.call('GET', `/tasks?limit=2&cursor=${first.json.nextCursor}`, { token });
  assert.ok(taskSchema.array().parse(next.json.items)[0]!.id < items[1]!.id);
  const failed = await server.call('GET', '/tasks?state=failed', { token });
  assert.ok(
    taskSchema
      .array()
      .parse(failed.json.items)
      .every((task) => task.state === 'failed'),
  );
});

test('another tenant neither sees nor stops them', async () => {
  const { id } = await start('wait');
  await until(id, (task) => task.state === 'running');
  assert.equal((await server.call('GET', `/tasks/${id}`, { token: manager })).status, 404);
  assert.equal((await server.call('POST', `/tasks/${id}/cancel`, { token: manager })).status, 404);
  assert.deepEqual((await server.call('GET', '/tasks', { token: manager })).json.items, []);
  assert.equal((await get(id)).state, 'running');
  await server.call('POST', `/tasks/${id}/cancel`, { token });
});

test('changes are told as they happen, to those of the same tenant', async () => {
  const open = (bearer: string) =>
    fetch(`${server.url}/api/v1/tasks/events`, { headers: { authorization: `Bearer ${bearer}` } });
  const [mine, foreign] = await Promise.all([open(token), open(manager)]);
  assert.match(mine.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(mine.headers.get('x-content-type-options'), 'nosniff');
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  halfwayHeld = promise;
  const { id } = await start('count');
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of mine.body!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"state":"running"')) goOn();
    if (text.includes('"state":"done"')) break;
  }
  assert.match(text, new RegExp(`event: task\\ndata: \\{"id":${id},`));
  for (const state of ['queued', 'running', 'done']) assert.ok(text.includes(`"state":"${state}"`), state);
  const reader = foreign.body!.getReader();
  assert.equal(decoder.decode((await reader.read()).value), ': open\n\n');
  await reader.cancel();
});

test('a task whose server is killed in the middle is taken up again by another', async () => {
  await server.tasks.stop();
  const worker = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'task-worker.ts'), JSON.stringify(db.connection)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { id } = await start('survive');
  await once(worker.stdout!, 'data');
  assert.equal((await get(id)).state, 'running');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  const next = await startTestServer(db, {
    runTasks: true,
    wire: ({ tasks }) => tasks.register(KIND('survive'), async () => ({ by: 'the next one' })),
  });
  try {
    const done = await until(id, (task) => task.state === 'done');
    assert.deepEqual(done.result, { by: 'the next one' });
    assert.equal(done.attempts, 2);
  } finally {
    await next.close();
  }
});

test('a server that is stopped gives running work back, and the next one goes on', async () => {
  const wire = ({ tasks }: { tasks: TestServer['tasks'] }) =>
    tasks.register(
      KIND('wait'),
      (_input, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
  const first = await startTestServer(db, { runTasks: true, wire });
  const { id } = await start('wait');
  await until(id, (task) => task.state === 'running');
  await first.close();
  const returned = await get(id);
  assert.equal(returned.state, 'queued');
  assert.equal(returned.attempts, 0, 'the stopped try does not count');
  const second = await startTestServer(db, {
    runTasks: true,
    wire: ({ tasks }) => tasks.register(KIND('wait'), async () => ({ finished: true })),
  });
  try {
    const done = await until(id, (task) => task.state === 'done');
    assert.deepEqual(done.result, { finished: true });
  } finally {
    await second.close();
  }
});

test('schedules are made, changed and deleted with their version, and start their work', async () => {
  const wire = ({ tasks }: { tasks: TestServer['tasks'] }) => {
    tasks.register(KIND('scheduled'), async (input) => ({ saw: input.what }));
    tasks.registerSchedule('verify', (input) => ({ kind: KIND('scheduled'), title: 'Scheduled', input }));
  };
  const next = await startTestServer(db, { runTasks: true, wire });
  try {
    const body = {
      kind: 'verify',
      title: 'Every night',
      cron: '0 3 * * *',
      input: { what: 'the moon' },
      enabled: true,
    };
    const made = await next.call('POST', '/schedules', { token, body });
    assert.equal(made.status, 201, made.text);
    for (const wrong of [{ cron: '99 3 * * *' }, { kind: 'backup' }]) {
      assert.equal(
        (await next.call('POST', '/schedules', { token, body: { ...body, ...wrong } })).json.code,
        'INVALID_REQUEST',
      );
    }
    const at = `/schedules/${made.json.id}`;
    const version = made.json.version;
    assert.equal((await next.call('PATCH', at, { token: manager, body: { title: 'x', version } })).status, 404);
    const changed = await next.call('PATCH', at, { token, body: { cron: '30 4 * * 1', version } });
    assert.equal(changed.json.cron, '30 4 * * 1', changed.text);
    assert.equal((await next.call('PATCH', at, { token, body: { title: 'x', version } })).json.code, 'CONFLICT');
    assert.equal(Array.isArray(changed.json.nextRuns) && changed.json.nextRuns.length, 3);
    assert.equal(changed.json.lastTask, null);

    // Its time has come: a week later.
    next.clock.offsetMs += 7 * 24 * 3_600_000;
    const later = await next.tokenFor('owner', TENANT);
    let started: Task | undefined;
    for (let i = 0; i < 6_000 && started?.state !== 'done'; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { json } = await next.call('GET', '/tasks?limit=1', { token: later });
      started = taskSchema
        .array()
        .parse(json.items)
        .find((task) => task.title === 'Every night');
    }
    assert.deepEqual(started?.result, { saw: 'the moon' });
    const listed = await next.call('GET', '/schedules', { token: later });
    assert.match(listed.text, /"lastStartedAt":"\d{4}/);
    assert.match(listed.text, /"lastTask":\{"id":\d+,"state":"done"/);

    assert.equal((await next.call('DELETE', at, { token: later })).status, 204);
    assert.equal((await next.call('DELETE', at, { token: later })).status, 404);
    assert.deepEqual((await next.call('GET', '/schedules', { token: later })).json.items, []);
  } finally {
    await next.close();
  }
});

test('what people did to tasks and schedules is in the evidence', async () => {
  const { json } = await server.call('GET', '/diagnostics/evidence?limit=500', { token });
  const kinds = new Set(Array.isArray(json.items) ? json.items.map((item) => item.kind) : []);
  for (const kind of ['task.cancelled', 'task.retried', 'schedule.created', 'schedule.changed', 'schedule.deleted']) {
    assert.ok(kinds.has(kind), kind);
  }
});
