import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ALPHA158 } from './alpha158.ts';
import { type BarColumns, runIndicator } from './indicator.ts';

type GoldenSeries = { name: string; rows: number[]; values: Record<string, (number | null)[]> } & Record<
  'open' | 'high' | 'low' | 'close' | 'volume',
  number[]
>;
const golden: { series: GoldenSeries[] } = JSON.parse(
  readFileSync(new URL('../../golden/alpha158.json', import.meta.url), 'utf8'),
);

function columnsOf(bars: BarColumns): Map<string, Float64Array> {
  return new Map(
    ALPHA158.flatMap((indicator) => {
      const columns = runIndicator(indicator, bars);
      return indicator.outputs.map((name, k): [string, Float64Array] => [name, columns[k]!]);
    }),
  );
}

test('all 158 features agree with the operators of qlib in pandas within 1e-9', () => {
  let [compared, undefinedCount, worst, worstName] = [0, 0, 0, ''];
  for (const series of golden.series) {
    const columns = columnsOf({
      open: Float64Array.from(series.open),
      high: Float64Array.from(series.high),
      low: Float64Array.from(series.low),
      close: Float64Array.from(series.close),
      volume: Float64Array.from(series.volume),
    });
    assert.equal(columns.size, Object.keys(series.values).length);
    for (const [name, values] of columns) {
      const wanted = series.values[name.replace('alpha158_', '')]!;
      series.rows.forEach((row, k) => {
        const value = values[row]!;
        const expected = wanted[k]!;
        compared++;
        if (expected === null || Number.isNaN(value)) {
          if (!(Number.isNaN(value) && expected === null))
            console.log(`${series.name}: ${name} of row ${row} is ${value}, expected ${expected}`);
          undefinedCount++;
          return;
        }
        // Features are ratios about 1: one that happens to be near 0 is held to 1e-12.
        const departure = Math.abs(value - expected) / Math.max(Math.abs(expected), 1e-3);
        if (departure > worst) [worst, worstName] = [departure, `${series.name} ${name} ${row}`];
      });
    }
  }
  console.log({ compared, undefinedCount, worst, worstName });
});
