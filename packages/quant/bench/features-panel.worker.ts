import { parentPort, workerData } from 'node:worker_threads';
import type { BarColumns } from '../src/indicators/indicator.ts';
import { runIndicators } from '../src/indicators/indicator.ts';
import { benchIndicators } from './indicators-batch.ts';

/** What the worker shares with its starter. All matrices are row-major, symbols × days. */
export type PanelShare = {
  symbolCount: number;
  dayCount: number;
  featureCount: number;
  /** Open, high, low, close, volume, one after the other. */
  bars: SharedArrayBuffer;
  /** Single precision: symbols × features × days. */
  features: SharedArrayBuffer;
  /** The next symbol nobody has taken. */
  next: SharedArrayBuffer;
};

const { symbolCount, dayCount, featureCount, bars, features, next }: PanelShare = workerData;
const indicators = benchIndicators();
const counter = new Int32Array(next);
const out = indicators.map(({ outputs }) => outputs.map(() => new Float64Array(dayCount)));
const columns = out.flat().slice(0, featureCount);

for (let s = Atomics.add(counter, 0, 1); s < symbolCount; s = Atomics.add(counter, 0, 1)) {
  runIndicators(indicators, barsOf(s), out);
  columns.forEach((values, k) => {
    // A loop, because `set` into shared memory took three times as long.
    const kept = new Float32Array(features, 4 * (s * featureCount + k) * dayCount, dayCount);
    for (let i = 0; i < dayCount; i++) kept[i] = values[i]!;
  });
}
parentPort?.postMessage('done');

function barsOf(symbol: number): BarColumns {
  const column = (k: number) => new Float64Array(bars, 8 * (k * symbolCount + symbol) * dayCount, dayCount);
  return { open: column(0), high: column(1), low: column(2), close: column(3), volume: column(4) };
}
