import { parentPort, workerData } from 'node:worker_threads';
import type { PoolConfig } from 'pg';
import { systemClock } from '../../platform/clock/clock.ts';
import type { ThreadMessage } from '../../platform/compute/run-in-thread.ts';
import { createDatabase } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import { openObjects } from '../../platform/object-store/open-objects.ts';
import { ensureSimulatedMarket } from './simulated-market.service.ts';

/** The thread of the first start: what simulating takes is given back when it ends. */
const job: { connection: PoolConfig; objectsFolder: string } = workerData;
const post = (message: ThreadMessage<{ loaded: string[] }>) => parentPort?.postMessage(message);
// One connection holds the lock while another loads.
const database = createDatabase(
  createPool({ ...job.connection, max: 2 }, () => {}),
  job.objectsFolder,
);
try {
  const objects = openObjects(job.objectsFolder);
  const result = await ensureSimulatedMarket({ database, objects, clock: systemClock });
  post({ kind: 'done', result });
} finally {
  await database.close();
}
