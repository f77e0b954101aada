import type { Database, Principal } from '../../platform/database/database.ts';
import type { RedisLine } from '../../platform/redis/redis.ts';
import { readPacked } from './database-store.ts';
import type { OnlineStore, ViewKey } from './online-store.ts';
import { unpackValue } from './packed-value.ts';

/** What nobody asks for goes by itself; it comes back from the database. */
const LIFE_S = 7 * 24 * 3_600;
/** Says that the database has nothing either, so that it is not asked each time. */
const NOTHING = Buffer.from([0]);
const NOTHING_LIFE_S = 5;

/**
 * Answers from Redis, one key an instrument, all of them with one MGET. What is not there is read from PostgreSQL and put
 * back; while Redis is away PostgreSQL answers alone.
 */
export function createRedisStore(database: Database, line: RedisLine, prefix = 'touchstone:online:'): OnlineStore {
  const { client } = line;
  const keyOf = ({ tenantId }: Principal, { view, version }: ViewKey, id: number) =>
    `${prefix}${tenantId}:${view}:${version}:${id}`;
  let times = 0;
  // After it was away Redis may hold older values than the database: all are read anew.
  line.onUp(async () => {
    times++;
    if (times > 1) await forget();
  });

  async function forget(): Promise<void> {
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
      if (keys.length > 0) await client.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  }

  /** What was read from the database never takes the place of what came since. */
  async function fill(entries: readonly { key: string; packed: Buffer | null }[]): Promise<void> {
    const pipeline = client.pipeline();
    for (const { key, packed } of entries)
      pipeline.set(key, packed ?? NOTHING, 'EX', packed === null ? NOTHING_LIFE_S : LIFE_S, 'NX');
    await pipeline.exec();
  }

  return {
    kind: 'redis',
    async keep(principal, key, rows) {
      if (!line.isUp()) return;
      try {
        const pipeline = client.pipeline();
        for (const { instrumentId, packed } of rows)
          pipeline.set(keyOf(principal, key, instrumentId), packed, 'EX', LIFE_S);
        const replies = await pipeline.exec();
        if (replies?.some(([error]) => error !== null)) throw new Error('Redis took only some of the values');
      } catch {
        // It may hold older values now. The next connection begins with none.
        client.disconnect(true);
      }
    },
    async read(principal, keys, instrumentIds) {
      const names = keys.flatMap((key) => instrumentIds.map((id) => keyOf(principal, key, id)));
      const kept = line.isUp() ? await client.mgetBuffer(...names).catch(() => null) : null;
      const width = instrumentIds.length;
      const packed = keys.map((_, k) => instrumentIds.map((_id, i) => kept?.[k * width + i] ?? null));
      if (packed.some((row) => row.includes(null))) {
        const stored = await readPacked(database, principal, keys, instrumentIds);
        const missing: { key: string; packed: Buffer | null }[] = [];
        for (const [k, row] of packed.entries())
          for (const [i, bytes] of row.entries()) {
            if (bytes !== null) continue;
            row[i] = stored[k]![i]!;
            missing.push({ key: names[k * width + i]!, packed: row[i] ?? null });
          }
        if (line.isUp()) await fill(missing).catch(() => {});
      }
      return packed.map((row) => row.map((bytes) => (bytes === null ? null : unpackValue(bytes))));
    },
    close: async () => {},
  };
}
