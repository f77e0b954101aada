// A server process of its own for the tests: takes tasks until it is killed. Argument: connection settings as JSON.
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createTaskEngine } from '../src/platform/tasks/task-engine.ts';

const connection = JSON.parse(process.argv[2] ?? '{}');
const database = createDatabase(createPool({ ...connection, max: 4 }, () => {}));
const log = { info() {}, warn() {}, error() {} };
const tasks = createTaskEngine({ database, connection, clock: { now: Date.now }, log });
tasks.register('test.platform.survive', async (_input, { progress }) => {
  progress(0.5, 'halfway');
  console.log('started');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return { by: 'the killed one' };
});
await tasks.run();
