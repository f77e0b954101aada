// A process of its own: Fastify with nothing around it, as a peer. Told by its parent what to answer.
import Fastify from 'fastify';
import type pg from 'pg';
import { createPool } from '../src/platform/database/pool.ts';

export type BareOrder = { text: string; connection: pg.PoolConfig; tenantId: number; taskId: number };

process.once('message', async (message: BareOrder) => {
  const { text, connection, tenantId, taskId } = message;
  const pool = createPool(connection, () => {});
  const app = Fastify();
  app.get('/plain', async (_request, reply) => reply.type('application/json; charset=utf-8').send(text));
  // The statements our own route sends, and the answer as the row gives it.
  app.get('/task', async (_request, reply) => {
    const client = await pool.connect();
    try {
      await client.query(
        `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL touchstone.tenant_id = '${Math.trunc(tenantId)}'; SET LOCAL touchstone.actor_id = ''; SET LOCAL touchstone.include_deleted = 'off'`,
      );
      const { rows } = await client.query('SELECT * FROM task WHERE id = $1', [taskId]);
      await client.query('COMMIT');
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(rows[0]));
    } finally {
      client.release();
    }
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
