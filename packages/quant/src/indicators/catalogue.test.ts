import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkIndicator } from '../evaluation/check-indicator.ts';
import { createRandom } from '../random/random.ts';
import { ALL_INDICATORS, findFactory, findIndicator, INDICATOR_FACTORIES, STANDARD_INDICATORS } from './catalogue.ts';
import { type BarColumns, createIndicatorStream, type Indicator, runIndicator, runIndicators } from './indicator.ts';
import { measureSettling, randomBars } from './warm-up.ts';

const COLUMNS = ['open', 'high', 'low', 'close', 'volume'] as const;

/** Row-less comparison to the last bit: NaN equals NaN, 0 and −0 differ. */
function assertSame(name: string, actual: Float64Array, expected: Float64Array): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i])) assert.fail(`${name}: bar ${i} is ${actual[i]}, not ${expected[i]}`);
}

function withGap(bars: BarColumns, at: number, column: (typeof COLUMNS)[number]): BarColumns {
  const holed = { ...bars, [column]: bars[column].slice() };
  holed[column][at] = Number.NaN;
  return holed;
}

test('every output has a name of its own, and there are at least 150', () => {
  const outputs = ALL_INDICATORS.flatMap((indicator) => indicator.outputs);
  assert.ok(outputs.length >= 150, `${outputs.length} outputs`);
  assert.equal(new Set(outputs).size, outputs.length);
  assert.equal(new Set(ALL_INDICATORS.map(({ name }) => name)).size, ALL_INDICATORS.length);
  for (const name of outputs) assert.match(name, /^[a-z][a-z0-9_]*$/);
});

test('an indicator is found by its name and by the names of its outputs', () => {
  assert.equal(findIndicator('macd_12_26_9_signal'), findIndicator('macd_12_26_9'));
  assert.deepEqual(findIndicator('rsi_14')?.parameters, { period: 14 });
  assert.equal(findIndicator('rsi_15'), undefined);
  assert.equal(findFactory('rsi')?.make({ period: 15 }).name, 'rsi_15');
});

test('a parameter out of range, not whole or unknown is refused in a sentence', () => {
  const rsi = findFactory('rsi')!;
  assert.throws(() => rsi.make({ period: 1 }), /rsi: period must be in 2\.\.1000, was 1/);
  assert.throws(() => rsi.make({ period: 2.5 }), /rsi: period must be a whole number, was 2\.5/);
  assert.throws(() => rsi.make({ length: 5 }), /rsi has the parameters period, not length/);
});

test('bar by bar, in random pieces and all at once give the same bits, also around a missing bar', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 419 }), fc.constantFrom(...COLUMNS), (seed, gap, column) => {
      const random = createRandom(seed);
      const bars = withGap(randomBars(random.split('bars'), 420), gap, column);
      const batch = runIndicators(ALL_INDICATORS, bars);
      const stream = createIndicatorStream(ALL_INDICATORS);
      const live = batch.flatMap((columns) => columns.map(() => new Float64Array(420)));
      for (let i = 0; i < 420; i++) {
        const values = stream.push({
          open: bars.open[i]!,
          high: bars.high[i]!,
          low: bars.low[i]!,
          close: bars.close[i]!,
          volume: bars.volume[i]!,
        });
        for (let k = 0; k < live.length; k++) live[k]![i] = values[k]!;
      }
      batch.flat().forEach((expected, k) => void assertSame(stream.names[k]!, live[k]!, expected));

      const whole = randomBars(random.split('whole'), 420);
      for (const indicator of ALL_INDICATORS) {
        const state = new Float64Array(indicator.stateSize);
        const pieces = indicator.outputs.map(() => new Float64Array(420));
        for (let from = 0; from < 420; ) {
          const to = Math.min(420, from + 1 + random.integer(150));
          const piece = indicator.outputs.map(() => new Float64Array(to - from));
          indicator.advance(whole, from, to, state, piece);
          piece.forEach((values, k) => void pieces[k]!.set(values, from));
          from = to;
        }
        runIndicator(indicator, whole).forEach((expected, k) => {
          assertSame(indicator.outputs[k]!, pieces[k]!, expected);
        });
      }
    }),
    { numRuns: 4 },
  );
});

test('after a missing bar an indicator begins anew: no window straddles the gap', () => {
  const bars = randomBars(createRandom('gap'), 700);
  const after = {
    open: bars.open.subarray(301),
    high: bars.high.subarray(301),
    low: bars.low.subarray(301),
    close: bars.close.subarray(301),
    volume: bars.volume.subarray(301),
  };
  for (const indicator of ALL_INDICATORS) {
    const holed = runIndicator(indicator, withGap(bars, 300, indicator.inputs[0]!));
    const fresh = runIndicator(indicator, after);
    holed.forEach((column, k) => {
      assert.ok(Number.isNaN(column[300]!), indicator.outputs[k]);
      assertSame(indicator.outputs[k]!, column.subarray(301), fresh[k]!);
    });
  }
});

test('none looks ahead, and each keeps its declared warm-up and memory', () => {
  for (const indicator of ALL_INDICATORS) {
    const { canary, warmUp } = checkIndicator(indicator, createRandom('catalogue'));
    assert.ok(canary.ok, canary.ok ? '' : canary.sentence);
    assert.ok(canary.isSensitive, `${indicator.name} does not depend on its bars`);
    assert.ok(warmUp.ok, `${indicator.name}: ${warmUp.sentence}`);
  }
});

test('the canary sings for an indicator that looks ahead, and the warm-up analysis tells a wrong declaration', () => {
  const honest = findIndicator('ema_30')!;
  const peeking: Indicator = {
    ...honest,
    warmUp: 0,
    advance({ close }, from, to, _state, out) {
      for (let i = from; i < to; i++) out[0]![i - from] = close[Math.min(i + 1, close.length - 1)]!;
    },
  };
  assert.equal(checkIndicator(peeking, createRandom(1)).canary.ok, false);
  const forgetful: Indicator = { ...honest, memory: { kind: 'window' } };
  const verdict = checkIndicator(forgetful, createRandom(1)).warmUp;
  assert.equal(verdict.ok, false);
  assert.match(verdict.sentence, /declared to remember nothing beyond its window, it settled after \d+/);
  const early: Indicator = { ...honest, warmUp: 20 };
  assert.match(checkIndicator(early, createRandom(1)).warmUp.sentence, /came after 29 bars \(declared 20\)/);
});

test('the warm-up analysis measures what the weights of an exponential average say', () => {
  const bars = randomBars(createRandom('settling'), 1500);
  const { firstValue, settledAfter } = measureSettling(findIndicator('ema_30')!, bars, [10, 20]);
  assert.equal(firstValue, 29);
  // 1e-6 is reached after ln(1e6) / ln(31 / 29) = 207 bars when the starts differ by one spread.
  assert.ok(settledAfter !== null && settledAfter > 100 && settledAfter < 250, `${settledAfter}`);
});

const flat = (count: number, price: number, volume: number): BarColumns => ({
  open: new Float64Array(count).fill(price),
  high: new Float64Array(count).fill(price),
  low: new Float64Array(count).fill(price),
  close: new Float64Array(count).fill(price),
  volume: new Float64Array(count).fill(volume),
});

test('constant prices, no volume, prices of 0, one bar and no bar give no infinity and no exception', () => {
  const stopped = randomBars(createRandom('stop'), 700);
  for (const name of COLUMNS) stopped[name].fill(name === 'volume' ? 0 : stopped.close[299]!, 300);
  const cases: Record<string, BarColumns> = {
    constant: flat(600, 100.1, 1e6),
    'without volume': { ...randomBars(createRandom('silent'), 600), volume: new Float64Array(600) },
    'all 0': flat(600, 0, 0),
    'stopped for good': stopped,
    'one bar': flat(1, 100, 1),
    'no bar': flat(0, 100, 1),
  };
  for (const [name, bars] of Object.entries(cases))
    for (const indicator of ALL_INDICATORS)
      runIndicator(indicator, bars).forEach((column, k) => {
        const bad = column.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY);
        assert.equal(bad, -1, `${name}: ${indicator.outputs[k]} is infinite on bar ${bad}`);
        const early = column.subarray(0, indicator.warmUp).findIndex((value) => !Number.isNaN(value));
        assert.equal(early, -1, `${name}: ${indicator.outputs[k]} has a value on bar ${early}, while warming up`);
      });
});

test('a ratio without anything to divide by is undefined, not 0', () => {
  const bars = flat(600, 100.1, 1e6);
  const undefinedOnes = [
    'rsi_14',
    'cmo_14',
    'cci_14',
    'stoch_5_3_3_k',
    'willr_14',
    'bop',
    'adx_14',
    'correl_30',
    'zscore_20',
    'vortex_14_plus',
    'tsi_25_13',
    'efficiency_10',
    'return_moments_63_z',
    'mfi_14',
  ];
  for (const name of undefinedOnes) {
    const indicator = findIndicator(name);
    assert.ok(indicator, name);
    const column = runIndicator(indicator, bars)[indicator.outputs.indexOf(name)]!;
    assert.ok(
      column.every((value) => Number.isNaN(value)),
      name,
    );
  }
  assert.ok(
    runIndicator(findIndicator('stddev_20_1')!, bars)[0]!
      .subarray(19)
      .every((value) => value === 0),
  );
});

test('the scale of prices changes nothing in what has no unit', () => {
  const bars = randomBars(createRandom('scale'), 500);
  const scaled = { ...bars };
  for (const name of ['open', 'high', 'low', 'close'] as const) scaled[name] = bars[name].map((x) => 8 * x);
  // A power of two changes no digit, so the results agree to the last bit.
  for (const indicator of STANDARD_INDICATORS.filter(({ unit, family }) => unit === 'percent' && family === 'momentum'))
    runIndicator(indicator, scaled).forEach((column, k) => {
      assertSame(indicator.outputs[k]!, column, runIndicator(indicator, bars)[k]!);
    });
});

test('every factory makes its initial indicator, and ranges hold their initial values', () => {
  for (const factory of INDICATOR_FACTORIES) {
    const indicator = factory.make();
    assert.equal(indicator.outputs.length > 0, true);
    assert.ok(findIndicator(indicator.name), indicator.name);
    for (const [name, { initial, min, max }] of Object.entries(factory.parameters))
      assert.ok(initial >= min && initial <= max, `${factory.name}.${name}`);
  }
});

test('random parameters of every factory keep warm-up, memory and the past', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = createRandom(seed);
      for (const factory of INDICATOR_FACTORIES) {
        const values: Record<string, number> = {};
        for (const [name, { min, max, isWhole }] of Object.entries(factory.parameters))
          values[name] = isWhole
            ? min + random.integer(Math.min(max, min + 40) - min + 1)
            : min + random.uniform() * (max - min);
        const indicator = factory.make(values);
        const bars = randomBars(random, indicator.warmUp + 60);
        const columns = runIndicator(indicator, bars);
        columns.forEach((column) => {
          assert.ok(
            column.subarray(0, indicator.warmUp).every((value) => Number.isNaN(value)),
            indicator.name,
          );
        });
        const stream = createIndicatorStream([indicator]);
        for (let i = 0; i < bars.close.length; i++) {
          const now = stream.push({
            open: bars.open[i]!,
            high: bars.high[i]!,
            low: bars.low[i]!,
            close: bars.close[i]!,
            volume: bars.volume[i]!,
          });
          columns.forEach((column, k) => {
            assert.ok(Object.is(now[k], column[i]), `${indicator.outputs[k]}: bar ${i}`);
          });
        }
      }
    }),
    { numRuns: 5 },
  );
});
