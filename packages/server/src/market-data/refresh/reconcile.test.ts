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
import { createCasesService } from '../cases/cases.service.ts';
import type { OpenFeed } from '../feeds/feed.ts';
import { findStretches } from './reconcile.ts';

// Replaced: two vendors and the clock. `twelvedata` and `stooq` are the two here, whatever they tell.

let first: FakeVendor;
let second: FakeVendor;
let harness: RefreshHarness;
before(async () => {
  first = createFakeVendor(50);
  second = createFakeVendor(50);
  const open = (): OpenFeed => ({
    ...{ source: { prices: second.feed }, credits: null },
    ...{ restsUntil: async () => null, probe: async () => null },
  });
  harness = await createRefreshHarness(first, { openers: { stooq: open } });
});
after(() => harness.close());

let count = 0;
/** Both vendors with a year of the same symbol; the second one as changed. */
async function twoSources(change: Parameters<FakeVendor['bars']>[1]) {
  const symbol = `TWO${++count}`;
  harness.setDay('2024-06-14');
  second.bars(symbol, change);
  const one = await harness.addFeed(`one-${count}`, { years: 1 });
  const made = await harness.feeds.create(SEVEN, {
    ...{ feed: 'stooq', code: `two-${count}`, calendar: 'XNYS', currency: 'USD', settings: { years: 1 } },
  });
  await harness.run(one, [symbol]);
  await harness.run(made.id, [symbol]);
  return { symbol, one, two: made.id };
}

const casesOf = (symbol: string) =>
  harness.rows(`SELECT c.id, c.kind, c.state, c.first_day::text, c.last_day::text, c.row_count AS n, c.measure, c.reason, c.version,
                       c.source_id, c.other_source_id
                FROM data_case c JOIN instrument i ON i.id = c.instrument_id
                WHERE i.symbol = '${symbol}' AND c.kind LIKE 'source%' ORDER BY c.first_day`);

test('two sources that agree open no case', async () => {
  const { symbol } = await twoSources((series) => scaled(series, 1.003));
  assert.deepEqual(await casesOf(symbol), []);
});

test('a disagreement over 0.5 % is one case a stretch, with both values in words', async () => {
  const days = ['2024-03-05', '2024-03-06', '2024-05-20'].map((day) => dayNumber(day));
  const { symbol, one, two } = await twoSources((series) => scaled(series, 1.012, (day) => days.includes(day)));
  const cases = await casesOf(symbol);
  assert.deepEqual(
    cases.map((each) => [each.kind, each.first_day, each.last_day, each.n, each.source_id, each.other_source_id]),
    [
      ['source_disagreement', '2024-03-05', '2024-03-06', 2, two, one],
      ['source_disagreement', '2024-05-20', '2024-05-20', 1, two, one],
    ],
  );
  assert.ok(Math.abs(Number(cases[0]!.measure) - 0.012) < 1e-6);
  assert.match(
    String(cases[1]!.reason),
    /up to 1\.20 % on one day: on 2024-05-20 Stooq closes at [\d.]+, TwelveData at [\d.]+\./,
  );
});

test('a decided disagreement is not opened again by the next refresh, and one that goes on is one case', async () => {
  const from = dayNumber('2024-06-12');
  const { symbol, two } = await twoSources((series) => scaled(series, 1.02, (day) => day >= from));
  const [found] = await casesOf(symbol);
  assert.equal(found!.last_day, '2024-06-14');
  const cases = createCasesService(harness.db.database);
  await cases.decide(SEVEN, Number(found!.id), { state: 'confirmed', note: 'known', version: Number(found!.version) });
  harness.setDay('2024-06-18');
  await harness.run(two, [symbol]);
  const after = await casesOf(symbol);
  assert.deepEqual(
    after.map(({ id, state, first_day }) => [id, state, first_day]),
    [[found!.id, 'confirmed', '2024-06-12']],
  );
});

test('a history with a split in it and one without are one case, not one a bar', async () => {
  const split = dayNumber('2024-02-01');
  const { symbol } = await twoSources((series) => scaled(series, 4, (day) => day < split));
  const cases = await casesOf(symbol);
  assert.deepEqual(
    cases.map((each) => [each.kind, each.last_day]),
    [['source_split_ratio', '2024-01-31']],
  );
  assert.ok(Math.abs(Number(cases[0]!.measure) - 4) < 1e-9);
  assert.match(String(cases[0]!.reason), /factor of 4\.000 on \d+ days/);
});

test('raw prices and split-adjusted ones of one series agree when the split is known', () => {
  const split = { day: 10, ratio: 2 };
  const rows = Array.from({ length: 20 }, (_, day) => ({ day, own: day < 10 ? 200 : 100, other: 100 }));
  const known = (day: number) => ({ own: day < split.day ? split.ratio : 1, other: 1 });
  assert.deepEqual(findStretches(rows, known), []);
  const unknown = findStretches(rows, () => ({ own: 1, other: 1 }));
  assert.deepEqual(
    unknown.map(({ kind, firstDay, lastDay, rowCount }) => [kind, firstDay, lastDay, rowCount]),
    [['source_split_ratio', 0, 9, 10]],
  );
});

test('a raw source beside an adjusted one of the same series opens no case when the split is told', async () => {
  const symbol = 'RAWSPLIT';
  const exDay = dayNumber('2024-02-01');
  const raw = createFakeVendor(50, 'raw');
  raw.bars(symbol, (series) => scaled(series, 4, (day) => day < exDay));
  const openRaw = (): OpenFeed => ({
    ...{ source: { prices: raw.feed }, credits: null },
    ...{ restsUntil: async () => null, probe: async () => null },
  });
  const adjusted = createFakeVendor(50);
  const own = await createRefreshHarness(adjusted, { openers: { stooq: openRaw } });
  try {
    own.setDay('2024-06-14');
    const one = await own.addFeed('adjusted', { years: 1 });
    await own.run(one, [symbol]);
    const rawFeed = await own.feeds.create(SEVEN, {
      ...{ feed: 'stooq', code: 'raw', calendar: 'XNYS', currency: 'USD', settings: { years: 1 } },
    });
    const [instrument] = await own.rows(`SELECT id FROM instrument WHERE symbol = '${symbol}'`);
    await own.db.database.transaction(SEVEN, async (tx) => {
      const run = await tx.query
        .insertInto('ingest_run')
        .values({ tenant_id: 7, source_id: one, kind: 'corporate_actions', state: 'published' })
        .returning('id')
        .executeTakeFirstOrThrow();
      await tx.query
        .insertInto('corporate_action')
        .values({
          ...{ tenant_id: 7, instrument_id: Number(instrument!.id), day: '2024-02-01', kind: 'split', value: 4 },
          ...{ run_id: run.id, source_id: one },
        })
        .execute();
      await tx.client.query(
        `INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max)
         SELECT 7, $1, 'publish', s, 1, '\\x00', s, s FROM (SELECT touchstone_stamp() AS s) stamp`,
        [run.id],
      );
    });
    await own.run(rawFeed.id, [symbol]);
    assert.equal(await own.count(`data_case WHERE kind LIKE 'source%'`), 0);
  } finally {
    await own.close();
  }
});
