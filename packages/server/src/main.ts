import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import { readCodeVersion } from './code-version.ts';
import { type Config, ConfigError, loadSecret, readConfig } from './config.ts';
import { ownerOf } from './operate/open-installation.ts';
import { createAuth } from './platform/auth/auth.routes.ts';
import { systemClock } from './platform/clock/clock.ts';
import { createCompute } from './platform/compute/compute.ts';
import { createDatabase } from './platform/database/database.ts';
import { EmbeddedPostgresError } from './platform/database/embedded/embedded-postgres-error.ts';
import { openDatabase, StartError } from './platform/database/open-database.ts';
import { createFolderStore } from './platform/object-store/object-store.ts';
import { createTaskEngine } from './platform/tasks/task-engine.ts';
import { createLog } from './platform/telemetry/log.ts';
import { createStages } from './stages.ts';

const WEB_FOLDER = path.join(import.meta.dirname, '../../web/dist');
const STOP_TIMEOUT_MS = 30_000;
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
    const tasks = createTaskEngine({ database, connection: opened.connection, clock, log });
    const auth = createAuth(database, clock, secret);
    const compute = createCompute(COMPUTE_THREADS);
    const stages = createStages({
      ...{ database, objects, tasks, compute, clock },
      connection: opened.connection,
      home: config.home,
      codeVersion: readCodeVersion(config.version),
      keeping: { backupFolder: config.backupFolder, openOwner: ownerOf(config), config },
    });
    const { registerRoutes } = stages;

    const { installation } = opened;
    const webFolder = WEB_FOLDER;
    const app = await createApp({
      ...{ config, database, objects, tasks, clock, log, auth, installation, registerRoutes, webFolder },
    });
    await stages.ensureFirstPage(console.log);
    await app.listen({ host: config.host, port: config.port });
    // After listening: a server whose port is taken must not begin work it then drops.
    await tasks.run();
    stopOnSignal(async () => {
      await app.close();
      await tasks.stop();
      await compute.close();
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

/** Takes no more requests, returns running tasks to the queue, then ends the database. A second signal ends at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(1);
    stopping = true;
    // If something hangs we go anyway: the next start takes over what is left.
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(toSentence(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** What went wrong and what to do, for the operator. A bug keeps its stack. */
function toSentence(error: unknown): string {
  if (error instanceof ConfigError || error instanceof EmbeddedPostgresError || error instanceof StartError) {
    return error.message;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const port = error instanceof Error && 'port' in error ? error.port : process.env.PORT;
  const home = process.env.TOUCHSTONE_HOME ?? '~/.touchstone';
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Stop it, or set PORT to another number.`;
    case 'EACCES':
    case 'EPERM':
      return `Access was refused: ${String(error)}. Check who owns ${home}, or set TOUCHSTONE_HOME to another folder.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk that holds ${home} is full. Free some space, or set TOUCHSTONE_HOME to a folder on another disk.`;
    case 'EADDRNOTAVAIL':
      return `HOST is no address of this machine. Set it to 127.0.0.1, or to 0.0.0.0 for all.`;
    default:
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
