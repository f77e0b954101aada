import { Piscina } from 'piscina';

/** Runs heavy work in worker threads, so that the event loop stays free. */
export type Compute = {
  /** Calls the function a worker file exports. The payload is copied; an aborted `signal` ends the thread. */
  run<T>(worker: URL, name: string, payload: unknown, options?: { signal?: AbortSignal }): Promise<T>;
};

/** Threads that idle longer end and give their memory back. */
const IDLE_MS = 30_000;
const QUEUE_MAX = 1000;

/** Creates a pool. The first call starts the first thread. */
export function createCompute(threads: number): Compute & { close(): Promise<void> } {
  let pool: Piscina | undefined;
  return {
    run(worker, name, payload, options = {}) {
      pool ??= new Piscina({ minThreads: 0, maxThreads: threads, idleTimeout: IDLE_MS, maxQueue: QUEUE_MAX });
      return pool.run(payload, { filename: worker.href, name, signal: options.signal });
    },
    async close() {
      await pool?.destroy();
    },
  };
}
