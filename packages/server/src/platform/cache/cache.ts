/** How long a value may be used, and what makes it old before. */
export type KeepOptions = { tags: readonly string[]; ttlMs: number };

/** Keeps texts that can be made again. Every implementation passes `test/edges/cache.test.ts`. */
export type Cache = {
  kind: 'process' | 'redis';
  /** A kept value that is neither too old nor invalidated. */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, options: KeepOptions): Promise<void>;
  /**
   * The kept value, or a new one, made once even when many ask at the same moment.
   *
   * A value whose making began before one of its tags was invalidated is given to those who asked before and is not
   * kept. What `make` throws is thrown to everybody who waits, and nothing is kept.
   */
  load(key: string, options: KeepOptions, make: () => Promise<string>): Promise<string>;
  invalidate(tags: readonly string[]): Promise<void>;
  /** After changes may have been missed. */
  invalidateAll(): Promise<void>;
  describe(): CacheState;
  close(): Promise<void>;
};

/** For readiness and metrics. Counts are of this process since its start. */
export type CacheState = {
  kind: 'process' | 'redis';
  /** False while Redis is away: everything is made again each time. */
  usable: boolean;
  hitCount: number;
  missCount: number;
  invalidatedCount: number;
  entryCount: number | null;
  byteCount: number | null;
};

/** A longer value is given and not kept. */
export const VALUE_LENGTH_MAX = 1_000_000;
const TTL_JITTER = 0.1;

/** Between 90 and 110 %: what was kept at the same moment is not made again at the same moment. */
export function withJitter(ttlMs: number): number {
  return Math.round(ttlMs * (1 - TTL_JITTER + 2 * TTL_JITTER * Math.random()));
}

/** Work under way, shared by whoever asks for the same key before anything is invalidated. */
export function createSingleFlight<T>() {
  const flying = new Map<string, { generation: number; promise: Promise<T> }>();
  return (key: string, generation: number, work: () => Promise<T>): Promise<T> => {
    const other = flying.get(key);
    // Work that began before a change may not know of it.
    if (other !== undefined && other.generation === generation) return other.promise;
    const promise = work().finally(() => {
      if (flying.get(key)?.promise === promise) flying.delete(key);
    });
    flying.set(key, { generation, promise });
    return promise;
  };
}
