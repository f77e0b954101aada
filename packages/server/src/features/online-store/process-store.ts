import type { Database, Principal } from '../../platform/database/database.ts';
import { readWholeView } from './database-store.ts';
import type { OnlineStore, ViewKey } from './online-store.ts';
import { type OnlineValue, unpackValue } from './packed-value.ts';

type Kept = { values: Map<number, OnlineValue>; readAt: number; isReading: boolean };

/** What another process brought in is seen after this at the latest; what this process brought in, at once. */
const OLD_MS = 2_000;
/** Views times tenants; the one asked for longest ago goes first. */
const VIEWS_MAX = 500;

/** Answers from the memory of the process; each view is read whole from PostgreSQL the first time it is asked for. */
export function createProcessStore(database: Database): OnlineStore {
  const views = new Map<string, Kept>();
  const nameOf = ({ tenantId }: Principal, { view, version }: ViewKey) => `${tenantId} ${view} ${version}`;

  async function load(principal: Principal, key: ViewKey): Promise<Kept> {
    const values = await readWholeView(database, principal, key);
    const kept = { values, readAt: performance.now(), isReading: false };
    views.set(nameOf(principal, key), kept);
    if (views.size > VIEWS_MAX) views.delete(views.keys().next().value ?? '');
    return kept;
  }

  /** Nobody waits for this. */
  function renew(principal: Principal, key: ViewKey, kept: Kept): void {
    if (kept.isReading || performance.now() - kept.readAt < OLD_MS) return;
    kept.isReading = true;
    load(principal, key).catch(() => {
      kept.isReading = false;
    });
  }

  return {
    kind: 'process',
    async keep(principal, key, rows) {
      const kept = views.get(nameOf(principal, key));
      if (kept === undefined) return;
      for (const { instrumentId, packed } of rows) {
        const value = unpackValue(packed);
        if (value !== null) kept.values.set(instrumentId, value);
      }
    },
    async read(principal, keys, instrumentIds) {
      const found: (OnlineValue | null)[][] = [];
      for (const key of keys) {
        const name = nameOf(principal, key);
        const kept = views.get(name) ?? (await load(principal, key));
        // Taken out and put back, so that the map's order is the order of use.
        views.delete(name);
        views.set(name, kept);
        renew(principal, key, kept);
        found.push(instrumentIds.map((id) => kept.values.get(id) ?? null));
      }
      return found;
    },
    close: async () => views.clear(),
  };
}
