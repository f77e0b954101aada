import { addScaled, dotProduct } from './dot-product.ts';

/** Beside columns of a length near one, a rest below this is rounding; the inverse of its square might overflow. */
const REST_MIN = 1e-140;

/** Householder factors of a matrix whose columns are laid out one after the other. */
export type ReflectedColumns = {
  /** `columnCount` × `rowCount`: column j of R in the first places, the reflector of step r in the places from r on. */
  columns: Float64Array;
  /** For each step: which column it made, in the order of the steps. */
  pivots: number[];
  /** Columns that are a combination of the pivots before them, ascending. */
  dependent: number[];
  /** For each step: the diagonal entry of R, and 2 / |v|² of its reflector v (zero where nothing was to reflect). */
  diagonal: number[];
  betas: number[];
};

/**
 * Householder reflections that bring one column after the other to triangular form, in place.
 *
 * A negative tolerance keeps every column. A column whose rest is at most `tolerance` of its own length is called dependent and passed over; so is what comes after
 * all rows are used up. With `order: 'largest'` the column with the longest rest goes next and the first that is too short
 * ends the work, else columns go from left to right.
 *
 * @param columns `columnCount` × `rowCount`, finite; overwritten.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., sections 5.2 and 5.4.2.
 */
export function reflectColumns(
  columns: Float64Array,
  rowCount: number,
  columnCount: number,
  tolerance: number,
  order: 'given' | 'largest' = 'given',
): ReflectedColumns {
  const lengths = Array.from({ length: columnCount }, (_, j) => restLength(columns, rowCount, j, 0));
  const longest = Math.max(0, ...lengths);
  const result: ReflectedColumns = { columns, pivots: [], dependent: [], diagonal: [], betas: [] };
  const waiting = Array.from({ length: columnCount }, (_, j) => j);
  while (waiting.length > 0) {
    const step = result.pivots.length;
    const at = order === 'given' ? 0 : findLongest(columns, rowCount, waiting, step);
    const column = waiting[at]!;
    const rest = restLength(columns, rowCount, column, step);
    waiting.splice(at, 1);
    const least = tolerance * (order === 'given' ? lengths[column]! : longest);
    if (step >= rowCount || (tolerance >= 0 && !(rest > least))) {
      result.dependent.push(column);
      continue;
    }
    reflect(result, rowCount, column, step, rest, waiting);
  }
  result.dependent.sort((a, b) => a - b);
  return result;
}

/** Applies the reflections in their order to a vector: the first places become Qᵀ y. */
export function applyReflections(factors: ReflectedColumns, rowCount: number, vector: Float64Array, start = 0): void {
  for (let step = 0; step < factors.pivots.length; step++) applyReflection(factors, rowCount, step, vector, start);
}

/** Applies the reflections in reverse order: Q times a vector. */
export function undoReflections(factors: ReflectedColumns, rowCount: number, vector: Float64Array, start = 0): void {
  for (let step = factors.pivots.length - 1; step >= 0; step--) applyReflection(factors, rowCount, step, vector, start);
}

function applyReflection(
  factors: ReflectedColumns,
  rowCount: number,
  step: number,
  vector: Float64Array,
  start: number,
): void {
  const beta = factors.betas[step]!;
  if (beta === 0) return;
  const from = factors.pivots[step]! * rowCount + step;
  const along = dotProduct(factors.columns, from, vector, start + step, rowCount - step);
  addScaled(vector, start + step, factors.columns, from, rowCount - step, -beta * along);
}

function reflect(
  factors: ReflectedColumns,
  rowCount: number,
  column: number,
  step: number,
  rest: number,
  others: readonly number[],
): void {
  const { columns } = factors;
  const from = column * rowCount + step;
  const first = columns[from]!;
  if (rest < REST_MIN) {
    factors.pivots.push(column);
    factors.diagonal.push(first);
    factors.betas.push(0);
    return;
  }
  // Reflects away from the first entry, so that nothing cancels.
  const diagonal = first > 0 ? -rest : rest;
  columns[from] = first - diagonal;
  const square = dotProduct(columns, from, columns, from, rowCount - step);
  factors.pivots.push(column);
  factors.diagonal.push(diagonal);
  factors.betas.push(2 / square);
  for (const other of others) applyReflection(factors, rowCount, step, columns, other * rowCount);
}

function findLongest(columns: Float64Array, rowCount: number, waiting: readonly number[], step: number): number {
  let best = 0;
  let longest = -1;
  for (const [at, column] of waiting.entries()) {
    const length = restLength(columns, rowCount, column, step);
    if (length > longest) {
      longest = length;
      best = at;
    }
  }
  return best;
}

/** Length of a column from row `step` on. Callers bring columns to a length near one, so that no square overflows. */
function restLength(columns: Float64Array, rowCount: number, column: number, step: number): number {
  const count = rowCount - step;
  if (count <= 0) return 0;
  const from = column * rowCount + step;
  return Math.sqrt(dotProduct(columns, from, columns, from, count));
}
