// A process that helps with trainings and never ends a part, for the tests. Argument: connection settings, the data folder and
// the training as JSON. Says on standard output when it has claimed a part.
import path from 'node:path';
import { runParts } from '../src/models/training/part-loop.ts';
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';

const { connection, home, trainingId, leaseMs } = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(createPool({ ...connection, max: 4 }, () => {}));
await runParts(
  {
    ...{ database, objects: createFolderStore(path.join(home, 'objects')), lanes: 1, leaseMs },
    compute: {
      run: () => {
        process.stdout.write('claimed\n');
        return new Promise(() => setInterval(() => {}, 1_000));
      },
    },
  },
  { tenantId: 7, actorId: null },
  trainingId,
  { signal: new AbortController().signal, onProgress: () => {} },
);
