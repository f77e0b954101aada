import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type BarColumns, runIndicator } from '../indicator.ts';
import { CANDLE_INDICATORS, CANDLE_MEANINGS } from './index.ts';

type GoldenSeries = { name: string; unit: number; hits: Record<string, number[]> } & Record<
  'open' | 'high' | 'low' | 'close',
  number[]
>;
type Golden = { versions: Record<string, string>; lookback: Record<string, number>; series: GoldenSeries[] };

const golden: Golden = JSON.parse(readFileSync(new URL('../../../golden/candles.json', import.meta.url), 'utf8'));

function barsOf(series: GoldenSeries): BarColumns {
  const price = (values: number[]) => Float64Array.from(values, (x) => (series.unit === 1 ? x : x / 100));
  const close = price(series.close);
  return {
    open: price(series.open),
    high: price(series.high),
    low: price(series.low),
    close,
    volume: new Float64Array(close.length),
  };
}

/** What TA-Lib says, one value a bar; pairs of distance and value in the file. */
function valuesOf(hits: number[], length: number): Float64Array {
  const values = new Float64Array(length);
  for (let k = 0, at = 0; k < hits.length; k += 2) {
    at += hits[k]!;
    values[at] = hits[k + 1]!;
  }
  return values;
}

const sourceOf = new Map(CANDLE_MEANINGS.map(({ name, source }) => [name, source]));

test('every pattern says what TA-Lib says, on every bar of four series', () => {
  let compared = 0;
  const seen = new Set<string>();
  for (const series of golden.series) {
    const bars = barsOf(series);
    for (const indicator of CANDLE_INDICATORS) {
      const columns = runIndicator(indicator, bars);
      indicator.outputs.forEach((name, k) => {
        const source = sourceOf.get(name)!;
        assert.equal(indicator.warmUp, golden.lookback[source], `${name} begins with ${source}`);
        const expected = valuesOf(series.hits[source]!, bars.close.length);
        columns[k]!.forEach((value, i) => {
          const wanted = i < indicator.warmUp ? Number.NaN : expected[i]!;
          assert.ok(
            value === wanted || (Number.isNaN(value) === Number.isNaN(wanted) && Number.isNaN(value)),
            `${series.name}: ${name} says ${value} of bar ${i}, ${source} ${wanted}`,
          );
          if (value) seen.add(`${source} ${value}`);
          compared++;
        });
      });
    }
  }
  console.log(compared, seen.size);
});
