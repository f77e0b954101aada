import type { Random } from '../random/random.ts';
import type { MarketSettings } from './market-settings.ts';

/** The part of the truth that all companies share. One entry a session. */
export type MarketPath = {
  /** 0 bull, 1 sideways, 2 bear. */
  regime: Uint8Array;
  /** Log return of the market factor, jumps included. */
  logReturn: Float64Array;
  /** Standard deviation of that return as known the evening before, given the regime; jumps are not in it. */
  volatilityDaily: Float64Array;
  /** Conditional variance relative to the regime's own: 1 on average. */
  relativeVariance: Float64Array;
  /** Jump part of the log return, 0 on most days. */
  jump: Float64Array;
};

const DAYS_PER_YEAR = 252;

/**
 * Regimes, then shocks: t-distributed, with GJR volatility clustering on the standardised scale, then jumps.
 *
 * Jumps do not enter the clustering: a crash leaves the next day's volatility to the regime, so that the moments fitted
 * without jump days keep holding.
 */
export function simulateMarketPath(settings: MarketSettings, random: Random): MarketPath {
  const { dayCount, regimes, nextRegime, clustering, jumps } = settings;
  const chain = random.split('regime');
  const shocks = random.split('shocks');
  const jumping = random.split('jumps');
  const path: MarketPath = {
    regime: new Uint8Array(dayCount),
    logReturn: new Float64Array(dayCount),
    volatilityDaily: new Float64Array(dayCount),
    relativeVariance: new Float64Array(dayCount),
    jump: new Float64Array(dayCount),
  };
  const { alpha, gamma, beta, degreesOfFreedom } = clustering;
  const constant = 1 - alpha - gamma / 2 - beta;
  const shockScale = Math.sqrt((degreesOfFreedom - 2) / degreesOfFreedom);
  const jumpExcess = (jumps.medianSize - jumps.threshold) / Math.LN2;
  let state = chain.integer(3);
  let variance = 1;
  for (let t = 0; t < dayCount; t++) {
    if (t > 0 && chain.uniform() < 1 / regimes[state]!.stayDays) state = drawIndex(nextRegime[state]!, chain.uniform());
    const regime = regimes[state]!;
    const regimeVolatility = regime.volatilityAnnual / Math.sqrt(DAYS_PER_YEAR);
    const shock = Math.sqrt(variance) * shocks.studentT(degreesOfFreedom) * shockScale;
    const volatility = regimeVolatility * Math.sqrt(variance);
    let jump = 0;
    if (jumping.uniform() < jumps.rateAnnual / DAYS_PER_YEAR) {
      const size = jumps.threshold + jumpExcess * jumping.exponential();
      jump = (jumping.uniform() < jumps.downShare ? -1 : 1) * size * volatility;
    }
    path.regime[t] = state;
    path.volatilityDaily[t] = volatility;
    path.relativeVariance[t] = variance;
    path.jump[t] = jump;
    path.logReturn[t] = regime.meanAnnual / DAYS_PER_YEAR + regimeVolatility * shock + jump;
    variance = constant + (alpha + (shock < 0 ? gamma : 0)) * shock * shock + beta * variance;
  }
  return path;
}

/** Index drawn with the given shares; the last positive one takes what rounding leaves. */
function drawIndex(shares: readonly number[], uniform: number): number {
  let cumulated = 0;
  let last = 0;
  for (let index = 0; index < shares.length; index++) {
    if (shares[index] === 0) continue;
    cumulated += shares[index]!;
    last = index;
    if (uniform < cumulated) return index;
  }
  return last;
}
