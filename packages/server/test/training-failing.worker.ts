import { type PartDone, type PartJob, runPart as runReal } from '../src/models/training/training.worker.ts';

/**
 * A trainer that dies over trees and does the others, for the tests.
 *
 * @public Called by its name from another thread.
 */
export function runPart(job: PartJob): PartDone {
  if (job.spec.family === 'gradient_boosted_trees') process.exit(3);
  return runReal(job);
}
