import { expect } from '../checks/expect.ts';

/**
 * Training rows that share nothing with the test rows: no day of their label's outcome is one of a test label's.
 *
 * Label t is decided over rows t + 1 to `labelEnd[t]`. A training row goes if that span meets the span of a test row, if
 * its label is not known (−1), or if it lies within `embargo` rows from the end of a test label on, where features still
 * remember the test period. A test label without an end counts as running to the last row. Time O(T + rows).
 *
 * @param embargo Rows, >= 0.
 * @returns the rows that stay, in their order.
 * @throws RangeError if a row lies outside the labels or the embargo is negative.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 7, section 4.
 */
export function purgedRows(
  trainRows: Int32Array,
  testRows: Int32Array,
  labelEnd: Int32Array,
  embargo: number,
): Int32Array {
  const rowCount = labelEnd.length;
  expect(Number.isInteger(embargo) && embargo >= 0, `embargo must be a whole number >= 0, was ${embargo}`);
  const endOf = (t: number) => (labelEnd[t]! < 0 ? rowCount - 1 : labelEnd[t]!);
  const inSpan = new Int32Array(rowCount + 1);
  const inEmbargo = new Int32Array(rowCount + 1);
  const isTest = new Uint8Array(rowCount);
  for (const s of testRows) {
    checkRow(s, rowCount);
    const end = endOf(s);
    isTest[s] = 1;
    if (end > s) mark(inSpan, s + 1, end);
    if (embargo > 0) mark(inEmbargo, end, Math.min(rowCount - 1, end + embargo - 1));
  }
  accumulate(inSpan);
  accumulate(inEmbargo);
  // Rows up to and with r that some test label is decided over.
  const spanned = new Int32Array(rowCount + 1);
  for (let r = 0; r < rowCount; r++) spanned[r + 1] = spanned[r]! + (inSpan[r]! > 0 ? 1 : 0);
  return trainRows.filter((t) => {
    checkRow(t, rowCount);
    if (labelEnd[t]! < 0 || isTest[t] || inEmbargo[t]! > 0) return false;
    return spanned[labelEnd[t]! + 1]! === spanned[t + 1]!;
  });
}

function checkRow(row: number, rowCount: number): void {
  expect(row >= 0 && row < rowCount, `rows must lie in 0..${rowCount - 1}, had ${row}`);
}

function mark(changes: Int32Array, from: number, to: number): void {
  changes[from]! += 1;
  changes[to + 1]! -= 1;
}

function accumulate(changes: Int32Array): void {
  for (let k = 1; k < changes.length; k++) changes[k]! += changes[k - 1]!;
}
