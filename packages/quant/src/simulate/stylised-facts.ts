import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { autocorrelation } from '../stats/autocorrelation.ts';
import { circularBlockIndices } from '../stats/block-bootstrap.ts';
import { excessKurtosis, standardDeviation } from '../stats/moments.ts';
import { quantile, sortedQuantile } from '../stats/quantile.ts';

export const STYLISED_FACTS = [
  'excess-kurtosis',
  'volatility-clustering',
  'return-autocorrelation',
  'leverage-effect',
  'lower-tail',
  'upper-tail',
  'volatility-annual',
] as const;
export type StylisedFactName = (typeof STYLISED_FACTS)[number];
export type StylisedFacts = Record<StylisedFactName, number>;

const LAGS = 10;

/**
 * What nearly every market's daily returns have in common, as numbers:
 *
 * - `excess-kurtosis`: 0 for a normal, several in markets.
 * - `volatility-clustering`: mean autocorrelation of |r| at lags 1 to 10.
 * - `return-autocorrelation`: of r at lag 1, near zero in markets.
 * - `leverage-effect`: mean correlation of r(t) with r(t + k)², k = 1 to 10; below zero where falls stir more than rises.
 * - `lower-tail`, `upper-tail`: (median − 1 % quantile) / (median − 25 % quantile) and its mirror; 3.4 for a normal.
 * - `volatility-annual`: standard deviation · √252.
 *
 * NaN with fewer than 100 finite returns or where a figure is not defined. Values that are not finite are left out.
 *
 * @param returns Log or simple, one a day.
 * @see Cont (2001), doi:10.1080/713665670.
 */
export function stylisedFacts(returns: Float64Array): StylisedFacts {
  const r = returns.filter(Number.isFinite);
  const none = Object.fromEntries(STYLISED_FACTS.map((name) => [name, Number.NaN])) as StylisedFacts;
  const deviation = standardDeviation(r);
  if (r.length < 100 || !(deviation > 0)) return none;
  const middle = quantile(r, 0.5);
  const tail = (far: number, near: number) => {
    const within = quantile(r, near) - middle;
    return within === 0 ? Number.NaN : (quantile(r, far) - middle) / within;
  };
  return {
    'excess-kurtosis': excessKurtosis(r),
    'volatility-clustering': meanOf(autocorrelation(r.map(Math.abs), LAGS).subarray(1)),
    'return-autocorrelation': autocorrelation(r, 1)[1]!,
    'leverage-effect': meanOf(Float64Array.from({ length: LAGS }, (_, k) => leverage(r, k + 1))),
    'lower-tail': tail(0.01, 0.25),
    'upper-tail': tail(0.99, 0.75),
    'volatility-annual': deviation * Math.sqrt(252),
  };
}

export type FactComparison = {
  fact: StylisedFactName;
  /** Of the real returns, with the 95 % band of the block bootstrap. */
  real: number;
  low: number;
  high: number;
  synthetic: number;
  /** Null where a side is not defined. */
  isWithin: boolean | null;
};

/**
 * Synthetic against real: within where the synthetic figure, a mean over its series, lies in the 95 % band that the real
 * figure has when real days are resampled in blocks.
 *
 * @param real Series of the same market, resampled by the same days, so each with the same number of returns; missing NaN.
 * @param settings `blockLength` in days (default 63, at most a quarter of them), `resampleCount` default 200.
 * @throws RangeError for series of unequal length or none.
 */
export function compareStylisedFacts(
  real: readonly Float64Array[],
  synthetic: readonly Float64Array[],
  settings: { random: Random; blockLength?: number; resampleCount?: number },
): FactComparison[] {
  const dayCount = real[0]?.length ?? 0;
  expect(dayCount > 0 && synthetic.length > 0, 'there must be real and synthetic series');
  expect(
    real.every((series) => series.length === dayCount),
    'real series must have one length',
  );
  const blockLength = Math.max(1, Math.min(settings.blockLength ?? 63, Math.floor(dayCount / 4)));
  const draws = Object.fromEntries(STYLISED_FACTS.map((name) => [name, [] as number[]]));
  const days = new Uint32Array(dayCount);
  for (let b = 0; b < (settings.resampleCount ?? 200); b++) {
    circularBlockIndices(days, dayCount, blockLength, settings.random);
    const drawn = meanFacts(real.map((series) => Float64Array.from(days, (day) => series[day]!)));
    for (const name of STYLISED_FACTS) draws[name]!.push(drawn[name]);
  }
  const [realFacts, syntheticFacts] = [meanFacts(real), meanFacts(synthetic)];
  return STYLISED_FACTS.map((fact) => {
    const sorted = Float64Array.from(draws[fact]!)
      .filter((value) => !Number.isNaN(value))
      .sort();
    const [low, high] = [sortedQuantile(sorted, 0.025), sortedQuantile(sorted, 0.975)];
    const value = syntheticFacts[fact];
    const isDefined = !Number.isNaN(low) && !Number.isNaN(value);
    return {
      fact,
      real: realFacts[fact],
      low,
      high,
      synthetic: value,
      isWithin: isDefined ? value >= low && value <= high : null,
    };
  });
}

function meanFacts(series: readonly Float64Array[]): StylisedFacts {
  const all = series.map(stylisedFacts);
  return Object.fromEntries(
    STYLISED_FACTS.map((name) => [
      name,
      meanOf(Float64Array.from(all, (facts) => facts[name]).filter((x) => !Number.isNaN(x))),
    ]),
  ) as StylisedFacts;
}

function meanOf(values: Float64Array): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Correlation of r(t) with r(t + lag)². */
function leverage(r: Float64Array, lag: number): number {
  const n = r.length - lag;
  let [sumX, sumY, sumXX, sumYY, sumXY] = [0, 0, 0, 0, 0];
  for (let t = 0; t < n; t++) {
    const x = r[t]!;
    const y = r[t + lag]! ** 2;
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumYY += y * y;
    sumXY += x * y;
  }
  const below = Math.sqrt((sumXX - sumX ** 2 / n) * (sumYY - sumY ** 2 / n));
  return below > 0 ? (sumXY - (sumX * sumY) / n) / below : Number.NaN;
}
