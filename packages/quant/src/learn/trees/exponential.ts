const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** 1.5 · 2^52: adding it leaves a whole number. */
const ROUNDER = 6755399441055744;
const EXPONENT_MAX = 700;

const power = new Float64Array(1);
const powerWords = new Int32Array(power.buffer);

/**
 * e^x within 1e-15 of itself, |x| held to 700. Only sums and products in a set order: unlike `Math.exp` it gives the same bits in
 * every engine and in WebAssembly.
 */
export function exponential(given: number): number {
  const x = Math.min(Math.max(given, -EXPONENT_MAX), EXPONENT_MAX);
  const k = x * Math.LOG2E + ROUNDER - ROUNDER;
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  // The series of e^r, |r| <= ln(2)/2: the first term left out is below 1e-17.
  let sum = 1 / 6227020800;
  sum = sum * r + 1 / 479001600;
  sum = sum * r + 1 / 39916800;
  sum = sum * r + 1 / 3628800;
  sum = sum * r + 1 / 362880;
  sum = sum * r + 1 / 40320;
  sum = sum * r + 1 / 5040;
  sum = sum * r + 1 / 720;
  sum = sum * r + 1 / 120;
  sum = sum * r + 1 / 24;
  sum = sum * r + 1 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  powerWords[1] = (k + 1023) << 20;
  return sum * power[0]!;
}

/** 1 / (1 + e^−margin). */
export function logistic(margin: number): number {
  return 1 / (1 + exponential(-margin));
}
