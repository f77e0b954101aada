import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';
import { checkHorizon } from './forward-return.ts';
import { createLabels, finishLabels, type Labels } from './label.ts';

export type TripleBarrierSettings = {
  /** Rows until the vertical barrier, >= 1. */
  horizon: number;
  /** Distance of the upper and the lower barrier from the close of t, in units of `volatility[t]`, > 0. Null: no such barrier. */
  up: number | null;
  down: number | null;
  /** T values: what a barrier distance of 1 is, as a fraction of the close, as known at the close of t. */
  volatility: Float64Array;
};

export type TripleBarrierLabels = Labels & {
  /** Simple return from the close of t to the barrier that was touched, or to the close at the vertical one; NaN if none. */
  touchReturn: Float64Array;
};

/**
 * Which barrier a price touches first after row t: 1 the upper, −1 the lower, 0 neither within `horizon` rows.
 *
 * Barriers stand at close × (1 + up · volatility) and close × (1 − down · volatility) and are touched by highs and lows. A
 * bar that touches both says nothing about the order: it counts as the lower one, the cautious reading. A bar opening
 * beyond a barrier counts as touching it at the barrier. Known at the row of the touch, or at row t + horizon.
 *
 * Undefined (NaN) where the close is missing or volatility is not positive (known at t), and where a bar on the way is
 * missing (known at that bar).
 *
 * Pass the close as high and low where only closes are known. Time O(T · horizon).
 *
 * @throws RangeError on wrong shapes or settings.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 3, sections 3 to 5.
 */
export function tripleBarrier(
  bars: Pick<Bars, 'high' | 'low' | 'close'>,
  settings: TripleBarrierSettings,
): TripleBarrierLabels {
  const { high, low, close } = bars;
  const { horizon, up, down, volatility } = settings;
  const rowCount = close.length;
  checkHorizon(horizon);
  expect(up === null || up > 0, `up must be positive, was ${up}`);
  expect(down === null || down > 0, `down must be positive, was ${down}`);
  for (const [name, values] of Object.entries({ high, low, volatility }))
    expect(values.length === rowCount, `${name} must have ${rowCount} rows, had ${values.length}`);
  const labels = createLabels(rowCount);
  const touchReturn = new Float64Array(rowCount).fill(Number.NaN);
  for (let t = 0; t < rowCount; t++) {
    const start = close[t]!;
    if (!(start > 0 && volatility[t]! > 0)) {
      labels.labelEnd[t] = t;
      continue;
    }
    const upper = up === null ? Number.POSITIVE_INFINITY : start * (1 + up * volatility[t]!);
    const lower = down === null ? Number.NEGATIVE_INFINITY : start * (1 - down * volatility[t]!);
    const end = settlingRow(high, low, t, horizon, upper, lower);
    if (end === -1) continue;
    labels.labelEnd[t] = end;
    const touch = touchOf(high[end]!, low[end]!, upper, lower);
    const level = touch === 1 ? upper : touch === -1 ? lower : close[end]!;
    if (Number.isNaN(touch) || Number.isNaN(level)) continue;
    labels.value[t] = touch;
    touchReturn[t] = level / start - 1;
  }
  return { ...finishLabels(labels), touchReturn };
}

/** First row with a touch or without a bar, else the one of the vertical barrier; −1 if that is not there yet. */
function settlingRow(
  high: Float64Array,
  low: Float64Array,
  t: number,
  horizon: number,
  upper: number,
  lower: number,
): number {
  const last = Math.min(t + horizon, high.length - 1);
  for (let r = t + 1; r <= last; r++) if (touchOf(high[r]!, low[r]!, upper, lower) !== 0) return r;
  return t + horizon < high.length ? t + horizon : -1;
}

/** −1, 0 or 1; NaN where the bar is missing. */
function touchOf(high: number, low: number, upper: number, lower: number): number {
  if (Number.isNaN(high) || Number.isNaN(low)) return Number.NaN;
  if (low <= lower) return -1;
  return high >= upper ? 1 : 0;
}
