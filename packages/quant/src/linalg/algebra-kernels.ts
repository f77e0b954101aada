/** Eigenvalues in no order, and their vectors as rows of a matrix whose rows are `stride` numbers apart. */
export type TurnedBasis = { values: Float64Array; basis: Float64Array; stride: number };

/** The work that takes the time of dense algebra. Inputs have been checked; matrices are row-major and stay as they are. */
export type AlgebraKernels = {
  /** A B, each entry summed in the order of the inner index. */
  multiply: (
    a: Float64Array,
    rowCount: number,
    innerCount: number,
    b: Float64Array,
    columnCount: number,
  ) => Float64Array;
  /** Cholesky factor of the lower triangle; null where a pivot is below its share of the diagonal or not finite. */
  factor: (matrix: Float64Array, n: number, pivotShareMin: number) => Float64Array | null;
  /** Eigenvalues and vectors of the lower triangle, whose largest entry is near one. The basis may be overwritten later. */
  diagonalise: (matrix: Float64Array, n: number) => TurnedBasis;
};
