import type { FeatureValues, FeatureWork } from '../../src/features/feature-compute/features.worker.ts';

/** Stands in for features that throw, never end or take all memory, for the test of the computer. */
export function computeFeatures({ expressions, jobs }: FeatureWork): FeatureValues {
  for (const expression of expressions) {
    if (expression === 'never') for (;;);
    if (expression === 'throws') throw new Error('it threw');
  }
  const width = expressions.length;
  return {
    values: jobs.map(({ at }) => new Float64Array(at.length * width).map((_, i) => i % width)),
    reasons: jobs.map(({ at }) => new Uint8Array(at.length * width)),
    failures: {},
  };
}

/** @public Called by its name from another thread. */
export function checkFeatures(expressions: readonly string[]) {
  if (expressions.includes('never')) for (;;);
  throw new Error('it threw');
}
