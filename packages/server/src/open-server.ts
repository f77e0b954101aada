import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Logger } from 'pino';
import { readCodeVersion } from './code-version.ts';
import { type Config, loadSecret } from './config.ts';
import { ownerOf } from './operate/open-installation.ts';
import { createSecretBox } from './platform/auth/secret-box.ts';
import { systemClock } from './platform/clock/clock.ts';
import { createCompute } from './platform/compute/compute.ts';
import { createDatabase } from './platform/database/database.ts';
import { openDatabase } from './platform/database/open-database.ts';
import { backWithBucket, openBucket, openObjects } from './platform/object-store/open-objects.ts';
import { createRedisLine } from './platform/redis/redis.ts';
import { createProcesses } from './platform/tasks/processes.ts';
import { createTaskEngine } from './platform/tasks/task-engine.ts';
import { createLog } from './platform/telemetry/log.ts';
import { startTracing } from './platform/telemetry/start-tracing.ts';
import { createStages } from './stages.ts';

/** One stays for the event loop. */
const COMPUTE_THREADS = Math.max(1, availableParallelism() - 1);

/**
 * Opens what a process needs that works on an installation, whether it answers requests or only takes tasks. Nothing works
 * yet: `tasks.run()` and `processes.open()` are the caller's.
 *
 * @throws ConfigError and StartError, told as sentences. What was opened is closed again.
 */
export async function openServer(config: Config, kind: 'server' | 'worker') {
  const log = createLog(config.logLevel);
  await mkdir(config.home, { recursive: true });
  const secret = await loadSecret(config);
  const opened = await openDatabase(config, log);
  const { connection, installation } = opened;
  const objectsFolder = path.join(config.home, 'objects');
  backWithBucket(objectsFolder, config.bucket);
  const database = createDatabase(opened.pool, objectsFolder);
  try {
    const objects = openObjects(objectsFolder);
    void sendMissing(objectsFolder, log);
    const clock = systemClock;
    const tracing =
      config.traceEndpoint === null ? null : await startTracing(config.traceEndpoint, config.version, database, log);
    const tasks = createTaskEngine({ database, connection, clock, log });
    const compute = createCompute(COMPUTE_THREADS);
    // Parts of a training take seconds: questions must not wait behind them.
    const trainingCompute = createCompute(availableParallelism());
    const { onlineStore, redisUrl } = config;
    const redis = onlineStore === 'redis' && redisUrl !== null ? createRedisLine(redisUrl, log) : null;
    const codeVersion = readCodeVersion(config.version);
    const stages = createStages({
      ...{
        database,
        objects,
        tasks,
        compute,
        trainingCompute,
        clock,
        codeVersion,
        log,
        connection,
        onlineStore,
        redis,
      },
      home: config.home,
      secretBox: createSecretBox(secret),
      twelveDataUrl: config.twelveDataUrl,
      ray: config.ray,
      keeping: { backupFolder: config.backupFolder, reachOwner: ownerOf(config), config },
    });
    const processes = createProcesses(database, { kind, codeVersion }, log);
    return {
      ...{ log, secret, connection, installation, database, objects, clock, tasks, codeVersion, stages, processes },
      /** Ends the embedded database, if it is ours, when something after the opening has failed. */
      abandon: opened.stop,
      /** Gives running tasks back, says goodbye, and closes from the inside out. */
      async stop() {
        await tasks.stop();
        await processes.close();
        await compute.close();
        await trainingCompute.close();
        await redis?.close();
        await tracing?.close();
        await database.close();
        await opened.stop();
      },
    };
  } catch (error) {
    await opened.stop();
    throw error;
  }
}

/** What lies here and not in the bucket goes there in the background: from before it was told, or from a restore. */
async function sendMissing(objectsFolder: string, log: Logger): Promise<void> {
  try {
    const count = await openBucket(objectsFolder)?.sendMissing();
    if (count !== undefined && count > 0) log.info({ count }, 'objects that the bucket lacked were sent');
  } catch (error) {
    log.warn({ err: error }, 'the bucket could not be compared with the objects here');
  }
}
