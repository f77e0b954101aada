/** Value and gradient at a point; the gradient is written into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export type Minimum = {
  point: Float64Array;
  value: number;
  /** Largest absolute component of the gradient at the point. */
  gradientSize: number;
  iterations: number;
  converged: boolean;
};

const ITERATIONS_MAX = 400;
const GRADIENT_SIZE_MAX = 1e-9;
/** Small enough to call a point a minimum. */
const SETTLED_SIZE = 1e-6;
const ARMIJO = 1e-4;
const HALVINGS_MAX = 40;

/**
 * Local minimum of a smooth function by BFGS with a backtracking line search. Deterministic: same start, same steps. A
 * step to a point whose value is not finite is shortened.
 *
 * @param start Unchanged.
 * @see Nocedal and Wright 2006, Numerical Optimization, 2nd edition, algorithm 6.1, doi:10.1007/978-0-387-40065-5
 */
export function minimise(objective: Objective, start: Float64Array): Minimum {
  const n = start.length;
  let at: Place = { point: start.slice(), gradient: new Float64Array(n), value: Number.NaN };
  at.value = objective(at.point, at.gradient);
  const inverse = identity(n);
  let isFresh = true;
  let iterations = 0;
  for (; iterations < ITERATIONS_MAX && Number.isFinite(at.value); iterations++) {
    if (largest(at.gradient) < GRADIENT_SIZE_MAX) break;
    const direction = downhill(inverse, at.gradient);
    // Rounding can turn the direction uphill: then the curvature learnt so far is thrown away.
    if (!(dot(direction, at.gradient) < 0)) {
      reset(inverse, n);
      isFresh = true;
      continue;
    }
    const next = search(objective, at, direction, isFresh);
    if (!next) {
      if (isFresh) break;
      reset(inverse, n);
      isFresh = true;
      continue;
    }
    update(inverse, at, next, isFresh);
    isFresh = false;
    const gain = at.value - next.value;
    at = next;
    // Nothing left but rounding.
    if (gain <= 1e-15 * Math.abs(at.value) && largest(at.gradient) < SETTLED_SIZE) break;
  }
  const gradientSize = largest(at.gradient);
  return { point: at.point, value: at.value, gradientSize, iterations, converged: gradientSize < SETTLED_SIZE };
}

type Place = { point: Float64Array; gradient: Float64Array; value: number };

function downhill(inverse: Float64Array, gradient: Float64Array): Float64Array {
  const n = gradient.length;
  return gradient.map((_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum -= inverse[i * n + j]! * gradient[j]!;
    return sum;
  });
}

/** The first point along the direction that falls enough, or null where none does. */
function search(objective: Objective, from: Place, direction: Float64Array, isFresh: boolean): Place | null {
  const slope = dot(direction, from.gradient);
  // A first step has no scale yet: it may not throw the point out of sight.
  let step = Math.min(1, (isFresh ? 0.3 : 3) / largest(direction));
  const gradient = new Float64Array(direction.length);
  for (let halvings = 0; halvings < HALVINGS_MAX; halvings++) {
    const point = from.point.map((x, i) => x + step * direction[i]!);
    const value = objective(point, gradient);
    if (value <= from.value + ARMIJO * step * slope) return { point, gradient, value };
    step /= 2;
  }
  return null;
}

/** Secant update of the inverse Hessian; skipped where the curvature along the step is not positive. */
function update(inverse: Float64Array, from: Place, to: Place, isFresh: boolean): void {
  const n = from.point.length;
  const s = to.point.map((x, i) => x - from.point[i]!);
  const y = to.gradient.map((g, i) => g - from.gradient[i]!);
  const curvature = dot(s, y);
  if (!(curvature > 1e-14 * Math.sqrt(dot(s, s) * dot(y, y)))) return;
  if (isFresh) for (let i = 0; i < n; i++) inverse[i * n + i] = curvature / dot(y, y);
  const hy = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) hy[i]! += inverse[i * n + j]! * y[j]!;
  const scale = (1 + dot(y, hy) / curvature) / curvature;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      inverse[i * n + j]! += scale * s[i]! * s[j]! - (hy[i]! * s[j]! + s[i]! * hy[j]!) / curvature;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function largest(values: Float64Array): number {
  let size = 0;
  for (let i = 0; i < values.length; i++) size = Math.max(size, Math.abs(values[i]!));
  return size;
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  reset(matrix, n);
  return matrix;
}

function reset(matrix: Float64Array, n: number): void {
  matrix.fill(0);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
}
