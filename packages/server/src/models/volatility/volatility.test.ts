import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { computePortfolioRisk, getDrawdown, getValueAtRisk, getVolatility } from '@touchstone/contracts/volatility';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { addBars, addInstrument, addSource, addTenant, type TestBar } from '../../../test/facts.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { createSeriesService } from '../../features/index.ts';
import { registerVolatilityRoutes } from './volatility.routes.ts';
import { createVolatilityService } from './volatility.service.ts';

const DAYS = Array.from(tradingDays('XNYS', dayNumber('2017-01-03'), dayNumber('2023-12-29')), dayText);
const LAST = DAYS.at(-1)!;
/** A day in the middle, for what could be known then. */
const THEN = DAYS[1655]!;

let db: TestDatabase;
let server: TestServer;
let token: string;
const id = { ranged: 0, closes: 0, short: 0, one: 0, flat: 0, none: 0 };
before(async () => {
  db = await createTestDatabase();
  const who = await addTenant(db.migrator, 5);
  await addTenant(db.migrator, 6);
  await db.database.transaction(who, async (tx) => {
    const source = await addSource(tx, 'prices', 'total_return');
    for (const name of Object.keys(id) as (keyof typeof id)[])
      id[name] = await addInstrument(tx, name.toUpperCase(), name === 'short' ? 'EUR' : 'USD');
    const bars = path(id.ranged, 1);
    const closes = path(id.closes, 2).map(({ instrumentId, day, close }) => ({ instrumentId, day, close }));
    const flat = DAYS.slice(0, 300).map((day) => ({ instrumentId: id.flat, day, close: 10 }));
    const short = path(id.short, 3).slice(-60);
    const one = path(id.one, 4).slice(-1);
    await addBars(tx, source, [...bars, ...closes, ...flat, ...short, ...one]);
  });
  server = await startTestServer(db, {
    wire: ({ serve, database }) => {
      const series = createSeriesService(database, async () => ({ name: '', sourceId: 0, instrumentIds: [] }));
      registerVolatilityRoutes(serve, createVolatilityService({ series, compute: inlineCompute, codeVersion: 'test' }));
    },
  });
  token = await server.tokenFor('viewer', 5);
});
after(async () => {
  await server.close();
  await db.close();
});

/** Bars whose volatility wanders slowly: what the models are for. */
function path(instrumentId: number, seed: number): TestBar[] {
  const random = createRandom(seed);
  let level = Math.log(100);
  let logVolatility = Math.log(0.01);
  return DAYS.map((day) => {
    const volatility = Math.exp(logVolatility);
    const open = level + 0.3 * volatility * random.normal();
    const prices = [open];
    for (let k = 0; k < 12; k++) prices.push(prices.at(-1)! + (volatility / Math.sqrt(12)) * random.normal());
    level = prices.at(-1)!;
    logVolatility += 0.02 * (Math.log(0.01) - logVolatility) + 0.08 * random.normal();
    const [high, low] = [Math.exp(Math.max(...prices)), Math.exp(Math.min(...prices))];
    return { instrumentId, day, open: Math.exp(open), high, low, close: Math.exp(level) };
  });
}

const reading = async (what: string, instrumentId: number, query = '') => {
  const { status, json } = await server.call('GET', `/market/instrument/${instrumentId}/${what}${query}`, { token });
  assert.equal(status, 200, JSON.stringify(json));
  return json;
};
const volatilityOf = async (instrumentId: number, query = '') =>
  getVolatility.answer!.parse(await reading('volatility', instrumentId, query));
const drawdownOf = async (instrumentId: number, query = '') =>
  getDrawdown.answer!.parse(await reading('drawdown', instrumentId, query));
const valueAtRiskOf = async (instrumentId: number, query = '') =>
  getValueAtRisk.answer!.parse(await reading('value-at-risk', instrumentId, query));

test('a forecast comes with its interval, its baseline, what it was worth in the past and how often was tried', async () => {
  const answer = await volatilityOf(id.ranged);
  assert.equal(answer.reason, null);
  assert.equal(answer.proxy.name, 'garman_klass_overnight');
  assert.deepEqual(
    answer.forecasts.map(({ horizon }) => horizon),
    [1, 5, 21],
  );
  for (const { volatilityAnnual, low, high, baseline, gain, coverage, models, reason } of answer.forecasts) {
    assert.equal(reason, null);
    assert.ok(low! < volatilityAnnual! && volatilityAnnual! < high! && baseline! > 0);
    assert.ok(models.length > 0);
    assert.equal(gain.trialCount, 8);
    assert.equal(gain.baselineName, 'EWMA(.94)');
    assert.ok(gain.low! <= gain.value! && gain.value! <= gain.high!);
    assert.ok(coverage.value! > 0.75 && coverage.baseline === 0.9);
  }
  assert.equal(answer.cone.length, 63);
  assert.deepEqual(answer.cone[4]!.volatilityAnnual, answer.forecasts[1]!.volatilityAnnual);
  assert.equal(answer.comparison.length, 24);
  assert.ok(answer.comparison.some(({ model, inConfidenceSet }) => model !== 'ewma_94' && inConfidenceSet));
  assert.equal(answer.history.at(-1)!.day, LAST);
  assert.equal(answer.history.length, 504);
  assert.equal(answer.lineage.codeVersion, 'test');
});

test('what was told then is what is told now about then', async () => {
  const then = await volatilityOf(id.ranged, `?asOf=${THEN}`);
  const known = await volatilityOf(id.ranged, `?knownAt=${THEN}T23:00:00Z`);
  assert.deepEqual(known.forecasts, then.forecasts);
  assert.equal(then.lastDay, THEN);
  const now = await volatilityOf(id.ranged);
  assert.notEqual(now.lineage.dataSha256, then.lineage.dataSha256);
  const next = now.history.find(({ day }) => day > THEN)!;
  assert.ok(Math.abs(next.forecast! - then.forecasts[0]!.volatilityAnnual!) < 1e-12);
});

test('closes alone are measured by squared returns, and the answer says so', async () => {
  const { proxy, forecasts } = await volatilityOf(id.closes);
  assert.equal(proxy.name, 'squared_return');
  assert.match(proxy.note!, /of the days have an open, high and low with a range/);
  assert.ok(forecasts[0]!.volatilityAnnual! > 0);
  assert.equal((await drawdownOf(id.closes)).event.watches, 'close');
});

test('a drawdown probability is told with base rate, interval, reliability and skill', async () => {
  const answer = await drawdownOf(id.ranged);
  assert.equal(answer.reason, null);
  assert.ok(answer.probability! > 0 && answer.probability! < 1);
  assert.ok(answer.low! <= answer.high!);
  assert.ok(answer.baseRate! > 0 && answer.ewmaProbability! > 0);
  assert.equal(answer.skill.baselineName, 'expanding base rate');
  assert.equal(answer.skill.trialCount, 40);
  assert.equal(answer.history.at(-1)!.touched, null);
  assert.ok(answer.history.some(({ touched }) => touched !== null));
});

test('value at risk is told by every method, with its tests on the days before', async () => {
  const { served, measures } = await valueAtRiskOf(id.ranged);
  assert.equal(served, 'filtered_historical');
  assert.equal(measures.length, 10);
  for (const { valueAtRisk, expectedShortfall, backtest, reason, method, level } of measures) {
    if (valueAtRisk === null) {
      assert.notEqual(reason, null);
      continue;
    }
    assert.ok(expectedShortfall! > valueAtRisk, method);
    assert.ok(backtest.breachRate! > 0 && backtest.breachRate! < 2.5 * (1 - level), `${method} ${backtest.breachRate}`);
    assert.ok(backtest.kupiecP! >= 0 && backtest.kupiecP! <= 1);
    assert.equal(backtest.fisslerZiegel.trialCount, 5);
  }
  assert.equal(measures.find(({ method }) => method === 'ewma_normal')!.backtest.fisslerZiegel.value, 0);
});

test('too little history, one bar, constant prices and none at all are null with a named reason', async () => {
  const short = await volatilityOf(id.short);
  assert.equal(short.reason, null);
  assert.deepEqual(short.forecasts[0]!.models, ['ewma_94']);
  assert.equal(short.forecasts[0]!.low, null);
  assert.equal(short.forecasts[0]!.reason!.code, 'too_little_history');
  assert.equal(short.forecasts[0]!.gain.value, null);
  assert.equal((await drawdownOf(id.short)).reason!.code, 'too_little_history');
  const risk = await valueAtRiskOf(id.short);
  assert.equal(risk.served, 'ewma_normal');
  assert.equal(risk.measures[0]!.reason!.sentence, 'Needs 1066 sessions; 60 are known by then.');
  for (const [instrumentId, code] of [
    [id.one, 'too_little_history'],
    [id.none, 'too_little_history'],
    [id.flat, 'constant_prices'],
  ] as const)
    for (const { reason } of [
      await volatilityOf(instrumentId),
      await drawdownOf(instrumentId),
      await valueAtRiskOf(instrumentId),
    ])
      assert.equal(reason?.code, code);
});

test('weights over instruments are told the same three, marked hypothetical', async () => {
  const body = {
    holdings: [
      { instrumentId: id.ranged, weight: 0.6 },
      { instrumentId: id.closes, weight: 0.4 },
    ],
  };
  const { status, json } = await server.call('POST', '/market/portfolio-risk', { token, body });
  assert.equal(status, 200, JSON.stringify(json));
  const answer = computePortfolioRisk.answer!.parse(json);
  assert.equal(answer.label, 'hypothetical');
  assert.equal(answer.note, null);
  assert.equal(answer.barCount, DAYS.length);
  assert.equal(answer.volatility.proxy.name, 'squared_return');
  const alone = await volatilityOf(id.closes);
  assert.ok(answer.volatility.forecasts[2]!.volatilityAnnual! < 1.5 * alone.forecasts[2]!.volatilityAnnual!);
  assert.ok(answer.valueAtRisk.measures.length === 10 && answer.drawdown.event.watches === 'close');
  // One holding at full weight is that instrument, as far as closes tell.
  const single = await server.call('POST', '/market/portfolio-risk', {
    ...{ token, body: { holdings: [{ instrumentId: id.closes, weight: 1 }] } },
  });
  const told = computePortfolioRisk.answer!.parse(single.json).volatility.forecasts[0]!.volatilityAnnual!;
  assert.ok(Math.abs(told / alone.forecasts[0]!.volatilityAnnual! - 1) < 1e-9);
});

test('instruments in several currencies are told with what is left out', async () => {
  const holdings = [id.short, id.closes].map((instrumentId) => ({ instrumentId, weight: 0.5 }));
  const { json } = await server.call('POST', '/market/portfolio-risk', { token, body: { holdings } });
  const { note, barCount } = computePortfolioRisk.answer!.parse(json);
  assert.match(note!, /quoted in EUR and USD/);
  assert.equal(barCount, 60);
});

test('weights that leave nothing, a name given twice and a stranger’s instrument are refused or told', async () => {
  const post = (holdings: object[], by = token) =>
    server.call('POST', '/market/portfolio-risk', { token: by, body: { holdings } });
  const ruined = await post([
    { instrumentId: id.ranged, weight: -10 },
    { instrumentId: id.closes, weight: 10 },
  ]);
  assert.equal(ruined.status, 200);
  const twice = await post([
    { instrumentId: id.ranged, weight: 0.5 },
    { instrumentId: id.ranged, weight: 0.5 },
  ]);
  assert.equal(twice.status, 400);
  const stranger = await server.tokenFor('viewer', 6);
  assert.equal((await post([{ instrumentId: id.ranged, weight: 1 }], stranger)).status, 404);
  for (const what of ['volatility', 'drawdown', 'value-at-risk'])
    assert.equal(
      (await server.call('GET', `/market/instrument/${id.ranged}/${what}`, { token: stranger })).status,
      404,
    );
});
