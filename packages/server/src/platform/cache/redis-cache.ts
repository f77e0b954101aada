import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { RedisLine } from '../redis/redis.ts';
import { type Cache, createSingleFlight, type KeepOptions, VALUE_LENGTH_MAX, withJitter } from './cache.ts';

// Every tag has a version, and an entry remembers those of its tags from before it was made: to invalidate is to count
// up. A version that is gone (evicted, expired) starts again at a random number, so that no old entry can fit by chance.
const FIND = `
local versions = {}
for i = 2, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if not version then
    version = ARGV[1]
    redis.call('SET', KEYS[i], version, 'PX', ARGV[2])
  end
  versions[i - 1] = version
end
local now = table.concat(versions, ',')
local entry = redis.call('HMGET', KEYS[1], 'versions', 'value')
if entry[1] == now then return {now, entry[2]} end
return {now}
`;
const KEEP = `
redis.call('HSET', KEYS[1], 'versions', ARGV[1], 'tags', ARGV[2], 'value', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`;
const INVALIDATE = `
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('INCR', KEYS[i])
  else redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
end
return 1
`;
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

const TAG_LIFE_MS = 7 * 24 * 3_600_000;
/** A maker that died lets the others try after this. */
const LOCK_MS = 10_000;
const LOCK_POLL_MS = 15;
const VERSION_MAX = 2 ** 47;

/** Shared by processes: one of them makes a value, the others wait for it. */
export function createRedisCache(line: RedisLine, prefix = 'touchstone:cache:'): Cache {
  const { client } = line;
  const fly = createSingleFlight<string>();
  const counts = { hitCount: 0, missCount: 0, invalidatedCount: 0 };
  /** False while an invalidation may not have arrived; then nothing is read until everything was invalidated. */
  let isTrusted = false;
  let generation = 0;
  const epochKey = `${prefix}epoch`;
  const entryKey = (key: string) => `${prefix}entry:${createHash('sha256').update(key).digest('base64url')}`;
  const tagKeys = (tags: readonly string[]) => [epochKey, ...tags.map((tag) => `${prefix}tag:${tag}`)];
  const isUsable = () => line.isUp() && isTrusted;

  async function countUp(keys: readonly string[]): Promise<void> {
    await client.eval(INVALIDATE, keys.length, ...keys, randomInt(VERSION_MAX), TAG_LIFE_MS);
  }

  line.onUp(async () => {
    generation++;
    await countUp([epochKey]);
    isTrusted = true;
  });

  /** The versions of the tags now, and the value if it fits them. */
  async function find(key: string, tags: readonly string[]): Promise<{ versions: string; value: string | undefined }> {
    const keys = [entryKey(key), ...tagKeys(tags)];
    const reply = await client.eval(FIND, keys.length, ...keys, randomInt(VERSION_MAX), TAG_LIFE_MS);
    const [versions, value] = Array.isArray(reply) ? reply : [];
    return { versions: String(versions), value: typeof value === 'string' ? value : undefined };
  }

  async function keep(key: string, value: string, { tags, ttlMs }: KeepOptions, versions: string): Promise<void> {
    if (value.length > VALUE_LENGTH_MAX) return;
    await client.eval(KEEP, 1, entryKey(key), versions, JSON.stringify(tags), value, withJitter(ttlMs));
  }

  /** Makes a value if this process gets the lock; else waits until another has made it. Null: Redis was lost. */
  async function makeOrWait(key: string, options: KeepOptions, make: () => Promise<string>): Promise<string | null> {
    const lock = `${entryKey(key)}:lock`;
    const token = randomBytes(8).toString('hex');
    for (const until = performance.now() + LOCK_MS; performance.now() < until; ) {
      const found = await orNull(find(key, options.tags));
      if (found === null) return null;
      if (found.value !== undefined) return found.value;
      const locked = await orNull(client.set(lock, token, 'PX', LOCK_MS, 'NX').then((reply) => ({ reply })));
      if (locked === null) return null;
      if (locked.reply !== 'OK') {
        await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
        continue;
      }
      try {
        // Asked again under the lock: another may have made it since, and the versions must be older than the value.
        const again = await orNull(find(key, options.tags));
        if (again === null) return null;
        if (again.value !== undefined) return again.value;
        counts.missCount++;
        const value = await make();
        await orNull(keep(key, value, options, again.versions));
        return value;
      } finally {
        await orNull(client.eval(UNLOCK, 1, lock, token));
      }
    }
    return null;
  }

  return {
    kind: 'redis',
    async get(key) {
      if (!isUsable()) return undefined;
      const tags = await orNull(client.hget(entryKey(key), 'tags'));
      if (tags === null) return undefined;
      const parsed: string[] = JSON.parse(tags);
      return (await orNull(find(key, parsed)))?.value;
    },
    async set(key, value, options) {
      if (!isUsable()) return;
      const found = await orNull(find(key, options.tags));
      if (found !== null) await orNull(keep(key, value, options, found.versions));
    },
    async load(key, options, make) {
      if (!isUsable()) return fly(key, generation, make);
      const found = await orNull(find(key, options.tags));
      if (found?.value !== undefined) {
        counts.hitCount++;
        return found.value;
      }
      return fly(key, generation, async () => (await makeOrWait(key, options, make)) ?? make());
    },
    async invalidate(tags) {
      generation++;
      counts.invalidatedCount += tags.length;
      if (!line.isUp()) {
        isTrusted = false;
        return;
      }
      try {
        // The epoch stays: only the tags count up.
        await countUp(tagKeys(tags).slice(1));
      } catch {
        // It may not have arrived. The next connection begins with everything invalid.
        isTrusted = false;
        client.disconnect(true);
      }
    },
    async invalidateAll() {
      generation++;
      if (!line.isUp()) {
        isTrusted = false;
        return;
      }
      try {
        await countUp([epochKey]);
      } catch {
        isTrusted = false;
        client.disconnect(true);
      }
    },
    describe: () => ({ kind: 'redis', usable: isUsable(), ...counts, entryCount: null, byteCount: null }),
    close: async () => {},
  };
}

/** Redis helps or it does not; what it says when it fails has been logged by its line. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch {
    return null;
  }
}
