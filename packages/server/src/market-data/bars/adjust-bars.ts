import type { KnownAction } from '../facts/corporate-actions.ts';
import type { KnownBar } from '../facts/read-bars.ts';

export type PriceBasis = 'raw' | 'split_adjusted' | 'total_return';

const ORDER: Record<PriceBasis, number> = { raw: 0, split_adjusted: 1, total_return: 2 };

/** True when prices delivered on one basis can be shown on another: adjusting goes one way only. */
export function canAdjust(from: PriceBasis, to: PriceBasis): boolean {
  return ORDER[to] >= ORDER[from];
}

/**
 * Bars on a later basis, from the corporate actions known at the same moment: see `adjustmentFactors`.
 * Missing stays null.
 */
export function adjustBars(
  bars: readonly KnownBar[],
  actions: readonly KnownAction[],
  from: PriceBasis,
  to: PriceBasis,
): KnownBar[] {
  if (from === to || bars.length === 0) return [...bars];
  const factors = adjustmentFactors(bars, actions, from, to);
  return bars.map((bar, i) => scale(bar, factors.price[i]!, factors.shares[i]!));
}

/**
 * What each bar's prices and volume are multiplied by to stand on a later basis. The last bar keeps its prices.
 *
 * Split: prices before the ex-day are divided by the ratio, volume is multiplied. Dividend: prices before the ex-day are
 * multiplied by 1 - amount / last close before it, both on the basis of that day. Actions after the last bar are not
 * applied yet. `bars` ascend by day; `actions` may be in any order; splits are left alone in prices that have them.
 */
export function adjustmentFactors(
  bars: readonly Pick<KnownBar, 'day' | 'close'>[],
  actions: readonly KnownAction[],
  from: PriceBasis,
  to: PriceBasis,
): { price: Float64Array; shares: Float64Array } {
  const price = new Float64Array(bars.length).fill(1);
  const shares = new Float64Array(bars.length).fill(1);
  const lastDay = bars.at(-1)?.day;
  if (from === to || lastDay === undefined) return { price, shares };
  const left = [...actions]
    .filter((action) => action.day <= lastDay)
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  let splits = 1;
  let dividends = 1;
  for (let i = bars.length - 1; i >= 0; i--) {
    const bar = bars[i]!;
    // Every action is met at the last bar before its ex-day, whose close is what the dividend is measured against.
    for (let action = left.at(-1); action !== undefined && action.day > bar.day; action = left.at(-1)) {
      left.pop();
      if (action.kind === 'split') splits *= action.value;
      else if (to === 'total_return') dividends *= dividendFactor(action, bar.close, from, actions);
    }
    price[i] = (from === 'raw' ? 1 / splits : 1) * dividends;
    if (from === 'raw') shares[i] = splits;
  }
  return { price, shares };
}

/**
 * A dividend is told per share of its ex-day. A raw close before it is per share before a split of the same day; a
 * split-adjusted close is per share after all later splits.
 */
function dividendFactor(
  dividend: KnownAction,
  close: number | null,
  from: PriceBasis,
  actions: readonly KnownAction[],
): number {
  if (close === null || close <= 0) return 1;
  const splitsOn = (isMeant: (day: string) => boolean) =>
    actions.reduce(
      (product, { kind, day, value }) => (kind === 'split' && isMeant(day) ? product * value : product),
      1,
    );
  const exDayClose =
    from === 'raw' ? close / splitsOn((day) => day === dividend.day) : close * splitsOn((day) => day > dividend.day);
  const factor = 1 - dividend.value / exDayClose;
  return factor > 0 ? factor : 1;
}

function scale(bar: KnownBar, price: number, shares: number): KnownBar {
  const times = (value: number | null, factor: number) => (value === null ? null : value * factor);
  return {
    ...bar,
    open: times(bar.open, price),
    high: times(bar.high, price),
    low: times(bar.low, price),
    close: times(bar.close, price),
    volume: times(bar.volume, shares),
  };
}
