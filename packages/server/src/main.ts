import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { openServer } from './open-server.ts';
import { createAuth } from './platform/auth/auth.routes.ts';
import { createEdges } from './platform/http/edges.ts';
import { stopOnSignal, toSentence } from './process-end.ts';

const WEB_FOLDER = path.join(import.meta.dirname, '../../web/dist');

try {
  await start(readConfig(process.env));
} catch (error) {
  console.error(toSentence(error));
  process.exit(1);
}

async function start(config: Config): Promise<void> {
  // Asked before the slow work, so that a taken port is told at once.
  await checkPort(config);
  const opened = await openServer(config, 'server');
  try {
    const { log, secret, connection, database, objects, clock, tasks, codeVersion, stages, processes } = opened;
    const app = await createApp({
      ...{ codeVersion, readFreshness: stages.watch.freshness },
      ...{ config, database, objects, tasks, clock, log, processes, installation: opened.installation },
      auth: createAuth(database, clock, { ...config, secret }),
      edges: createEdges({ config, database, connection, secret, log }),
      registerRoutes: stages.registerRoutes,
      registerWires: stages.registerWires,
      webFolder: WEB_FOLDER,
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
      await opened.stop();
    });
    console.log(`Touchstone ${config.version} is ready at ${addressOf(app, config)}`);
  } catch (error) {
    await opened.abandon();
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
