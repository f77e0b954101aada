import { expect } from '../checks/expect.ts';

const LOG_SQRT_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** Below this the argument is lifted by the recurrence until the asymptotic series is exact to rounding. */
const SERIES_FROM = 10;

/**
 * ln Γ(x) for x > 0, relative error below 1e-14: the recurrence up to ten, then Stirling's series.
 *
 * @see Abramowitz and Stegun 1964, 6.1.41
 */
export function logGamma(x: number): number {
  expect(x > 0, `x must be positive, was ${x}`);
  let product = 1;
  let y = x;
  for (; y < SERIES_FROM; y++) product *= y;
  const z = 1 / (y * y);
  const series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - (z * 691) / 360360))))) / y;
  return (y - 0.5) * Math.log(y) - y + LOG_SQRT_TWO_PI + series - Math.log(product);
}

/** ψ(x), the slope of ln Γ, for x > 0. @see Abramowitz and Stegun 1964, 6.3.18 */
export function digamma(x: number): number {
  expect(x > 0, `x must be positive, was ${x}`);
  let sum = 0;
  let y = x;
  for (; y < SERIES_FROM; y++) sum -= 1 / y;
  const z = 1 / (y * y);
  return sum + Math.log(y) - 0.5 / y - z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))));
}

/**
 * Distribution function of Student's t with `freedom` > 0 degrees, not scaled to unit variance.
 *
 * @see Abramowitz and Stegun 1964, 26.7.1 and 26.5.8
 */
export function studentTCdf(x: number, freedom: number): number {
  expect(freedom > 0, `the degrees of freedom must be positive, were ${freedom}`);
  if (Number.isNaN(x)) return Number.NaN;
  if (!Number.isFinite(x)) return x > 0 ? 1 : 0;
  const square = x * x;
  // The smaller of the two complementary arguments keeps the digits of the tail.
  const tail =
    square > 1
      ? 0.5 * incompleteBeta(freedom / (freedom + square), freedom / 2, 0.5)
      : 0.5 * (1 - incompleteBeta(square / (freedom + square), 0.5, freedom / 2));
  return x < 0 ? tail : 1 - tail;
}

/**
 * The x with `studentTCdf(x, freedom)` equal to `probability`, by bisection to full precision.
 *
 * @throws RangeError unless 0 < probability < 1.
 */
export function studentTQuantile(probability: number, freedom: number): number {
  expect(probability > 0 && probability < 1, `probability must be between 0 and 1, was ${probability}`);
  if (probability > 0.5) return -studentTQuantile(1 - probability, freedom);
  let low = -1;
  while (studentTCdf(low, freedom) > probability) low *= 2;
  let high = 0;
  for (let k = 0; k < 200 && high - low > 1e-15 * Math.abs(low); k++) {
    const middle = (low + high) / 2;
    if (studentTCdf(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Density of Student's t with `freedom` degrees, not scaled to unit variance. */
export function studentTDensity(x: number, freedom: number): number {
  const log = logGamma((freedom + 1) / 2) - logGamma(freedom / 2) - 0.5 * Math.log(Math.PI * freedom);
  return Math.exp(log - ((freedom + 1) / 2) * Math.log1p((x * x) / freedom));
}

/** Regularised incomplete beta I_x(a, b) by its continued fraction, evaluated with Lentz's method. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * fraction;

  function guard(value: number): number {
    return Math.abs(value) < tiny ? tiny : value;
  }
}
