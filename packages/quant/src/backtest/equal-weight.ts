import { expect } from '../checks/expect.ts';
import { createTargetWriter, rebalanceRows, type TargetWeights } from './target-weights.ts';

export type EqualWeightInput = {
  /** Row-major T × N closes; NaN: no price that day. */
  close: Float64Array;
  rowCount: number;
  columnCount: number;
  /** Row-major T × N, 1 where the instrument belongs to the universe that day. Absent: all do. */
  member?: Uint8Array;
  /** First row that decides. Default 0. */
  startRow?: number;
  /** Rows between decisions. Default 1. */
  rebalanceEvery?: number;
};

/**
 * The same weight for every member that has a price at the close of the deciding row; cash when there is none.
 *
 * The baseline every other portfolio is measured against: it knows nothing (DeMiguel, Garlappi and Uppal 2009,
 * doi:10.1093/rfs/hhm075). Time O(T·N).
 *
 * @throws RangeError on wrong shapes or a schedule that is no whole number of days.
 */
export function equalWeightTargets(input: EqualWeightInput): TargetWeights {
  const { close, rowCount, columnCount, member } = input;
  expect(
    close.length === rowCount * columnCount,
    `close must be ${rowCount} x ${columnCount}, had ${close.length} values`,
  );
  expect(
    !member || member.length === close.length,
    `member must have the shape of close, had ${member?.length} values`,
  );
  const writer = createTargetWriter();
  const columns = new Int32Array(columnCount);
  const weights = new Float64Array(columnCount);
  for (const t of rebalanceRows(rowCount, input.startRow ?? 0, input.rebalanceEvery ?? 1)) {
    let count = 0;
    for (let i = 0; i < columnCount; i++) {
      const cell = t * columnCount + i;
      if (close[cell]! > 0 && (!member || member[cell] === 1)) columns[count++] = i;
    }
    if (count === 0) {
      writer.add(t, { status: 'cash', reason: 'no member has a price' }, columns, weights, 0);
      continue;
    }
    weights.fill(1 / count, 0, count);
    writer.add(t, { status: 'ok' }, columns, weights, count);
  }
  return writer.finish();
}
