import { expect } from '../checks/expect.ts';

/** 1 / Φ⁻¹(3/4): makes the median absolute deviation of a normal its standard deviation. */
export const MAD_TO_SD = 1.4826022185056018;

export type RobustZ = {
  /** Deviations from the past's median in its robust standard deviations; NaN where the past has too few values or no spread. */
  z: Float64Array;
  /** Median of the past of each row; NaN where it has too few values. */
  usual: Float64Array;
};

/**
 * How far each value lies from the median of the values before it, in robust standard deviations.
 *
 * The row itself is no part of what it is held against, or a large value would hide itself. A NaN is neither judged nor
 * remembered. Row t depends on rows up to t only. Time O(T · window).
 *
 * @param window Past values, >= 2.
 * @param valuesMin Fewest past values for a judgement, 2..window.
 * @see Rousseeuw and Croux (1993), doi:10.1080/01621459.1993.10476408, for the scale
 */
export function robustZ(values: Float64Array, window: number, valuesMin: number = window): RobustZ {
  expect(Number.isInteger(window) && window >= 2, `window must be a whole number >= 2, was ${window}`);
  expect(valuesMin >= 2 && valuesMin <= window, `valuesMin must be in 2..${window}, was ${valuesMin}`);
  const z = new Float64Array(values.length).fill(Number.NaN);
  const usual = new Float64Array(values.length).fill(Number.NaN);
  const sorted = new Float64Array(window);
  const deviation = new Float64Array(window);
  const queue: number[] = [];
  let size = 0;
  for (let t = 0; t < values.length; t++) {
    const value = values[t]!;
    if (!Number.isFinite(value)) continue;
    if (size >= valuesMin) {
      const median = middle(sorted, size);
      usual[t] = median;
      for (let k = 0; k < size; k++) deviation[k] = Math.abs(sorted[k]! - median);
      deviation.subarray(0, size).sort();
      const spread = MAD_TO_SD * middle(deviation, size);
      // A spread of rounding errors would make every new value a sensation.
      if (spread > 1e-12 * Math.max(1e-300, Math.abs(median))) z[t] = (value - median) / spread;
    }
    if (size === window) {
      const leaving = lowerBound(sorted, size, queue.shift()!);
      sorted.copyWithin(leaving, leaving + 1, size);
      size -= 1;
    }
    const at = lowerBound(sorted, size, value);
    sorted.copyWithin(at + 1, at, size);
    sorted[at] = value;
    size += 1;
    queue.push(value);
  }
  return { z, usual };
}

function middle(sorted: Float64Array, size: number): number {
  const half = size >> 1;
  return size % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function lowerBound(sorted: Float64Array, size: number, value: number): number {
  let [low, high] = [0, size];
  while (low < high) {
    const half = (low + high) >> 1;
    if (sorted[half]! < value) low = half + 1;
    else high = half;
  }
  return low;
}
