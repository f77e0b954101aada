import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { excessKurtosis, skewness, standardDeviation } from '../stats/moments.ts';
import { quantile } from '../stats/quantile.ts';
import { computePerformance, type Metric, type MetricName, type PerformanceInput } from './performance.ts';

function metrics(returns: number[], more: Omit<Partial<PerformanceInput>, 'returns'> = {}): Record<MetricName, Metric> {
  const performance = computePerformance({
    returns: Float64Array.from(returns),
    random: createRandom(1),
    resampleCount: 20,
    ...more,
  });
  return Object.fromEntries(performance.metrics.map((m) => [m.name, m])) as Record<MetricName, Metric>;
}

test('a small story with the sums written out', () => {
  const m = metrics([0.1, -0.2, 0.05, 0.3], { daysPerYear: 4, riskFree: new Float64Array(4).fill(0.01) });
  near(m.totalReturn.value, 1.1 * 0.8 * 1.05 * 1.3 - 1);
  near(m.annualReturn.value, m.totalReturn.value!); // four days a year, four days
  near(m.maxDrawdown.value, -0.2); // 1.1 fell to .88, then .924, then a new high of 1.2012
  assert.equal(m.maxDrawdownDays.value, 2);
  const excess = Float64Array.of(0.09, -0.21, 0.04, 0.29);
  near(m.sharpe.value, (0.0525 / standardDeviation(excess)) * 2);
  near(m.downsideDeviation.value, Math.sqrt(0.21 ** 2 / 4) * 2);
  near(m.sortino.value, (0.0525 * 4) / (Math.sqrt(0.21 ** 2 / 4) * 2));
  near(m.calmar.value, m.annualReturn.value! / 0.2);
  assert.equal(m.hitRate.value, 0.75);
  // Place .15 of four sorted values: −.2 + .15 · .25.
  near(m.valueAtRisk95.value, 0.1625);
  near(m.expectedShortfall95.value, 0.2);
});

test('against a benchmark: beta, alpha, tracking error and the mean difference', () => {
  const benchmark = Float64Array.of(0.01, -0.02, 0.03, 0.005, -0.01);
  const m = metrics(
    Array.from(benchmark, (b) => 0.001 + 1.5 * b),
    { benchmark },
  );
  near(m.beta.value, 1.5);
  near(m.alpha.value, 0.252);
  const difference = benchmark.map((b) => 0.001 + 0.5 * b);
  near(m.trackingError.value, standardDeviation(difference) * Math.sqrt(252));
  near(m.annualDifference.value, (difference.reduce((a, b) => a + b, 0) / 5) * 252);
  near(m.informationRatio.value, m.annualDifference.value! / m.trackingError.value!);
});

test('tail and moments agree with the plain kernels on random returns', () => {
  const values = fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 2, maxLength: 80 });
  fc.assert(
    fc.property(values, (list) => {
      const m = metrics(list);
      const returns = Float64Array.from(list);
      const cut = quantile(returns, 0.05);
      near(m.valueAtRisk95.value, -cut);
      const beyond = list.filter((r) => r <= cut);
      near(m.expectedShortfall95.value, -beyond.reduce((a, b) => a + b, 0) / beyond.length);
      if (standardDeviation(returns) > 1e-6) {
        near(m.skewness.value, skewness(returns), 1e-6);
        near(m.excessKurtosis.value, excessKurtosis(returns), 1e-6);
      }
    }),
  );
});

test('undefined is null with its reason, never zero and never infinite', () => {
  const constant = metrics([0.01, 0.01, 0.01]);
  assert.deepEqual([constant.sharpe.value, constant.sharpe.reason], [null, 'zero variance']);
  assert.deepEqual([constant.sortino.value, constant.sortino.reason], [null, 'no day below the risk-free return']);
  assert.deepEqual([constant.calmar.value, constant.calmar.reason], [null, 'no drawdown']);
  assert.equal(constant.annualVolatility.value, 0);
  assert.deepEqual([constant.beta.value, constant.beta.reason], [null, 'no benchmark given']);
  const one = metrics([0.01]);
  assert.deepEqual([one.annualVolatility.value, one.annualVolatility.reason], [null, 'too short: 1 day']);
  const none = metrics([]);
  assert.ok(Object.values(none).every((m) => m.value === null && m.interval === null && m.reason !== null));
  const flat = metrics([0.01, 0.02, -0.01, 0.03], { benchmark: new Float64Array(4).fill(0.01) });
  assert.deepEqual([flat.beta.value, flat.beta.reason], [null, 'the benchmark has zero variance']);
  const itself = Float64Array.of(0.01, 0.02, -0.01);
  assert.equal(metrics([...itself], { benchmark: itself }).informationRatio.reason, 'zero variance');
  assert.equal(metrics([0.5, -1, 0.1]).totalReturn.value, -1);
});

test('missing days are left out together and counted', () => {
  const performance = computePerformance({
    returns: Float64Array.of(0.01, Number.NaN, 0.02, 0.03),
    benchmark: Float64Array.of(0.01, 0.02, Number.NaN, 0.01),
    random: createRandom(1),
  });
  assert.deepEqual([performance.dayCount, performance.droppedCount], [2, 2]);
});

test('every value has an interval around it once there are two blocks, and says why not before', () => {
  const random = createRandom('long');
  const benchmark = Float64Array.from({ length: 400 }, () => 0.0005 + 0.01 * random.normal());
  const returns = Array.from(benchmark, (b) => 0.9 * b + 0.004 * random.normal());
  const m = metrics(returns, { benchmark, resampleCount: 200 });
  for (const metric of Object.values(m)) {
    assert.ok(metric.interval && metric.reason === null, metric.name);
    assert.ok(metric.interval[0] <= metric.interval[1] && metric.definition.endsWith('.'));
  }
  // Resampling shortens no run on average that the sample's own order made, so the point need not lie inside for days.
  for (const name of ['sharpe', 'annualReturn', 'annualVolatility', 'beta', 'hitRate'] as const)
    assert.ok(m[name].interval![0] < m[name].value! && m[name].value! < m[name].interval![1], name);
  assert.deepEqual(metrics(returns, { benchmark, resampleCount: 200 }), m);
  const short = metrics(returns.slice(0, 125));
  assert.deepEqual([short.sharpe.interval, short.sharpe.reason], [null, 'no interval: 125 days, 126 are needed']);
});

test('the interval of Sharpe covers the truth about as often as it says', () => {
  const random = createRandom('coverage');
  let covered = 0;
  const trials = 60;
  for (let k = 0; k < trials; k++) {
    const returns = Array.from({ length: 1500 }, () => 0.0005 + 0.01 * random.normal());
    const [low, high] = metrics(returns, { random: random.split(k), resampleCount: 200 }).sharpe.interval!;
    if (low <= 0.05 * Math.sqrt(252) && 0.05 * Math.sqrt(252) <= high) covered++;
  }
  // 95 % nominal; percentile blocks on six years cover somewhat less. Three binomial errors below .90.
  assert.ok(covered / trials > 0.78, `covered ${covered} of ${trials}`);
});

test('shapes and impossible returns are refused', () => {
  assert.throws(() => metrics([0.1, -1.5]), /at least -1, was -1.5 in row 1/);
  assert.throws(() => metrics([0.1], { benchmark: new Float64Array(2) }), /benchmark must have 1 rows/);
  assert.throws(() => metrics([0.1], { riskFree: new Float64Array(2) }), /riskFree must have 1 rows/);
  assert.throws(() => metrics([0.1], { level: 2 }), /level must be/);
});

type Series = { series: string } | { values: (number | null | number[])[] } | number;
type Case = {
  test: string;
  returns: Series;
  benchmark?: Series;
  factor_returns?: Series;
  risk_free?: Series;
  period?: string;
  starting_value?: number;
  decimal_places?: number;
  expected: number | string | null;
};
type Reference = { series: Record<string, { values: (number | null)[] }>; tests: Case[] };

test('agrees with the published cases of empyrical where the definitions do', (t) => {
  const folder = process.env.TOUCHSTONE_DATA ?? join(import.meta.dirname, '../../../../../shared/data');
  const file = join(folder, 'golden/metrics_empyrical_dev.json');
  if (!existsSync(file)) {
    t.skip(`no reference values at ${file}`);
    return;
  }
  const reference: Reference = JSON.parse(readFileSync(file, 'utf8'));
  const counts = new Map<string, number>();
  for (const item of reference.tests) {
    const outcome = compare(reference, item);
    if (outcome) counts.set(item.test, (counts.get(item.test) ?? 0) + 1);
  }
  t.diagnostic(`compared: ${[...counts].map(([name, n]) => `${name} ${n}`).join(', ')}`);
  assert.deepEqual(
    [
      'test_cum_returns_final',
      'test_max_drawdown',
      'test_annual_ret',
      'test_annual_volatility',
      'test_sharpe_ratio',
      'test_excess_sharpe',
      'test_beta',
      'test_alpha',
    ].filter((name) => !counts.has(name)),
    [],
  );
});

/**
 * Compares one case and returns true, or false where the case is about something else.
 *
 * Conventions that differ there: a missing return counts as a day of zero in growth (so NaN is replaced by zero for it);
 * an undefined ratio may be infinite (here null); alpha is compounded, (1 + a)^252 − 1 (here a × 252, converted below);
 * total returns are printed to four decimals at least; `excess_sharpe` is not annualised (here × √252); one day has a drawdown but no volatility in both.
 */
function compare(reference: Reference, item: Case): boolean {
  const returns = resolve(reference, item.returns);
  if (!returns) return false;
  const daysPerYear = { weekly: 52, monthly: 12, daily: 252 }[item.period ?? 'daily'] ?? 252;
  const growth = metrics(
    returns.map((r) => (Number.isNaN(r) ? 0 : r)),
    { daysPerYear },
  );
  const against = (series: Series | undefined, key: 'benchmark' | 'riskFree') => {
    const other = series === undefined ? null : resolve(reference, series, returns.length);
    return other?.length === returns.length ? metrics(returns, { daysPerYear, [key]: Float64Array.from(other) }) : null;
  };
  // A few cases say how many decimals they mean.
  const decimals = item.decimal_places === undefined ? 2e-8 : 1.5 * 10 ** -item.decimal_places;
  const same = (actual: number | null, tolerance = decimals): true => {
    if (item.expected === null || typeof item.expected === 'string') assert.equal(actual, null, JSON.stringify(item));
    else near(actual, item.expected, tolerance * Math.max(1, Math.abs(item.expected)));
    return true;
  };
  if (item.test === 'test_cum_returns_final') return item.starting_value === 0 && same(growth.totalReturn.value, 5e-5);
  if (item.test === 'test_max_drawdown') return same(growth.maxDrawdown.value);
  if (item.test === 'test_annual_ret') return same(growth.annualReturn.value);
  if (item.test === 'test_annual_volatility') return same(metrics(returns, { daysPerYear }).annualVolatility.value);
  if (item.test === 'test_sharpe_ratio') return same(against(item.risk_free, 'riskFree')!.sharpe.value);
  if (item.test === 'test_excess_sharpe') {
    const value = against(item.factor_returns, 'benchmark')!.informationRatio.value;
    return same(value === null ? null : value / Math.sqrt(252));
  }
  const regression = against(item.benchmark, 'benchmark');
  if (item.test === 'test_beta' && regression) return same(regression.beta.value);
  if (item.test === 'test_alpha' && regression) {
    const alpha = regression.alpha.value;
    return same(alpha === null ? null : (1 + alpha / 252) ** 252 - 1);
  }
  return false;
}

function resolve(reference: Reference, series: Series, length = 0): number[] | null {
  if (typeof series === 'number') return new Array<number>(length).fill(series);
  const values = 'series' in series ? reference.series[series.series]?.values : series.values;
  return values ? values.flat().map((v) => v ?? Number.NaN) : null;
}

function near(actual: number | null, expected: number, tolerance = 1e-10): void {
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}
