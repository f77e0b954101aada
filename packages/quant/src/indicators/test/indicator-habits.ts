import assert from 'node:assert/strict';
import { checkNoLookAhead } from '../../evaluation/look-ahead-canary.ts';
import { createRandom, type Random } from '../../random/random.ts';
import { type BarColumns, createIndicatorStream, type Indicator, runIndicator } from '../indicator.ts';

/** What every indicator has to do whatever it computes, to be held against any list of them. */

/** A walk in whole cents, so that levels tie as on an exchange, with days of one price and days without volume. */
export function randomBars(random: Random, length: number): BarColumns {
  const column = () => new Float64Array(length);
  const bars = { open: column(), high: column(), low: column(), close: column(), volume: column() };
  const cents = (x: number) => Math.round(x * 100) / 100;
  let last = 20 + 80 * random.uniform();
  for (let i = 0; i < length; i++) {
    const open = cents(last * (1 + 0.004 * random.normal()));
    const close = random.uniform() < 0.1 ? open : cents(open * (1 + 0.01 * random.normal()));
    const shadow = () => (random.uniform() < 0.3 ? 0 : 0.3 * Math.abs(random.normal()));
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = cents(Math.max(open, close) + shadow());
    bars.low[i] = cents(Math.min(open, close) - shadow());
    bars.volume[i] = random.uniform() < 0.01 ? 0 : Math.round(1e5 * Math.exp(0.5 * random.normal()));
    last = close;
  }
  return bars;
}

/** Bars of one price, at a volume of 0 unless told otherwise. */
export function constantBars(length: number, volume = 0): BarColumns {
  const price = () => new Float64Array(length).fill(50);
  return { open: price(), high: price(), low: price(), close: price(), volume: new Float64Array(length).fill(volume) };
}

/** The columns of an indicator by name. */
export function columnsByName(indicators: readonly Indicator[], bars: BarColumns): Map<string, Float64Array> {
  const entries = indicators.flatMap((indicator) => {
    const columns = runIndicator(indicator, bars);
    return indicator.outputs.map((name, k): [string, Float64Array] => [name, columns[k]!]);
  });
  return new Map(entries);
}

/** Random cuts into calls of `advance`, and one bar at a time through the stream, change no bit. */
export function assertStreamEqualsBatch(indicators: readonly Indicator[], seed: string, length: number): void {
  const random = createRandom(seed);
  const bars = randomBars(random, length);
  bars.close[length >> 1] = Number.NaN;
  bars.volume[(length >> 1) + 30] = Number.NaN;
  const batch = columnsByName(indicators, bars);
  const stream = createIndicatorStream(indicators);
  for (let i = 0; i < length; i++) {
    const bar = {
      open: bars.open[i]!,
      high: bars.high[i]!,
      low: bars.low[i]!,
      close: bars.close[i]!,
      volume: bars.volume[i]!,
    };
    const values = stream.push(bar);
    stream.names.forEach((name, k) => {
      assert.ok(
        Object.is(values[k], batch.get(name)![i]),
        `${name} of bar ${i}: ${values[k]} live, ${batch.get(name)![i]}`,
      );
    });
  }
  const whole = randomBars(random, length);
  for (const indicator of indicators) {
    const expected = runIndicator(indicator, whole);
    const state = new Float64Array(indicator.stateSize);
    for (let from = 0; from < length; ) {
      const to = Math.min(length, from + 1 + random.integer(random.uniform() < 0.5 ? 3 : 90));
      const out = indicator.outputs.map(() => new Float64Array(to - from));
      indicator.advance(whole, from, to, state, out);
      out.forEach((values, k) => {
        assert.deepEqual(values, expected[k]!.slice(from, to), `${indicator.outputs[k]} of bars ${from} to ${to}`);
      });
      from = to;
    }
  }
}

/** The canary stays silent, and something does change when the future does. */
export function assertNoLookAhead(indicators: readonly Indicator[], seed: string, length: number): void {
  const random = createRandom(seed);
  for (const indicator of indicators) {
    const verdict = checkNoLookAhead<BarColumns>({
      name: indicator.name,
      input: randomBars(random, length),
      rowCount: length,
      compute: (bars) => {
        const columns = runIndicator(indicator, bars);
        return Float64Array.from({ length: bars.close.length * columns.length }, (_, cell) => {
          return columns[cell % columns.length]![Math.floor(cell / columns.length)]!;
        });
      },
      random,
    });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
    assert.ok(verdict.isSensitive, `${indicator.name} looks at its bars`);
  }
}

/** NaN before the warm-up is over and nowhere is it Infinity; a gap begins anew what reads it, as if nothing came before. */
export function assertBeginsAnewAfterGap(indicators: readonly Indicator[], seed: string, length: number): void {
  const bars = randomBars(createRandom(seed), length);
  const gap = length >> 1;
  bars.close[gap] = Number.NaN;
  const after = (values: Float64Array) => values.slice(gap + 1);
  const rest = {
    open: after(bars.open),
    high: after(bars.high),
    low: after(bars.low),
    close: after(bars.close),
    volume: after(bars.volume),
  };
  for (const indicator of indicators) {
    const columns = runIndicator(indicator, bars);
    const anew = runIndicator(indicator, rest);
    columns.forEach((values, k) => {
      const name = indicator.outputs[k];
      assert.ok(Number.isNaN(values[gap]), `${name} has no value in the gap`);
      assert.deepEqual(after(values), anew[k], `${name} begins anew`);
      assert.ok(
        values.every((value, i) => Number.isNaN(value) || (Number.isFinite(value) && i >= indicator.warmUp)),
        `${name} is finite or missing, and missing at first`,
      );
      assert.ok(
        values.slice(0, gap).some((value) => !Number.isNaN(value)),
        `${name} has values`,
      );
    });
  }
}

/** With as many bars as the warm-up there is no value; with none there is no column of values, and nothing is thrown. */
export function assertTooFewBars(indicators: readonly Indicator[]): void {
  for (const indicator of indicators) {
    for (const length of [0, 1, indicator.warmUp]) {
      const bars = randomBars(createRandom(`few ${length}`), Math.min(length, indicator.warmUp));
      for (const values of runIndicator(indicator, bars)) assert.ok(values.every(Number.isNaN), indicator.name);
    }
  }
}
