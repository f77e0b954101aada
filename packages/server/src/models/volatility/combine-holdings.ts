import type { Series } from '../../features/index.ts';
import type { RiskBars } from './risk-bars.ts';

export type Holding = { instrumentId: number; weight: number };

/**
 * The level of weights that are restored at every close, the rest in cash that earns nothing: on each day on which every
 * instrument has a close, it moves by the weighted sum of their returns since the last such day.
 *
 * Only a level is known, so there is no range. It ends before a day on which nothing of it would be left.
 *
 * @param members Series in the order of the holdings.
 */
export function combineHoldings(members: readonly Pick<Series, 'bars'>[], holdings: readonly Holding[]): RiskBars {
  const closes = members.map(({ bars }) => {
    const byDay = new Map<number, number>();
    bars.day.forEach((day, t) => {
      if (bars.close[t]! > 0) byDay.set(day, bars.close[t]!);
    });
    return byDay;
  });
  const shared = [...(closes[0]?.keys() ?? [])].filter((day) => closes.every((byDay) => byDay.has(day)));
  const level: number[] = [];
  shared.forEach((day, k) => {
    if (k === 0) {
      level.push(1);
      return;
    }
    let moved = 0;
    holdings.forEach(({ weight }, m) => {
      moved += weight * (closes[m]!.get(day)! / closes[m]!.get(shared[k - 1]!)! - 1);
    });
    const before = level.at(-1)!;
    // A level at or below zero stays missing: after it there is nothing left that could move.
    level.push(before * (1 + moved) > 0 ? before * (1 + moved) : Number.NaN);
  });
  const close = Float64Array.from(level);
  const missing = () => new Float64Array(close.length).fill(Number.NaN);
  return { day: Int32Array.from(shared), open: missing(), high: missing(), low: missing(), close };
}
