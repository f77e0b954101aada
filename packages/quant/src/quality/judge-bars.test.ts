import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { dayText } from '../series/day.ts';
import { tradingDays } from '../series/trading-calendar.ts';
import { type Difficulty, marketSettings } from '../simulate/market-settings.ts';
import { type SimulatedMarket, simulateMarket } from '../simulate/market-simulator.ts';
import { type BarPanel, barsBetween, concatenateBars } from './bar-panel.ts';
import type { CourtContext, KnownSplit } from './court-context.ts';
import { injectFaults } from './fault-injector.ts';
import type { Finding, PanelFinding } from './finding.ts';
import { judgeBars, judgePanel } from './judge-bars.ts';
import { simulatedBars, weekdaysFrom } from './simulated-bars.ts';

const days = weekdaysFrom(14_600, 500);
const context: CourtContext = { tradingDays: days, basis: 'total_return' };

function clean(seed: number | string, count = 300): Bars {
  return simulatedBars(days.subarray(0, count), createRandom(seed), 0.015, 50);
}

function judged(bars: Bars, more: Partial<CourtContext> = {}): Finding[] {
  return judgeBars(bars, { ...context, ...more });
}

function only(findings: readonly Finding[], kind: Finding['kind']): Finding {
  assert.deepEqual(
    findings.map((finding) => finding.kind),
    [kind],
    JSON.stringify(findings),
  );
  return findings[0]!;
}

test('empty bars, one bar and short series have no finding', () => {
  for (const count of [0, 1, 2, 5, 30]) assert.deepEqual(judged(clean(1, count)), []);
});

test('clean simulated walks have at most one finding in 10,000 bars', () => {
  const all = weekdaysFrom(10_000, 2_500);
  let findings = 0;
  let bars = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed);
    const series = simulatedBars(all, random, 0.005 + 0.04 * random.uniform(), 100 * random.exponential() + 0.01);
    findings += judgeBars(series, { tradingDays: all, basis: 'raw' }).length;
    bars += series.day.length;
  }
  assert.ok(findings <= bars / 10_000, `${findings} findings in ${bars} bars`);
});

test('all prices times a constant give the same findings', () => {
  const base = concatenateBars(Array.from({ length: 4 }, (_, i) => clean(`scale ${i}`, 500)));
  const { panel } = injectFaults(base, createRandom(9), 60);
  // A power of two changes no digit, so even limits met exactly stay met; others may move a value that sits on a limit.
  fc.assert(
    fc.property(fc.integer({ min: -20, max: 20 }), (power) => {
      const keys = (bars: BarPanel) =>
        judgePanel(bars, { tradingDays: days, basis: 'raw' }).map(
          (f) => `${f.instrument} ${f.kind} ${f.firstRow} ${f.lastRow}`,
        );
      assert.deepEqual(keys(scaled(panel, 2 ** power)), keys(panel));
    }),
    { numRuns: 10, seed: 1 },
  );
  assert.equal(
    judgePanel(scaled(panel, 3.7), { tradingDays: days, basis: 'raw' }).length,
    judgePanel(panel, { tradingDays: days, basis: 'raw' }).length,
  );
});

function scaled(panel: BarPanel, factor: number): BarPanel {
  const times = (values: Float64Array) => values.map((value) => value * factor);
  return {
    ...panel,
    open: times(panel.open),
    high: times(panel.high),
    low: times(panel.low),
    close: times(panel.close),
  };
}

test('the order of instruments in a batch does not matter', () => {
  const parts = Array.from({ length: 25 }, (_, i) => clean(`order ${i}`, 300));
  const { panel } = injectFaults(concatenateBars(parts), createRandom(2), 80);
  const faulty = parts.map((_, i) => barsBetween(panel, panel.offset[i]!, panel.offset[i + 1]!));
  const forward = judgePanel(concatenateBars(faulty), { tradingDays: days, basis: 'raw' });
  const backward = judgePanel(concatenateBars([...faulty].reverse()), { tradingDays: days, basis: 'raw' });
  const keys = (findings: typeof forward, turn: (i: number) => number) =>
    findings.map((f) => `${turn(f.instrument)} ${f.kind} ${f.firstRow} ${f.reason}`).sort();
  assert.deepEqual(
    keys(backward, (i) => 24 - i),
    keys(forward, (i) => i),
  );
});

test('a bar whose close fell to a tenth is held back and not changed', () => {
  const bars = clean(2);
  bars.close[200]! /= 10;
  bars.low[200] = bars.close[200]!;
  const before = bars.close.slice();
  const finding = only(judged(bars), 'bad-tick');
  assert.equal(finding.action, 'quarantine');
  assert.deepEqual([finding.firstRow, finding.lastRow], [200, 200]);
  assert.equal(dayText(finding.firstDay), dayText(days[200]!));
  assert.deepEqual(bars.close, before);
});

test('a fall that stays is news, the same fall that reverses the next morning is a bad tick', () => {
  const stays = clean(3);
  for (const name of ['open', 'high', 'low', 'close'] as const)
    for (let row = name === 'close' || name === 'low' ? 200 : 201; row < 300; row++) stays[name][row]! *= 0.8;
  assert.deepEqual(judged(stays), []);
  const reverses = clean(3);
  reverses.close[200]! *= 0.8;
  reverses.low[200] = Math.min(reverses.low[200]!, reverses.close[200]!);
  only(judged(reverses), 'bad-tick');
});

test('the last bar needs twice the displacement, and the next file settles the case', () => {
  const bars = clean(4);
  bars.close[299]! *= 0.9;
  bars.low[299] = Math.min(bars.low[299]!, bars.close[299]!);
  assert.deepEqual(judged(bars), []);
  const later = clean(4, 310);
  for (const name of ['close', 'low'] as const) later[name][299] = bars[name][299]!;
  only(judged(later), 'bad-tick');
});

test('earlier bars give context and are not judged again', () => {
  const bars = clean(5);
  bars.close[100]! *= 10;
  bars.close[250]! *= 10;
  const findings = judgeBars(barsBetween(bars, 200, 300), { ...context, priorBars: barsBetween(bars, 0, 200) });
  const finding = only(findings, 'ohlc-violation');
  assert.equal(finding.firstRow, 50);
});

test('a gap in the calendar, a bar on a closed day and a doubled day are told apart', () => {
  const bars = clean(6);
  const without = concatenateBars([barsBetween(bars, 0, 100), barsBetween(bars, 103, 300)]);
  const gap = only(judged(without), 'missing-bars');
  assert.deepEqual([gap.action, gap.firstRow, gap.measure], ['note', 100, 3]);
  assert.deepEqual([gap.firstDay, gap.lastDay], [days[100], days[102]]);

  const slipped = clean(6);
  const friday = days.findIndex((day, row) => row > 100 && days[row + 1]! - day === 3);
  slipped.day[friday]! += 1;
  assert.ok(judged(slipped).some((finding) => finding.kind === 'date-slip' && finding.firstRow === friday));

  const doubled = concatenateBars([barsBetween(bars, 0, 101), barsBetween(bars, 100, 300)]);
  const same = only(judged(doubled), 'duplicate-bar');
  assert.deepEqual([same.firstRow, same.lastRow], [101, 101]);
  doubled.close[101]! *= 1.001;
  const other = only(
    judged({ ...doubled, high: doubled.high.map((h, r) => (r === 101 ? h * 1.01 : h)) }),
    'duplicate-bar',
  );
  assert.deepEqual([other.firstRow, other.lastRow], [100, 101]);
});

test('five bars alike with volume are stale, four are not', () => {
  for (const [count, found] of [
    [4, 0],
    [5, 1],
  ] as const) {
    const bars = clean(7);
    for (const name of ['open', 'high', 'low', 'close'] as const) bars[name].fill(bars[name][100]!, 100, 100 + count);
    const stale = judged(bars).filter((finding) => finding.kind === 'stale-run');
    assert.equal(stale.length, found);
    if (found === 1) assert.deepEqual([stale[0]!.action, stale[0]!.firstRow, stale[0]!.lastRow], ['note', 100, 104]);
  }
});

test('zero, negative and missing prices are held back, a zero volume is noted', () => {
  const bars = clean(8);
  bars.open[50] = 0;
  bars.low[60] = -1;
  bars.close[70] = Number.NaN;
  bars.volume[80] = 0;
  const findings = judged(bars).map(({ kind, action, firstRow }) => `${firstRow} ${kind} ${action}`);
  assert.deepEqual(findings, [
    '50 zero-as-missing quarantine',
    '60 nonpositive-price quarantine',
    '70 zero-as-missing quarantine',
    '80 zero-as-missing note',
  ]);
  assert.deepEqual(judged({ ...clean(8), volume: new Float64Array(300) }), []);
});

test('closes without open, high and low are judged as closes', () => {
  const bars = clean(9);
  for (const name of ['open', 'high', 'low', 'volume'] as const) bars[name].fill(Number.NaN);
  assert.deepEqual(judged(bars), []);
  bars.close[150]! *= 10;
  assert.equal(only(judged(bars), 'bad-tick').firstRow, 150);
});

test('an unadjusted split is noted, and a raw file with the split announced is in order', () => {
  const bars = clean(10);
  for (const name of ['open', 'high', 'low', 'close'] as const)
    for (let row = 0; row < 200; row++) bars[name][row]! *= 2;
  const finding = only(judged(bars), 'split-suspicion');
  assert.deepEqual([finding.action, finding.firstRow], ['note', 200]);
  assert.match(finding.reason, /2:1 split/);
  const knownSplits = [{ day: days[200]!, ratio: 2 }];
  assert.deepEqual(judged(bars, { basis: 'raw', knownSplits }), []);
  assert.match(
    only(judged(bars, { basis: 'split_adjusted', knownSplits }), 'split-suspicion').reason,
    /without adjustment/,
  );
});

test('a stretch in another currency is held back as a whole', () => {
  const bars = clean(11);
  for (const name of ['open', 'high', 'low', 'close'] as const)
    for (let row = 150; row < 180; row++) bars[name][row]! *= 1.3;
  const finding = only(judged(bars), 'currency-swap');
  assert.deepEqual([finding.action, finding.firstRow, finding.lastRow], ['quarantine', 150, 179]);
});

test('a long silence with another price level afterwards is a reused ticker', () => {
  const bars = clean(12, 400);
  const spliced = concatenateBars([barsBetween(bars, 0, 150), barsBetween(clean(13, 400), 250, 400)]);
  for (const name of ['open', 'high', 'low', 'close'] as const)
    for (let row = 150; row < 300; row++) spliced[name][row]! *= 7.7;
  const kinds = judged(spliced).map((finding) => finding.kind);
  assert.deepEqual(kinds.sort(), ['missing-bars', 'ticker-reuse']);
});

test('a day on which nearly nobody has a bar is one finding about the batch', () => {
  const parts = Array.from({ length: 30 }, (_, i) => clean(`thin ${i}`));
  const thinned = parts.map((bars, i) =>
    i < 2 ? bars : concatenateBars([barsBetween(bars, 0, 120), barsBetween(bars, 121, 300)]),
  );
  const findings = judgePanel(concatenateBars(thinned), { tradingDays: days, basis: 'raw' });
  assert.equal(findings.length, 1);
  assert.deepEqual([findings[0]!.kind, findings[0]!.instrument, findings[0]!.firstDay], ['thin-day', -1, days[120]]);
});

test('a low far below the day is news when the whole batch shows it and a bad tick when one does', () => {
  const drop = (bars: Bars, size: number) => {
    bars.low[200] = Math.min(bars.open[200]!, bars.close[200]!) * size;
    return bars;
  };
  const batch = (isCrash: boolean) =>
    concatenateBars(
      Array.from({ length: 30 }, (_, i) => (isCrash || i === 3 ? drop(clean(`crash ${i}`), 0.8) : clean(`crash ${i}`))),
    );
  assert.deepEqual(judgePanel(batch(true), { tradingDays: days, basis: 'raw' }), []);
  const alone = judgePanel(batch(false), { tradingDays: days, basis: 'raw' });
  assert.deepEqual(
    alone.map(({ kind, instrument, firstRow }) => [kind, instrument, firstRow]),
    [['bad-tick', 3, 200]],
  );
});

test('descending days and columns of another length are refused', () => {
  const bars = clean(14);
  bars.day[10] = bars.day[9]! - 1;
  assert.throws(() => judged(bars), /days must ascend, row 10 is before row 9/);
  assert.throws(() => judged({ ...clean(14), volume: new Float64Array(3) }), /volume must have 300 values/);
});

test('the injector and the court agree on most faults of a simulated panel', () => {
  const panel = concatenateBars(Array.from({ length: 25 }, (_, i) => clean(`agree ${i}`, 500)));
  const { panel: faulty, faults } = injectFaults(panel, createRandom(77), 200);
  const findings = judgePanel(faulty, { tradingDays: days, basis: 'total_return' });
  const missed = faults.filter(
    (fault) =>
      !findings.some(
        (f) => f.instrument === fault.instrument && f.firstRow <= fault.lastRow + 1 && f.lastRow >= fault.firstRow - 1,
      ),
  );
  assert.ok(missed.length <= 4, missed.map((fault) => `${fault.kind} ${fault.detail}`).join('; '));
});

const PRICES = ['open', 'high', 'low', 'close'] as const;

/** Multiplies all prices of some bars. */
function lifted(bars: Bars, first: number, last: number, factor: number): Bars {
  for (const name of PRICES) for (let row = first; row <= last; row++) bars[name][row]! *= factor;
  return bars;
}

test('one to three whole bars at another level are bad ticks, exactly those bars, and no split', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(100, 10, 7.3, 4, 2, 1.5, 0.7, 0.5, 0.25, 0.1, 0.01),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 290 }),
      fc.integer({ min: 1, max: 20 }),
      (factor, count, row, seed) => {
        const finding = only(judged(lifted(clean(seed), row, row + count - 1, factor)), 'bad-tick');
        assert.deepEqual([finding.action, finding.firstRow, finding.lastRow], ['quarantine', row, row + count - 1]);
      },
    ),
    { numRuns: 150, seed: 3 },
  );
});

test('four whole bars at ten times the price are no tick', () => {
  const kinds = judged(lifted(clean(21), 100, 103, 10)).map((finding) => finding.kind);
  assert.ok(!kinds.includes('bad-tick') && kinds.length > 0, kinds.join());
});

test('whole bars at another level are found close together, across a gap and in closes alone', () => {
  const twice = lifted(lifted(lifted(clean(22), 100, 100, 10), 103, 104, 0.1), 108, 108, 2);
  assert.deepEqual(
    judged(twice).map(({ kind, firstRow, lastRow }) => [kind, firstRow, lastRow]),
    [
      ['bad-tick', 100, 100],
      ['bad-tick', 103, 104],
      ['bad-tick', 108, 108],
    ],
  );
  const bars = lifted(clean(23), 150, 150, 0.01);
  const gappy = concatenateBars([barsBetween(bars, 0, 149), barsBetween(bars, 150, 300)]);
  assert.deepEqual(
    judged(gappy).map(({ kind, firstRow }) => [kind, firstRow]),
    [
      ['missing-bars', 149],
      ['bad-tick', 149],
    ],
  );
  const closes = lifted(clean(24), 150, 152, 10);
  for (const name of ['open', 'high', 'low', 'volume'] as const) closes[name].fill(Number.NaN);
  const finding = only(judged(closes), 'bad-tick');
  assert.deepEqual([finding.firstRow, finding.lastRow], [150, 152]);
});

test('a large true day beside a whole bar at another level is not held back', () => {
  for (const [row, daily] of [
    [199, 0.85],
    [199, 1.15],
    [201, 0.85],
    [201, 1.15],
  ] as const) {
    const bars = clean(25);
    for (let k = row; k < 300; k++) for (const name of PRICES) if (k > row || name === 'close') bars[name][k]! *= daily;
    bars.high[row] = Math.max(bars.high[row]!, bars.close[row]!);
    bars.low[row] = Math.min(bars.low[row]!, bars.close[row]!);
    const finding = only(judged(lifted(bars, 200, 200, row === 199 && daily < 1 ? 10 : 0.1)), 'bad-tick');
    assert.deepEqual([finding.firstRow, finding.lastRow], [200, 200]);
  }
});

test('a crash of the whole batch that is taken back the next day is news, the same fall of one is a bad tick', () => {
  const batch = (isCrash: boolean) =>
    concatenateBars(
      Array.from({ length: 30 }, (_, i) =>
        isCrash || i === 3 ? lifted(clean(`rebound ${i}`), 200, 200, 0.79) : clean(`rebound ${i}`),
      ),
    );
  assert.deepEqual(judgePanel(batch(true), { tradingDays: days, basis: 'raw' }), []);
  const alone = judgePanel(batch(false), { tradingDays: days, basis: 'raw' });
  assert.deepEqual(
    alone.map(({ kind, instrument, firstRow }) => [kind, instrument, firstRow]),
    [['bad-tick', 3, 200]],
  );
});

test('a crash and rebound of one company with the volume of news is no bad tick', () => {
  for (const factor of [0.6, 0.75, 1.3, 1.8]) {
    const bars = lifted(clean(26), 200, 201, factor);
    bars.volume[200]! *= 12;
    bars.volume[202]! *= 9;
    assert.deepEqual(judged(bars), []);
  }
});

test('a step out and back within a few usual days of a wild series holds nothing back', () => {
  const wild = lifted(simulatedBars(days, createRandom(29), 0.08, 50), 200, 200, 1.45);
  assert.deepEqual(
    judged(wild).filter((finding) => finding.action === 'quarantine'),
    [],
  );
});

test('a last bar at another level is only a suspicion until the next bar is judged with it', () => {
  const bars = lifted(clean(27, 301), 299, 299, 10);
  const suspicion = only(judged(barsBetween(bars, 0, 300)), 'split-suspicion');
  assert.deepEqual([suspicion.action, suspicion.firstRow], ['note', 299]);
  assert.equal(only(judged(bars), 'bad-tick').firstRow, 299);
  const retold = judged(barsBetween(bars, 299, 301), { priorBars: barsBetween(bars, 0, 299) });
  assert.deepEqual([retold.length, retold[0]!.kind, retold[0]!.firstRow, retold[0]!.lastRow], [1, 'bad-tick', 0, 0]);
});

test('closes that stood out and were taken back overnight make neither a currency nor a split', () => {
  const bars = simulatedBars(days, createRandom(28), 0.05, 50);
  // Below the limit of a bad tick at this volatility, and above the smallest step of the level.
  for (const [row, factor] of [
    [200, 1.25],
    [230, 0.8],
  ] as const) {
    bars.close[row] = bars.open[row]! * factor;
    bars.high[row] = Math.max(bars.high[row]!, bars.close[row]!);
    bars.low[row] = Math.min(bars.low[row]!, bars.close[row]!);
    const shift = bars.open[row]! / bars.open[row + 1]!;
    lifted(bars, row + 1, 499, shift);
  }
  assert.deepEqual(judged(bars), []);
});

function judgeMarket(market: SimulatedMarket): PanelFinding[] {
  const knownSplits = new Map<number, KnownSplit[]>();
  for (const { instrumentIndex, kind, exDay, value } of market.corporateActions)
    if (kind === 'split')
      knownSplits.set(instrumentIndex, [...(knownSplits.get(instrumentIndex) ?? []), { day: exDay, ratio: value }]);
  const sessions = tradingDays(market.settings.calendar, market.day[0]!, market.day.at(-1)!);
  const panel = concatenateBars(market.observed.map((one) => one.bars));
  return judgePanel(panel, { tradingDays: sessions, basis: 'raw', knownSplits });
}

/** Every bad tick held back by a finding of exactly its days, nothing held back that is right, and no step suspected. */
function checkMarket(market: SimulatedMarket): void {
  const findings = judgeMarket(market);
  const { faults } = market.truth;
  const missed = faults.filter(
    (fault) =>
      fault.kind === 'bad-tick' &&
      !findings.some(
        (f) =>
          f.action === 'quarantine' &&
          f.instrument === fault.instrumentIndex &&
          f.firstDay === fault.firstDay &&
          f.lastDay === fault.lastDay,
      ),
  );
  assert.deepEqual(missed, []);
  assert.ok(faults.some((fault) => fault.kind === 'bad-tick' && fault.columns.length === 4));
  const groundless = findings.filter(
    (f) =>
      f.kind === 'split-suspicion' ||
      f.kind === 'currency-swap' ||
      !faults.some((t) => t.instrumentIndex === f.instrument && t.firstDay === f.firstDay && t.lastDay <= f.lastDay),
  );
  assert.deepEqual(
    groundless.filter((f) => f.kind !== 'stale-run'),
    [],
  );
}

test('every bad tick of simulated markets is held back, every finding is about a planted fault', () => {
  for (const seed of [11, 12, 13])
    checkMarket(simulateMarket(marketSettings('medium', { companyCount: 40, dayCount: 1500 }), seed));
});

test('whole bars at another level are found whatever the difficulty of the market', () => {
  for (const level of ['easy', 'hard'] satisfies Difficulty[]) {
    const market = simulateMarket(marketSettings(level, { companyCount: 40, dayCount: 1500 }), 14);
    const findings = judgeMarket(market);
    for (const { kind, columns, instrumentIndex, firstDay } of market.truth.faults) {
      if (kind !== 'bad-tick' || columns.length < 4) continue;
      const on = findings.filter((f) => f.instrument === instrumentIndex && f.firstDay === firstDay);
      assert.deepEqual([on.length, only(on, 'bad-tick').lastDay], [1, firstDay]);
    }
  }
});
