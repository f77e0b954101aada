import type { IndexDefinition } from '@touchstone/contracts/indexes';
import { computePerformance, type Metric } from '@touchstone/quant/evaluation/performance';
import { createRandom } from '@touchstone/quant/random/random';
import type { PoolConfig } from 'pg';
import { type DatasetQuestion, freezeDataset } from '../../features/index.ts';
import type { ReadTime } from '../../market-data/index.ts';
import { createDatabase, type Principal } from '../../platform/database/database.ts';
import { createPool } from '../../platform/database/pool.ts';
import { type Bundle, readPart, writeBundle } from '../../platform/object-store/bundle.ts';
import { openObjects } from '../../platform/object-store/open-objects.ts';
import { computeIndex, type IndexSummary } from './compute-index.ts';

export type IndexRunJob = {
  connection: PoolConfig;
  objectsFolder: string;
  principal: Principal;
  question: DatasetQuestion;
  time: ReadTime;
  definition: Pick<IndexDefinition, 'method' | 'parameters' | 'costBasisPoints' | 'baseValue' | 'firstDay'>;
};

export type IndexRunOutcome = { dataset: Bundle; resultSha256: string; summary: IndexSummary };

/**
 * Freezes the input and computes the index from it. Runs in a worker thread, with a connection of its own.
 *
 * @public Called by its name from another thread.
 */
export async function runIndexJob(job: IndexRunJob): Promise<IndexRunOutcome> {
  const objects = openObjects(job.objectsFolder);
  const database = createDatabase(
    createPool({ ...job.connection, max: 1 }, () => {}),
    job.objectsFolder,
  );
  try {
    const dataset = await database.transaction(
      job.principal,
      (tx) => freezeDataset(tx, objects, job.question, job.time),
      { isolation: 'repeatable read' },
    );
    // Computed from what was frozen, not from what was read: the dataset alone must be enough.
    const tables = Object.fromEntries(
      await Promise.all(
        dataset.parts.map(async (part) => [part.name, await readPart(objects, dataset, part.name)] as const),
      ),
    );
    const { levels, holdings, rebalances, summary } = computeIndex({
      question: job.question,
      tables,
      definition: job.definition,
    });
    const about = { datasetSha256: dataset.sha256, definition: job.definition, summary };
    const result = await writeBundle(objects, about, { levels, holdings, rebalances });
    return { dataset, resultSha256: result.sha256, summary };
  } finally {
    await database.close();
  }
}

export type PerformanceJob = {
  seed: number;
  columns: { name: string; returns: Float64Array }[];
  /** Name of the column the first one is held against by day; null: none. */
  benchmark: string | null;
};

export type PerformanceOutcome = {
  columns: { name: string; metrics: Metric[] }[];
  /** Paired same-day difference of the first column to each other one. */
  differences: { against: string; metric: Metric }[];
};

/**
 * The performance of each column, and of the first against the others, with intervals from one seed.
 *
 * @public Called by its name from another thread.
 */
export function computePerformanceTable(job: PerformanceJob): PerformanceOutcome {
  const benchmark = job.columns.find((column) => column.name === job.benchmark)?.returns;
  const measure = (returns: Float64Array, against?: Float64Array) =>
    computePerformance({ returns, random: createRandom(job.seed), ...(against ? { benchmark: against } : {}) }).metrics;
  const [first, ...others] = job.columns;
  return {
    columns: job.columns.map(({ name, returns }) => ({
      name,
      metrics: measure(returns, name === job.benchmark ? undefined : benchmark),
    })),
    differences: others.map(({ name, returns }) => ({
      against: name,
      metric: measure(first!.returns, returns).find((metric) => metric.name === 'annualDifference')!,
    })),
  };
}
