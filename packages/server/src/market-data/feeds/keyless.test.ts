import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dayNumber, dayText } from '@touchstone/quant/series/day';
import { tradingDays } from '@touchstone/quant/series/trading-calendar';
import fc from 'fast-check';
import {
  type Answer,
  type KeylessDouble,
  startKeylessDouble,
  zipOf,
} from '../../../test/market-data/keyless-double.ts';
import {
  createFakeVendor,
  createRefreshHarness,
  type RefreshHarness,
  SEVEN,
  trueSeries,
} from '../../../test/market-data/refresh-harness.ts';
import { AddressRefused, checkPublicUrl, createPublicFetch, isPublicAddress } from './public-fetch.ts';

// Replaced: the vendors, by doubles on this machine with made-up values, and the clock.

let double: KeylessDouble;
let harness: RefreshHarness;
before(async () => {
  double = await startKeylessDouble();
  const urls = { ecb: `${double.url}/hist.zip`, fred: `${double.url}/fred.csv`, alfred: `${double.url}/alfred.csv` };
  harness = await createRefreshHarness(createFakeVendor(), { urls });
});
after(async () => {
  await harness.close();
  await double.close();
});

type FeedKind = 'stooq' | 'ecb' | 'fred' | 'alfred';
const add = (feed: FeedKind, code: string, settings = {}) =>
  harness.feeds.create(SEVEN, { feed, code, calendar: 'XNYS', currency: 'USD', settings });
const refresh = async (sourceId: number, symbols?: string[]) => {
  const task = await harness.refresh.start(SEVEN, sourceId, symbols === undefined ? {} : { symbols });
  return harness.tasks.work(SEVEN, task.id);
};
const gaps = (sourceId: number) =>
  harness.rows(
    `SELECT kind, sentence FROM refresh_gap WHERE source_id = ${sourceId} AND closed_at IS NULL ORDER BY symbol`,
  );

/** A year of bars of a symbol as the daily CSV. */
function dailyCsv(symbol: string, to: string): string {
  const series = trueSeries(symbol, tradingDays('XNYS', dayNumber(to) - 365, dayNumber(to)));
  const rows = Array.from(series.day, (day, i) =>
    [dayText(day), series.open[i], series.high[i], series.low[i], series.close[i], series.volume[i]].join(','),
  );
  return `Date,Open,High,Low,Close,Volume\n${rows.join('\n')}\n`;
}

test('daily CSV: the address is filled in, and its bars are facts of a split-adjusted source', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('stooq', 'csv', {
    urlTemplate: `${double.url}/d/?s={symbol}.us&d1={from}&d2={to}&i=d`,
    years: 1,
  });
  double.answer((url) => ({ body: dailyCsv(url.searchParams.get('s') ?? '', '2024-06-14') }));
  const result = await refresh(feed.id, ['CSVA', 'CSVB']);
  assert.equal(result.state, 'done', JSON.stringify(result));
  assert.equal(double.asked[0], '/d/?s=CSVA.us&d1=20230615&d2=20240614&i=d');
  const told = (await harness.feeds.list(SEVEN)).items.find(({ id }) => id === feed.id)!;
  assert.deepEqual(
    [told.instrumentCount, told.lastDay, told.priceBasis, told.state],
    [2, '2024-06-14', 'split_adjusted', 'ready'],
  );
});

for (const [what, answer, kind, sentence] of [
  ['a web page', { body: '<!doctype html><title>Sorry</title>' }, 'lies', /web page/],
  ['no data', { body: 'No data' }, 'empty', /nothing for/],
  ['its limit', { body: 'Exceeded the daily hits limit' }, 'credits', /no more questions today/],
  ['HTTP 500 three times', { status: 500, body: 'sorry' }, 'unavailable', /HTTP 500/],
  ['HTTP 429', { status: 429, body: '' }, 'credits', /too often/],
  ['HTTP 404', { status: 404, body: '' }, 'unknown', /does not know/],
  ['HTTP 403', { status: 403, body: '' }, 'refused', /refuses/],
  ['other columns', { body: 'a,b,c\n1,2,3\n' }, 'lies', /no table of daily bars/],
  [
    'a redirect inside',
    { status: 302, headers: { location: 'http://169.254.169.254/latest' }, body: '' },
    'refused',
    /must begin with https/,
  ],
] satisfies [string, Answer, string, RegExp][]) {
  test(`daily CSV: an answer of ${what} is a gap with its reason, and nothing is stored`, async () => {
    harness.setDay('2024-06-14');
    const feed = await add('stooq', `bad-${kind}-${what.length}`, { urlTemplate: `${double.url}/{symbol}` });
    const given: Answer = answer;
    double.answer(() => given);
    const before = await harness.digest();
    const result = await refresh(feed.id, ['ZZZ']);
    assert.equal(result.state, 'degraded');
    const [gap] = await gaps(feed.id);
    assert.equal(gap?.kind, kind);
    assert.match(String(gap?.sentence), sentence);
    assert.equal(await harness.digest(), before);
  });
}

test('a failure that passes is tried again and is no gap', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('stooq', 'passing', { urlTemplate: `${double.url}/{symbol}`, years: 1 });
  let count = 0;
  double.answer(() => (++count < 3 ? { status: 503, body: '' } : { body: dailyCsv('PASS', '2024-06-14') }));
  assert.equal((await refresh(feed.id, ['PASS'])).state, 'done');
});

const ECB = 'Date,USD,JPY,GBP,\n2024-06-14,1.0700,168.30,0.8440,\n2024-06-13,1.0780,169.10,N/A,\n';

test('euro rates come out of their archive, known at 16:00 in Frankfurt, and once', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('ecb', 'euro', { quotes: ['USD', 'GBP'] });
  double.answer(() => ({ body: zipOf('eurofxref-hist.csv', ECB) }));
  const first = await refresh(feed.id);
  assert.deepEqual([first.state, first.acceptedCount], ['done', 3], JSON.stringify(first));
  const rows = await harness.rows(
    `SELECT quote, day::text, value, known_at AT TIME ZONE 'UTC' AS known FROM exchange_rate WHERE source_id = ${feed.id} ORDER BY day, quote`,
  );
  assert.deepEqual(
    rows.map((row) => [row.quote, row.day, row.value]),
    [
      ['USD', '2024-06-13', 1.078],
      ['GBP', '2024-06-14', 0.844],
      ['USD', '2024-06-14', 1.07],
    ],
  );
  const [known] = await harness.rows(
    `SELECT to_char(known_at AT TIME ZONE 'UTC', 'HH24:MI') AS at FROM exchange_rate WHERE source_id = ${feed.id} LIMIT 1`,
  );
  assert.equal(known?.at, '14:00');
  assert.equal((await refresh(feed.id)).acceptedCount, 0);
});

test('euro rates of a day that has not come, or of no size, are lies', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('ecb', 'euro-lies');
  for (const [body, sentence] of [
    ['Date,USD\n2024-07-14,1.07\n', /has not come yet/],
    ['Date,USD\n2024-06-14,-1.07\n', /-1\.07/],
  ] as const) {
    double.answer(() => ({ body }));
    assert.equal((await refresh(feed.id)).state, 'degraded');
    assert.match(String((await gaps(feed.id))[0]?.sentence), sentence);
  }
  assert.equal(await harness.count(`exchange_rate WHERE source_id = ${feed.id}`), 0);
});

test('FRED series are known from our recording on, and a changed value is a new telling', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('fred', 'fred', { series: ['UNRATE'] });
  double.answer(() => ({ body: 'observation_date,UNRATE\n2024-04-01,3.9\n2024-05-01,4.0\n2024-06-01,.\n' }));
  const first = await refresh(feed.id);
  assert.deepEqual([first.state, first.acceptedCount], ['done', 3], JSON.stringify(first));
  assert.match(double.asked.at(-1)!, /id=UNRATE&cosd=2019-06-\d\d&coed=2024-06-14/);
  double.answer(() => ({ body: 'observation_date,UNRATE\n2024-04-01,3.8\n2024-05-01,4.0\n2024-06-01,4.1\n' }));
  const second = await refresh(feed.id);
  assert.deepEqual([second.acceptedCount, second.revisedCount], [2, 2]);
  assert.equal(await harness.count(`macro_observation WHERE source_id = ${feed.id} AND known_at IS NULL`), 5);
});

test('ALFRED vintages count from the end of their day, and only what changed is a telling', async () => {
  harness.setDay('2024-03-05');
  const feed = await add('alfred', 'alfred', { series: ['GDP'], years: 1 });
  // The value of 2024-01-01 is 100 until the middle of February and 101 from then on.
  const valueAt = (vintage: string) => (vintage < '2024-02-15' ? (vintage < '2024-01-15' ? '.' : '100') : '101');
  double.answer((url) => {
    const vintages = (url.searchParams.get('vintage_date') ?? '').split(',');
    const head = vintages.map((day) => `GDP_${day.replaceAll('-', '')}`);
    return { body: `observation_date,${head.join(',')}\n2024-01-01,${vintages.map(valueAt).join(',')}\n` };
  });
  assert.equal((await refresh(feed.id)).state, 'done');
  const rows = () =>
    harness.rows(
      `SELECT value, to_char(known_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS known FROM macro_observation
       WHERE source_id = ${feed.id} ORDER BY known_at`,
    );
  assert.deepEqual(await rows(), [
    { value: 100, known: '2024-02-01 00:00' },
    { value: 101, known: '2024-03-01 00:00' },
  ]);
  harness.setDay('2024-03-07');
  double.asked.length = 0;
  assert.equal((await refresh(feed.id)).acceptedCount, 0);
  assert.match(double.asked[0]!, /vintage_date=2024-03-06$/);
});

test('ALFRED rows with realtime_start are read as well', async () => {
  harness.setDay('2024-03-05');
  const feed = await add('alfred', 'alfred-rows', { series: ['CPI'], years: 1 });
  const rows = ['2024-01-12,2024-02-12,2023-12-01,306.7', '2024-02-13,9999-12-31,2023-12-01,306.9'];
  double.answer(() => ({ body: `realtime_start,realtime_end,date,value\n${rows.join('\n')}\n` }));
  await refresh(feed.id);
  const told = await harness.rows(
    `SELECT value, to_char(known_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS known FROM macro_observation
     WHERE source_id = ${feed.id} ORDER BY known_at`,
  );
  assert.deepEqual(told, [
    { value: 306.7, known: '2024-01-13' },
    { value: 306.9, known: '2024-02-14' },
  ]);
});

test('another series than the one asked for is a lie', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('fred', 'fred-other', { series: ['UNRATE'] });
  double.answer(() => ({ body: 'observation_date,PAYEMS\n2024-04-01,3.9\n' }));
  await refresh(feed.id);
  assert.deepEqual(
    (await gaps(feed.id)).map(({ kind }) => kind),
    ['lies'],
  );
});

test('a test of a feed says what is wrong, or that it answers', async () => {
  harness.setDay('2024-06-14');
  const feed = await add('stooq', 'tested', { urlTemplate: `${double.url}/{symbol}` });
  double.answer(() => ({ body: '<html></html>' }));
  const bad = await harness.feeds.test(SEVEN, feed.id);
  assert.deepEqual([bad.works, bad.problem], [false, 'lies']);
  double.answer(() => ({ body: dailyCsv('AAPL', '2024-06-14') }));
  assert.equal((await harness.feeds.test(SEVEN, feed.id)).works, true);
});

test('settings of another feed, two changes at once and a taken code are refused by name', async () => {
  await assert.rejects(add('ecb', 'odd', { series: ['X'] }), /has no setting series/);
  const feed = await add('fred', 'twice', { series: ['A'] });
  await assert.rejects(add('ecb', 'twice'), /already/);
  await harness.feeds.update(SEVEN, feed.id, { name: 'Mine', version: feed.version });
  await assert.rejects(
    harness.feeds.update(SEVEN, feed.id, { name: 'Yours', version: feed.version }),
    /was changed since version/,
  );
  await assert.rejects(harness.feeds.rotateKey(SEVEN, feed.id, { key: 'a-key-of-mine', version: 2 }), /takes no key/);
});

test('an address inside, a symbol in the name of the machine and a stray brace are refused when set', async () => {
  const own = await createRefreshHarness(createFakeVendor(), { allowLoopback: false });
  try {
    for (const [urlTemplate, sentence] of [
      ['http://stooq.com/{symbol}', /https/],
      ['https://127.0.0.1/{symbol}', /no public address/],
      ['https://[::1]/{symbol}', /no public address/],
      ['https://10.1.2.3/{symbol}', /no public address/],
      ['https://localhost/{symbol}', /no public address/],
      ['https://metadata.internal/{symbol}', /no public address/],
      ['https://stooq.com:8443/{symbol}', /standard port/],
      ['https://me:secret@stooq.com/{symbol}', /no user name/],
      ['https://{symbol}.example.org/', /only after the name of the machine/],
      ['https://stooq.com/', /where the symbol goes/],
      ['https://stooq.com/{symbol}/{day}', /\{day\}/],
    ] as const) {
      const made = own.feeds.create(SEVEN, {
        feed: 'stooq',
        code: 'inside',
        calendar: 'XNYS',
        currency: 'USD',
        settings: { urlTemplate },
      });
      await assert.rejects(made, sentence, urlTemplate);
    }
    assert.equal(await own.count(`source WHERE code = 'inside'`), 0);
  } finally {
    await own.close();
  }
});

test('no address of an inside network counts as public, however it is written', () => {
  for (const address of [
    '127.0.0.1',
    '10.0.0.8',
    '172.20.1.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '2002:7f00:1::',
    '64:ff9b::a00:1',
    'stooq.com',
  ])
    assert.equal(isPublicAddress(address), false, address);
  for (const address of ['8.8.8.8', '193.0.6.139', '2a00:1450:4001:81b::200e'])
    assert.equal(isPublicAddress(address), true, address);
  fc.assert(
    fc.property(
      fc.constantFrom(10, 127),
      fc.nat(255),
      fc.nat(255),
      fc.nat(255),
      (a, b, c, d) => !isPublicAddress(`${a}.${b}.${c}.${d}`),
    ),
  );
  // The ways of writing an address that are no dotted quad become one in a URL.
  for (const url of ['https://2130706433/', 'https://0x7f.1/', 'https://017700000001/'])
    assert.throws(() => checkPublicUrl(new URL(url), false), AddressRefused, url);
});

test('a name that leads inside is refused when it is resolved', async () => {
  const fetch = createPublicFetch({ allowLoopback: false });
  // This name is in every hosts file; the check of the text does not know it.
  const url = new URL('https://localhost.localdomain/');
  await assert.rejects(fetch(url, AbortSignal.timeout(10_000)), (error) => error instanceof Error);
});
