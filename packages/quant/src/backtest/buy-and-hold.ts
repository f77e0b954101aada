import { expect } from '../checks/expect.ts';
import type { EqualWeightInput } from './equal-weight.ts';
import { createTargetWriter, type TargetWeights } from './target-weights.ts';

export type BuyAndHoldInput = Omit<EqualWeightInput, 'rebalanceEvery'> & {
  /** N weights wanted at the start, >= 0; scaled to sum to one over the members that have a price. Absent: equal. */
  initialWeights?: Float64Array;
};

/**
 * One decision, never another: buys at the close of the first row from `startRow` on at which a wanted member has a price.
 *
 * Instruments listed later are never bought. No decision at all (all in cash) when no row has a price. Time O(T·N).
 *
 * @throws RangeError on wrong shapes or a negative initial weight.
 */
export function buyAndHoldTargets(input: BuyAndHoldInput): TargetWeights {
  const { close, rowCount, columnCount, member, initialWeights } = input;
  expect(
    close.length === rowCount * columnCount,
    `close must be ${rowCount} x ${columnCount}, had ${close.length} values`,
  );
  expect(
    !member || member.length === close.length,
    `member must have the shape of close, had ${member?.length} values`,
  );
  expect(
    !initialWeights || (initialWeights.length === columnCount && initialWeights.every((w) => w >= 0)),
    `initialWeights must be ${columnCount} values >= 0`,
  );
  const writer = createTargetWriter();
  const columns = new Int32Array(columnCount);
  const weights = new Float64Array(columnCount);
  for (let t = input.startRow ?? 0; t < rowCount; t++) {
    let count = 0;
    let sum = 0;
    for (let i = 0; i < columnCount; i++) {
      const cell = t * columnCount + i;
      const wanted = initialWeights ? initialWeights[i]! : 1;
      if (!(close[cell]! > 0) || (member && member[cell] !== 1) || wanted === 0) continue;
      columns[count] = i;
      weights[count++] = wanted;
      sum += wanted;
    }
    if (count === 0) continue;
    for (let k = 0; k < count; k++) weights[k]! /= sum;
    writer.add(t, { status: 'ok' }, columns, weights, count);
    break;
  }
  return writer.finish();
}
