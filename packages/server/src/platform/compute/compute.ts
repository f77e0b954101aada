import type { MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';

export type ComputeOptions = {
  /** Buffers that are moved to the worker instead of copied. They are empty here afterwards. */
  transfer?: (ArrayBuffer | MessagePort)[];
  /** Aborting it ends the worker's thread, whatever it is doing. */
  signal?: AbortSignal;
};

/** Runs heavy kernels beside the event loop, on threads that are made when needed and end when idle. */
export type Compute = {
  /**
   * Calls an exported function of a module in a worker thread.
   *
   * @param workerFileUrl `new URL('./name.worker.ts', import.meta.url)`; the file runs as it is.
   * @param functionName Its export. Takes one payload; what it returns must be cloneable.
   * @returns what the function returned. What it throws is thrown here.
   */
  run<T>(workerFileUrl: URL, functionName: string, payload: unknown, options?: ComputeOptions): Promise<T>;
};

const IDLE_MS = 10_000;
/** Beyond this many waiting calls something is wrong with the caller. */
const WAITING_MAX = 1_000;

/** @param threads Most threads at a time, at least 1. */
export function createCompute(threads: number): Compute & { close(): Promise<void> } {
  let pool: Promise<Piscina> | undefined;
  // The library is loaded with the first call: a server that only reads never pays for it.
  const open = async () => {
    const { Piscina: Pool } = await import('piscina');
    return new Pool({ minThreads: 0, maxThreads: threads, idleTimeout: IDLE_MS, maxQueue: WAITING_MAX });
  };
  return {
    async run(workerFileUrl, functionName, payload, { transfer, signal } = {}) {
      signal?.throwIfAborted();
      pool ??= open();
      const running = (await pool).run(payload, {
        filename: workerFileUrl.href,
        name: functionName,
        ...(transfer === undefined ? {} : { transferList: transfer }),
        ...(signal === undefined ? {} : { signal }),
      });
      return running.catch((error: unknown) => {
        // Callers look for their own reason, as everywhere else.
        throw signal?.aborted ? signal.reason : error;
      });
    },
    async close() {
      await (await pool)?.destroy();
    },
  };
}
