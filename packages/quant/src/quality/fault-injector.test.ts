import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { weekday } from '../series/day.ts';
import { type BarPanel, concatenateBars } from './bar-panel.ts';
import { injectFaults } from './fault-injector.ts';
import { type FaultKind, faultSettings } from './fault-settings.ts';
import { simulatedBars, weekdaysFrom } from './simulated-bars.ts';

const random = createRandom('injector test');
const days = weekdaysFrom(14_600, 1_500);
const clean = concatenateBars(
  Array.from({ length: 12 }, (_, i) => simulatedBars(days, random.split(i), 0.01 + 0.002 * i, 10 * (i + 1))),
);

function row(panel: BarPanel, instrument: number, at: number) {
  const k = panel.offset[instrument]! + at;
  return {
    day: panel.day[k]!,
    open: panel.open[k]!,
    high: panel.high[k]!,
    low: panel.low[k]!,
    close: panel.close[k]!,
    volume: panel.volume[k]!,
  };
}

test('the shares of the kinds sum to one', () => {
  const sum = Object.values(faultSettings.prevalence).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 1e-12, String(sum));
});

test('the same seed plants the same faults, another seed others, and the input stays as it was', () => {
  const before = clean.close.slice();
  const first = injectFaults(clean, createRandom(1), 300);
  assert.deepEqual(injectFaults(clean, createRandom(1), 300), first);
  assert.notDeepEqual(injectFaults(clean, createRandom(2), 300).faults, first.faults);
  assert.deepEqual(clean.close, before);
});

test('every kind is planted in its share', () => {
  const { faults } = injectFaults(clean, createRandom(3), 400);
  for (const [kind, share] of Object.entries(faultSettings.prevalence)) {
    const found = faults.filter((fault) => fault.kind === kind).length;
    assert.ok(Math.abs(found - share * 400) <= 4, `${kind}: ${found}`);
  }
});

test('each fault does what its kind says', () => {
  const { panel, faults } = injectFaults(clean, createRandom(4), 400);
  const shows: Record<FaultKind, (instrument: number, first: number, last: number) => boolean> = {
    'bad-tick': (i, t) => {
      const bar = row(panel, i, t);
      const before = row(panel, i, t - 1);
      return [bar.open, bar.high, bar.low, bar.close].some((price) => Math.abs(Math.log(price / before.close)) > 0.02);
    },
    'nonpositive-price': (i, t) => {
      const bar = row(panel, i, t);
      return Math.min(bar.open, bar.high, bar.low, bar.close) <= 0;
    },
    'stale-run': (i, first, last) => {
      const closes = Array.from({ length: last - first + 1 }, (_, k) => row(panel, i, first + k));
      return closes.length >= 5 && closes.every((bar) => bar.volume > 0 && near(bar.close, closes[0]!.close));
    },
    'missing-bars': (i, t) => row(panel, i, t).day - row(panel, i, t - 1).day > 1,
    'duplicate-bar': (i, first, last) => last === first + 1 && row(panel, i, first).day === row(panel, i, last).day,
    'ohlc-violation': (i, t) => {
      const bar = row(panel, i, t);
      return bar.high < Math.max(bar.open, bar.close) || bar.low > Math.min(bar.open, bar.close);
    },
    'unadjusted-split': (i, t) => Math.abs(Math.log(row(panel, i, t).close / row(panel, i, t - 1).close)) > 0.25,
    'twice-adjusted-split': (i, t) => Math.abs(Math.log(row(panel, i, t).close / row(panel, i, t - 1).close)) > 0.25,
    'ticker-reuse': (i, t) => Math.abs(Math.log(row(panel, i, t).close / row(panel, i, t - 1).close)) > 0.2,
    'zero-as-missing': (i, t) => {
      const bar = row(panel, i, t);
      return bar.volume === 0 || bar.open === 0;
    },
    'date-slip': (i, first, last) =>
      Array.from({ length: last - first + 1 }, (_, k) => weekday(row(panel, i, first + k).day)).some((d) => d >= 5),
    'currency-swap': (i, t) => Math.abs(Math.log(row(panel, i, t).open / row(panel, i, t - 1).close)) > 0.03,
  };
  for (const fault of faults) {
    assert.ok(
      shows[fault.kind](fault.instrument, fault.firstRow, fault.lastRow),
      `${fault.kind} (${fault.detail}) in instrument ${fault.instrument} at row ${fault.firstRow} does not show`,
    );
  }
});

test('faults keep their distance, days still ascend, and untouched rows keep their values up to the noise', () => {
  const { panel, faults, sourceRow } = injectFaults(clean, createRandom(5), 300);
  for (let i = 0; i + 1 < panel.offset.length; i++) {
    const own = faults.filter((fault) => fault.instrument === i);
    for (let k = 1; k < own.length; k++) assert.ok(own[k]!.firstRow - own[k - 1]!.lastRow >= faultSettings.spacing);
    for (let r = panel.offset[i]! + 1; r < panel.offset[i + 1]!; r++) assert.ok(panel.day[r]! >= panel.day[r - 1]!);
    const isTouched = (at: number) => own.some((fault) => at >= fault.firstRow && at <= fault.lastRow);
    for (let at = 1; at < panel.offset[i + 1]! - panel.offset[i]!; at++) {
      if (isTouched(at) || isTouched(at - 1)) continue;
      const r = panel.offset[i]! + at;
      const source = sourceRow[r]!;
      // Splits scale whole histories, so returns are compared and not prices.
      const step = Math.log(panel.close[r]! / panel.close[r - 1]!);
      const trueStep = Math.log(clean.close[source]! / clean.close[sourceRow[r - 1]!]!);
      if (sourceRow[r - 1] === source - 1) assert.ok(Math.abs(step - trueStep) < 2e-4, `row ${at} of ${i} moved`);
    }
  }
});

test('a count below zero is refused and an empty panel takes no fault', () => {
  assert.throws(() => injectFaults(clean, createRandom(1), -1), /count must be a whole number/);
  assert.deepEqual(injectFaults(concatenateBars([]), createRandom(1), 5).faults, []);
});

function near(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < 1e-3;
}
