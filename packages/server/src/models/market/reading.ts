import type { Reading, Reason } from '@touchstone/contracts/market';
import { dayText } from '@touchstone/quant/series/day';
import type { Series } from '../../features/index.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** How a reading was made: with the bars, all that is needed to make it again. */
export type Making = { codeVersion: string; settings: unknown; seed: number };

/** What every reading of a subject begins with. */
export function readingOf(series: Series, { codeVersion, settings, seed }: Making): Reading {
  const { day } = series.bars;
  const textAt = (at: number) => (day.length === 0 ? null : dayText(day.at(at)!));
  return {
    subject: series.subject,
    time: series.time,
    lineage: { dataSha256: series.dataSha256, codeVersion, configSha256: hashOf(settings), seed },
    basis: series.basis,
    barCount: day.length,
    firstDay: textAt(0),
    lastDay: textAt(-1),
    suspectDays: Array.from(series.suspectDays, dayText),
  };
}

/** NaN and infinities have no place on the wire: null, and the reason beside it. */
export function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** @param needed Sessions a method cannot do without. @returns null when there are enough. */
export function tooLittle(series: Series, needed: number): Reason | null {
  const known = series.bars.day.length;
  if (known >= needed) return null;
  const has = known === 1 ? 'one is known' : `${known} are known`;
  return { code: 'too_little_history', sentence: `Needs ${needed} sessions; ${has} by then.` };
}
