const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** The next smaller float64. */
export function below64(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  if (value === Number.NEGATIVE_INFINITY) return value;
  double[0] = value;
  doubleBits[0] = doubleBits[0]! + (value > 0 ? -1n : 1n);
  return double[0]!;
}

/** The next smaller float32; `value` is one. */
export function below32(value: number): number {
  return -above32(-value);
}

/** The next larger float32; `value` is one. */
export function above32(value: number): number {
  single[0] = value === 0 ? 0 : value;
  singleBits[0] = singleBits[0]! + (value >= 0 ? 1 : -1);
  return single[0]!;
}

/** The smallest float32 that a split sends right: `>= threshold` after 'less', `> threshold` after 'less_or_equal'. */
export function firstRight32(threshold: number, comparison: 'less' | 'less_or_equal'): number {
  const rounded = Math.fround(threshold);
  const isRight = comparison === 'less' ? rounded >= threshold : rounded > threshold;
  return isRight ? rounded : above32(rounded);
}
