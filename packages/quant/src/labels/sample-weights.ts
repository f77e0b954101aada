import { expect } from '../checks/expect.ts';
import { labelConcurrency, uniquenessOf } from './uniqueness.ts';

export type SampleWeightInput = {
  /** Rows of the training set, ascending; each with a known label. */
  rows: Int32Array;
  /** T rows, see `Labels`. */
  labelEnd: Int32Array;
  /** T prices, adjusted. Absent: weights by uniqueness alone. */
  close?: Float64Array;
  /**
   * Weight of the oldest row against the newest, by cumulative uniqueness: 1 (the default) does not decay, 0 decays to
   * nothing, below 0 the oldest share of that size weighs nothing.
   */
  decay?: number;
};

/**
 * Weights of training rows, mean 1: the news a label holds, times a decay with age.
 *
 * With prices the news is |Σ log return / concurrency| over the rows the label spans, so that a large move shared by many
 * labels counts once; without, it is average uniqueness. Concurrency counts the training rows only. A missing or
 * non-positive price adds no return.
 *
 * @returns one weight for each of `rows`; all 1 where no row holds any news.
 * @throws RangeError if a row's label is not known, rows do not ascend, or `decay` lies outside (−1, 1].
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 4, sections 6 and 7.
 */
export function sampleWeights({ rows, labelEnd, close, decay = 1 }: SampleWeightInput): Float64Array {
  expect(decay > -1 && decay <= 1, `decay must lie in (-1, 1], was ${decay}`);
  expect(!close || close.length === labelEnd.length, `close must have ${labelEnd.length} rows, had ${close?.length}`);
  rows.forEach((t, k) => {
    expect(k === 0 || rows[k - 1]! < t, `rows must ascend, ${t} does not`);
    expect(labelEnd[t]! > t, `the label of row ${t} must be known and span rows, its end is ${labelEnd[t]}`);
  });
  const uniqueness = uniquenessOf(labelEnd, rows);
  const news = close ? attributedReturns(rows, labelEnd, close) : uniqueness;
  const ageWeights = decayWeights(rows, uniqueness, decay);
  const weights = Float64Array.from(rows, (t, k) => news[t]! * ageWeights[k]!);
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum > 0 ? weights.map((weight) => (weight / sum) * weights.length) : weights.fill(1);
}

/** T values, those of `rows` filled in. */
function attributedReturns(rows: Int32Array, labelEnd: Int32Array, close: Float64Array): Float64Array {
  const concurrency = labelConcurrency(labelEnd, rows);
  const attributed = new Float64Array(labelEnd.length);
  for (const t of rows) {
    let sum = 0;
    for (let r = t + 1; r <= labelEnd[t]!; r++) {
      const growth = close[r]! / close[r - 1]!;
      if (growth > 0 && Number.isFinite(growth)) sum += Math.log(growth) / concurrency[r]!;
    }
    attributed[t] = Math.abs(sum);
  }
  return attributed;
}

/** A straight line in cumulative uniqueness, 1 at the newest row and cut off at 0. */
function decayWeights(rows: Int32Array, uniqueness: Float64Array, decay: number): Float64Array {
  const total = rows.reduce((sum, t) => sum + uniqueness[t]!, 0);
  const slope = decay >= 0 ? (1 - decay) / total : 1 / ((decay + 1) * total);
  let age = total;
  return Float64Array.from(rows, (t) => {
    age -= uniqueness[t]!;
    return Math.max(0, 1 - slope * Math.max(0, age));
  });
}
