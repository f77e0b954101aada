import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { logGamma } from '../stats/special-functions.ts';
import { assignStates } from './assign-states.ts';
import { type ChangePointSettings, detectChangePoints } from './change-point.ts';
import { confirmStates, NO_STATE } from './confirm-states.ts';
import { filterStates } from './forward-filter.ts';
import { filterHmm, fitHmm, type HmmModel, logDensities } from './gaussian-hmm.ts';
import { filterSwitchingAutoregression } from './hamilton-autoregression.ts';
import { fitJumpModel, readJumpStates } from './jump-model.ts';
import { matchStates, nameStates } from './name-states.ts';
import { stationaryDistribution } from './stationary-distribution.ts';

type Golden = {
  filter: {
    y: number[];
    transition: number[];
    mean: number[];
    sd: number[];
    logLikelihood: number;
    filtered: number[];
  };
  jump: {
    features: number[];
    trainingRows: number;
    fits: { penalty: number; objective: number; centers: number[]; labels: number[]; online: number[] }[];
  };
};
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/regimes-golden.json'), 'utf8'),
) as Golden;

/** A model from rows of a chain, states by their mean and sd, begun in the long run. */
function modelOf(
  transition: number[],
  mean: number[],
  sd: number[],
  degreesOfFreedom = Number.POSITIVE_INFINITY,
): HmmModel {
  const stateCount = mean.length;
  const chain = Float64Array.from(transition);
  return {
    stateCount,
    transition: chain,
    start: stationaryDistribution(chain, stateCount).distribution,
    mean: Float64Array.from(mean),
    sd: Float64Array.from(sd),
    degreesOfFreedom,
  };
}

const CALM_WILD = modelOf([0.95, 0.05, 0.1, 0.9], [0.1, -0.2], [0.5, 2]);

function draw(model: HmmModel, rowCount: number, seed: number): Float64Array {
  const random = createRandom(seed);
  let state = 0;
  return Float64Array.from({ length: rowCount }, () => {
    let left = random.uniform();
    const row = model.transition.subarray(state * model.stateCount, (state + 1) * model.stateCount);
    state = row.findIndex((chance) => {
      left -= chance;
      return left < 0;
    });
    return model.mean[state]! + model.sd[state]! * random.normal();
  });
}

/** Every path of states with its joint density: what the filters must agree with on a short series. */
function enumerate(logDensity: Float64Array, model: HmmModel, rowCount: number): { filtered: number[]; total: number } {
  const K = model.stateCount;
  const filtered = new Array<number>(K).fill(0);
  for (let path = 0; path < K ** rowCount; path++) {
    let density = 1;
    let state = -1;
    for (let t = 0; t < rowCount; t++) {
      const next = Math.floor(path / K ** t) % K;
      density *= t === 0 ? model.start[next]! : model.transition[state * K + next]!;
      density *= Math.exp(logDensity[t * K + next]!);
      state = next;
    }
    filtered[state]! += density;
  }
  const total = filtered.reduce((sum, value) => sum + value, 0);
  return { filtered: filtered.map((value) => value / total), total };
}

test('the filter agrees with the sum over every path, at every length', () => {
  const values = draw(CALM_WILD, 9, 4);
  const whole = filterHmm(values, CALM_WILD);
  for (let rowCount = 1; rowCount <= 9; rowCount++) {
    const { filtered, total } = enumerate(logDensities(values, CALM_WILD), CALM_WILD, rowCount);
    for (let k = 0; k < 2; k++) assert.ok(Math.abs(whole.filtered[(rowCount - 1) * 2 + k]! - filtered[k]!) < 1e-12);
    assert.ok(Math.abs(filterHmm(values.slice(0, rowCount), CALM_WILD).logLikelihood - Math.log(total)) < 1e-10);
  }
});

test('the filter agrees with statsmodels on three states', () => {
  const { y, transition, mean, sd, logLikelihood, filtered } = golden.filter;
  const result = filterHmm(Float64Array.from(y), modelOf(transition, mean, sd));
  assert.ok(Math.abs(result.logLikelihood - logLikelihood) < 1e-9);
  filtered.forEach((value, at) => {
    assert.ok(Math.abs(result.filtered[at]! - value) < 1e-10);
  });
});

test('a crash of four hundred deviations leaves probabilities, not NaN; a day without a value only moves the chain on', () => {
  const result = filterHmm(Float64Array.of(0, -800, Number.NaN, 0.1), CALM_WILD);
  for (let t = 0; t < 4; t++) assert.ok(Math.abs(result.filtered[2 * t]! + result.filtered[2 * t + 1]! - 1) < 1e-12);
  assert.ok(result.filtered[3]! > 0.999);
  assert.equal(result.filtered[4], result.predicted[4]);
  assert.ok(Number.isFinite(result.logLikelihood));
  assert.equal(filterHmm(new Float64Array(0), CALM_WILD).logLikelihood, 0);
});

test('a chain that is none is refused with its rule and value', () => {
  const chain = { ...CALM_WILD, transition: Float64Array.of(0.9, 0.2, 0.5, 0.5) };
  assert.throws(() => filterStates(new Float64Array(4), chain), /transition row 0 must sum to 1, was 1\.1/);
  assert.throws(() => filterStates(new Float64Array(3), CALM_WILD), /must have 2 values a row, had 3/);
  assert.throws(() => stationaryDistribution(Float64Array.of(1, 0, 0, 1), 2), /one closed class/);
});

test('the long-run distribution is kept by the chain', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }), (weights) => {
      const chain = Float64Array.from(weights, (w, at) => {
        const row = Math.floor(at / 3) * 3;
        return w / (weights[row]! + weights[row + 1]! + weights[row + 2]!);
      });
      const { distribution } = stationaryDistribution(chain, 3);
      for (let to = 0; to < 3; to++) {
        const next = distribution.reduce((sum, share, from) => sum + share * chain[from * 3 + to]!, 0);
        assert.ok(Math.abs(next - distribution[to]!) < 1e-12);
      }
    }),
    { numRuns: 50 },
  );
});

test('a fit climbs with every step, is at least as likely as the truth, and is the same for the same seed', () => {
  const values = draw(CALM_WILD, 1500, 11);
  const truth = filterHmm(values, CALM_WILD).logLikelihood;
  let last = Number.NEGATIVE_INFINITY;
  for (const stepsMax of [1, 2, 4, 8, 30, 200]) {
    const settings = { stateCount: 2, restarts: 0, stepsFirst: 1, stepsMax, tolerance: 1e-9 };
    const fit = fitHmm(values, createRandom(1), settings);
    assert.ok(fit.status === 'fitted');
    assert.ok(fit.logLikelihood >= last - 1e-9, `${fit.logLikelihood} after ${last}`);
    last = fit.logLikelihood;
  }
  assert.ok(last >= truth);
  const [a, b] = [1, 1].map((seed) => fitHmm(values, createRandom(seed), { stateCount: 2, restarts: 3 }));
  assert.deepEqual(a, b);
  assert.ok(a?.status === 'fitted' && Math.abs(a.model.sd[0]! - 0.5) < 0.05 && Math.abs(a.model.sd[1]! - 2) < 0.3);
});

test('no small change of a fitted parameter is likelier: the start counts, too', () => {
  const values = draw(CALM_WILD, 300, 5);
  const fit = fitHmm(values, createRandom(2), { stateCount: 2, restarts: 4, tolerance: 1e-12, stepsMax: 5000 });
  assert.ok(fit.status === 'fitted');
  const { mean, sd, transition } = fit.model;
  const at = (stay: number, back: number, move: number, spread: number): number =>
    filterHmm(
      values,
      modelOf(
        [transition[0]! + stay, transition[1]! - stay, transition[2]! + back, transition[3]! - back],
        [mean[0]! + move, mean[1]!],
        [sd[0]! * (1 + spread), sd[1]!],
      ),
    ).logLikelihood;
  for (const step of [1e-3, -1e-3])
    for (const which of [0, 1, 2, 3]) {
      const [stay, back, move, spread] = [0, 1, 2, 3].map((k) => (k === which ? step : 0));
      assert.ok(at(stay!, back!, move!, spread!) <= fit.logLikelihood + 1e-7, `parameter ${which}, step ${step}`);
    }
});

test('estimated tails are normal for normal data and fat for fat data', () => {
  const random = createRandom(3);
  const fat = Float64Array.from({ length: 3000 }, (_, t) => (t % 1000 < 500 ? 1 : 3) * random.studentT(4));
  const normal = fat.map((_, t) => (t % 1000 < 500 ? 1 : 3) * random.normal());
  const tails = [fat, normal].map((values) => {
    const fit = fitHmm(values, createRandom(1), {
      stateCount: 2,
      restarts: 2,
      degreesOfFreedom: 'estimated',
      tolerance: 1e-3,
    });
    assert.ok(fit.status === 'fitted');
    return fit.model.degreesOfFreedom;
  });
  assert.ok(tails[0]! <= 6, String(tails[0]));
  assert.ok(tails[1]! >= 20, String(tails[1]));
});

test('the densities of each state are those of a normal and of a t with its standard deviation', () => {
  for (const degreesOfFreedom of [5, Number.POSITIVE_INFINITY]) {
    const model = modelOf([1], [0.3], [2], degreesOfFreedom);
    const step = 0.01;
    const grid = Float64Array.from({ length: 80_001 }, (_, k) => 0.3 + (k - 40_000) * step);
    const density = logDensities(grid, model).map(Math.exp);
    const mass = density.reduce((sum, value) => sum + value * step, 0);
    const variance = density.reduce((sum, value, k) => sum + value * (grid[k]! - 0.3) ** 2 * step, 0);
    assert.ok(Math.abs(mass - 1) < 1e-6);
    assert.ok(Math.abs(variance / 4 - 1) < 1e-4, String(variance));
  }
});

test('too little, missing and constant data have a reason, not a model', () => {
  const reasonOf = (values: Float64Array): string => {
    const fit = fitHmm(values, createRandom(1), { stateCount: 2 });
    return fit.status === 'undefined' ? fit.reason : 'fitted';
  };
  assert.equal(reasonOf(new Float64Array(0)), 'too little history');
  assert.equal(reasonOf(new Float64Array(1000).fill(Number.NaN)), 'too little history');
  assert.equal(reasonOf(new Float64Array(1000).fill(0.01)), 'constant values');
  assert.throws(() => fitHmm(new Float64Array(500), createRandom(1), { stateCount: 7 }), /stateCount must be 2 to 4/);
});

test("Hamilton's filter without autoregression is the plain filter; with it, it is the sum over every path", () => {
  const values = draw(CALM_WILD, 8, 21);
  const transition = CALM_WILD.transition;
  const common = { stateCount: 2, transition, mean: CALM_WILD.mean, variance: 1.5 };
  const plain = filterSwitchingAutoregression(values, { ...common, autoregression: new Float64Array(0) });
  const same = filterHmm(values, modelOf([...transition], [...CALM_WILD.mean], [Math.sqrt(1.5), Math.sqrt(1.5)]));
  plain.filtered.forEach((value, at) => {
    assert.ok(Math.abs(value - same.filtered[at]!) < 1e-12);
  });
  const phi = 0.4;
  const withLag = filterSwitchingAutoregression(values, { ...common, autoregression: Float64Array.of(phi) });
  const { start, mean } = CALM_WILD;
  const joint = [0, 0];
  for (let path = 0; path < 2 ** values.length; path++) {
    const states = Array.from(values, (_, t) => (path >> t) & 1);
    let density = start[states[0]!]!;
    for (let t = 1; t < values.length; t++) {
      const residual = values[t]! - mean[states[t]!]! - phi * (values[t - 1]! - mean[states[t - 1]!]!);
      density *= transition[states[t - 1]! * 2 + states[t]!]! * Math.exp(-0.5 * (residual ** 2 / 1.5));
      density /= Math.sqrt(2 * Math.PI * 1.5);
    }
    joint[states.at(-1)!]! += density;
  }
  const total = joint[0]! + joint[1]!;
  assert.ok(Math.abs(withLag.filtered.at(-1)! - joint[1]! / total) < 1e-12);
  assert.ok(Math.abs(withLag.logLikelihood - Math.log(total)) < 1e-10);
  assert.throws(
    () =>
      filterSwitchingAutoregression(Float64Array.of(1, Number.NaN), { ...common, autoregression: new Float64Array(0) }),
    /finite/,
  );
});

test('the jump model finds the objective of jumpmodels, its centres and its online states', () => {
  const features = Float64Array.from(golden.jump.features);
  const training = features.slice(0, golden.jump.trainingRows * 2);
  for (const { penalty, objective, centers, labels, online } of golden.jump.fits) {
    const fit = fitJumpModel(training, 2, createRandom(1), { jumpPenalty: penalty, restarts: 20 });
    assert.ok(fit.status === 'fitted');
    assert.ok(Math.abs(fit.objective - objective) < 1e-8, `${fit.objective} for ${objective}`);
    // States come in any order: theirs are numbered by how often each was.
    const order = [0, 1, 2].map((state) => fit.states[labels.indexOf(state)]!);
    labels.forEach((state, t) => {
      assert.equal(fit.states[t], order[state]);
    });
    centers.forEach((value, at) => {
      assert.ok(Math.abs(fit.model.centre[order[Math.floor(at / 2)]! * 2 + (at % 2)]! - value) < 1e-9);
    });
    const read = readJumpStates(features, fit.model);
    online.forEach((state, t) => {
      assert.equal(read[t], order[state], `row ${t}`);
    });
  }
});

test('the cheapest path is the cheapest of all paths', () => {
  const random = createRandom(8);
  const features = Float64Array.from({ length: 120 }, (_, t) => (t % 40 < 20 ? 0 : 2) + random.normal());
  const fit = fitJumpModel(features, 1, createRandom(1), { stateCount: 2, jumpPenalty: 3, restarts: 4 });
  assert.ok(fit.status === 'fitted');
  const short = features.slice(0, 10);
  const costOf = (path: number): number => {
    let cost = 0;
    for (let t = 0; t < 10; t++) {
      const state = (path >> t) & 1;
      cost += 0.5 * (short[t]! - fit.model.centre[state]!) ** 2;
      if (t > 0 && state !== ((path >> (t - 1)) & 1)) cost += 3;
    }
    return cost;
  };
  const cheapest = Array.from({ length: 1024 }, (_, path) => path).reduce((a, b) => (costOf(b) < costOf(a) ? b : a));
  assert.equal(readJumpStates(short, fit.model).at(-1), (cheapest >> 9) & 1);
  assert.deepEqual(fitJumpModel(features.slice(0, 9), 1, createRandom(1)), {
    status: 'undefined',
    reason: 'too little history',
  });
});

const CHANGE: ChangePointSettings = {
  ...{ runLengthMean: 8, runLengthMax: 40, recentRows: 3 },
  ...{ priorMean: 0.1, priorMeanRows: 2, priorShape: 1.5, priorScale: 1.2 },
};

/** Density of rows that share one mean and one variance, by the closed form of the normal-gamma. */
function logEvidence(rows: readonly number[]): number {
  const { priorMean, priorMeanRows: k0, priorShape: a0, priorScale: b0 } = CHANGE;
  const n = rows.length;
  const mean = rows.reduce((sum, value) => sum + value, 0) / n;
  const scatter = rows.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const a = a0 + n / 2;
  const b = b0 + 0.5 * scatter + (k0 * n * (mean - priorMean) ** 2) / (2 * (k0 + n));
  return (
    logGamma(a) -
    logGamma(a0) +
    a0 * Math.log(b0) -
    a * Math.log(b) +
    0.5 * Math.log(k0 / (k0 + n)) -
    (n / 2) * Math.log(2 * Math.PI)
  );
}

test('change points agree with the sum over every way to cut the rows', () => {
  const values = [0.2, -0.4, 0.1, 5, 4.2, 6.1, 5.5, -0.2];
  const hazard = 1 / CHANGE.runLengthMean;
  let total = 0;
  let recent = 0;
  for (let cuts = 0; cuts < 2 ** values.length; cuts++) {
    // Bit t: a run ends with row t.
    let log = 0;
    let begin = 0;
    for (let t = 0; t < values.length; t++) {
      const ends = ((cuts >> t) & 1) === 1;
      log += Math.log(ends ? hazard : 1 - hazard);
      if (!ends && t < values.length - 1) continue;
      log += logEvidence(values.slice(begin, t + 1));
      if (ends) begin = t + 1;
    }
    total += Math.exp(log);
    if (values.length - begin <= CHANGE.recentRows) recent += Math.exp(log);
  }
  const result = detectChangePoints(Float64Array.from(values), CHANGE);
  assert.ok(Math.abs(result.logLikelihood - Math.log(total)) < 1e-9);
  assert.ok(Math.abs(result.recent.at(-1)! - recent / total) < 1e-9);
});

test('a planted change is seen, and where all runs are young nothing is claimed', () => {
  const random = createRandom(6);
  const values = Float64Array.from({ length: 600 }, (_, t) => (t < 400 ? 1 : 3) * random.normal());
  const settings = { ...CHANGE, runLengthMean: 250, runLengthMax: 300, recentRows: 21, priorScale: 1 };
  const { recent, runLength } = detectChangePoints(values, settings);
  assert.ok(recent.subarray(0, 21).every(Number.isNaN));
  assert.ok(recent[390]! < 0.2, String(recent[390]));
  assert.ok(Math.max(...recent.subarray(402, 421)) > 0.9);
  assert.ok(Math.abs(runLength[599]! - 200) <= 5, String(runLength[599]));
  values[500] = Number.NaN;
  values[501] = Number.POSITIVE_INFINITY;
  values[502] = 1e300;
  assert.ok(
    detectChangePoints(values, settings)
      .recent.subarray(21)
      .every((p) => p >= 0 && p <= 1),
  );
});

test('the cheapest assignment is the cheapest of all orders', () => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 9, maxLength: 9 }), (cost) => {
      const costOf = (order: ArrayLike<number>) => cost[order[0]!]! + cost[3 + order[1]!]! + cost[6 + order[2]!]!;
      const best = Math.min(...orders.map(costOf));
      assert.ok(costOf(assignStates(Float64Array.from(cost), 3)) <= best + 1e-12);
    }),
    { numRuns: 200 },
  );
  assert.throws(() => assignStates(Float64Array.of(Number.NaN), 1), /finite/);
});

test('states are named by volatility, by mean where all are equally wild, and keep their names over a refit', () => {
  const chain = [0.98, 0.01, 0.01, 0.01, 0.98, 0.01, 0.01, 0.01, 0.98];
  const shuffled = modelOf(chain, [-0.1, 0.2, 0.05], [3, 0.5, 1]);
  assert.deepEqual([...nameStates(shuffled).sd], [0.5, 1, 3]);
  const even = modelOf(chain, [0, -0.2, 0.2], [1, 1.02, 1.05]);
  assert.deepEqual([...nameStates(even).mean], [0.2, 0, -0.2]);
  const before = nameStates(shuffled);
  const refit = modelOf(chain, [0.06, -0.12, 0.19], [1.1, 2.6, 0.55]);
  assert.deepEqual([...matchStates(refit, before).model.sd], [0.55, 1.1, 2.6]);
  // Two states that are nearly as wild keep their names though the order of volatility has turned a little.
  const close = nameStates(modelOf(chain, [0.3, -0.3, 0], [1, 1.05, 3]));
  const turned = modelOf(chain, [-0.3, 0.3, 0], [0.99, 1.04, 3]);
  assert.deepEqual([...matchStates(turned, close).model.mean], [0.3, -0.3, 0]);
  // A window that sees a crash for the first time: the wildest of then is no bear any more.
  const calm = nameStates(modelOf(chain, [0, 0, 0], [0.5, 0.6, 1]));
  const crash = modelOf(chain, [0, 0, -0.5], [0.55, 1, 0.2]);
  const renamed = matchStates(crash, calm);
  assert.deepEqual([...renamed.model.sd], [0.2, 0.55, 1]);
});

test('the band waits for the probability it needs, and begins with the likeliest', () => {
  const filtered = Float64Array.of(
    Number.NaN,
    Number.NaN,
    0.55,
    0.45,
    0.4,
    0.6,
    0.3,
    0.7,
    Number.NaN,
    Number.NaN,
    0.6,
    0.4,
  );
  assert.deepEqual([...confirmStates(filtered, 2, 0.65)], [NO_STATE, 0, 0, 1, 1, 1]);
  assert.throws(() => confirmStates(filtered, 2, 0.5), /switchAt/);
});
