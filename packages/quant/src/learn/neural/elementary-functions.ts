/*
 * Functions of float64 made of additions, multiplications and divisions alone. Those of the engine may differ in the last bit
 * from one engine to the next, and a model must be the same bytes everywhere.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;
const EXPONENT_MAX = 708;

/** e^x for |x| <= 708, and the value there beyond. */
export function exponential(x: number): number {
  const bounded = Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, x));
  const n = Math.floor(bounded * Math.LOG2E + 0.5);
  const r = bounded - n * LN2_HIGH - n * LN2_LOW;
  let sum = 1;
  for (let k = 14; k >= 1; k--) sum = 1 + (sum * r) / k;
  for (let k = 0; k < Math.abs(n); k++) sum *= n > 0 ? 2 : 0.5;
  return sum;
}

/** 1 / (1 + e^−x). */
export function logistic(x: number): number {
  return 1 / (1 + exponential(-x));
}

/** ln(1 + u) for u in [0, 1]: 2 artanh(u / (2 + u)). */
export function logarithmOfOnePlus(u: number): number {
  const s = u / (2 + u);
  let sum = 0;
  for (let k = 35; k >= 1; k -= 2) sum = sum * s * s + 1 / k;
  return 2 * s * sum;
}

/** cos x for |x| up to some thousands. */
export function cosine(x: number): number {
  const quarter = Math.floor(x / (HALF_PI_HIGH + HALF_PI_LOW) + 0.5);
  const r = x - quarter * HALF_PI_HIGH - quarter * HALF_PI_LOW;
  const turn = ((quarter % 4) + 4) % 4;
  const value = turn % 2 === 0 ? cosineSeries(r) : sineSeries(r);
  return turn === 1 || turn === 2 ? -value : value;
}

/** sin x for |x| up to some thousands. */
export function sine(x: number): number {
  return cosine(x - HALF_PI_HIGH - HALF_PI_LOW);
}

function cosineSeries(r: number): number {
  let sum = 1;
  for (let k = 18; k >= 2; k -= 2) sum = 1 - (sum * r * r) / (k * (k - 1));
  return sum;
}

function sineSeries(r: number): number {
  let sum = 1;
  for (let k = 19; k >= 3; k -= 2) sum = 1 - (sum * r * r) / (k * (k - 1));
  return r * sum;
}
