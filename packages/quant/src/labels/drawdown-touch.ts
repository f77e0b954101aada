import { expect } from '../checks/expect.ts';
import type { Bars } from '../series/bars.ts';
import { checkHorizon } from './forward-return.ts';
import { createLabels, finishLabels, type Labels } from './label.ts';

export type DrawdownTouchLabels = Labels & {
  /** First row whose low lies at or below the level; −1 if none does. */
  touchRow: Int32Array;
};

/**
 * Whether the price falls by `depth`: 1 if a low of rows t + 1 to t + horizon is at or below close(t) × (1 − depth), else 0.
 *
 * `labelEnd` is t + horizon also where the touch came sooner: counting touches as known at once, and their absence only
 * after the horizon, would fill the newest training rows with touches alone. `touchRow` tells when it came.
 *
 * NaN where the close or a low on the way is missing.
 *
 * @param depth Fraction in (0, 1); .05 is 5 %.
 * @throws RangeError on wrong shapes or settings.
 */
export function drawdownTouch(bars: Pick<Bars, 'low' | 'close'>, horizon: number, depth: number): DrawdownTouchLabels {
  const { low, close } = bars;
  checkHorizon(horizon);
  expect(depth > 0 && depth < 1, `depth must lie between 0 and 1, was ${depth}`);
  expect(low.length === close.length, `low must have ${close.length} rows, had ${low.length}`);
  const rowCount = close.length;
  const labels = createLabels(rowCount);
  const touchRow = new Int32Array(rowCount).fill(-1);
  for (let t = 0; t < rowCount; t++) {
    if (!(close[t]! > 0)) {
      labels.labelEnd[t] = t;
      continue;
    }
    if (t + horizon >= rowCount) continue;
    const level = close[t]! * (1 - depth);
    let isMissing = false;
    for (let r = t + 1; r <= t + horizon; r++) {
      if (Number.isNaN(low[r]!)) isMissing = true;
      else if (touchRow[t] === -1 && low[r]! <= level) touchRow[t] = r;
    }
    labels.labelEnd[t] = t + horizon;
    if (!isMissing) labels.value[t] = touchRow[t] === -1 ? 0 : 1;
  }
  return { ...finishLabels(labels), touchRow };
}
