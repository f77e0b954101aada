// A process that helps with a training, for the tests. Argument: connection settings, the data folder and the training as JSON;
// with `hangs` it never ends a part. Says on standard output when it has claimed one.
import path from 'node:path';
import { runParts } from '../src/models/training/part-loop.ts';
import { runPart } from '../src/models/training/training.worker.ts';
import type { Compute } from '../src/platform/compute/compute.ts';
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';

const { connection, home, trainingId, leaseMs, hangs } = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(createPool({ ...connection, max: 4 }, () => {}));
const compute: Compute = {
  async run(_file, _name, payload) {
    process.stdout.write('claimed\n');
    if (hangs) await new Promise(() => setInterval(() => {}, 1_000));
    return Object(runPart(Object(payload)));
  },
};
await runParts(
  { database, objects: createFolderStore(path.join(home, 'objects')), compute, lanes: 1, leaseMs },
  { tenantId: 7, actorId: null },
  trainingId,
  { signal: new AbortController().signal, onProgress: () => {} },
);
await database.close();
