import type { Reason } from '@touchstone/contracts/market';
import type { DailyPrices } from '@touchstone/quant/volatility/range-variance';

/** What the readings of risk are made from; cloneable, so that a thread can take it. */
export type RiskInput = { prices: RiskBars; seed: number };

export type RiskBars = DailyPrices & { day: Int32Array };

/** The last `countMax` rows with a close above zero: a day without one is no session of this subject. */
export function toRiskBars({ prices }: RiskInput, countMax: number): RiskBars {
  const rows = Array.from(prices.day.keys())
    .filter((t) => prices.close[t]! > 0)
    .slice(-countMax);
  const column = (values: Float64Array) => Float64Array.from(rows, (t) => values[t]!);
  return {
    day: Int32Array.from(rows, (t) => prices.day[t]!),
    open: column(prices.open),
    high: column(prices.high),
    low: column(prices.low),
    close: column(prices.close),
  };
}

/** Why nothing at all can be told, or null. @param needed Sessions. */
export function unusable({ prices }: RiskInput, bars: RiskBars, needed: number): Reason | null {
  const known = bars.close.length;
  if (prices.day.length > 0 && known === 0)
    return { code: 'all_missing', sentence: `None of the ${prices.day.length} sessions has a close above zero.` };
  if (known < needed) return tooFewSessions(needed, known);
  if (bars.close.every((price) => price === bars.close[0]))
    return { code: 'constant_prices', sentence: `The close is the same on all ${known} sessions.` };
  return null;
}

export function tooFewSessions(needed: number, known: number): Reason {
  const has = known === 1 ? 'one is known' : `${known} are known`;
  return { code: 'too_little_history', sentence: `Needs ${needed} sessions; ${has} by then.` };
}
