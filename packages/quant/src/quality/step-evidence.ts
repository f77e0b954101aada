import { GOOD } from './bar-measures.ts';
import type { CourtContext } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';
import type { Exam } from './exam.ts';
import { median } from './median.ts';

/** A gap less the median gap of the batch: only a market move in the same direction can explain a step. */
export function beyondMarket(gap: number, session: number, context: CourtContext): number {
  const market = context.peers?.gap[session] ?? context.marketMove?.[session] ?? 0;
  return market * gap > 0 ? Math.sign(gap) * Math.max(0, Math.abs(gap) - Math.abs(market)) : gap;
}

/** How far from zero the sum of two steps that cancel may be, log. */
export function stepTolerance(exam: Exam, row: number, size: number, settings: CourtSettings): number {
  return (
    settings.pairTolerance + settings.pairToleranceSd * exam.measures.sd[row]! + settings.pairToleranceShare * size
  );
}

/** The larger the step, the more volume real news of that size would bring. */
export function isSilent(loud: { volume: number; range: number }, size: number, settings: CourtSettings): boolean {
  const allowed = 1 + settings.silentGrowth * Math.max(0, size - settings.stepMin);
  return (
    size >= settings.certainStep ||
    (loud.volume <= settings.silentVolume * allowed && loud.range <= settings.silentRange * allowed)
  );
}

/** Volume and range of a row as multiples of the larger of the usual values before and after it. */
export function loudness(exam: Exam, row: number, settings: CourtSettings): { volume: number; range: number } {
  const { high, low, volume } = exam.bars;
  const usual = (value: (row: number) => number, step: number): number => {
    const values: number[] = [];
    for (let k = row + step; values.length < settings.usualWindow && k >= 0 && k < volume.length; k += step) {
      const x = value(k);
      if (exam.measures.state[k] === GOOD && x > 0) values.push(x);
    }
    return values.length < 3 ? 0 : median(Float64Array.from(values));
  };
  const volumeOf = (k: number) => volume[k]!;
  const rangeOf = (k: number) => Math.log(high[k]! / low[k]!);
  const usualVolume = Math.max(usual(volumeOf, -1), usual(volumeOf, 1));
  const usualRange = Math.max(usual(rangeOf, -1), usual(rangeOf, 1));
  const range = rangeOf(row);
  return {
    volume: usualVolume > 0 && volume[row]! > 0 ? volume[row]! / usualVolume : 0,
    range: usualRange > 0 && range > 0 ? range / usualRange : 0,
  };
}

/**
 * The 90th percentile of the absolute gaps before a row and after it or a later one, on the wilder side: in a crisis
 * steps of a tenth are daily.
 */
export function usualGap(exam: Exam, row: number, settings: CourtSettings, after = row): number {
  const { gap, state } = exam.measures;
  let usual = 0;
  for (const step of [-1, 1]) {
    const values: number[] = [];
    for (
      let k = step < 0 ? row - 1 : after + 1;
      values.length < settings.usualWindow && k >= 0 && k < gap.length;
      k += step
    )
      if (state[k] === GOOD && !Number.isNaN(gap[k]!)) values.push(Math.abs(gap[k]!));
    values.sort((a, b) => a - b);
    usual = Math.max(usual, values[Math.ceil(0.9 * values.length) - 1] ?? 0);
  }
  return usual;
}
