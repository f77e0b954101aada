/**
 * Median by selection; reorders `values`. Missing values are not allowed.
 *
 * @returns The middle value, the mean of the two middle ones for an even count, NaN for none. Expected time O(n).
 * @see Hoare (1961), Algorithm 65: FIND, doi:10.1145/366622.366647.
 */
export function median(values: Float64Array): number {
  const size = values.length;
  if (size === 0) return Number.NaN;
  const middle = size >> 1;
  select(values, middle);
  const upper = values[middle]!;
  if (size % 2 === 1) return upper;
  // After selection everything left of the middle is no larger, so the lower middle is the largest of it.
  let lower = values[0]!;
  for (let k = 1; k < middle; k++) if (values[k]! > lower) lower = values[k]!;
  return 0.5 * (lower + upper);
}

function select(values: Float64Array, target: number): void {
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = values[(left + right) >> 1]!;
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i += 1;
      while (values[j]! > pivot) j -= 1;
      if (i > j) break;
      const held = values[i]!;
      values[i] = values[j]!;
      values[j] = held;
      i += 1;
      j -= 1;
    }
    if (target <= j) right = j;
    else if (target >= i) left = i;
    else return;
  }
}
