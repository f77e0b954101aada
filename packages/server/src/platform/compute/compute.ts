/** Runs heavy work in worker threads, so that the event loop stays free. */
export type Compute = {
  /** Calls the function a worker file exports. The payload is copied; `signal` gives up waiting and ends the thread. */
  run<T>(worker: URL, name: string, payload: unknown, options?: { signal?: AbortSignal }): Promise<T>;
};
