import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dependence, relations } from '@touchstone/contracts/dependence';
import { factors } from '@touchstone/contracts/factors';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { startWholeServer } from '../../../test/edges/whole-server.ts';
import { addBars, addInstrument, addRun, addSource, publish, type TestBar } from '../../../test/facts.ts';
import type { TestServer } from '../../../test/test-server.ts';
import { createUniverseService } from '../../portfolio/index.ts';

// A market of three groups with a factor of all; two names move as one until the last quarter; one follows another a day later.

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2022-01-03'), dayNumber('2024-06-28')), dayText);
const TENANT = 71;
const SYMBOLS = ['A0', 'A1', 'A2', 'A3', 'B0', 'B1', 'B2', 'B3', 'C0', 'C1', 'C2', 'C3'];
/** B1 has no bar on it. */
const GAP = DAYS.at(-50)!;
const PAIR = ['C0', 'C1'];

let db: TestDatabase;
let server: TestServer;
let owner: string;
let universeId: number;
let smallId: number;
let emptyId: number;
let stillId: number;
let privateId: number;
let indexId: number;
const ids = new Map<string, number>();

before(async () => {
  db = await createTestDatabase();
  server = await startWholeServer(db, { runTasks: true });
  owner = await server.tokenFor('owner', TENANT);
  const { rows } = await db.migrator.query(`SELECT id FROM app_user WHERE tenant_id = ${TENANT} LIMIT 1`);
  const who = { tenantId: TENANT, actorId: rows[0].id };
  const sourceId = await db.database.transaction(who, async (tx) => {
    const source = await addSource(tx, 'paths', 'total_return');
    for (const symbol of [...SYMBOLS, 'LATE', 'STILL', 'NONE']) ids.set(symbol, await addInstrument(tx, symbol));
    await addBars(tx, source, bars());
    const run = await addRun(tx, source, 'market_caps');
    await tx.query
      .insertInto('market_cap')
      .values(
        [200, 440].flatMap((at) =>
          SYMBOLS.map((symbol, i) => ({
            ...{ tenant_id: TENANT, instrument_id: ids.get(symbol)!, source_id: source, run_id: run },
            ...{ day: DAYS[at]!, value: 1e9 * (1 + i), known_at: `${DAYS[at]}T22:00:00.000Z` },
          })),
        ),
      )
      .execute();
    await publish(tx, run, { min: `${DAYS[200]}T22:00:00Z`, max: `${DAYS[440]}T22:00:00Z` });
    const macro = await addRun(tx, source, 'macro');
    await tx.query
      .insertInto('macro_observation')
      .values(
        Array.from({ length: 30 }, (_, month) => ({
          ...{ tenant_id: TENANT, series: 'RATE', source_id: source, run_id: macro, vintage: 0 },
          day: `${2022 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`,
          ...{ value: Math.sin(month), known_at: '2024-06-01T12:00:00.000Z' },
        })),
      )
      .execute();
    await publish(tx, macro, { min: '2024-06-01T12:00:00Z', max: '2024-06-01T12:00:00Z' });
    return source;
  });
  const universes = createUniverseService(db.database);
  const make = async (name: string, symbols: readonly string[], visibility: 'tenant' | 'private' = 'tenant') => {
    const members = symbols.map((symbol) => ({ instrumentId: ids.get(symbol)!, firstDay: null, lastDay: null }));
    return (await universes.create(who, { name, description: '', rule: 'list', sourceId, members, visibility })).id;
  };
  universeId = await make('three groups', [...SYMBOLS, 'LATE', 'STILL']);
  smallId = await make('one name', ['A0']);
  emptyId = await make('no bars', ['NONE']);
  stillId = await make('nothing moves', ['STILL']);
  privateId = await make('mine alone', SYMBOLS.slice(0, 4), 'private');
  const made = await server.call('POST', '/indexes', {
    token: owner,
    body: { name: 'equal', universeId, method: 'equal_weight' },
  });
  assert.equal(made.status, 201, made.text);
  indexId = Number(made.json.id);
  const started = await server.call('POST', `/indexes/${indexId}/runs`, { token: owner, body: {} });
  const taskId = Object(started.json.task).id;
  for (let attempt = 0; attempt < 600; attempt++) {
    const task = await server.call('GET', `/tasks/${taskId}`, { token: owner });
    if (task.json.state === 'done') break;
    assert.ok(task.json.state !== 'failed', task.text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
after(async () => {
  await server.close();
  await db.close();
});

function bars(): TestBar[] {
  const random = createRandom(17);
  const closes = new Map(SYMBOLS.map((symbol) => [symbol, 100]));
  const all: TestBar[] = [];
  let leader = 0;
  for (const [t, day] of DAYS.entries()) {
    const market = random.normal();
    const groups = new Map(['A', 'B', 'C'].map((group) => [group, random.normal()]));
    const twin = random.normal();
    let next = 0;
    for (const symbol of SYMBOLS) {
      const isPair = PAIR.includes(symbol);
      let step = 0.5 * market + 0.8 * groups.get(symbol[0]!)! + random.normal();
      if (isPair && t < DAYS.length - 70) step = 2 * twin + 0.5 * random.normal();
      if (symbol === 'A0') next = step;
      if (symbol === 'B3') step = 1.2 * leader + 0.4 * random.normal();
      const close = closes.get(symbol)! * Math.exp(0.006 * step);
      closes.set(symbol, close);
      if (symbol !== 'B1' || day !== GAP) all.push({ instrumentId: ids.get(symbol)!, day, close });
    }
    leader = next;
    if (t > DAYS.length - 100) all.push({ instrumentId: ids.get('LATE')!, day, close: 50 + random.uniform() });
    all.push({ instrumentId: ids.get('STILL')!, day, close: 7 });
  }
  return all;
}

async function read(path: string, token = owner) {
  const reply = await server.call('GET', path, { token });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

test('shows the correlations of a universe, its groups and its tree, and who was left out and why', async () => {
  const told = dependence.parse(await read(`/market/universes/${universeId}/dependence`));
  assert.equal(told.reason, null);
  assert.equal(told.sessions, 252);
  assert.equal(told.lastDay, DAYS.at(-1));
  const names = told.names.map(({ symbol }) => symbol);
  assert.deepEqual(names.toSorted(), SYMBOLS);
  assert.deepEqual(
    told.leftOut.map(({ symbol, reason }) => [symbol, reason.code]),
    [
      ['LATE', 'gap_in_window'],
      ['STILL', 'constant_prices'],
    ],
  );
  assert.deepEqual(
    told.names.filter(({ bridgedSessions }) => bridgedSessions > 0).map((one) => [one.symbol, one.bridgedSessions]),
    [['B1', 1]],
  );
  assert.equal(told.correlations.length, 144);
  for (let i = 0; i < 12; i++) assert.equal(told.correlations[13 * i], 1);
  assert.equal(told.tree.length, 11);
  assert.ok(told.treeSampleCount >= 20);
  const members = told.clusters.flatMap((cluster) => cluster.members);
  assert.deepEqual(
    members.toSorted((x, y) => x - y),
    Array.from({ length: 12 }, (_, i) => i),
  );
  const groupOf = (symbol: string) =>
    told.clusters.find((cluster) => cluster.members.includes(names.indexOf(symbol)))?.cluster;
  assert.equal(groupOf('A1'), groupOf('A2'));
  assert.equal(groupOf('C0'), groupOf('C1'));
  assert.notEqual(groupOf('A1'), groupOf('B1'));
  for (const { estimator, realisedVolatility } of told.estimators) {
    assert.ok(realisedVolatility.value !== null && realisedVolatility.reason === null, estimator);
    assert.ok(realisedVolatility.low! < realisedVolatility.value && realisedVolatility.trialCount === 5);
  }
});

test('gives the same answer for the same question, and another estimator another matrix', async () => {
  const path = `/market/universes/${universeId}/dependence?sessions=120`;
  assert.deepEqual(await read(path), await read(path));
  const sample = dependence.parse(await read(`${path}&estimator=sample`));
  const denoised = dependence.parse(await read(path));
  assert.notDeepEqual(sample.correlations, denoised.correlations);
  assert.deepEqual(sample.tree, denoised.tree);
  assert.notEqual(sample.lineage.configSha256, denoised.lineage.configSha256);
});

test('knows nothing of the days after the one asked about', async () => {
  const asOf = DAYS[400]!;
  const told = dependence.parse(
    await read(`/market/universes/${universeId}/dependence?asOf=${asOf}&knownAt=${asOf}T23:00:00Z&sessions=100`),
  );
  assert.equal(told.lastDay, asOf);
  assert.equal(told.firstDay, DAYS[301]);
  const { estimators } = told;
  assert.ok(estimators.every(({ realisedVolatility }) => realisedVolatility.lastDay === asOf));
});

test('finds the direct link, who leads whom, and the relationship that broke', async () => {
  const told = relations.parse(await read(`/market/universes/${universeId}/relations`));
  const symbol = (place: number) => told.names[place]!.symbol;
  assert.ok(told.direct.some(({ a, b }) => [symbol(a), symbol(b)].join() === PAIR.join()));
  assert.ok(told.direct.every(({ stability }) => stability >= 0.8));
  const [lead] = told.leads;
  assert.deepEqual([symbol(lead!.leader), symbol(lead!.follower), lead!.lagSessions], ['A0', 'B3', 1]);
  assert.equal(told.leadTestCount, 12 * 11 * 5);
  const [broken] = told.breaks;
  assert.deepEqual([symbol(broken!.a), symbol(broken!.b)], PAIR);
  assert.ok(broken!.after < broken!.low && broken!.before > 0.8 && broken!.day >= DAYS.at(-70)!);
  assert.match(broken!.sentence, /^C0 and C1 moved together at 0\.\d\d; over the last 63 sessions at -?0\.\d\d\.$/);
  assert.match(told.sentence, /stable\..*among 660 tests\..*broke among 66 pairs\./);
});

test('says why nothing can be told: one member, no bars, nothing that moves, an unknown universe', async () => {
  const cases = [
    [smallId, 'not_defined', /one member has/],
    [emptyId, 'too_little_history', /0 are known/],
    [stillId, 'not_defined', /no member has/],
  ] as const;
  for (const [id, code, sentence] of cases)
    for (const [what, schema] of [
      ['dependence', dependence],
      ['relations', relations],
    ] as const) {
      const told = schema.parse(await read(`/market/universes/${id}/${what}`));
      assert.equal(told.reason?.code, code);
      assert.match(told.reason?.sentence ?? '', sentence);
      assert.deepEqual(told.names, []);
    }
  assert.equal((await server.call('GET', '/market/universes/99999/dependence', { token: owner })).status, 404);
});

test('keeps an answer about a private universe from others of the tenant', async () => {
  const path = `/market/universes/${privateId}/dependence?sessions=100`;
  await read(path);
  const analyst = await server.tokenFor('analyst', TENANT);
  assert.equal((await server.call('GET', path, { token: analyst })).status, 404);
});

test('takes the returns of an instrument apart by styles, and the parts add up', async () => {
  const told = factors.parse(await read(`/market/instrument/${ids.get('A1')}/factors?sessions=250`));
  assert.equal(told.reason, null);
  assert.equal(told.universe?.name, 'three groups');
  assert.deepEqual(
    told.factors.map(({ factor }) => factor),
    ['market', 'size', 'momentum', 'low volatility'],
  );
  const market = told.factors[0]!;
  assert.match(market.about, /by capitalisation as known/);
  assert.ok(market.low! > 0 && market.pValue! < 0.01);
  const shares = told.factors.reduce((sum, { varianceShare }) => sum + varianceShare!, told.residual.varianceShare!);
  assert.ok(Math.abs(shares - 1) < 1e-9);
  const parts = told.factors.reduce((sum, { returnPart }) => sum + returnPart!, told.residual.returnPart!);
  assert.ok(Math.abs(parts - told.total.meanReturnAnnual!) < 1e-9);
  assert.ok(told.fit.value !== null && told.fit.value > 0.1 && told.fit.low! < told.fit.value);
  assert.deepEqual(told.holdings, []);
  assert.match(told.sentence, /Of the variance \d+ % market/);
});

test('leaves out the factors the user excludes', async () => {
  const path = `/market/instrument/${ids.get('A1')}/factors?sessions=250&exclude=size,momentum,luck`;
  const told = factors.parse(await read(path));
  assert.deepEqual(told.excluded, ['size', 'momentum']);
  assert.deepEqual(
    told.factors.map(({ factor }) => factor),
    ['market', 'low volatility'],
  );
  const none = factors.parse(
    await read(`/market/instrument/${ids.get('A1')}/factors?exclude=market,size,momentum,low volatility`),
  );
  assert.deepEqual([none.factors.length, none.residual.varianceShare], [0, 1]);
});

test('explains by components, by other instruments and by macro series', async () => {
  const at = `/market/instrument/${ids.get('B3')}/factors`;
  const statistical = factors.parse(await read(`${at}?set=statistical&sessions=250`));
  assert.ok(statistical.factors.length >= 2 && statistical.reason === null);
  assert.match(statistical.factors[0]!.about, /of 11 names/);
  const proxies = factors.parse(await read(`${at}?set=proxies&proxies=${ids.get('A0')},${ids.get('B0')}&sessions=250`));
  assert.deepEqual(
    proxies.factors.map(({ factor }) => factor),
    ['A0', 'B0'],
  );
  assert.equal(proxies.universe, null);
  const macro = factors.parse(await read(`${at}?set=macro&series=RATE&sessions=600`));
  assert.equal(macro.reason, null);
  assert.ok(macro.sessions >= 24 && macro.sessions <= 30 && macro.factors[0]!.pValue! > 0.001);
});

test('tells what the last holdings of an index put into its risk', async () => {
  const told = factors.parse(await read(`/market/index/${indexId}/factors?sessions=250`));
  assert.equal(told.subject.kind, 'index');
  assert.equal(told.universe?.id, universeId);
  assert.ok(told.total.volatilityAnnual! > 0);
  const known = told.holdings.filter(({ riskShare }) => riskShare !== null);
  assert.ok(known.length >= 12 && told.holdings.every(({ weight }) => weight > 0));
  const shares = known.reduce((sum, { riskShare }) => sum + riskShare!, 0);
  assert.ok(Math.abs(shares - 1) < 1e-9);
});

test('says why an instrument has no make-up: nothing known, no move, no proxies, unknown series', async () => {
  const cases = [
    [`/market/instrument/${ids.get('NONE')}/factors`, 'too_little_history'],
    [`/market/instrument/${ids.get('STILL')}/factors?sessions=250`, 'constant_prices'],
    [`/market/instrument/${ids.get('A0')}/factors?universeId=${smallId}&set=statistical`, 'not_defined'],
    [`/market/instrument/${ids.get('A0')}/factors?set=proxies`, 'not_defined'],
    [`/market/instrument/${ids.get('A0')}/factors?set=macro`, 'not_defined'],
    [`/market/instrument/${ids.get('A0')}/factors?set=macro&series=NOPE`, 'all_missing'],
    [`/market/instrument/${ids.get('A0')}/factors?set=macro&series=RATE&sessions=60`, 'too_little_history'],
  ] as const;
  for (const [path, code] of cases) {
    const told = factors.parse(await read(path));
    assert.equal(told.reason?.code, code, `${path}: ${JSON.stringify(told.reason)}`);
    assert.equal(told.alpha.value, null);
  }
  const unknown = await server.call('GET', '/market/instrument/99999/factors', { token: owner });
  assert.equal(unknown.status, 404);
  const wrong = `/market/instrument/${ids.get('A0')}/factors?set=proxies&proxies=x`;
  assert.equal((await server.call('GET', wrong, { token: owner })).status, 400);
});
