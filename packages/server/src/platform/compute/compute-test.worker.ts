/** Sums of the rows of a row-major matrix, for the test of the threads. */
export function sumRows({ values, columns }: { values: Float64Array; columns: number }): Float64Array {
  const sums = new Float64Array(values.length / columns);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / columns)]! += values[i]!;
  return sums;
}

/** Never ends by itself. */
export function spin(): never {
  for (;;);
}

export function refuse(): never {
  throw new RangeError('columns must be positive, was 0');
}
