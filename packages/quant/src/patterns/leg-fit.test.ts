import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random/random.ts';
import { advanceLegSums, createLegSums, fitCup, fitLegs, legSquares } from './leg-fit.ts';

const random = createRandom(3);
const corners = [4, 11, 19, 30, 44];
const levels = [1, 3, 0.5, 2, 1.5];
const broken = (t: number): number => {
  let leg = 0;
  while (leg + 2 < corners.length && t > corners[leg + 1]!) leg++;
  const share = (t - corners[leg]!) / (corners[leg + 1]! - corners[leg]!);
  return levels[leg]! + share * (levels[leg + 1]! - levels[leg]!);
};

test('a broken line without noise is found as it is, upright and turned', () => {
  const values = Float64Array.from({ length: 60 }, (_, t) => broken(t));
  for (const sign of [1, -1] as const) {
    const fit = fitLegs(values, corners, sign);
    fit.levels.forEach((level, k) => {
      assert.ok(Math.abs(level - sign * levels[k]!) < 1e-12);
    });
    assert.ok(fit.residualSd < 1e-12);
  }
});

test('no other levels at the corners are nearer, and the squares from running sums are those of the fit', () => {
  const values = Float64Array.from({ length: 60 }, (_, t) => broken(t) + 0.2 * random.normal());
  const fit = fitLegs(values, corners, 1);
  const squares = fit.residualSd ** 2 * (41 - corners.length);
  const sums = createLegSums(values.length);
  values.forEach((_, t) => {
    advanceLegSums(sums, values, t);
  });
  assert.ok(Math.abs(legSquares(sums, corners) - squares) < 1e-9);
  for (let k = 0; k < corners.length; k++)
    for (const step of [-0.01, 0.01]) {
      const moved = fit.levels.slice();
      moved[k]! += step;
      let sum = 0;
      for (let t = corners[0]!; t <= corners.at(-1)!; t++) {
        let leg = 0;
        while (leg + 2 < corners.length && t > corners[leg + 1]!) leg++;
        const share = (t - corners[leg]!) / (corners[leg + 1]! - corners[leg]!);
        sum += (values[t]! - moved[leg]! - share * (moved[leg + 1]! - moved[leg]!)) ** 2;
      }
      assert.ok(sum > squares);
    }
});

test('a cup is told from a V', () => {
  const cup = Float64Array.from({ length: 41 }, (_, k) => 5 + (k / 20 - 1) ** 2 + (0.1 * k) / 40);
  const found = fitCup(cup, 0, 40, 1);
  assert.ok(Math.abs(found.depth - 1) < 1e-9 && Math.abs(found.rimChange - 0.1) < 1e-9);
  assert.ok(Math.abs(found.leftRim - 6) < 1e-9);
  assert.ok(found.residualSd < found.vResidualSd);
  const sharp = Float64Array.from({ length: 41 }, (_, k) => Math.abs(k / 20 - 1));
  assert.ok(fitCup(sharp, 0, 40, 1).vResidualSd < 1e-9);
});
