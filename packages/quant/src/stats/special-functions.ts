/** Coefficients of Stirling's series: B₂ₖ / (2k (2k − 1)). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
/** From here on the seven terms of the series leave less than 1e-16. */
const STIRLING_FROM = 12;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
const EPSILON = 2 ** -53;
const TINY = 1e-300;

/** ln Γ(x) for x > 0, absolute error below 1e-14 · max(1, |ln Γ|). Abramowitz and Stegun 1964, 6.1.15 and 6.1.41. */
export function logGamma(x: number): number {
  let product = 1;
  let y = x;
  for (; y < STIRLING_FROM; y++) product *= y;
  return (y - 0.5) * Math.log(y) - y + HALF_LOG_TWO_PI + stirlingRest(y) - Math.log(product);
}

/** ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b), without the cancellation of its large parts. */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  if (large < STIRLING_FROM) return logGamma(small) + logGamma(large) - logGamma(small + large);
  // ln Γ(large) − ln Γ(small + large) from the series of both.
  const sum = small + large;
  const difference =
    (large - 0.5) * Math.log1p(-small / sum) - small * Math.log(sum) + small + stirlingRest(large) - stirlingRest(sum);
  return logGamma(small) + difference;
}

/**
 * Regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 − P, the smaller of the two with full relative accuracy.
 *
 * Series below a + 1, continued fraction above. About √a terms.
 *
 * @param a > 0.
 * @param x >= 0; infinity is allowed.
 * @see DLMF 8.7.1 and 8.9.2, https://dlmf.nist.gov/8.
 */
export function incompleteGamma(a: number, x: number): { lower: number; upper: number } {
  if (!(x > 0)) return { lower: 0, upper: 1 };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  const front = powerOverGamma(a, x);
  const termsMax = 1000 + 30 * Math.ceil(Math.sqrt(a));
  if (x < a + 1) {
    let term = 1;
    let sum = 1;
    for (let k = 1; k < termsMax && term > EPSILON * sum; k++) {
      term *= x / (a + k);
      sum += term;
    }
    const lower = Math.min(1, front * sum);
    return { lower, upper: 1 - lower };
  }
  // x^a e^-x / Γ(a + 1) times a / (x + 1 − a − 1(1 − a) / (x + 3 − a − ...)).
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < termsMax; k++) {
    const numerator = -k * (k - a);
    b += 2;
    d = 1 / awayFromZero(numerator * d + b);
    c = awayFromZero(b + numerator / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 2 * EPSILON) break;
  }
  const upper = Math.min(1, front * a * fraction);
  return { lower: 1 - upper, upper };
}

/**
 * Regularised incomplete beta function I_x(a, b) and its complement, the smaller of the two with full relative accuracy.
 *
 * @param a > 0.
 * @param b > 0.
 * @param x 0..1.
 * @param rest 1 − x, where the caller knows it better than the subtraction does.
 * @see DLMF 8.17.22, https://dlmf.nist.gov/8.17.
 */
export function incompleteBeta(a: number, b: number, x: number, rest = 1 - x): { lower: number; upper: number } {
  if (!(x > 0)) return { lower: 0, upper: 1 };
  if (!(rest > 0)) return { lower: 1, upper: 0 };
  if (x * (a + b + 2) < a + 1) {
    const lower = Math.min(1, betaFraction(a, b, x, rest));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, betaFraction(b, a, rest, x));
  return { lower: 1 - upper, upper };
}

/** ln Γ(y) minus its main part, for y from `STIRLING_FROM` on. */
function stirlingRest(y: number): number {
  const square = 1 / (y * y);
  let sum = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = sum * square + STIRLING[k]!;
  return sum / y;
}

/** x^a e^−x / Γ(a + 1). */
function powerOverGamma(a: number, x: number): number {
  if (a < STIRLING_FROM) return Math.exp(a * Math.log(x) - x - logGamma(a + 1));
  // With Stirling's main part taken out, nothing large is left to cancel near x = a.
  const away = (x - a) / a;
  const log = Math.abs(away) < 0.5 ? Math.log1p(away) : Math.log(x / a);
  return Math.exp(-a * (away - log) - stirlingRest(a)) / Math.sqrt(2 * Math.PI * a);
}

function betaFraction(a: number, b: number, x: number, rest: number): number {
  const front = Math.exp(a * Math.log(x) + b * (x < 0.5 ? Math.log1p(-x) : Math.log(rest)) - logBeta(a, b)) / a;
  const termsMax = 1000 + 30 * Math.ceil(Math.sqrt(Math.max(a, b)));
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let k = 1; k < termsMax; k++) {
    const even = (k * (b - k) * x) / ((a + 2 * k - 1) * (a + 2 * k));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + k) * (a + b + k) * x) / ((a + 2 * k) * (a + 2 * k + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 2 * EPSILON) break;
  }
  return front * fraction;
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
