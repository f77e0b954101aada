import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { blastRadius as schema } from '@touchstone/contracts/blast-radius';
import { createTestDatabase, type TestDatabase } from './cluster.ts';
import { DAYS, itemsOf, type ProductServer, startProductServer } from './product-server.ts';

const TENANT = 7;

let db: TestDatabase;
let server: ProductServer;
let token: string;
let own: Awaited<ReturnType<ProductServer['importPrices']>>;
let other: Awaited<ReturnType<ProductServer['importPrices']>>;
let indexId: number;
let early: string;
let whole: string;
before(async () => {
  db = await createTestDatabase();
  server = await startProductServer(db);
  token = await server.tokenFor('owner', TENANT);
  own = await server.importPrices(token, 'shares', ['ONE', 'TWO', 'SIX']);
  other = await server.importPrices(token, 'others', ['ELM', 'OAK']);
  const index = await server.must(token, 'POST', '/indexes', {
    ...{ name: 'Mine', universeId: own.universeId, method: 'equal_weight' },
  });
  indexId = Number(index.id);
  await compute();
  const freeze = (body: object) => server.must(token, 'POST', '/datasets', { universeId: own.universeId, ...body });
  early = String((await freeze({ to: DAYS[20] })).sha256);
  whole = String((await freeze({})).sha256);
  await server.must(token, 'POST', '/datasets', { universeId: other.universeId });
});
after(async () => {
  await server.close();
  await db.close();
});

const compute = async () => server.done(token, await server.must(token, 'POST', `/indexes/${indexId}/runs`, {}));
const ask = async (query: string) => schema.parse(await server.must(token, 'GET', `/data/blast-radius?${query}`));
const idsOf = (answer: Awaited<ReturnType<typeof ask>>, kind: string) =>
  (answer.dependents.find((each) => each.kind === kind)?.items ?? []).map(({ id }) => id).sort();
const staleOf = async () => Object(await server.must(token, 'GET', `/indexes/${indexId}`)).stale;

async function correct(day: string, close: number): Promise<number> {
  const [instrumentId] = own.instrumentIds;
  const bar = await server.must(token, 'POST', '/data/corrections', {
    ...{ instrumentId, sourceId: own.sourceId, day, volume: 5, reason: 'Vendor notice' },
    ...{ open: close, high: close + 1, low: close - 1, close },
  });
  return Number(bar.runId);
}

let correction: number;

test('a late correction reaches the datasets that hold its day, their index runs, trials and universe, and no others', async () => {
  assert.equal(await staleOf(), null, 'computed from everything there is');
  const day = DAYS[40]!;
  correction = await correct(day, 101);
  const answer = await ask(`runId=${correction}`);
  assert.equal(answer.change.what, 'published');
  assert.deepEqual(
    [answer.change.rowCount, answer.change.instrumentCount, answer.change.firstDay, answer.change.lastDay],
    [1, 1, day, day],
  );
  const [run] = itemsOf(await server.must(token, 'GET', `/indexes/${indexId}/runs`));
  const input = String(Object(run?.lineage).datasetSha256);
  assert.deepEqual(idsOf(answer, 'dataset'), [whole, input].sort(), 'not the early one, which ends before that day');
  assert.deepEqual(idsOf(answer, 'index-run'), [`${indexId}/1`]);
  assert.deepEqual(idsOf(answer, 'universe'), [String(own.universeId)]);
  assert.deepEqual(idsOf(answer, 'trial'), [String(Object(run?.lineage).trialId)]);
  assert.deepEqual([answer.exact, answer.approximations], [true, []]);
  const [index] = answer.indexes;
  assert.deepEqual(
    { ...index, name: '' },
    {
      ...{ indexId, name: '', latestRunNumber: 1, isStale: true, runNumbers: [1], staleFrom: day },
      ...{ staleDayCount: DAYS.length - 40, dayCount: index?.dayCount },
    },
  );
  const stale = await staleOf();
  assert.deepEqual([stale.changeCount, stale.firstDay, stale.since], [1, day, answer.change.at]);
  const [listed] = itemsOf(await server.must(token, 'GET', '/indexes?limit=500')).filter(({ id }) => id === indexId);
  assert.deepEqual(listed?.stale, stale);
});

test('an index that is computed again is stale no more, and its old run still is', async () => {
  await compute();
  assert.equal(await staleOf(), null);
  const [index] = (await ask(`runId=${correction}`)).indexes;
  assert.deepEqual([index?.isStale, index?.latestRunNumber, index?.runNumbers], [false, 2, [1]]);
  assert.deepEqual([index?.staleFrom, index?.staleDayCount], [null, 0]);
});

test('taking a run back reaches what was frozen while it was in sight, and only that', async () => {
  await server.must(token, 'POST', `/data/runs/${correction}/retract`, { reason: 'It was right before' });
  const answer = await ask(`runId=${correction}`);
  assert.equal(answer.change.what, 'retracted');
  assert.deepEqual(idsOf(answer, 'index-run'), [`${indexId}/2`]);
  assert.ok(!idsOf(answer, 'dataset').includes(whole), 'frozen before the run');
  assert.equal((await staleOf()).changeCount, 1);
  await compute();
  // Told and taken back between two versions: the index never saw it.
  const again = await correct(DAYS[50]!, 102);
  await server.must(token, 'POST', `/data/runs/${again}/retract`, { reason: 'A slip' });
  assert.equal(await staleOf(), null);
});

test('prices of another source reach nothing here, and a split reaches inputs of indexes only', async () => {
  const bar = { day: DAYS[40], open: 100, high: 103, low: 99, close: 102, volume: 5, reason: 'Vendor notice' };
  const made = await server.must(token, 'POST', '/data/corrections', {
    ...{ ...bar, instrumentId: other.instrumentIds[0], sourceId: other.sourceId },
  });
  assert.deepEqual((await ask(`runId=${made.runId}`)).indexes, []);
  assert.equal(await staleOf(), null);
  await server.must(token, 'POST', '/data/corporate-actions', {
    ...{ instrumentId: own.instrumentIds[1], sourceId: own.sourceId, day: DAYS[70], kind: 'split', value: 2 },
    reason: 'Vendor notice',
  });
  const [run] = itemsOf(await server.must(token, 'GET', '/data/runs?limit=1'));
  const answer = await ask(`runId=${run?.id}`);
  assert.equal(answer.change.runKind, 'corporate_actions');
  assert.ok(!idsOf(answer, 'dataset').includes(whole));
  assert.deepEqual(idsOf(answer, 'index-run').length, 3);
  assert.equal((await staleOf()).firstDay, DAYS[70]);
});

test('a correction can be supposed before it is made', async () => {
  const [instrumentId] = own.instrumentIds;
  const answer = await ask(`instrumentId=${instrumentId}&from=${DAYS[5]}&to=${DAYS[8]}`);
  assert.deepEqual([answer.change.what, answer.change.rowCount], ['supposed', 4]);
  assert.ok(idsOf(answer, 'dataset').includes(early) && idsOf(answer, 'dataset').includes(whole));
  const none = await ask(`instrumentId=${instrumentId}&from=1990-01-01&to=1990-02-01`);
  assert.deepEqual([none.change.rowCount, idsOf(none, 'dataset')], [0, []]);
});

test('what is told by dates between two changed days is named to be safe, and says so', async () => {
  // Rows before and after the early dataset's days, and none in them: a new source-wide delivery of two days.
  const late = await server.must(token, 'POST', '/datasets', {
    universeId: own.universeId,
    from: DAYS[30],
    to: DAYS[33],
  });
  const answer = await ask(`instrumentId=${own.instrumentIds[0]}`);
  const told = answer.dependents[0]?.items.find(({ id }) => id === late.sha256);
  assert.equal(told?.exact, false);
  assert.equal(answer.exact, false);
  assert.match(answer.approximations.join(' '), /named to be safe/);
});

test('a question that says too little, too much or names nothing is refused in words', async () => {
  for (const [query, status, sentence] of [
    ['', 400, /either with runId, or with instrumentId/],
    [`runId=${correction}&instrumentId=1`, 400, /either with runId, or with instrumentId/],
    ['runId=99999', 404, /no run 99999/],
    ['instrumentId=99999', 404, /no instrument 99999/],
  ] as const) {
    const reply = await server.call('GET', `/data/blast-radius?${query}`, { token });
    assert.equal(reply.status, status, reply.text);
    assert.match(String(reply.json.detail), sentence);
  }
});
