import { createFeatureComputer, type SeriesService } from '../../features/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Transaction } from '../../platform/database/database.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import { registerAbTestRoutes } from '../experiments/ab-test.routes.ts';
import { createAbTestService } from '../experiments/ab-test.service.ts';
import { type Answering, withAbTest } from '../experiments/with-ab-test.ts';
import type { Registry } from '../registry/registry.types.ts';
import { createBiasService } from './bias.service.ts';
import { registerWatchingRoutes } from './drift.routes.ts';
import { createDriftService } from './drift.service.ts';
import { registerDriftTask } from './drift.task.ts';
import { createLeaderboardService } from './leaderboard.service.ts';

export type Watching = ReturnType<typeof createWatching>;

/** Everything that looks at models once they are served: registers its task and schedule on the way. */
export function createWatching(parts: {
  database: Database;
  registry: Registry;
  series: SeriesService;
  tasks: TaskEngine;
  compute: Compute;
  codeVersion: string;
  universeBars: (tx: Transaction, universeId: number) => Promise<{ instrumentIds: readonly number[] }>;
  log?: { warn(fields: object, text: string): void };
}) {
  const { database, registry, tasks, compute } = parts;
  const drift = createDriftService({ ...parts, computer: createFeatureComputer(compute) });
  const driftTask = registerDriftTask(database, tasks, drift);
  const bias = createBiasService({ database, registry });
  const leaderboard = createLeaderboardService({ database });
  const abTests = createAbTestService({ database, registry });
  return {
    drift,
    abTests,
    /** Serving that follows the A/B test of a model, where one runs. */
    answering: (serving: Answering) => withAbTest(serving, abTests, parts.log ?? { warn: () => {} }),
    registerRoutes(serve: Serve): void {
      registerWatchingRoutes(serve, { drift, driftTask, bias, leaderboard });
      registerAbTestRoutes(serve, abTests);
    },
  };
}
