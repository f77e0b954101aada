import type { Route } from '@touchstone/contracts/route';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Auth } from './platform/auth/auth.routes.ts';
import type { Clock } from './platform/clock/clock.ts';
import type { Database } from './platform/database/database.ts';
import type { Installation } from './platform/database/installation.ts';
import { addApiDocs } from './platform/http/api-docs.ts';
import { addHealth } from './platform/http/health.ts';
import { createHttpApp } from './platform/http/http-app.ts';
import type { Serve } from './platform/http/serve.ts';
import { createServe } from './platform/http/serve-routes.ts';
import type { ObjectStore } from './platform/object-store/object-store.ts';
import type { Processes } from './platform/tasks/processes.ts';
import { registerTaskRoutes } from './platform/tasks/task.routes.ts';
import type { TaskEngine } from './platform/tasks/task-engine.ts';
import { registerDiagnosticsRoutes } from './platform/telemetry/diagnostics.routes.ts';
import { addMetrics } from './platform/telemetry/metrics.ts';

export type AppParts = {
  config: Pick<Config, 'trustProxy'>;
  database: Database;
  objects: ObjectStore;
  tasks: TaskEngine;
  clock: Clock;
  log: Logger;
  auth: Auth;
  installation: Installation;
  /** This process among those that share the database. */
  processes: Processes;
  /** Registers the routes of the stages. */
  registerRoutes: (serve: Serve) => void;
  /** Built pages; null: none are served. */
  webFolder: string | null;
};

/** The whole HTTP side, ready to listen or to be asked by a test. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const { database, auth, tasks, installation } = parts;
  const served: Route[] = [];
  const { trustProxy } = parts.config;
  const app = await createHttpApp({ log: parts.log, webFolder: parts.webFolder, trustProxy, served });
  addMetrics(app, tasks, database);
  addHealth(app, database, installation);
  addApiDocs(app, served, installation.version);
  const serve = createServe(app, auth.authenticate, served);
  auth.registerRoutes(serve);
  registerTaskRoutes(serve, { tasks, database, processes: parts.processes }, app);
  registerDiagnosticsRoutes(serve, { database, tasks, installation, served });
  parts.registerRoutes(serve);
  await app.ready();
  return app;
}
