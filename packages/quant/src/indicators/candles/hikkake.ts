import type { BarColumns } from '../indicator.ts';
import { NEAR } from './candle-block.ts';

/** Bars after the pattern in which a close beyond its second bar confirms it. */
const CONFIRM_BARS = 3;
const PATTERN = 100;
const CONFIRMED = 200;

/** State of both: the bar the last unconfirmed pattern ended on (0: none), and its sign. The modified one adds a sum. */
const BAR = 0;
const SIGN = 1;
const NEAR_SUM = 2;
export const HIKKAKE_STATE = 2;
export const HIKKAKE_MODIFIED_STATE = 3;
export const HIKKAKE_WARM_UP = 5;
export const HIKKAKE_MODIFIED_WARM_UP = 10;
const NEAR_BARS = 5;

/**
 * An inside bar, then a bar that breaks out of it on one side: ±100 for the trap towards the other side, ±200 when one of
 * the next three closes goes there. A new pattern takes the place of one that was not confirmed.
 */
export function advanceHikkake(
  bars: BarColumns,
  from: number,
  to: number,
  state: Float64Array,
  out: readonly Float64Array[],
): void {
  const values = out[0]!;
  for (let i = from; i < to; i++) {
    // A pattern among the warm-up bars may be confirmed by a bar after it.
    const isPattern = i >= 2 && isInside(bars, i - 1) && breakout(bars, i) !== 0;
    const value = i < 2 ? 0 : tell(bars, i, isPattern, state);
    values[i - from] = i < HIKKAKE_WARM_UP ? Number.NaN : value;
  }
}

/** As `advanceHikkake`, with two inside bars, the first of which closes near the end the trap points away from. */
export function advanceHikkakeModified(
  bars: BarColumns,
  from: number,
  to: number,
  state: Float64Array,
  out: readonly Float64Array[],
): void {
  const { high, low, close } = bars;
  const values = out[0]!;
  const first = HIKKAKE_MODIFIED_WARM_UP - CONFIRM_BARS;
  for (let i = from; i < to; i++) {
    let value = 0;
    if (i >= first) {
      const nearest = i - 2;
      if (i === first) for (let k = nearest - NEAR_BARS; k < nearest; k++) state[NEAR_SUM]! += high[k]! - low[k]!;
      const near = NEAR * (state[NEAR_SUM]! / NEAR_BARS);
      const side = isInside(bars, i - 2) && isInside(bars, i - 1) ? breakout(bars, i) : 0;
      const isPattern =
        side === 1 ? close[nearest]! <= low[nearest]! + near : side === -1 && close[nearest]! >= high[nearest]! - near;
      value = tell(bars, i, isPattern, state);
      const oldest = nearest - NEAR_BARS;
      state[NEAR_SUM]! += high[nearest]! - low[nearest]! - (high[oldest]! - low[oldest]!);
    }
    values[i - from] = i < HIKKAKE_MODIFIED_WARM_UP ? Number.NaN : value;
  }
}

function isInside(bars: BarColumns, i: number): boolean {
  return bars.high[i]! < bars.high[i - 1]! && bars.low[i]! > bars.low[i - 1]!;
}

/** 1 when bar i breaks out below the bar before (a trap for sellers), −1 above it, 0 otherwise. */
function breakout(bars: BarColumns, i: number): number {
  const { high, low } = bars;
  if (high[i]! < high[i - 1]! && low[i]! < low[i - 1]!) return 1;
  return high[i]! > high[i - 1]! && low[i]! > low[i - 1]! ? -1 : 0;
}

function tell(bars: BarColumns, i: number, isPattern: boolean, state: Float64Array): number {
  if (isPattern) {
    state[BAR] = i;
    state[SIGN] = breakout(bars, i);
    return state[SIGN]! * PATTERN;
  }
  const ended = state[BAR]!;
  if (ended === 0 || i > ended + CONFIRM_BARS) return 0;
  const sign = state[SIGN]!;
  const confirms = sign > 0 ? bars.close[i]! > bars.high[ended - 1]! : bars.close[i]! < bars.low[ended - 1]!;
  if (!confirms) return 0;
  state[BAR] = 0;
  return sign * CONFIRMED;
}
