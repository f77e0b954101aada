import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadMessage } from '../../platform/compute/run-in-thread.ts';
import { createDatabase } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import { type ImportJob, type ImportOutcome, runImport } from './run-import.ts';

/** The thread of one import: its own connection, and nothing shared with the server but the database. */
const job: ImportJob = workerData;
const post = (message: ThreadMessage<ImportOutcome>) => parentPort?.postMessage(message);
const database = createDatabase(
  createPool({ ...job.connection, max: 1, application_name: 'touchstone import' }, () => {}),
  job.objectsFolder,
);
try {
  const result = await runImport(database, job, (fraction, note) => post({ kind: 'progress', fraction, note }));
  post({ kind: 'done', result });
} finally {
  await database.close();
}
