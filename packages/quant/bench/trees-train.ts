import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeExamples } from '../src/learn/examples.ts';
import { gradientBoostedTrees } from '../src/learn/trees/gradient-boosted-trees.ts';
import type { BenchResult } from './index-kernel.ts';
import { runPeer } from './run-peer.ts';
import { areaUnderCurve, drawTable, rowsBetween, writeTable } from './trees-data.ts';

const TABLES = [
  { rowCount: 100_000, featureCount: 50 },
  { rowCount: 500_000, featureCount: 30 },
];
const TEST_ROWS = 20_000;
const RUNS = 3;
const RATIO_MAX = 1;
const AREA_LOSS_MAX = 0.002;

/**
 * 100 trees of depth six, learning rate 0.1, log loss, binning included, against xgboost's `hist`, one thread each.
 *
 * @public
 */
export function run(): BenchResult[] {
  return TABLES.map(({ rowCount, featureCount }) => {
    const all = drawTable(rowCount + TEST_ROWS, featureCount, `trees/${featureCount}`);
    const train = takeExamples(all, rowsBetween(0, rowCount));
    const test = takeExamples(all, rowsBetween(rowCount, rowCount + TEST_ROWS));
    const times: number[] = [];
    let area = 0;
    for (let k = 0; k < RUNS; k++) {
      const start = performance.now();
      const model = gradientBoostedTrees.fit(train, 'binary', gradientBoostedTrees.defaults, 1);
      times.push((performance.now() - start) / 1000);
      area = areaUnderCurve(model.predict(test.inputs), test.target);
    }
    const figure = times.toSorted((a, b) => a - b)[RUNS >> 1]!;
    const folder = mkdtempSync(join(tmpdir(), 'touchstone-trees-'));
    const peer = runPeer<{ name: string; seconds: number; auc: number }>('trees-peer.py', [
      ...['train', writeTable(all, folder), rowCount, TEST_ROWS, featureCount, RUNS],
    ]);
    rmSync(folder, { recursive: true });
    const ratio = peer ? figure / peer.seconds : null;
    return {
      name: `trees-train-${rowCount / 1000}k`,
      figure,
      unit: 's',
      peer: peer ? peer.name : null,
      peerFigure: peer ? peer.seconds : null,
      ratio,
      goal: `<= ${RATIO_MAX} x its time, area under the curve within ${AREA_LOSS_MAX}`,
      met: peer !== null && ratio !== null && ratio <= RATIO_MAX && Math.abs(area - peer.auc) <= AREA_LOSS_MAX,
      input: `${rowCount} x ${featureCount}, 100 trees of depth 6, one thread; area ${area.toFixed(5)}, peer ${peer ? peer.auc.toFixed(5) : 'none'}`,
    };
  });
}
