// One of several processes on one database, for the tests. Argument: connection settings as JSON. Tells on standard
// output what it begins, and ends in order on SIGTERM. It knows `test.crew.count`, and `test.crew.new` with --new.
import { createDatabase } from '../src/platform/database/database.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createProcesses } from '../src/platform/tasks/processes.ts';
import { createTaskEngine } from '../src/platform/tasks/task-engine.ts';

const connection = JSON.parse(process.argv[2] ?? '{}');
const isNew = process.argv.includes('--new');
const database = createDatabase(createPool({ ...connection, max: 4 }, () => {}));
const log = { info() {}, warn() {}, error() {} };
const tasks = createTaskEngine({ database, connection, clock: { now: Date.now }, log });
const processes = createProcesses(database, { kind: 'worker', codeVersion: isNew ? '0.2.0' : '0.1.0' }, log);

const say = (text: string) => process.stdout.write(`${text}\n`);

tasks.register('test.crew.count', async (input) => {
  say(`began ${input.number}`);
  return { square: Number(input.number) ** 2 };
});
tasks.register('test.crew.slow', async (input, { signal }) => {
  say(`began ${input.number}`);
  // The first try hangs until somebody ends it.
  if (process.argv.includes('--hang')) {
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  return { square: Number(input.number) ** 2 };
});
if (isNew) tasks.register('test.crew.new', async () => ({ by: 'the new version' }));

process.once('SIGTERM', async () => {
  await tasks.stop();
  await processes.close();
  await database.close();
  process.exit(0);
});
await processes.open();
await tasks.run();
say('ready');
