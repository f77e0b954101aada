import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { readCodeVersion } from './code-version.ts';
import { type Config, ConfigError, loadSecret, readConfig } from './config.ts';
import { ownerOf } from './operate/open-installation.ts';
import { createSecretBox } from './platform/auth/secret-box.ts';
import { systemClock } from './platform/clock/clock.ts';
import { createCompute } from './platform/compute/compute.ts';
import { createDatabase } from './platform/database/database.ts';
import { openDatabase } from './platform/database/open-database.ts';
import { createFolderStore } from './platform/object-store/object-store.ts';
import { createRedisLine } from './platform/redis/redis.ts';
import { createProcesses } from './platform/tasks/processes.ts';
import { createTaskEngine } from './platform/tasks/task-engine.ts';
import { createLog } from './platform/telemetry/log.ts';
import { startTracing } from './platform/telemetry/start-tracing.ts';
import { traceOutgoingRequests } from './platform/trace/trace.ts';
import { stopOnSignal, toSentence } from './process-end.ts';
import { createStages } from './stages.ts';

/** One stays for the event loop. */
const COMPUTE_THREADS = Math.max(1, availableParallelism() - 1);

try {
  await start(readConfig(process.env));
} catch (error) {
  console.error(toSentence(error));
  process.exit(1);
}

/** Takes tasks like a server, and answers nobody. */
async function start(config: Config): Promise<void> {
  if (config.databaseUrl === null) {
    throw new ConfigError(
      'A worker joins by DATABASE_URL. The embedded database belongs to the one server that started it and listens to nobody else: run PostgreSQL, and give the server and every worker the same DATABASE_URL and TOUCHSTONE_HOME.',
    );
  }
  const log = createLog(config.logLevel);
  await mkdir(config.home, { recursive: true });
  const opened = await openDatabase(config, log);
  const database = createDatabase(opened.pool, path.join(config.home, 'objects'));
  const codeVersion = readCodeVersion(config.version);
  traceOutgoingRequests();
  const objects = createFolderStore(path.join(config.home, 'objects'));
  const clock = systemClock;
  const tracing =
    config.traceEndpoint === null ? null : await startTracing(config.traceEndpoint, config.version, database, log);
  const tasks = createTaskEngine({ database, connection: opened.connection, clock, log });
  const compute = createCompute(COMPUTE_THREADS);
  const redis =
    config.onlineStore === 'redis' && config.redisUrl !== null ? createRedisLine(config.redisUrl, log) : null;
  createStages({
    onlineStore: config.onlineStore,
    redis,
    ...{ database, objects, tasks, compute, clock, codeVersion, log },
    connection: opened.connection,
    home: config.home,
    secretBox: createSecretBox(await loadSecret(config)),
    twelveDataUrl: config.twelveDataUrl,
    keeping: { backupFolder: config.backupFolder, reachOwner: ownerOf(config), config },
  });
  const processes = createProcesses(database, { kind: 'worker', codeVersion }, log);
  await processes.open();
  await tasks.run();
  stopOnSignal(async () => {
    await tasks.stop();
    await processes.close();
    await compute.close();
    await redis?.close();
    await tracing?.close();
    await database.close();
    await opened.stop();
  });
  console.log(`Touchstone ${config.version} worker is ready`);
}
