// Quotes, live prices and symbols over real HTTP: a server, its database and a double of the vendor.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { inlineCompute } from '../../../test/inline-compute.ts';
import { startTestServer, type TestServer } from '../../../test/test-server.ts';
import { until } from '../../../test/until.ts';
import { startVendorDouble, type VendorDouble } from '../../../test/vendor-double/vendor-double.ts';
import { systemClock } from '../../platform/clock/clock.ts';
import { createStages } from '../../stages.ts';
import type { PriceStream } from './feed.ts';
import { createPriceLines, WATCHERS_MAX } from './price-lines.ts';

const KEY = 'a-key-of-the-double';
let db: TestDatabase;
let server: TestServer;
let double: VendorDouble;
let token: string;
let feedId: number;
before(async () => {
  db = await createTestDatabase();
  double = await startVendorDouble({ seed: 3, symbols: ['AAA', 'BBB', 'CCC'], key: KEY, tickMs: 5, minuteLimit: 1000 });
  server = await startTestServer(db, {
    wire: ({ serve, ...parts }) =>
      createStages({
        ...parts,
        ...{ connection: db.connection, compute: inlineCompute, clock: systemClock, codeVersion: 'test' },
        twelveDataUrl: double.url,
      }).registerRoutes(serve),
  });
  token = await server.tokenFor('owner', 31);
  feedId = await makeFeed('mine', {});
});
after(async () => {
  await server.close();
  await double.close();
  await db.close();
});

async function makeFeed(code: string, settings: object): Promise<number> {
  const made = await server.call('POST', '/data/feeds', {
    token,
    body: { feed: 'twelvedata', code, key: KEY, settings },
  });
  assert.equal(made.status, 201, made.text);
  return Number(made.json.id);
}

async function watch(symbols: string, id = feedId, as = token) {
  const closing = new AbortController();
  const stream = await fetch(`${server.url}/api/v1/data/feeds/${id}/prices/events?symbols=${symbols}`, {
    headers: { authorization: `Bearer ${as}` },
    signal: closing.signal,
  });
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    status: stream.status,
    close: () => closing.abort(),
    /** All that came until some words did. */
    async until(words: string) {
      while (!text.includes(words)) {
        const { done, value } = await reader.read();
        assert.ok(!done, `ended without ${words}: ${text}`);
        text += value;
      }
      return text;
    },
    async toEnd() {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    },
  };
}

test('quotes are told with their change, beside gaps, and nothing of them is stored', async () => {
  const tables =
    'SELECT (SELECT count(*) FROM bar_key) + (SELECT count(*) FROM refresh) + (SELECT count(*) FROM instrument) AS n';
  const before = await db.migrator.query(tables);
  const { status, json, text } = await server.call('GET', `/data/feeds/${feedId}/quotes?symbols=AAA,NONE,AAA`, {
    token,
  });
  assert.equal(status, 200, text);
  const { quotes, gaps, note, credits } = Object(json);
  assert.deepEqual([quotes.length, gaps.length], [1, 1]);
  const [quote] = quotes;
  assert.deepEqual([quote.symbol, quote.currency, quote.isMarketOpen], ['AAA', 'USD', false]);
  assert.ok(Math.abs(quote.change - (quote.price / quote.previousClose - 1)) < 1e-12);
  assert.deepEqual([gaps[0].symbol, gaps[0].kind], ['NONE', 'unknown']);
  assert.match(note, /not stored/);
  assert.equal(credits.dayLeft, 798, 'two questions were paid');
  assert.deepEqual((await db.migrator.query(tables)).rows, before.rows);
  assert.ok(!text.includes(KEY));

  const many = Array.from({ length: 9 }, (_, i) => `S${i}`).join();
  const refused = await server.call('GET', `/data/feeds/${feedId}/quotes?symbols=${many}`, { token });
  assert.equal(refused.json.code, 'INVALID_REQUEST');
  const viewer = await server.tokenFor('viewer', 31);
  const forbidden = await server.call('GET', `/data/feeds/${feedId}/quotes?symbols=AAA`, { token: viewer });
  assert.equal(forbidden.json.code, 'FORBIDDEN', 'it spends credits');
});

test('a plan that is too small for a part is a sentence in a gap', async () => {
  const { status, json, text } = await server.call('GET', `/data/feeds/${feedId}/symbols/AAA`, { token });
  assert.equal(status, 200, text);
  const { firstDay, statistics, splits, gaps } = Object(json);
  assert.deepEqual([firstDay, statistics, splits], ['2021-01-04', null, null]);
  assert.match(gaps[0].sentence, /costs 20 credits; the plan allows 8 a minute/);
  const large = await makeFeed('large', { creditsPerMinute: 1000 });
  const all = await server.call('GET', `/data/feeds/${large}/symbols/AAA`, { token });
  assert.deepEqual([all.json.gaps, Object(all.json.statistics).sharesFloat], [[], 9e8]);
});

test('a feed that tells no quotes says so', async () => {
  const made = await server.call('POST', '/data/feeds', { token, body: { feed: 'ecb' } });
  for (const at of ['quotes?symbols=AAA', 'prices/events?symbols=AAA', 'symbols/AAA']) {
    const { json } = await server.call('GET', `/data/feeds/${made.json.id}/${at}`, { token });
    assert.equal(json.code, 'NOT_POSSIBLE_NOW', at);
  }
});

test('watchers of one feed share one connection, get their own symbols, and it closes behind the last', async () => {
  const one = await watch('AAA');
  await one.until('"symbol":"AAA"');
  const two = await watch('BBB,NONE');
  const told = await two.until('"symbol":"BBB"');
  assert.match(told, /event: price\ndata: \{"symbol":"BBB","price":\d+\.\d+,"at":"20/);
  assert.doesNotMatch(told, /AAA/);
  assert.match(await two.until('event: gap'), /does not stream “NONE”/);
  assert.equal(double.streamCount(), 1);
  two.close();
  await until(() => double.streamed.some((text) => /unsubscribe.*BBB/.test(text)), 'BBB is not asked for any more');
  assert.equal(double.streamCount(), 1);
  one.close();
  await until(() => double.streamCount() === 0, 'the connection is closed');
  const nothing = await watch('NONE');
  assert.match(await nothing.toEnd(), /event: gap/, 'a stream with nothing to tell ends');
});

test('a tenant watches so often and not more, and another tenant does not count', async () => {
  const all = await Promise.all(Array.from({ length: WATCHERS_MAX }, () => watch('CCC')));
  await Promise.all(all.map((each) => each.until('"CCC"')));
  const { json } = await server.call('GET', `/data/feeds/${feedId}/prices/events?symbols=CCC`, { token });
  assert.equal(json.code, 'NOT_POSSIBLE_NOW');
  assert.equal(double.streamCount(), 1);
  for (const each of all) each.close();
  await until(() => double.streamCount() === 0, 'the connection is closed');
  const again = await watch('CCC');
  assert.equal(again.status, 200);
  again.close();
});

test('a line ends when its feed changes, and says why', async () => {
  let isSame = true;
  const lines = createPriceLines({ checkMs: 5 });
  const told: string[] = [];
  const stream = (signal: AbortSignal): PriceStream => ({
    ...{ add: () => {}, remove: () => {} },
    async *news() {
      yield { tick: { symbol: 'AAA', price: 1, at: 1 } };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  const source = { tenantId: 1, sourceId: 1, version: 1, open: stream, isAsItWas: async () => isSame };
  const ended = new Promise<void>((end) => {
    lines.watch(source, {
      symbols: ['AAA'],
      tick: ({ symbol }) => {
        told.push(symbol);
        isSame = false;
      },
      gap: ({ sentence }) => told.push(sentence),
      end,
    });
  });
  await ended;
  assert.deepEqual(told, ['AAA', 'The feed was changed. Watch again.']);
});
