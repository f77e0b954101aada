import type { SeriesService } from '../../features/index.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Transaction } from '../../platform/database/database.ts';
import type { Serve } from '../../platform/http/serve.ts';
import type { TaskEngine } from '../../platform/tasks/task-engine.ts';
import type { Registry } from '../registry/registry.types.ts';
import { createCalibrationService } from './calibration.service.ts';
import { registerOutcomes } from './outcomes.task.ts';
import { registerUniversePredictions } from './predict-universe.task.ts';
import { createReplayService } from './replay.service.ts';
import { registerServingRoutes } from './serving.routes.ts';
import { createServingService, type ServingService } from './serving.service.ts';
import { createServingWatch } from './serving-watch.ts';

/** Predictions from the question to the outcome: registers their tasks and schedules on the way. */
export function createServing(parts: {
  database: Database;
  registry: Registry;
  series: SeriesService;
  tasks: TaskEngine;
  compute: Compute;
  clock: Clock;
  codeVersion: string;
  /** Universes live downstream. */
  universeBars: (tx: Transaction, id: number) => Promise<{ name: string; instrumentIds: readonly number[] }>;
  log?: { warn(fields: object, text: string): void };
  /** Who answers where the caller left the choice to us: an A/B test may. Left out: the champion. */
  answering?: (serving: ServingService) => ServingService;
}) {
  const { database, registry, series, tasks, compute, clock, codeVersion, universeBars } = parts;
  const watch = createServingWatch(database, parts.log ?? { warn: () => {} });
  const champions = createServingService({ database, registry, series, compute, codeVersion, watch });
  const serving = parts.answering?.(champions) ?? champions;
  const replay = createReplayService({ database, readArtefact: registry.readArtefact, codeVersion });
  const calibration = createCalibrationService({ database, registry, watch });
  const universes = registerUniversePredictions({ database, tasks, registry, serving, universeBars });
  const outcomes = registerOutcomes({ database, tasks, series, clock });
  return {
    ...serving,
    replay: replay.replay,
    registerRoutes: (serve: Serve): void =>
      registerServingRoutes(serve, { database, serving, replay, calibration, outcomes, universes }),
  };
}
