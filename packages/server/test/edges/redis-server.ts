import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';

const BINARY = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'].find(
  existsSync,
);
const isRequired = (process.env.TOUCHSTONE_REQUIRE ?? '').split(/[\s,]+/).includes('redis');

/** A real Redis of a test's own. */
export type RedisServer = { url: string; start(): Promise<void>; kill(): Promise<void>; stop(): Promise<void> };

/** Says why a test cannot run here; under CI that is a failure. */
export function skipsRedis(t: TestContext): boolean {
  if (BINARY !== undefined) return false;
  if (isRequired) throw new Error('A Redis server is required here (TOUCHSTONE_REQUIRE) and not installed.');
  t.skip('redis-server is not installed here');
  return true;
}

/** Starts Redis on a free port of this machine; it keeps nothing on disk. `kill` and `start` play its loss. */
export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp('/tmp/touchstone-redis-');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ReturnType<typeof spawn> | null = null;
  const server: RedisServer = {
    url,
    async start() {
      child = spawn(BINARY!, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
        stdio: 'ignore',
      });
      const client = new Redis(url, { retryStrategy: () => 25, maxRetriesPerRequest: null });
      client.on('error', () => {});
      await client.ping();
      client.disconnect();
    },
    async kill() {
      const ended = child;
      child = null;
      if (ended === null || ended.exitCode !== null) return;
      const gone = new Promise((resolve) => ended.once('exit', resolve));
      ended.kill('SIGKILL');
      await gone;
    },
    async stop() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
