import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { mean } from '../stats/moments.ts';
import { quantile } from '../stats/quantile.ts';
import { testPrices } from './_test-prices.ts';
import { ewmaVariance } from './ewma-variance.ts';
import { garchWalk } from './garch-walk.ts';
import { logReturns } from './range-variance.ts';
import {
  cornishFisherTail,
  filteredHistoricalTail,
  garchTTail,
  historicalTail,
  normalTail,
  type Tail,
} from './value-at-risk.ts';
import { breachTests, fisslerZiegelLosses, toldForTheDay } from './value-at-risk-tests.ts';

const WINDOW = { windowMax: 200, windowMin: 50 };

test('historical simulation is the quantile of the last returns, and its shortfall the mean below it', () => {
  const random = createRandom(9);
  const returns = Float64Array.from({ length: 300 }, () => random.normal());
  const tail = historicalTail(returns, 0.05, WINDOW);
  // The return of the first row has no forecast before it and does not count.
  const last = returns.slice(100, 300);
  const q = quantile(last, 0.05);
  assert.equal(tail.quantile[299], q);
  const below = last.filter((r) => r <= q);
  assert.ok(Math.abs(tail.shortfall[299]! - mean(below)) < 1e-12);
  assert.ok(Number.isNaN(tail.quantile[49]!));
  assert.ok(!Number.isNaN(tail.quantile[50]!));
});

test('a filtered tail does not depend on the unit of the volatility it is filtered with', () => {
  const { close } = testPrices(400, 2);
  const returns = logReturns(close);
  const volatility = ewmaVariance(
    returns.map((r) => r * r),
    0.94,
  ).map(Math.sqrt);
  const one = filteredHistoricalTail(returns, volatility, 0.05, WINDOW);
  const other = filteredHistoricalTail(
    returns,
    volatility.map((s) => 4 * s),
    0.05,
    WINDOW,
  );
  assert.deepEqual(other, one);
});

test('of normal returns every method finds the normal tail, and the normal one is its closed form', () => {
  const random = createRandom(31);
  const returns = Float64Array.from({ length: 3000 }, () => 0.01 * random.normal());
  const volatility = new Float64Array(3000).fill(0.01);
  const tail = normalTail(volatility, 0.05);
  assert.ok(Math.abs(tail.quantile[0]! / 0.01 - -1.6448536269514722) < 1e-9);
  assert.ok(Math.abs(tail.shortfall[0]! / 0.01 - -2.0627128075074266) < 1e-9);
  const walk = garchWalk(returns, { model: { leverage: true, distribution: 'student_t' }, refitEvery: 1500 });
  for (const other of [
    historicalTail(returns, 0.05),
    filteredHistoricalTail(returns, volatility, 0.05),
    cornishFisherTail(returns, volatility, 0.05),
    garchTTail(walk, 0.05),
  ]) {
    assert.ok(Math.abs(other.quantile[2999]! - tail.quantile[0]!) < 0.0015, `${other.quantile[2999]}`);
    assert.ok(Math.abs(other.shortfall[2999]! - tail.shortfall[0]!) < 0.0015, `${other.shortfall[2999]}`);
  }
});

test('an expansion that does not hold gives no tail', () => {
  const random = createRandom(12);
  const returns = Float64Array.from({ length: 300 }, (_, t) => (t === 150 ? -0.5 : 0.001 * random.normal()));
  const tail = cornishFisherTail(returns, new Float64Array(300).fill(1), 0.01, WINDOW);
  assert.ok(!Number.isNaN(tail.quantile[149]!));
  assert.ok(Number.isNaN(tail.quantile[160]!));
});

test('no tail sees a row after its own', () => {
  const { close } = testPrices(360, 6);
  const ewma = (r: Float64Array) =>
    ewmaVariance(
      r.map((x) => x * x),
      0.94,
    ).map(Math.sqrt);
  const model = { leverage: true, distribution: 'student_t' } as const;
  const tails: Record<string, (r: Float64Array) => Tail> = {
    historical: (r) => historicalTail(r, 0.05, WINDOW),
    filtered: (r) => filteredHistoricalTail(r, ewma(r), 0.05, WINDOW),
    cornishFisher: (r) => cornishFisherTail(r, ewma(r), 0.05, WINDOW),
    garch: (r) => garchTTail(garchWalk(r, { model, windowMin: 250, windowMax: 250, refitEvery: 50 }), 0.05),
  };
  for (const [name, tail] of Object.entries(tails)) {
    const verdict = checkNoLookAhead({
      name,
      input: { r: logReturns(close) },
      rowCount: 360,
      compute: ({ r }) => tail(r).shortfall,
      probeRows: [120, 270, 340],
      random: createRandom(5),
    });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
    assert.ok(verdict.isSensitive, name);
  }
});

test('the tests of breaches are their likelihood ratios written out', () => {
  // Ten breaches in 100 days at 5 %, two of them a day after another.
  const breaches = new Set([5, 15, 16, 30, 45, 50, 51, 70, 80, 95]);
  const returns = Float64Array.from({ length: 100 }, (_, t) => (breaches.has(t) ? -2 : 0));
  const told = new Float64Array(100).fill(-1);
  const result = breachTests(returns, told, 0.05);
  assert.equal(result.breachCount, 10);
  const kupiec = 2 * (10 * Math.log(0.1 / 0.05) + 90 * Math.log(0.9 / 0.95));
  // P(χ²₁ > x), from a table of the error function: erfc(√(x / 2)).
  assert.ok(Math.abs(kupiec - 4.1308) < 5e-4);
  assert.ok(Math.abs(result.kupiecP - 0.0421) < 1e-3, `${result.kupiecP}`);
  const independence =
    2 * (8 * Math.log(8 / 89) + 81 * Math.log(81 / 89) + 2 * Math.log(0.2) + 8 * Math.log(0.8)) -
    2 * (10 * Math.log(10 / 99) + 89 * Math.log(89 / 99));
  assert.ok(Math.abs(result.conditionalCoverageP - Math.exp(-(kupiec + independence) / 2)) < 1e-9);
  const none = breachTests(new Float64Array(100), told, 0.05);
  assert.equal(none.breachCount, 0);
  assert.ok(none.kupiecP < 0.01);
  assert.ok(Number.isNaN(none.independenceP));
  assert.ok(Number.isNaN(breachTests(new Float64Array(0), new Float64Array(0), 0.05).breachRate));
});

test('the joint loss is least at the true quantile and shortfall', () => {
  const random = createRandom(77);
  const n = 60_000;
  const returns = Float64Array.from({ length: n }, () => random.normal());
  const loss = (q: number, s: number) =>
    mean(fisslerZiegelLosses(returns, new Float64Array(n).fill(q), new Float64Array(n).fill(s), 0.05));
  const best = loss(-1.645, -2.063);
  for (const [q, s] of [
    [-1.4, -2.063],
    [-1.9, -2.063],
    [-1.645, -1.8],
    [-1.645, -2.4],
  ] as const)
    assert.ok(loss(q, s) > best);
  assert.ok(Number.isNaN(fisslerZiegelLosses(Float64Array.of(0), Float64Array.of(-1), Float64Array.of(1), 0.05)[0]!));
  assert.deepEqual(toldForTheDay(Float64Array.of(1, 2, 3)), Float64Array.of(Number.NaN, 1, 2));
});
