import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadMessage } from '../../platform/compute/run-in-thread.ts';
import { createDatabase } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import { type BatchOutcome, publishBatch, type RefreshBatchJob } from './refresh-batch.ts';

/** The thread of one batch: judging it would keep requests waiting. Its own connection, and nothing else shared. */
const job: RefreshBatchJob = workerData;
const database = createDatabase(
  createPool({ ...job.connection, max: 1, application_name: 'touchstone refresh' }, () => {}),
);
try {
  const message: ThreadMessage<BatchOutcome> = { kind: 'done', result: await publishBatch(database, job.batch) };
  parentPort?.postMessage(message);
} finally {
  await database.close();
}
