import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayNumber } from '@touchstone/quant/series/day';
import {
  createFakeVendor,
  createRefreshHarness,
  type FakeVendor,
  type RefreshHarness,
  SEVEN,
  scaled,
} from '../../../test/market-data/refresh-harness.ts';
import { createBarsService } from '../bars/bars.service.ts';
import { createCasesService } from '../cases/cases.service.ts';
import { verifyContents } from '../facts/fact-tables.ts';

let vendor: FakeVendor;
let harness: RefreshHarness;
before(async () => {
  vendor = createFakeVendor(10);
  harness = await createRefreshHarness(vendor);
});
after(() => harness.close());

const BAD = '2024-06-17';
let count = 0;

/** A year of history, then a day on which every price of one symbol is ten times too high, then a good day. */
async function badTickOfYesterday() {
  const symbol = `BAD${++count}`;
  const others = ['P', 'Q', 'R'].map((letter) => `${letter}${count}`);
  vendor.bars(symbol, (series) => scaled(series, 10, (day) => day === dayNumber(BAD)));
  harness.setDay('2024-06-14');
  const feed = await harness.addFeed(`vendor-${count}`, { years: 1 });
  await harness.run(feed, [symbol, ...others]);
  harness.setDay(BAD);
  const onTheDay = await harness.run(feed, [symbol, ...others]);
  assert.equal(onTheDay.quarantinedCount, 0, 'a whole bar at another level is only suspected in the last place');
  harness.setDay('2024-06-18');
  await harness.run(feed, [symbol, ...others]);
  const [instrument] = await harness.rows(`SELECT id FROM instrument WHERE symbol = '${symbol}'`);
  const cases = await harness.rows(
    `SELECT id, kind, action, withholds, first_day::text, last_day::text, row_count AS n, reason, version FROM data_case
     WHERE instrument_id = ${instrument!.id} AND kind = 'bad_tick' ORDER BY id`,
  );
  return { symbol, others, feed, instrumentId: Number(instrument!.id), cases };
}

const bars = () => createBarsService(harness.db.database);
const closeOn = async (instrumentId: number, sourceId: number, day: string) => {
  const { items } = await bars().list(SEVEN, instrumentId, { sourceId, from: day, to: day });
  return items[0]?.close ?? null;
};

test('a bad tick that was accepted as the last bar becomes a case the day after, and stays in sight until it is confirmed', async () => {
  const { cases, instrumentId, feed } = await badTickOfYesterday();
  assert.equal(cases.length, 1);
  const [found] = cases;
  assert.deepEqual(
    [found!.action, found!.withholds, found!.first_day, found!.last_day, found!.n],
    ['note', true, BAD, BAD, 1],
  );
  assert.match(String(found!.reason), /accepted when it came/);
  assert.ok((await closeOn(instrumentId, feed, BAD))! > 900, 'accepted facts stay');
  const told = await createCasesService(harness.db.database).get(SEVEN, Number(found!.id));
  assert.equal(told.heldBars.length, 1, 'the case shows the bar it is about');
});

test('confirming it hides the bar from reads; who asks for what was known before still sees it', async () => {
  const { cases, instrumentId, feed, symbol, others } = await badTickOfYesterday();
  const [found] = cases;
  const [last] = await harness.rows('SELECT max(published_at) AS at FROM publication');
  const recordedAt = new Date(String(last!.at)).toISOString();
  const service = createCasesService(harness.db.database);
  await service.decide(SEVEN, Number(found!.id), { state: 'confirmed', note: '', version: Number(found!.version) });
  assert.equal(await closeOn(instrumentId, feed, BAD), null);
  const before = await bars().list(SEVEN, instrumentId, { sourceId: feed, from: BAD, to: BAD, recordedAt });
  assert.ok(before.items[0]!.close! > 900);
  const verdict = await harness.db.database.transaction(SEVEN, (tx) => verifyContents(tx));
  assert.deepEqual(verdict.mismatches, [], 'the content hashes of all runs hold');
  harness.setDay('2024-06-20');
  const next = await harness.run(feed, [symbol, ...others]);
  assert.equal(next.revisedCount, 0, 'told again by the vendor it is not taken again');
  assert.equal(await closeOn(instrumentId, feed, BAD), null);
  assert.equal(await harness.count(`data_case WHERE instrument_id = ${instrumentId} AND kind = 'bad_tick'`), 1);
});

test('a vendor that puts it right is believed, and a decision taken back brings the bar back', async () => {
  const { cases, instrumentId, feed, symbol, others } = await badTickOfYesterday();
  const service = createCasesService(harness.db.database);
  const id = Number(cases[0]!.id);
  const confirmed = await service.decide(SEVEN, id, {
    state: 'confirmed',
    note: '',
    version: Number(cases[0]!.version),
  });
  await service.decide(SEVEN, id, { state: 'false', note: 'It was right', version: confirmed.version });
  assert.ok((await closeOn(instrumentId, feed, BAD))! > 900);
  vendor.bars(symbol, (series) => series);
  harness.setDay('2024-06-20');
  const result = await harness.run(feed, [symbol, ...others]);
  assert.equal(result.revisedCount, 1);
  assert.ok((await closeOn(instrumentId, feed, BAD))! < 200);
});

test('a dismissed case about an accepted bar changes nothing and is not opened again', async () => {
  const { cases, instrumentId, feed, symbol, others } = await badTickOfYesterday();
  const service = createCasesService(harness.db.database);
  await service.decide(SEVEN, Number(cases[0]!.id), { state: 'false', note: '', version: Number(cases[0]!.version) });
  harness.setDay('2024-06-20');
  await harness.run(feed, [symbol, ...others]);
  assert.ok((await closeOn(instrumentId, feed, BAD))! > 900);
  assert.equal(await harness.count(`data_case WHERE instrument_id = ${instrumentId} AND kind = 'bad_tick'`), 1);
});
