import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { archLm, autocorrelation, ljungBox, partialAutocorrelation } from './autocorrelation.ts';
import { engleGranger } from './engle-granger.ts';
import { jarqueBera } from './jarque-bera.ts';
import { type KpssOptions, kpss } from './kpss.ts';
import type { Deterministic } from './mackinnon.ts';
import { covarianceMatrix } from './moments.ts';
import { hacRegression } from './newey-west.ts';
import { type OlsCovariance, ols, withIntercept } from './ols.ts';
import { ewmCovariance, ledoitWolf, ledoitWolfConstantCorrelation, oas } from './shrinkage.ts';
import { adf } from './unit-root.ts';

type Golden = {
  series: Record<'noise' | 'stationary' | 'walk' | 'trending', number[]>;
  tied: number[];
  second: number[];
  returns: number[][];
  gaps: (number | null)[][];
  ols: {
    name: string;
    coefficients: number[];
    standardErrors: number[];
    t: number[];
    pValues: number[];
    rSquared: number;
    adjustedRSquared: number;
  }[];
  adf: {
    series: keyof Golden['series'];
    deterministic: Deterministic;
    lags: number | null;
    lagMax: number | null;
    statistic: number;
    pValue: number;
    usedLags: number;
    rowCount: number;
    critical: number[];
  }[];
  kpss: {
    series: keyof Golden['series'];
    deterministic: 'c' | 'ct';
    lags: KpssOptions['lags'];
    statistic: number;
    pValue: number;
    usedLags: number;
  }[];
  cointegration: { statistic: number; pValue: number; critical: number[]; lags: number | null }[];
  portmanteau: {
    series: keyof Golden['series'];
    lags: number;
    ljungBox: [number, number];
    archLm: [number, number];
  }[];
  acf: number[];
  pacf: number[];
  jarqueBera: [number, number];
  ledoitWolf: [number, number[][]];
  oas: [number, number[][]];
  constantCorrelation: [number, number[][]];
  ledoitWolfGaps: [number, number[][]];
  ewm: number[][];
  ewmGaps: number[][];
};

// Values by SciPy, statsmodels, scikit-learn and pandas; their versions stand in the file.
const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/statistics-golden.json'), 'utf8'),
);
const series = Object.fromEntries(
  Object.entries(golden.series).map(([name, values]) => [name, Float64Array.from(values)]),
);
const walk = series.walk!;
const noise = series.noise!;
const stationary = series.stationary!;
const returns = Float64Array.from(golden.returns.flat());
const gaps = Float64Array.from(golden.gaps.flat(), (value) => value ?? Number.NaN);

describe('ols', () => {
  const x = withIntercept(
    Float64Array.from({ length: 2 * walk.length }, (_, k) => (k % 2 === 0 ? walk : noise)[k >> 1]!),
    walk.length,
    2,
  );
  const kinds: Record<string, OlsCovariance> = {
    classical: { kind: 'classical' },
    HC1: { kind: 'HC1' },
    HAC: { kind: 'HAC', lags: 6 },
    'HAC corrected': { kind: 'HAC', lags: 6, smallSample: true },
  };
  for (const wanted of golden.ols)
    test(`agrees with statsmodels: ${wanted.name}`, () => {
      const fit = ols(stationary, x, 3, kinds[wanted.name]);
      assert.ok(fit.status === 'ok');
      for (const key of ['coefficients', 'standardErrors', 't', 'pValues'] as const) near(fit[key], wanted[key], 1e-9);
      near([fit.rSquared!, fit.adjustedRSquared!], [wanted.rSquared, wanted.adjustedRSquared], 1e-11);
    });

  test('agrees with the regression by normal equations', () => {
    const one = ols(stationary, x, 3, { kind: 'HAC' });
    const other = hacRegression(stationary, x, 3);
    assert.ok(one.status === 'ok' && other.status === 'ok');
    near(one.coefficients, other.coefficients, 1e-9);
    near(one.covariance, other.covariance, 1e-9);
  });

  test('a change of the unit of y or of a column changes numbers as it should', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (seed, unit) => {
        const random = createRandom(seed);
        const columns = Float64Array.from({ length: 30 }, () => random.normal());
        const y = Float64Array.from({ length: 15 }, () => random.normal());
        const base = ols(y, columns, 2, { kind: 'HC1' });
        const scaled = ols(
          y.map((value) => value * unit),
          columns.map((value, k) => (k % 2 === 0 ? value / unit : value)),
          2,
          { kind: 'HC1' },
        );
        assert.ok(base.status === 'ok' && scaled.status === 'ok');
        near(scaled.t, base.t, 1e-8);
        near([scaled.coefficients[0]! / unit / unit, scaled.rSquared!], [base.coefficients[0]!, base.rSquared!], 1e-8);
      }),
      { numRuns: 30 },
    );
  });

  test('says which columns depend on others, and refuses when nothing is left over', () => {
    const twice = Float64Array.from({ length: 12 }, (_, k) => (k % 2 === 0 ? k : 2 * (k - 1)));
    const y = Float64Array.of(1, 2, 3, 1, 2, 3);
    assert.deepEqual(ols(y, twice, 2), {
      status: 'singular',
      reason: 'columns that are a combination of those before them: 1',
      columns: [1],
    });
    assert.equal(ols(Float64Array.of(1), Float64Array.of(1), 1).status, 'singular');
    const constant = ols(Float64Array.of(2, 2, 2), Float64Array.of(1, 2, 4), 1);
    assert.ok(constant.status === 'ok' && constant.rSquared === null && constant.adjustedRSquared === null);
    assert.throws(() => ols(y, Float64Array.of(1, 2, 3, 4, 5, Number.NaN), 1), /finite/);
    assert.throws(() => ols(y, new Float64Array(5), 1), /x must be 6 x 1/);
    assert.throws(() => ols(y, y, 1, { kind: 'HAC', lags: 6 }), /lags must be a whole number in 0..5/);
  });
});

describe('adf', () => {
  for (const { lags, lagMax, ...wanted } of golden.adf)
    test(`agrees with statsmodels: ${wanted.series}, ${wanted.deterministic}, ${lags ?? `AIC up to ${lagMax ?? 'its own'}`} lags`, () => {
      const result = adf(series[wanted.series]!, {
        deterministic: wanted.deterministic,
        ...(lags === null ? {} : { lags }),
        ...(lagMax === null ? {} : { lagMax }),
      });
      assert.ok(result.status === 'ok');
      assert.deepEqual([result.lags, result.rowCount], [wanted.usedLags, wanted.rowCount]);
      near([result.statistic, result.pValue], [wanted.statistic, wanted.pValue], 1e-8);
      const critical = result.criticalValues!;
      near([critical.onePercent, critical.fivePercent, critical.tenPercent], wanted.critical, 1e-10);
    });

  test('does not mind the unit, nor with a constant the level, and more of the tail is a smaller p-value', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed);
        const values = new Float64Array(60);
        for (let t = 1; t < 60; t++) values[t] = 0.7 * values[t - 1]! + random.normal();
        const base = adf(values);
        const moved = adf(values.map((value) => 4 * value + 100));
        assert.ok(base.status === 'ok' && moved.status === 'ok');
        near([moved.statistic, moved.lags], [base.statistic, base.lags], 1e-7);
        assert.ok(base.pValue >= 0 && base.pValue <= 1);
      }),
      { numRuns: 30 },
    );
  });
});

describe('kpss', () => {
  for (const wanted of golden.kpss)
    test(`agrees with statsmodels: ${wanted.series}, ${wanted.deterministic}, ${wanted.lags} lags`, () => {
      const result = kpss(series[wanted.series]!, { deterministic: wanted.deterministic, lags: wanted.lags! });
      assert.ok(result.status === 'ok');
      assert.equal(result.lags, wanted.usedLags);
      near([result.statistic, result.pValue], [wanted.statistic, wanted.pValue], 1e-9);
      assert.equal(result.isBeyond, result.pValue === 0.01 ? 'smaller' : result.pValue === 0.1 ? 'larger' : null);
    });
});

describe('engleGranger', () => {
  const second = Float64Array.from(golden.second);
  const tied = Float64Array.from(golden.tied);
  const both = Float64Array.from({ length: 2 * walk.length }, (_, k) => (k % 2 === 0 ? walk : second)[k >> 1]!);
  const cases = [
    { name: 'tied to a walk', x: walk, columns: 1 },
    { name: 'tied to a walk, five lags', x: walk, columns: 1 },
    { name: 'not tied', x: second, columns: 1 },
    { name: 'two series on the right', x: both, columns: 2 },
  ];
  for (const [k, { name, x, columns }] of cases.entries())
    test(`agrees with statsmodels: ${name}`, () => {
      const wanted = golden.cointegration[k]!;
      const result = engleGranger(tied, x, columns, wanted.lags === null ? {} : { lags: wanted.lags });
      assert.ok(result.status === 'ok');
      near([result.statistic, result.pValue], [wanted.statistic, wanted.pValue], 1e-8);
      const critical = result.criticalValues!;
      near([critical.onePercent, critical.fivePercent, critical.tenPercent], wanted.critical, 1e-10);
    });

  test('is undefined for a series beside itself, and refuses seven series', () => {
    assert.deepEqual(engleGranger(walk, walk), { status: 'undefined', reason: 'the series are collinear' });
    assert.equal(engleGranger(walk, new Float64Array(walk.length)).status, 'undefined');
    assert.throws(() => engleGranger(walk, new Float64Array(6 * walk.length), 6), /1..5 columns/);
    assert.throws(() => engleGranger(walk, new Float64Array(3)), RangeError);
  });
});

describe('autocorrelation and the tests on it', () => {
  test('agree with statsmodels and SciPy', () => {
    near(autocorrelation(stationary, 8), golden.acf, 1e-12);
    near(partialAutocorrelation(stationary, 8), golden.pacf, 1e-12);
    for (const wanted of golden.portmanteau) {
      const values = series[wanted.series]!;
      const box = ljungBox(values, wanted.lags);
      const arch = archLm(values, wanted.lags);
      assert.ok(box.status === 'ok' && arch.status === 'ok');
      near([box.statistic, box.pValue], wanted.ljungBox, 1e-9);
      near([arch.statistic, arch.pValue], wanted.archLm, 1e-9);
    }
    const bera = jarqueBera(noise);
    assert.ok(bera.status === 'ok');
    near([bera.statistic, bera.pValue], golden.jarqueBera, 1e-9);
  });

  test('the first partial autocorrelation is the first autocorrelation, and none leaves −1..1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 4, maxLength: 30 }), (list) => {
        const values = Float64Array.from(list);
        const whole = autocorrelation(values, 3);
        const partial = partialAutocorrelation(values, 3);
        if (Number.isNaN(whole[0]!)) return;
        assert.equal(partial[1], whole[1]);
        for (const value of [...whole, ...partial]) assert.ok(Number.isNaN(value) || Math.abs(value) <= 1 + 1e-9);
      }),
    );
  });

  test('fitted parameters cost degrees of freedom', () => {
    const box = ljungBox(noise, 5, 2);
    assert.ok(box.status === 'ok' && box.degreesOfFreedom === 3);
    assert.throws(() => ljungBox(noise, 2, 2), /lags must exceed the 2 fitted/);
    assert.equal(ljungBox(noise, noise.length).status, 'undefined');
    assert.throws(() => ljungBox(noise, 0.5), RangeError);
    assert.throws(() => archLm(noise, 0), RangeError);
    assert.throws(() => autocorrelation(noise, -1), RangeError);
  });
});

test('a series that cannot carry a test is answered with the reason, never with a number', () => {
  const constant = new Float64Array(50).fill(3);
  const missing = Float64Array.from(walk);
  missing[7] = Number.NaN;
  const line = Float64Array.from({ length: 50 }, (_, t) => 2 + 0.5 * t);
  const tests = [
    (values: Float64Array) => adf(values),
    (values: Float64Array) => kpss(values),
    (values: Float64Array) => ljungBox(values, 1),
    (values: Float64Array) => archLm(values, 1),
    (values: Float64Array) => jarqueBera(values),
    (values: Float64Array) => engleGranger(values, values),
  ];
  for (const run of tests) {
    assert.deepEqual(run(constant), { status: 'undefined', reason: 'the series is constant' });
    assert.deepEqual(run(missing), { status: 'undefined', reason: 'a value is missing or not finite' });
    const short = run(Float64Array.of(1));
    assert.ok(short.status === 'undefined' && /values are needed, there are 1/.test(short.reason));
  }
  assert.equal(kpss(line, { deterministic: 'ct' }).status, 'undefined');
  assert.equal(adf(line, { lags: 0 }).status, 'undefined');
  assert.equal(adf(line).status, 'undefined');
  assert.equal(adf(walk.subarray(0, 10), { lags: 7 }).status, 'undefined');
  assert.equal(archLm(Float64Array.of(1, -1, 1, -1, 1, -1, 1, -1), 1).status, 'undefined');
  assert.ok(autocorrelation(constant, 2).every(Number.isNaN));
  assert.ok(partialAutocorrelation(missing, 2).every(Number.isNaN));
  assert.throws(() => adf(walk, { lags: -1 }), RangeError);
  assert.throws(() => kpss(walk, { lags: 1.5 }), RangeError);
});

describe('shrinkage', () => {
  test('agrees with scikit-learn, and with the formulas written out', () => {
    const cases = [
      { got: ledoitWolf(returns, 4), wanted: golden.ledoitWolf },
      { got: oas(returns, 4), wanted: golden.oas },
      { got: ledoitWolfConstantCorrelation(returns, 4), wanted: golden.constantCorrelation },
      { got: ledoitWolf(gaps, 4), wanted: golden.ledoitWolfGaps },
    ];
    for (const { got, wanted } of cases) {
      assert.ok(got.status === 'ok');
      near([got.shrinkage], [wanted[0]], 1e-11);
      near(got.covariance, wanted[1].flat(), 1e-14);
    }
  });

  test('moves between the sample and the target, and the unit does not matter', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 3, max: 12 }), fc.integer({ min: 1, max: 5 }), (seed, rows, columns) => {
        const random = createRandom(seed);
        const values = Float64Array.from({ length: rows * columns }, () => random.normal());
        const sample = covarianceMatrix(values, columns).map((value) => (value * (rows - 1)) / rows);
        for (const shrink of [ledoitWolf, oas, ledoitWolfConstantCorrelation]) {
          const result = shrink(values, columns);
          const large = shrink(
            values.map((value) => 8 * value),
            columns,
          );
          assert.ok(result.status === 'ok' && large.status === 'ok');
          assert.ok(result.shrinkage >= 0 && result.shrinkage <= 1);
          near([large.shrinkage], [result.shrinkage], 1e-10);
          const trace = (matrix: Float64Array) =>
            matrix.reduce((sum, value, k) => sum + (k % (columns + 1) ? 0 : value), 0);
          near([trace(result.covariance)], [trace(sample)], 1e-12);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('works for one column, a constant column, and says when there are too few rows', () => {
    const one = ledoitWolf(Float64Array.of(1, 3), 1);
    assert.ok(one.status === 'ok' && one.covariance[0] === 1 && one.shrinkage === 0);
    const still = ledoitWolfConstantCorrelation(Float64Array.of(1, 5, 2, 5, 4, 5), 2);
    assert.ok(still.status === 'ok' && still.covariance[3] === 0 && still.shrinkage === 0);
    assert.deepEqual(oas(Float64Array.of(1, Number.NaN, 2, 3), 2), {
      status: 'undefined',
      reason: 'two complete rows are needed, there are 1',
    });
    assert.throws(() => ledoitWolf(new Float64Array(3), 2), RangeError);
  });

  test('the exponentially weighted covariance agrees with pandas, also with missing values', () => {
    near(ewmCovariance(returns, 4, 12), golden.ewm.flat(), 1e-14);
    near(ewmCovariance(gaps, 4, 12), golden.ewmGaps.flat(), 1e-14);
    // A gap in the first column leaves the pairs of the others as they are without it.
    const pierced = returns.slice();
    pierced[4 * 10] = Number.NaN;
    const [whole, rest] = [ewmCovariance(returns, 4, 12), ewmCovariance(pierced, 4, 12)];
    for (let i = 1; i < 4; i++) near(rest.subarray(4 * i + 1, 4 * i + 4), whole.subarray(4 * i + 1, 4 * i + 4), 1e-17);
    assert.ok(Math.abs(rest[0]! - whole[0]!) > 1e-9);
    // With a long memory it is the sample covariance.
    near(ewmCovariance(returns, 4, 1e9), covarianceMatrix(returns, 4), 1e-9);
    assert.ok(ewmCovariance(Float64Array.of(1), 1, 5).every(Number.isNaN));
    assert.throws(() => ewmCovariance(returns, 4, 0), /halfLife must be positive/);
  });
});

/** Within a tolerance relative to values above one, absolute below. */
function near(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (let k = 0; k < wanted.length; k++)
    assert.ok(
      Math.abs(actual[k]! - wanted[k]!) <= tolerance * Math.max(1, Math.abs(wanted[k]!)),
      `place ${k}: ${actual[k]} is not ${wanted[k]}`,
    );
}
