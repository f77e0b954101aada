import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import {
  createFakeVendor,
  createRefreshHarness,
  type FakeVendor,
  pick,
  type RefreshHarness,
  SEVEN,
  scaled,
  trueSeries,
} from '../../../test/market-data/refresh-harness.ts';
import type { FeedGap } from '../feeds/feed.ts';

// Replaced: the vendor and the clock. Everything else is real.

let vendor: FakeVendor;
let harness: RefreshHarness;
before(async () => {
  vendor = createFakeVendor();
  harness = await createRefreshHarness(vendor);
});
after(() => harness.close());

const SYMBOLS = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF'];
let feedCount = 0;

/** A fresh feed with a year of history up to a Friday, and the vendor as good as new. */
async function loaded(symbols: readonly string[] = SYMBOLS): Promise<{ feed: number; names: string[] }> {
  feedCount++;
  const names = symbols.map((symbol) => `${symbol}${feedCount}`);
  vendor.tell((batch) => batch);
  vendor.splits.length = 0;
  harness.setDay('2024-06-14');
  const feed = await harness.addFeed(`vendor-${feedCount}`, { years: 1 });
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'done', JSON.stringify(result));
  vendor.questions.length = 0;
  return { feed, names };
}

const barsOf = (feed: number) => harness.count(`price_observation WHERE source_id = ${feed}`);
const openGaps = (feed: number) =>
  harness.rows(`SELECT symbol, kind, sentence, from_day::text, to_day::text FROM refresh_gap
                WHERE source_id = ${feed} AND closed_at IS NULL ORDER BY symbol`);
const gapFor = (symbol: string, kind: FeedGap['kind'], retryAt: number | null = 0): FeedGap => ({
  ...{ symbol, kind, sentence: `${symbol}: the fake vendor says ${kind}.`, retryAt },
});

test('a new symbol gets its history, and the next day only what is new and a little before it', async () => {
  const { feed, names } = await loaded();
  const sessions = tradingDays('XNYS', dayNumber('2024-06-14') - 365, dayNumber('2024-06-14')).length;
  assert.equal(await barsOf(feed), sessions * names.length);
  harness.setDay('2024-06-17');
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'done');
  assert.equal(result.acceptedCount, names.length, 'one new bar a symbol');
  assert.equal(dayText(vendor.questions[0]!.from), '2024-06-03', 'ten sessions before the last known');
  assert.equal(dayText(vendor.questions[0]!.to), '2024-06-17');
  vendor.questions.length = 0;
  const again = await harness.run(feed, names);
  assert.deepEqual([again.currentCount, again.acceptedCount, vendor.questions.length], [names.length, 0, 0]);
});

test('the destructive refresh of old: the vendor returns nothing, and not one row is lost', async () => {
  const { feed, names } = await loaded();
  const before = await harness.digest();
  harness.setDay('2024-06-17');
  vendor.tell(() => ({ series: [], gaps: [] }));
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'degraded');
  assert.equal(result.gapCount, names.length);
  assert.equal(await harness.digest(), before);
  const gaps = await openGaps(feed);
  assert.deepEqual(
    gaps.map(({ symbol, kind, from_day, to_day }) => [symbol, kind, from_day, to_day]),
    names.map((name) => [name, 'unavailable', '2024-06-15', '2024-06-17']),
  );
});

test('the destructive refresh of old: empty answers for every symbol lose nothing', async () => {
  const { feed, names } = await loaded();
  const before = await harness.digest();
  harness.setDay('2024-06-17');
  vendor.tell((batch) => ({ series: batch.series.map((series) => pick(series, () => false)), gaps: [] }));
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'degraded');
  assert.equal(await harness.digest(), before);
  assert.deepEqual([...new Set((await openGaps(feed)).map(({ kind }) => kind))], ['empty']);
});

test('the destructive refresh of old: HTTP 500 for every question, and not one row is lost', async () => {
  const { feed, names } = await loaded();
  const before = await harness.digest();
  harness.setDay('2024-06-17');
  vendor.tell((_batch, symbols) => ({ series: [], gaps: symbols.map((symbol) => gapFor(symbol, 'unavailable')) }));
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'degraded');
  assert.equal(await harness.digest(), before);
  assert.equal((await openGaps(feed)).length, names.length);
});

test('the destructive refresh of old: half the symbols answer; those are new, the others untouched, and the gap closes when filled', async () => {
  const { feed, names } = await loaded();
  const good = new Set(names.filter((_, i) => i % 2 === 0));
  const rowsOf = (symbols: Iterable<string>) =>
    harness.rows(`SELECT o.* FROM price_observation o JOIN instrument i ON i.id = o.instrument_id
                  WHERE o.source_id = ${feed} AND i.symbol IN (${[...symbols].map((name) => `'${name}'`)}) ORDER BY 2, 3, 4`);
  const all = await rowsOf(names);
  const bad = names.filter((name) => !good.has(name));
  const before = await rowsOf(bad);
  harness.setDay('2024-06-17');
  vendor.tell(({ series }, symbols) => ({
    series: series.filter(({ symbol }) => good.has(symbol)),
    gaps: symbols.filter((symbol) => !good.has(symbol)).map((symbol) => gapFor(symbol, 'unavailable')),
  }));
  const result = await harness.run(feed, names);
  assert.deepEqual([result.state, result.gapCount, result.acceptedCount], ['degraded', bad.length, good.size]);
  assert.deepEqual(await rowsOf(bad), before);
  const now = new Set((await rowsOf(names)).map((row) => JSON.stringify(row)));
  for (const row of all) assert.ok(now.has(JSON.stringify(row)), 'every row of before is still there');
  const alerts = () =>
    harness.rows(`SELECT kind FROM alert WHERE same_as = 'refresh.degraded:source:${feed}' AND resolved_at IS NULL`);
  assert.equal((await alerts()).length, 1, 'the alert is raised');
  assert.equal((await harness.run(feed, [...good])).state, 'done');
  assert.equal((await alerts()).length, 1, 'a good refresh of other symbols fills no gap');
  vendor.tell((batch) => batch);
  const healed = await harness.run(feed, names);
  assert.deepEqual([healed.state, healed.acceptedCount, healed.currentCount], ['done', bad.length, good.size]);
  assert.deepEqual(await openGaps(feed), []);
  assert.equal(await harness.count(`refresh_gap WHERE source_id = ${feed} AND closed_at IS NOT NULL`), bad.length);
  assert.deepEqual(await alerts(), [], 'and resolved');
});

test('the destructive refresh of old: the work dies mid-way; what was published stays, the rest is untouched, and it goes on', async () => {
  const { feed, names } = await loaded();
  harness.setDay('2024-06-17');
  const task = await harness.refresh.start(SEVEN, feed, { symbols: names });
  const before = await barsOf(feed);
  let questions = 0;
  vendor.tell((batch) => {
    if (++questions === 2) throw new Error('the process is gone');
    return batch;
  });
  await assert.rejects(harness.tasks.work(SEVEN, task.id), /the process is gone/);
  assert.equal(await barsOf(feed), before + 4, 'the first batch of four is there');
  vendor.tell((batch) => batch);
  vendor.questions.length = 0;
  const result = await harness.tasks.work(SEVEN, task.id);
  assert.equal(result.state, 'done');
  assert.deepEqual(
    vendor.questions.map(({ symbols }) => symbols),
    [names.slice(4)],
    'only the rest is asked',
  );
  assert.equal(await barsOf(feed), before + names.length);
  assert.equal(
    await harness.count(`refresh WHERE source_id = ${feed}`),
    2,
    'one refresh a task, however often it was tried',
  );
});

test('a cancelled refresh keeps what it has published and says so', async () => {
  const { feed, names } = await loaded();
  harness.setDay('2024-06-17');
  const task = await harness.refresh.start(SEVEN, feed, { symbols: names });
  const stop = new AbortController();
  vendor.tell((batch) => {
    if (vendor.questions.length === 2) stop.abort(new Error('stopped'));
    return batch;
  });
  await harness.tasks.requestCancel(SEVEN, task.id);
  await assert.rejects(harness.tasks.work(SEVEN, task.id, stop.signal), /stopped/);
  const rows = await harness.rows(`SELECT state, accepted_count AS n FROM refresh WHERE task_id = ${task.id}`);
  assert.deepEqual(rows, [{ state: 'cancelled', n: 4 }]);
});

for (const [what, change, sentence] of [
  [
    'a day that has not come',
    (day: Int32Array, close: Float64Array) => ({ day: Int32Array.from([...day, day.at(-1)! + 5]), close }),
    /2024-06-22, which has not come yet/,
  ],
  [
    'a negative price',
    (day: Int32Array, close: Float64Array) => ({ day, close: close.map((value) => -value) }),
    /no price is negative/,
  ],
  ['days in disorder', (day: Int32Array, close: Float64Array) => ({ day: day.toReversed(), close }), /out of order/],
] as const) {
  test(`a vendor that lies with ${what} is named, and nothing of its answer is stored`, async () => {
    const { feed, names } = await loaded(['AAA', 'BBB']);
    const before = await harness.digest();
    harness.setDay('2024-06-17');
    vendor.tell(({ series, gaps }) => ({
      gaps,
      series: series.map((told) => {
        const { day, close } = change(told.day, told.close);
        const grow = (column: Float64Array) =>
          Float64Array.from(day, (_, i) => column[Math.min(i, column.length - 1)]!);
        return {
          ...told,
          day,
          open: grow(told.open),
          high: grow(told.high),
          low: grow(told.low),
          close: grow(close),
          volume: grow(told.volume),
        };
      }),
    }));
    const result = await harness.run(feed, names);
    assert.equal(result.state, 'degraded');
    assert.equal(await harness.digest(), before);
    const gaps = await openGaps(feed);
    assert.deepEqual(
      gaps.map(({ kind }) => kind),
      ['lies', 'lies'],
    );
    assert.match(String(gaps[0]!.sentence), sentence);
    assert.equal(await harness.count(`alert WHERE kind = 'refresh.lies' AND same_as LIKE '%:${feed}'`), 1);
  });
}

test('a vendor that tells another symbol’s prices is recognised by what it told before', async () => {
  const { feed, names } = await loaded(['AAA', 'BBB']);
  const before = await harness.digest();
  harness.setDay('2024-06-17');
  vendor.tell(({ series, gaps }) => ({
    gaps,
    series: series.map((told) => ({ ...trueSeries('OTHER', told.day, 17), symbol: told.symbol })),
  }));
  await harness.run(feed, names);
  assert.equal(await harness.digest(), before);
  assert.match(String((await openGaps(feed))[0]!.sentence), /looks like another symbol/);
});

test('a wrong key is met once: the symbols after it are not asked, and the alert says what to do', async () => {
  const { feed, names } = await loaded();
  harness.setDay('2024-06-17');
  vendor.tell((_batch, symbols) => ({ series: [], gaps: symbols.map((symbol) => gapFor(symbol, 'refused', null)) }));
  const result = await harness.run(feed, names);
  assert.deepEqual([result.state, result.gapCount, vendor.questions.length], ['degraded', names.length, 1]);
  const state = async () => (await harness.feeds.list(SEVEN)).items.find(({ id }) => id === feed)!;
  assert.equal((await state()).state, 'refused');
  assert.equal(await harness.count(`alert WHERE same_as = 'refresh.refused:source:${feed}'`), 1);
  const { version } = await state();
  assert.equal((await harness.feeds.rotateKey(SEVEN, feed, { key: 'another-key', version })).state, 'ready');
});

test('spent credits leave gaps that say when asking again makes sense', async () => {
  const { feed, names } = await loaded();
  harness.setDay('2024-06-17');
  const tomorrow = Date.UTC(2024, 5, 18);
  vendor.tell((_batch, symbols) => ({
    series: [],
    gaps: symbols.map((symbol) => gapFor(symbol, 'credits', tomorrow)),
  }));
  await harness.run(feed, names);
  const told = (await harness.feeds.list(SEVEN)).items.find(({ id }) => id === feed)!;
  assert.deepEqual(
    [told.state, told.retryAt, told.openGapCount],
    ['waiting', '2024-06-18T00:00:00.000Z', names.length],
  );
});

test('a clock that jumps back refreshes nothing, and one that jumps on finds nothing; no row is lost by either', async () => {
  const { feed, names } = await loaded();
  const before = await harness.digest();
  harness.setDay('2019-03-04');
  const back = await harness.run(feed, names);
  assert.deepEqual([back.state, back.currentCount, vendor.questions.length], ['done', names.length, 0]);
  assert.equal(await harness.digest(), before);
  harness.setDay('2031-03-04');
  vendor.tell(({ series, gaps }) => ({
    gaps,
    series: series.map((told) => pick(told, (day) => day <= dayNumber('2024-06-14'))),
  }));
  const on = await harness.run(feed, names);
  assert.equal(on.state, 'degraded');
  assert.equal(await harness.digest(), before);
  assert.match(String((await openGaps(feed))[0]!.sentence), /nothing after 2024-06-14 yet/);
});

test('after a split the whole history is told anew as a revision with the split, and no case comes of it', async () => {
  const { feed, names } = await loaded(['AAA', 'BBB']);
  const exDay = dayNumber('2024-06-17');
  vendor.bars(names[0]!, (series) => scaled(series, 0.5));
  vendor.splits.push({ symbol: names[0]!, day: exDay, ratio: 2 });
  harness.setDay('2024-06-17');
  const cases = await harness.count('data_case');
  const result = await harness.run(feed, names);
  assert.equal(result.state, 'done', JSON.stringify(result));
  const sessions = tradingDays('XNYS', dayNumber('2024-06-14') - 365, dayNumber('2024-06-14')).length;
  assert.deepEqual([result.acceptedCount, result.revisedCount], [sessions + 2, sessions]);
  assert.equal(await harness.count('data_case'), cases);
  const splits = await harness.rows(
    `SELECT i.symbol, a.day::text, a.value FROM corporate_action a JOIN instrument i ON i.id = a.instrument_id WHERE a.source_id = ${feed}`,
  );
  assert.deepEqual(splits, [{ symbol: names[0], day: '2024-06-17', value: 2 }]);
});

test('a split the vendor does not tell is read off the factor; a dividend in a total return is no split', async () => {
  const { feed, names } = await loaded(['AAA', 'BBB']);
  vendor.bars(names[0]!, (series) => scaled(series, 1 / 3));
  vendor.bars(names[1]!, (series) => scaled(series, 0.97));
  harness.setDay('2024-06-17');
  await harness.run(feed, names);
  const splits = await harness.rows(`SELECT day::text, value FROM corporate_action WHERE source_id = ${feed}`);
  assert.deepEqual(splits, [{ day: '2024-06-17', value: 3 }]);
  const [run] = await harness.rows(
    `SELECT note FROM ingest_run WHERE source_id = ${feed} AND kind = 'prices' ORDER BY id DESC LIMIT 1`,
  );
  assert.match(String(run!.note), /times 0\.33333.*read off this factor/);
  assert.match(String(run!.note), /times 0\.97000.*no split/);
});

test('a correction of one bar is a revision of that bar', async () => {
  const { feed, names } = await loaded(['AAA']);
  const day = dayNumber('2024-06-12');
  vendor.bars(names[0]!, (series) => scaled(series, 1.004, (each) => each === day));
  harness.setDay('2024-06-17');
  const result = await harness.run(feed, names);
  assert.deepEqual([result.acceptedCount, result.revisedCount], [2, 1]);
});

test('the number of statements of a batch does not depend on the number of symbols', async () => {
  const counts: number[] = [];
  for (const size of [5, 50]) {
    const big = createFakeVendor(100);
    const own = await createRefreshHarness(big);
    try {
      const feed = await own.addFeed('vendor', { years: 1 });
      const symbols = Array.from({ length: size }, (_, i) => `S${i}`);
      own.setDay('2024-06-14');
      await own.run(feed, symbols);
      own.setDay('2024-06-17');
      const statements = countStatements(own);
      await own.run(feed, symbols);
      counts.push(statements());
    } finally {
      await own.close();
    }
  }
  assert.equal(counts[0], counts[1]);
  assert.ok(counts[0]! < 90, `${counts[0]} statements`);
});

/** Counts what goes to the database from now on. */
function countStatements({ db }: RefreshHarness): () => number {
  let count = 0;
  const { pool } = db.database;
  const connect = pool.connect.bind(pool);
  Object.assign(pool, {
    connect: async () => {
      const client = await connect();
      const query = client.query;
      Object.assign(client, {
        query: (...args: unknown[]) => {
          count++;
          return Reflect.apply(query, client, args);
        },
      });
      const release = client.release;
      Object.assign(client, {
        release: (error?: Error) => {
          Object.assign(client, { query, release });
          client.release(error);
        },
      });
      return client;
    },
  });
  return () => count;
}

test('new instruments get the currency the vendor tells and the calendar of the feed', async () => {
  const { names } = await loaded(['AAA']);
  const rows = await harness.rows(`SELECT currency, calendar FROM instrument WHERE symbol = '${names[0]}'`);
  assert.deepEqual(rows, [{ currency: 'USD', calendar: 'XNYS' }]);
});

test('a refresh of the simulated market, of nothing, or through a removed feed is refused in words', async () => {
  const { feed, names } = await loaded(['AAA']);
  await assert.rejects(harness.refresh.start(SEVEN, feed, {}), /There is nothing to refresh/);
  await assert.rejects(
    harness.refresh.start({ tenantId: 8, actorId: null }, feed, { symbols: names }),
    /There is no feed/,
  );
  await harness.feeds.remove(SEVEN, feed);
  await assert.rejects(harness.refresh.start(SEVEN, feed, { symbols: names }), /There is no feed/);
  assert.ok((await barsOf(feed)) > 0, 'its facts stay');
  const sealed = await harness.rows(`SELECT credential_sealed FROM source WHERE id = ${feed}`);
  assert.deepEqual(sealed, [{ credential_sealed: null }], 'its key is forgotten');
});
