import type { PatternRecord } from '@touchstone/contracts/patterns';
import type { BaseRate } from '@touchstone/quant/patterns/base-rates';
import { orNull } from '../market/reading.ts';
import { MEASURE_SETTINGS, type PatternKey } from './pattern-settings.ts';

const MOVED = { up: 'had risen', down: 'had fallen', none: 'had risen' } as const;

/** A measured rate as it crosses the wire, with what may be said of it. */
export function toRecord(key: PatternKey, rate: BaseRate, horizonDays: number): PatternRecord {
  const isMeasured = !Number.isNaN(rate.pValue);
  const isTold = isMeasured && rate.adjustedP <= MEASURE_SETTINGS.level;
  return {
    family: key.family,
    kind: key.kind,
    direction: key.direction,
    horizonDays,
    sampleCount: rate.caseCount,
    dayCount: rate.dayCount,
    baseRate: orNull(rate.rate),
    unconditionalRate: orNull(rate.unconditionalRate),
    lift: orNull(rate.lift),
    difference: orNull(rate.difference),
    low: orNull(rate.low),
    high: orNull(rate.high),
    meanReturn: orNull(rate.meanReturn),
    unconditionalMeanReturn: orNull(rate.unconditionalMeanReturn),
    pValue: orNull(rate.pValue),
    adjustedP: orNull(rate.adjustedP),
    isTold,
    sentence: sentenceOf(key, rate, horizonDays, isMeasured, isTold),
    reason: isMeasured
      ? null
      : {
          code: 'too_little_history',
          sentence: `Needs 30 cases on 20 different days with a known outcome; ${rate.caseCount} on ${rate.dayCount} are known.`,
        },
  };
}

function sentenceOf(
  { direction }: PatternKey,
  rate: BaseRate,
  horizonDays: number,
  isMeasured: boolean,
  isTold: boolean,
): string {
  const sessions = horizonDays === 1 ? 'one session' : `${horizonDays} sessions`;
  if (rate.caseCount === 0) return 'Never seen here with a known outcome: nothing can be said of it.';
  const cases = rate.caseCount === 1 ? 'the one case' : `${rate.caseCount} cases`;
  const what = `${percent(rate.rate)} of ${cases} ${MOVED[direction]} after ${sessions}, against ${percent(rate.unconditionalRate)} of all days`;
  if (!isMeasured) return `${what}: too few cases to say more.`;
  const sure = `95 % interval of the difference ${signed(rate.low)} to ${signed(rate.high)}, adjusted p ${rate.adjustedP.toFixed(3)}`;
  return isTold
    ? `${what}; ${sure}: more than chance, at a false-discovery rate of 5 %.`
    : `${what}; ${sure}: it cannot be told from nothing.`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)} points`;
}
