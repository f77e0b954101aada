import { expect } from '../checks/expect.ts';
import { cholesky, solveCholesky } from '../linalg/cholesky.ts';

const STEPS_MAX = 50;
const STEP_SIZE_MIN = 1e-10;
/** Beyond this a logit changes no probability that anybody could measure, and its exponential may overflow. */
const LOGIT_MAX = 30;

/**
 * Logistic regression by Newton's method: P(y = 1) = 1 / (1 + exp(−x'b)).
 *
 * @param y n labels, 0 or 1.
 * @param x Row-major n × K, finite; column 0 should be the constant.
 * @param ridge Half of it times |b − center|² is added to the mean loss, column 0 excepted. > 0 keeps separable labels finite.
 * @param center K values that the ridge draws to. Absent: zero.
 * @returns K coefficients, or null where the columns are dependent and the ridge does not help.
 */
export function fitLogistic(
  y: Float64Array,
  x: Float64Array,
  columnCount: number,
  ridge: number,
  center = new Float64Array(columnCount),
): Float64Array | null {
  const k = columnCount;
  const n = y.length;
  expect(n >= 1 && x.length === n * k, `x must be ${n} x ${k}, had ${x.length} values`);
  const b = center.slice();
  for (let step = 0; step < STEPS_MAX; step++) {
    const hessian = new Float64Array(k * k);
    const slope = new Float64Array(k);
    for (let t = 0; t < n; t++) {
      let logit = 0;
      for (let i = 0; i < k; i++) logit += x[t * k + i]! * b[i]!;
      const p = probabilityOf(logit);
      const weight = Math.max(p * (1 - p), 1e-9) / n;
      for (let i = 0; i < k; i++) {
        const xi = x[t * k + i]!;
        slope[i]! += ((y[t]! - p) * xi) / n;
        for (let j = 0; j <= i; j++) hessian[i * k + j]! += weight * xi * x[t * k + j]!;
      }
    }
    for (let i = 1; i < k; i++) {
      hessian[i * k + i]! += ridge;
      slope[i]! -= ridge * (b[i]! - center[i]!);
    }
    const factor = cholesky(hessian, k);
    if (!factor) return null;
    const move = solveCholesky(factor, k, slope);
    const size = move.reduce((most, m) => Math.max(most, Math.abs(m)), 0);
    // A full Newton step far from the optimum can overshoot for good; two units of logit are enough a step.
    const shorten = Math.min(1, 2 / size);
    for (let i = 0; i < k; i++) b[i]! += shorten * move[i]!;
    if (size < STEP_SIZE_MIN) break;
  }
  return b.every(Number.isFinite) ? b : null;
}

export function probabilityOf(logit: number): number {
  return 1 / (1 + Math.exp(-Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, logit))));
}

export function logitOf(probability: number): number {
  return Math.log(probability / (1 - probability));
}
