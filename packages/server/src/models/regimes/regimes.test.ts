import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Regimes } from '@touchstone/contracts/regimes';
import { regimeMemory, regimeRecord, regimes } from '@touchstone/contracts/regimes';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { simulateRegimePath } from '@touchstone/quant/simulate/regime-simulator';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { createRegimeService, registerRegimeRoutes } from '../index.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2018-01-02'), dayNumber('2022-12-30')), dayText);
const LAST = 1100;
const TENANT = 5;

let db: TestDatabase;
let server: TestServer;
let analyst: string;
let viewer: string;
let stranger: string;
let long: number;
let short: number;
let flat: number;
let empty: number;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    wire: ({ serve, database }) => {
      const series = createSeriesService(database, () => Promise.reject(new Error('no universes here')));
      registerRegimeRoutes(
        serve,
        createRegimeService({ database, series, compute: inlineCompute, codeVersion: 'test' }),
      );
    },
  });
  analyst = await server.tokenFor('analyst', TENANT);
  viewer = await server.tokenFor('viewer', TENANT);
  stranger = await server.tokenFor('owner', 6);
  const path = simulateRegimePath(1001, 'gaussian', LAST);
  await db.database.transaction({ tenantId: TENANT, actorId: null }, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    long = await addInstrument(tx, 'LONG');
    short = await addInstrument(tx, 'SHORT');
    flat = await addInstrument(tx, 'FLAT');
    empty = await addInstrument(tx, 'EMPTY');
    const bars = Array.from(path.close, (close, t) => ({ instrumentId: long, day: DAYS[t]!, close }));
    await addBars(tx, source, [
      ...bars,
      ...bars.slice(0, 300).map((bar) => ({ ...bar, instrumentId: short })),
      ...bars.map((bar) => ({ ...bar, instrumentId: flat, close: 100 })),
    ]);
  });
});
after(async () => {
  await server.close();
  await db.close();
});

async function get(instrument: number, query = '', token = viewer): Promise<Regimes> {
  const reply = await server.call('GET', `/market/instrument/${instrument}/regimes${query}`, { token });
  assert.equal(reply.status, 200, reply.text);
  return regimes.parse(reply.json);
}
const seal = (instrument: number, body: object, token = analyst) =>
  server.call('POST', `/market/instrument/${instrument}/regimes/records`, { token, body });
async function history(query = '') {
  const reply = await server.call('GET', `/market/instrument/${long}/regimes/records${query}`, { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  return { nextCursor: reply.json.nextCursor, items: regimeMemory.array().parse(reply.json.items) };
}

test('a reading has a probability a day, a band, its lag note and what other methods say', async () => {
  const reading = await get(long);
  assert.equal(reading.reason, null);
  assert.equal(reading.days.length, LAST);
  assert.equal(reading.state[755], null);
  const last = LAST - 1;
  const sum = reading.bull[last]! + reading.sideways[last]! + reading.bear[last]!;
  assert.ok(Math.abs(sum - 1) < 1e-5);
  assert.equal(reading.current?.state, reading.state[last]);
  assert.equal(reading.current?.day, DAYS[last]);
  assert.equal(reading.spells.at(-1)?.firstDay, reading.current?.since);
  assert.match(reading.lagNote, /^Detects with a lag/);
  for (const fit of reading.fits) assert.ok(fit.fittedThrough < fit.firstDay);
  assert.deepEqual(
    reading.comparison.map(({ method }) => method),
    ['hidden_markov', 'jump_model', 'volatility_rule'],
  );
  assert.equal(reading.comparison[0]?.agreement, 1);
});

test('what was told of a day does not change when later days become known', async () => {
  const then = await get(long, `?knownAt=${DAYS[900]}T22:00:00.000Z`);
  const now = await get(long);
  assert.equal(then.days.length, 901);
  for (const column of ['state', 'bull', 'bear', 'changePoint', 'jumpState', 'volatilityState'] as const)
    assert.deepEqual(then[column], now[column].slice(0, 901), column);
  assert.notEqual(then.lineage.dataSha256, now.lineage.dataSha256);
});

test('too little, constant and no prices have a named reason and no regime', async () => {
  const cases: [number, string, RegExp][] = [
    [short, 'too_little_history', /Needs 757 sessions; 300 are known/],
    [flat, 'constant_prices', /nothing moves/],
    [empty, 'too_little_history', /0 are known/],
  ];
  for (const [instrument, code, sentence] of cases) {
    const { reason, current, days } = await get(instrument);
    assert.equal(reason?.code, code);
    assert.match(reason?.sentence ?? '', sentence);
    assert.deepEqual([current, days], [null, []]);
    const refused = await seal(instrument, {});
    assert.deepEqual([refused.status, refused.json.code], [422, 'NOT_ENOUGH_HISTORY']);
    assert.match(refused.text, sentence);
  }
});

test('a record says what was said then, is sealed with the one before, and stands beside what is said now', async () => {
  const first = await seal(long, { knownAt: `${DAYS[1000]}T22:00:00.000Z` });
  assert.equal(first.status, 201, first.text);
  const record = regimeRecord.parse(first.json);
  assert.deepEqual([record.sequence, record.day, record.previousSha256], [1, DAYS[1000], null]);
  const again = await seal(long, { knownAt: `${DAYS[1000]}T22:00:00.000Z` });
  assert.deepEqual([again.status, again.json.code], [409, 'ALREADY_EXISTS']);
  const second = regimeRecord.parse((await seal(long, {})).json);
  assert.equal(second.previousSha256, record.recordSha256);
  const { items } = await history();
  assert.deepEqual(
    items.map(({ sequence }) => sequence),
    [2, 1],
  );
  for (const item of items) {
    assert.equal(item.isSealIntact, true);
    assert.equal(item.differs, false);
    assert.deepEqual(item.now.probabilities, item.probabilities);
  }
  const page = await history('?limit=1');
  assert.equal((await history(`?limit=1&cursor=${page.nextCursor}`)).items[0]?.sequence, 1);
  const { rows } = await db.migrator.query(
    `SELECT body FROM evidence WHERE tenant_id = ${TENANT} AND body LIKE '%regime.sealed%' ORDER BY sequence`,
  );
  assert.equal(rows.length, 2);
  assert.match(rows[1].body, new RegExp(second.recordSha256));
});

test('a correction changes what is said now, never what was said then', async () => {
  const before = (await history()).items[0]!;
  await db.database.transaction({ tenantId: TENANT, actorId: null }, async (tx) => {
    const { id } = await tx.query.selectFrom('source').select('id').executeTakeFirstOrThrow();
    const wild = DAYS.slice(LAST - 60, LAST).map((day, k) => ({
      ...{ instrumentId: long, day, close: 100 + (k % 2) * 25 },
      knownAt: `${DAYS[LAST - 1]}T23:00:00.000Z`,
    }));
    await addBars(tx, id, wild);
  });
  const { items } = await history();
  const kept = items.find(({ sequence }) => sequence === before.sequence)!;
  assert.deepEqual(
    [kept.state, kept.probabilities, kept.recordSha256, kept.isSealIntact],
    [before.state, before.probabilities, before.recordSha256, true],
  );
  assert.equal(kept.now.state, 'bear');
  assert.equal(kept.differs, before.state !== 'bear');
});

test('a later day in another state raises an alert, and a day in the same state resolves it', async () => {
  const { state, days } = await get(long, `?knownAt=${DAYS[LAST - 1]}T22:00:00.000Z`);
  const change = state.findIndex((now, t) => t > 800 && now !== state[t - 1] && now === state[t + 1]);
  assert.ok(change > 0, 'the simulated market changes its regime');
  const at = (t: number) => ({ knownAt: `${days[t]}T22:00:00.000Z` });
  const openAlerts = async () => {
    const { rows } = await db.migrator.query(
      `SELECT title, severity FROM alert WHERE tenant_id = ${TENANT} AND resolved_at IS NULL`,
    );
    return rows;
  };
  assert.equal((await seal(long, at(change - 1))).status, 201);
  assert.equal((await seal(long, at(change))).status, 201);
  const [alert] = await openAlerts();
  assert.equal(alert?.title, `LONG: regime ${state[change]}, was ${state[change - 1]}`);
  assert.equal((await seal(long, at(change + 1))).status, 201);
  assert.deepEqual(await openAlerts(), []);
});

test('a viewer may look and not seal; another tenant finds nothing', async () => {
  assert.equal((await seal(long, {}, viewer)).status, 403);
  assert.equal((await seal(long, {}, stranger)).status, 404);
  for (const path of ['regimes', 'regimes/records'])
    assert.equal((await server.call('GET', `/market/instrument/${long}/${path}`, { token: stranger })).status, 404);
  assert.equal((await server.call('GET', '/market/planet/1/regimes', { token: viewer })).status, 400);
});

test('two seals of the same moment are one record', async () => {
  const at = { knownAt: `${DAYS[950]}T22:00:00.000Z` };
  const replies = await Promise.all([seal(long, at), seal(long, at)]);
  assert.deepEqual(replies.map(({ status }) => status).sort(), [201, 409]);
});
