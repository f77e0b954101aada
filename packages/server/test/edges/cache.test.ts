import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Cache, createSingleFlight, withJitter } from '../../src/platform/cache/cache.ts';
import { createProcessCache } from '../../src/platform/cache/process-cache.ts';
import { createRedisCache } from '../../src/platform/cache/redis-cache.ts';
import { createRedisLine, type RedisLine } from '../../src/platform/redis/redis.ts';
import { until } from '../until.ts';
import { type RedisServer, skipsRedis, startRedis } from './redis-server.ts';

const LOG = { warn: () => {}, info: () => {} };
const KEEP = { tags: ['1:universe', '0:universe'], ttlMs: 60_000 };

let redis: RedisServer | null = null;
const lines: RedisLine[] = [];
let prefixes = 0;
before(async (t) => {
  if (!skipsRedis(t as TestContext)) redis = await startRedis();
});
after(async () => {
  for (const line of lines) await line.close();
  await redis?.stop();
});

/** One view of a shared cache, as another process would have it. */
async function redisCache(prefix: string): Promise<Cache> {
  const line = createRedisLine(redis!.url, LOG);
  lines.push(line);
  const cache = createRedisCache(line, prefix);
  await until(() => cache.describe().usable, 'the cache is used');
  return cache;
}

const KINDS: { name: string; make: (t: TestContext) => Promise<Cache | null> }[] = [
  { name: 'in the process', make: async () => createProcessCache() },
  { name: 'in Redis', make: async (t) => (skipsRedis(t) ? null : redisCache(`suite${prefixes++}:`)) },
];

for (const { name, make } of KINDS) {
  test(`a value kept ${name} is found until it is invalidated, by any of its tags`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    assert.equal(await cache.get('a'), undefined);
    for (const tag of [...KEEP.tags, null]) {
      await cache.set('a', 'one', KEEP);
      await cache.set('b', 'two', { tags: ['2:index'], ttlMs: 60_000 });
      assert.equal(await cache.get('a'), 'one');
      if (tag === null) await cache.invalidateAll();
      else await cache.invalidate([tag]);
      assert.equal(await cache.get('a'), undefined, `after ${tag}`);
      assert.equal(await cache.get('b'), tag === null ? undefined : 'two');
    }
  });

  test(`a hundred that ask at once for what is not kept ${name} make it once`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    let made = 0;
    const ask = () =>
      cache.load('k', KEEP, async () => {
        made++;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return `value ${made}`;
      });
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    assert.deepEqual([...new Set(answers)], ['value 1']);
    assert.equal(await ask(), 'value 1');
    assert.equal(made, 1);
  });

  test(`what fails is told to all who wait and is not kept ${name}`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    let made = 0;
    const ask = (works: boolean) =>
      cache.load('k', KEEP, async () => {
        made++;
        if (!works) throw new Error('no');
        return 'yes';
      });
    const outcomes = await Promise.allSettled([ask(false), ask(false), ask(false)]);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected'));
    assert.equal(await ask(true), 'yes');
    assert.equal(await ask(false), 'yes');
    assert.equal(made, 2);
  });

  test(`a value whose making began before a change is not kept ${name}`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let began = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const old = cache.load('k', KEEP, async () => {
      began();
      await waiting;
      return 'old';
    });
    await hasBegun;
    await cache.invalidate(['1:universe']);
    // Whoever asks after the change must not be given what was read before it.
    const fresh = cache.load('k', KEEP, async () => 'new');
    goOn();
    assert.equal(await old, 'old');
    assert.equal(await fresh, 'new');
    assert.equal(await cache.load('k', KEEP, async () => 'newest'), 'new');
  });

  test(`a value kept ${name} goes when its time is over`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    await cache.set('k', 'short', { tags: [], ttlMs: 40 });
    await new Promise((resolve) => setTimeout(resolve, 120));
    assert.equal(await cache.get('k'), undefined);
  });

  test(`a reader of values kept ${name} never sees one from before the last change`, async (t) => {
    const cache = await make(t);
    if (cache === null) return;
    const tags = ['a', 'b', 'c'];
    const step = fc.record({ write: fc.boolean(), tag: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const truth = new Map(tags.map((tag) => [tag, 0]));
        await cache.invalidateAll();
        for (const { write, tag: i } of steps) {
          const tag = tags[i]!;
          if (write) {
            truth.set(tag, truth.get(tag)! + 1);
            await cache.invalidate([tag]);
          }
          const all = tags.map((name) => truth.get(name)).join();
          assert.equal(await cache.load('all', { tags, ttlMs: 60_000 }, async () => all), all);
          const one = String(truth.get(tag));
          assert.equal(await cache.load(tag, { tags: [tag], ttlMs: 60_000 }, async () => one), one);
        }
      }),
      { numRuns: 30 },
    );
  });
}

test('two processes that miss at once make a value once between them, and hear of each other’s changes', async (t) => {
  if (skipsRedis(t)) return;
  const [first, second] = [await redisCache('two:'), await redisCache('two:')];
  let made = 0;
  const make = async () => {
    made++;
    await new Promise((resolve) => setTimeout(resolve, 60));
    return `value ${made}`;
  };
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? first! : second!).load('k', KEEP, make)),
  );
  assert.deepEqual([...new Set(answers)], ['value 1']);
  await second!.invalidate(['0:universe']);
  assert.equal(await first!.load('k', KEEP, make), 'value 2');
});

test('without Redis values are made each time, and nothing from before its loss is given after it', async (t) => {
  if (skipsRedis(t)) return;
  const own = await startRedis();
  const line = createRedisLine(own.url, LOG);
  const cache = createRedisCache(line, 'lost:');
  try {
    await until(() => cache.describe().usable, 'the cache is used');
    assert.equal(await cache.load('k', KEEP, async () => 'before'), 'before');
    await own.kill();
    await until(() => !cache.describe().usable, 'the cache is left alone');
    assert.equal(await cache.load('k', KEEP, async () => 'made'), 'made');
    await cache.invalidate(['1:universe']);
    assert.equal(await cache.get('k'), undefined);
    await cache.set('k', 'nowhere', KEEP);
    await own.start();
    await until(() => cache.describe().usable, 'the cache is used');
    assert.equal(await cache.load('k', KEEP, async () => 'after'), 'after');
  } finally {
    await line.close();
    await own.stop();
  }
});

test('a connection that was lost while something changed trusts nothing kept before, though Redis kept it', async (t) => {
  if (skipsRedis(t)) return;
  const line = createRedisLine(redis!.url, LOG);
  lines.push(line);
  const cache = createRedisCache(line, 'gap:');
  await until(() => cache.describe().usable, 'the cache is used');
  await cache.set('k', 'before', KEEP);
  line.client.disconnect(true);
  await until(() => !line.isUp(), 'the line is down');
  await cache.invalidate(['1:universe']);
  await until(() => cache.describe().usable, 'the cache is used');
  assert.equal(await cache.get('k'), undefined);
});

test('in the process the value used longest ago goes first, and what is too long is not kept', async () => {
  const cache = createProcessCache({ lengthMax: 300 });
  const keep = { tags: [], ttlMs: 60_000 };
  for (const key of ['a', 'b', 'c']) await cache.set(key, key.repeat(90), keep);
  await cache.get('a');
  await cache.set('d', 'd'.repeat(90), keep);
  assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => (await cache.get(key)) !== undefined)), [
    true,
    false,
    true,
    true,
  ]);
  assert.ok((cache.describe().byteCount ?? 0) <= 600);
  await cache.set('e', 'e'.repeat(1_000_001), keep);
  assert.equal(await cache.get('e'), undefined);
});

test('times to live are spread, and work is shared only by those who ask between the same changes', async () => {
  const times = Array.from({ length: 500 }, () => withJitter(1000));
  assert.ok(times.every((ms) => ms >= 900 && ms <= 1100) && new Set(times).size > 20);
  const fly = createSingleFlight<number>();
  let begun = 0;
  const work = async () => ++begun;
  const [a, b, c] = await Promise.all([fly('k', 1, work), fly('k', 1, work), fly('k', 2, work)]);
  assert.deepEqual([a, b, c], [1, 1, 2]);
});
