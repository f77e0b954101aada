import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';
import { closeInstant, isTradingDay } from '../series/trading-calendar.ts';
import type { FaultKind } from './data-faults.ts';
import { simulateMarketPath } from './market-path.ts';
import { type Difficulty, marketSettings, regimeShares } from './market-settings.ts';
import { type SimulatedMarket, simulateMarket } from './market-simulator.ts';

const LEVELS: readonly Difficulty[] = ['easy', 'medium', 'hard'];
const PRICES = ['open', 'high', 'low', 'close'] as const;
const DAY_MS = 86_400_000;

const small = (difficulty: Difficulty, companyCount = 14) =>
  marketSettings(difficulty, { companyCount, dayCount: 1000 });
const markets = LEVELS.map((level, index) => simulateMarket(small(level), index + 1));

/** Split ratio and dividend of each ex-day of one instrument, from what was published. */
function actionsOf(market: SimulatedMarket, instrumentIndex: number) {
  const ratio = new Map<number, number>();
  const cash = new Map<number, number>();
  for (const action of market.corporateActions) {
    if (action.instrumentIndex !== instrumentIndex) continue;
    (action.kind === 'split' ? ratio : cash).set(action.exDay, action.value);
  }
  return { ratio, cash };
}

test('the same settings and seed give the same market to the last bit, another seed another one', () => {
  const again = simulateMarket(small('medium'), 2);
  assert.deepEqual(again, markets[1]);
  assert.notDeepEqual(simulateMarket(small('medium'), 3).benchmark.bars.close, again.benchmark.bars.close);
});

test('a company is the same whatever other companies there are', () => {
  const few = markets[1]!;
  const many = simulateMarket(small('medium', 25), 2);
  for (let i = 0; i < few.instruments.length; i++) {
    assert.deepEqual(many.truth.companies[i], few.truth.companies[i]);
    assert.deepEqual(many.observed[i], few.observed[i]);
    assert.deepEqual(many.instruments[i], few.instruments[i]);
  }
  assert.deepEqual(many.truth.regime, few.truth.regime);
});

test('every bar, true or published, has its low at the bottom and its high at the top, on a session of the calendar', () => {
  const check = (bars: Bars) => {
    for (let t = 0; t < bars.day.length; t++) {
      assert.ok(bars.low[t]! > 0 && bars.low[t]! <= Math.min(bars.open[t]!, bars.close[t]!));
      assert.ok(bars.high[t]! >= Math.max(bars.open[t]!, bars.close[t]!));
      assert.ok(Number.isInteger(bars.volume[t]!) && bars.volume[t]! > 0);
      assert.ok(isTradingDay('XNYS', bars.day[t]!));
      if (t > 0) assert.ok(bars.day[t]! > bars.day[t - 1]!);
    }
  };
  for (const market of markets) {
    for (const { bars } of market.truth.companies) check(bars);
    for (const { bars } of market.observed) check(bars);
  }
});

test('total return is what the published actions and raw closes say, and a split changes the value of nobody', () => {
  for (const market of markets) {
    market.truth.companies.forEach(({ bars, shares, totalReturn }, i) => {
      const { ratio, cash } = actionsOf(market, i);
      assert.ok(Number.isNaN(totalReturn[0]!));
      for (let t = 1; t < bars.day.length; t++) {
        const split = ratio.get(bars.day[t]!) ?? 1;
        const paid = cash.get(bars.day[t]!) ?? 0;
        const expected = (split * (bars.close[t]! + paid)) / bars.close[t - 1]! - 1;
        assert.ok(Math.abs(totalReturn[t]! - expected) < 1e-12);
        const value = shares[t]! * (bars.close[t]! + paid);
        const before = shares[t - 1]! * bars.close[t - 1]!;
        assert.ok(Math.abs(value / before - 1 - totalReturn[t]!) < 1e-6);
        if (split !== 1) assert.ok(Math.abs(Math.log((bars.close[t]! * split) / bars.close[t - 1]!)) < 0.5);
      }
    });
  }
});

test('the benchmark is the cap-weighted total return of the companies listed the evening before', () => {
  for (const market of markets) {
    const level = market.benchmark.bars.close;
    for (let t = 1; t < market.day.length; t++) {
      let before = 0;
      let after = 0;
      market.truth.companies.forEach(({ bars, shares, totalReturn }, i) => {
        const at = bars.day.indexOf(market.day[t - 1]!);
        if (at < 0) return;
        const cap = shares[at]! * bars.close[at]!;
        const delisting = market.truth.delistings.find((entry) => entry.instrumentIndex === i);
        const gain = at + 1 < bars.day.length ? totalReturn[at + 1]! : delisting!.finalPrice / bars.close[at]! - 1;
        before += cap;
        after += cap * (1 + gain);
      });
      assert.ok(Math.abs(level[t]! / level[t - 1]! / (after / before) - 1) < 1e-9);
    }
  }
});

test('every fault of the truth shows in the published rows, and every difference is a fault of the truth', () => {
  for (const market of markets) {
    market.observed.forEach(({ bars }, i) => {
      const truth = market.truth.companies[i]!.bars;
      const rows = new Map(Array.from(bars.day, (day, row) => [day, row]));
      const faults = market.truth.faults.filter((fault) => fault.instrumentIndex === i && fault.kind !== 'late-split');
      const seen = new Set<string>();
      for (let t = 0; t < truth.day.length; t++) {
        const day = truth.day[t]!;
        const row = rows.get(day);
        const fault = faults.find((entry) => entry.firstDay <= day && day <= entry.lastDay);
        const changed = row === undefined ? [] : PRICES.filter((column) => bars[column][row] !== truth[column][t]);
        if (row === undefined) assert.equal(fault?.kind, 'missing-bar');
        else assert.equal(bars.volume[row], truth.volume[t]);
        for (const column of changed) assert.ok(fault?.columns.includes(column), `${day} ${column}`);
        if (fault !== undefined && (row === undefined || changed.length > 0))
          seen.add(`${fault.kind} ${fault.firstDay}`);
      }
      assert.equal(seen.size, faults.length);
      assert.equal(bars.day.length + faults.filter((fault) => fault.kind === 'missing-bar').length, truth.day.length);
    });
  }
});

test('a late correction is published wrong first and right later; corrected rows equal the truth', () => {
  for (const market of markets) {
    const late = market.truth.faults.filter((fault) => fault.kind === 'late-correction');
    assert.equal(late.length, market.corrections.length);
    for (const correction of market.corrections) {
      const { bars } = market.truth.companies[correction.instrumentIndex]!;
      const t = bars.day.indexOf(correction.day);
      for (const column of [...PRICES, 'volume'] as const) assert.equal(correction[column], bars[column][t]);
      assert.ok(correction.knownAt > closeInstant('XNYS', correction.day) + DAY_MS / 2);
      const fault = late.find(
        (entry) => entry.instrumentIndex === correction.instrumentIndex && entry.firstDay === correction.day,
      );
      assert.equal(fault?.correctedKnownAt, correction.knownAt);
    }
  }
});

test('knowledge comes at the close plus an hour; actions are known before their ex-day, except the late split', () => {
  for (const market of markets) {
    for (const { bars, knownAt } of market.observed) {
      bars.day.forEach((day, t) => {
        assert.equal(knownAt[t], closeInstant('XNYS', day) + 3_600_000);
      });
    }
    const late = market.truth.faults.filter((fault) => fault.kind === 'late-split');
    assert.equal(late.length, 1);
    for (const action of market.corporateActions) {
      const isLate = late[0]!.instrumentIndex === action.instrumentIndex && late[0]!.firstDay === action.exDay;
      assert.equal(action.knownAt < closeInstant('XNYS', action.exDay), !isLate);
    }
    for (const cap of market.marketCaps) {
      const { bars, shares } = market.truth.companies[cap.instrumentIndex]!;
      const t = bars.day.indexOf(cap.day);
      assert.equal(cap.cap, shares[t]! * bars.close[t]!);
      assert.equal(cap.knownAt, closeInstant('XNYS', cap.day) + 3_600_000);
    }
  }
});

test('every market shows every story: splits both ways, a rename, two listings, both delistings, every kind of fault', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.constantFrom(...LEVELS), (seed, level) => {
      const market = simulateMarket(marketSettings(level, { companyCount: 12, dayCount: 1500 }), seed);
      const kinds = new Set(market.truth.faults.map((fault) => fault.kind));
      const all: FaultKind[] = ['bad-tick', 'missing-bar', 'stale-run', 'late-correction', 'late-split'];
      for (const kind of all) assert.ok(kinds.has(kind), kind);
      assert.ok(market.truth.splits.some((split) => split.ratio === 4));
      assert.ok(market.truth.splits.some((split) => split.ratio === 0.125));
      assert.equal(market.listingEvents.filter((event) => event.kind === 'renamed').length, 1);
      assert.deepEqual(market.truth.delistings.map((delisting) => delisting.reason).sort(), [
        'acquisition',
        'bankruptcy',
      ]);
      assert.equal(market.observed.filter(({ bars }) => bars.day[0]! > market.day[0]!).length, 2);
      assert.ok(market.truth.faults.every((fault) => fault.instrumentIndex !== 0));
    }),
    { numRuns: 12, seed: 1 },
  );
});

test('no bar is older than the listing or newer than the delisting, and symbols are unique', () => {
  for (const market of markets) {
    for (const event of market.listingEvents) {
      const { day } = market.truth.companies[event.instrumentIndex]!.bars;
      if (event.kind === 'listed') assert.equal(day[0], event.day);
      if (event.kind === 'delisted') {
        assert.equal(day.at(-1), event.day);
        assert.ok(event.finalPrice! > 0);
      }
    }
  }
  const names = simulateMarket(marketSettings('easy', { companyCount: 100, dayCount: 252 }), 1);
  const symbols = [...names.instruments, ...names.listingEvents.filter((event) => event.kind === 'renamed')];
  assert.equal(new Set(symbols.map((entry) => entry.symbol)).size, 101);
});

function autocorrelation(a: Float64Array, b: Float64Array, lag: number): number {
  const mean = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const ma = mean(a);
  const mb = mean(b);
  let top = 0;
  let va = 0;
  let vb = 0;
  for (let t = 0; t + lag < a.length; t++) top += (a[t]! - ma) * (b[t + lag]! - mb);
  for (let t = 0; t < a.length; t++) {
    va += (a[t]! - ma) ** 2;
    vb += (b[t]! - mb) ** 2;
  }
  return top / Math.sqrt(va * vb);
}

test('the market has fat tails, clustered volatility, the leverage effect and returns without memory', () => {
  for (const level of LEVELS) {
    const settings = marketSettings(level, { dayCount: 30_000 });
    const { logReturn } = simulateMarketPath(settings, createRandom(`facts ${level}`));
    const squares = logReturn.map((value) => value * value);
    const mean = logReturn.reduce((sum, value) => sum + value, 0) / logReturn.length;
    const moment = (power: number) => logReturn.reduce((sum, x) => sum + (x - mean) ** power, 0) / logReturn.length;
    assert.ok(moment(4) / moment(2) ** 2 > 4, `${level} kurtosis`);
    assert.ok(moment(3) < 0, `${level} skew`);
    for (const lag of [1, 5, 20]) {
      assert.ok(autocorrelation(squares, squares, lag) > 0.03, `${level} squares, lag ${lag}`);
      assert.ok(Math.abs(autocorrelation(logReturn, logReturn, lag)) < 0.03, `${level} returns, lag ${lag}`);
    }
    let leverage = 0;
    for (let lag = 1; lag <= 10; lag++) leverage += autocorrelation(logReturn, squares, lag);
    assert.ok(leverage < 0, `${level} leverage ${leverage}`);
  }
});

test('regimes stay as long, weigh as much and move as much as their settings say', () => {
  for (const level of LEVELS) {
    // Eight paths of thirty thousand days: long stays need many spells.
    const settings = marketSettings(level, { dayCount: 30_000 });
    const days = [0, 0, 0];
    const spells = [0, 0, 0];
    for (let seed = 0; seed < 8; seed++) {
      const { regime } = simulateMarketPath(settings, createRandom(seed));
      for (let t = 0; t < regime.length; t++) {
        days[regime[t]!]! += 1;
        if (t === 0 || regime[t] !== regime[t - 1]) spells[regime[t]!]! += 1;
      }
    }
    const shares = regimeShares(settings);
    for (let state = 0; state < 3; state++) {
      const stay = days[state]! / spells[state]!;
      assert.ok(Math.abs(stay / settings.regimes[state]!.stayDays - 1) < 0.25, `${level} stay ${stay}`);
      assert.ok(Math.abs(days[state]! / 240_000 - shares[state]!) < 0.06, `${level} share of ${state}`);
    }
  }
});

test('the levels differ as they are called: regimes of an easy market lie further apart, its faults are larger', () => {
  const ratio = LEVELS.map((level) => {
    const { regimes } = marketSettings(level);
    return regimes[2]!.volatilityAnnual / regimes[0]!.volatilityAnnual;
  });
  assert.ok(ratio[0]! > ratio[1]! && ratio[1]! > ratio[2]! && ratio[2]! > 1);
  const ticks = LEVELS.map((level) => marketSettings(level).faults.badTickVolatilities);
  assert.ok(ticks[0]! > ticks[1]! && ticks[1]! > ticks[2]!);
});

test('a planted signal earns its stated alpha, and without one there is none', () => {
  const excess = (alphaAnnual: number) => {
    const plantedSignal = { alphaAnnual, halfLifeDays: 20 };
    const market = simulateMarket(marketSettings('medium', { companyCount: 80, dayCount: 2500, plantedSignal }), 5);
    assert.equal(market.truth.alphaAnnual, alphaAnnual);
    const full = market.truth.companies.filter(({ bars }) => bars.day.length === market.day.length);
    let sum = 0;
    for (let t = 1; t < market.day.length; t++) {
      const chosen = full.filter(({ signal }) => signal![t - 1]! > 0);
      const mean = (group: typeof full) =>
        group.reduce((total, company) => total + company.totalReturn[t]!, 0) / group.length;
      sum += mean(chosen) - mean(full);
    }
    return (sum / (market.day.length - 1)) * 252;
  };
  const none = excess(0);
  // The tracking error of forty of eighty names is near 3 % a year, over ten years 1 %.
  assert.ok(Math.abs(none) < 0.03, `without: ${none}`);
  assert.ok(Math.abs(excess(0.2) - none - 0.2) < 0.02, 'with');
});

test('frozen: the market of a seed stays the market it was', () => {
  const market = markets[1]!;
  const last = market.benchmark.bars.close.at(-1)!;
  assert.ok(Math.abs(last / FROZEN_LEVEL - 1) < 1e-9, String(last));
  assert.equal(market.truth.faults.length, FROZEN_FAULTS);
});
const FROZEN_LEVEL = 1194.5963472117585;
const FROZEN_FAULTS = 31;

test('settings that make no market are refused with the rule and the value', () => {
  assert.throws(() => marketSettings('easy', { companyCount: 0 }), /companyCount must be an integer in 1..5000, was 0/);
  assert.throws(() => marketSettings('easy', { dayCount: 10 }), /dayCount must be an integer in 252..30000, was 10/);
  assert.throws(() => marketSettings('easy', { first: '2012-02-30' }), /a day must be a real date/);
  assert.throws(
    () => marketSettings('easy', { clustering: { alpha: 0.1, gamma: 0.2, beta: 0.9, degreesOfFreedom: 8 } }),
    /must be below 1/,
  );
  assert.throws(() => marketSettings('easy', { plantedSignal: { alphaAnnual: 0.1, halfLifeDays: 0 } }), /halfLifeDays/);
  assert.throws(() => simulateMarket(small('easy'), -1), /seed must be an integer/);
});
