import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { multiply } from '../linalg/multiply.ts';

export type GraphicalLasso =
  | {
      status: 'ok';
      /** Row-major N × N inverse covariance, symmetric, exactly zero where there is no direct link. */
      precision: Float64Array;
      /** Row-major N × N covariance it is the inverse of. */
      covariance: Float64Array;
      sweepCount: number;
    }
  | Unanswered;

export type GraphicalLassoOptions = {
  /** Mean change of an entry in a sweep, over the mean size of those off the diagonal, that counts as none. */
  tolerance?: number;
  sweepsMax?: number;
  /** A covariance to start from: that of a near problem with the same diagonal. */
  start?: Float64Array;
};

const SWEEPS_MAX = 100;
const INNER_MAX = 1000;

/**
 * The inverse covariance that is most likely, less a penalty on the sizes of what lies off its diagonal: column by column,
 * each a lasso of one variable on all others. The diagonal is not penalised.
 *
 * @param sample Row-major N × N covariance or correlation, finite, diagonal above zero.
 * @param penalty >= 0; 0 gives the inverse, which has to exist then.
 * @returns `undefined` when the sweeps were not enough.
 * @throws RangeError on a wrong shape, a value that is not finite, or a diagonal that is not positive.
 * @see Friedman, Hastie and Tibshirani 2008, doi:10.1093/biostatistics/kxm045.
 */
export function graphicalLasso(
  sample: Float64Array,
  count: number,
  penalty: number,
  { tolerance = 1e-4, sweepsMax = SWEEPS_MAX, start }: GraphicalLassoOptions = {},
): GraphicalLasso {
  const n = count;
  expect(sample.length === n * n, `sample must be ${n} x ${n}, had ${sample.length} values`);
  expect(sample.every(Number.isFinite), 'sample must be finite');
  expect(penalty >= 0 && penalty < Number.POSITIVE_INFINITY, `penalty must be at least 0, was ${penalty}`);
  for (let i = 0; i < n; i++)
    expect(sample[i * n + i]! > 0, `variance ${i} must be positive, was ${sample[i * n + i]}`);
  const covariance = (start ?? sample).slice();
  for (let i = 0; i < n; i++) covariance[i * n + i] = sample[i * n + i]!;
  // Row j holds the coefficients of the lasso of variable j on the others; its own place stays zero.
  const beta = new Float64Array(n * n);
  const product = new Float64Array(n);
  const limit = tolerance * meanOffDiagonal(sample, n);
  let sweepCount = 0;
  for (let isDone = n < 2; !isDone; ) {
    if (sweepCount >= sweepsMax) return unanswered(`${sweepsMax} sweeps were not enough for a penalty of ${penalty}`);
    sweepCount++;
    let change = 0;
    for (let j = 0; j < n; j++) {
      lassoColumn(covariance, sample, n, j, penalty, beta, product, limit);
      for (let i = 0; i < n; i++) {
        if (i === j) continue;
        change += Math.abs(product[i]! - covariance[i * n + j]!);
        covariance[i * n + j] = product[i]!;
        covariance[j * n + i] = product[i]!;
      }
    }
    isDone = change / (n * (n - 1)) <= limit;
  }
  return { status: 'ok', precision: precisionOf(covariance, beta, n), covariance, sweepCount };
}

/** Minimises ½ b' W b − s' b + penalty |b|₁ over all places but j, and leaves W b in `product`. */
function lassoColumn(
  covariance: Float64Array,
  sample: Float64Array,
  n: number,
  j: number,
  penalty: number,
  beta: Float64Array,
  product: Float64Array,
  limit: number,
): void {
  const own = j * n;
  product.fill(0);
  for (let k = 0; k < n; k++) addRow(product, covariance, n, k, beta[own + k]!);
  const least = Math.max(limit * 0.1, 1e-14);
  // Between looks at all places only those that are not zero are worked on, which is most of the way for a tenth of the cost.
  for (let round = 0, isWhole = true; round < INNER_MAX; round++) {
    let largest = 0;
    for (let k = 0; k < n; k++) {
      if (k === j || (!isWhole && beta[own + k] === 0)) continue;
      const weight = covariance[k * n + k]!;
      const before = beta[own + k]!;
      const pull = sample[own + k]! - product[k]! + weight * before;
      const after = (Math.sign(pull) * Math.max(0, Math.abs(pull) - penalty)) / weight;
      const step = after - before;
      if (step === 0) continue;
      beta[own + k] = after;
      addRow(product, covariance, n, k, step);
      largest = Math.max(largest, Math.abs(step) * weight);
    }
    if (largest <= least) {
      if (isWhole) return;
      isWhole = true;
    } else isWhole = false;
  }
}

function addRow(product: Float64Array, matrix: Float64Array, n: number, row: number, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < n; i++) product[i]! += factor * matrix[row * n + i]!;
}

function precisionOf(covariance: Float64Array, beta: Float64Array, n: number): Float64Array {
  const precision = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    let explained = 0;
    for (let k = 0; k < n; k++) explained += covariance[j * n + k]! * beta[j * n + k]!;
    const diagonal = 1 / (covariance[j * n + j]! - explained);
    precision[j * n + j] = diagonal;
    for (let k = 0; k < n; k++) if (k !== j) precision[j * n + k] = -beta[j * n + k]! * diagonal;
  }
  // Both sides of a pair are told by their own lasso; a link is one that both tell.
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [x, y] = [precision[i * n + j]!, precision[j * n + i]!];
      const value = x === 0 || y === 0 ? 0 : (x + y) / 2;
      precision[i * n + j] = value;
      precision[j * n + i] = value;
    }
  return precision;
}

function meanOffDiagonal(sample: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) sum += Math.abs(sample[i * n + j]!);
  return n < 2 ? 0 : sum / (n * (n - 1));
}

/** −Pᵢⱼ / √(Pᵢᵢ Pⱼⱼ), one on the diagonal: what is left between two when all others are held fixed. */
export function partialCorrelations(precision: Float64Array, count: number): Float64Array {
  return precision.map((value, k) => {
    const [i, j] = [Math.floor(k / count), k % count];
    if (i === j) return 1;
    const scale = Math.sqrt(precision[i * count + i]! * precision[j * count + j]!);
    return value === 0 ? 0 : Math.max(-1, Math.min(1, -value / scale));
  });
}

/** √(ln N / T): the size that chance alone gives the largest of N correlations from T observations, up to a factor. */
export function graphPenalty(count: number, rowCount: number): number {
  return Math.sqrt(Math.log(Math.max(2, count)) / rowCount);
}

/**
 * The inverse covariance without what the penalty took: 2 P − P S P. Not sparse; its entries are about normal, of variance
 * (Pᵢᵢ Pⱼⱼ + Pᵢⱼ²) / T.
 *
 * @param precision Of `graphicalLasso`. @param sample What it was fitted to.
 * @see Janková and van de Geer 2015, doi:10.1214/15-EJS1031.
 */
export function withoutPenalty(precision: Float64Array, sample: Float64Array, count: number): Float64Array {
  const product = multiply(multiply(precision, count, count, sample, count), count, count, precision, count);
  return precision.map((value, k) => 2 * value - product[k]!);
}

export type DirectLink = {
  /** Below `b`. */
  a: number;
  b: number;
  /** −1..1, what is left between the two when all others are held fixed. */
  partialCorrelation: number;
};

/**
 * Pairs that hang together beyond what all others explain: those that the graphical lasso links, and whose partial
 * correlation without the penalty is larger than √(2 ln N) of its standard errors, about the largest that N chances give.
 * The lasso alone also links neighbours of neighbours, because it takes something from every true link.
 *
 * @param correlation Row-major N × N, finite. @param rowCount Observations behind it.
 * @returns `undefined` when the lasso did not converge.
 */
export function findDirectLinks(
  correlation: Float64Array,
  count: number,
  rowCount: number,
  options: GraphicalLassoOptions = {},
): { status: 'ok'; links: DirectLink[]; covariance: Float64Array } | Unanswered {
  const fit = graphicalLasso(correlation, count, graphPenalty(count, rowCount), options);
  if (fit.status !== 'ok') return fit;
  const told = withoutPenalty(fit.precision, correlation, count);
  const partial = partialCorrelations(told, count);
  const bar = Math.sqrt(2 * Math.log(Math.max(2, count)));
  const links: DirectLink[] = [];
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++) {
      const at = a * count + b;
      if (fit.precision[at] === 0) continue;
      const variance = fit.precision[a * (count + 1)]! * fit.precision[b * (count + 1)]! + fit.precision[at]! ** 2;
      if (Math.abs(told[at]!) > bar * Math.sqrt(variance / rowCount))
        links.push({ a, b, partialCorrelation: partial[at]! });
    }
  return { status: 'ok', links, covariance: fit.covariance };
}
