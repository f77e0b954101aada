import { expect } from '../checks/expect.ts';
import { cholesky, solveCholesky } from '../linalg/cholesky.ts';

export type RollingFitSettings = {
  /** Rows until the target of a row is known, >= 0: row s may train at t when s + delay <= t. */
  delay: number;
  /** Most training rows; the window grows to this and then rolls. */
  windowMax: number;
  /** Fewest training rows for a fit. */
  windowMin: number;
  /** Rows between two fits, >= 1; the coefficients are kept in between. */
  refitEvery: number;
  /** Added to the diagonal of X'X / n except for column 0 (the constant), >= 0. */
  ridge?: number;
};

export type RollingFit = {
  /** x_t' b_t per row, with b_t from the past of t only; NaN before the first fit and where x_t is incomplete. */
  fitted: Float64Array;
  /** Mean of exp(residual) over the training window of the same fit, the factor that takes out the bias of exp(fitted). */
  smear: Float64Array;
  /** Training rows of the last fit. */
  rowCount: number;
  /** Coefficients of the last fit, or null when there was none. */
  coefficients: Float64Array | null;
};

/**
 * Least squares refitted along the way, each time from the rows whose target was known by then.
 *
 * Rows with a missing value train nothing. Sums are kept up by adding the newest row and taking back the oldest; they are
 * summed afresh every `REBUILD_EVERY` fits, so that rounding cannot pile up. A window whose columns are dependent keeps the
 * coefficients of the fit before. Time O(fits · (window · K + K³)).
 *
 * @param y T targets; row t is known at t + delay.
 * @param x Row-major T × K; column 0 should be the constant.
 */
export function rollingFit(
  y: Float64Array,
  x: Float64Array,
  columnCount: number,
  settings: RollingFitSettings,
): RollingFit {
  const n = y.length;
  const k = columnCount;
  const { delay, windowMax, windowMin, refitEvery, ridge = 0 } = settings;
  expect(k >= 1 && x.length === n * k, `x must be ${n} x ${k}, had ${x.length} values`);
  expect(
    delay >= 0 && refitEvery >= 1 && windowMax >= windowMin && windowMin > k,
    'the window must exceed the columns',
  );
  const fitted = new Float64Array(n).fill(Number.NaN);
  const smear = new Float64Array(n).fill(Number.NaN);
  // Indices of the usable rows in time order; the window is rows[from] .. rows[to − 1].
  const rows: number[] = [];
  for (let t = 0; t < n; t++) if (isComplete(y[t]!, x, t, k)) rows.push(t);
  const sums = createSums(y, x, k, rows);
  let [from, to, sinceFit] = [0, 0, refitEvery];
  let coefficients: Float64Array | null = null;
  let factor = Number.NaN;
  let rowCount = 0;
  for (let t = 0; t < n; t++) {
    sinceFit++;
    while (to < rows.length && rows[to]! + delay <= t) sums.add(to++, 1);
    while (to - from > windowMax) sums.add(from++, -1);
    const solved = to - from >= windowMin && sinceFit >= refitEvery ? sums.solve(from, to, ridge) : null;
    if (solved) {
      coefficients = solved;
      sinceFit = 0;
      rowCount = to - from;
      let sum = 0;
      for (let s = from; s < to; s++) sum += Math.exp(y[rows[s]!]! - product(x, rows[s]!, solved));
      factor = sum / rowCount;
    }
    if (coefficients) {
      fitted[t] = product(x, t, coefficients);
      smear[t] = factor;
    }
  }
  return { fitted, smear, rowCount, coefficients };
}

/** X'X (lower triangle) and X'y over a moving window of the usable rows. */
function createSums(y: Float64Array, x: Float64Array, k: number, rows: readonly number[]) {
  const gram = new Float64Array(k * k);
  const moment = new Float64Array(k);
  let sinceRebuild = 0;
  const add = (place: number, sign: number) => accumulate(gram, moment, y, x, rows[place]!, k, sign);
  return {
    add,
    solve(from: number, to: number, ridge: number): Float64Array | null {
      if (++sinceRebuild >= REBUILD_EVERY) {
        sinceRebuild = 0;
        gram.fill(0);
        moment.fill(0);
        for (let place = from; place < to; place++) add(place, 1);
      }
      return solve(gram, moment, k, ridge * (to - from));
    },
  };
}

const REBUILD_EVERY = 200;

function isComplete(target: number, x: Float64Array, row: number, k: number): boolean {
  if (!Number.isFinite(target)) return false;
  for (let i = 0; i < k; i++) if (!Number.isFinite(x[row * k + i]!)) return false;
  return true;
}

function accumulate(
  gram: Float64Array,
  moment: Float64Array,
  y: Float64Array,
  x: Float64Array,
  row: number,
  k: number,
  sign: number,
): void {
  const at = row * k;
  for (let i = 0; i < k; i++) {
    const xi = sign * x[at + i]!;
    moment[i]! += xi * y[row]!;
    for (let j = 0; j <= i; j++) gram[i * k + j]! += xi * x[at + j]!;
  }
}

function solve(gram: Float64Array, moment: Float64Array, k: number, ridge: number): Float64Array | null {
  const damped = gram.slice();
  for (let i = 1; i < k; i++) damped[i * k + i]! += ridge;
  const factor = cholesky(damped, k);
  if (!factor) return null;
  return solveCholesky(factor, k, moment);
}

function product(x: Float64Array, row: number, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += x[row * b.length + i]! * b[i]!;
  return sum;
}
