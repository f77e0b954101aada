import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Anomalies, anomalies, anomalyCase } from '@touchstone/contracts/anomalies';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { createAnomalyService, registerAnomalyRoutes } from '../index.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2019-01-02'), dayNumber('2022-12-30')), dayText).slice(0, 900);
/** The day of the crash: five sessions before the last. */
const CRASH = 894;
const TENANT = 5;

let db: TestDatabase;
let server: TestServer;
let analyst: string;
let viewer: string;
let stranger: string;
let crashed: number;
let short: number;
let flat: number;
before(async () => {
  db = await createTestDatabase();
  server = await startTestServer(db, {
    wire: ({ serve, database }) => {
      const series = createSeriesService(database, () => Promise.reject(new Error('no universes here')));
      registerAnomalyRoutes(
        serve,
        createAnomalyService({ database, series, compute: inlineCompute, codeVersion: 'test' }),
      );
    },
  });
  analyst = await server.tokenFor('analyst', TENANT);
  viewer = await server.tokenFor('viewer', TENANT);
  stranger = await server.tokenFor('owner', 6);
  const random = createRandom(12);
  const market = DAYS.map(() => 0.007 * random.normal());
  const path = (name: string) => {
    const own = random.split(name);
    let close = 100;
    return DAYS.map((day, t) => {
      close *= Math.exp(market[t]! + 0.004 * own.normal() - (name === 'crashed' && t === CRASH ? 0.09 : 0));
      return { day, close };
    });
  };
  await db.database.transaction({ tenantId: TENANT, actorId: null }, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    const add = async (symbol: string, bars: { day: string; close: number }[]) => {
      const instrumentId = await addInstrument(tx, symbol);
      await addBars(
        tx,
        source,
        bars.map((bar) => ({ ...bar, instrumentId })),
      );
      return instrumentId;
    };
    crashed = await add('CRASH', path('crashed'));
    for (const name of ['B', 'C', 'D']) await add(name, path(name));
    short = await add('SHORT', path('short').slice(0, 50));
    flat = await add(
      'FLAT',
      DAYS.map((day) => ({ day, close: 7 })),
    );
  });
});
after(async () => {
  await server.close();
  await db.close();
});

async function get(instrument: number, query = ''): Promise<Anomalies> {
  const reply = await server.call('GET', `/market/instrument/${instrument}/anomalies${query}`, { token: viewer });
  assert.equal(reply.status, 200, reply.text);
  return anomalies.parse(reply.json);
}
async function open(body: object) {
  const reply = await server.call('POST', `/market/instrument/${crashed}/anomalies/cases`, { token: analyst, body });
  assert.equal(reply.status, 200, reply.text);
  return anomalyCase.array().parse(reply.json.opened);
}
const judge = (id: number, body: object, token = analyst) =>
  server.call('POST', `/anomaly-cases/${id}/judgement`, { token, body });

test('a crash is detected on its day, with the rate of false alarms that each detector had on its own past', async () => {
  const { items, detectors, note, reason } = await get(crashed);
  assert.equal(reason, null);
  assert.match(note, /^Detects/);
  const onDay = items.filter(({ day }) => day === DAYS[CRASH]);
  assert.deepEqual(onDay.map(({ detector }) => detector).sort(), ['isolation_forest', 'return', 'shock', 'volatility']);
  assert.match(
    onDay.find(({ detector }) => detector === 'return')!.sentence,
    /^Return of −\d+\.\d\u202f%: \d+\.\d robust/,
  );
  for (const { detector, alarmsPerYear, alarmsPerYearMax, threshold, measuredYears, reason: why } of detectors) {
    if (why !== null) continue;
    assert.ok(threshold !== null && threshold > 0, detector);
    // A rate a year is told when there is a year to tell it from.
    assert.equal(alarmsPerYear === null, measuredYears! < 1, detector);
    assert.ok((alarmsPerYear ?? 0) <= alarmsPerYearMax, `${detector}: ${alarmsPerYear} a year`);
  }
});

test('a day before the crash nothing of it is known, and the alarms until then are the same', async () => {
  const then = await get(crashed, `?knownAt=${DAYS[CRASH - 1]}T22:00:00.000Z`);
  const now = await get(crashed);
  assert.deepEqual(
    then.items,
    now.items.filter(({ day }) => day < DAYS[CRASH]!),
  );
});

test('a detector without its input says why, and so does a subject without history or movement', async () => {
  const { detectors } = await get(crashed);
  // Every bar of these tests has the same volume.
  assert.equal(detectors.find(({ detector }) => detector === 'volume')?.reason?.code, 'too_little_history');
  assert.equal(detectors.find(({ detector }) => detector === 'correlation')?.reason, null);
  const few = await get(short);
  assert.equal(few.reason?.code, 'too_little_history');
  assert.match(few.reason?.sentence ?? '', /50 are known/);
  assert.deepEqual(few.items, []);
  assert.equal((await get(flat)).reason?.code, 'constant_prices');
  const refused = await server.call('POST', `/market/instrument/${short}/anomalies/cases`, {
    token: analyst,
    body: {},
  });
  assert.deepEqual([refused.status, refused.json.code], [422, 'NOT_ENOUGH_HISTORY']);
});

test('alarms become cases once, are judged, and the confirmed share of their detector is shown', async () => {
  assert.deepEqual(await open({}), []);
  const opened = await open({ sessions: 10 });
  assert.ok(opened.length >= 4);
  assert.deepEqual(await open({ sessions: 10 }), []);
  const alerts = () =>
    db.migrator
      .query(`SELECT title FROM alert WHERE tenant_id = ${TENANT} AND resolved_at IS NULL`)
      .then(({ rows }) => rows);
  assert.match((await alerts())[0].title, /^CRASH: \d+ anomalies were detected$/);

  for (const [k, { id, version }] of opened.entries()) {
    const reply = await judge(id, { state: k === 0 ? 'false' : 'confirmed', note: 'Seen in the news.', version });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(anomalyCase.parse(reply.json).state, k === 0 ? 'false' : 'confirmed');
  }
  assert.deepEqual(await alerts(), []);
  const stale = await judge(opened[0]!.id, { state: 'confirmed', version: opened[0]!.version });
  assert.deepEqual([stale.status, stale.json.code], [409, 'CONFLICT']);

  const { items, detectors } = await get(crashed);
  const first = items.find(({ caseId }) => caseId === opened[0]!.id);
  assert.equal(first?.state, 'false');
  const report = detectors.find(({ detector }) => detector === opened[0]!.detector);
  assert.ok(report!.judgedCount >= 1 && report!.confirmedShare! < 1);

  const list = await server.call('GET', `/anomaly-cases?subjectKind=instrument&subjectId=${crashed}&state=false`, {
    token: viewer,
  });
  assert.deepEqual(
    anomalyCase
      .array()
      .parse(list.json.items)
      .map(({ id }) => id),
    [opened[0]!.id],
  );
  const { rows } = await db.migrator.query(
    `SELECT count(*)::int AS n FROM evidence WHERE tenant_id = ${TENANT} AND body LIKE '%anomaly.judged%'`,
  );
  assert.equal(rows[0].n, opened.length);
});

test('a judgement can be taken back, and the case is open again', async () => {
  const [latest] = anomalyCase
    .array()
    .parse((await server.call('GET', '/anomaly-cases?limit=1', { token: viewer })).json.items);
  const reply = await judge(latest!.id, { state: 'open', version: latest!.version });
  const after = anomalyCase.parse(reply.json);
  assert.deepEqual([after.state, after.judgedAt, after.judgedBy], ['open', null, null]);
});

test('a viewer may look and not judge; another tenant finds nothing', async () => {
  const [latest] = anomalyCase
    .array()
    .parse((await server.call('GET', '/anomaly-cases?limit=1', { token: viewer })).json.items);
  const one = await server.call('GET', `/anomaly-cases/${latest!.id}`, { token: viewer });
  assert.deepEqual(one.json, latest);
  assert.equal((await server.call('GET', `/anomaly-cases/${latest!.id}`, { token: stranger })).status, 404);
  const body = { state: 'confirmed', version: latest!.version };
  assert.equal((await judge(latest!.id, body, viewer)).status, 403);
  assert.equal((await judge(latest!.id, body, stranger)).status, 404);
  assert.deepEqual((await server.call('GET', '/anomaly-cases', { token: stranger })).json.items, []);
  const path = `/market/instrument/${crashed}/anomalies`;
  assert.equal((await server.call('GET', path, { token: stranger })).status, 404);
  assert.equal((await server.call('POST', `${path}/cases`, { token: stranger, body: {} })).status, 404);
});
