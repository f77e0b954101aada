/** Throws a RangeError with the given sentence when a caller broke a rule. The sentence gives the rule and the value. */
export function expect(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new RangeError(sentence);
}
