import { createArchiveService } from '../src/market-data/archive/archive.service.ts';
import { systemClock } from '../src/platform/clock/clock.ts';
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';

/** A process that archives every year until 2010 and may be killed at a fail point on the way: `archive-child.ts JSON`. */
const { connection, owner, folder, tenantId } = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(
  createPool(connection, () => {}),
  folder,
);
const service = createArchiveService({
  database,
  objects: createFolderStore(folder),
  clock: systemClock,
  reachOwner: async () => owner,
});
await service.archive({ tenantId, actorId: null }, new Date().getUTCFullYear() - 2011);
await database.close();
