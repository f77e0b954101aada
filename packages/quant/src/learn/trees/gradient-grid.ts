/**
 * Sums of floating-point numbers depend on their order, unless all lie on a grid so coarse that no sum is rounded. Gradients are
 * put on such a grid: then histograms may be summed in any order, and a sibling's is the exact difference. The steps are
 * 2^−50 of the largest sum there can be, finer than the float32 that a gradient is kept in.
 */

/**
 * What is added to and taken away from numbers of at most `largest` to put them on the grid for sums of `count` of them. 0 leaves
 * them as they are: there is nothing to sum.
 */
export function gridFor(largest: number, count: number): number {
  const bound = largest * Math.max(1, count);
  if (!(bound > 0)) return 0;
  let power = 1;
  while (power < bound) power *= 2;
  while (power / 2 >= bound) power /= 2;
  // In 4..8 powers a float64 has steps of 2^−50 powers.
  return 6 * power;
}

/** A value on its grid. */
export function onGrid(value: number, grid: number): number {
  return value + grid - grid;
}

/** The same whatever the order of the values. */
export function orderlessSum(values: Float64Array): number {
  const grid = gridFor(largestOf(values), values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += onGrid(values[i]!, grid);
  return sum;
}

export function largestOf(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}
