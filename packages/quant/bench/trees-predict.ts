import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeExamples } from '../src/learn/examples.ts';
import { gradientBoostedTrees } from '../src/learn/trees/gradient-boosted-trees.ts';
import { predictRow } from '../src/learn/trees/predict-trees.ts';
import type { BenchResult } from './index-kernel.ts';
import { runPeer } from './run-peer.ts';
import { drawTable, rowsBetween, writeTable } from './trees-data.ts';

const [ROWS, TEST_ROWS, FEATURES, TREES] = [20_000, 5_000, 30, 500];
const CALLS = 2_000;
/** Calls timed together: one alone is shorter than the clock is fine. */
const BATCH = 100;
const MICROSECONDS_MAX = 20;
const TIMES_FASTER = 10;

/**
 * The margin of one row from 500 trees of depth six, another row each time, against the Python call of xgboost and lightgbm.
 *
 * @public
 */
export function run(): BenchResult[] {
  const all = drawTable(ROWS + TEST_ROWS, FEATURES, 'trees/predict');
  const train = takeExamples(all, rowsBetween(0, ROWS));
  const settings = { ...gradientBoostedTrees.defaults, treeCount: TREES };
  const { body } = gradientBoostedTrees.fit(train, 'binary', settings, 1);
  if (body.kind !== 'trees') throw new TypeError(`boosted trees are made of ${body.kind}`);
  const figure = microsecondsPerRow((row) => predictRow(body.trees, all.inputs.values, (ROWS + row) * FEATURES));
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-trees-'));
  const peers = runPeer<{ name: string; microseconds: number }[]>('trees-peer.py', [
    ...['predict', writeTable(all, folder), ROWS, TEST_ROWS, FEATURES, CALLS],
  ]);
  rmSync(folder, { recursive: true });
  return (peers ?? [null]).map((peer) => ({
    name: `trees-predict${peer ? `-${peer.name.split(' ')[0]}` : ''}`,
    figure,
    unit: 'µs',
    peer: peer ? peer.name : null,
    peerFigure: peer ? peer.microseconds : null,
    ratio: peer ? figure / peer.microseconds : null,
    goal: `<= ${MICROSECONDS_MAX} µs, ${TIMES_FASTER} times as fast`,
    met: peer !== null && figure <= MICROSECONDS_MAX && figure * TIMES_FASTER <= peer.microseconds,
    input: `one row of ${FEATURES} features, ${TREES} trees of depth 6, one thread`,
  }));
}

function microsecondsPerRow(predict: (row: number) => number): number {
  const times: number[] = [];
  let sum = 0;
  for (let row = 0; row + BATCH <= TEST_ROWS; row += BATCH) {
    const start = performance.now();
    for (let k = 0; k < BATCH; k++) sum += predict(row + k);
    times.push((1000 * (performance.now() - start)) / BATCH);
  }
  // The sum is asked for, so that no prediction may be left out.
  return Number.isNaN(sum) ? Number.NaN : times.toSorted((a, b) => a - b)[times.length >> 1]!;
}
