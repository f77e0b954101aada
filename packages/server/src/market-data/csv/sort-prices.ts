import type { PriceColumns } from './parse-prices.ts';

/**
 * Orders the rows by symbol number and day, in place, and gives where each symbol begins: the rows of symbol `s` are
 * `offsets[s]` to `offsets[s + 1]` (length `symbols.length + 1`).
 *
 * Stable: rows of the same symbol and day stay in file order, so that the later line of a duplicate comes later. Sorted
 * columns are only looked at. Otherwise a counting sort by symbol, then each symbol whose days fall back is sorted.
 * Allocates one index and one column at a time. Works with at most 2^23 rows, above MAX_ROWS.
 */
export function sortBySymbolAndDay(columns: PriceColumns): Int32Array {
  const { symbol, day, rowCount } = columns;
  const offsets = new Int32Array(columns.symbols.length + 1);
  let sorted = true;
  for (let i = 0; i < rowCount; i++) {
    const s = symbol[i]!;
    offsets[s + 1]! += 1;
    if (i > 0 && (s < symbol[i - 1]! || (s === symbol[i - 1]! && day[i]! < day[i - 1]!))) sorted = false;
  }
  for (let s = 0; s < columns.symbols.length; s++) offsets[s + 1]! += offsets[s]!;
  if (sorted) return offsets;

  const order = new Int32Array(rowCount);
  const next = offsets.slice();
  for (let i = 0; i < rowCount; i++) order[next[symbol[i]!]!++] = i;
  for (let s = 0; s < columns.symbols.length; s++) sortDays(order, day, offsets[s]!, offsets[s + 1]!);

  const integers = new Int32Array(rowCount);
  for (const column of [symbol, day, columns.line]) {
    for (let i = 0; i < rowCount; i++) integers[i] = column[order[i]!]!;
    column.set(integers);
  }
  const numbers = new Float64Array(rowCount);
  for (const column of [columns.open, columns.high, columns.low, columns.close, columns.volume, columns.adjClose]) {
    if (column === null) continue;
    for (let i = 0; i < rowCount; i++) numbers[i] = column[order[i]!]!;
    column.set(numbers);
  }
  return offsets;
}

function sortDays(order: Int32Array, day: Int32Array, from: number, to: number): void {
  let inOrder = true;
  for (let i = from + 1; i < to && inOrder; i++) inOrder = day[order[i]!]! >= day[order[i - 1]!]!;
  if (inOrder) return;
  // Day and file order in one exact double: the native sort then needs no comparison function and is stable.
  const keys = new Float64Array(to - from);
  for (let i = from; i < to; i++) keys[i - from] = day[order[i]!]! * 2 ** 23 + order[i]!;
  keys.sort();
  for (let i = from; i < to; i++) {
    const key = keys[i - from]!;
    order[i] = key - Math.floor(key / 2 ** 23) * 2 ** 23;
  }
}
