import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { DAYS, itemsOf, type ProductServer, startProductServer } from './product-server.ts';

const REFRESH = 'market-data.refresh.run';
const TENANT = 7;

let db: TestDatabase;
let server: ProductServer;
let token: string;
let own: Awaited<ReturnType<ProductServer['importPrices']>>;
let indexId: number;
before(async () => {
  db = await createTestDatabase();
  server = await startProductServer(db, ({ tasks }) => {
    if (!tasks.hasSchedule('refresh')) tasks.register(REFRESH, async () => ({ refreshed: true }));
  });
  token = await server.tokenFor('owner', TENANT);
  own = await server.importPrices(token, 'shares', ['ONE', 'TWO', 'SIX']);
  const index = await server.must(token, 'POST', '/indexes', {
    ...{ name: 'Mine', universeId: own.universeId, method: 'equal_weight' },
  });
  indexId = Number(index.id);
});
after(async () => {
  await server.close();
  await db.close();
});

const schedule = (body: object, by = token) =>
  server.call('POST', '/schedules', {
    token: by,
    body: { title: 'It', cron: '0 3 * * *', enabled: true, input: {}, ...body },
  });

test('what a schedule names must be there on the day it is made, and when it is changed', async () => {
  for (const [body, status, sentence] of [
    [{ kind: 'index-run', input: { indexId: 99_999 } }, 404, /no index 99999/],
    [{ kind: 'index-run', input: {} }, 400, /must be \{ indexId \}/],
    [{ kind: 'index-run', input: { indexId, also: 1 } }, 400, /must be \{ indexId \}/],
    [{ kind: 'court', input: { universeId: 99_999 } }, 404, /no universe 99999/],
    [{ kind: 'refresh', input: { universeId: own.universeId, sourceId: 99_999 } }, 404, /no source 99999/],
    [{ kind: 'refresh', input: { universeId: 99_999, sourceId: own.sourceId } }, 404, /no universe 99999/],
    [{ kind: 'archive', input: { years: 0 } }, 400, /years|by schedule/],
    [{ kind: 'verify', input: { what: 'the moon' } }, 400, /must be \{\}/],
  ] as const) {
    const reply = await schedule(body);
    assert.equal(reply.status, status, `${JSON.stringify(body)}: ${reply.text}`);
    assert.match(String(reply.json.detail), sentence);
  }
  const made = await schedule({ kind: 'index-run', input: { indexId } });
  assert.equal(made.status, 201, made.text);
  const changed = await server.call('PATCH', `/schedules/${made.json.id}`, {
    token,
    body: { input: { indexId: 99_999 }, version: 1 },
  });
  assert.equal(changed.status, 404, changed.text);
  const analyst = await server.tokenFor('analyst', TENANT);
  assert.equal((await schedule({ kind: 'backup' }, analyst)).status, 403);
  await server.must(token, 'DELETE', `/schedules/${made.json.id}`);
});

test('a universe is kept current by one request: refresh, court and its indexes, in this order, and only once', async () => {
  const ask = (minutes?: number) =>
    server.must(token, 'POST', `/universes/${own.universeId}/keep-current`, { sourceId: own.sourceId, minutes });
  const [first, second] = await Promise.all([ask(), ask()]);
  assert.equal(Number(first.changedCount) + Number(second.changedCount), 3, 'two at once make everything once');
  const items = itemsOf(first);
  assert.deepEqual(
    items.map(({ kind, afterClose }) => [kind, Object(afterClose).minutes]),
    [
      ['refresh', 75],
      ['court', 105],
      ['index-run', 120],
    ],
  );
  const starts = items.map(({ nextRuns }) => String(Array.isArray(nextRuns) ? nextRuns[0] : ''));
  assert.deepEqual(starts, starts.toSorted());
  const moved = await ask(30);
  assert.equal(moved.changedCount, 3);
  assert.deepEqual(
    itemsOf(moved).map(({ id }) => id),
    items.map(({ id }) => id),
  );
  assert.equal((await ask(30)).changedCount, 0);
  const foreign = await server.call('POST', `/universes/${own.universeId}/keep-current`, {
    ...{ token: await server.tokenFor('owner', 8), body: { sourceId: own.sourceId } },
  });
  assert.equal(foreign.status, 404, foreign.text);
});

test('scheduled work that fails is an alert, which is over when it is done the next time', async () => {
  let isBroken = true;
  const broken = await startProductServer(db, ({ tasks }) => {
    tasks.register('test.brittle.run', async () => {
      if (isBroken) throw new Error('still broken');
      return {};
    });
    tasks.registerSchedule('verify', () => ({ kind: 'test.brittle.run', title: 'Brittle', input: {} }));
  });
  // Only this one may take the work: the other does not know it.
  await server.tasks.stop();
  try {
    const made = await broken.must(token, 'POST', '/schedules', {
      ...{ kind: 'verify', title: 'Brittle', cron: '* * * * *', input: {}, enabled: true },
    });
    const alerts = async (is: (rows: { title: string; resolved: boolean }[]) => boolean) => {
      const deadline = performance.now() + 120_000;
      for (;;) {
        const { rows } = await db.migrator.query(
          `SELECT title, resolved_at IS NOT NULL AS resolved FROM alert WHERE kind = 'tasks.failed' AND title LIKE '%' || $1 || '%'`,
          [made.title],
        );
        if (is(rows)) return rows;
        assert.ok(performance.now() < deadline, JSON.stringify(rows));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    broken.clock.offsetMs += 2 * 60_000;
    const [open] = await alerts((rows) => rows.length === 1);
    assert.equal(open?.title, '"Brittle" has failed');
    isBroken = false;
    broken.clock.offsetMs += 2 * 60_000;
    await alerts((rows) => rows.every(({ resolved }) => resolved));
  } finally {
    await broken.close();
    await server.tasks.run();
  }
});

test('the court looks again at what is out, opens what no case tells of yet, and changes no bar', async () => {
  const bad = await server.importPrices(token, 'odd', ['OAK', 'ELM', 'ASH']);
  const bars = () =>
    db.migrator.query(`SELECT md5(string_agg(o::text, '|' ORDER BY o::text)) AS sum FROM price_observation o`);
  // A hand sets a bar ten times too high: corrections are not judged when they are made.
  const day = DAYS[60]!;
  const [instrumentId] = bad.instrumentIds;
  const answer = await server.must(token, 'GET', `/data/instruments/${instrumentId}/bars?from=${day}&to=${day}`);
  const bar = itemsOf(answer)[0]!;
  const ten = Object.fromEntries(['open', 'high', 'low', 'close'].map((name) => [name, 10 * Number(bar[name])]));
  await server.must(token, 'POST', '/data/corrections', {
    ...{ instrumentId, sourceId: bad.sourceId, day, ...ten, volume: bar.volume, reason: 'A slip' },
  });
  const before = (await bars()).rows[0].sum;
  const court = async () => {
    const task = await server.done(token, await server.must(token, 'POST', `/universes/${bad.universeId}/court`));
    return Object(task.result);
  };
  const first = await court();
  assert.ok(first.newCaseCount > 0, JSON.stringify(first));
  assert.equal(first.barCount, 3 * DAYS.length);
  const cases = itemsOf(await server.must(token, 'GET', `/data/cases?runId=${first.runId}`));
  assert.equal(cases.length, first.newCaseCount);
  const told = cases.find((each) => each.instrumentId === instrumentId && each.firstDay === day);
  assert.ok(told, JSON.stringify(cases));
  assert.equal(told.action, 'note');
  assert.equal((await court()).newCaseCount, 0, 'the second time nothing is news');
  assert.equal((await bars()).rows[0].sum, before);
  const foreign = await server.tokenFor('owner', 8);
  assert.equal((await server.call('POST', `/universes/${bad.universeId}/court`, { token: foreign })).status, 404);
});

test('two owners who change one index at once: one is first, the other is told to load it again', async () => {
  const second = await server.tokenFor('owner', TENANT);
  for (let round = 0; round < 5; round++) {
    const { version } = await server.must(token, 'GET', `/indexes/${indexId}`);
    const replies = await Promise.all(
      [token, second].map((by, i) =>
        server.call('PATCH', `/indexes/${indexId}`, { token: by, body: { name: `Round ${round}, ${i}`, version } }),
      ),
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409], replies.map(({ text }) => text).join());
    const late = replies.find(({ status }) => status === 409)!;
    assert.equal(late.json.code, 'CONFLICT');
    assert.match(String(late.json.detail), new RegExp(`version ${Number(version) + 1}\\b.*[Ll]oad it again`));
    const first = replies.find(({ status }) => status === 200)!;
    const now = await server.must(token, 'GET', `/indexes/${indexId}`);
    assert.deepEqual([now.name, now.version], [first.json.name, Number(version) + 1]);
    const evidence = await server.must(token, 'GET', `/diagnostics/evidence?subjectKind=index&subjectId=${indexId}`);
    const changes = itemsOf(evidence).filter(({ kind }) => kind === 'index.changed');
    assert.equal(changes.length, round + 1, 'one change a round is in the evidence');
  }
});

test('every record that is changed in place asks for the version it was read at, and refuses an old one', async () => {
  const [source] = itemsOf(await server.must(token, 'GET', '/data/sources')).filter(({ id }) => id === own.sourceId);
  const instrument = await server.must(token, 'GET', `/data/instruments/${own.instrumentIds[0]}`);
  const universe = await server.must(token, 'GET', `/universes/${own.universeId}`);
  const [planned] = itemsOf(await server.must(token, 'GET', '/schedules'));
  const records = [
    { path: `/data/sources/${own.sourceId}`, version: source?.version, change: { name: 'Renamed' } },
    { path: `/data/instruments/${own.instrumentIds[0]}`, version: instrument.version, change: { name: 'Renamed' } },
    { path: `/universes/${own.universeId}`, version: universe.version, change: { description: 'Renamed' } },
    { path: `/schedules/${planned?.id}`, version: planned?.version, change: { title: 'Renamed' } },
  ];
  for (const { path, version, change } of records) {
    const patch = (body: object) => server.call('PATCH', path, { token, body });
    assert.equal((await patch(change)).status, 400, `${path} without a version`);
    const replies = await Promise.all([patch({ ...change, version }), patch({ ...change, version })]);
    assert.deepEqual(
      replies.map(({ status }) => status).sort(),
      [200, 409],
      `${path}: ${replies.map(({ text }) => text)}`,
    );
    const late = replies.find(({ status }) => status === 409)!;
    assert.match(String(late.json.detail), new RegExp(`version ${Number(version) + 1}\\b`), path);
    assert.match(String(late.json.detail), /again/);
  }
});
