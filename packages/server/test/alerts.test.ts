import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createWatch } from '../src/operate/watch/watch.ts';
import { type NewAlert, raiseAlert, resolveAlert } from '../src/platform/alerts/alerts.ts';
import { SYSTEM_PRINCIPAL } from '../src/platform/database/database.ts';
import { ProblemError } from '../src/platform/problem-error.ts';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { addBars, addInstrument, addSource } from './facts.ts';
import { startTestServer, type TestServer } from './test-server.ts';
import { until } from './until.ts';

// Tenant 1 is the first, so its owners operate the installation. Tenant 2 is another customer.

let db: TestDatabase;
let server: TestServer;
let operator: string;
let viewer: string;
let stranger: string;
let outcome: 'refuse' | 'break' | 'work' = 'work';
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ tasks }) =>
      tasks.register('test.alerts.run', async () => {
        if (outcome === 'refuse') throw new ProblemError('NOT_ENOUGH_HISTORY', 'Need 60 returns, have 12.');
        return {};
      }),
  });
  operator = await server.tokenFor('owner', 1);
  viewer = await server.tokenFor('viewer', 1);
  stranger = await server.tokenFor('owner', 2);
});
after(async () => {
  await server.close();
  await db.close();
});

const of = (tenantId: number) => ({ tenantId, actorId: null });
const alertOf = (sameAs: string, change: Partial<NewAlert> = {}): NewAlert => ({
  ...{ kind: 'test.happened', severity: 'warning', title: `about ${sameAs}`, detail: 'Do something.' },
  ...{ subjectKind: 'test', subjectId: 1, sameAs },
  ...change,
});
const raise = (tenantId: number, alert: NewAlert) =>
  db.database.transaction(of(tenantId), (tx) => raiseAlert(tx, alert));

type Told = { id: number; title: string; state: string; times: number; kind: string; tenantId: number };
async function list(token: string, query = ''): Promise<{ items: Told[]; nextCursor: string | null; open: object }> {
  const reply = await server.call('GET', `/alerts${query}`, { token });
  assert.equal(reply.status, 200, reply.text);
  return JSON.parse(reply.text);
}

test('an alert is open, then acknowledged, then resolved when its cause is gone, and can come again', async () => {
  await raise(1, alertOf('one'));
  await raise(1, alertOf('one', { title: 'about one, again' }));
  const [alert] = (await list(viewer)).items;
  assert.deepEqual([alert?.title, alert?.state, alert?.times], ['about one, again', 'open', 2]);

  const path = `/alerts/${alert!.id}/acknowledge`;
  assert.equal((await server.call('POST', path, { token: viewer })).json.code, 'FORBIDDEN');
  const acknowledged = await server.call('POST', path, { token: operator });
  assert.equal(acknowledged.json.state, 'acknowledged', acknowledged.text);
  const again = await server.call('POST', path, { token: operator });
  assert.equal(again.json.acknowledgedAt, acknowledged.json.acknowledgedAt, 'twice changes nothing');
  assert.deepEqual((await list(viewer)).open, { info: 0, warning: 0, critical: 0 });
  assert.equal((await list(viewer, '?state=open')).items.length, 0);
  const { rows } = await db.migrator.query(`SELECT body FROM evidence WHERE kind = 'alert.acknowledged'`);
  assert.equal(rows.length, 1);

  await db.database.transaction(of(1), (tx) => resolveAlert(tx, 'one'));
  assert.equal((await list(viewer, '?state=resolved')).items[0]?.id, alert!.id);
  assert.equal((await server.call('POST', path, { token: operator })).json.code, 'NOT_POSSIBLE_NOW');
  await raise(1, alertOf('one'));
  assert.notEqual((await list(viewer, '?state=open')).items[0]?.id, alert!.id, 'a new one');
});

test('alerts of the installation are seen by owners of the tenant that was first, and acknowledged by them only', async () => {
  await raise(0, alertOf('disk', { severity: 'critical' }));
  const mine = (await list(operator)).items.find((alert) => alert.tenantId === 0);
  assert.ok(mine);
  assert.equal(Object((await list(operator)).open).critical, 1);
  for (const token of [viewer, stranger, await server.tokenFor('manager', 1)]) {
    assert.ok((await list(token)).items.every((alert) => alert.tenantId !== 0));
    assert.equal(Object((await list(token)).open).critical, 0);
  }
  const path = `/alerts/${mine.id}/acknowledge`;
  assert.equal((await server.call('POST', path, { token: stranger })).json.code, 'NOT_FOUND');
  assert.equal((await server.call('POST', path, { token: operator })).json.state, 'acknowledged');
});

test('pages of alerts hold every alert once, newest first, the installation’s among the tenant’s', async () => {
  for (let i = 0; i < 7; i++) await raise(i % 2, alertOf(`page ${i}`, { kind: 'test.page', severity: 'info' }));
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(
      operator,
      `?limit=3&severity=info${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  assert.equal(seen.length, 7);
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => b - a),
  );
});

test('a stream tells each alert as it comes, of the caller’s own sight only', async () => {
  const closing = new AbortController();
  const open = async (token: string) => {
    const stream = await fetch(`${server.url}/api/v1/alerts/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: closing.signal,
    });
    assert.match(stream.headers.get('content-type') ?? '', /event-stream/);
    return stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  };
  const readers = { stranger: await open(stranger), operator: await open(operator) };
  // The line is opened with the first watcher; what is raised before it listens is on the page already.
  // Asked as the line's own role: others are not told what it does.
  await until(async () => {
    const { rows } = await db.database.pool.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'touchstone-alerts' AND query LIKE 'LISTEN%' AND state = 'idle' AND datname = current_database()`,
    );
    return rows[0].n > 0;
  }, 'the line listens');
  await raise(1, alertOf('for one'));
  await raise(0, alertOf('for all'));
  await raise(2, alertOf('for two'));
  const readUntil = async (reader: ReadableStreamDefaultReader<string>, words: string) => {
    let text = '';
    while (!text.includes(words)) text += (await reader.read()).value ?? '';
    return text;
  };
  const ofStranger = await readUntil(readers.stranger, 'about for two');
  assert.doesNotMatch(ofStranger, /for one|for all/);
  const ofOperator = await readUntil(readers.operator, 'about for all');
  assert.match(ofOperator, /event: alert\ndata: \{.*about for one/);
  assert.doesNotMatch(ofOperator, /for two/);
  closing.abort();
});

test('a task that has failed for good raises an alert, and the same work done later resolves it', async () => {
  const run = async (result: typeof outcome) => {
    outcome = result;
    const task = await db.database.transaction(of(1), (tx) =>
      server.tasks.start(tx, { kind: 'test.alerts.run', title: 'The work', input: { number: 5 } }),
    );
    await until(async () => {
      const { json } = await server.call('GET', `/tasks/${task.id}`, { token: operator });
      return ['done', 'failed'].includes(String(json.state));
    }, 'the task ends');
  };
  const ofTasks = async () => (await list(operator)).items.filter(({ kind }) => kind === 'tasks.failed');
  await run('refuse');
  await run('refuse');
  const failed = await ofTasks();
  assert.equal(failed.length, 1);
  assert.deepEqual([failed[0]?.title, failed[0]?.state, failed[0]?.times], ['"The work" has failed', 'open', 2]);
  await run('work');
  assert.equal((await ofTasks())[0]?.state, 'resolved');
});

test('data older than its schedule and a full disk raise alerts once, and resolve when they are well again', async () => {
  let now = Date.parse('2026-01-15T23:00:00Z');
  let freeBytes = 100e9;
  let dayLeft = 5;
  const watch = createWatch({
    ...{ database: db.database, clock: { now: () => now }, home: '/tmp', log: { warn: () => {} } },
    indexes: { list: async () => [], levels: async () => ({ days: [], level: [] }) },
    feeds: {
      list: async ({ tenantId }) => ({
        items: [
          { id: 4, tenantId, name: 'vendor', credits: { dayLeft, perDay: 800, resetAt: '2026-01-16T00:00:00.000Z' } },
        ].filter(() => tenantId === 1),
      }),
    },
    diskOf: async () => ({ freeBytes, totalBytes: 200e9 }),
  });
  const universeOf = (tenantId: number, code: string, scheduled: boolean) =>
    db.database.transaction(of(tenantId), async (tx) => {
      const sourceId = await addSource(tx, code);
      const instrumentId = await addInstrument(tx, code.toUpperCase());
      await addBars(tx, sourceId, [{ instrumentId, day: '2026-01-14', close: 10 }]);
      await tx.query
        .updateTable('ingest_run')
        .set({ first_day: '2026-01-14', last_day: '2026-01-14' })
        .where('source_id', '=', sourceId)
        .execute();
      const { id } = await tx.query
        .insertInto('universe')
        .values({
          ...{ tenant_id: tenantId, name: code, rule: 'all_of_source' },
          ...{ source_tenant_id: tenantId, source_id: sourceId },
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      if (scheduled) {
        await tx.query
          .insertInto('schedule')
          .values({
            ...{ tenant_id: tenantId, kind: 'verify', title: code, cron: '0 3 * * *' },
            input: JSON.stringify({ universeId: id }),
          })
          .execute();
      }
      return { id, sourceId, instrumentId };
    });
  const kept = await universeOf(1, 'kept', true);
  await universeOf(1, 'history', false);
  const ages = async () =>
    Object.fromEntries(
      (await watch.freshness(of(1))).map((row) => [row.universeName, [row.ageTradingDays, row.isStale]]),
    );

  // Thursday's close is two hours ago: one session has finished since Wednesday's bar.
  assert.deepEqual(await ages(), { kept: [1, false], history: [1, false] });
  assert.equal((await watch.look()).raised, 0);
  // Monday 2026-01-19 is a holiday: on Wednesday evening Thursday, Friday, Tuesday and Wednesday have passed.
  now = Date.parse('2026-01-21T23:00:00Z');
  freeBytes = 5e9;
  dayLeft = 0;
  assert.deepEqual(await ages(), { kept: [4, true], history: [4, false] });
  assert.equal((await watch.look()).raised, 3);
  assert.equal((await watch.look()).raised, 0, 'looking again is no news');
  const open = (await list(operator, '?state=open&limit=100')).items.map(({ kind, title }) => `${kind}: ${title}`);
  assert.ok(open.includes('data.stale: kept is 4 trading days old'), open.join('\n'));
  assert.ok(open.includes('operate.disk-nearly-full: The disk is nearly full'), open.join('\n'));
  assert.ok(open.includes('feeds.credits-spent: The credits of vendor are spent'), open.join('\n'));

  freeBytes = 100e9;
  dayLeft = 800;
  await db.database.transaction(of(1), async (tx) => {
    const runId = await addBars(tx, kept.sourceId, [{ instrumentId: kept.instrumentId, day: '2026-01-21', close: 10 }]);
    await tx.query.updateTable('ingest_run').set({ last_day: '2026-01-21' }).where('id', '=', runId).execute();
  });
  await watch.look();
  const left = (await list(operator, '?state=open&limit=100')).items.map(({ kind }) => kind);
  assert.ok(!left.includes('feeds.credits-spent'), left.join());
  assert.ok(!left.includes('data.stale') && !left.includes('operate.disk-nearly-full'), left.join());
});

test('the installation’s alerts are written as the system, and no tenant can write them', async () => {
  await assert.rejects(
    db.database.transaction(of(2), ({ client }) =>
      client.query(
        `INSERT INTO alert (tenant_id, kind, severity, title, subject_kind, subject_id, same_as) VALUES (0, 'a.b', 'info', 'x', 'y', '1', 'z')`,
      ),
    ),
    /row-level security/,
  );
  await db.database.transaction(SYSTEM_PRINCIPAL, (tx) => raiseAlert(tx, alertOf('ours')));
});
