import type { Client } from '@touchstone/contracts/client';
import { downloadRunArtefact, getRunMetric, getTrainingRun } from '@touchstone/contracts/models';
import type { Answer } from '@touchstone/contracts/route';

export type ExportedMetric = { name: string; value: number; step: number; at: string };

/** All that a run logged, as another tracker takes it. */
export type ExportedRun = {
  run: Answer<typeof getTrainingRun>;
  /** In the order of their instants. */
  metrics: ExportedMetric[];
  /** Values that are no numbers, which our wire does not tell apart. */
  leftOut: number;
  readFile(name: string): Promise<Uint8Array>;
};

const PAGE = 500;

export async function readRun(client: Client, trainingRunId: number): Promise<ExportedRun> {
  const params = { trainingRunId };
  const run = await client.call(getTrainingRun, { params });
  const metrics: ExportedMetric[] = [];
  let leftOut = 0;
  for (const { name, count } of run.metrics) {
    let cursor: string | undefined;
    let read = 0;
    do {
      const page = await client.call(getRunMetric, { params, query: { name, limit: PAGE, cursor } });
      for (const { value, ...told } of page.items) {
        if (value === null) leftOut += 1;
        else metrics.push({ name, value, ...told });
      }
      read += page.items.length;
      cursor = page.nextCursor ?? undefined;
      // A run that goes on logging would never be read to its end.
    } while (cursor !== undefined && read < count);
  }
  metrics.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.step - b.step);
  return {
    ...{ run, metrics, leftOut },
    async readFile(name) {
      const response = await client.raw(downloadRunArtefact, { params, query: { name } });
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}

/** What a run says of where it comes from, by the names that our wire of MLflow reads them by. */
export function originTags({ run }: ExportedRun): Record<string, string> {
  const { datasetSha256, seed, trialId } = run;
  return {
    ...{ 'touchstone.run': String(run.id), 'touchstone.code_version': run.codeVersion },
    ...(datasetSha256 === null ? {} : { 'touchstone.dataset_sha256': datasetSha256 }),
    ...(seed === null ? {} : { 'touchstone.seed': String(seed) }),
    ...(trialId === null ? {} : { 'touchstone.trial': String(trialId) }),
    ...(run.model === null ? {} : { 'touchstone.model': run.model }),
    ...run.tags,
  };
}
