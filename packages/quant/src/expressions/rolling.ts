/**
 * Functions over the last n values of a column, each value from its own window alone: a window is summed anew for every
 * bar, so that a value does not depend on where the series began. Time O(T·n). A window with a NaN in it has no value.
 */
export type Rolling = (x: Float64Array, n: number) => Float64Array;

export const rollingSum: Rolling = (x, n) => overWindows(x, n, sumOf);
export const rollingMean: Rolling = (x, n) => overWindows(x, n, (from, to) => sumOf(from, to, x) / n);

/** Sample standard deviation (divided by n − 1); NaN for n = 1. Two passes: it does not cancel. */
export const rollingStd: Rolling = (x, n) =>
  overWindows(x, n, (from, to) => {
    const mean = sumOf(from, to, x) / n;
    let squares = 0;
    for (let i = from; i < to; i++) squares += (x[i]! - mean) ** 2;
    return n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1));
  });

export const rollingMin: Rolling = (x, n) =>
  overWindows(x, n, (from, to) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = from; i < to; i++) if (x[i]! < least) least = x[i]!;
    return least;
  });

export const rollingMax: Rolling = (x, n) =>
  overWindows(x, n, (from, to) => {
    let greatest = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) if (x[i]! > greatest) greatest = x[i]!;
    return greatest;
  });

/** Rank of the last value among the window, as a fraction in (0, 1]; equal values share their mean rank. */
export const rollingRank: Rolling = (x, n) =>
  overWindows(x, n, (from, to) => {
    const last = x[to - 1]!;
    let below = 0;
    let equal = 0;
    for (let i = from; i < to; i++) {
      if (x[i]! < last) below++;
      else if (x[i] === last) equal++;
    }
    return (below + (equal + 1) / 2) / n;
  });

/** The value n bars ago, n ≥ 0. */
export const lagged: Rolling = (x, n) => {
  const out = new Float64Array(x.length).fill(Number.NaN);
  out.set(x.subarray(0, Math.max(0, x.length - n)), Math.min(n, x.length));
  return out;
};

/** x over its value n bars ago, less one: 0.01 means 1 %. */
export const changeOver: Rolling = (x, n) => {
  const before = lagged(x, n);
  return before.map((old, i) => finite(x[i]! / old - 1));
};

/**
 * Exponential moving average with weight 2 / (n + 1), begun with the mean of the first n values, as TA-Lib does; begun
 * anew after a NaN.
 */
export const exponentialMean: Rolling = (x, n) => {
  const out = new Float64Array(x.length).fill(Number.NaN);
  const weight = 2 / (n + 1);
  let count = 0;
  let value = 0;
  for (let i = 0; i < x.length; i++) {
    const next = x[i]!;
    if (Number.isNaN(next)) {
      count = 0;
      value = 0;
      continue;
    }
    count++;
    if (count <= n) value += next;
    if (count === n) value /= n;
    if (count > n) value += weight * (next - value);
    if (count >= n) out[i] = value;
  }
  return out;
};

/** Infinities have no meaning in a feature: they are undefined like NaN. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

function overWindows(
  x: Float64Array,
  n: number,
  measure: (from: number, to: number, x: Float64Array) => number,
): Float64Array {
  const out = new Float64Array(x.length).fill(Number.NaN);
  let whole = 0;
  for (let i = 0; i < x.length; i++) {
    whole = Number.isNaN(x[i]!) ? 0 : whole + 1;
    if (whole >= n) out[i] = finite(measure(i - n + 1, i + 1, x));
  }
  return out;
}

function sumOf(from: number, to: number, x: Float64Array): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i]!;
  return sum;
}
