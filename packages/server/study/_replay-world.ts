import path from 'node:path';
import type { SeriesService } from '../src/features/index.ts';
import { createSeriesService } from '../src/features/series/series.ts';
import { createRegistry } from '../src/models/index.ts';
import { createReplayService } from '../src/models/serving/replay.service.ts';
import { createServingService } from '../src/models/serving/serving.service.ts';
import { createServingWatch } from '../src/models/serving/serving-watch.ts';
import { createCompute } from '../src/platform/compute/compute.ts';
import { createDatabase, type Principal } from '../src/platform/database/database.ts';
import { startEmbeddedPostgres } from '../src/platform/database/embedded/embedded-postgres.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { APP_ROLE } from '../src/platform/database/provision.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';

export const TENANT: Principal = { tenantId: 7, actorId: null };
export const DATABASE = 'study';
export const CODE_VERSION = 'study';

/** A database and an object store in a folder, and all that predicts and replays on them. Closing it ends every process. */
export async function openReplayWorld(
  folder: string,
  prepare?: (server: { host: string; port: number; superuser: string }) => Promise<void>,
) {
  const server = await startEmbeddedPostgres({ home: path.join(folder, 'database'), log: () => {} });
  await prepare?.(server);
  const connection = { host: server.host, port: server.port, database: DATABASE, user: APP_ROLE };
  const database = createDatabase(createPool(connection, () => {}));
  const objects = createFolderStore(path.join(folder, 'objects'));
  const compute = createCompute(1);
  const registry = createRegistry({ database, objects, codeVersion: CODE_VERSION });
  const series: SeriesService = createSeriesService(database, () => Promise.reject(new Error('there is no universe')));
  const watch = createServingWatch(database, { warn: () => {} });
  const serving = createServingService({ database, registry, series, compute, codeVersion: CODE_VERSION, watch });
  const { replay } = createReplayService({ database, readArtefact: registry.readArtefact, codeVersion: CODE_VERSION });
  return {
    ...{ database, registry, serving, replay },
    async close() {
      await compute.close();
      await database.close();
      await server.stop();
    },
  };
}
