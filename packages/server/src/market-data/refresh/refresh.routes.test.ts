import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { type KeylessDouble, startKeylessDouble } from '../../../test/market-data/keyless-double.ts';
import { trueSeries } from '../../../test/market-data/refresh-harness.ts';
import { type Reply, startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createMarketData, registerMarketDataRoutes } from '../index.ts';

// The whole way by HTTP: real database, real queue, batches in threads. Replaced: the vendor, by a double.

let db: TestDatabase;
let server: TestServer;
let double: KeylessDouble;
let token: string;
before(async () => {
  db = await createTestDatabase();
  double = await startKeylessDouble();
  server = await startTestServer(db, {
    runTasks: true,
    wire: ({ serve, database, objects, tasks, secretBox }) => {
      const clock = { now: () => Date.UTC(2024, 5, 14, 23) };
      const deps = { database, connection: db.connection, objects, tasks, secretBox, clock };
      const feedOptions = { allowLoopback: true, retryDelayMs: 1 };
      registerMarketDataRoutes(serve, createMarketData({ ...deps, feedOptions, twelveDataUrl: double.url }));
    },
  });
  token = await server.tokenFor('manager', 7);
});
after(async () => {
  await server.close();
  await double.close();
  await db.close();
});

const call = (method: string, path: string, body?: unknown): Promise<Reply> =>
  server.call(method, path, { token, body });

async function ended(taskId: number, as = token): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 2400; attempt++) {
    const { json } = await server.call('GET', `/tasks/${taskId}`, { token: as });
    if (json.state !== 'queued' && json.state !== 'running') return json;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`task ${taskId} did not end in 120 s`);
}

function dailyCsv(symbol: string): string {
  const series = trueSeries(symbol, tradingDays('XNYS', dayNumber('2023-06-14'), dayNumber('2024-06-14')));
  const rows = Array.from(series.day, (day, i) =>
    [dayText(day), series.open[i], series.high[i], series.low[i], series.close[i], series.volume[i]].join(','),
  );
  return `Date,Open,High,Low,Close,Volume\n${rows.join('\n')}\n`;
}

async function addFeed(code: string): Promise<number> {
  const settings = { urlTemplate: `${double.url}/{symbol}`, years: 1 };
  const made = await call('POST', '/data/feeds', { feed: 'stooq', code, settings });
  assert.equal(made.status, 201, made.text);
  return Number(made.json.id);
}

test('a feed is added, planned, refreshed into a universe of its own and reported, by HTTP', async () => {
  double.answer((url) => (url.pathname === '/GONE' ? { status: 404, body: '' } : { body: dailyCsv(url.pathname) }));
  const feed = await addFeed('by-http');
  const symbols = ['HTTPA', 'HTTPB', 'GONE'];
  const plan = await call('POST', `/data/feeds/${feed}/plan`, { symbols });
  assert.deepEqual(
    [plan.status, plan.json.symbolCount, plan.json.newCount, plan.json.throughDay],
    [200, 3, 3, '2024-06-14'],
  );
  const started = await call('POST', `/data/feeds/${feed}/refreshes`, { symbols, universeName: 'By HTTP' });
  assert.equal(started.status, 202, started.text);
  const task = await ended(Number(Object(started.json.task).id));
  assert.equal(task.state, 'done', JSON.stringify(task));
  const result = Object(task.result);
  assert.deepEqual([result.state, result.gapCount, result.refreshedCount], ['degraded', 1, 2]);
  const report = await call('GET', `/data/refreshes/${result.refreshId}`);
  assert.equal(report.status, 200, report.text);
  const [gap] = Object(report.json).gaps;
  assert.deepEqual([gap.symbol, gap.kind, gap.fromDay <= gap.toDay], ['GONE', 'unknown', true]);
  assert.equal(Object(report.json).runs.length, 1);
  const gaps = await call('GET', `/data/gaps?sourceId=${feed}`);
  assert.deepEqual([gaps.json.openCount, Object(gaps.json).items.length], [1, 1]);
  const listed = await call('GET', '/data/feeds');
  assert.equal(listed.status, 200, listed.text);
  const [told] = Object(listed.json).items;
  assert.deepEqual([told.openGapCount, told.instrumentCount, told.lastRefresh.state], [1, 2, 'degraded']);
  const universe = await db.migrator.query(`SELECT rule, source_id FROM universe WHERE name = 'By HTTP'`);
  assert.deepEqual(universe.rows, [{ rule: 'all_of_source', source_id: feed }]);
  const sources = await call('GET', '/data/sources');
  assert.equal(sources.status, 200, 'a source that is a feed is told as one');
});

test('the key of a vendor is never told again, not in an answer, a log, the evidence or the database', async () => {
  const key = 'a-very-secret-vendor-key';
  const made = await call('POST', '/data/feeds', { feed: 'twelvedata', key });
  assert.equal(made.status, 201, made.text);
  const { id, version } = made.json;
  assert.equal(made.json.hasKey, true);
  const listed = await call('GET', '/data/feeds');
  const rotated = await call('PUT', `/data/feeds/${id}/key`, { key: `${key}-2`, version });
  assert.equal(rotated.status, 200, rotated.text);
  const stale = await call('PUT', `/data/feeds/${id}/key`, { key: `${key}-3`, version });
  assert.deepEqual([stale.status, stale.json.code], [409, 'CONFLICT']);
  const kept = await db.migrator.query(
    'SELECT source::text AS row FROM source UNION ALL SELECT evidence::text FROM evidence',
  );
  const everything = [made.text, listed.text, rotated.text, ...server.lines, ...kept.rows.map(({ row }) => row)].join(
    '\n',
  );
  assert.ok(!everything.includes(key));
  assert.ok(!everything.includes(Buffer.from(key).toString('hex')));
  await db.migrator.query(
    `UPDATE source SET credential_sealed = '\\x00112233445566778899aabbccddeeff00112233445566778899aabb' WHERE id = $1`,
    [id],
  );
  const foreign = await call('GET', '/data/feeds');
  const told = Object(foreign.json).items.find((feed: { id: number }) => feed.id === id);
  assert.deepEqual([foreign.status, told.hasKey, told.state], [200, false, 'no_key'], 'sealed with another secret');
  const removed = await call('DELETE', `/data/feeds/${id}`);
  assert.equal(removed.status, 204);
  const { rows } = await db.migrator.query('SELECT credential_sealed AS sealed FROM source WHERE id = $1', [id]);
  assert.deepEqual(rows, [{ sealed: null }]);
});

test('work that was accepted runs on as who asked for it, though their session has ended meanwhile', async () => {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  // The vendor is slow: the session ends while it is waited for.
  double.answer(async (url) => {
    asked.resolve();
    await gate.promise;
    return { body: dailyCsv(url.pathname) };
  });
  const feed = await addFeed('session');
  const own = await server.tokenFor('manager', 7);
  const started = await server.call('POST', `/data/feeds/${feed}/refreshes`, {
    token: own,
    body: { symbols: ['SESSION'] },
  });
  assert.equal(started.status, 202, started.text);
  await asked.promise;
  server.clock.offsetMs = 40 * 86_400_000;
  const refused = await server.call('GET', '/data/feeds', { token: own });
  assert.equal(refused.status, 401);
  server.clock.offsetMs = 0;
  gate.resolve();
  const task = await ended(Number(Object(started.json.task).id));
  assert.equal(task.state, 'done', JSON.stringify(task));
  const { rows } = await db.migrator.query(
    `SELECT DISTINCT p.actor_id IS NOT NULL AND p.actor_id = t.created_by AS own FROM publication p
     JOIN ingest_run r ON r.id = p.run_id JOIN task t ON t.id = r.task_id WHERE r.source_id = $1`,
    [feed],
  );
  assert.deepEqual(rows, [{ own: true }]);
});
