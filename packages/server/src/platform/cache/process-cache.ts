import { type Cache, createSingleFlight, type KeepOptions, VALUE_LENGTH_MAX, withJitter } from './cache.ts';

type Entry = { value: string; versions: readonly number[]; tags: readonly string[]; epoch: number; until: number };

export type ProcessCacheOptions = {
  /** Characters kept in all; what was used longest ago goes first. */
  lengthMax?: number;
  now?: () => number;
};

const LENGTH_MAX = 32_000_000;

/** In this process, least recently used goes first. */
export function createProcessCache({
  lengthMax = LENGTH_MAX,
  now = () => performance.now(),
}: ProcessCacheOptions = {}): Cache {
  const entries = new Map<string, Entry>();
  const versions = new Map<string, number>();
  const fly = createSingleFlight<string>();
  const counts = { hitCount: 0, missCount: 0, invalidatedCount: 0 };
  let length = 0;
  let epoch = 0;
  let generation = 0;

  const versionsOf = (tags: readonly string[]) => tags.map((tag) => versions.get(tag) ?? 0);
  const isFresh = (entry: Entry) =>
    entry.epoch === epoch &&
    entry.until > now() &&
    entry.versions.every((version, i) => version === (versions.get(entry.tags[i]!) ?? 0));

  function drop(key: string, entry: Entry): void {
    entries.delete(key);
    length -= key.length + entry.value.length;
  }

  function find(key: string): string | undefined {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (!isFresh(entry)) {
      drop(key, entry);
      return undefined;
    }
    // Taken out and put back, so that the map's order is the order of use.
    entries.delete(key);
    entries.set(key, entry);
    return entry.value;
  }

  function keep(key: string, entry: Entry): void {
    const old = entries.get(key);
    if (old !== undefined) drop(key, old);
    if (entry.value.length > VALUE_LENGTH_MAX) return;
    entries.set(key, entry);
    length += key.length + entry.value.length;
    for (const [oldest, other] of entries) {
      if (length <= lengthMax) break;
      drop(oldest, other);
    }
  }

  const stamp = ({ tags, ttlMs }: KeepOptions) => ({
    ...{ tags, versions: versionsOf(tags), epoch, until: now() + withJitter(ttlMs) },
  });

  return {
    kind: 'process',
    get: async (key) => find(key),
    async set(key, value, options) {
      keep(key, { value, ...stamp(options) });
    },
    async load(key, options, make) {
      const kept = find(key);
      if (kept !== undefined) {
        counts.hitCount++;
        return kept;
      }
      counts.missCount++;
      return fly(key, generation, async () => {
        const before = stamp(options);
        const value = await make();
        const entry = { value, ...before };
        if (isFresh(entry)) keep(key, entry);
        return value;
      });
    },
    async invalidate(tags) {
      generation++;
      for (const tag of tags) versions.set(tag, (versions.get(tag) ?? 0) + 1);
      counts.invalidatedCount += tags.length;
    },
    async invalidateAll() {
      generation++;
      epoch++;
      entries.clear();
      length = 0;
    },
    describe: () => ({ kind: 'process', usable: true, ...counts, entryCount: entries.size, byteCount: length * 2 }),
    async close() {
      entries.clear();
    },
  };
}
