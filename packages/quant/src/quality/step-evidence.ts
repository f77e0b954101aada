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
  const multiple = (valueAt: (row: number) => number): number => {
    const usual = (step: number): number => {
      const values = goodValues(exam, row + step, step, settings.usualWindow, valueAt);
      return values.length < 3 ? 0 : median(Float64Array.from(values));
    };
    const most = Math.max(usual(-1), usual(1));
    const value = valueAt(row);
    return most > 0 && value > 0 ? value / most : 0;
  };
  return {
    volume: multiple((k) => (volume[k]! > 0 ? volume[k]! : Number.NaN)),
    range: multiple((k) => (high[k]! > low[k]! ? Math.log(high[k]! / low[k]!) : Number.NaN)),
  };
}

/**
 * The 90th percentile of the absolute gaps before a row and after it or a later one, on the wilder side: in a crisis
 * steps of a tenth are daily.
 */
export function usualGap(exam: Exam, row: number, settings: CourtSettings, after = row): number {
  const { gap } = exam.measures;
  const usual = (start: number, step: number): number => {
    const values = goodValues(exam, start, step, settings.usualWindow, (k) => Math.abs(gap[k]!));
    values.sort((a, b) => a - b);
    return values[Math.ceil(0.9 * values.length) - 1] ?? 0;
  };
  return Math.max(usual(row - 1, -1), usual(after + 1, 1));
}

/** Up to `count` values of good rows from `start` on in steps of 1 or -1; rows with NaN are passed over. */
function goodValues(
  { measures: { state } }: Exam,
  start: number,
  step: number,
  count: number,
  valueAt: (row: number) => number,
): number[] {
  const values: number[] = [];
  for (let row = start; values.length < count && row >= 0 && row < state.length; row += step) {
    if (state[row] !== GOOD) continue;
    const value = valueAt(row);
    if (!Number.isNaN(value)) values.push(value);
  }
  return values;
}
