import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bars } from '@touchstone/quant/series/bars';
import { combineHoldings } from './combine-holdings.ts';

function bars(day: number[], close: number[]): { bars: Bars } {
  const missing = new Float64Array(close.length).fill(Number.NaN);
  const column = Float64Array.from(close);
  return {
    bars: { day: Int32Array.from(day), open: missing, high: missing, low: missing, close: column, volume: missing },
  };
}

test('the level moves by the weighted returns on the days all of them have, the rest in cash', () => {
  const one = bars([1, 2, 3, 4], [100, 110, 110, 99]);
  const other = bars([1, 2, 4, 5], [50, 50, 60, 70]);
  const { day, close, high } = combineHoldings(
    [one, other],
    [
      { instrumentId: 1, weight: 0.5 },
      { instrumentId: 2, weight: 0.25 },
    ],
  );
  assert.deepEqual([...day], [1, 2, 4]);
  // 1 + 0.5 × 10 % + 0.25 × 0 %; then 0.5 × −10 % + 0.25 × 20 % = 0.
  assert.ok(Math.abs(close[1]! - 1.05) < 1e-15 && Math.abs(close[2]! - 1.05) < 1e-15);
  assert.ok(Number.isNaN(high[0]!));
});

test('where nothing would be left the level ends, and where nothing is shared there is none', () => {
  const { close } = combineHoldings([bars([1, 2, 3], [100, 150, 160])], [{ instrumentId: 1, weight: -3 }]);
  assert.equal(close[0], 1);
  assert.ok(Number.isNaN(close[1]!) && Number.isNaN(close[2]!));
  const nothing = combineHoldings(
    [bars([1], [1]), bars([2], [1])],
    [
      { instrumentId: 1, weight: 1 },
      { instrumentId: 2, weight: 1 },
    ],
  );
  assert.equal(nothing.day.length, 0);
});
