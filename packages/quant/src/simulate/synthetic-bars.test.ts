import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { type BarRows, GENERATORS, makeSyntheticBars } from './synthetic-bars.ts';

const SETTINGS = { seed: 5, crashSize: -0.25, crashDays: 3 } as const;

/** Three instruments on 600 days that share a market; the last lists on day 200 and has a split in its raw prices. */
function realBars(): BarRows {
  const random = createRandom(1);
  const market = Float64Array.from({ length: 600 }, () => 0.009 * random.normal());
  const rows: { instrument: number; day: number; close: number }[] = [];
  for (const instrument of [3, 7, 9]) {
    let close = 50;
    for (let day = instrument === 9 ? 200 : 0; day < 600; day++) {
      close *= Math.exp(market[day]! + 0.006 * random.normal()) * (instrument === 9 && day === 400 ? 0.25 : 1);
      rows.push({ instrument, day: 15_000 + day, close });
    }
  }
  const column = (of: (close: number) => number) => Float64Array.from(rows, ({ close }) => of(close));
  return {
    instrument: Int32Array.from(rows, ({ instrument }) => instrument),
    day: Int32Array.from(rows, ({ day }) => day),
    open: column((close) => close * 0.999),
    high: column((close) => close * 1.004),
    low: column((close) => close * 0.995),
    close: column((close) => close),
    volume: column(() => 1000),
  };
}

const returnsOf = ({ instrument, close }: BarRows, wanted: number): Float64Array => {
  const own = close.filter((_, row) => instrument[row] === wanted);
  return own.slice(1).map((price, k) => Math.log(price / own[k]!));
};

test('every generator gives marked bars on the same instruments and days, in order within each bar, and the same again', () => {
  const real = realBars();
  for (const generator of GENERATORS) {
    const made = makeSyntheticBars(real, { ...SETTINGS, generator });
    assert.ok(made?.isSynthetic);
    assert.deepEqual(made.bars.instrument, real.instrument);
    assert.deepEqual(made.bars.day, real.day);
    for (let row = 0; row < real.day.length; row++) {
      const { open, high, low, close } = made.bars;
      assert.ok(high[row]! >= Math.max(open[row]!, close[row]!) && low[row]! <= Math.min(open[row]!, close[row]!));
      assert.ok(low[row]! > 0);
    }
    assert.equal(made.facts.length, 7);
    assert.deepEqual(makeSyntheticBars(real, { ...SETTINGS, generator }), made);
    const other = makeSyntheticBars(real, { ...SETTINGS, generator, seed: 6 });
    assert.notDeepEqual(other?.bars.close, made.bars.close);
  }
});

test('a split in raw prices is no return that is drawn; the real volatility stays', () => {
  const real = realBars();
  for (const generator of GENERATORS) {
    const made = makeSyntheticBars(real, { ...SETTINGS, generator });
    const returns = returnsOf(made!.bars, 9);
    assert.ok(Math.min(...returns) > -0.3, `${generator} ${Math.min(...returns)}`);
  }
});

test('instruments keep moving together', () => {
  const correlation = (a: Float64Array, b: Float64Array) => {
    let [xy, xx, yy] = [0, 0, 0];
    a.forEach((x, k) => {
      xy += x * b[k]!;
      xx += x * x;
      yy += b[k]! ** 2;
    });
    return xy / Math.sqrt(xx * yy);
  };
  const real = realBars();
  const wanted = correlation(returnsOf(real, 3), returnsOf(real, 7));
  for (const generator of GENERATORS) {
    const { bars } = makeSyntheticBars(real, { ...SETTINGS, generator })!;
    const found = correlation(returnsOf(bars, 3), returnsOf(bars, 7));
    assert.ok(Math.abs(found - wanted) < 0.25, `${generator} ${found} for ${wanted}`);
  }
});

test('too few days are an answer, unequal columns a mistake', () => {
  const real = realBars();
  const short = Object.fromEntries(Object.entries(real).map(([name, values]) => [name, values.slice(0, 50)]));
  assert.equal(makeSyntheticBars({ ...real, ...short }, { ...SETTINGS, generator: 'garch-t' }), null);
  assert.throws(
    () => makeSyntheticBars({ ...real, open: new Float64Array(3) }, { ...SETTINGS, generator: 'garch-t' }),
    /column open must have/,
  );
});
