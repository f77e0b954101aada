import { cholesky } from '../src/linalg/cholesky.ts';
import { multiply } from '../src/linalg/multiply.ts';
import { symmetricEigen } from '../src/linalg/symmetric-eigen.ts';
import { createRandom } from '../src/random/random.ts';
import { covarianceMatrix } from '../src/stats/moments.ts';
import { ols } from '../src/stats/ols.ts';
import type { BenchResult } from './index-kernel.ts';
import { runPeer } from './run-peer.ts';

type Peer = { name: string; eigen: number; cholesky: number; multiply: number; ols: number };

const SIZE = 500;
const RUNS = 5;
const EIGEN_GOAL_MS = 200;
const DAYS = 2520;
const WINDOW = 252;
const COLUMNS = 6;

/**
 * Dense algebra at 500 × 500 and rolling regressions, one thread, against NumPy with its tuned library.
 *
 * @public
 */
export function run(): BenchResult[] {
  const random = createRandom('algebra');
  const returns = new Float64Array(2 * SIZE * SIZE);
  for (let t = 0; t < 2 * SIZE; t++) {
    const market = 0.01 * random.normal();
    for (let i = 0; i < SIZE; i++) returns[t * SIZE + i] = market + 0.01 * random.normal();
  }
  const covariance = covarianceMatrix(returns, SIZE);
  const other = Float64Array.from({ length: SIZE * SIZE }, () => random.normal());
  const peer = runPeer<Peer>('algebra-peer.py', [SIZE, RUNS]);
  const figures: [keyof Omit<Peer, 'name'>, string, number | null, () => void][] = [
    ['eigen', 'values and vectors of a covariance', EIGEN_GOAL_MS, () => symmetricEigen(covariance, SIZE)],
    ['cholesky', 'factor of a covariance', null, () => cholesky(covariance, SIZE)],
    ['multiply', 'product of two matrices', null, () => multiply(other, SIZE, SIZE, covariance, SIZE)],
    [
      'ols',
      `regressions over ${WINDOW} of ${DAYS} days on ${COLUMNS} columns`,
      null,
      rollingRegressions(random.normal),
    ],
  ];
  return figures.map(([name, what, goal, work]) => {
    const figure = medianMs(work);
    const peerFigure = peer ? peer[name] : null;
    return {
      name: `algebra-${name}`,
      figure,
      unit: 'ms',
      peer: peer ? peer.name : null,
      peerFigure,
      ratio: peerFigure ? figure / peerFigure : null,
      goal: goal === null ? 'none' : `<= ${goal} ms`,
      met: goal === null || figure <= goal,
      input: name === 'ols' ? `${DAYS - WINDOW} ${what}, one thread` : `${what}, ${SIZE} x ${SIZE}, one thread`,
    };
  });
}

function rollingRegressions(normal: () => number): () => void {
  const x = Float64Array.from({ length: DAYS * COLUMNS }, (_, k) => (k % COLUMNS === 0 ? 1 : 0.01 * normal()));
  const y = Float64Array.from({ length: DAYS }, () => 0.01 * normal());
  return () => {
    for (let end = WINDOW; end < DAYS; end++)
      ols(y.subarray(end - WINDOW, end), x.subarray((end - WINDOW) * COLUMNS, end * COLUMNS), COLUMNS);
  };
}

function medianMs(work: () => void): number {
  const times: number[] = [];
  for (let k = 0; k < RUNS; k++) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[RUNS >> 1]!;
}
