import { expect } from '../checks/expect.ts';
import { dayNumber } from '../series/day.ts';
import type { CalendarCode } from '../series/trading-calendar.ts';
import { FITTED } from './fitted-settings.ts';

export type RegimeName = 'bull' | 'sideways' | 'bear';

/** One state of the market. Rates are fractions a year of 252 days, log returns; a stay is geometric with the given mean. */
export type Regime = { name: RegimeName; meanAnnual: number; volatilityAnnual: number; stayDays: number };

/** GJR(1,1) of the standardised market shock, and the degrees of freedom of its t distribution. */
export type Clustering = { alpha: number; gamma: number; beta: number; degreesOfFreedom: number };

/**
 * Market jumps. A jump's size is `threshold` plus an exponential whose median makes `medianSize`, in conditional daily
 * volatilities; `downShare` of them fall.
 */
export type Jumps = { rateAnnual: number; downShare: number; threshold: number; medianSize: number };

/** What `scripts/fit-simulator.ts` learns from 1950–1989. Regimes are ordered bull, sideways, bear: by volatility. */
export type FittedParameters = {
  regimes: readonly Regime[];
  /** Where a regime goes when it is left: rows and columns as `regimes`, rows sum to one, the diagonal is zero. */
  nextRegime: readonly (readonly number[])[];
  clustering: Clustering;
  jumps: Jumps;
};

/** How often a company's published data is wrong (expected number a year), and by how much. */
export type FaultSettings = {
  badTickRateAnnual: number;
  /** Size of a bad tick in daily volatilities of the company. */
  badTickVolatilities: number;
  missingBarRateAnnual: number;
  staleRunRateAnnual: number;
  staleRunDaysMin: number;
  lateCorrectionRateAnnual: number;
  /** Size of an error that is corrected later, in daily volatilities. */
  lateCorrectionVolatilities: number;
  lateCorrectionDaysMax: number;
  /** Trading days after its ex-day at which the planted late split becomes known. */
  lateSplitDays: number;
};

/**
 * A predictable part of company returns. Each company has a score, AR(1) with unit variance, known at the close; the next
 * day's expected log return rises with it so that the half of the companies with positive scores earns `alphaAnnual` more
 * than the market before costs, in expectation.
 */
export type PlantedSignal = { alphaAnnual: number; halfLifeDays: number };

export type Difficulty = 'easy' | 'medium' | 'hard';

export type MarketSettings = FittedParameters & {
  difficulty: Difficulty;
  companyCount: number;
  /** First calendar day; the first session is this day or the next one with a session. */
  first: string;
  /** Number of sessions. */
  dayCount: number;
  calendar: CalendarCode;
  sectorVolatilityAnnual: number;
  companyVolatilityAnnualMin: number;
  companyVolatilityAnnualMax: number;
  companyDegreesOfFreedom: number;
  companyJumpRateAnnual: number;
  betaMin: number;
  betaMax: number;
  /** Share of companies beyond the planted stories that list during the span. */
  lateListingShare: number;
  /** Expected delistings a year of a company beyond the planted stories. */
  delistingRateAnnual: number;
  faults: FaultSettings;
  plantedSignal: PlantedSignal | null;
};

/** How far a level moves the fitted regimes apart (above one) or together, and how visible its data faults are. */
const LEVELS: Record<
  Difficulty,
  { meanSpread: number; volatilitySpread: number; stay: number; shock: number; faults: FaultSettings }
> = {
  easy: {
    meanSpread: 2,
    volatilitySpread: 1.3,
    stay: 1.5,
    shock: 0.5,
    faults: {
      badTickRateAnnual: 0.1,
      badTickVolatilities: 20,
      missingBarRateAnnual: 0.2,
      staleRunRateAnnual: 0.03,
      staleRunDaysMin: 8,
      lateCorrectionRateAnnual: 0.15,
      lateCorrectionVolatilities: 8,
      lateCorrectionDaysMax: 5,
      lateSplitDays: 2,
    },
  },
  medium: {
    meanSpread: 1,
    volatilitySpread: 1,
    stay: 1,
    shock: 1,
    faults: {
      badTickRateAnnual: 0.15,
      badTickVolatilities: 12,
      missingBarRateAnnual: 0.3,
      staleRunRateAnnual: 0.04,
      staleRunDaysMin: 6,
      lateCorrectionRateAnnual: 0.2,
      lateCorrectionVolatilities: 4,
      lateCorrectionDaysMax: 10,
      lateSplitDays: 3,
    },
  },
  hard: {
    meanSpread: 0.7,
    volatilitySpread: 0.6,
    stay: 0.6,
    shock: 1,
    faults: {
      badTickRateAnnual: 0.2,
      badTickVolatilities: 8,
      missingBarRateAnnual: 0.4,
      staleRunRateAnnual: 0.06,
      staleRunDaysMin: 5,
      lateCorrectionRateAnnual: 0.3,
      lateCorrectionVolatilities: 2,
      lateCorrectionDaysMax: 15,
      lateSplitDays: 5,
    },
  },
};

/**
 * Settings of a difficulty level, with changes on top. `medium` is the fit to 1950–1989 as it is.
 *
 * @throws RangeError if a changed value makes no market.
 */
export function marketSettings(difficulty: Difficulty, changes: Partial<MarketSettings> = {}): MarketSettings {
  const level = LEVELS[difficulty];
  const settings: MarketSettings = {
    ...spreadRegimes(FITTED, level.meanSpread, level.volatilitySpread, level.stay),
    clustering: dampShocks(FITTED.clustering, level.shock),
    jumps: FITTED.jumps,
    difficulty,
    companyCount: 40,
    first: '2012-01-03',
    dayCount: 3020,
    calendar: 'XNYS',
    sectorVolatilityAnnual: 0.08,
    companyVolatilityAnnualMin: 0.16,
    companyVolatilityAnnualMax: 0.34,
    companyDegreesOfFreedom: 5,
    companyJumpRateAnnual: 0.4,
    betaMin: 0.7,
    betaMax: 1.4,
    lateListingShare: 0.15,
    delistingRateAnnual: 0.01,
    faults: level.faults,
    plantedSignal: null,
    ...changes,
  };
  checkMarketSettings(settings);
  return settings;
}

/** @throws RangeError with the rule and the value if the settings make no market. */
export function checkMarketSettings(settings: MarketSettings): void {
  const { companyCount, dayCount, regimes, nextRegime, clustering } = settings;
  expect(
    Number.isInteger(companyCount) && companyCount >= 1 && companyCount <= 5000,
    `companyCount must be an integer in 1..5000, was ${companyCount}`,
  );
  expect(
    Number.isInteger(dayCount) && dayCount >= 252 && dayCount <= 30_000,
    `dayCount must be an integer in 252..30000, was ${dayCount}`,
  );
  dayNumber(settings.first);
  expect(regimes.length === 3 && nextRegime.length === 3, `there must be 3 regimes, were ${regimes.length}`);
  for (const [index, row] of nextRegime.entries()) {
    const sum = row.reduce((total, value) => total + value, 0);
    expect(
      row.length === 3 && row[index] === 0 && row.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-6,
      `nextRegime row ${index} must be 3 shares with a zero diagonal and the sum 1, was ${row}`,
    );
    const regime = regimes[index]!;
    expect(regime.volatilityAnnual > 0, `volatility must be positive, was ${regime.volatilityAnnual}`);
    expect(regime.stayDays >= 1, `a mean stay must be at least one day, was ${regime.stayDays}`);
  }
  const persistence = clustering.alpha + clustering.gamma / 2 + clustering.beta;
  expect(persistence < 1, `alpha + gamma/2 + beta must be below 1, was ${persistence}`);
  expect(clustering.degreesOfFreedom > 4, `degreesOfFreedom must exceed 4, was ${clustering.degreesOfFreedom}`);
  const halfLife = settings.plantedSignal?.halfLifeDays ?? 1;
  expect(halfLife > 0, `halfLifeDays must be positive, was ${halfLife}`);
  expect(
    settings.companyDegreesOfFreedom > 4,
    `degreesOfFreedom must exceed 4, was ${settings.companyDegreesOfFreedom}`,
  );
}

/** Share of days spent in each regime in the long run. */
export function regimeShares(parameters: Pick<FittedParameters, 'regimes' | 'nextRegime'>): number[] {
  // Averaging each step with the last one makes the visits converge even when the chain alternates.
  let visits = [1 / 3, 1 / 3, 1 / 3];
  for (let step = 0; step < 500; step++) {
    visits = visits.map(
      (share, to) =>
        0.5 * share + 0.5 * visits.reduce((sum, from, index) => sum + from * parameters.nextRegime[index]![to]!, 0),
    );
  }
  const days = visits.map((share, index) => share * parameters.regimes[index]!.stayDays);
  const total = days.reduce((sum, value) => sum + value, 0);
  return days.map((value) => value / total);
}

function spreadRegimes(
  parameters: FittedParameters,
  meanSpread: number,
  volatilitySpread: number,
  stay: number,
): Pick<FittedParameters, 'regimes' | 'nextRegime'> {
  const shares = regimeShares(parameters);
  const weigh = (value: (regime: Regime) => number) =>
    parameters.regimes.reduce((sum, regime, index) => sum + shares[index]! * value(regime), 0);
  const mean = weigh((regime) => regime.meanAnnual);
  const logVolatility = weigh((regime) => Math.log(regime.volatilityAnnual));
  return {
    nextRegime: parameters.nextRegime,
    regimes: parameters.regimes.map((regime) => ({
      name: regime.name,
      meanAnnual: mean + meanSpread * (regime.meanAnnual - mean),
      volatilityAnnual: Math.exp(
        logVolatility + volatilitySpread * (Math.log(regime.volatilityAnnual) - logVolatility),
      ),
      stayDays: regime.stayDays * stay,
    })),
  };
}

function dampShocks(clustering: Clustering, factor: number): Clustering {
  return { ...clustering, alpha: clustering.alpha * factor, gamma: clustering.gamma * factor };
}
