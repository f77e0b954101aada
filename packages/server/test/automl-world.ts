import path from 'node:path';
import type { PoolConfig } from 'pg';
import { createFeatureComputer, createSeriesService } from '../src/features/index.ts';
import { type AutomlService, createAutomlService } from '../src/models/automl/automl.service.ts';
import { createRegistry } from '../src/models/index.ts';
import { createThreadRunner, type PartRunner } from '../src/models/training/part-runner.ts';
import { createCompute } from '../src/platform/compute/compute.ts';
import type { Database } from '../src/platform/database/database.ts';
import { createFolderStore } from '../src/platform/object-store/object-store.ts';
import { createTaskEngine } from '../src/platform/tasks/task-engine.ts';
import { universeBars } from '../src/portfolio/index.ts';

export type Searcher = { automl: AutomlService; close(): Promise<void> };

/** A process that searches models, as `stages.ts` wires it. */
export async function startSearcher(
  { database, connection }: { database: Database; connection: PoolConfig },
  { home, threads }: { home: string; threads: number },
  change: (runner: PartRunner) => PartRunner = (runner) => runner,
): Promise<Searcher> {
  const log = { info() {}, warn() {}, error() {} };
  const tasks = createTaskEngine({ database, connection, clock: { now: Date.now }, log });
  const compute = createCompute(threads);
  const objects = createFolderStore(path.join(home, 'objects'));
  const automl = createAutomlService({
    ...{ database, objects, tasks, compute, universeBars, codeVersion: 'test', lanes: threads },
    registry: createRegistry({ database, objects, codeVersion: 'test' }),
    ...{ series: createSeriesService(database, universeBars), computer: createFeatureComputer(compute) },
    runner: change(createThreadRunner(compute)),
  });
  await tasks.run();
  return {
    automl,
    async close() {
      await tasks.stop();
      await compute.close();
    },
  };
}
