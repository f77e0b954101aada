import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import { readCodeVersion } from './code-version.ts';
import { type Config, loadSecret, readConfig } from './config.ts';
import { ownerOf } from './operate/open-installation.ts';
import { createAuth } from './platform/auth/auth.routes.ts';
import { createSecretBox } from './platform/auth/secret-box.ts';
import { systemClock } from './platform/clock/clock.ts';
import { createCompute } from './platform/compute/compute.ts';
import { createDatabase } from './platform/database/database.ts';
import { openDatabase } from './platform/database/open-database.ts';
import { createEdges } from './platform/http/edges.ts';
import { createFolderStore } from './platform/object-store/object-store.ts';
import { createRedisLine } from './platform/redis/redis.ts';
import { createProcesses } from './platform/tasks/processes.ts';
import { createTaskEngine } from './platform/tasks/task-engine.ts';
import { createLog } from './platform/telemetry/log.ts';
import { startTracing } from './platform/telemetry/start-tracing.ts';
import { stopOnSignal, toSentence } from './process-end.ts';
import { createStages } from './stages.ts';

const WEB_FOLDER = path.join(import.meta.dirname, '../../web/dist');
/** One stays for the event loop. */
const COMPUTE_THREADS = Math.max(1, availableParallelism() - 1);

try {
  await start(readConfig(process.env));
} catch (error) {
  console.error(toSentence(error));
  process.exit(1);
}

async function start(config: Config): Promise<void> {
  const log = createLog(config.logLevel);
  await mkdir(config.home, { recursive: true });
  const secret = await loadSecret(config);
  // Asked before the slow work, so that a taken port is told at once.
  await checkPort(config);
  const opened = await openDatabase(config, log);
  const database = createDatabase(opened.pool, path.join(config.home, 'objects'));
  try {
    const objects = createFolderStore(path.join(config.home, 'objects'));
    const clock = systemClock;
    const tracing =
      config.traceEndpoint === null ? null : await startTracing(config.traceEndpoint, config.version, database, log);
    const tasks = createTaskEngine({ database, connection: opened.connection, clock, log });
    const auth = createAuth(database, clock, { ...config, secret });
    const edges = createEdges({ config, database, connection: opened.connection, secret, log });
    const compute = createCompute(COMPUTE_THREADS);
    const redis =
      config.onlineStore === 'redis' && config.redisUrl !== null ? createRedisLine(config.redisUrl, log) : null;
    const codeVersion = readCodeVersion(config.version);
    const stages = createStages({
      onlineStore: config.onlineStore,
      redis,
      ...{ database, objects, tasks, compute, clock, codeVersion, log },
      connection: opened.connection,
      home: config.home,
      secretBox: createSecretBox(secret),
      twelveDataUrl: config.twelveDataUrl,
      keeping: { backupFolder: config.backupFolder, reachOwner: ownerOf(config), config },
    });
    const processes = createProcesses(database, { kind: 'server', codeVersion }, log);
    const { registerRoutes } = stages;

    const { installation } = opened;
    const webFolder = WEB_FOLDER;
    const app = await createApp({
      ...{ codeVersion, readFreshness: stages.watch.freshness },
      ...{
        config,
        database,
        objects,
        tasks,
        clock,
        log,
        auth,
        installation,
        edges,
        registerRoutes,
        webFolder,
        processes,
      },
    });
    await stages.ensureFirstPage(console.log);
    await app.listen({ host: config.host, port: config.port });
    // After listening: a server whose port is taken must not begin work it then drops.
    await tasks.run();
    stages.watch.start();
    await processes.open();
    stopOnSignal(async () => {
      stages.watch.stop();
      await app.close();
      await tasks.stop();
      await processes.close();
      await compute.close();
      await redis?.close();
      await tracing?.close();
      await database.close();
      await opened.stop();
    });
    console.log(`Touchstone ${config.version} is ready at ${addressOf(app, config)}`);
  } catch (error) {
    await opened.stop();
    throw error;
  }
}

/** @throws EADDRINUSE and the like, as listening would. */
async function checkPort({ host, port }: Config): Promise<void> {
  const probe = createServer();
  probe.listen({ host, port });
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}

function addressOf(app: FastifyInstance, config: Config): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(config.host) ? 'localhost' : config.host;
  return `http://${host}:${port}`;
}
