import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../../test/cluster.ts';
import { type RedisServer, skipsRedis, startRedis } from '../../../test/edges/redis-server.ts';
import { addTenant } from '../../../test/facts.ts';
import type { Principal } from '../../platform/database/database.ts';
import { createRedisLine, type RedisLine } from '../../platform/redis/redis.ts';
import { createDatabaseStore, writeValues } from './database-store.ts';
import type { OnlineStore, StoredRow, ViewKey } from './online-store.ts';
import { type OnlineValue, packValue, unpackValue } from './packed-value.ts';
import { createProcessStore } from './process-store.ts';
import { createRedisStore } from './redis-store.ts';

const QUIET = { warn: () => {}, info: () => {} };
const KEY: ViewKey = { view: 'trend', version: 1 };
const OTHER: ViewKey = { view: 'trend', version: 2 };

let db: TestDatabase;
let who: Principal;
let stranger: Principal;
let redis: RedisServer | null = null;
let line: RedisLine | null = null;
before(async () => {
  db = await createTestDatabase();
  who = await addTenant(db.migrator, 5);
  stranger = await addTenant(db.migrator, 6);
});
after(async () => {
  await line?.close();
  await redis?.stop();
  await db.close();
});

function onlineValue(seed: number, version = 1): OnlineValue {
  const values = Float64Array.of(seed, -0, Number.NaN, 1 / 3, Number.MIN_VALUE, seed * 1e300);
  const reasons = Uint8Array.of(0, 0, 1, 0, 0, 0);
  return { version, eventDay: 20_000 + seed, knownAt: 1.7e12 + seed, recordedAt: 1.7e12 + seed + 0.5, values, reasons };
}
const rowOf = (instrumentId: number, value: OnlineValue): StoredRow => ({ instrumentId, packed: packValue(value) });

async function put(store: OnlineStore, key: ViewKey, rows: readonly StoredRow[]): Promise<void> {
  await db.database.transaction(who, (tx) => writeValues(tx, key, rows));
  await store.keep(who, key, rows);
}

test('what is packed comes out again, bit for bit; bytes of another format are nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double(), { maxLength: 40 }),
      fc.integer({ min: -40_000, max: 80_000 }),
      (list, eventDay) => {
        const values = Float64Array.from(list);
        const reasons = Uint8Array.from(list, (_, i) => i % 5);
        const value = { version: 3, eventDay, knownAt: 1.5, recordedAt: 2.5, values, reasons };
        assert.deepEqual(unpackValue(packValue(value)), value);
      },
    ),
    { numRuns: 100 },
  );
  const packed = packValue(onlineValue(1));
  assert.equal(unpackValue(packed.subarray(0, packed.length - 1)), null);
  assert.equal(unpackValue(Buffer.from([0])), null);
  packed.writeUInt32LE(9, 0);
  assert.equal(unpackValue(packed), null);
});

const STORES: Record<OnlineStore['kind'], () => Promise<OnlineStore>> = {
  database: async () => createDatabaseStore(db.database),
  process: async () => createProcessStore(db.database),
  async redis() {
    redis ??= await startRedis();
    const fresh = createRedisLine(redis.url, QUIET);
    await fresh.client.ping().catch(() => new Promise((resolve) => fresh.client.once('ready', resolve)));
    await fresh.client.flushall();
    await line?.close();
    line = fresh;
    return createRedisStore(db.database, fresh);
  },
};

for (const [kind, open] of Object.entries(STORES))
  test(`a store in ${kind} gives back what was put in, the newest, to its tenant alone`, async (t) => {
    if (kind === 'redis' && skipsRedis(t)) return;
    await db.migrator.query('DELETE FROM online.feature_value');
    const store = await open();
    assert.deepEqual(await store.read(who, [KEY], [1, 2]), [[null, null]]);
    await put(store, OTHER, [rowOf(1, onlineValue(9, 2))]);
    await put(store, KEY, [rowOf(7, onlineValue(7)), rowOf(8, onlineValue(8))]);
    assert.deepEqual(await store.read(who, [KEY, OTHER], [8, 7, 1, 8]), [
      [onlineValue(8), onlineValue(7), null, onlineValue(8)],
      [null, null, onlineValue(9, 2), null],
    ]);
    await put(store, KEY, [rowOf(7, onlineValue(70))]);
    assert.deepEqual(await store.read(who, [KEY], [7, 8]), [[onlineValue(70), onlineValue(8)]]);
    assert.deepEqual(await store.read(stranger, [KEY, OTHER], [7, 1]), [
      [null, null],
      [null, null],
    ]);
    // Another store of the kind, which nobody told anything, finds what is at home in the database.
    assert.deepEqual(await (await open()).read(who, [KEY], [7]), [[onlineValue(70)]]);
    await store.close();
  });

test('while Redis is away the database answers, and what came meanwhile is served when it is back', async (t) => {
  if (skipsRedis(t)) return;
  const store = await STORES.redis();
  await put(store, KEY, [rowOf(7, onlineValue(1))]);
  assert.deepEqual(await store.read(who, [KEY], [7]), [[onlineValue(1)]]);
  await redis!.kill();
  await put(store, KEY, [rowOf(7, onlineValue(2))]);
  assert.deepEqual(await store.read(who, [KEY], [7]), [[onlineValue(2)]]);
  await redis!.start();
  for (let tries = 0; tries < 100 && !line!.isUp(); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(line!.isUp());
  assert.deepEqual(await store.read(who, [KEY], [7]), [[onlineValue(2)]]);
});
