import { type Clusters, findClusters } from '@touchstone/quant/dependence/clusters';
import {
  COVARIANCE_ESTIMATORS,
  type CovarianceEstimator,
  correlationOf,
  denoiseCorrelation,
  estimateCovariance,
  minimumVarianceWeights,
} from '@touchstone/quant/dependence/covariance';
import { type DirectLink, findDirectLinks } from '@touchstone/quant/dependence/graphical-lasso';
import { heldReturns } from '@touchstone/quant/dependence/held-returns';
import { findLeads, type LeadLag } from '@touchstone/quant/dependence/lead-lag';
import { type Breaks, findBreaks } from '@touchstone/quant/dependence/relationship-breaks';
import { correlationsOf, pairStability } from '@touchstone/quant/dependence/resampled-correlations';
import { correlationDistances, spanningTree } from '@touchstone/quant/dependence/spanning-tree';
import { createRandom } from '@touchstone/quant/random/random';
import { blockBootstrap } from '@touchstone/quant/stats/block-bootstrap';

/** Whole returns of some names, row-major T × N. */
export type Returns = { values: Float64Array; rowCount: number; count: number };

export type DependenceJob = {
  window: Returns;
  estimator: CovarianceEstimator;
  seed: number;
  /** Longer returns to hold the estimators against each other; null: too few, or too many names. */
  history: Returns | null;
};

export type HeldVolatility = {
  estimator: CovarianceEstimator;
  /** Of a session; null: its covariance has no inverse. */
  volatility: { value: number; low: number; high: number } | null;
};

export type DependenceOutcome = {
  correlations: Float64Array;
  signalCount: number;
  clusters: Pick<Clusters, 'cluster' | 'clusterCount' | 'order'>;
  tree: { a: number; b: number; correlation: number; stability: number }[];
  treeSampleCount: number;
  held: HeldVolatility[];
  heldCount: number;
};

export type RelationsJob = { window: Returns; seed: number };

export type RelationsOutcome = {
  direct: (DirectLink & { stability: number })[];
  /** Null: the graphical lasso did not converge on the window itself, so no link is told. */
  directSampleCount: number | null;
  leadLag: LeadLag;
  breaks: Breaks;
};

export const MINIMUM_VARIANCE = { window: 252, hold: 63 } as const;
export const STABLE_FROM = 0.8;
export const BREAK_WINDOW = 63;
/** A fortnight: dependence between days is short, and a year still holds many blocks. */
const BLOCK_LENGTH_MEAN = 10;
const INTERVAL_RESAMPLES = 500;

/** Bootstrap samples are as many as fit into this many seconds of a slow core, by measured costs a sample. */
const SAMPLE_SECONDS = 0.6;
const TREE_SECONDS_PER_CELL = 1.9e-7;
const LASSO_SECONDS_PER_CUBE = 4.3e-8;

/** @public Called by its name from another thread. */
export function computeDependence({ window, estimator, seed, history }: DependenceJob): DependenceOutcome {
  const { values, rowCount, count } = window;
  const random = createRandom(seed);
  const sample = correlationsOf(values, rowCount, count);
  const { signalCount } = denoiseCorrelation(sample, count, rowCount);
  const distances = correlationDistances(sample);
  const treeSampleCount = samplesFor(TREE_SECONDS_PER_CELL * count ** 2, 200);
  const settings = { random: random.split('tree'), resampleCount: treeSampleCount, blockLengthMean: BLOCK_LENGTH_MEAN };
  const stability = pairStability(values, rowCount, count, settings, (drawn) =>
    spanningTree(correlationDistances(drawn), count),
  );
  const tree = spanningTree(distances, count).map(({ a, b }) => ({
    ...{ a, b, correlation: sample[a * count + b]!, stability: stability[a * count + b]! },
  }));
  const clusterCount = Math.max(1, Math.min(signalCount, count));
  const { cluster, order } = findClusters(distances, count, { clusterCount });
  return {
    correlations: correlationOf(estimateCovariance(estimator, values, rowCount, count), count),
    ...{ signalCount, clusters: { cluster, clusterCount, order }, tree, treeSampleCount },
    held: history === null ? [] : holdEach(history, seed),
    heldCount: history === null ? 0 : Math.max(0, history.rowCount - MINIMUM_VARIANCE.window),
  };
}

function holdEach({ values, rowCount, count }: Returns, seed: number): HeldVolatility[] {
  return COVARIANCE_ESTIMATORS.map((estimator) => {
    const weightsOf = (past: Float64Array) =>
      minimumVarianceWeights(estimateCovariance(estimator, past, MINIMUM_VARIANCE.window, count), count);
    const held = heldReturns(values, rowCount, count, MINIMUM_VARIANCE, weightsOf);
    if (held === null) return { estimator, volatility: null };
    // The same days are drawn for each, so that the intervals can be held against each other.
    const random = createRandom(seed).split('held');
    const interval = blockBootstrap(held.length, (rows) => deviation(held, rows), {
      random,
      blockLength: Math.min(MINIMUM_VARIANCE.hold, held.length),
      resampleCount: INTERVAL_RESAMPLES,
    });
    return { estimator, volatility: { value: interval.value, low: interval.low, high: interval.high } };
  });
}

/** @public Called by its name from another thread. */
export function computeRelations({ window, seed }: RelationsJob): RelationsOutcome {
  const { values, rowCount, count } = window;
  const random = createRandom(seed);
  const found = findDirectLinks(correlationsOf(values, rowCount, count), count, rowCount);
  const resampleCount = samplesFor(LASSO_SECONDS_PER_CUBE * count ** 3, 100);
  let direct: RelationsOutcome['direct'] = [];
  if (found.status === 'ok' && found.links.length > 0) {
    const settings = { random: random.split('direct'), resampleCount, blockLengthMean: BLOCK_LENGTH_MEAN };
    const share = pairStability(values, rowCount, count, settings, (drawn) => {
      const again = findDirectLinks(drawn, count, rowCount, { tolerance: 1e-3 });
      return again.status === 'ok' ? again.links : null;
    });
    direct = found.links
      .map((link) => ({ ...link, stability: share[link.a * count + link.b]! }))
      .filter(({ stability }) => stability >= STABLE_FROM)
      .sort((x, y) => Math.abs(y.partialCorrelation) - Math.abs(x.partialCorrelation));
  }
  return {
    ...{ direct, directSampleCount: found.status === 'ok' ? resampleCount : null },
    leadLag: findLeads(values, rowCount, count),
    breaks: findBreaks(values, rowCount, count, { random: random.split('breaks'), window: BREAK_WINDOW }),
  };
}

function samplesFor(secondsEach: number, most: number): number {
  return Math.max(20, Math.min(most, Math.round(SAMPLE_SECONDS / secondsEach)));
}

function deviation(values: Float64Array, rows: Uint32Array): number {
  let mean = 0;
  for (const t of rows) mean += values[t]! / rows.length;
  let squares = 0;
  for (const t of rows) squares += (values[t]! - mean) ** 2;
  return Math.sqrt(squares / (rows.length - 1));
}
