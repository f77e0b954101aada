import { expect } from '../../checks/expect.ts';
import { readArtefact, writeArtefact } from '../../learn/artefact.ts';
import type { Inputs } from '../../learn/examples.ts';
import type { Bars } from '../../series/bars.ts';
import { ranks } from '../../stats/rank-correlation.ts';
import { RANKED_LEAST, type Target } from '../targets/targets.ts';

/** Rows of all assets for one target: each asset's rows lie together, ascending by day. */
export type TrainingTable = {
  target: string;
  featureNames: readonly string[];
  rowCount: number;
  /** One a row. */
  asset: Int32Array;
  day: Int32Array;
  /** Day on whose close the label is known; −1: not yet. */
  labelEnd: Int32Array;
  /** In the unit of the target; NaN: not known yet, or undefined. */
  label: Float64Array;
  /** Simple return to the close at the horizon, for what is told in money; NaN where not known. */
  forwardReturn: Float64Array;
  /** Row-major rows × features, as they are; NaN where missing. */
  values: Float64Array;
};

/** One asset of a panel, with its features beside its bars. */
export type AssetRows = {
  asset: number;
  bars: Bars;
  /** Row-major bars × features. */
  values: Float64Array;
};

export const TABLE_KIND = 'training-table/1';

/** Rows with more missing features teach nothing, and no forecast is made of them. */
export const MISSING_SHARE_MAX = 0.2;
/** Days a sequence model may read: an asset's first rows, which lack them, are used by no model, so that all see the same. */
export const STEPS_MAX = 20;

/**
 * The rows of a panel. Features of a row rest on bars up to its day, its label on those after it up to `labelEnd`.
 *
 * Rows before the first with enough features are left out.
 *
 * @throws RangeError for features of another shape than the bars, or no rows at all.
 */
export function buildTable(target: Target, assets: readonly AssetRows[]): TrainingTable {
  const width = target.features.length;
  const parts = assets.map(({ asset, bars, values }) => {
    const rowCount = bars.day.length;
    expect(
      values.length === rowCount * width,
      `asset ${asset} must have ${rowCount} × ${width} features, had ${values.length}`,
    );
    const { value, labelEnd } = target.labels(bars);
    let from = 0;
    while (from < rowCount && !isUsable(values, from, width)) from++;
    const rows = Int32Array.from({ length: rowCount - from }, (_, k) => from + k);
    return {
      asset: rows.map(() => asset),
      day: rows.map((t) => bars.day[t]!),
      labelEnd: rows.map((t) => (labelEnd[t]! < 0 ? -1 : bars.day[labelEnd[t]!]!)),
      label: Float64Array.from(rows, (t) => value[t]!),
      forwardReturn: Float64Array.from(rows, (t) =>
        t + target.horizonDays < rowCount ? bars.close[t + target.horizonDays]! / bars.close[t]! - 1 : Number.NaN,
      ),
      values: values.slice(from * width),
    };
  });
  const table: TrainingTable = {
    target: target.name,
    featureNames: target.features.map(({ name }) => name),
    rowCount: parts.reduce((sum, { day }) => sum + day.length, 0),
    asset: joinInts(parts.map(({ asset }) => asset)),
    day: joinInts(parts.map(({ day }) => day)),
    labelEnd: joinInts(parts.map(({ labelEnd }) => labelEnd)),
    label: joinFloats(parts.map(({ label }) => label)),
    forwardReturn: joinFloats(parts.map(({ forwardReturn }) => forwardReturn)),
    values: joinFloats(parts.map(({ values }) => values)),
  };
  if (target.acrossPanel) rankByDay(table);
  return table;
}

/** Turns labels into their place among the assets of the day; fewer than `RANKED_LEAST` of them have none. */
function rankByDay({ day, labelEnd, label }: TrainingTable): void {
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < day.length; row++) {
    const rows = rowsOf.get(day[row]!);
    if (rows === undefined) rowsOf.set(day[row]!, [row]);
    else rows.push(row);
  }
  for (const rows of rowsOf.values()) {
    const told = rows.filter((row) => !Number.isNaN(label[row]!));
    const place = ranks(Float64Array.from(told, (row) => label[row]!));
    // A place is known when the last of the returns it is among is known.
    const end = told.reduce((latest, row) => Math.max(latest, labelEnd[row]!), -1);
    told.forEach((row, k) => {
      label[row] = told.length < RANKED_LEAST ? Number.NaN : (place[k]! - 0.5) / told.length;
      labelEnd[row] = end;
    });
  }
}

/** Rows a model may learn from or be judged on: enough features, and enough days before. */
export function usableRows(table: TrainingTable): Int32Array {
  const width = table.featureNames.length;
  let first = 0;
  return Int32Array.from({ length: table.rowCount }, (_, row) => row).filter((row) => {
    if (row === 0 || table.asset[row] !== table.asset[row - 1]) first = row;
    return row - first >= STEPS_MAX - 1 && isUsable(table.values, row, width);
  });
}

/** Windows of the given rows: the row's own day last. @throws RangeError if a window would reach into another asset. */
export function windowsOf(table: TrainingTable, rows: Int32Array, stepCount: number): Inputs {
  const featureCount = table.featureNames.length;
  const values = new Float64Array(rows.length * stepCount * featureCount);
  rows.forEach((row, k) => {
    const from = row - stepCount + 1;
    expect(
      from >= 0 && table.asset[from] === table.asset[row],
      `row ${row} must have ${stepCount - 1} rows of its asset before it`,
    );
    values.set(table.values.subarray(from * featureCount, (row + 1) * featureCount), k * stepCount * featureCount);
  });
  return { rowCount: rows.length, stepCount, featureCount, values };
}

/** The same table, the same bytes. */
export function saveTable({ target, featureNames, rowCount, ...arrays }: TrainingTable): Uint8Array {
  return writeArtefact({ kind: TABLE_KIND, meta: { target, featureNames, rowCount }, arrays });
}

/** @throws RangeError for bytes that `saveTable` did not write. */
export function loadTable(bytes: Uint8Array): TrainingTable {
  const { meta, arrays } = readArtefact(bytes, TABLE_KIND);
  const { target, featureNames, rowCount } = meta as Pick<TrainingTable, 'target' | 'featureNames' | 'rowCount'>;
  const ints = (name: string) => {
    const array = arrays[name];
    expect(
      array instanceof Int32Array && array.length === rowCount,
      `the table must have ${rowCount} whole numbers ${name}`,
    );
    return array;
  };
  const floats = (name: string, width: number) => {
    const array = arrays[name];
    expect(
      array instanceof Float64Array && array.length === rowCount * width,
      `the table must have ${rowCount} × ${width} numbers ${name}`,
    );
    return array;
  };
  return {
    ...{ target, featureNames, rowCount },
    ...{ asset: ints('asset'), day: ints('day'), labelEnd: ints('labelEnd') },
    ...{ label: floats('label', 1), forwardReturn: floats('forwardReturn', 1) },
    values: floats('values', featureNames.length),
  };
}

function isUsable(values: Float64Array, row: number, width: number): boolean {
  let missing = 0;
  for (let j = 0; j < width; j++) if (!Number.isFinite(values[row * width + j]!)) missing += 1;
  return missing <= MISSING_SHARE_MAX * width;
}

function joinInts(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinFloats(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
