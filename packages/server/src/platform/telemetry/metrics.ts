import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Counter, Histogram } from 'prom-client';
import type { Database } from '../database/database.ts';
import { poolFigures } from '../database/statements.ts';
import type { Caller } from '../http/serve.ts';
import { ProblemError } from '../problem-error.ts';
import type { TaskEngine } from '../tasks/task-engine.ts';
import { createBusinessFigures } from './business-figures.ts';
import { readCacheFigures } from './gauges.ts';

const loopDelay = monitorEventLoopDelay({ resolution: 10 });
loopDelay.enable();

const NANOSECONDS_A_MILLISECOND = 1e6;
const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const TOO_MANY_REQUESTS = 429;

/** How long the event loop is kept waiting, 99th percentile since the last reset, in milliseconds. */
export function eventLoopDelayMsP99(): number {
  const delay = loopDelay.percentile(99) / NANOSECONDS_A_MILLISECOND;
  return Number.isFinite(delay) ? delay : 0;
}

export type MetricsParts = {
  tasks: TaskEngine;
  database: Database;
  authenticate: (request: FastifyRequest) => Promise<Caller | null>;
  /** True for somebody at the machine itself. */
  isLocal: (request: FastifyRequest) => boolean;
  log: { warn(fields: object, text: string): void };
};

/**
 * /metrics in Prometheus' text form, for the machine itself and for callers with the right `system:read`. Figures of a tenant
 * are shown to that tenant; the machine itself and callers with `system:write`, who operate the installation, see all.
 */
export function addMetrics(app: FastifyInstance, { tasks, database, authenticate, isLocal, log }: MetricsParts): void {
  let durations: Histogram<'method' | 'route' | 'status'> | undefined;
  let refusals: Counter<'route'> | undefined;
  const readBusiness = createBusinessFigures(database, tasks, log);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    durations?.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    if (reply.statusCode === TOO_MANY_REQUESTS) refusals?.inc({ route });
  });
  const loaded = async () => {
    const { Counter: Count, Gauge, Histogram: Durations, Registry } = await import('prom-client');
    const registry = new Registry();
    const registers = [registry];
    durations = new Durations({
      name: 'touchstone_request_seconds',
      help: 'Duration of requests.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    });
    refusals = new Count({
      ...{ name: 'touchstone_refused_requests_total', help: 'Requests refused by a limit of their rate.' },
      ...{ labelNames: ['route'], registers },
    });
    const gauge = (name: string, help: string) => new Gauge({ name: `touchstone_${name}`, help, registers });
    const byState = new Gauge({
      ...{ name: 'touchstone_tasks', help: 'Background work by state.', labelNames: ['state'], registers },
    });
    const pool = new Gauge({
      ...{
        name: 'touchstone_pool_connections',
        help: 'Connections to the database.',
        labelNames: ['state'],
        registers,
      },
    });
    const delay = gauge('event_loop_delay_p99_seconds', 'How long the event loop is kept waiting.');
    const resident = gauge('resident_bytes', 'Memory of the server process.');
    const publications = gauge('publications', 'Publications of the system tenant.');
    const poolWait = gauge('pool_wait_p95_seconds', 'Time until a connection was free, of the last 1,000.');
    const cacheReads = new Gauge({
      ...{ name: 'touchstone_cache_reads_total', help: 'Reads of the cache.', labelNames: ['outcome'], registers },
    });

    /** What only grows, or is written by others, is set anew for each reader, in a registry of the reader's own. */
    const business = async (tenantId: number | null): Promise<string> => {
      const own = new Registry();
      const ownRegisters = { registers: [own] };
      const { takenCount, waitMsTotal } = poolFigures(database.pool);
      new Count({ name: 'touchstone_pool_taken_total', help: 'Connections taken.', ...ownRegisters }).inc(takenCount);
      new Count({
        ...{ name: 'touchstone_pool_wait_seconds_total', help: 'Time waited for connections.', ...ownRegisters },
      }).inc(waitMsTotal / 1000);
      for (const { source, values } of await readBusiness(tenantId)) {
        const about = { name: `touchstone_${source.name}`, help: source.help, labelNames: source.labelNames ?? [] };
        if (source.kind === 'counter') {
          const counter = new Count({ ...about, ...ownRegisters });
          for (const { value, labels = {} } of values) counter.inc(labels, value);
        } else {
          const figure = new Gauge({ ...about, ...ownRegisters });
          for (const { value, labels = {} } of values) figure.set(labels, value);
        }
      }
      return own.metrics();
    };

    return async (tenantId: number | null) => {
      delay.set(eventLoopDelayMsP99() / 1000);
      resident.set(process.memoryUsage.rss());
      const { queued, running, failed } = await tasks.counts();
      for (const [state, count] of Object.entries({ queued, running, failed })) byState.set({ state }, count);
      const { size, max, idle, waiting, waitMsP95 } = poolFigures(database.pool);
      for (const [state, count] of Object.entries({ open: size, max, idle, waiting })) pool.set({ state }, count);
      if (waitMsP95 !== null) poolWait.set(waitMsP95 / 1000);
      const cache = readCacheFigures();
      if (cache !== null) {
        cacheReads.set({ outcome: 'hit' }, cache.hits);
        cacheReads.set({ outcome: 'miss' }, cache.misses);
      }
      const { rows } = await database.pool.query(
        `SELECT greatest(0, reltuples)::bigint AS count FROM pg_class WHERE oid = 'publication'::regclass`,
      );
      publications.set(rows[0].count);
      return { text: `${await registry.metrics()}\n${await business(tenantId)}`, type: registry.contentType };
    };
  };
  let collect: ReturnType<typeof loaded> | undefined;
  // Loading it takes longer than the first request may wait, so it is fetched when the server listens already.
  app.addHook('onListen', async () => {
    setTimeout(() => {
      collect ??= loaded();
    }, 1_000).unref();
  });
  app.get('/metrics', async (request, reply) => {
    const tenantId = await admit(request);
    collect ??= loaded();
    const { text, type } = await (await collect)(tenantId);
    return reply.header('cache-control', 'no-store').type(type).send(text);
  });

  /** Whose figures may be shown: null means those of all. Credentials count before the place, so that a key is never more. */
  async function admit(request: FastifyRequest): Promise<number | null> {
    if (request.headers.authorization === undefined && isLocal(request)) return null;
    const caller = await authenticate(request);
    if (caller === null) {
      throw new ProblemError(
        'NOT_SIGNED_IN',
        'Ask from the machine itself, or send a key with the right "system:read".',
      );
    }
    if (!caller.scopes.includes('system:read')) {
      throw new ProblemError('FORBIDDEN', 'This needs the right "system:read".');
    }
    return caller.scopes.includes('system:write') ? null : caller.tenantId;
  }
}
