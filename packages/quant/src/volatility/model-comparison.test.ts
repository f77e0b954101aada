import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { mean } from '../stats/moments.ts';
import { hacVarianceOfMean } from '../stats/newey-west.ts';
import { studentCdf } from '../stats/student-t.ts';
import { dieboldMariano } from './diebold-mariano.ts';
import { modelConfidenceSet } from './model-confidence-set.ts';

const golden: { confidenceSet: { blockLength: number; losses: number[][]; pValues: number[] } } = JSON.parse(
  readFileSync(new URL('../../golden/volatility-golden.json', import.meta.url), 'utf8'),
);

test('Diebold-Mariano is the mean difference over its Newey-West deviation, with the small-sample factor', () => {
  const random = createRandom(8);
  const n = 200;
  const a = Float64Array.from({ length: n }, () => random.exponential());
  const b = Float64Array.from({ length: n }, (_, t) => a[t]! + 0.1 + 0.5 * random.normal());
  const result = dieboldMariano(a, b, 5, 8);
  if (result.status !== 'ok') return assert.fail(result.reason);
  const difference = a.map((x, t) => x - b[t]!);
  const plain = mean(difference) / Math.sqrt(hacVarianceOfMean(difference, 8));
  const expected = plain * Math.sqrt((n + 1 - 10 + 20 / n) / n);
  assert.ok(Math.abs(result.statistic - expected) < 1e-12);
  assert.ok(Math.abs(result.pValue - 2 * studentCdf(-Math.abs(expected), n - 1)) < 1e-15);
  const turned = dieboldMariano(b, a, 5, 8);
  assert.ok(turned.status === 'ok' && turned.statistic === -result.statistic);
});

test('of equally good forecasts Diebold-Mariano refuses about one in twenty', () => {
  const random = createRandom(17);
  let refused = 0;
  for (let k = 0; k < 400; k++) {
    const a = Float64Array.from({ length: 150 }, () => random.normal());
    const b = Float64Array.from({ length: 150 }, () => random.normal());
    const result = dieboldMariano(a, b, 1);
    if (result.status === 'ok' && result.pValue < 0.05) refused++;
  }
  assert.ok(refused >= 8 && refused <= 40, `${refused}`);
});

test('losses that never differ and too few days are told, not divided by', () => {
  const same = new Float64Array(100).fill(1);
  assert.deepEqual(dieboldMariano(same, same, 1), { status: 'undefined', reason: 'the losses never differ' });
  const few = dieboldMariano(same.slice(0, 10), same.slice(0, 10), 21);
  assert.deepEqual(few, { status: 'undefined', reason: '10 days are too few for a horizon of 21' });
});

test('the confidence set has the p values of arch, as far as two bootstraps can agree', () => {
  const { losses, pValues, blockLength } = golden.confidenceSet;
  const columns = losses.map((column) => Float64Array.from(column));
  const set = modelConfidenceSet(columns, { random: createRandom(1), blockLength, resampleCount: 3000 });
  assert.ok(set);
  pValues.forEach((p, m) => {
    assert.ok(Math.abs(set.pValue[m]! - p) < 0.05, `model ${m}: ${set.pValue[m]} instead of ${p}`);
    assert.equal(set.isMember[m], p > 0.1);
  });
});

test('the order of the models does not matter, a clearly worse one leaves, equal ones stay', () => {
  const random = createRandom(3);
  const base = Float64Array.from({ length: 400 }, () => random.exponential());
  const worse = base.map((x) => x + 0.5 + 0.1 * random.normal());
  const settings = () => ({ random: createRandom(5), blockLength: 20 });
  const set = modelConfidenceSet([base, worse, base.slice()], settings());
  assert.deepEqual(set?.isMember, [true, false, true]);
  const turned = modelConfidenceSet([worse, base, base.slice()], settings());
  assert.deepEqual(turned?.isMember, [false, true, true]);
  assert.equal(modelConfidenceSet([base.slice(0, 30), worse.slice(0, 30)], settings()), null);
  assert.equal(modelConfidenceSet([], settings()), null);
  assert.deepEqual(modelConfidenceSet([base], settings())?.isMember, [true]);
});
