import { createHash } from 'node:crypto';
import {
  type AssembleInput,
  assembleForecasters,
  type Evaluation,
} from '@touchstone/quant/evaluation/forecast-training/assemble-forecasters';
import {
  fitPart,
  loadResult,
  type PartSpec,
  saveResult,
  type Walk,
} from '@touchstone/quant/evaluation/forecast-training/fit-part';
import {
  type AssetRows,
  buildTable,
  loadTable,
  saveTable,
  type TrainingTable,
} from '@touchstone/quant/evaluation/forecast-training/training-table';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { saveForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import { dayText } from '@touchstone/quant/series/day';

export type BuiltTable = { bytes: Uint8Array; rowCount: number; firstDay: string | null };

/**
 * The rows of one target, as bytes.
 *
 * @public Called by its name from another thread.
 */
export function buildTableBytes({ target, assets }: { target: string; assets: AssetRows[] }): BuiltTable {
  const table = buildTable(targetNamed(target), assets);
  const first = table.day.reduce((least, day) => Math.min(least, day), Number.POSITIVE_INFINITY);
  return {
    bytes: saveTable(table),
    rowCount: table.rowCount,
    firstDay: Number.isFinite(first) ? dayText(first) : null,
  };
}

/**
 * The rows of one target, for looking at.
 *
 * @public Called by its name from another thread.
 */
export function buildOneTable({ target, assets }: { target: string; assets: AssetRows[] }): TrainingTable {
  return buildTable(targetNamed(target), assets);
}

export type PartJob = { tableSha256: string; tableBytes: Uint8Array; spec: PartSpec };
export type PartDone = { bytes: Uint8Array; seconds: number };

/** The last table of this thread: the parts of a target come one after the other. */
let last: { sha256: string; table: TrainingTable } | null = null;

/**
 * Does one part.
 *
 * @public Called by its name from another thread.
 */
export function runPart({ tableSha256, tableBytes, spec }: PartJob): PartDone {
  const startedAt = process.cpuUsage();
  const begun = performance.now();
  if (last?.sha256 !== tableSha256) last = { sha256: tableSha256, table: loadTable(tableBytes) };
  const bytes = saveResult(fitPart(last.table, spec));
  // The process has several threads: what this one took is at most the time that passed.
  const { user, system } = process.cpuUsage(startedAt);
  return { bytes, seconds: Math.min((performance.now() - begun) / 1000, (user + system) / 1e6) };
}

export type AssembleJob = {
  tableBytes: Uint8Array;
  walk: Walk;
  families: { family: string; learner: string; stepCount: number; folds: Uint8Array[]; final: Uint8Array }[];
  withEnsemble: boolean;
  trialCount: number;
  seed: number;
};
export type Assembled = {
  family: string;
  bytes: Uint8Array;
  sha256: string;
  stepCount: number;
  trainedUntil: number;
  members: { name: string; learner: string; weight: number }[];
  evaluation: Evaluation;
};

/**
 * Joins the parts of a target and judges them.
 *
 * @public Called by its name from another thread.
 */
export function assemble({ tableBytes, families, ...rest }: AssembleJob): Assembled[] {
  const input: AssembleInput = {
    ...rest,
    table: loadTable(tableBytes),
    families: families.map(({ folds, final, ...family }) => ({
      ...family,
      folds: folds.map(loadResult),
      final: loadResult(final),
    })),
  };
  return assembleForecasters(input).map(({ family, forecaster, evaluation }) => {
    const bytes = saveForecaster(forecaster);
    return {
      ...{ family, bytes, evaluation, stepCount: forecaster.stepCount, trainedUntil: forecaster.trainedUntil },
      sha256: createHash('sha256').update(bytes).digest('hex'),
      members: forecaster.members.map(({ name, weight, model }) => ({ name, weight, learner: model.learner })),
    };
  });
}
