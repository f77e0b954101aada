import type { FittedParameters } from './market-settings.ts';

/**
 * Written by `scripts/fit-simulator.ts` from daily S&P 500 closes of 1950–1989 (10053 returns, 17 of them jumps).
 * Frozen: what is judged by the simulator must not change it.
 */
export const FITTED: FittedParameters = {
  regimes: [
    {
      name: 'bull',
      meanAnnual: 0.1539,
      volatilityAnnual: 0.0917,
      stayDays: 228,
    },
    {
      name: 'sideways',
      meanAnnual: 0.0553,
      volatilityAnnual: 0.1436,
      stayDays: 148,
    },
    {
      name: 'bear',
      meanAnnual: -0.085,
      volatilityAnnual: 0.2522,
      stayDays: 86,
    },
  ],
  nextRegime: [
    [0, 0.9774, 0.0226],
    [0.6863, 0, 0.3137],
    [0, 1, 0],
  ],
  clustering: {
    alpha: 0.0218,
    gamma: 0.0784,
    beta: 0.8994,
    degreesOfFreedom: 9.375,
  },
  jumps: {
    rateAnnual: 0.4261,
    downShare: 0.7647,
    threshold: 4.5,
    medianSize: 5.3791,
  },
};
