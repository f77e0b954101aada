import { expect } from '../../checks/expect.ts';
import { normalQuantile } from '../../stats/normal.ts';
import { boundInDeviations } from './confidence-sequence.ts';

export type PowerSettings = {
  /** Chance to find the difference when it is there, .5..1. Default .8. */
  power?: number;
  /** Chance to find it when it is not, one-sided, 0...5. Default .05. */
  level?: number;
};

const SESSIONS_PER_YEAR = 252;
/** Four hundred years. */
const SESSIONS_MAX = 100_000;
/** Tables and textbooks give quantiles to three decimals; so do the figures that people compare with. */
const QUANTILE_DECIMALS = 1000;

/**
 * Independent outcomes it takes to tell one hit rate from another, known one: ((z_α √(q(1−q)) + z_β √(p(1−p))) / (p − q))².
 *
 * @param rate Hit rate hoped for, 0..1, exclusive.
 * @param known Hit rate it is held against, 0..1, exclusive; another one.
 * @returns A whole number.
 * @see Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, section 2.4.
 */
export function outcomesForHitRate(rate: number, known: number, settings: PowerSettings = {}): number {
  for (const share of [rate, known]) expect(share > 0 && share < 1, `a hit rate must be between 0 and 1, was ${share}`);
  expect(rate !== known, `two equal hit rates cannot be told apart, both were ${rate}`);
  const { alpha, beta } = quantiles(settings);
  const deviation = alpha * Math.sqrt(known * (1 - known)) + beta * Math.sqrt(rate * (1 - rate));
  return Math.round((deviation / (rate - known)) ** 2);
}

/**
 * Years of daily returns it takes to tell two Sharpe ratios apart: (z_α + z_β)² v / (s₁ − s₂)² with the variance of Jobson and
 * Korkie as corrected by Memmel, v = 2(1 − ρ) + ½ (s₁² + s₂² − 2 s₁ s₂ ρ²) / 252: of daily returns its second part is all but
 * nothing.
 *
 * @param first, second Sharpe ratios of a year, different ones.
 * @param correlation Of the two returns, −1..1, exclusive.
 * @see Jobson and Korkie 1981, doi:10.1111/j.1540-6261.1981.tb04891.x; Memmel 2003.
 */
export function yearsForSharpe(
  first: number,
  second: number,
  correlation: number,
  settings: PowerSettings = {},
): number {
  expect(first !== second, `two equal Sharpe ratios cannot be told apart, both were ${first}`);
  expect(Math.abs(correlation) < 1, `the correlation must be between -1 and 1, was ${correlation}`);
  const { alpha, beta } = quantiles(settings);
  const shape = first * first + second * second - 2 * first * second * correlation * correlation;
  const variance = 2 * (1 - correlation) + shape / 2 / SESSIONS_PER_YEAR;
  return ((alpha + beta) ** 2 * variance) / (first - second) ** 2;
}

/**
 * Years it takes to tell an excess return from nothing: ((z_α + z_β) tracking error / alpha)².
 *
 * @param alpha A year, not 0. 0.05 means 5 %.
 * @param trackingError Standard deviation of the excess return of a year, > 0.
 */
export function yearsForAlpha(alpha: number, trackingError: number, settings: PowerSettings = {}): number {
  expect(alpha !== 0, 'an alpha of 0 cannot be told from nothing');
  expect(trackingError > 0, `the tracking error must be positive, was ${trackingError}`);
  const z = quantiles(settings);
  return (((z.alpha + z.beta) * trackingError) / alpha) ** 2;
}

/** How the losses of a test are looked at. */
export type LookSettings = PowerSettings & {
  /** A look every session, with bounds that hold at all of them together, two-sided at `level`; else one at the end. */
  isSequential: boolean;
  /** Sessions until an outcome is known, >= 1. */
  horizon: number;
};

/**
 * Mean difference that a test of so many sessions finds with the wanted power: (bound + z_β) σ / √n. With one look the bound is
 * z_α; with a look every session it is that of `confidenceSequence`, tightest at the last one.
 *
 * @param longRunDeviation √n times the standard error of the mean of n sessions, > 0: independent sessions have their
 *   standard deviation, correlated ones more.
 * @returns Infinity where no effect could be found: too few independent stretches.
 */
export function effectForSessions(sessions: number, longRunDeviation: number, settings: LookSettings): number {
  expect(sessions >= 1, `sessions must be at least 1, was ${sessions}`);
  expect(longRunDeviation > 0, `the long-run deviation must be positive, was ${longRunDeviation}`);
  const { alpha, beta, level } = quantiles(settings);
  const { isSequential, horizon } = settings;
  const reach = isSequential ? boundInDeviations(sessions, sessions, level, horizon) : alpha;
  return ((reach + beta) * longRunDeviation) / Math.sqrt(sessions);
}

/**
 * Sessions it takes to find a mean loss difference: the least number whose `effectForSessions` is no larger.
 *
 * @param effect Mean difference per session, not 0.
 * @returns Null when more than `SESSIONS_MAX` are needed.
 */
export function sessionsForLoss(effect: number, longRunDeviation: number, settings: LookSettings): number | null {
  expect(effect !== 0 && Number.isFinite(effect), `the effect must be a number other than 0, was ${effect}`);
  const isEnough = (sessions: number) => effectForSessions(sessions, longRunDeviation, settings) <= Math.abs(effect);
  if (!isEnough(SESSIONS_MAX)) return null;
  let low = 1;
  let high = SESSIONS_MAX;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Long-run deviation of a series whose days are correlated like a first-order autoregression: σ √((1 + φ) / (1 − φ)).
 *
 * @param autocorrelation φ, −1..1, exclusive.
 */
export function longRunDeviationOf(deviation: number, autocorrelation: number): number {
  expect(Math.abs(autocorrelation) < 1, `the autocorrelation must be between -1 and 1, was ${autocorrelation}`);
  return deviation * Math.sqrt((1 + autocorrelation) / (1 - autocorrelation));
}

function quantiles({ power = 0.8, level = 0.05 }: PowerSettings): { alpha: number; beta: number; level: number } {
  expect(power > 0.5 && power < 1, `power must be between .5 and 1, was ${power}`);
  expect(level > 0 && level < 0.5, `level must be between 0 and .5, was ${level}`);
  const quantileOf = (share: number) => Math.round(normalQuantile(share) * QUANTILE_DECIMALS) / QUANTILE_DECIMALS;
  return { alpha: quantileOf(1 - level), beta: quantileOf(power), level };
}
