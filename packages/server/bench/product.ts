import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../../..');
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 10;

export type Product = {
  url: string;
  /** From starting the process to the first answer 200. */
  secondsToFirstAnswer: number;
  stop(): Promise<void>;
};

/** Starts the product as `npm start` does, on a port of its own, and waits for its first page to be answered. */
export async function startProduct(home: string, port: number): Promise<Product> {
  const startedAt = performance.now();
  const child: ChildProcess = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TOUCHSTONE_HOME: home, PORT: String(port), LOG_LEVEL: 'error' },
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const answer = await fetch(`${url}/`).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null) throw new Error(`the product ended with ${child.exitCode} before it answered`);
    if (performance.now() - startedAt > READY_TIMEOUT_MS) throw new Error('the product did not answer within a minute');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    url,
    secondsToFirstAnswer: (performance.now() - startedAt) / 1000,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
