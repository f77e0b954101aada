import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { randomBars } from '../src/indicators/warm-up.ts';
import { createRandom } from '../src/random/random.ts';
import type { PanelShare } from './features-panel.worker.ts';
import type { BenchResult } from './index-kernel.ts';

const SYMBOLS = 426;
const DAYS = 2516;
const FEATURES = 150;
const WORKERS = 2;
const GOAL_SECONDS = 6;
/** Symbols whose features are compared between one worker and two. */
const COMPARED = 24;

/**
 * 150 features of 426 instruments over ten years, by two worker threads on shared memory. Starting the threads counts.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const one = await compute(COMPARED, 1);
  const two = await compute(COMPARED, WORKERS);
  if (one.hash !== two.hash) throw new Error('features-panel: the result depends on the number of workers');
  const { seconds } = await compute(SYMBOLS, WORKERS);
  return [
    {
      name: 'features-panel',
      figure: seconds,
      unit: 's',
      peer: null,
      peerFigure: null,
      ratio: null,
      goal: `<= ${GOAL_SECONDS} s`,
      met: seconds <= GOAL_SECONDS,
      input: `${SYMBOLS} symbols x ${DAYS} random bars x ${FEATURES} features, ${WORKERS} workers on ${availableParallelism()} cores, features kept in single precision; equal bits with one worker (${COMPARED} symbols)`,
    },
  ];
}

async function compute(symbolCount: number, workerCount: number): Promise<{ seconds: number; hash: string }> {
  const share: PanelShare = {
    symbolCount,
    dayCount: DAYS,
    featureCount: FEATURES,
    bars: new SharedArrayBuffer(8 * 5 * symbolCount * DAYS),
    features: new SharedArrayBuffer(4 * symbolCount * FEATURES * DAYS),
    next: new SharedArrayBuffer(4),
  };
  const bars = new Float64Array(share.bars);
  const random = createRandom('features-panel');
  for (let s = 0; s < symbolCount; s++) {
    const { open, high, low, close, volume } = randomBars(random.split(s), DAYS);
    [open, high, low, close, volume].forEach((column, k) => void bars.set(column, (k * symbolCount + s) * DAYS));
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: workerCount }, () => work(share)));
  const seconds = (performance.now() - start) / 1000;
  const hash = symbolCount > COMPARED ? '' : createHash('sha256').update(new Uint8Array(share.features)).digest('hex');
  return { seconds, hash };
}

function work(share: PanelShare): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, 'features-panel.worker.ts'), { workerData: share });
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}
