import { expect } from '../checks/expect.ts';

/**
 * How many labels are being decided at each of T rows: label t is, over rows t + 1 to `labelEnd[t]`; one without an end yet
 * is to the last row. Row r depends on nothing after r.
 *
 * @param rows Labels that count. Absent: all.
 */
export function labelConcurrency(labelEnd: Int32Array, rows?: Int32Array): Int32Array {
  const rowCount = labelEnd.length;
  const change = new Int32Array(rowCount + 1);
  const add = (t: number) => {
    const end = labelEnd[t]! < 0 ? rowCount - 1 : labelEnd[t]!;
    expect(end >= t && end < rowCount, `labelEnd of row ${t} must be in ${t}..${rowCount - 1} or −1, was ${end}`);
    if (end === t) return;
    change[t + 1]! += 1;
    change[end + 1]! -= 1;
  };
  if (rows) rows.forEach(add);
  else for (let t = 0; t < rowCount; t++) add(t);
  const concurrency = new Int32Array(rowCount);
  let active = 0;
  for (let r = 0; r < rowCount; r++) {
    active += change[r]!;
    concurrency[r] = active;
  }
  return concurrency;
}

/**
 * Average uniqueness of each label: the mean over the rows it spans of 1 / (labels being decided there).
 *
 * Overlapping labels tell the same news more than once; their weights should not. A label is compared with every label that
 * began before it ended, so its uniqueness is known when it is. Time O(T).
 *
 * @returns T values in (0, 1]; NaN for a label that is not known yet, spans no rows, or is not among `rows`.
 * @throws RangeError if a label ends before its row.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 4, sections 3 and 4.
 */
export function uniquenessOf(labelEnd: Int32Array, rows?: Int32Array): Float64Array {
  const rowCount = labelEnd.length;
  const concurrency = labelConcurrency(labelEnd, rows);
  const uniqueness = new Float64Array(rowCount).fill(Number.NaN);
  // Sums of 1 / concurrency up to a row; a difference of two of them is the sum over a span.
  const sums = new Float64Array(rowCount);
  let sum = 0;
  for (let r = 0; r < rowCount; r++) {
    if (concurrency[r]! > 0) sum += 1 / concurrency[r]!;
    sums[r] = sum;
  }
  const tell = (t: number) => {
    const end = labelEnd[t]!;
    if (end > t) uniqueness[t] = Math.min(1, (sums[end]! - sums[t]!) / (end - t));
  };
  if (rows) rows.forEach(tell);
  else for (let t = 0; t < rowCount; t++) tell(t);
  return uniqueness;
}
