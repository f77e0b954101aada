import { expect } from '../checks/expect.ts';

/** Plane rotations in the order in which they were made; number k turns rows `rows[k]` and `rows[k]` + 1. */
export type Rotations = { count: number; rows: Int32Array; cosines: Float64Array; sines: Float64Array };

/** Sweeps over all rows that a buffer holds before it is applied. */
export const SWEEPS_HELD = 32;
const EPSILON = 2 ** -52;
/** Couplings below this are zero beside a matrix whose largest entry is near one; their squares would underflow. */
const COUPLING_MIN = 1e-150;
/** Steps per eigenvalue; two are usual. */
const STEPS_MAX = 60;

/**
 * Eigenvalues of a symmetric tridiagonal matrix by implicit QR steps with Wilkinson's shift, in place.
 *
 * The rotations are handed on in full buffers instead of applied: who wants eigenvectors turns the rows of its basis by
 * them, many at a time.
 *
 * @param diagonal n finite values; become the eigenvalues, in no order.
 * @param coupling n values; coupling[k] joins k and k + 1, the last is not read. Destroyed.
 * @param rotations Room for at least n rotations.
 * @param apply Called when the buffer is full and at the end.
 * @throws RangeError if it does not converge, which finite input does not provoke.
 * @see Golub and Van Loan 2013, Matrix Computations, 4th ed., section 8.3.
 */
export function solveTridiagonal(
  diagonal: Float64Array,
  coupling: Float64Array,
  rotations: Rotations,
  apply: (rotations: Rotations) => void,
): void {
  let high = diagonal.length - 1;
  let stepsLeft = STEPS_MAX * diagonal.length;
  while (high > 0) {
    let low = high;
    while (low > 0 && !isNegligible(diagonal, coupling, low - 1)) low--;
    if (low > 0) coupling[low - 1] = 0;
    if (low === high) {
      high--;
      continue;
    }
    expect(stepsLeft-- > 0, 'the eigenvalues do not converge');
    if (rotations.count + high - low > rotations.rows.length) {
      apply(rotations);
      rotations.count = 0;
    }
    stepDown(diagonal, coupling, low, high, rotations);
  }
  apply(rotations);
  rotations.count = 0;
}

export function createRotations(n: number): Rotations {
  const room = SWEEPS_HELD * n;
  return { count: 0, rows: new Int32Array(room), cosines: new Float64Array(room), sines: new Float64Array(room) };
}

function isNegligible(diagonal: Float64Array, coupling: Float64Array, k: number): boolean {
  const size = Math.abs(coupling[k]!);
  return size <= EPSILON * (Math.abs(diagonal[k]!) + Math.abs(diagonal[k + 1]!)) || size < COUPLING_MIN;
}

/** One implicit step on the block low..high: a bulge is made at the top and chased out at the bottom. */
function stepDown(
  diagonal: Float64Array,
  coupling: Float64Array,
  low: number,
  high: number,
  rotations: Rotations,
): void {
  const last = coupling[high - 1]!;
  const half = (diagonal[high - 1]! - diagonal[high]!) / 2;
  const root = Math.sqrt(half * half + last * last);
  const shift = diagonal[high]! - (last * last) / (half + (half < 0 ? -root : root));
  let x = diagonal[low]! - shift;
  let bulge = coupling[low]!;
  for (let k = low; k < high; k++) {
    const length = Math.sqrt(x * x + bulge * bulge);
    const cosine = length > 0 ? x / length : 1;
    const sine = length > 0 ? bulge / length : 0;
    if (k > low) coupling[k - 1] = length;
    const above = diagonal[k]!;
    const below = diagonal[k + 1]!;
    const joint = coupling[k]!;
    const turn = sine * (below - above) + 2 * cosine * joint;
    diagonal[k] = above + sine * turn;
    diagonal[k + 1] = below - sine * turn;
    coupling[k] = cosine * turn - joint;
    x = coupling[k]!;
    if (k < high - 1) {
      bulge = sine * coupling[k + 1]!;
      coupling[k + 1]! *= cosine;
    }
    rotations.rows[rotations.count] = k;
    rotations.cosines[rotations.count] = cosine;
    rotations.sines[rotations.count++] = sine;
  }
}
