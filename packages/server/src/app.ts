import type { Freshness } from '@touchstone/contracts/diagnostics';
import type { Route } from '@touchstone/contracts/route';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { registerAlertRoutes } from './platform/alerts/alert.routes.ts';
import { registerAuditRoutes } from './platform/audit/audit.routes.ts';
import { type Auth, isLocal } from './platform/auth/auth.routes.ts';
import type { Clock } from './platform/clock/clock.ts';
import type { Database, Principal } from './platform/database/database.ts';
import type { Installation } from './platform/database/installation.ts';
import { addApiDocs } from './platform/http/api-docs.ts';
import type { Edges } from './platform/http/edges.ts';
import { addHealth } from './platform/http/health.ts';
import { createHttpApp } from './platform/http/http-app.ts';
import { registerLimitRoutes } from './platform/http/limits.routes.ts';
import type { Serve } from './platform/http/serve.ts';
import { createServe } from './platform/http/serve-routes.ts';
import { createServeWire, type ServeWire } from './platform/http/serve-wire.ts';
import type { ObjectStore } from './platform/object-store/object-store.ts';
import type { Processes } from './platform/tasks/processes.ts';
import { registerTaskRoutes } from './platform/tasks/task.routes.ts';
import type { TaskEngine } from './platform/tasks/task-engine.ts';
import { registerDiagnosticsRoutes } from './platform/telemetry/diagnostics.routes.ts';
import { registerEdgesFigures } from './platform/telemetry/edges-figures.ts';
import { addTracing } from './platform/telemetry/http-trace.ts';
import { addMetrics } from './platform/telemetry/metrics.ts';
import { createPartsReader } from './platform/telemetry/parts.ts';
import { createSlowQueries, type SlowQueries } from './platform/telemetry/slow-queries.ts';
import { registerTenantRoutes } from './platform/tenancy/tenants.routes.ts';
import { traceOutgoingRequests } from './platform/trace/trace.ts';

export type AppParts = {
  config: Pick<Config, 'trustProxy'> & Partial<Pick<Config, 'redisUrl' | 'traceEndpoint' | 'slowQueryMs' | 'bucket'>>;
  database: Database;
  objects: ObjectStore;
  tasks: TaskEngine;
  clock: Clock;
  log: Logger;
  auth: Auth;
  installation: Installation;
  edges: Edges;
  /** This process among those that share the database. */
  processes: Processes;
  /** Registers the routes of the stages. */
  registerRoutes: (serve: Serve) => void;
  /** Registers the foreign wires they speak. */
  registerWires?: (serveWire: ServeWire) => void;
  /** Built pages; null: none are served. */
  webFolder: string | null;
  codeVersion?: string;
  /** How old the data in a caller's sight is; without it nothing is told. */
  readFreshness?: (principal: Principal) => Promise<Freshness[]>;
  /** Handed the recorder of slow queries, so that a test need not wait for it. */
  onSlowQueries?: (slowQueries: SlowQueries) => void;
};

const SLOW_QUERY_MS = 100;

/** The whole HTTP side, ready to listen or to be asked by a test. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const { database, auth, tasks, installation, edges } = parts;
  const served: Route[] = [];
  const { trustProxy, redisUrl = null, traceEndpoint = null, slowQueryMs = SLOW_QUERY_MS } = parts.config;
  const { allowedOrigins, patience } = edges;
  const app = await createHttpApp({
    ...{ log: parts.log, webFolder: parts.webFolder, trustProxy, served, allowedOrigins, patience },
  });
  await edges.open();
  app.addHook('onClose', () => edges.close());
  traceOutgoingRequests();
  addTracing(app);
  addMetrics(app, { tasks, database, authenticate: auth.authenticate, isLocal, log: parts.log });
  registerEdgesFigures(edges);
  const isRedisAway = () => edges.describe().redis === 'away';
  const bucket = parts.config.bucket?.bucket ?? null;
  const settings = { redisUrl, traceEndpoint, webFolder: parts.webFolder, isRedisAway, bucket };
  const readParts = createPartsReader(database, installation, settings);
  addHealth(app, database, installation, readParts);
  const slowQueries = createSlowQueries(database, slowQueryMs, parts.log);
  parts.onSlowQueries?.(slowQueries);
  app.addHook('onClose', () => slowQueries.close());
  addApiDocs(app, served, installation.version);
  const serve = createServe(app, auth.authenticate, served, edges);
  auth.registerRoutes(serve);
  registerTenantRoutes(serve, database, auth.links);
  registerAuditRoutes(serve, database);
  registerTaskRoutes(serve, { tasks, database, processes: parts.processes });
  registerAlertRoutes(serve, database, app, parts.log);
  registerDiagnosticsRoutes(serve, {
    ...{ database, tasks, installation, served, slowQueries, readParts },
    codeVersion: parts.codeVersion ?? installation.version,
    readFreshness: parts.readFreshness ?? (async () => []),
  });
  registerLimitRoutes(serve, edges.limits);
  parts.registerRoutes(serve);
  parts.registerWires?.(createServeWire(app, auth.authenticate, edges));
  await app.ready();
  return app;
}
