/** Throws a RangeError with the given sentence when a caller broke a rule. The sentence gives the rule and the value. */
export function expect(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new RangeError(sentence);
}

/** Whether no value is NaN or infinite. A loop: `every` with a function takes longer than a small regression. */
export function areFinite(values: Float64Array): boolean {
  // A difference with itself is NaN for what is not finite, and NaN stays.
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]! - values[k]!;
  return sum === 0;
}
