import { createHash } from 'node:crypto';
import type { TrainingTableSpec } from '@touchstone/contracts/foreign';
import type { TargetName } from '@touchstone/contracts/model-manifest';
import { targetName } from '@touchstone/contracts/model-manifest';
import type { Task } from '@touchstone/contracts/tasks';
import {
  loadTable,
  type TrainingTable,
  usableRows,
} from '@touchstone/quant/evaluation/forecast-training/training-table';
import { distinctDays, type PanelSplit, walkForwardSplits } from '@touchstone/quant/evaluation/panel-splits';
import { GATE_DAYS_LEAST } from '@touchstone/quant/evaluation/promotion-gate';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { dayText } from '@touchstone/quant/series/day';
import { z } from 'zod';
import type { FeatureComputer, SeriesService } from '../../features/index.ts';
import { resolveTime, type TimeQuery } from '../../market-data/index.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { type BundleTable, encodeTable } from '../../platform/object-store/bundle.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import type { TaskContext, TaskInput, Tasks } from '../../platform/tasks/tasks.ts';
import { walkOf } from '../training/families.ts';
import { freezeTables } from '../training/freeze-tables.ts';
import { featureHashOf, referenceOf } from '../training/targets.ts';
import { type FrozenTable, readFrozenTable } from './read-table.ts';

export const FREEZE_TABLE_TASK = 'models.foreign.freeze-table';

export type TrainingTableParts = {
  database: Database;
  objects: ObjectStore;
  tasks: Tasks;
  compute: Compute;
  series: SeriesService;
  computer: FeatureComputer;
  /** Universes live downstream. */
  universeBars: (tx: Transaction, id: number) => Promise<{ instrumentIds: readonly number[] }>;
};
export type TrainingTableService = ReturnType<typeof createTrainingTableService>;

const input = z.strictObject({
  ...{ universeId: z.int(), target: targetName, seed: z.int() },
  ...{ asOf: z.string(), knownAt: z.string(), recordedAt: z.string() },
});
/** Share of the days that judge, and never see a trainer. */
const HELD_BACK_SHARE = 0.25;
/** Days with enough to learn from before those that judge. */
const DAYS_LEAST = 250;

/** Frozen rows for trainers elsewhere. The last quarter of the days, at least what the gate asks for, is held back. */
export function createTrainingTableService(parts: TrainingTableParts) {
  const { database, objects, tasks, universeBars } = parts;
  tasks.register(FREEZE_TABLE_TASK, run);

  async function run(given: TaskInput, { principal, signal, progress }: TaskContext) {
    const { target, ...question } = input.parse(given);
    const { datasetSha256, tables } = await freezeTables(
      parts,
      principal,
      { ...question, targets: [target], from: undefined },
      { signal, onProgress: progress },
    );
    return { datasetSha256, target, tableSha256: tables[0]!.sha256, rowCount: tables[0]!.rowCount };
  }

  async function read(principal: Principal, datasetSha256: string, target: TargetName) {
    const frozen = await readFrozenTable({ database, objects }, principal, datasetSha256, target);
    const shown = split(loadTable(frozen.bytes));
    const rows = toTable(shown);
    const file = await encodeTable(rows);
    return { spec: specOf(frozen, target, shown, createHash('sha256').update(file).digest('hex')), file, rows };
  }

  return {
    /** @throws NOT_FOUND, NOT_ENOUGH_HISTORY for an empty universe. */
    freeze: (
      principal: Principal,
      { universeId, target, seed, ...time }: TimeQuery & { universeId: number; target: TargetName; seed: number },
    ): Promise<Task> =>
      database.transaction(principal, async (tx) => {
        const { instrumentIds } = await universeBars(tx, universeId);
        if (instrumentIds.length === 0)
          throw new ProblemError('NOT_ENOUGH_HISTORY', 'The universe has no instruments to learn from.');
        const { asOf, knownAt, recordedAt } = await resolveTime(tx, time);
        return tasks.start(tx, {
          ...{ kind: FREEZE_TABLE_TASK, title: `Freeze rows of ${target} for universe ${universeId}` },
          input: { universeId, target, seed, asOf, knownAt, recordedAt },
        });
      }),
    /** @throws NOT_FOUND, NOT_ENOUGH_HISTORY, ARTEFACT_DAMAGED */
    read,
  };
}

type Shown = {
  table: TrainingTable;
  /** Rows of the file: of days before those held back, with an outcome known before them. */
  rows: Int32Array;
  /** Of these, the ones a model may learn from. */
  known: Int32Array;
  heldBackFrom: number;
  heldBackRows: number;
  folds: PanelSplit[];
};

/** @throws NOT_ENOUGH_HISTORY */
function split(table: TrainingTable): Shown {
  const usable = usableRows(table).filter((row) => !Number.isNaN(table.label[row]!) && table.labelEnd[row]! >= 0);
  const days = distinctDays(usable.map((row) => table.day[row]!));
  const held = Math.max(GATE_DAYS_LEAST, Math.ceil(HELD_BACK_SHARE * days.length));
  if (days.length - held < DAYS_LEAST)
    throw new ProblemError(
      'NOT_ENOUGH_HISTORY',
      `The dataset has ${days.length} days; ${held} are held back to judge, and ${DAYS_LEAST} must be left to learn from.`,
    );
  const heldBackFrom = days[days.length - held]!;
  // A window needs the rows before its own, also those that are too thin to learn from.
  const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row).filter(
    (row) => table.day[row]! < heldBackFrom && table.labelEnd[row]! < heldBackFrom,
  );
  const known = usable.filter((row) => table.day[row]! < heldBackFrom && table.labelEnd[row]! < heldBackFrom);
  const folds = walkForwardSplits(
    { day: known.map((row) => table.day[row]!), labelEnd: known.map((row) => table.labelEnd[row]!) },
    walkOf('normal'),
  ).map((fold) => ({
    ...fold,
    trainRows: fold.trainRows.map((k) => known[k]!),
    testRows: fold.testRows.map((k) => known[k]!),
  }));
  const heldBackRows = usable.filter((row) => table.day[row]! >= heldBackFrom).length;
  return { table, rows, known, heldBackFrom, heldBackRows, folds };
}

const foldColumn = (k: number): string => `fold_${k}`;

function toTable({ table, rows, known, folds }: Shown): BundleTable {
  const width = table.featureNames.length;
  const usable = new Set(known);
  const roles = folds.map(({ trainRows, testRows }) => {
    const [train, test] = [new Set(trainRows), new Set(testRows)];
    return rows.map((row) => (train.has(row) ? 1 : test.has(row) ? 2 : 0));
  });
  const floats = (of: (row: number) => number) => Float64Array.from(rows, of);
  return {
    rowCount: rows.length,
    columns: {
      instrument: { type: 'int32', values: rows.map((row) => table.asset[row]!) },
      day: { type: 'date', values: rows.map((row) => table.day[row]!) },
      label_end: { type: 'int32', values: rows.map((row) => table.labelEnd[row]!) },
      label: { type: 'float64', values: floats((row) => table.label[row]!) },
      usable: { type: 'int32', values: rows.map((row) => (usable.has(row) ? 1 : 0)) },
      ...Object.fromEntries(roles.map((values, k) => [foldColumn(k), { type: 'int32' as const, values }])),
      ...Object.fromEntries(
        table.featureNames.map((name, j) => [
          referenceOf(name),
          { type: 'float64' as const, values: floats((row) => table.values[row * width + j]!) },
        ]),
      ),
    },
  };
}

function specOf(
  { datasetSha256, tableSha256 }: FrozenTable,
  name: TargetName,
  { table, rows, heldBackFrom, heldBackRows, folds }: Shown,
  fileSha256: string,
): TrainingTableSpec {
  const target = targetNamed(name);
  const days = distinctDays(rows.map((row) => table.day[row]!));
  return {
    ...{ format: 'training-table/1', datasetSha256, tableSha256, fileSha256, target: name },
    ...{ horizonDays: target.horizonDays, unit: target.unit },
    kind: target.goal === 'binary' ? 'probability' : 'number',
    features: target.features.map(({ name: feature, expression }) => ({ name: referenceOf(feature), expression })),
    ...{ featureSha256: featureHashOf(target), rowCount: rows.length, firstDay: dayText(days[0]!) },
    trainedUntil: dayText(rows.reduce((latest, row) => Math.max(latest, table.labelEnd[row]!), 0)),
    ...{ heldBackFrom: dayText(heldBackFrom), heldBackRows, seed: 1 },
    folds: folds.map(({ firstTestDay, lastTestDay, trainRows, testRows }, k) => ({
      ...{ column: foldColumn(k), firstTestDay: dayText(firstTestDay), lastTestDay: dayText(lastTestDay) },
      ...{ trainRows: trainRows.length, testRows: testRows.length },
    })),
  };
}
