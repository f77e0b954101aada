import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { sampleCovariance } from '../dependence/covariance.ts';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom, type Random } from '../random/random.ts';
import { attributeByExposures } from './attribute-by-exposures.ts';
import { explainByFactors } from './explain-by-factors.ts';
import { outOfSampleFit } from './out-of-sample-fit.ts';
import { principalFactors } from './principal-factors.ts';
import { riskContributions } from './risk-contributions.ts';
import { simpleReturns, styleFactors } from './style-factors.ts';

type Golden = {
  rows: number;
  columns: number;
  observations: number[];
  pca: { varianceShares: number[]; firstComponent: number[] };
  regression: { coefficients: number[]; standardErrors: number[]; rSquared: number };
};

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../golden/dependence-golden.json', import.meta.url), 'utf8'),
);
const { rows: T, columns: N } = golden;
const observations = Float64Array.from(golden.observations);
const DATA = resolve(import.meta.dirname, '../../../..', process.env.TOUCHSTONE_DATA ?? '../shared/data');
const seeds = fc.integer({ min: 0, max: 1e6 });

describe('explaining returns by factors', () => {
  it('gives the regression of statsmodels', () => {
    const made = explainByFactors(column(5), Float64Array.from(twoColumns()), 2, 4);
    assert.ok(made.status === 'ok');
    const { coefficients, standardErrors, rSquared } = golden.regression;
    close(made.alpha.value, coefficients[0]!, 1e-12);
    close(made.alpha.standardError, standardErrors[0]!, 1e-12);
    for (const [k, part] of made.factors.entries()) {
      close(part.exposure, coefficients[k + 1]!, 1e-10);
      close(part.standardError, standardErrors[k + 1]!, 1e-10);
    }
    close(1 - made.residualVarianceShare, rSquared, 1e-10);
  });

  it('gives the published six-factor regression of a share', (t) => {
    const file = join(DATA, 'golden/stats_reference_dev.json');
    if (!existsSync(file)) return t.skip('the golden files of the data folder are not here');
    type Table = Record<string, number>;
    const reference = JSON.parse(readFileSync(file, 'utf8')).ff6_regression as {
      n: number;
      coef: Table;
      se_newey_west_5lags_nocorrection: Table;
    };
    const { y, factors } = readSixFactors();
    assert.equal(y.length, reference.n);
    const made = explainByFactors(y, factors, 6, 5);
    assert.ok(made.status === 'ok');
    close(made.alpha.value, reference.coef.const!, 1e-7);
    for (const [k, name] of SIX.entries()) {
      close(made.factors[k]!.exposure, reference.coef[name]!, 1e-7);
      close(made.factors[k]!.standardError, reference.se_newey_west_5lags_nocorrection[name]!, 1e-7);
    }
    assert.ok(Math.abs(made.varianceMismatch) < 1e-9 && Math.abs(made.returnMismatch) < 1e-9);
  });

  it('adds up to the whole within 1e-9, whatever the numbers', () => {
    const sizes = fc.integer({ min: -6, max: 3 });
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 6 }), sizes, sizes, (seed, count, sizeY, sizeX) => {
        const random = createRandom(seed);
        const rows = 40 + random.integer(100);
        const common = Float64Array.from({ length: rows }, () => random.studentT(3));
        const factors = Float64Array.from(
          { length: rows * count },
          (_, k) => 10 ** sizeX * (0.9 * common[Math.floor(k / count)]! + random.normal() + 0.3),
        );
        const y = common.map((value) => 10 ** sizeY * (value + 0.5 * random.studentT(3)));
        if (seed % 3 === 0) y[5] = Number.NaN;
        const made = explainByFactors(y, factors, count);
        assert.ok(made.status === 'ok');
        const parts = made.factors.reduce((sum, part) => sum + part.varianceShare, made.residualVarianceShare);
        close(parts, 1, 1e-9);
        const means = made.factors.reduce((sum, part) => sum + part.returnPart, made.residualReturnPart);
        close(means / 10 ** sizeY, made.mean / 10 ** sizeY, 1e-9);
        assert.equal(made.rowCount, seed % 3 === 0 ? rows - 1 : rows);
      }),
      { numRuns: 60 },
    );
  });

  it('finds what was put in, and covers it with its intervals', () => {
    let covered = 0;
    for (let seed = 0; seed < 100; seed++) {
      const random = createRandom(seed);
      const factors = noise(random, 250, 2);
      const y = Float64Array.from(
        { length: 250 },
        (_, t) => 0.1 + 0.8 * factors[2 * t]! - 0.3 * factors[2 * t + 1]! + random.normal(),
      );
      const made = explainByFactors(y, factors, 2);
      assert.ok(made.status === 'ok');
      covered += made.factors[0]!.low <= 0.8 && made.factors[0]!.high >= 0.8 ? 1 : 0;
    }
    assert.ok(covered >= 86, `${covered} of 100`);
  });

  it('says why where nothing can be told', () => {
    const x = noise(createRandom(1), 60, 1);
    const reasonOf = (y: Float64Array, factors: Float64Array, count: number) => {
      const made = explainByFactors(y, factors, count);
      return made.status === 'undefined' ? made.reason : 'told';
    };
    assert.match(reasonOf(new Float64Array(60).fill(2), x, 1), /do not vary/);
    assert.match(reasonOf(new Float64Array(60).fill(Number.NaN), x, 1), /there are 0/);
    assert.match(reasonOf(x.subarray(0, 5), x.subarray(0, 5), 1), /12 whole rows are needed/);
    const twice = Float64Array.from({ length: 120 }, (_, k) => x[k >> 1]!);
    assert.notEqual(reasonOf(noise(createRandom(2), 60, 1), twice, 2), 'told');
    assert.throws(() => explainByFactors(x, x.subarray(1), 1), /60 x 1/);
  });
});

describe('fit out of sample', () => {
  it('is near the true share for steady exposures, and below nought for those that turned', () => {
    const random = createRandom(12);
    const x = noise(random, 400, 1);
    const steady = x.map((value) => value + random.normal());
    const fit = outOfSampleFit(steady, x, 1, 260, random.split('steady'));
    assert.ok(
      fit.status === 'ok' && fit.low < 0.5 && fit.high > 0.5 && fit.sampleCount === 140 && fit.firstRow === 260,
    );
    const turned = steady.map((value, t) => (t < 260 ? value : value - 2 * x[t]!));
    const harm = outOfSampleFit(turned, x, 1, 260, random.split('turned'));
    assert.ok(harm.status === 'ok' && harm.high < 0);
  });

  it('says why with too few rows', () => {
    const x = noise(createRandom(1), 40, 1);
    assert.equal(outOfSampleFit(x, x, 1, 5, createRandom(1)).status, 'undefined');
    assert.equal(outOfSampleFit(x, x, 1, 30, createRandom(1)).status, 'undefined');
  });
});

describe('principal factors', () => {
  it('are those of scikit-learn', () => {
    const { weights, varianceShares } = principalFactors(observations, T, N);
    for (const [k, share] of varianceShares.entries()) close(share, golden.pca.varianceShares[k]!, 1e-10);
    const covariance = sampleCovariance(observations, T, N);
    const component = Float64Array.from({ length: N }, (_, i) => weights[i]! * Math.sqrt(covariance[i * (N + 1)]!));
    const length = Math.sqrt(component.reduce((sum, value) => sum + value * value, 0));
    const sign = Math.sign(component[0]! * golden.pca.firstComponent[0]!);
    for (let i = 0; i < N; i++) close((sign * component[i]!) / length, golden.pca.firstComponent[i]!, 1e-9);
  });

  it('are the weighted returns, their sizes add up to one, and later rows change no weight', () => {
    const random = createRandom(6);
    const market = noise(random, 300, 1);
    const returns = Float64Array.from({ length: 300 * 10 }, (_, k) => market[Math.floor(k / 10)]! + random.normal());
    const whole = principalFactors(returns, 300, 10, { fitRowCount: 200 });
    assert.equal(whole.count, 1);
    close(
      whole.weights.reduce((sum, weight) => sum + Math.abs(weight), 0),
      1,
      1e-12,
    );
    const cut = principalFactors(returns.slice(0, 2000), 200, 10);
    assert.deepEqual(cut.weights, whole.weights);
    assert.deepEqual(cut.series, whole.series.slice(0, 200));
    assert.throws(() => principalFactors(new Float64Array(20).fill(1), 10, 2), /must vary/);
  });
});

describe('style factors', () => {
  it('are the returns of thirds formed the day before', () => {
    const [rows, count] = [256, 6];
    const random = createRandom(9);
    const close = prices(random, rows, count);
    const cap = Float64Array.from({ length: rows * count }, (_, k) => 1 + (k % count));
    const factors = styleFactors({ close, cap }, count);
    const returns = simpleReturns(close, count);
    const t = 254;
    const today = (i: number) => returns[t * count + i]!;
    closeTo(factors.size[t]!, (today(0) + today(1) - today(4) - today(5)) / 2);
    const whole = [0, 1, 2, 3, 4, 5].reduce((sum, i) => sum + (1 + i) * today(i), 0);
    closeTo(factors.market[t]!, whole / 21);
    const rise = (i: number) => close[(t - 22) * count + i]! / close[(t - 253) * count + i]!;
    const order = [0, 1, 2, 3, 4, 5].sort((a, b) => rise(b) - rise(a));
    closeTo(factors.momentum[t]!, (today(order[0]!) + today(order[1]!) - today(order[4]!) - today(order[5]!)) / 2);
    assert.ok(factors.momentum.subarray(0, 253).every(Number.isNaN) && !Number.isNaN(factors.momentum[253]!));
  });

  it('know no future', () => {
    const [rows, count] = [300, 7];
    const random = createRandom(10);
    const verdict = checkNoLookAhead({
      name: 'style factors',
      input: { close: prices(random, rows, count), cap: prices(random, rows, count) },
      rowCount: rows,
      compute: (input) => {
        const factors = Object.values(styleFactors(input, count));
        return Float64Array.from({ length: 4 * (input.close.length / count) }, (_, k) => factors[k % 4]![k >> 2]!);
      },
      random: random.split('canary'),
      probeRows: [260, 280],
    });
    assert.ok(verdict.ok && verdict.isSensitive, JSON.stringify(verdict));
  });

  it('tell nothing where too few names can be sorted', () => {
    const close = prices(createRandom(1), 260, 5);
    const factors = styleFactors({ close, cap: null }, 5);
    assert.ok(factors.size.every(Number.isNaN) && factors.momentum.every(Number.isNaN));
    assert.ok(!Number.isNaN(factors.market[259]!));
    assert.ok(styleFactors({ close: new Float64Array(6).fill(Number.NaN), cap: null }, 2).market.every(Number.isNaN));
    assert.throws(() => styleFactors({ close, cap: new Float64Array(3) }, 5), /cap must have/);
  });
});

describe('risk of holdings', () => {
  it('adds up to the whole, and the margin is the slope of the volatility', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 6 }), (seed, count) => {
        const random = createRandom(seed);
        const covariance = sampleCovariance(noise(random, 30, count), 30, count);
        const weights = noise(random, count, 1);
        const told = riskContributions(covariance, weights);
        assert.ok(told !== null);
        close(
          told.share.reduce((sum, value) => sum + value, 0),
          1,
          1e-9,
        );
        const step = 1e-6;
        const more = riskContributions(
          covariance,
          Float64Array.from(weights, (w, i) => (i === 0 ? w + step : w)),
        );
        close((more!.volatility - told.volatility) / step, told.marginal[0]!, 1e-4);
      }),
      { numRuns: 40 },
    );
    assert.equal(riskContributions(Float64Array.of(0), Float64Array.of(1)), null);
    assert.equal(riskContributions(Float64Array.of(2), Float64Array.of(0)), null);
  });
});

describe('attribution by exposures', () => {
  it('gives the attribution of empyrical', (t) => {
    if (!existsSync(goldenPath('positions'))) return t.skip('the golden files of the data folder are not here');
    const positions = readTable('positions');
    const weights = Float64Array.from(
      positions.flatMap(([a, b, cash]) => [a! / (a! + b! + cash!), b! / (a! + b! + cash!)]),
    );
    const loadings = Float64Array.from(readTable('factor_loadings', 2).flat());
    const factorReturns = Float64Array.from(readTable('factor_returns').flat());
    const returns = Float64Array.from(readTable('returns', 1, 0).flat());
    const told = attributeByExposures(returns, weights, loadings, factorReturns, 2, 2);
    // Its returns are those of the factors alone, so nothing specific is left.
    assert.ok(told.specific.every((value) => Math.abs(value) < 1e-9));
    assert.ok(told.exposures.every((value) => value === 1));
  });

  it('adds up to the return within 1e-9, whatever the numbers', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = createRandom(seed);
        const [rows, assets, factors] = [12, 3, 2];
        const returns = noise(random, rows, 1);
        const told = attributeByExposures(
          returns,
          noise(random, rows, assets),
          noise(random, rows, assets * factors),
          noise(random, rows, factors),
          assets,
          factors,
        );
        for (let t = 0; t < rows; t++)
          close(told.parts[2 * t]! + told.parts[2 * t + 1]! + told.specific[t]!, returns[t]!, 1e-9);
      }),
      { numRuns: 40 },
    );
    const none = new Float64Array(0);
    assert.throws(() => attributeByExposures(Float64Array.of(1), none, none, none, 1, 1), /weights must have 1/);
  });
});

const SIX = ['Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA', 'UMD'];

function readSixFactors(): { y: Float64Array; factors: Float64Array } {
  const lines = (name: string) =>
    gunzipSync(readFileSync(join(DATA, name)))
      .toString('utf8')
      .trim()
      .split('\n');
  const isIn = (day: string) => day >= '2004-01-01' && day < '2010-01-01';
  const shares = lines('equities/us_stocks_daily_1998_2017_cc0.csv.gz')
    .map((line) => line.split(','))
    .filter(([day, symbol]) => symbol === 'MSFT' && isIn(day!));
  const table = lines('macro/fama_french_5f_mom_daily_1963_2021_pct.csv.gz');
  const header = table[0]!.split(',');
  const byDay = new Map(table.slice(1).map((line) => [line.slice(0, 10), line.split(',')]));
  const place = (name: string) => header.indexOf(name);
  const rows = shares.flatMap(([day, , , , , close], k) => {
    const factors = byDay.get(day!);
    if (k === 0 || factors === undefined) return [];
    const excess = 100 * (Number(close) / Number(shares[k - 1]![5]) - 1) - Number(factors[place('RF')]);
    return [[excess, ...SIX.map((name) => Number(factors[place(name)]))]];
  });
  return {
    y: Float64Array.from(rows, (row) => row[0]!),
    factors: Float64Array.from(rows.flatMap((row) => row.slice(1))),
  };
}

function goldenPath(name: string): string {
  return join(DATA, `golden/empyrical_perf_attrib_${name}.csv`);
}

function readTable(name: string, labelCount = 1, headerCount = 1): number[][] {
  const lines = readFileSync(goldenPath(name), 'utf8').trim().split('\n').slice(headerCount);
  return lines.map((line) => line.split(',').slice(labelCount).map(Number));
}

function noise(random: Random, rows: number, count: number): Float64Array {
  return Float64Array.from({ length: rows * count }, () => random.normal());
}

function prices(random: Random, rows: number, count: number): Float64Array {
  const close = new Float64Array(rows * count).fill(50);
  for (let k = count; k < close.length; k++) close[k] = close[k - count]! * Math.exp(0.02 * random.normal());
  return close;
}

function column(at: number): Float64Array {
  return Float64Array.from({ length: T }, (_, t) => observations[t * N + at]!);
}

function twoColumns(): number[] {
  return Array.from({ length: 2 * T }, (_, k) => observations[(k >> 1) * N + (k % 2)]!);
}

function closeTo(actual: number, expected: number): void {
  close(actual, expected, 1e-12);
}

function close(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} should be within ${tolerance} of ${expected}`);
}
