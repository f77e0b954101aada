import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { Histogram } from 'prom-client';
import type { Database } from '../database/database.ts';
import type { TaskEngine } from '../tasks/task-engine.ts';

const loopDelay = monitorEventLoopDelay({ resolution: 10 });
loopDelay.enable();

const NANOSECONDS_A_MILLISECOND = 1e6;
const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** How long the event loop is kept waiting, 99th percentile since the last reset, in milliseconds. */
export function eventLoopDelayMsP99(): number {
  const delay = loopDelay.percentile(99) / NANOSECONDS_A_MILLISECOND;
  return Number.isFinite(delay) ? delay : 0;
}

/** /metrics in Prometheus' text form, for the machine itself and whoever the operator lets in. */
export function addMetrics(app: FastifyInstance, tasks: TaskEngine, database: Database): void {
  let durations: Histogram<'method' | 'route' | 'status'> | undefined;
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    durations?.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });
  const loaded = async () => {
    const { Gauge, Histogram: Durations, Registry } = await import('prom-client');
    const registry = new Registry();
    const registers = [registry];
    durations = new Durations({
      name: 'touchstone_request_seconds',
      help: 'Duration of requests.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    });
    const gauge = (name: string, help: string) => new Gauge({ name: `touchstone_${name}`, help, registers });
    const byState = new Gauge({
      ...{ name: 'touchstone_tasks', help: 'Background work by state.', labelNames: ['state'], registers },
    });
    const delay = gauge('event_loop_delay_p99_seconds', 'How long the event loop is kept waiting.');
    const resident = gauge('resident_bytes', 'Memory of the server process.');
    const publications = gauge('publications', 'Publications of the system tenant.');
    return async () => {
      delay.set(eventLoopDelayMsP99() / 1000);
      resident.set(process.memoryUsage.rss());
      for (const [state, count] of Object.entries(await tasks.counts())) byState.set({ state }, count);
      const { rows } = await database.pool.query(
        `SELECT greatest(0, reltuples)::bigint AS count FROM pg_class WHERE oid = 'publication'::regclass`,
      );
      publications.set(rows[0].count);
      return { text: await registry.metrics(), type: registry.contentType };
    };
  };
  let collect: ReturnType<typeof loaded> | undefined;
  // Loading it takes longer than the first request may wait, so it is fetched when the server listens already.
  app.addHook('onListen', async () => {
    setTimeout(() => {
      collect ??= loaded();
    }, 1_000).unref();
  });
  app.get('/metrics', async (_request, reply) => {
    collect ??= loaded();
    const { text, type } = await (await collect)();
    return reply.type(type).send(text);
  });
}
