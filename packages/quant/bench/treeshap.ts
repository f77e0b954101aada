import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTreeShap } from '../src/explain/tree-shap.ts';
import { importXgboost } from '../src/learn/trees/formats/import-xgboost.ts';
import { randomTrees } from '../src/learn/trees/random-trees.ts';
import { treeMargins } from '../src/learn/trees/walk-trees.ts';
import { createRandom } from '../src/random/random.ts';
import type { BenchResult } from './index-kernel.ts';
import { runPeer } from './run-peer.ts';

type Peer = { name: string; milliseconds: number; otherName: string; otherMilliseconds: number };

const SHAPES = [
  { name: 'treeshap', trees: 500, depth: 6 },
  { name: 'treeshap-deep', trees: 100, depth: 10 },
];
const ROWS_TRAINED = 20_000;
const FEATURES = 30;
const ROWS = 200;
const RUNS = 5;
const RATIO_MAX = 1.5;
const RESIDUAL_MAX = 1e-9;

/**
 * Exact TreeSHAP of trees that XGBoost trained, rows with missing values, one thread: against the C code of shap, with
 * XGBoost's own told beside it. And how well contributions add up.
 *
 * @public
 */
export function run(): BenchResult[] {
  return [...SHAPES.flatMap(againstShap), additivity()];
}

function againstShap({ name, trees: treeCount, depth }: (typeof SHAPES)[number]): BenchResult[] {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-treeshap-'));
  try {
    const peer = runPeer<Peer>('treeshap-peer.py', [ROWS_TRAINED, FEATURES, treeCount, depth, ROWS, folder]);
    const random = createRandom('treeshap');
    // Without the peer, trees of the same size that nobody trained.
    const trees = peer
      ? importXgboost(readFileSync(join(folder, 'model.json'), 'utf8')).trees
      : randomTrees(random, { treeCount, featureCount: FEATURES, depthMax: depth });
    const values = peer
      ? readDoubles(join(folder, 'rows.f64'))
      : Float64Array.from({ length: ROWS * FEATURES }, () => random.normal());
    const shap = createTreeShap(trees);
    const inputs = { rowCount: ROWS, stepCount: 1, featureCount: FEATURES, values };
    const figure = medianMs(() => shap.contributions(inputs));
    const leaves = trees.feature.filter((feature) => feature < 0).length;
    const input = `${treeCount} trees of depth ${depth}, ${leaves} leaves, ${ROWS} rows × ${FEATURES}, one thread`;
    const other = peer ? `; ${peer.otherName}: ${peer.otherMilliseconds.toFixed(0)} ms` : '';
    const ratio = peer ? figure / peer.milliseconds : null;
    const apart = peer ? largestDifference(shap.contributions(inputs), readDoubles(join(folder, 'values.f64'))) : null;
    return [
      {
        name,
        figure,
        unit: 'ms',
        peer: peer ? peer.name : null,
        peerFigure: peer ? peer.milliseconds : null,
        ratio,
        goal: `<= ${RATIO_MAX}x`,
        met: ratio === null || ratio <= RATIO_MAX,
        input: `${input}${apart === null ? '' : `; values differ by ${apart.toExponential(1)} at most`}${other}`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function additivity(): BenchResult {
  const random = createRandom('additivity');
  const trees = randomTrees(random, { treeCount: 500, featureCount: FEATURES, depthMax: 8 });
  const values = Float64Array.from({ length: ROWS * FEATURES }, () => random.normal());
  const inputs = { rowCount: ROWS, stepCount: 1, featureCount: FEATURES, values };
  const shap = createTreeShap(trees);
  const contributions = shap.contributions(inputs);
  const figure = treeMargins(trees, inputs).reduce((largest, margin, row) => {
    const own = contributions.subarray(row * FEATURES, (row + 1) * FEATURES);
    return Math.max(largest, Math.abs(own.reduce((sum, part) => sum + part, shap.base) - margin));
  }, 0);
  return {
    name: 'treeshap-residual',
    figure,
    unit: 'largest residual',
    peer: null,
    peerFigure: null,
    ratio: null,
    goal: `<= ${RESIDUAL_MAX}`,
    met: figure <= RESIDUAL_MAX,
    input: `500 trees of depth 8 over float64, ${ROWS} rows × ${FEATURES}`,
  };
}

function readDoubles(file: string): Float64Array {
  const bytes = readFileSync(file);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, k) => Math.max(largest, Math.abs(value - b[k]!)), 0);
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
