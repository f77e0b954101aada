import type { Route } from '@touchstone/contracts/route';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Auth } from './platform/auth/auth.routes.ts';
import type { Clock } from './platform/clock/clock.ts';
import type { Database } from './platform/database/database.ts';
import type { Installation } from './platform/database/installation.ts';
import { addApiDocs } from './platform/http/api-docs.ts';
import type { Edges } from './platform/http/edges.ts';
import { addHealth } from './platform/http/health.ts';
import { createHttpApp } from './platform/http/http-app.ts';
import type { Serve } from './platform/http/serve.ts';
import { createServe } from './platform/http/serve-routes.ts';
import { registerLimitRoutes } from './platform/limits/limits.routes.ts';
import type { ObjectStore } from './platform/object-store/object-store.ts';
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
  edges: Edges;
  /** Registers the routes of the stages. */
  registerRoutes: (serve: Serve) => void;
  /** Built pages; null: none are served. */
  webFolder: string | null;
};

/** The whole HTTP side, ready to listen or to be asked by a test. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const { database, auth, tasks, installation, edges } = parts;
  const served: Route[] = [];
  const { trustProxy } = parts.config;
  const { allowedOrigins, patience } = edges;
  const app = await createHttpApp({
    ...{ log: parts.log, webFolder: parts.webFolder, trustProxy, served, allowedOrigins, patience },
  });
  await edges.open();
  app.addHook('onClose', () => edges.close());
  addMetrics(app, tasks, database);
  addHealth(app, database, installation);
  addApiDocs(app, served, installation.version);
  const serve = createServe(app, auth.authenticate, served, edges);
  auth.registerRoutes(serve);
  registerTaskRoutes(serve, tasks, database, app);
  registerDiagnosticsRoutes(serve, { database, tasks, installation, served });
  registerLimitRoutes(serve, edges.limits);
  parts.registerRoutes(serve);
  await app.ready();
  return app;
}
