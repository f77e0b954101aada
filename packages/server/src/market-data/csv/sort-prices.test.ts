import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriceColumns } from './parse-prices.ts';
import { sortBySymbolAndDay } from './sort-prices.ts';

type Row = { symbol: number; day: number };

function columnsOf(rows: Row[]): PriceColumns {
  const places = Float64Array.from(rows.keys());
  return {
    symbols: ['A', 'B', 'C', 'D'],
    currencies: ['USD', 'USD', 'USD', 'USD'],
    symbol: Int32Array.from(rows, (row) => row.symbol),
    day: Int32Array.from(rows, (row) => row.day),
    open: places.slice(),
    high: places.slice(),
    low: places.slice(),
    close: places.slice(),
    volume: places.slice(),
    adjClose: places.slice(),
    line: Int32Array.from(rows.keys()),
    rowCount: rows.length,
  };
}

test('rows come out by symbol and day, duplicates in file order, every column moved alike', () => {
  const row = fc.record({ symbol: fc.integer({ min: 0, max: 3 }), day: fc.integer({ min: -60_000, max: -59_990 }) });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const columns = columnsOf(rows);
      const offsets = sortBySymbolAndDay(columns);
      const expected = [...rows.keys()].sort(
        (a, b) => rows[a]!.symbol - rows[b]!.symbol || rows[a]!.day - rows[b]!.day || a - b,
      );
      assert.deepEqual([...columns.line], expected);
      for (const column of [columns.open, columns.close, columns.volume, columns.adjClose!])
        assert.deepEqual([...column], expected);
      assert.deepEqual(
        [...columns.day],
        expected.map((i) => rows[i]!.day),
      );
      assert.deepEqual(
        [...offsets],
        [0, 1, 2, 3, 4].map((s) => rows.filter(({ symbol }) => symbol < s).length),
      );
    }),
  );
});

test('newest-first files are turned round', () => {
  const columns = columnsOf([3, 2, 1].map((day) => ({ symbol: 1, day })));
  assert.deepEqual([...sortBySymbolAndDay(columns)], [0, 0, 3, 3, 3]);
  assert.deepEqual([...columns.day], [1, 2, 3]);
});
