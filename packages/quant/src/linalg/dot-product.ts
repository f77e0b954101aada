/**
 * Σ a[aStart + k] b[bStart + k] over `count` values, in four lanes.
 *
 * The order of the sum is fixed: value k goes to lane k mod 4 for the first 4⌊count / 4⌋ values, the lanes are added as
 * (0 + 2) + (1 + 3), and the rest follows one by one. The WebAssembly twin adds in the same order, so that both agree to
 * the last bit.
 */
export function dotProduct(a: Float64Array, aStart: number, b: Float64Array, bStart: number, count: number): number {
  let lane0 = 0;
  let lane1 = 0;
  let lane2 = 0;
  let lane3 = 0;
  let k = 0;
  for (; k + 3 < count; k += 4) {
    lane0 += a[aStart + k]! * b[bStart + k]!;
    lane1 += a[aStart + k + 1]! * b[bStart + k + 1]!;
    lane2 += a[aStart + k + 2]! * b[bStart + k + 2]!;
    lane3 += a[aStart + k + 3]! * b[bStart + k + 3]!;
  }
  let sum = lane0 + lane2 + (lane1 + lane3);
  for (; k < count; k++) sum += a[aStart + k]! * b[bStart + k]!;
  return sum;
}

/** target[targetStart + k] += factor · source[sourceStart + k] over `count` values. */
export function addScaled(
  target: Float64Array,
  targetStart: number,
  source: Float64Array,
  sourceStart: number,
  count: number,
  factor: number,
): void {
  let k = 0;
  for (; k + 3 < count; k += 4) {
    target[targetStart + k]! += factor * source[sourceStart + k]!;
    target[targetStart + k + 1]! += factor * source[sourceStart + k + 1]!;
    target[targetStart + k + 2]! += factor * source[sourceStart + k + 2]!;
    target[targetStart + k + 3]! += factor * source[sourceStart + k + 3]!;
  }
  for (; k < count; k++) target[targetStart + k]! += factor * source[sourceStart + k]!;
}
