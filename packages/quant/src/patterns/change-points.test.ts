import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { createRandom } from '../random/random.ts';
import { type ChangeCost, changePoints, latestChangeAsOf } from './change-points.ts';

type Golden = {
  cases: { cost: ChangeCost; penalty: number; stretchMin: number; values: number[]; changes: number[] }[];
};
const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/change-points.json'), 'utf8'));

test('the changes are those of ruptures on synthetic series', () => {
  for (const { values, changes, ...options } of golden.cases)
    assert.deepEqual([...changePoints(Float64Array.from(values), options).changes], changes);
});

test('no segmentation of a short series costs less: every one was tried', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 11 }),
      fc.double({ min: 0.1, max: 5, noNaN: true }),
      (values, penalty) => {
        const { cost } = changePoints(Float64Array.from(values), { cost: 'mean', penalty, stretchMin: 2 });
        assert.ok(Math.abs(cost - leastCost(values, penalty, 2)) < 1e-9);
      },
    ),
    { numRuns: 200 },
  );
});

function leastCost(values: readonly number[], penalty: number, stretchMin: number): number {
  const costOf = (part: readonly number[]) => {
    const mean = part.reduce((sum, x) => sum + x, 0) / part.length;
    return part.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  };
  const from = (start: number): number => {
    let least = costOf(values.slice(start));
    for (let change = start + stretchMin; change <= values.length - stretchMin; change++)
      least = Math.min(least, costOf(values.slice(start, change)) + penalty + from(change));
    return least;
  };
  return from(0);
}

test('a change is told some bars after it was, never before', () => {
  const random = createRandom(4);
  const values = Float64Array.from({ length: 400 }, (_, t) => (t < 250 ? 0.01 : 0.03) * random.normal());
  const { changes, tellable } = changePoints(values, { cost: 'mean-and-variance', penalty: 30, stretchMin: 21 });
  assert.equal(changes.length, 1);
  assert.ok(Math.abs(changes[0]! - 250) <= 5);
  assert.ok(tellable[0]! > changes[0]! && tellable[0]! < 320, String(tellable[0]));
});

test('the latest change as of each bar sings for no canary', () => {
  const random = createRandom(8);
  const values = Float64Array.from({ length: 300 }, (_, t) => (t % 120 < 60 ? 1 : 3) * random.normal());
  const verdict = checkNoLookAhead({
    name: 'latest change',
    input: { values },
    rowCount: 300,
    // Garbage of any kind may stand after a row; what is not finite has no cost, so it is read as zero.
    compute: (input) =>
      latestChangeAsOf(
        input.values.map((x) => (Number.isFinite(x) ? x : 0)),
        { cost: 'mean-and-variance', penalty: 15, stretchMin: 10 },
      ),
    random,
  });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.sentence);
  assert.ok(verdict.ok && verdict.isSensitive);
});

test('a constant, a short and an empty series have no change; nonsense is refused', () => {
  const options = { cost: 'mean-and-variance', penalty: 10, stretchMin: 21 } as const;
  for (const values of [new Float64Array(200), new Float64Array(5), new Float64Array(0)])
    assert.equal(changePoints(values, options).changes.length, 0);
  assert.throws(() => changePoints(Float64Array.of(1, Number.NaN), options), /bar 1 was NaN/);
  assert.throws(() => changePoints(new Float64Array(9), { ...options, penalty: 0 }), /penalty must be positive/);
  assert.throws(() => changePoints(new Float64Array(9), { ...options, stretchMin: 1 }), /at least 2/);
});
