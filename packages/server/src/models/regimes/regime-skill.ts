import type { Regimes } from '@touchstone/contracts/regimes';

/**
 * How well the served settings name simulated regimes: figures of the study `regimes`, which prints them anew.
 *
 * Real markets have no truth to be held against, so this is where lag and false switches can be measured at all.
 */
export const REGIME_SKILL: Regimes['skill'] = [
  {
    simulator: 'Simulator A, normal shocks, seeds 1-200, 504,000 days scored',
    balancedAccuracy: 0.8777,
    oracleAccuracy: 0.8934,
    lagDaysMedian: 12,
    lagDaysNinety: 29,
    missedShare: 0.0085,
    switchesPerYear: 2.67,
    falseSwitchesPerYear: 0.74,
  },
  {
    simulator: 'Simulator A, t(5) shocks, seeds 1-200, 504,000 days scored',
    balancedAccuracy: 0.8272,
    oracleAccuracy: 0.852,
    lagDaysMedian: 16,
    lagDaysNinety: 45,
    missedShare: 0.0193,
    switchesPerYear: 2.85,
    falseSwitchesPerYear: 0.91,
  },
];

const [NORMAL, FAT] = REGIME_SKILL;

/** Must stand beside every band. */
export const LAG_NOTE =
  `Detects with a lag, and says nothing about what comes next: on simulated markets half of the switches were named within ` +
  `${NORMAL!.lagDaysMedian} sessions and nine of ten within ${NORMAL!.lagDaysNinety} (${FAT!.lagDaysMedian} and ` +
  `${FAT!.lagDaysNinety} with fat tails); ${NORMAL!.falseSwitchesPerYear} to ${FAT!.falseSwitchesPerYear} switches a year were false. ` +
  'States that differ in their mean only are not told apart.';
