import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import type { Role } from '@touchstone/contracts/policy';
import { type AppParts, createApp } from '../src/app.ts';
import { type Auth, type AuthSettings, createAuth } from '../src/platform/auth/auth.routes.ts';
import { createSecretBox, type SecretBox } from '../src/platform/auth/secret-box.ts';
import type { Database } from '../src/platform/database/database.ts';
import { createEdges, type Edges, type EdgesSettings, type Patience } from '../src/platform/http/edges.ts';
import type { Serve } from '../src/platform/http/serve.ts';
import type { ServeWire } from '../src/platform/http/serve-wire.ts';
import { createFolderStore, type ObjectStore } from '../src/platform/object-store/object-store.ts';
import { createProcesses } from '../src/platform/tasks/processes.ts';
import { createTaskEngine, type TaskEngine } from '../src/platform/tasks/task-engine.ts';
import { createLog } from '../src/platform/telemetry/log.ts';
import type { SlowQueries } from '../src/platform/telemetry/slow-queries.ts';
import type { TestDatabase } from './cluster.ts';

export const SECRET = 'a secret of the tests, long enough to be one';
/** Where the links of a test's server lead. */
export const PUBLIC_URL = 'http://touchstone.test';
const MIGRATIONS = ['202611220900_create_ground'];

/** What a test may bring: its own routes and tasks, its own pages, another view of the database. */
export type TestServerOptions = {
  /** Statements slower than this are kept; 100 ms unless said. */
  slowQueryMs?: number;
  wire?: (parts: {
    serve: Serve;
    database: Database;
    objects: ObjectStore;
    tasks: TaskEngine;
    home: string;
    secretBox: SecretBox;
  }) => void;
  /** The foreign wires it speaks. */
  wires?: (parts: { serveWire: ServeWire; database: Database; objects: ObjectStore }) => void;
  webFolder?: string;
  database?: Database;
  readFreshness?: AppParts['readFreshness'];
  /** A provider that people can also sign in with. */
  oidc?: AuthSettings['oidc'];
  /** Also take work from the queue. */
  runTasks?: boolean;
  /** Limits, Redis, other origins, patience. Without them nothing is limited. */
  edges?: Partial<EdgesSettings> & { patience?: Partial<Patience>; origin?: string };
  /** Behind a proxy on a private address. */
  trustProxy?: boolean;
  /** The data folder of another server to share. */
  home?: string;
  /** Other objects than those in the home. */
  objects?: ObjectStore;
};

export type Request = { token?: string; body?: unknown; headers?: Record<string, string> };
export type Reply = {
  status: number;
  headers: Headers;
  /** The parsed JSON body; undefined without one. */
  json: Record<string, unknown>;
  text: string;
};

export type TestServer = {
  url: string;
  home: string;
  database: Database;
  tasks: TaskEngine;
  edges: Edges;
  auth: Auth;
  slowQueries: SlowQueries;
  /** Moves the server's clock; sessions and locks follow it. */
  clock: { offsetMs: number };
  /** What was logged, one JSON text a line. */
  lines: string[];
  call(method: string, path: string, request?: Request): Promise<Reply>;
  /** An access token of a user with a role, made in the database without the door. */
  tokenFor(role: Role, tenantId: number): Promise<string>;
  close(): Promise<void>;
};

/** The whole server on a free port, on a test's database. Replaced: the clock (it can be moved) and the log (kept). */
export async function startTestServer(db: TestDatabase, options: TestServerOptions = {}): Promise<TestServer> {
  const home = options.home ?? (await mkdtemp('/tmp/touchstone-server-'));
  const database = options.database ?? db.database;
  const clock = { offsetMs: 0, now: () => Date.now() + clock.offsetMs };
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLog('info', destination);
  const objects = options.objects ?? createFolderStore(path.join(home, 'objects'));
  const tasks = createTaskEngine({ database, connection: db.connection, clock, log });
  const auth = createAuth(database, clock, { secret: SECRET, publicUrl: PUBLIC_URL, oidc: options.oidc ?? null });
  const { patience, origin, ...settings } = options.edges ?? {};
  const edges = createEdges({
    config: { redisUrl: null, allowedOrigins: [], requestsPerMinute: null, ...settings },
    ...{ database, connection: db.connection, secret: SECRET, log },
    ...(patience === undefined ? {} : { patience }),
    ...(origin === undefined ? {} : { origin }),
  });
  const installation = {
    ...{ version: '0.1.0', startedAt: new Date().toISOString(), home, databaseVersion: '18', partitioning: 'yearly' },
    ...{ databaseKind: 'embedded' as const, migrations: MIGRATIONS },
  };
  const processes = createProcesses(database, { kind: 'server', codeVersion: 'test' }, log);
  await processes.open();
  let slowQueries: SlowQueries | undefined;
  const app = await createApp({
    config: {
      trustProxy: options.trustProxy ?? false,
      ...(options.slowQueryMs === undefined ? {} : { slowQueryMs: options.slowQueryMs }),
    },
    onSlowQueries: (recorder) => {
      slowQueries = recorder;
    },
    ...(options.readFreshness === undefined ? {} : { readFreshness: options.readFreshness }),
    ...{ database, objects, tasks, clock, log, auth, installation, edges, processes },
    registerWires: (serveWire) => options.wires?.({ serveWire, database, objects }),
    registerRoutes: (serve) =>
      options.wire?.({ serve, database, objects, tasks, home, secretBox: createSecretBox(SECRET) }),
    webFolder: options.webFolder ?? null,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  if (options.runTasks) await tasks.run();
  const address = app.server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;

  return {
    ...{ url, home, database, tasks, edges, auth, clock, lines, slowQueries: slowQueries! },
    async call(method, at, { token, body, headers = {} } = {}) {
      const init: RequestInit = { method, headers: { ...headers } };
      const sent: Record<string, string> = { ...headers };
      if (token !== undefined) sent.authorization = `Bearer ${token}`;
      if (body !== undefined) {
        sent['content-type'] ??= body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
        init.body =
          typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
      }
      const response = await fetch(
        at.startsWith('/api') || !at.startsWith('/') ? `${url}${at}` : `${url}/api/v1${at}`,
        {
          ...init,
          headers: sent,
        },
      );
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson && text !== '' ? JSON.parse(text) : {},
      };
    },
    async tokenFor(role, tenantId) {
      await db.migrator.query('INSERT INTO tenant (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        tenantId,
        `tenant ${tenantId}`,
      ]);
      const { rows } = await db.migrator.query('INSERT INTO app_user (tenant_id, role) VALUES ($1, $2) RETURNING id', [
        tenantId,
        role,
      ]);
      const { token } = await auth.service.accessTokens.issue({
        userId: rows[0].id,
        tenantId,
        family: crypto.randomUUID(),
      });
      return token;
    },
    async close() {
      await app.close();
      await tasks.stop();
      await processes.close();
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}
