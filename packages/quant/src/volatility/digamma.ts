import { expect } from '../checks/expect.ts';

/** Below this the argument is lifted by the recurrence until the asymptotic series is exact to rounding. */
const SERIES_FROM = 10;

/** ψ(x), the slope of ln Γ, for x > 0. @see Abramowitz and Stegun 1964, 6.3.5 and 6.3.18 */
export function digamma(x: number): number {
  expect(x > 0, `x must be positive, was ${x}`);
  let sum = 0;
  let y = x;
  for (; y < SERIES_FROM; y++) sum -= 1 / y;
  const z = 1 / (y * y);
  return sum + Math.log(y) - 0.5 / y - z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))));
}
