import { expect } from '../checks/expect.ts';
import { benjaminiHochberg } from '../stats/multiple-testing.ts';
import { automaticLags } from '../stats/newey-west.ts';
import { studentTail } from '../stats/student-t.ts';

export type Lead = {
  leader: number;
  follower: number;
  /** Rows by which the leader goes ahead. */
  lag: number;
  correlation: number;
  pValue: number;
  /** By Benjamini and Hochberg over all pairs and lags. */
  adjustedP: number;
};

export type LeadLag = { leads: Lead[]; testCount: number };

/**
 * Who leads whom: correlation of each variable with every other one some rows later. The p value of each is that of the
 * mean of the products of both in standard deviations, with a Newey-West variance, so that it survives changing variance
 * and what autocorrelation the products have; those told are the ones whose adjusted p is at most `level`.
 *
 * Time O(N² lags T ∜T).
 *
 * @param observations Row-major T × N, finite.
 * @param lagsMax Lags 1..lagsMax are tested. @param level 0..1, the share of false ones among those told.
 * @returns those told, by ascending adjusted p; `testCount` tests were made, none with fewer than 30 rows more than lags.
 * @throws RangeError on a wrong shape.
 */
export function findLeads(
  observations: Float64Array,
  rowCount: number,
  count: number,
  { lagsMax = 5, level = 0.05 }: { lagsMax?: number; level?: number } = {},
): LeadLag {
  expect(observations.length === rowCount * count, `observations must be ${rowCount} x ${count}`);
  if (rowCount - lagsMax < 30) return { leads: [], testCount: 0 };
  const columns = Array.from({ length: count }, (_, i) => standardised(observations, rowCount, count, i));
  const size = count * count * lagsMax;
  const correlations = new Float64Array(size).fill(Number.NaN);
  const pValues = new Float64Array(size).fill(Number.NaN);
  const product = new Float64Array(rowCount);
  let testCount = 0;
  for (let lag = 1; lag <= lagsMax; lag++) {
    const n = rowCount - lag;
    const weightCount = automaticLags(n);
    for (let i = 0; i < count; i++) {
      const leader = columns[i];
      for (let j = 0; j < count; j++) {
        const follower = columns[j];
        if (i === j || leader == null || follower == null) continue;
        let sum = 0;
        for (let t = 0; t < n; t++) {
          const value = leader[t]! * follower[t + lag]!;
          product[t] = value;
          sum += value;
        }
        const at = (i * count + j) * lagsMax + lag - 1;
        const mean = sum / n;
        correlations[at] = Math.max(-1, Math.min(1, mean));
        pValues[at] = pOfMean(product, n, mean, weightCount);
        testCount += 1;
      }
    }
  }
  const adjusted = benjaminiHochberg(pValues);
  const leads: Lead[] = [];
  for (let at = 0; at < size; at++) {
    if (!(adjusted[at]! <= level)) continue;
    const [pair, lag] = [Math.floor(at / lagsMax), (at % lagsMax) + 1];
    leads.push({
      leader: Math.floor(pair / count),
      follower: pair % count,
      lag,
      correlation: correlations[at]!,
      pValue: pValues[at]!,
      adjustedP: adjusted[at]!,
    });
  }
  leads.sort((x, y) => x.adjustedP - y.adjustedP || Math.abs(y.correlation) - Math.abs(x.correlation));
  return { leads, testCount };
}

/** In standard deviations about the mean; null for a variable that does not vary. */
function standardised(observations: Float64Array, rowCount: number, count: number, column: number) {
  const values = Float64Array.from({ length: rowCount }, (_, t) => observations[t * count + column]!);
  if (values.every((value) => value === values[0])) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / rowCount;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rowCount;
  return values.map((value) => (value - mean) / Math.sqrt(variance));
}

/** Two-sided, of no mean, by the Newey-West variance about the mean; written out because it runs a million times. */
function pOfMean(values: Float64Array, n: number, mean: number, weightCount: number): number {
  let sum = 0;
  for (let lag = 0; lag <= weightCount; lag++) {
    let product = 0;
    for (let t = lag; t < n; t++) product += (values[t]! - mean) * (values[t - lag]! - mean);
    sum += (lag === 0 ? 1 : 2 * (1 - lag / (weightCount + 1))) * product;
  }
  if (!(sum > 0)) return Number.NaN;
  return Math.min(1, 2 * studentTail(Math.abs(mean) / Math.sqrt(sum / (n * n)), n - 1));
}
