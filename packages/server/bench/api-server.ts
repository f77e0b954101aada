import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import { startEmbeddedPostgres } from '../src/platform/database/embedded/embedded-postgres.ts';
import { APP_ROLE, MIGRATOR_ROLE, provisionDatabase } from '../src/platform/database/provision.ts';
import { type Product, startProduct } from './product.ts';

export type ApiServer = {
  product: Product;
  connection: pg.PoolConfig;
  /** Its data folder, with the object store. */
  home: string;
  token: string;
  tenantId: number;
  /** A call that must succeed; its JSON. */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

const DATABASE = 'bench';

/** The product as `npm start` runs it, in a process of its own, on a database of its own, with an owner. */
export async function startApiServer(port: number, env: Record<string, string> = {}): Promise<ApiServer> {
  const folder = await mkdtemp('/tmp/touchstone-bench-');
  const postgres = await startEmbeddedPostgres({ home: path.join(folder, 'database'), log: () => {} });
  await provisionDatabase({ host: postgres.host, port: postgres.port, user: postgres.superuser }, DATABASE);
  const urlOf = (role: string) =>
    `postgres://${role}@localhost/${DATABASE}?host=${encodeURIComponent(postgres.host)}&port=${postgres.port}`;
  Object.assign(process.env, { DATABASE_URL: urlOf(APP_ROLE), DATABASE_MIGRATION_URL: urlOf(MIGRATOR_ROLE), ...env });
  const home = path.join(folder, 'home');
  const product = await startProduct(home, port);
  const password = 'a password of the bench';
  const base = `${product.url.replace('127.0.0.1', 'localhost')}/api/v1`;
  const ask = async (method: string, at: string, body: unknown, headers: Record<string, string>) => {
    const sent = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
    const response = await fetch(`${base}${at}`, {
      ...{ method, headers: sent },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
    const told: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
    return told;
  };
  const owner = { email: 'owner@example.org', password, displayName: 'Owner', tenantName: 'Bench', asProgram: true };
  const session = await ask('POST', '/auth/owner', owner, {});
  const token = String(session.accessToken);
  return {
    product,
    home,
    connection: { host: postgres.host, port: postgres.port, database: DATABASE, user: APP_ROLE },
    token,
    tenantId: Number(Object(session.signedIn).tenantId),
    call: (method, at, body) => ask(method, at, body, { authorization: `Bearer ${token}` }),
    async close() {
      await product.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the task an answer names. */
export async function taskDone(server: ApiServer, answer: Record<string, unknown>): Promise<number> {
  const { id } = Object(answer.task);
  for (let attempt = 0; attempt < 3_000; attempt++) {
    const task = await server.call('GET', `/tasks/${id}`);
    if (task.state === 'done') return Number(id);
    if (task.state !== 'queued' && task.state !== 'running') throw new Error(JSON.stringify(task));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`task ${id} did not end`);
}

export function itemsOf(answer: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(answer.items) ? answer.items : [];
}
