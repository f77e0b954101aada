import { Worker } from 'node:worker_threads';
import { threadArguments } from '../trace/trace.ts';

export type ThreadOptions = {
  /** Ends the thread at once; what it had open is closed. */
  signal?: AbortSignal | undefined;
  onProgress?: ((fraction: number, note: string) => void) | undefined;
};

export type ThreadMessage<T> = { kind: 'progress'; fraction: number; note: string } | { kind: 'done'; result: T };

/** Runs a module in a thread of its own, so that requests are answered while it works. */
export type RunInThread = <T>(module: URL, data: unknown, options?: ThreadOptions) => Promise<T>;

/** Columns live outside the heap; a small nursery keeps what is thrown away from staying in memory for long. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4 };

/**
 * One thread for one piece of work: its memory goes back when it ends, and it can say how far it is. For short kernels that
 * come often, the pool of `createCompute` is the one to use. The module posts `ThreadMessage`s, the last of
 * them `done`.
 *
 * @throws what the module throws, or the signal's reason.
 */
export const runInThread: RunInThread = <T>(module: URL, data: unknown, options: ThreadOptions = {}) =>
  new Promise<T>((resolve, reject) => {
    const { signal, onProgress } = options;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const worker = new Worker(module, { workerData: data, resourceLimits: RESOURCE_LIMITS, argv: threadArguments() });
    const stop = () => {
      worker.terminate().then(() => reject(signal?.reason), reject);
    };
    signal?.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: ThreadMessage<T>) => {
      if (message.kind === 'progress') onProgress?.(message.fraction, message.note);
      else resolve(message.result);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      if (!signal?.aborted) reject(new Error(`a thread must say what it did, ended with ${code}`));
    });
  });
