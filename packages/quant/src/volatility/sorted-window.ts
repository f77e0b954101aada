/** The last `size` values, kept in order: O(size) a value by moving memory, which is far less than sorting them again. */
export function createSortedWindow(size: number) {
  const sorted = new Float64Array(size);
  const ring = new Float64Array(size);
  let count = 0;
  let oldest = 0;

  function place(value: number): number {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    /** @param value No NaN. */
    add(value: number): void {
      if (count === size) {
        const at = place(ring[oldest]!);
        sorted.copyWithin(at, at + 1, count);
        count--;
      }
      const at = place(value);
      sorted.copyWithin(at + 1, at, count);
      sorted[at] = value;
      ring[oldest] = value;
      oldest = (oldest + 1) % size;
      count++;
    },
    /** The values in ascending order; valid until the next `add`. */
    values: (): Float64Array => sorted.subarray(0, count),
  };
}
