import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { checkNoLookAhead } from '../evaluation/look-ahead-canary.ts';
import { inverseSpd } from '../linalg/cholesky.ts';
import { multiply } from '../linalg/multiply.ts';
import { symmetricEigen } from '../linalg/symmetric-eigen.ts';
import { createRandom, type Random } from '../random/random.ts';
import { ledoitWolf } from '../stats/shrinkage.ts';
import { cutClusters, findClusters, leafOrder, meanSilhouette, mergeClusters } from './clusters.ts';
import {
  COVARIANCE_ESTIMATORS,
  correlationOf,
  denoiseCorrelation,
  estimateCovariance,
  minimumVarianceWeights,
  nonlinearShrinkage,
  sampleCovariance,
} from './covariance.ts';
import { findDirectLinks, graphicalLasso, partialCorrelations } from './graphical-lasso.ts';
import { heldReturns } from './held-returns.ts';
import { findLeads } from './lead-lag.ts';
import { findBreaks, rollingCorrelation } from './relationship-breaks.ts';
import { correlationsOf, pairStability } from './resampled-correlations.ts';
import { correlationDistances, spanningTree } from './spanning-tree.ts';

type Golden = {
  rows: number;
  columns: number;
  observations: number[];
  correlation: number[];
  graphicalLasso: { penalty: number; covariance: number[]; precision: number[] }[];
  linkage: {
    method: 'average' | 'ward';
    merges: [number, number, number, number][];
    cuts: { clusters: number; labels: number[]; silhouette: number }[];
  }[];
  tree: [number, number, number][];
};

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../golden/dependence-golden.json', import.meta.url), 'utf8'),
);
const { rows: T, columns: N } = golden;
const observations = Float64Array.from(golden.observations);
const correlation = Float64Array.from(golden.correlation);
const distances = correlationDistances(correlation).map((value, k) => (k % (N + 1) === 0 ? 0 : value));

describe('covariance', () => {
  it('gives the correlations of NumPy', () => {
    closeAll(correlationsOf(observations, T, N), correlation, 1e-13);
    closeAll(correlationOf(sampleCovariance(observations, T, N), N), correlation, 1e-13);
  });

  it('is symmetric, positive definite and in squares of the scale, whatever the estimator', () => {
    const seeds = fc.integer({ min: 0, max: 1e6 });
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 8 }), (seed, count) => {
        const values = noise(createRandom(seed), 40, count);
        for (const estimator of COVARIANCE_ESTIMATORS) {
          const covariance = estimateCovariance(estimator, values, 40, count);
          const scaled = estimateCovariance(
            estimator,
            values.map((value) => 8 * value),
            40,
            count,
          );
          closeAll(
            scaled,
            covariance.map((value) => 64 * value),
            1e-9,
          );
          for (let i = 0; i < count; i++)
            for (let j = 0; j < i; j++) close(covariance[i * count + j]!, covariance[j * count + i]!, 1e-12);
          const weights = minimumVarianceWeights(covariance, count);
          assert.ok(weights !== null, estimator);
          close(
            weights.reduce((sum, weight) => sum + weight, 0),
            1,
            1e-9,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it('does not depend on the order of the assets', () => {
    const values = noise(createRandom(3), 60, 5);
    const turned = values.map((_, k) => values[Math.floor(k / 5) * 5 + 4 - (k % 5)]!);
    for (const estimator of COVARIANCE_ESTIMATORS)
      closeAll(
        estimateCovariance(estimator, turned, 60, 5),
        estimateCovariance(estimator, values, 60, 5).toReversed(),
        1e-9,
      );
  });

  it('shrinks each eigenvalue nearer to the truth than the sample does, also with more assets than days', () => {
    for (const [rows, count] of [
      [120, 60],
      [60, 90],
    ] as const) {
      // The truth has ones and fours; the sample's eigenvalues are spread far beyond both.
      const truth = Float64Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1 : 4));
      const random = createRandom(11);
      const values = Float64Array.from(
        { length: rows * count },
        (_, k) => random.normal() * Math.sqrt(truth[k % count]!),
      );
      const distance = (covariance: Float64Array) =>
        covariance.reduce((sum, value, k) => {
          const [i, j] = [Math.floor(k / count), k % count];
          return sum + (value - (i === j ? truth[i]! : 0)) ** 2;
        }, 0);
      const shrunk = nonlinearShrinkage(values, rows, count);
      const sample = sampleCovariance(values, rows, count);
      const linear = ledoitWolf(values, count);
      assert.ok(linear.status === 'ok');
      assert.ok(distance(shrunk) < 0.5 * distance(sample));
      assert.ok(distance(shrunk) < 1.1 * distance(linear.covariance));
      const { values: eigenvalues } = symmetricEigen(shrunk, count);
      assert.ok(eigenvalues.every((value) => value > 0));
    }
  });

  it('keeps the trace of the correlations and what stands out, and evens out the rest', () => {
    const random = createRandom(5);
    const [rows, count] = [400, 20];
    const market = Float64Array.from({ length: rows }, () => random.normal());
    const values = Float64Array.from(
      { length: rows * count },
      (_, k) => market[Math.floor(k / count)]! + 1.5 * random.normal(),
    );
    const cleaned = denoiseCorrelation(correlationsOf(values, rows, count), count, rows);
    assert.equal(cleaned.signalCount, 1);
    for (let i = 0; i < count; i++) close(cleaned.correlation[i * count + i]!, 1, 1e-12);
    const noiseOnly = denoiseCorrelation(correlationsOf(noise(random, rows, count), rows, count), count, rows);
    assert.equal(noiseOnly.signalCount, 0);
    for (let i = 1; i < count; i++) close(noiseOnly.correlation[i]!, 0, 1e-12);
  });

  it('holds a portfolio that drifts between its days, and knows no future', () => {
    const returns = Float64Array.of(0, 0, 0.5, 0, 0, 0.5, 0.1, 0.1, -0.5, 0);
    const half = () => Float64Array.of(0.5, 0.5);
    const held = heldReturns(returns, 5, 2, { window: 1, hold: 3 }, half);
    // 0.5 · 1.5 + 0.5 = 1.25; 0.75 + 0.5 · 1.5 = 1.5; both up a tenth; formed anew at one half each.
    const expected = [0.25, 1.5 / 1.25 - 1, 0.1, -0.25];
    for (const [t, value] of expected.entries()) close(held![t]!, value, 1e-12);
    assert.equal(
      heldReturns(returns, 5, 2, { window: 2, hold: 1 }, () => null),
      null,
    );
    const values = noise(createRandom(14), 60, 3).map((value) => 0.01 * value);
    const verdict = checkNoLookAhead({
      name: 'minimum variance, held',
      input: { values },
      rowCount: 60,
      compute: (input) => {
        const rows = input.values.length / 3;
        const weightsOf = (past: Float64Array) =>
          minimumVarianceWeights(estimateCovariance('denoised', past, 20, 3), 3);
        const out = new Float64Array(rows).fill(Number.NaN);
        out.set(heldReturns(input.values, rows, 3, { window: 20, hold: 7 }, weightsOf)!, 20);
        return out;
      },
      random: createRandom(15),
      probeRows: [30, 45],
      kinds: ['truncated', 'shuffled', 'noise'],
    });
    assert.ok(verdict.ok && verdict.isSensitive, JSON.stringify(verdict));
  });

  it('gives null where there is no minimum variance', () => {
    assert.equal(minimumVarianceWeights(Float64Array.of(1, 1, 1, 1), 2), null);
  });

  it('refuses wrong shapes and too few observations', () => {
    assert.throws(() => sampleCovariance(Float64Array.of(1, 2), 1, 2), /two observations/);
    assert.throws(() => nonlinearShrinkage(new Float64Array(24), 12, 2), /13 observations/);
    assert.throws(() => sampleCovariance(new Float64Array(5), 3, 2), /3 x 2/);
    assert.ok(Number.isNaN(correlationOf(Float64Array.of(0, 0, 0, 1), 2)[0]!));
  });

  it('denoises as skfolio does where both find the same signals', (t) => {
    const folder = resolve(import.meta.dirname, '../../../..', process.env.TOUCHSTONE_DATA ?? '../shared/data');
    const file = join(folder, 'golden/portfolio_skfolio_dev.json');
    const prices = join(folder, 'indices_etfs/skfolio_sp500_dataset.csv.gz');
    if (!existsSync(file) || !existsSync(prices)) return t.skip('the golden files of the data folder are not here');
    const { tests } = JSON.parse(readFileSync(file, 'utf8')) as { tests: SkfolioTest[] };
    const expected = tests.find(({ test }) => test === 'test_denoise_covariance')?.checks[0]?.expected.flat();
    assert.ok(expected !== undefined);
    const { returns, rowCount, count } = readReturns(prices, '2014-01-01');
    const sample = sampleCovariance(returns, rowCount, count);
    const ours = estimateCovariance('denoised', returns, rowCount, count);
    for (let i = 0; i < count; i++) close(ours[i * (count + 1)]!, expected[i * (count + 1)]!, 1e-7);
    // Its edge is fitted to the density of the eigenvalues, ours is stated; the matrices are the same kind of thing.
    const apart = (a: Float64Array) => Math.sqrt(a.reduce((sum, value, k) => sum + (value - expected[k]!) ** 2, 0));
    assert.ok(apart(ours) <= apart(sample), `${apart(ours)} against ${apart(sample)}`);
  });
});

describe('graphical lasso', () => {
  it('gives the matrices of scikit-learn', () => {
    for (const { penalty, covariance, precision } of golden.graphicalLasso) {
      const fit = graphicalLasso(correlation, N, penalty, { tolerance: 1e-10 });
      assert.ok(fit.status === 'ok');
      closeAll(fit.covariance, Float64Array.from(covariance), 1e-6);
      closeAll(fit.precision, Float64Array.from(precision), 1e-5);
    }
  });

  it('is the inverse without a penalty, and diagonal with a large one', () => {
    const plain = graphicalLasso(correlation, N, 0, { tolerance: 1e-10, sweepsMax: 1000 });
    const inverse = inverseSpd(correlation, N);
    assert.ok(plain.status === 'ok' && inverse !== null);
    closeAll(plain.precision, inverse, 1e-5);
    closeAll(partialCorrelations(plain.precision, N), partialCorrelations(inverse, N), 1e-6);
    const empty = graphicalLasso(correlation, N, 1);
    assert.ok(empty.status === 'ok');
    closeAll(
      empty.precision,
      Float64Array.from({ length: N * N }, (_, k) => (k % (N + 1) === 0 ? 1 : 0)),
      1e-12,
    );
  });

  it('meets the conditions of its optimum on any correlations', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: 0.05, max: 0.5, noNaN: true }),
        (seed, penalty) => {
          const count = 5;
          const sample = correlationsOf(noise(createRandom(seed), 30, count), 30, count);
          const fit = graphicalLasso(sample, count, penalty, { tolerance: 1e-9 });
          assert.ok(fit.status === 'ok');
          const identity = multiply(fit.precision, count, count, fit.covariance, count);
          for (let k = 0; k < count * count; k++) {
            close(identity[k]!, k % (count + 1) === 0 ? 1 : 0, 1e-5);
            const [gap, link] = [fit.covariance[k]! - sample[k]!, fit.precision[k]!];
            if (k % (count + 1) === 0) close(gap, 0, 1e-12);
            else if (link !== 0) close(gap, penalty * Math.sign(link), 1e-6);
            else assert.ok(Math.abs(gap) <= penalty + 1e-6);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('finds the direct links of a chain and none between its ends', () => {
    const random = createRandom(8);
    const [rows, count] = [600, 6];
    const values = new Float64Array(rows * count);
    for (let t = 0; t < rows; t++)
      for (let i = 0; i < count; i++)
        values[t * count + i] = (i === 0 ? 0 : values[t * count + i - 1]!) * 0.6 + random.normal();
    const settings = { random: random.split('stability'), resampleCount: 30, blockLengthMean: 10 };
    const linksOf = (sample: Float64Array) => {
      const found = findDirectLinks(sample, count, rows);
      return found.status === 'ok' ? found.links : null;
    };
    const share = pairStability(values, rows, count, settings, linksOf);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < i; j++) assert.equal(share[i * count + j]! >= 0.8, i - j === 1, `${i} and ${j}`);
    const [first] = linksOf(correlationsOf(values, rows, count)) ?? [];
    // x₁ = 0.6 x₀ + e and x₂ = 0.6 x₁ + e: both x₀ and x₁ have 1 + 0.6² on the diagonal of the inverse, −0.6 beside it.
    assert.ok(first?.a === 0 && first.b === 1);
    close(first.partialCorrelation, 0.6 / (1 + 0.6 ** 2), 0.1);
  });

  it('says when the sweeps were not enough and refuses what is no covariance', () => {
    assert.equal(graphicalLasso(correlation, N, 0.01, { sweepsMax: 1, tolerance: 1e-12 }).status, 'undefined');
    assert.throws(() => graphicalLasso(Float64Array.of(0, 0, 0, 1), 2, 0.1), /variance 0 must be positive/);
    assert.throws(() => graphicalLasso(Float64Array.of(1, Number.NaN, 0, 1), 2, 0.1), /finite/);
    assert.throws(() => graphicalLasso(correlation, N, -1), /penalty/);
    assert.equal(graphicalLasso(Float64Array.of(2), 1, 0.1).status, 'ok');
  });
});

describe('clusters', () => {
  it('merges as SciPy does', () => {
    for (const { method, merges, cuts } of golden.linkage) {
      const ours = mergeClusters(distances, N, method);
      for (const [k, [a, b, height, size]] of merges.entries()) {
        assert.deepEqual([ours[k]!.a, ours[k]!.b, ours[k]!.size], [Math.min(a, b), Math.max(a, b), size]);
        close(ours[k]!.height, height, 1e-9);
      }
      for (const { clusters, labels, silhouette } of cuts) {
        const cut = cutClusters(ours, N, clusters);
        for (let i = 0; i < N; i++)
          for (let j = 0; j < i; j++) assert.equal(cut[i] === cut[j], labels[i] === labels[j]);
        close(meanSilhouette(distances, N, cut), silhouette, 1e-9);
      }
    }
  });

  it('orders points so that every group of the tree lies together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 12 }), (seed, count) => {
        const gaps = correlationDistances(correlationsOf(noise(createRandom(seed), 30, count), 30, count));
        for (const linkage of ['average', 'ward'] as const) {
          const merges = mergeClusters(gaps, count, linkage);
          for (let k = 1; k < merges.length; k++) assert.ok(merges[k]!.height >= merges[k - 1]!.height - 1e-12);
          const order = leafOrder(merges, gaps, count);
          assert.deepEqual(
            order.toSorted(),
            Int32Array.from({ length: count }, (_, i) => i),
          );
          for (let clusters = 1; clusters <= count; clusters++) {
            const cut = cutClusters(merges, count, clusters);
            const changes = order.reduce((sum, at, k) => sum + (k > 0 && cut[at] !== cut[order[k - 1]!] ? 1 : 0), 0);
            assert.equal(changes, clusters - 1);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('finds planted groups, and one group where there is none to tell', () => {
    const random = createRandom(4);
    const [rows, count] = [300, 12];
    const values = new Float64Array(rows * count);
    for (let t = 0; t < rows; t++) {
      const movers = [random.normal(), random.normal(), random.normal()];
      for (let i = 0; i < count; i++) values[t * count + i] = movers[i % 3]! + 0.6 * random.normal();
    }
    const found = findClusters(correlationDistances(correlationsOf(values, rows, count)), count);
    assert.equal(found.clusterCount, 3);
    for (let i = 3; i < count; i++) assert.equal(found.cluster[i], found.cluster[i % 3]);
    assert.deepEqual([...new Set(found.order.map((at) => found.cluster[at]!))], [0, 1, 2]);
    const asked = findClusters(correlationDistances(correlationsOf(values, rows, count)), count, { clusterCount: 4 });
    assert.equal(new Set(asked.cluster).size, 4);
    const equal = Float64Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 0 : 1));
    assert.equal(findClusters(equal, 4).clusterCount, 1);
    assert.equal(findClusters(new Float64Array(0), 0).clusterCount, 0);
    assert.deepEqual([...findClusters(Float64Array.of(0), 1).order], [0]);
  });
});

describe('spanning tree', () => {
  it('is the tree of SciPy', () => {
    const tree = spanningTree(distances, N);
    for (const [k, [a, b, distance]] of golden.tree.entries()) {
      assert.deepEqual([tree[k]!.a, tree[k]!.b], [a, b]);
      close(tree[k]!.distance, distance, 1e-12);
    }
  });

  it('joins everything without a circle and no edge could be cheaper', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 9 }), (seed, count) => {
        const gaps = correlationDistances(correlationsOf(noise(createRandom(seed), 20, count), 20, count));
        const tree = spanningTree(gaps, count);
        assert.equal(tree.length, count - 1);
        for (const left of tree) {
          const side = sideOf(tree, left, count);
          let least = Number.POSITIVE_INFINITY;
          for (let i = 0; i < count; i++)
            for (let j = 0; j < count; j++) if (side[i] !== side[j]) least = Math.min(least, gaps[i * count + j]!);
          assert.ok(left.distance <= least);
        }
      }),
      { numRuns: 40 },
    );
    assert.deepEqual(spanningTree(Float64Array.of(0), 1), []);
    assert.throws(() => spanningTree(Float64Array.of(0, Number.NaN, 0, 0), 2), /finite/);
  });
});

describe('lead and lag', () => {
  it('finds a planted lead at its lag', () => {
    const random = createRandom(21);
    const [rows, count] = [252, 10];
    const values = noise(random, rows, count);
    for (let t = 2; t < rows; t++) values[t * count + 3]! += 0.7 * values[(t - 2) * count + 7]!;
    const { leads, testCount } = findLeads(values, rows, count);
    assert.equal(testCount, 10 * 9 * 5);
    assert.equal(leads.length, 1);
    const { leader, follower, lag, correlation: size } = leads[0]!;
    assert.deepEqual({ leader, follower, lag }, { leader: 7, follower: 3, lag: 2 });
    assert.ok(size > 0.4);
  });

  it('tells a lead in noise of changing variance in at most one world of ten', () => {
    let worlds = 0;
    for (let seed = 0; seed < 100; seed++) {
      const random = createRandom(seed);
      const count = 6;
      const values = new Float64Array(252 * count);
      let size = 1;
      for (let t = 0; t < 252; t++) {
        size = Math.exp(0.95 * Math.log(size) + 0.25 * random.normal());
        const market = random.normal();
        for (let i = 0; i < count; i++) values[t * count + i] = size * (market + random.normal());
      }
      worlds += findLeads(values, 252, count).leads.length > 0 ? 1 : 0;
    }
    assert.ok(worlds <= 10, `${worlds} of 100`);
  });

  it('tests nothing where a series is constant or too short', () => {
    const values = noise(createRandom(1), 100, 2).map((value, k) => (k % 2 === 0 ? 5 : value));
    assert.deepEqual(findLeads(values, 100, 2), { leads: [], testCount: 0 });
    assert.deepEqual(findLeads(new Float64Array(40), 20, 2), { leads: [], testCount: 0 });
  });
});

describe('broken relationships', () => {
  it('detects the pair whose correlation went, and since when', () => {
    const { values, count } = pairWorld(createRandom(31), 300, 240);
    const { breaks, testCount } = findBreaks(values, 300, count, { random: createRandom(1) });
    assert.equal(testCount, 28);
    assert.deepEqual(
      breaks.map(({ a, b }) => [a, b]),
      [[0, 1]],
    );
    const [told] = breaks;
    assert.ok(told!.before > 0.75 && told!.after < told!.low && told!.row >= 240 && told!.row <= 299);
  });

  it('tells a break where none is in at most one world of ten', () => {
    let worlds = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { values, count } = pairWorld(createRandom(1000 + seed), 252, 252);
      const settings = { random: createRandom(seed), resampleCount: 100 };
      worlds += findBreaks(values, 252, count, settings).breaks.length > 0 ? 1 : 0;
    }
    assert.ok(worlds <= 6, `${worlds} of 60`);
  });

  it('tests nothing without two windows of past', () => {
    assert.deepEqual(findBreaks(new Float64Array(300), 150, 2, { random: createRandom(1) }), {
      breaks: [],
      testCount: 0,
    });
    assert.throws(() => findBreaks(new Float64Array(300), 150, 2, { random: createRandom(1), window: 5 }), /window/);
  });

  it('rolls a correlation that knows no future, and says nothing where it is not defined', () => {
    const random = createRandom(2);
    const [x, y] = [noise(random, 80, 1), noise(random, 80, 1)];
    y[40] = Number.NaN;
    const rolling = rollingCorrelation(x, y, 20);
    assert.ok(rolling.subarray(0, 19).every(Number.isNaN) && rolling.subarray(40, 60).every(Number.isNaN));
    close(rolling[30]!, correlationsOf(interleave(x, y).subarray(22, 62), 20, 2)[1]!, 1e-12);
    assert.ok(rollingCorrelation(new Float64Array(30).fill(3), x.subarray(0, 30), 10).every(Number.isNaN));
    const verdict = checkNoLookAhead({
      name: 'rolling correlation',
      input: { x, y },
      rowCount: 80,
      compute: (input) => rollingCorrelation(input.x, input.y, 20),
      random: random.split('canary'),
    });
    assert.ok(verdict.ok && verdict.isSensitive, JSON.stringify(verdict));
  });
});

function noise(random: Random, rows: number, count: number): Float64Array {
  return Float64Array.from({ length: rows * count }, () => random.normal());
}

/** Eight series; the first two move together until `end`. */
function pairWorld(random: Random, rows: number, end: number): { values: Float64Array; count: number } {
  const count = 8;
  const values = noise(random, rows, count);
  for (let t = 0; t < end; t++) values[t * count + 1] = 0.85 * values[t * count]! + 0.5 * values[t * count + 1]!;
  return { values, count };
}

function interleave(x: Float64Array, y: Float64Array): Float64Array {
  return Float64Array.from({ length: 2 * x.length }, (_, k) => (k % 2 === 0 ? x : y)[k >> 1]!);
}

/** Which points hang together when one edge is taken out. */
function sideOf(tree: readonly { a: number; b: number }[], left: { a: number; b: number }, count: number): boolean[] {
  const side = Array.from({ length: count }, (_, i) => i === left.a);
  for (let round = 0; round < count; round++)
    for (const edge of tree) {
      if (edge === left) continue;
      if (side[edge.a] || side[edge.b]) {
        side[edge.a] = true;
        side[edge.b] = true;
      }
    }
  return side;
}

type SkfolioTest = { test: string; checks: { expected: number[][] }[] };

function readReturns(path: string, from: string): { returns: Float64Array; rowCount: number; count: number } {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n').slice(1);
  const prices = lines.map((line) => line.split(',')).filter(([date]) => date! >= from);
  const count = prices[0]!.length - 1;
  const rowCount = prices.length - 1;
  const returns = Float64Array.from({ length: rowCount * count }, (_, k) => {
    const [t, i] = [Math.floor(k / count), (k % count) + 1];
    return Number(prices[t + 1]![i]) / Number(prices[t]![i]) - 1;
  });
  return { returns, rowCount, count };
}

function close(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} should be within ${tolerance} of ${expected}`);
}

function closeAll(actual: Float64Array, expected: Float64Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [k, value] of expected.entries()) close(actual[k]!, value, tolerance);
}
