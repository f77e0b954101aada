import { type IndexMethod, listStrategies } from '@touchstone/contracts/indexes';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { CanaryAnswer } from './strategy.worker.ts';

const WORKER = new URL('./strategy.worker.ts', import.meta.url);

const METHODS: { method: IndexMethod; title: string; definition: string; methodPage: string }[] = [
  {
    method: 'three_pillar',
    title: 'Three pillars',
    definition:
      'Score = 0.4 × max(20-day return, 0) + 0.3 × market capitalisation + 0.3 × 1 / 60-day volatility, each as a share of its sum; at most 50 names, each between min(1 %, 1/(2n)) and 40 %. Decided at a close, held to the next.',
    methodPage: 'docs/methods/three-pillar-index.md',
  },
  {
    method: 'equal_weight',
    title: 'Equal weight',
    definition: 'The same weight for every member with a price. Knows nothing; everything else is measured against it.',
    methodPage: 'docs/methods/three-pillar-index.md',
  },
  {
    method: 'buy_and_hold',
    title: 'Buy and hold',
    definition: 'Equal weights bought once at the first close, never traded again.',
    methodPage: 'docs/methods/three-pillar-index.md',
  },
];

export function registerStrategyRoutes(serve: Serve, compute: Compute): void {
  // The answer follows from the code alone, so once in the life of a process is enough.
  const answers = createRecent<CanaryAnswer>(METHODS.length);
  serve(listStrategies, async () => ({
    items: await Promise.all(
      METHODS.map(async (about) => ({
        ...about,
        canary: await answers.get(about.method, () =>
          compute.run<CanaryAnswer>(WORKER, 'runStrategyCanary', about.method),
        ),
      })),
    ),
  }));
}
