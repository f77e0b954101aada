import type { Compute } from '../src/platform/compute/compute.ts';

/** Calls worker functions in the test's own thread: the same code, without the thread. */
export const inlineCompute: Compute = {
  async run(worker, name, payload) {
    const functions = await import(worker.href);
    return functions[name](payload);
  },
};
