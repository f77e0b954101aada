import { buyAndHoldTargets } from '../src/backtest/buy-and-hold.ts';
import { capsAsKnown } from '../src/backtest/caps-as-known.ts';
import { equalWeightTargets } from '../src/backtest/equal-weight.ts';
import { runWeights } from '../src/backtest/run-weights.ts';
import type { TargetWeights } from '../src/backtest/target-weights.ts';
import { threePillarTargets } from '../src/backtest/three-pillar.ts';
import { findDataFolder, loadCapSnapshots, loadPanel426, randomPanel426 } from './panel-426.ts';
import { runPeer } from './run-peer.ts';

export type BenchResult = {
  name: string;
  figure: number;
  unit: string;
  peer: string | null;
  peerFigure: number | null;
  /** Our time over the peer's: below one is faster. */
  ratio: number | null;
  goal: string;
  met: boolean;
  input: string;
};

const GOAL_SECONDS = 1;
const RUNS = 5;

/**
 * Three index variants over 426 instruments × ten years, daily decisions; panel and capitalisations already in memory.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const { panel, snapshots } = load();
  const rowCount = panel.day.length;
  const columnCount = panel.symbols.length;
  const shape = { close: panel.close, rowCount, columnCount };
  const caps = capsAsKnown(panel.day, panel.close, columnCount, 'total_return', snapshots);
  const hold = (targets: TargetWeights) => runWeights({ ...shape, targets, costBasisPoints: 10, fill: 'close' });
  const times: number[] = [];
  for (let k = 0; k < RUNS; k++) {
    const start = performance.now();
    hold(threePillarTargets({ day: panel.day, close: panel.close, columnCount, caps }).targets);
    hold(equalWeightTargets(shape));
    hold(buyAndHoldTargets(shape));
    times.push((performance.now() - start) / 1000);
  }
  // The median: the first run compiles, and one busy moment of the machine is not the kernel's.
  const figure = times.toSorted((a, b) => a - b)[RUNS >> 1]!;
  const peer = runPeer<{ name: string; seconds: number }>('index-kernel-peer.py', [rowCount, columnCount]);
  return [
    {
      name: 'index-kernel',
      figure,
      unit: 's',
      peer: peer ? peer.name : null,
      peerFigure: peer ? peer.seconds : null,
      ratio: peer ? figure / peer.seconds : null,
      goal: `< ${GOAL_SECONDS} s`,
      met: figure < GOAL_SECONDS,
      input: `${panel.source}: ${columnCount} instruments x ${rowCount} days; three-pillar, equal weight, buy and hold; daily, 10 bp, one thread`,
    },
  ];
}

function load() {
  const folder = findDataFolder();
  if (!folder) return randomPanel426();
  const panel = loadPanel426(folder);
  return { panel, snapshots: loadCapSnapshots(folder, panel.symbols) };
}
