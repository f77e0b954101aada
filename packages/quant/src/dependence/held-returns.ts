import { expect } from '../checks/expect.ts';

/**
 * Returns of a portfolio formed again and again from the rows before, bought, and left to drift until the next time. Only
 * rows before the first held one reach `weightsOf`.
 *
 * @param returns Row-major T × N simple returns, finite.
 * @param weightsOf Given row-major window × N; weights that add up to one, or null where there are none.
 * @returns T − window returns (none if that is not positive), or null as soon as there are no weights.
 * @throws RangeError on a wrong shape or a window or hold below 1.
 */
export function heldReturns(
  returns: Float64Array,
  rowCount: number,
  count: number,
  { window, hold }: { window: number; hold: number },
  weightsOf: (past: Float64Array) => Float64Array | null,
): Float64Array | null {
  expect(returns.length === rowCount * count, `returns must be ${rowCount} x ${count}, had ${returns.length} values`);
  expect(window >= 1 && hold >= 1, `window and hold must be at least 1, were ${window} and ${hold}`);
  const held = new Float64Array(Math.max(0, rowCount - window));
  for (let start = window; start < rowCount; start += hold) {
    const weights = weightsOf(returns.slice((start - window) * count, start * count));
    if (weights === null) return null;
    const values = weights.slice();
    let worth = 1;
    for (let t = start; t < Math.min(rowCount, start + hold); t++) {
      let next = 0;
      for (let i = 0; i < count; i++) {
        values[i]! *= 1 + returns[t * count + i]!;
        next += values[i]!;
      }
      held[t - window] = next / worth - 1;
      worth = next;
    }
  }
  return held;
}
