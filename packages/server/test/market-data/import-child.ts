import { createPriceImportService } from '../../src/market-data/price-import/price-import.service.ts';
import { createDatabase } from '../../src/platform/database/database.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createFolderStore } from '../../src/platform/object-store/object-store.ts';
import { NOW } from './import-harness.ts';

/** A process that does one queued import and may be killed at a fail point on the way: `import-child.ts JSON`. */
const { connection, folder, tenantId, runId, taskId } = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(createPool(connection, () => {}));
const service = createPriceImportService({
  database,
  connection,
  objects: createFolderStore(folder),
  tasks: {
    register: () => {},
    start: () => Promise.reject(new Error('nothing is queued here')),
  },
  clock: { now: () => NOW },
});
const principal = { tenantId, actorId: null };
await service.run(runId, { principal, taskId, signal: new AbortController().signal, progress: () => {} });
await database.close();
