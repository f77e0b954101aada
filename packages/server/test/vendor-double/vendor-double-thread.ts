import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { randomFaults, startVendorDouble, type VendorDoubleOptions, type VendorFault } from './vendor-double.ts';

/** What can be handed to a thread. */
export type ThreadOptions = Omit<VendorDoubleOptions, 'fault' | 'barsOf' | 'now'> & {
  faults?: { share: number; kinds?: readonly VendorFault[] };
};

/**
 * Starts the double in a thread of its own, so that what it does is not measured with what asks it: for benches, and for
 * tests that look at the event loop.
 */
export async function startVendorDoubleThread(
  options: ThreadOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { vendorDouble: options } });
  const url = await new Promise<string>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    url,
    async close() {
      await worker.terminate();
    },
  };
}

if (!isMainThread && parentPort !== null && workerData?.vendorDouble !== undefined) {
  const { faults, ...options }: ThreadOptions = workerData.vendorDouble;
  const fault = faults === undefined ? {} : { fault: randomFaults(options.seed, faults.share, faults.kinds) };
  const double = await startVendorDouble({ ...options, ...fault });
  parentPort.postMessage(double.url);
}
