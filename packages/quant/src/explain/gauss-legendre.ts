/** Steps of Newton's method; five reach the last bit from the start taken here. */
const STEPS_MAX = 20;

/**
 * Points and weights in (0, 1) that integrate polynomials of degree 2 · count − 1 exactly.
 *
 * @see Abramowitz, M. and Stegun, I. A. (1964), Handbook of Mathematical Functions, 25.4.30.
 */
export function gaussLegendre(count: number): { points: Float64Array; weights: Float64Array } {
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    let x = Math.cos((Math.PI * (k + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < STEPS_MAX; step++) {
      let [previous, value] = [1, x];
      for (let n = 2; n <= count; n++) [previous, value] = [value, ((2 * n - 1) * x * value - (n - 1) * previous) / n];
      slope = (count * (x * value - previous)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    points[k] = (1 - x) / 2;
    weights[k] = 1 / ((1 - x * x) * slope * slope);
  }
  return { points, weights };
}
