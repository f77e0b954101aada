import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { ALPHA158 } from './alpha158.ts';
import {
  assertBeginsAnewAfterGap,
  assertNoLookAhead,
  assertStreamEqualsBatch,
  assertTooFewBars,
  columnsByName,
  constantBars,
  randomBars,
} from './test/indicator-habits.ts';

type GoldenSeries = { name: string; rows: number[]; values: Record<string, (number | null)[]> } & Record<
  'open' | 'high' | 'low' | 'close' | 'volume',
  number[]
>;
const golden: { series: GoldenSeries[] } = JSON.parse(
  readFileSync(new URL('../../golden/alpha158.json', import.meta.url), 'utf8'),
);

test('all 158 features agree with the operators of qlib in pandas within 1e-9', () => {
  let compared = 0;
  for (const series of golden.series) {
    const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume') => Float64Array.from(series[name]);
    const columns = columnsByName(ALPHA158, {
      open: column('open'),
      high: column('high'),
      low: column('low'),
      close: column('close'),
      volume: column('volume'),
    });
    assert.equal(columns.size, 158);
    for (const [name, values] of columns) {
      const wanted = series.values[name.replace('alpha158_', '')]!;
      series.rows.forEach((row, k) => {
        const where = `${series.name}: ${name} of row ${row}`;
        assertClose(values[row]!, wanted[k] ?? Number.NaN, where);
        compared++;
      });
    }
  }
  assert.ok(compared > 6000);
});

/** Features are ratios about 1: one that happens to lie near 0 is held to 1e-12. */
function assertClose(actual: number, expected: number, where: string): void {
  const tolerance = 1e-9 * Math.max(Math.abs(expected), 1e-3);
  const agrees = Number.isNaN(expected) ? Number.isNaN(actual) : Math.abs(actual - expected) <= tolerance;
  assert.ok(agrees, `${where} is ${actual}, expected ${expected}`);
}

test('sums that slide over 3,000 bars agree with sums taken afresh', () => {
  const bars = randomBars(createRandom('long'), 3000);
  // A crash and a burst of volume: what a careless sum would not forget.
  for (let i = 1500; i < 3000; i++) {
    for (const name of ['open', 'high', 'low', 'close'] as const) bars[name][i]! *= 0.5;
    if (i === 1500) bars.volume[i]! *= 1000;
  }
  const columns = columnsByName(ALPHA158, bars);
  for (const d of [5, 20, 60]) {
    for (let i = 1490; i < 3000; i += 7) {
      const c = bars.close[i]!;
      const window = bars.close.slice(i - d + 1, i + 1);
      const mean = window.reduce((a, b) => a + b) / d;
      const middle = (d - 1) / 2;
      const slope =
        window.reduce((sum, y, x) => sum + (x - middle) * (y - mean), 0) /
        window.reduce((sum, _, x) => sum + (x - middle) ** 2, 0);
      const squares = window.reduce((sum, y) => sum + (y - mean) ** 2, 0);
      const told = (name: string) => columns.get(`alpha158_${name}_${d}`)![i]!;
      assertClose(told('ma'), mean / c, `ma ${i}`);
      assertClose(told('std'), Math.sqrt(squares / (d - 1)) / c, `std ${i}`);
      assertClose(told('beta'), slope / c, `beta ${i}`);
      assertClose(told('resi'), (c - mean - slope * middle) / c, `resi ${i}`);
      const below = window.filter((x) => x < c).length;
      const equal = window.filter((x) => x === c).length;
      assertClose(told('rank'), (below + (equal + 1) / 2) / d, `rank ${i}`);
      const volumes = bars.volume.slice(i - d + 1, i + 1);
      const meanVolume = volumes.reduce((a, b) => a + b) / d;
      const spread = Math.sqrt(volumes.reduce((sum, v) => sum + (v - meanVolume) ** 2, 0) / (d - 1));
      const v = bars.volume[i]! === 0 ? Number.NaN : bars.volume[i]!;
      assertClose(told('vma'), meanVolume / v, `vma ${i}`);
      assertClose(told('vstd'), spread / v, `vstd ${i}`);
    }
  }
});

test('there are 158 features with a name each', () => {
  assert.equal(new Set(ALPHA158.flatMap(({ outputs }) => outputs)).size, 158);
});

test('shares and prices of a feature add up, and lie within their bounds', () => {
  const columns = columnsByName(ALPHA158, randomBars(createRandom('bounds'), 500));
  const told = (name: string, i: number) => columns.get(`alpha158_${name}`)![i]!;
  for (let i = 60; i < 500; i++) {
    for (const d of [5, 10, 20, 30, 60]) {
      assertClose(told(`sump_${d}`, i) + told(`sumn_${d}`, i), 1, 'rises and falls are all moves');
      assertClose(told(`imax_${d}`, i) - told(`imin_${d}`, i), told(`imxd_${d}`, i), 'distance of extremes');
      for (const name of ['rsv', 'rank', 'imax', 'imin', 'rsqr', 'cntp', 'cntn'])
        assert.ok(told(`${name}_${d}`, i) >= 0 && told(`${name}_${d}`, i) <= 1, `${name}_${d} of ${i}`);
      const highest = told(`max_${d}`, i);
      assert.ok(told(`min_${d}`, i) <= told(`qtld_${d}`, i) && told(`qtld_${d}`, i) <= told(`qtlu_${d}`, i));
      assert.ok(told(`qtlu_${d}`, i) <= highest);
    }
  }
});

test('Alpha158 gives the same bits live and all at once, however the bars are cut', () => {
  for (let seed = 0; seed < 4; seed++) assertStreamEqualsBatch(ALPHA158, `alpha ${seed}`, 400);
});

test('Alpha158 does not look ahead', () => assertNoLookAhead(ALPHA158, 'alpha', 160));

test('Alpha158 begins anew after a gap', () => assertBeginsAnewAfterGap(ALPHA158, 'alpha', 400));

test('Alpha158 says nothing of fewer bars than it needs', () => assertTooFewBars(ALPHA158));

test('at one price without volume, what has no spread to divide by is undefined, and the rest is exact', () => {
  const columns = columnsByName(ALPHA158, constantBars(200));
  const last = (name: string) => columns.get(`alpha158_${name}`)![199]!;
  for (const name of ['kmid_2', 'kup_2', 'klow_2', 'ksft_2']) assert.ok(Number.isNaN(last(name)), name);
  for (const name of ['rsqr', 'rsv', 'sump', 'corr', 'cord', 'vma', 'vstd', 'wvma', 'vsump'])
    assert.ok(Number.isNaN(last(`${name}_20`)), name);
  for (const name of ['std', 'beta', 'resi', 'cntp']) assert.equal(last(`${name}_20`), 0, name);
  for (const name of ['roc', 'ma', 'max', 'qtlu']) assert.equal(last(`${name}_20`), 1, name);
  assert.equal(last('rank_20'), 10.5 / 20);
});

test('a volume of 0 leaves undefined only what divides by it', () => {
  const bars = randomBars(createRandom('zero'), 120);
  bars.volume.fill(1000);
  bars.volume[100] = 0;
  const columns = columnsByName(ALPHA158, bars);
  const isDefined = (name: string, i: number) => !Number.isNaN(columns.get(`alpha158_${name}`)![i]);
  for (const name of ['vma_5', 'vstd_5']) assert.ok(!isDefined(name, 100) && isDefined(name, 101), name);
  assert.ok(isDefined('cord_5', 100), 'the ratio to a volume before is there');
  for (let i = 101; i <= 105; i++) assert.ok(!isDefined('cord_5', i), `cord of ${i}`);
  assert.ok(isDefined('wvma_5', 101) && isDefined('vsump_5', 101) && isDefined('ma_5', 100));
});
