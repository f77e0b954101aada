import { expect } from '../checks/expect.ts';
import { filterStates } from './forward-filter.ts';
import { stationaryDistribution } from './stationary-distribution.ts';

/** Hamilton's autoregression around a mean that switches: y(t) − μ(s(t)) = Σ φ(k) (y(t−k) − μ(s(t−k))) + ε(t). */
export type SwitchingAutoregression = {
  stateCount: number;
  /** Row-major K × K, from a row to a column. */
  transition: Float64Array;
  mean: Float64Array;
  /** Coefficients φ(1), φ(2), …; may be empty. */
  autoregression: Float64Array;
  /** Variance of ε, the same in every state. */
  variance: number;
};

/**
 * Filtered state probabilities and the likelihood of a switching autoregression, given its first `order` values.
 *
 * The chain runs on the last `order` + 1 states together, K^(order+1) in all, begun from its long-run distribution.
 *
 * @param values Without NaN: a gap would need its own states.
 * @returns `filtered` row-major (T − order) × K, its first row that of value number `order`; the log-likelihood.
 * @throws RangeError if a value is not finite, there are too few, or the states together are more than 1,024.
 * @see Hamilton (1989), doi:10.2307/1912559
 */
export function filterSwitchingAutoregression(
  values: Float64Array,
  model: SwitchingAutoregression,
): { filtered: Float64Array; logLikelihood: number } {
  const { stateCount: K, transition, mean, autoregression, variance } = model;
  const order = autoregression.length;
  const size = K ** (order + 1);
  expect(size <= 1024, `stateCount^(order+1) must be at most 1024, was ${size}`);
  expect(variance > 0, `variance must be positive, was ${variance}`);
  expect(values.length > order, `values must be more than the order ${order}, were ${values.length}`);
  for (const value of values) expect(Number.isFinite(value), `values must be finite, one was ${value}`);
  // Digit 0 of a joint state is the present state, digit k the state k rows ago.
  const digit = (joint: number, k: number): number => Math.floor(joint / K ** k) % K;
  const long = stationaryDistribution(transition, K).distribution;
  const start = new Float64Array(size);
  const wide = new Float64Array(size * size);
  for (let from = 0; from < size; from++) {
    let chance = long[digit(from, order)]!;
    for (let k = order; k > 0; k--) chance *= transition[digit(from, k) * K + digit(from, k - 1)]!;
    start[from] = chance;
    for (let to = 0; to < K; to++) wide[from * size + ((from * K) % size) + to] = transition[digit(from, 0) * K + to]!;
  }
  const rowCount = values.length - order;
  const logDensity = new Float64Array(rowCount * size);
  for (let t = 0; t < rowCount; t++)
    for (let joint = 0; joint < size; joint++) {
      let residual = values[t + order]! - mean[digit(joint, 0)]!;
      for (let k = 1; k <= order; k++)
        residual -= autoregression[k - 1]! * (values[t + order - k]! - mean[digit(joint, k)]!);
      logDensity[t * size + joint] = -0.5 * (Math.log(2 * Math.PI * variance) + residual ** 2 / variance);
    }
  const wideStates = filterStates(logDensity, { stateCount: size, transition: wide, start });
  const filtered = new Float64Array(rowCount * K);
  for (let t = 0; t < rowCount; t++)
    for (let joint = 0; joint < size; joint++)
      filtered[t * K + digit(joint, 0)]! += wideStates.filtered[t * size + joint]!;
  return { filtered, logLikelihood: wideStates.logLikelihood };
}
