import { expect } from '../checks/expect.ts';
import { createLabels, finishLabels, type Labels } from './label.ts';

/**
 * Return from the close of row t to that of row t + horizon: the label of a forecast made at the close of t.
 *
 * NaN where either close is missing or not positive. Known at row t + horizon.
 *
 * @param close T prices, adjusted.
 * @param horizon Rows ahead, >= 1.
 * @param kind `simple`: .01 is 1 %. `log`: ln of the ratio.
 * @throws RangeError if the horizon is no whole number >= 1.
 */
export function forwardReturn(close: Float64Array, horizon: number, kind: 'simple' | 'log' = 'simple'): Labels {
  checkHorizon(horizon);
  const labels = createLabels(close.length);
  for (let t = 0; t < close.length; t++) {
    if (!(close[t]! > 0)) labels.labelEnd[t] = t;
    else if (t + horizon < close.length) {
      const ratio = close[t + horizon]! > 0 ? close[t + horizon]! / close[t]! : Number.NaN;
      labels.value[t] = kind === 'log' ? Math.log(ratio) : ratio - 1;
      labels.labelEnd[t] = t + horizon;
    }
  }
  return finishLabels(labels);
}

/**
 * Direction of the forward return: 1 up, −1 down, 0 within `deadband` of nothing (a return of exactly 0 always is).
 *
 * @param deadband Simple return, >= 0, up to which a move counts as none.
 */
export function forwardDirection(close: Float64Array, horizon: number, deadband = 0): Labels {
  expect(deadband >= 0, `deadband must be >= 0, was ${deadband}`);
  const { value, labelEnd, uniqueness } = forwardReturn(close, horizon);
  const direction = value.map((r) => (Number.isNaN(r) ? Number.NaN : Math.abs(r) <= deadband ? 0 : r > 0 ? 1 : -1));
  return { value: direction, labelEnd, uniqueness };
}

export function checkHorizon(horizon: number): void {
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
}
