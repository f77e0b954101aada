import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createTestDatabase, type TestDatabase } from '../../cluster.ts';
import { must, startWholeServer } from '../../edges/whole-server.ts';
import { addInstrument } from '../../facts.ts';
import type { TestServer } from '../../test-server.ts';

// What Feast's own feature server answered to these requests (feast-exchanges.json, made by record_feast.py) is what
// ours answers. Two differences are meant: ours honours the time to live, which Feast's Python server leaves to others,
// and says NULL_VALUE of a stored null, for which Feast has the word and says PRESENT.

type Result = { values: unknown[]; statuses: string[]; event_timestamps: string[] };
type Answer = { metadata: { feature_names: string[] }; results: Result[] };
type Exchange = { path: string; request: object; status: number; answer: Answer | null };

let db: TestDatabase;
let server: TestServer;
let token: string;
let exchanges: Exchange[];
before(async () => {
  const file = path.join(import.meta.dirname, 'feast-exchanges.json');
  ({ exchanges } = JSON.parse(await readFile(file, 'utf8')));
  db = await createTestDatabase();
  server = await startWholeServer(db);
  token = await server.tokenFor('owner', 5);
  await db.database.transaction({ tenantId: 5, actorId: null }, async (tx) => {
    for (const symbol of ['AAA', 'BBB']) await addInstrument(tx, symbol);
  });
  for (const [name, ttlDays, features] of [
    ['news', 36_500, ['tone', 'count']],
    ['brief', 1, ['mood']],
  ] as const) {
    const about = { name, ttlDays, description: '', owner: 'desk', source: 'push' };
    await must(server, token, 'POST', '/feature-views', { ...about, features: features.map((own) => ({ name: own })) });
  }
});
after(async () => {
  await server.close();
  await db.close();
});

/** By name of the feature: Feast gives them in an order of its own, and clients look them up. */
function byName({ metadata, results }: Answer): Record<string, Result> {
  return Object.fromEntries(metadata.feature_names.map((name, i) => [name, results[i]!]));
}

/** What Feast would say if it had our two differences. */
function meant(recorded: Record<string, Result>): Record<string, Result> {
  const changed = Object.entries(recorded).map(([name, { values, statuses, event_timestamps }]) => {
    const isOld = name === 'mood';
    const told = values.map((value, i) => (isOld && statuses[i] === 'PRESENT' ? null : value));
    const words = statuses.map((status, i) => {
      if (status !== 'PRESENT') return status;
      return isOld ? 'OUTSIDE_MAX_AGE' : values[i] === null ? 'NULL_VALUE' : status;
    });
    return [name, { values: told, statuses: words, event_timestamps }];
  });
  return Object.fromEntries(changed);
}

test('the recorded requests of Feast get the recorded answers', async () => {
  for (const { path: at, request, status, answer } of exchanges) {
    const reply = await server.call('POST', `/feast${at}`, { token, body: request });
    assert.equal(reply.status, status, `${at} ${JSON.stringify(request)}: ${reply.text}`);
    if (answer === null) continue;
    const ours: Answer = JSON.parse(reply.text);
    assert.deepEqual(byName(ours), meant(byName(answer)), JSON.stringify(request));
  }
});

test('without a key nobody is told anything', async () => {
  const reply = await server.call('POST', '/feast/get-online-features', {
    body: exchanges.at(-1)!.request,
    token: 'a.b.c',
  });
  assert.equal(reply.status, 401);
});

test('Feast’s own client reads our values with an API key', async (t) => {
  const python = [
    process.env.TOUCHSTONE_FEAST_PYTHON ?? '',
    path.join(import.meta.dirname, '../../../../../.peers-feast/bin/python'),
  ].find((candidate) => candidate !== '' && existsSync(candidate));
  if (python === undefined) {
    t.skip('feast is not installed here: npm run peers, or TOUCHSTONE_FEAST_PYTHON');
    return;
  }
  const made = await must(server, token, 'POST', '/keys', { name: 'Feast', scopes: ['market:read'] });
  const script = path.join(import.meta.dirname, 'ask_feast_client.py');
  const env = { ...process.env, TOUCHSTONE_KEY: String(made.key) };
  const { stdout } = await promisify(execFile)(python, [script, server.url], { env, timeout: 120_000 });
  const { feast, answer } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  t.diagnostic(`feast ${feast}`);
  assert.deepEqual(answer, {
    instrument: ['AAA', 'BBB', 'ZZZ'],
    news__tone: [0.25, null, null],
    news__count: [3, 4.5, null],
  });
});
