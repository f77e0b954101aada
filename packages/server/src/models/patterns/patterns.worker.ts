import { CANDLE_INDICATORS, CANDLE_MEANINGS } from '@touchstone/quant/indicators/candles/index';
import { runIndicator } from '@touchstone/quant/indicators/indicator';
import { type BaseRate, measureBaseRates, type Signal, type SignalSeries } from '@touchstone/quant/patterns/base-rates';
import { changePoints } from '@touchstone/quant/patterns/change-points';
import { type ChartPattern, detectChartPatterns } from '@touchstone/quant/patterns/chart-patterns';
import { createRandom } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';
import { CHANGE_SETTINGS, type MarkDirection } from './pattern-settings.ts';

export type CandleHits = { name: string; direction: MarkDirection; bars: Int32Array };
/** What was detected in one series of bars. */
export type Scan = { charts: ChartPattern[]; candles: CandleHits[] };

/**
 * Chart patterns of the closes, and candles where there are highs and lows.
 *
 * @public Called by its name from another thread.
 */
export function scanBars({ bars, hasRange, leniency }: { bars: Bars; hasRange: boolean; leniency: number }): Scan {
  return { charts: detectChartPatterns(bars.close, leniency), candles: hasRange ? scanCandles(bars) : [] };
}

function scanCandles(bars: Bars): CandleHits[] {
  const meanings = new Map(CANDLE_MEANINGS.map((meaning) => [meaning.name, meaning]));
  const hits: CandleHits[] = [];
  for (const indicator of CANDLE_INDICATORS) {
    const columns = runIndicator(indicator, bars);
    indicator.outputs.forEach((name, k) => {
      const meaning = meanings.get(name);
      if (meaning === undefined) return;
      const byDirection = new Map<MarkDirection, number[]>();
      columns[k]!.forEach((value, bar) => {
        if (Number.isNaN(value) || value === 0) return;
        const direction = directionOf(meaning.direction, value);
        byDirection.set(direction, [...(byDirection.get(direction) ?? []), bar]);
      });
      for (const [direction, found] of byDirection) hits.push({ name, direction, bars: Int32Array.from(found) });
    });
  }
  return hits;
}

function directionOf(said: 'bullish' | 'bearish' | 'both' | 'none', value: number): MarkDirection {
  if (said === 'none') return 'none';
  if (said === 'both') return value > 0 ? 'up' : 'down';
  return said === 'bullish' ? 'up' : 'down';
}

export type MeasureInput = {
  series: { day: Int32Array; close: Float64Array; signals: { key: string; bars: Int32Array }[] }[];
  keys: [key: string, direction: 1 | -1][];
  horizon: number;
  asOf: number;
  seed: number;
};

/** @public Called by its name from another thread. */
export function measure({ series, keys, horizon, asOf, seed }: MeasureInput): BaseRate[] {
  const directions = new Map(keys);
  const told = series.map(
    ({ day, close, signals }): SignalSeries => ({
      day,
      close,
      signals: signals.flatMap(({ key, bars }) =>
        Array.from(bars, (bar): Signal => ({ key, bar, direction: directions.get(key) ?? 1 })),
      ),
    }),
  );
  return measureBaseRates(told, directions, { horizon, asOf, random: createRandom(seed).split('base-rates') });
}

export type FoundChange = {
  bar: number;
  tellableBar: number;
  before: { mean: number; deviation: number };
  after: { mean: number; deviation: number };
};

/**
 * Changes of mean and variance of daily log returns, by the bar of the closes they begin on.
 *
 * @public Called by its name from another thread.
 */
export function findChanges({ close }: { close: Float64Array }): FoundChange[] {
  const bars: number[] = [];
  close.forEach((price, bar) => {
    if (price > 0) bars.push(bar);
  });
  const returns = Float64Array.from(bars.slice(1), (bar, k) => Math.log(close[bar]! / close[bars[k]!]!));
  const { changes, tellable } = changePoints(returns, CHANGE_SETTINGS);
  return Array.from(changes, (change, k) => ({
    bar: bars[change + 1]!,
    tellableBar: bars[tellable[k]! + 1]!,
    before: momentsOf(returns.subarray(changes[k - 1] ?? 0, change)),
    after: momentsOf(returns.subarray(change, changes[k + 1] ?? returns.length)),
  }));
}

function momentsOf(returns: Float64Array): { mean: number; deviation: number } {
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  const squares = returns.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, returns.length - 1)) };
}
