import { cholesky, solveCholesky } from '../../linalg/cholesky.ts';
import type { Watch } from '../learner.ts';
import type { Standardised } from './standardise.ts';

/** Loss of one row at a margin: its value, slope and curvature (>= 0). */
export type MarginLoss = (margin: number, target: number) => { value: number; slope: number; curvature: number };

const STEPS_MAX = 100;
const HALVINGS_MAX = 50;
/** Size of a step, in units of a margin, below which the answer has settled. */
const STEP_SIZE_MIN = 1e-11;
const ARMIJO = 1e-4;
/** Keeps a step defined where no row bends: as a share of the largest curvature. */
const DAMPING = 1e-12;

/**
 * Weights and intercept that make Σ weight · loss(margin, y) + penalty / 2 · |β|² least, by Newton steps that are halved
 * until they fall. The loss is convex in the margin; the intercept carries no penalty. Time O(steps · rows · features²).
 */
export function minimiseMargins(
  data: Standardised,
  loss: MarginLoss,
  penalty: number,
  watch?: Watch,
): { weights: Float64Array; intercept: number } {
  const { featureCount } = data;
  const size = featureCount + 1;
  // The intercept stands last.
  let at = new Float64Array(size);
  for (let step = 0; step < STEPS_MAX; step++) {
    watch?.(step, STEPS_MAX);
    const { value, slope, bend } = expand(data, loss, penalty, at);
    let most = 0;
    for (let j = 0; j < size; j++) most = Math.max(most, bend[j * size + j]!);
    for (let j = 0; j < size; j++) bend[j * size + j]! += DAMPING * most;
    const factor = cholesky(bend, size);
    if (!factor) break;
    const move = solveCholesky(factor, size, slope);
    const fall = move.reduce((sum, m, j) => sum + m * slope[j]!, 0);
    const next = search(data, loss, penalty, at, move, value, fall);
    if (next === null) break;
    const moved = next.reduce((largest, x, j) => Math.max(largest, Math.abs(x - at[j]!)), 0);
    at = next;
    if (moved < STEP_SIZE_MIN) break;
  }
  watch?.(STEPS_MAX, STEPS_MAX);
  return { weights: at.slice(0, featureCount), intercept: at[featureCount]! };
}

function marginOf(data: Standardised, row: number, at: Float64Array): number {
  const k = data.featureCount;
  let margin = at[k]!;
  for (let j = 0; j < k; j++) margin += at[j]! * data.x[row * k + j]!;
  return margin;
}

function expand(data: Standardised, loss: MarginLoss, penalty: number, at: Float64Array) {
  const k = data.featureCount;
  const size = k + 1;
  const slope = new Float64Array(size);
  const bend = new Float64Array(size * size);
  const z = new Float64Array(size).fill(1);
  let sum = 0;
  for (let row = 0; row < data.rowCount; row++) {
    const told = loss(marginOf(data, row, at), data.target[row]!);
    const weight = data.weight[row]!;
    sum += weight * told.value;
    z.set(data.x.subarray(row * k, (row + 1) * k));
    const down = weight * told.slope;
    const curve = weight * told.curvature;
    for (let i = 0; i < size; i++) {
      slope[i]! -= down * z[i]!;
      const bent = curve * z[i]!;
      if (bent !== 0) for (let j = 0; j <= i; j++) bend[i * size + j]! += bent * z[j]!;
    }
  }
  for (let j = 0; j < k; j++) {
    sum += (penalty / 2) * at[j]! ** 2;
    slope[j]! -= penalty * at[j]!;
    bend[j * size + j]! += penalty;
  }
  return { value: sum, slope, bend };
}

/** The first of 1, 1/2, 1/4, … of the step that falls by a share of what its slope promises; null where none does. */
function search(
  data: Standardised,
  loss: MarginLoss,
  penalty: number,
  at: Float64Array,
  move: Float64Array,
  value: number,
  fall: number,
): Float64Array<ArrayBuffer> | null {
  let share = 1;
  for (let halving = 0; halving < HALVINGS_MAX; halving++) {
    const next = Float64Array.from(at, (x, j) => x + share * move[j]!);
    let sum = 0;
    for (let row = 0; row < data.rowCount; row++)
      sum += data.weight[row]! * loss(marginOf(data, row, next), data.target[row]!).value;
    for (let j = 0; j < data.featureCount; j++) sum += (penalty / 2) * next[j]! ** 2;
    // The last steps change the sum by less than its rounding, and are taken.
    if (sum <= value - ARMIJO * share * fall + 1e-13 * Math.abs(value)) return next;
    share /= 2;
  }
  return null;
}
