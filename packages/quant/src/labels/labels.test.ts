import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead, type TimedColumns } from '../evaluation/look-ahead-canary.ts';
import { createRandom, type Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { rollingStandardDeviation } from '../stats/rolling-standard-deviation.ts';
import { garmanKlassOvernightVariance } from '../volatility/range-variance.ts';
import { drawdownTouch } from './drawdown-touch.ts';
import { forwardDirection, forwardReturn } from './forward-return.ts';
import { type Labels, settledRows } from './label.ts';
import { tripleBarrier } from './triple-barrier.ts';
import { volatilityDirection } from './volatility-direction.ts';

const GAP = Number.NaN;
type Prices = Pick<Bars, 'open' | 'high' | 'low' | 'close'>;

function randomBars(random: Random, length: number, gapShare = 0): Prices {
  const column = () => new Float64Array(length);
  const bars = { open: column(), high: column(), low: column(), close: column() };
  let last = 100;
  for (let t = 0; t < length; t++) {
    const open = last * Math.exp(0.004 * random.normal());
    const close = open * Math.exp(0.012 * random.normal());
    bars.open[t] = open;
    bars.close[t] = close;
    bars.high[t] = Math.max(open, close) * (1 + 0.004 * random.uniform());
    bars.low[t] = Math.min(open, close) * (1 - 0.004 * random.uniform());
    if (random.uniform() < gapShare) for (const name of ['open', 'high', 'low', 'close'] as const) bars[name][t] = GAP;
    last = close;
  }
  return bars;
}

function volatilityOf(close: Float64Array): Float64Array {
  const returns = close.map((c, t) => (t === 0 ? GAP : c / close[t - 1]! - 1));
  return rollingStandardDeviation(returns, 1, 20, 10);
}

const barrier = (bars: Prices): Labels =>
  tripleBarrier(bars, { horizon: 10, up: 2, down: 1.5, volatility: volatilityOf(bars.close) });
const LABELS: Record<string, (bars: Prices) => Labels> = {
  'forward return': ({ close }) => forwardReturn(close, 5),
  'forward direction': ({ close }) => forwardDirection(close, 3, 0.002),
  'triple barrier': barrier,
  'volatility direction': (bars) => volatilityDirection(garmanKlassOvernightVariance(bars)),
  'drawdown touch': (bars) => drawdownTouch(bars, 21, 0.05),
};

test('no label knows a day after its end, nor do its end and its uniqueness', () => {
  for (const [name, label] of Object.entries(LABELS)) {
    const input = randomBars(createRandom(name), 200, 0.01);
    const { labelEnd } = label(input);
    const compute = (bars: Prices) => {
      const told = label(bars);
      return Float64Array.from({ length: told.value.length * 3 }, (_, cell) => {
        const t = Math.floor(cell / 3);
        return [told.value[t]!, told.labelEnd[t]!, told.uniqueness[t]!][cell % 3]!;
      });
    };
    const canaryCase = { name, input, rowCount: 200, compute, random: createRandom(`canary ${name}`) };
    const honest = labelEnd.map((end) => (end === -1 ? 199 : end));
    const verdict = checkNoLookAhead<Prices & TimedColumns>({ ...canaryCase, labelEnd: honest });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
    assert.ok(verdict.isSensitive, name);
    const early = honest.map((end, t) => Math.max(t, end - 1));
    const sung = checkNoLookAhead<Prices & TimedColumns>({
      ...canaryCase,
      labelEnd: early,
      probeRows: Array.from({ length: 150 }, (_, k) => k + 40),
      kinds: ['noise', 'missing'],
    });
    assert.ok(!sung.ok, `${name} with ends told a day early must sing`);
  }
});

test('a label not settled within its rows has no value, no uniqueness and the end −1', () => {
  for (const [name, label] of Object.entries(LABELS)) {
    const { value, labelEnd, uniqueness } = label(randomBars(createRandom(name), 100));
    assert.equal(labelEnd[99], -1, name);
    labelEnd.forEach((end, t) => {
      assert.ok(end === -1 || (end >= t && end < 100), name);
      if (end === -1 || end === t) assert.ok(Number.isNaN(value[t]) && Number.isNaN(uniqueness[t]), `${name} ${t}`);
    });
    const known = value.filter((x) => !Number.isNaN(x));
    assert.ok(known.length > 40, name);
  }
});

test('forward returns and directions are those of the closes', () => {
  const close = Float64Array.of(100, 110, 99, GAP, 104, 104);
  const simple = forwardReturn(close, 1);
  assert.ok(Math.abs(simple.value[0]! - 0.1) < 1e-15); // 110 / 100 − 1
  assert.ok(Math.abs(simple.value[1]! + 0.1) < 1e-15); // 99 / 110 − 1
  assert.deepEqual(Array.from(simple.value.slice(2)), [GAP, GAP, 0, GAP]);
  // Row 2 is known to be undefined at row 3, whose close is missing; row 3 at once.
  assert.deepEqual(Array.from(simple.labelEnd), [1, 2, 3, 3, 5, -1]);
  assert.equal(forwardReturn(close, 2, 'log').value[0], Math.log(0.99));
  assert.deepEqual(Array.from(forwardDirection(close, 1).value), [1, -1, GAP, GAP, 0, GAP]);
  assert.deepEqual(Array.from(forwardDirection(close, 2, 0.02).value), [0, GAP, 1, GAP, GAP, GAP]);
  for (const horizon of [0, 1.5, -1]) assert.throws(() => forwardReturn(close, horizon), /horizon must be a whole/);
});

test('the barrier touched first names the label, at the row of the touch', () => {
  const close = Float64Array.of(100, 101, 103, 100, 100, 100);
  const high = Float64Array.of(100, 101.5, 104.5, 100, 100, 100);
  const low = Float64Array.of(100, 99, 101, 97.9, 100, 100);
  const settings = { horizon: 3, up: 2, down: 1, volatility: new Float64Array(6).fill(0.02) };
  const { value, labelEnd, touchReturn } = tripleBarrier({ high, low, close }, settings);
  // From 100: upper 104 touched on row 2, lower 98 not before. From 103: lower 100.94 on row 3.
  assert.equal(value[0], 1);
  assert.equal(labelEnd[0], 2);
  assert.ok(Math.abs(touchReturn[0]! - 0.04) < 1e-12);
  assert.equal(value[2], -1);
  assert.equal(labelEnd[2], 3);
  assert.ok(Math.abs(touchReturn[2]! + 0.02) < 1e-12);
  // From 100 on row 3 nothing happens, but the third row after it is not there.
  assert.equal(labelEnd[3], -1);
  const vertical = tripleBarrier({ high: close, low: close, close }, { ...settings, up: null, down: null, horizon: 2 });
  assert.deepEqual(Array.from(vertical.value), [0, 0, 0, 0, GAP, GAP]);
  assert.ok(Math.abs(vertical.touchReturn[0]! - 0.03) < 1e-12);
});

test('a bar that touches both barriers counts as the lower one, and a missing bar leaves the label undefined from there', () => {
  const settings = { horizon: 2, up: 1, down: 1, volatility: new Float64Array(3).fill(0.01) };
  const close = Float64Array.of(100, 100, 100);
  const both = tripleBarrier(
    { high: Float64Array.of(100, 102, 100), low: Float64Array.of(100, 98, 100), close },
    settings,
  );
  assert.equal(both.value[0], -1);
  const gone = tripleBarrier(
    { high: Float64Array.of(100, GAP, 100), low: Float64Array.of(100, GAP, 100), close },
    settings,
  );
  assert.ok(Number.isNaN(gone.value[0]));
  assert.equal(gone.labelEnd[0], 1);
  const still = tripleBarrier({ high: close, low: close, close }, { ...settings, volatility: new Float64Array(3) });
  assert.deepEqual(Array.from(still.labelEnd), [0, 1, 2]);
  assert.throws(() => tripleBarrier({ high: close, low: close, close }, { ...settings, up: 0 }), /up must be positive/);
  assert.throws(
    () => tripleBarrier({ high: close, low: close, close }, { ...settings, volatility: new Float64Array(2) }),
    /volatility must have 3 rows/,
  );
});

test('wider barriers are touched no sooner', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0.5, max: 3, noNaN: true }), (seed, width) => {
      const bars = randomBars(createRandom(seed), 80);
      const volatility = volatilityOf(bars.close);
      const near = tripleBarrier(bars, { horizon: 10, up: width, down: width, volatility });
      const far = tripleBarrier(bars, { horizon: 10, up: 1.5 * width, down: 1.5 * width, volatility });
      near.labelEnd.forEach((end, t) => {
        if (end >= 0 && far.labelEnd[t]! >= 0) assert.ok(end <= far.labelEnd[t]!, `row ${t}`);
      });
    }),
    { numRuns: 40, seed: 1 },
  );
});

test('daily variance is Garman and Klass plus the night, and volatility direction compares its means', () => {
  const bars = randomBars(createRandom('variance'), 60);
  const v = garmanKlassOvernightVariance(bars);
  const t = 30;
  const session = 0.5 * Math.log(bars.high[t]! / bars.low[t]!) ** 2;
  const body = (2 * Math.log(2) - 1) * Math.log(bars.close[t]! / bars.open[t]!) ** 2;
  const night = Math.log(bars.open[t]! / bars.close[t - 1]!) ** 2;
  assert.ok(Math.abs(v[t]! - (session - body + night)) < 1e-18);
  assert.ok(Number.isNaN(v[0]));
  const { value, labelEnd } = volatilityDirection(v);
  for (let row = 0; row < 60; row++) {
    const mean = (from: number, to: number) => v.slice(from, to + 1).reduce((a, b) => a + b, 0) / (to - from + 1);
    if (row < 22) assert.ok(Number.isNaN(value[row]) && labelEnd[row] === row);
    else if (row + 5 < 60) assert.equal(value[row], mean(row + 1, row + 5) > mean(row - 21, row) ? 1 : 0);
    else assert.equal(labelEnd[row], -1);
  }
});

test('a drawdown touch is settled after the horizon, touched or not, so that touches are not known sooner', () => {
  const close = Float64Array.of(100, 100, 100, 100, 100, 100);
  const low = Float64Array.of(90, 99, 95, 99, 99, 99);
  const { value, labelEnd, touchRow } = drawdownTouch({ low, close }, 3, 0.05);
  assert.deepEqual(Array.from(value), [1, 1, 0, GAP, GAP, GAP]); // the low of row 0 itself does not count
  assert.deepEqual(Array.from(labelEnd), [3, 4, 5, -1, -1, -1]);
  assert.deepEqual(Array.from(touchRow), [2, 2, -1, -1, -1, -1]);
  low[3] = GAP;
  assert.ok(Number.isNaN(drawdownTouch({ low, close }, 3, 0.05).value[1]));
  assert.throws(() => drawdownTouch({ low, close }, 3, 1), /depth must lie between 0 and 1/);
});

test('settled rows leave out the newest rows on both sides of a barrier alike', () => {
  const bars = randomBars(createRandom('settled'), 200);
  const labels = barrier(bars);
  const at = 150;
  const settled = settledRows(labels, at, 10);
  assert.ok(settled.every((t) => labels.labelEnd[t]! <= at && t <= at - 10 && !Number.isNaN(labels.value[t])));
  const known = settledRows(labels, at, 0);
  assert.ok(known.length > settled.length, 'some touches are known sooner');
  const early = known.filter((t) => t > at - 10);
  assert.ok(
    early.every((t) => labels.value[t] !== 0),
    'and they are touches only',
  );
});

test('one price for ever has no direction, no barrier to touch and no volatility to rise', () => {
  const flat = new Float64Array(60).fill(50);
  const bars = { open: flat, high: flat, low: flat, close: flat };
  assert.ok(
    forwardDirection(flat, 5)
      .value.slice(0, 55)
      .every((x) => x === 0),
  );
  assert.ok(
    volatilityDirection(garmanKlassOvernightVariance(bars))
      .value.slice(22, 55)
      .every((x) => x === 0),
  );
  assert.ok(barrier(bars).value.every(Number.isNaN));
  for (const label of Object.values(LABELS)) {
    const empty = new Float64Array(0);
    assert.equal(label({ open: empty, high: empty, low: empty, close: empty }).value.length, 0);
    const one = Float64Array.of(5);
    assert.ok(label({ open: one, high: one, low: one, close: one }).value.every(Number.isNaN));
  }
});
