import { expect } from '../checks/expect.ts';

/**
 * What a strategy wants to hold, decided at the closes of some rows.
 *
 * Rebalance `r` was decided at the close of `row[r]` and holds `weight[k]` of `column[k]` for `k` in
 * `offset[r] .. offset[r + 1] - 1`. Weights are fractions of wealth; what is missing to one is cash.
 */
export type TargetWeights = {
  /** R ascending row numbers. */
  row: Int32Array;
  /** R + 1 positions into `column` and `weight`. */
  offset: Int32Array;
  column: Int32Array;
  weight: Float64Array;
  status: RebalanceStatus[];
};

/**
 * How a decision ended. `cash` sells everything; `infeasible` trades nothing and keeps what is held, because a rule that
 * cannot be met is an outcome to show and not a reason to stop.
 */
export type RebalanceStatus =
  | { status: 'ok' }
  | { status: 'cash'; reason: string }
  | { status: 'infeasible'; reason: string };

/** Collects decisions row by row. Grows by doubling, so that no decision pays for the panel's full width. */
export function createTargetWriter(): {
  add(
    row: number,
    status: RebalanceStatus,
    columns: ArrayLike<number>,
    weights: ArrayLike<number>,
    count: number,
  ): void;
  finish(): TargetWeights;
} {
  const rows: number[] = [];
  const offsets: number[] = [0];
  const statuses: RebalanceStatus[] = [];
  let column = new Int32Array(1024);
  let weight = new Float64Array(1024);
  let used = 0;
  return {
    add(row, status, columns, weights, count) {
      if (used + count > column.length) {
        const size = Math.max(2 * column.length, used + count);
        const widerColumn = new Int32Array(size);
        widerColumn.set(column);
        column = widerColumn;
        const widerWeight = new Float64Array(size);
        widerWeight.set(weight);
        weight = widerWeight;
      }
      for (let k = 0; k < count; k++) {
        column[used + k] = columns[k]!;
        weight[used + k] = weights[k]!;
      }
      used += count;
      rows.push(row);
      offsets.push(used);
      statuses.push(status);
    },
    finish: () => ({
      row: Int32Array.from(rows),
      offset: Int32Array.from(offsets),
      column: column.slice(0, used),
      weight: weight.slice(0, used),
      status: statuses,
    }),
  };
}

/**
 * The decisions as a rectangle, row-major T × N: a decided row holds its weights (zero where nothing is wanted), every
 * other row is NaN.
 */
export function denseTargets(targets: TargetWeights, rowCount: number, columnCount: number): Float64Array {
  const dense = new Float64Array(rowCount * columnCount).fill(Number.NaN);
  for (let r = 0; r < targets.row.length; r++) {
    const base = targets.row[r]! * columnCount;
    dense.fill(0, base, base + columnCount);
    for (let k = targets.offset[r]!; k < targets.offset[r + 1]!; k++)
      dense[base + targets.column[k]!] = targets.weight[k]!;
  }
  return dense;
}

/** The rows `start`, `start + every`, … below `rowCount`. */
export function rebalanceRows(rowCount: number, start: number, every: number): Int32Array {
  expect(Number.isInteger(every) && every >= 1, `rebalanceEvery must be a whole number of days >= 1, was ${every}`);
  expect(Number.isInteger(start) && start >= 0, `startRow must be a whole number >= 0, was ${start}`);
  const count = Math.max(0, Math.ceil((rowCount - start) / every));
  return Int32Array.from({ length: count }, (_, r) => start + r * every);
}

/** @throws RangeError if the decisions do not fit a T × N panel. */
export function checkTargets(targets: TargetWeights, rowCount: number, columnCount: number): void {
  const { row, offset, column, weight, status } = targets;
  expect(offset.length === row.length + 1, `targets need one offset more than rows, had ${offset.length}`);
  expect(status.length === row.length, `targets need a status per row, had ${status.length} for ${row.length}`);
  expect(column.length === weight.length, `targets need a weight per column, had ${weight.length}`);
  for (let r = 0; r < row.length; r++) {
    expect(row[r]! >= 0 && row[r]! < rowCount, `target row must be in 0..${rowCount - 1}, was ${row[r]}`);
    expect(r === 0 || row[r]! > row[r - 1]!, `target rows must ascend, ${row[r]} came after ${row[r - 1]}`);
    let sum = 0;
    for (let k = offset[r]!; k < offset[r + 1]!; k++) {
      expect(
        column[k]! >= 0 && column[k]! < columnCount,
        `target column must be in 0..${columnCount - 1}, was ${column[k]}`,
      );
      expect(weight[k]! >= 0, `target weight must be >= 0, was ${weight[k]}`);
      sum += weight[k]!;
    }
    expect(sum <= 1 + 1e-9, `target weights of row ${row[r]} must sum to at most 1, was ${sum}`);
  }
}
