/**
 * Sums of the rows of a row-major matrix, for the test of the threads.
 *
 * @public Called by its name from another thread.
 */
export function sumRows({ values, columns }: { values: Float64Array; columns: number }): Float64Array {
  const sums = new Float64Array(values.length / columns);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / columns)]! += values[i]!;
  return sums;
}

/**
 * Never ends by itself.
 *
 * @public Called by its name from another thread.
 */
export function spin(): never {
  for (;;);
}

/** @public Called by its name from another thread. */
export function refuse(): never {
  throw new RangeError('columns must be positive, was 0');
}
