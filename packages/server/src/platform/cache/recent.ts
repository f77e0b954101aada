/** Keeps the values used last, made once even when several ask at the same moment. For values that never go stale. */
export type Recent<V> = { get(key: string, make: () => Promise<V>): Promise<V> };

/** @param countMax Values kept; the one used longest ago goes first. */
export function createRecent<V>(countMax: number): Recent<V> {
  const kept = new Map<string, Promise<V>>();
  return {
    get(key, make) {
      const known = kept.get(key);
      // Taken out and put back, so that the map's order is the order of use.
      kept.delete(key);
      const value = known ?? make();
      kept.set(key, value);
      if (known === undefined) value.catch(() => kept.delete(key));
      if (kept.size > countMax) kept.delete(kept.keys().next().value ?? key);
      return value;
    },
  };
}
