import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type RegimePath,
  type RegimeSimulatorParameters,
  regimeSimulatorParameters,
  SIMULATOR_A,
  SIMULATOR_A_DAY_COUNT,
  SIMULATOR_A_TRAINING_DAYS,
  simulateRegimePath,
} from './regime-simulator.ts';

const paths = Array.from({ length: 200 }, (_, index) => simulateRegimePath(index + 1));

/** Filtered regime of each day with the true parameters: what nobody can beat on average. */
function oracleRegimes(path: RegimePath, parameters: RegimeSimulatorParameters): Uint8Array {
  const { meanAnnual, volatilityAnnual, stayDays, nextRegime } = parameters;
  const likeliest = new Uint8Array(path.regime.length);
  let filtered = [1 / 3, 1 / 3, 1 / 3];
  for (let t = 0; t < path.regime.length; t++) {
    const joint = [0, 1, 2].map((to) => {
      const prior =
        t === 0
          ? filtered[to]!
          : [0, 1, 2].reduce((sum, from) => {
              const leave = 1 / stayDays[from]!;
              return sum + filtered[from]! * (from === to ? 1 - leave : leave * nextRegime[from * 3 + to]!);
            }, 0);
      const sd = volatilityAnnual[to]! / Math.sqrt(252);
      const z = (path.logReturn[t]! - meanAnnual[to]! / 252) / sd;
      return (prior * Math.exp(-0.5 * z * z)) / sd;
    });
    const total = joint[0]! + joint[1]! + joint[2]!;
    filtered = joint.map((value) => value / total);
    likeliest[t] = filtered.indexOf(Math.max(...filtered));
  }
  return likeliest;
}

test('a path has the stays, the jumps and the switches a year of its definition', () => {
  const days = [0, 0, 0];
  const left = [0, 0, 0];
  const moves = new Float64Array(9);
  const starts = [0, 0, 0];
  for (const { regime } of paths) {
    starts[regime[0]!]! += 1;
    for (let t = 0; t + 1 < regime.length; t++) {
      days[regime[t]!]! += 1;
      if (regime[t] === regime[t + 1]) continue;
      left[regime[t]!]! += 1;
      moves[regime[t]! * 3 + regime[t + 1]!]! += 1;
    }
  }
  for (let state = 0; state < 3; state++) {
    assert.ok(Math.abs(days[state]! / left[state]! / SIMULATOR_A.stayDays[state]! - 1) < 0.08);
    assert.ok(starts[state]! > 45 && starts[state]! < 90, `starts ${starts}`);
    for (let to = 0; to < 3; to++) {
      assert.ok(Math.abs(moves[state * 3 + to]! / left[state]! - SIMULATOR_A.nextRegime[state * 3 + to]!) < 0.05);
    }
  }
  const switches = left.reduce((sum, count) => sum + count, 0) / ((200 * SIMULATOR_A_DAY_COUNT) / 252);
  // Visits .314/.395/.292 to stays of 250/120/80 days: a mean stay of 149 days.
  assert.ok(Math.abs(switches - 1.69) < 0.05, `switches a year ${switches}`);
});

test('returns of each regime have their mean and volatility, in the variants too', () => {
  for (const variant of ['gaussian', 't5', 'equal-volatility'] as const) {
    const { meanAnnual, volatilityAnnual } = regimeSimulatorParameters(variant);
    const sums = [0, 0, 0];
    const squares = [0, 0, 0];
    const counts = [0, 0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const { regime, logReturn } = simulateRegimePath(seed, variant);
      logReturn.forEach((value, t) => {
        counts[regime[t]!]! += 1;
        sums[regime[t]!]! += value;
        squares[regime[t]!]! += value * value;
      });
    }
    for (let state = 0; state < 3; state++) {
      const mean = sums[state]! / counts[state]!;
      const sd = Math.sqrt(squares[state]! / counts[state]! - mean * mean);
      const standardError = (volatilityAnnual[state]! / Math.sqrt(252) / Math.sqrt(counts[state]!)) * 252;
      assert.ok(Math.abs(mean * 252 - meanAnnual[state]!) < 4 * standardError, `${variant} mean of ${state}`);
      assert.ok(
        Math.abs((sd * Math.sqrt(252)) / volatilityAnnual[state]! - 1) < 0.04,
        `${variant} volatility of ${state}`,
      );
    }
  }
});

test('the filter with the true parameters reaches the balanced accuracy the study gives for it, .896', () => {
  const right = [0, 0, 0];
  const all = [0, 0, 0];
  for (const path of paths) {
    const oracle = oracleRegimes(path, SIMULATOR_A);
    for (let t = SIMULATOR_A_TRAINING_DAYS; t < path.regime.length; t++) {
      all[path.regime[t]!]! += 1;
      if (oracle[t] === path.regime[t]) right[path.regime[t]!]! += 1;
    }
  }
  const balanced = right.reduce((sum, count, state) => sum + count / all[state]!, 0) / 3;
  assert.ok(Math.abs(balanced - 0.896) < 0.012, `balanced accuracy ${balanced}`);
});

test('closes are the returns compounded from 100; a longer path begins with the shorter; variants share the chain', () => {
  const path = paths[0]!;
  let close = 100;
  path.logReturn.forEach((value, t) => {
    close *= Math.exp(value);
    assert.ok(Math.abs(path.close[t]! / close - 1) < 1e-9);
  });
  assert.deepEqual(simulateRegimePath(1, 'gaussian', 100).close, path.close.slice(0, 100));
  assert.deepEqual(simulateRegimePath(1, 't5').regime, path.regime);
  assert.deepEqual(simulateRegimePath(1), path);
  assert.throws(() => simulateRegimePath(1, 'gaussian', 0), /dayCount must be a positive integer/);
});

test('frozen: the path of a seed stays the path it was', () => {
  const last = paths[0]!.close.at(-1)!;
  assert.ok(Math.abs(last / FROZEN_CLOSE - 1) < 1e-9, String(last));
});
const FROZEN_CLOSE = 110.68860883163775;
