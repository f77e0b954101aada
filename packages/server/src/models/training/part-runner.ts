import type { Compute } from '../../platform/compute/compute.ts';
import type { PartDone, PartJob } from './training.worker.ts';

/** Where parts of a training are done. Wherever it is, the same part gives the same bytes. */
export type PartRunner = {
  runsOn: 'threads' | 'ray';
  /** Why not where it was asked for; null: as asked. */
  note(): string | null;
  /** Parts at a time, where it is not as many as this machine has cores. */
  lanes?: number;
  /** @throws what the part itself failed with, or the signal's reason. */
  run(job: PartJob, signal: AbortSignal): Promise<PartDone>;
};

const WORKER = new URL('./training.worker.ts', import.meta.url);

/** Does parts on this process's own threads. */
export function createThreadRunner(compute: Compute, worker: URL = WORKER): PartRunner {
  return {
    runsOn: 'threads',
    note: () => null,
    run: (job, signal) => compute.run<PartDone>(worker, 'runPart', job, { signal }),
  };
}
