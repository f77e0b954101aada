import type { FastifyInstance } from 'fastify';
import type { Database } from '../database/database.ts';
import type { Installation } from '../database/installation.ts';

/** For whoever watches the process: does it live, can it work? Neither needs credentials nor tells secrets. */
export function addHealth(app: FastifyInstance, database: Database, installation: Installation): void {
  app.get('/healthz', async (_request, reply) => reply.send({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const reachable = await database.isReachable();
    const { databaseKind, databaseVersion, migrations, partitioning } = installation;
    reply.code(reachable ? 200 : 503).header('cache-control', 'no-store');
    return reply.send({
      ready: reachable,
      database: { reachable, kind: databaseKind, version: databaseVersion },
      migrations: { current: true, newest: migrations.at(-1) ?? null },
      fallbacks: { partitioning },
    });
  });
}
