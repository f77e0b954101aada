import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { symmetricEigen } from '../linalg/symmetric-eigen.ts';
import { archLm, autocorrelation, ljungBox, partialAutocorrelation } from './autocorrelation.ts';
import { engleGranger } from './engle-granger.ts';
import { jarqueBera } from './jarque-bera.ts';
import { kpss } from './kpss.ts';
import { covarianceMatrix, mean } from './moments.ts';
import { type OlsCovariance, ols, withIntercept } from './ols.ts';
import { kendall, spearman } from './rank-correlation.ts';
import { ewmCovariance, ledoitWolf, oas } from './shrinkage.ts';
import { adf } from './unit-root.ts';

type Named = Record<string, number>;
type Reference = {
  ff6_regression: {
    sample: [string, string];
    n: number;
    coef: Named;
    se_ols: Named;
    se_newey_west_5lags_nocorrection: Named;
    se_hc1: Named;
    r2: number;
    adj_r2: number;
  };
  timeseries_tests: {
    adf_logprice_lags5_const: { stat: number; p: number; crit: Named };
    adf_logret_lags5_const: { stat: number; p: number };
    kpss_logret_lags10_const: { stat: number };
    ljung_box_10: { stat: number; p: number };
    ljung_box_10_squared: { stat: number; p: number };
    engle_arch_lm_5: { stat: number; p: number };
    jarque_bera: { stat: number };
    acf_1_5: number[];
    pacf_1_5_ywm: number[];
  };
  pairs_engle_granger: { alpha: number; beta: number; coint_t_lags5: number; p: number };
  covariance: {
    symbols: string[];
    n: number;
    sample_cov_ddof1: number[][];
    ledoit_wolf_shrinkage: number;
    ledoit_wolf_cov: number[][];
    oas_shrinkage: number;
    pca_explained_variance: number[];
    pca_first_component_abs: number[];
    ewm_cov_last_halflife21_adjust: number[][];
    spearman: number[][];
    kendall: number[][];
  };
};

const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../shared/data');
const referencePath = join(folder, 'golden/stats_reference_dev.json');
const FACTORS = ['Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA', 'UMD'];

test('on real prices and factors of 2004 to 2009, every statistic agrees with statsmodels, SciPy, scikit-learn and pandas', (t) => {
  if (!existsSync(referencePath)) {
    t.skip('no reference values: set TOUCHSTONE_DATA or put the data beside the project');
    return;
  }
  const reference: Reference = JSON.parse(readFileSync(referencePath, 'utf8'));
  const [from, to] = reference.ff6_regression.sample;
  const closes = readCloses(['MSFT', 'KO', 'PEP', ...reference.covariance.symbols], from, to);
  checkRegression(reference.ff6_regression, closes.get('MSFT')!);
  checkSeries(reference.timeseries_tests, levels(closes.get('MSFT')!));
  checkPair(reference.pairs_engle_granger, levels(closes.get('KO')!), levels(closes.get('PEP')!));
  checkCovariance(reference.covariance, closes);
});

function checkRegression(wanted: Reference['ff6_regression'], closes: Map<string, number>): void {
  const days = [...closes.keys()].slice(1);
  const returns = simpleReturns(closes);
  const factors = readFactors();
  const rows = days.flatMap((day, k) => {
    const factor = factors.get(day);
    return factor ? [{ y: 100 * returns[k]! - factor.RF!, x: FACTORS.map((name) => factor[name]!) }] : [];
  });
  assert.equal(rows.length, wanted.n);
  const y = Float64Array.from(rows, (row) => row.y);
  const x = withIntercept(Float64Array.from(rows.flatMap((row) => row.x)), rows.length, FACTORS.length);
  const kinds: [OlsCovariance, Named][] = [
    [{ kind: 'classical' }, wanted.se_ols],
    [{ kind: 'HC1' }, wanted.se_hc1],
    [{ kind: 'HAC', lags: 5 }, wanted.se_newey_west_5lags_nocorrection],
  ];
  for (const [kind, errors] of kinds) {
    const fit = ols(y, x, FACTORS.length + 1, kind);
    assert.ok(fit.status === 'ok');
    for (const [i, name] of ['const', ...FACTORS].entries()) {
      near(fit.coefficients[i]!, wanted.coef[name]!, 1e-9);
      near(fit.standardErrors[i]!, errors[name]!, 1e-9);
    }
    near(fit.rSquared!, wanted.r2, 1e-11);
    near(fit.adjustedRSquared!, wanted.adj_r2, 1e-11);
  }
}

function checkSeries(wanted: Reference['timeseries_tests'], logs: Float64Array): void {
  const returns = logs.slice(1).map((value, k) => value - logs[k]!);
  const squares = returns.map((value) => value * value);
  const price = adf(logs, { lags: 5 });
  const change = adf(returns, { lags: 5 });
  const level = kpss(returns, { lags: 10 });
  assert.ok(price.status === 'ok' && change.status === 'ok' && level.status === 'ok');
  near(price.statistic, wanted.adf_logprice_lags5_const.stat, 1e-8);
  near(price.pValue, wanted.adf_logprice_lags5_const.p, 1e-8);
  near(price.criticalValues!.fivePercent, wanted.adf_logprice_lags5_const.crit['5%']!, 1e-10);
  near(change.statistic, wanted.adf_logret_lags5_const.stat, 1e-8);
  near(change.pValue / wanted.adf_logret_lags5_const.p, 1, 1e-6);
  near(level.statistic, wanted.kpss_logret_lags10_const.stat, 1e-9);
  const portmanteaus = [
    [ljungBox(returns, 10), wanted.ljung_box_10],
    [ljungBox(squares, 10), wanted.ljung_box_10_squared],
    [
      archLm(
        returns.map((value) => value - mean(returns)),
        5,
      ),
      wanted.engle_arch_lm_5,
    ],
  ] as const;
  for (const [got, { stat, p }] of portmanteaus) {
    assert.ok(got.status === 'ok');
    near(got.statistic, stat, 1e-8);
    // Far in the tail: relative.
    near(got.pValue / p, 1, 1e-7);
  }
  const bera = jarqueBera(returns);
  assert.ok(bera.status === 'ok');
  near(bera.statistic, wanted.jarque_bera.stat, 1e-7);
  for (let lag = 1; lag <= 5; lag++) {
    near(autocorrelation(returns, 5)[lag]!, wanted.acf_1_5[lag - 1]!, 1e-11);
    near(partialAutocorrelation(returns, 5)[lag]!, wanted.pacf_1_5_ywm[lag - 1]!, 1e-11);
  }
}

function checkPair(wanted: Reference['pairs_engle_granger'], y: Float64Array, x: Float64Array): void {
  const pair = engleGranger(y, x, 1, { lags: 5 });
  assert.ok(pair.status === 'ok');
  near(pair.intercept, wanted.alpha, 1e-9);
  near(pair.slopes[0]!, wanted.beta, 1e-9);
  near(pair.statistic, wanted.coint_t_lags5, 1e-8);
  near(pair.pValue, wanted.p, 1e-8);
}

function checkCovariance(wanted: Reference['covariance'], closes: Map<string, Map<string, number>>): void {
  const n = wanted.symbols.length;
  const columns = wanted.symbols.map((symbol) => simpleReturns(closes.get(symbol)!));
  const rowCount = columns[0]!.length;
  assert.equal(rowCount, wanted.n);
  const values = Float64Array.from({ length: rowCount * n }, (_, k) => columns[k % n]![Math.floor(k / n)]!);
  const sample = covarianceMatrix(values, n);
  all(sample, wanted.sample_cov_ddof1.flat(), 1e-14);
  const shrunk = ledoitWolf(values, n);
  const approximating = oas(values, n);
  assert.ok(shrunk.status === 'ok' && approximating.status === 'ok');
  near(shrunk.shrinkage, wanted.ledoit_wolf_shrinkage, 1e-10);
  all(shrunk.covariance, wanted.ledoit_wolf_cov.flat(), 1e-14);
  near(approximating.shrinkage, wanted.oas_shrinkage, 1e-10);
  all(ewmCovariance(values, n, 21), wanted.ewm_cov_last_halflife21_adjust.flat(), 1e-14);
  const eigen = symmetricEigen(sample, n);
  all(eigen.values.subarray(0, wanted.pca_explained_variance.length), wanted.pca_explained_variance, 1e-14);
  for (const [i, size] of wanted.pca_first_component_abs.entries()) near(Math.abs(eigen.vectors[i * n]!), size, 1e-10);
  for (const [i, first] of columns.entries())
    for (const [j, second] of columns.entries()) {
      if (i === j) continue;
      const bySpearman = spearman(first, second);
      const byKendall = kendall(first, second);
      assert.ok(bySpearman.status === 'ok' && byKendall.status === 'ok');
      near(bySpearman.coefficient, wanted.spearman[i]![j]!, 1e-11);
      near(byKendall.coefficient, wanted.kendall[i]![j]!, 1e-11);
    }
}

/** Closes by day, ascending, from `from` to `to`. */
function readCloses(symbols: readonly string[], from: string, to: string): Map<string, Map<string, number>> {
  const closes = new Map(symbols.map((symbol) => [symbol, new Map<string, number>()]));
  for (const line of readLines('equities/us_stocks_daily_1998_2017_cc0.csv.gz')) {
    const [day = '', symbol = '', , , , close] = line.split(',');
    if (day >= from && day <= to) closes.get(symbol)?.set(day, Number(close));
  }
  for (const [symbol, byDay] of closes) closes.set(symbol, new Map([...byDay].sort(([a], [b]) => (a < b ? -1 : 1))));
  return closes;
}

function readFactors(): Map<string, Named> {
  const [header = '', ...lines] = readLines('macro/fama_french_5f_mom_daily_1963_2021_pct.csv.gz');
  const names = header.trim().split(',');
  return new Map(
    lines.map((line) => {
      const fields = line.trim().split(',');
      return [fields[0]!, Object.fromEntries(names.map((name, k) => [name, Number(fields[k])]))];
    }),
  );
}

function readLines(path: string): string[] {
  return gunzipSync(readFileSync(join(folder, path)))
    .toString('latin1')
    .split('\n');
}

function levels(closes: Map<string, number>): Float64Array {
  return Float64Array.from(closes.values(), Math.log);
}

function simpleReturns(closes: Map<string, number>): Float64Array {
  const values = [...closes.values()];
  return Float64Array.from(values.slice(1), (value, k) => value / values[k]! - 1);
}

function all(actual: Float64Array, wanted: readonly number[], tolerance: number): void {
  assert.equal(actual.length, wanted.length);
  for (const [k, value] of wanted.entries()) near(actual[k]!, value, tolerance);
}

function near(actual: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted)), `${actual} is not ${wanted}`);
}
