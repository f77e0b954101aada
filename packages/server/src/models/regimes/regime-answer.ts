import type { Reading, Reason } from '@touchstone/contracts/market';
import type { RegimeState, Regimes } from '@touchstone/contracts/regimes';
import { NO_STATE } from '@touchstone/quant/regime/confirm-states';
import { STATE_NAMES } from '@touchstone/quant/regime/name-states';
import type { RegimeFit, RegimeReading, RegimeRefusal } from '@touchstone/quant/regime/read-regimes';
import { REGIME_SETTINGS } from '@touchstone/quant/regime/regime-settings';
import { stationaryDistribution } from '@touchstone/quant/regime/stationary-distribution';
import { dayText } from '@touchstone/quant/series/day';
import type { Series } from '../../features/index.ts';
import { orNull, tooLittle } from '../market/reading.ts';
import { LAG_NOTE, REGIME_SKILL } from './regime-skill.ts';

export type RegimeAnswer = Omit<Regimes, keyof Reading>;

const SESSIONS_PER_YEAR = 252;
/** Six digits tell a probability; the last bits of a fit are nobody's business on the wire. */
const DIGITS = 1e6;

/** A reading of the kernel as it crosses the wire. */
export function regimeAnswer(day: Int32Array, reading: RegimeReading): RegimeAnswer {
  const { probability, band, jumpState, ruleState, changePoint, fits } = reading;
  const days = Array.from(day, dayText);
  const column = (k: number) => Array.from(day, (_, t) => rounded(probability[3 * t + k]!));
  const state = Array.from(band, stateOf);
  return {
    ...emptyAnswer(null),
    current: currentOf(days, reading),
    days,
    state,
    ...{ bull: column(0), sideways: column(1), bear: column(2) },
    changePoint: Array.from(changePoint, rounded),
    jumpState: Array.from(jumpState, stateOf),
    volatilityState: Array.from(ruleState, stateOf),
    spells: spellsOf(days, band),
    fits: fits.map((fit) => describeFit(days, fit)),
    comparison: [
      { method: 'hidden_markov', ...compare(band, band) },
      { method: 'jump_model', ...compare(jumpState, band) },
      { method: 'volatility_rule', ...compare(ruleState, band) },
    ],
  };
}

/** What is answered where no regime can be told. */
export function emptyAnswer(reason: Reason | null): RegimeAnswer {
  return {
    reason,
    current: null,
    lagNote: LAG_NOTE,
    skill: REGIME_SKILL,
    switchAt: REGIME_SETTINGS.switchAt,
    ...{ days: [], state: [], bull: [], sideways: [], bear: [], changePoint: [], jumpState: [], volatilityState: [] },
    ...{ spells: [], fits: [], comparison: [] },
  };
}

/** Why there is no regime, in words. */
export function refusalReason(refusal: RegimeRefusal, series: Series): Reason | null {
  if (refusal === 'all missing') return { code: 'all_missing', sentence: 'No close is known by then.' };
  if (refusal === 'constant values')
    return { code: 'constant_prices', sentence: 'Every known close is the same: nothing moves.' };
  return tooLittle(series, REGIME_SETTINGS.trainingRowsMin + 1);
}

function rounded(value: number): number | null {
  return orNull(Math.round(value * DIGITS) / DIGITS);
}

function stateOf(state: number): RegimeState | null {
  return state === NO_STATE ? null : STATE_NAMES[state]!;
}

function currentOf(days: readonly string[], { probability, band, changePoint }: RegimeReading): Regimes['current'] {
  const last = days.length - 1;
  const state = last < 0 ? null : stateOf(band[last]!);
  if (state === null) return null;
  let first = last;
  while (first > 0 && band[first - 1] === band[last]) first--;
  return {
    day: days[last]!,
    state,
    since: days[first]!,
    sessionCount: last - first + 1,
    probabilities: {
      bull: rounded(probability[3 * last]!) ?? 0,
      sideways: rounded(probability[3 * last + 1]!) ?? 0,
      bear: rounded(probability[3 * last + 2]!) ?? 0,
    },
    changePointProbability: rounded(changePoint[last]!) ?? 0,
  };
}

function spellsOf(days: readonly string[], band: Uint8Array): Regimes['spells'] {
  const spells: Regimes['spells'] = [];
  let first = 0;
  for (let t = 1; t <= band.length; t++) {
    if (t < band.length && band[t] === band[first]) continue;
    const state = stateOf(band[first]!);
    if (state !== null) spells.push({ state, firstDay: days[first]!, lastDay: days[t - 1]!, sessionCount: t - first });
    first = t;
  }
  return spells;
}

function describeFit(days: readonly string[], fit: RegimeFit): Regimes['fits'][number] {
  const { mean, sd, transition, stateCount, degreesOfFreedom } = fit.model;
  const { distribution } = stationaryDistribution(transition, stateCount);
  return {
    firstDay: days[fit.readFrom]!,
    fittedFrom: days[fit.trainedFrom]!,
    fittedThrough: days[fit.trainedTo - 1]!,
    states: STATE_NAMES.map((state, k) => ({
      state,
      meanAnnual: mean[k]! * SESSIONS_PER_YEAR,
      volatilityAnnual: sd[k]! * Math.sqrt(SESSIONS_PER_YEAR),
      stayDays: 1 / Math.max(1e-9, 1 - transition[k * (stateCount + 1)]!),
      longRunShare: distribution[k]!,
    })),
    degreesOfFreedom: orNull(degreesOfFreedom),
    logLikelihood: fit.logLikelihood,
    converged: fit.isConverged,
    renamed: fit.isRenamed,
  };
}

/** Switches a year and the share of days named like the reference, over days that both name. */
function compare(states: Uint8Array, reference: Uint8Array): Omit<Regimes['comparison'][number], 'method'> {
  let [named, both, alike, switches] = [0, 0, 0, 0];
  for (let t = 0; t < states.length; t++) {
    if (states[t] === NO_STATE) continue;
    named += 1;
    if (t > 0 && states[t - 1] !== NO_STATE && states[t - 1] !== states[t]) switches += 1;
    if (reference[t] === NO_STATE) continue;
    both += 1;
    if (states[t] === reference[t]) alike += 1;
  }
  return {
    current: states.length === 0 ? null : stateOf(states.at(-1)!),
    switchesPerYear: named === 0 ? null : rounded(switches / (named / SESSIONS_PER_YEAR)),
    agreement: both === 0 ? null : rounded(alike / both),
  };
}
