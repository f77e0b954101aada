import path from 'node:path';
import { createRegistry } from '../src/models/index.ts';
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';
import { makeEnsemble, promote, registerModel } from '../test/models/served-model.ts';
import { type ApiServer, itemsOf } from './api-server.ts';

export const MODEL = 'volatility-direction';

/** Puts ensembles into production: logistic regression, 200 boosted trees of depth 3 and an LSTM of 32 over 20 days. */
export async function serveEnsembles(server: ApiServer, count: number): Promise<void> {
  const database = createDatabase(createPool(server.connection, () => {}));
  try {
    const objects = createFolderStore(path.join(server.home, 'objects'));
    const registry = createRegistry({ database, objects, codeVersion: 'bench' });
    const principal = { tenantId: server.tenantId, actorId: null };
    for (let seed = 1; seed <= count; seed++) {
      const { version } = await database.transaction(principal, (tx) =>
        registerModel(tx, registry, MODEL, makeEnsemble(seed)),
      );
      const expected = version === 1 ? null : version - 1;
      await promote(database, principal, registry, { model: MODEL, version, expected });
    }
  } finally {
    await database.close();
  }
}

/** Instruments of the simulated market with a history long enough for every feature. */
export async function subjectsOf(server: ApiServer): Promise<number[]> {
  const instruments = itemsOf(await server.call('GET', '/data/instruments?limit=500'));
  return instruments.filter((item) => Number(item.barCount) > 500).map((item) => Number(item.id));
}

export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
