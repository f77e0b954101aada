import { expect } from '../../checks/expect.ts';
import { readArtefact, writeArtefact } from '../../learn/artefact.ts';
import type { Inputs } from '../../learn/examples.ts';
import { prepareInputs } from '../../learn/forecaster/forecast-rows.ts';
import type { Goal, Watch } from '../../learn/learner.ts';
import { findLearner } from '../../learn/learners.ts';
import { createRandom } from '../../random/random.ts';
import { type FittedScaler, fitScaler } from '../../series/preprocess/scaler.ts';
import { distinctDays, type PanelSplit, walkForwardSplits } from '../panel-splits.ts';
import { targetNamed } from '../targets/targets.ts';
import { type TrainingTable, usableRows, windowsOf } from './training-table.ts';

/** How a panel is walked through. */
export type Walk = { foldCount: number; firstShare: number; embargoDays: number };

/** One fit: everything its result depends on, beside the table. Equal parts of equal tables give equal bytes. */
export type PartSpec = {
  /** Name of the member, as `lstm`. */
  family: string;
  /** Learner by its name, with its settings over the defaults. */
  learner: string;
  settings: Record<string, unknown>;
  seed: number;
  /** Days it reads: 1 for learners of tables. */
  stepCount: number;
  /** At most so many rows are learnt from, drawn by the seed; null: all. */
  rowsMax: number | null;
  /** Learns from so many latest days only; absent or null: from all. The scale is that of all. */
  trainDays?: number | null;
  walk: Walk;
  /** Number of the block to be told; null: learns from all there is and keeps the model. */
  fold: number | null;
};

export type PartResult =
  /** What it said of each row of the block, in the space of the model; NaN where it could not. */
  | { kind: 'forecasts'; rows: Int32Array; forecast: Float64Array; trainedRows: number }
  | { kind: 'model'; model: Uint8Array; trainedRows: number };

export const RESULT_KIND = 'training-result/1';
/** Scaled features beyond this many deviations are pulled in. */
export const CLIP = 5;
/** Rows told at a time: windows of all rows at once would not fit. */
const BATCH = 4_096;

/** The same for every part of a walk: block k, purged, rows with enough features only; the last entry learns from all. */
export function partRows(
  table: TrainingTable,
  walk: Walk,
  fold: number | null,
): { train: Int32Array; test: Int32Array } {
  const usable = usableRows(table);
  const known = usable.filter((row) => !Number.isNaN(table.label[row]!) && table.labelEnd[row]! >= 0);
  if (fold === null) return { train: known, test: new Int32Array(0) };
  const split = walkOf(table, walk)[fold];
  expect(split !== undefined, `fold must lie in 0..${walk.foldCount - 1}, was ${fold}`);
  const [inTrain, inTest] = [new Set(split.trainRows), new Set(split.testRows)];
  return { train: known.filter((row) => inTrain.has(row)), test: usable.filter((row) => inTest.has(row)) };
}

/** Blocks of days of the usable rows. */
export function walkOf(table: TrainingTable, walk: Walk): PanelSplit[] {
  const usable = usableRows(table);
  const splits = walkForwardSplits(
    { day: usable.map((row) => table.day[row]!), labelEnd: usable.map((row) => table.labelEnd[row]!) },
    walk,
  );
  return splits.map((split) => ({
    ...split,
    trainRows: split.trainRows.map((k) => usable[k]!),
    testRows: split.testRows.map((k) => usable[k]!),
  }));
}

/** The scale of all rows a part may learn from, whatever it draws of them: the same for every family. */
export function scalerOf(table: TrainingTable, train: Int32Array): FittedScaler {
  return fitScaler('standard', windowsOf(table, train, 1).values, table.featureNames.length);
}

/** Rows to learn from, drawn without replacement and in their order. */
export function drawRows(rows: Int32Array, rowsMax: number | null, seed: number): Int32Array {
  if (rowsMax === null || rows.length <= rowsMax) return rows;
  const random = createRandom(seed).split('rows');
  const drawn = rows.slice();
  for (let k = 0; k < rowsMax; k++) {
    const other = k + random.integer(drawn.length - k);
    const kept = drawn[k]!;
    drawn[k] = drawn[other]!;
    drawn[other] = kept;
  }
  return drawn.slice(0, rowsMax).sort();
}

/**
 * Does one part: fits a learner to what was known before a block and tells the block, or fits it to all.
 *
 * @throws RangeError if there is nothing to learn from, or no learner of that name.
 */
export function fitPart(table: TrainingTable, spec: PartSpec, watch?: Watch): PartResult {
  const target = targetNamed(table.target);
  const learner = findLearner(spec.learner);
  expect(learner !== undefined, `there is no learner ${spec.learner}`);
  const { train, test } = partRows(table, spec.walk, spec.fold);
  expect(train.length >= 1, `${table.target} has no row with a known outcome to learn from`);
  const scaler = scalerOf(table, train);
  const rows = byDay(table, drawRows(latestRows(table, train, spec.trainDays ?? null), spec.rowsMax, spec.seed));
  const prepare = (of: Int32Array): Inputs =>
    prepareInputs(
      { features: target.features, stepCount: spec.stepCount, scaler, clip: CLIP },
      windowsOf(table, of, spec.stepCount),
    );
  const outcome = Float64Array.from(rows, (row) => modelSpace(target.link, table.label[row]!));
  const goal: Goal = target.goal;
  const model = learner.fit(
    { inputs: prepare(rows), target: outcome, weight: null, group: null },
    goal,
    { ...learner.defaults, ...gapOf(learner.defaults, table, rows, target.horizonDays), ...spec.settings },
    spec.seed,
    watch,
  );
  if (spec.fold === null) return { kind: 'model', model: model.save(), trainedRows: rows.length };
  const forecast = new Float64Array(test.length);
  for (let from = 0; from < test.length; from += BATCH) {
    const batch = test.subarray(from, from + BATCH);
    forecast.set(model.predict(prepare(batch)), from);
  }
  return { kind: 'forecasts', rows: test, forecast, trainedRows: rows.length };
}

/** Rows of the latest days. */
function latestRows({ day }: TrainingTable, rows: Int32Array, dayCount: number | null): Int32Array {
  if (dayCount === null) return rows;
  const days = distinctDays(rows.map((row) => day[row]!));
  const first = days[Math.max(0, days.length - dayCount)]!;
  return rows.filter((row) => day[row]! >= first);
}

/** In order of time, as learners that hold back their last rows ask for. */
function byDay({ day }: TrainingTable, rows: Int32Array): Int32Array {
  return rows.slice().sort((a, b) => day[a]! - day[b]! || a - b);
}

/** Rows between what a learner learns from and what it holds back to know when to stop: as many as a horizon holds. */
function gapOf(defaults: object, { day }: TrainingTable, rows: Int32Array, horizonDays: number): object {
  if (!('validationGap' in defaults)) return {};
  const days = new Set(rows.map((row) => day[row]!)).size;
  return { validationGap: Math.ceil((horizonDays * rows.length) / Math.max(1, days)) };
}

/** The space members work in: logarithms where values are told without. */
export function modelSpace(link: 'identity' | 'exp', value: number): number {
  return link === 'exp' ? Math.log(value) : value;
}

export function saveResult(result: PartResult): Uint8Array {
  const meta = { kind: result.kind, trainedRows: result.trainedRows };
  return writeArtefact({
    kind: RESULT_KIND,
    meta,
    arrays: result.kind === 'model' ? { model: result.model } : { rows: result.rows, forecast: result.forecast },
  });
}

/** @throws RangeError for bytes that `saveResult` did not write. */
export function loadResult(bytes: Uint8Array): PartResult {
  const { meta, arrays } = readArtefact(bytes, RESULT_KIND);
  const trainedRows = Number(meta.trainedRows);
  const { model, rows, forecast } = arrays;
  if (model instanceof Uint8Array) return { kind: 'model', model, trainedRows };
  expect(
    rows instanceof Int32Array && forecast instanceof Float64Array,
    'the result holds neither a model nor forecasts',
  );
  return { kind: 'forecasts', rows, forecast, trainedRows };
}
