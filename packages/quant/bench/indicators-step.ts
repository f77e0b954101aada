import { ALL_INDICATORS } from '../src/indicators/catalogue.ts';
import { createIndicatorStream, type Indicator } from '../src/indicators/indicator.ts';
import { randomBars } from '../src/indicators/warm-up.ts';
import { createRandom } from '../src/random/random.ts';
import type { BenchResult } from './index-kernel.ts';

const BARS = 6000;
const COUNTED_FROM = 3000;
const GOAL_MS = 0.1;

/**
 * One more bar through every indicator of the default set.
 *
 * @public
 */
export function run(): BenchResult[] {
  const figure = medianStep(ALL_INDICATORS);
  const features = ALL_INDICATORS.reduce((sum, { outputs }) => sum + outputs.length, 0);
  return [
    {
      name: 'indicators-step',
      figure: figure.median,
      unit: 'ms',
      peer: null,
      peerFigure: null,
      ratio: null,
      goal: `<= ${GOAL_MS} ms`,
      met: figure.median <= GOAL_MS,
      input: `all ${features} features of ${ALL_INDICATORS.length} indicators, one more bar after ${COUNTED_FROM}; median; 99th percentile ${figure.p99.toFixed(4)} ms`,
    },
  ];
}

function medianStep(indicators: readonly Indicator[]): { median: number; p99: number } {
  const bars = randomBars(createRandom('indicators-step'), BARS);
  const stream = createIndicatorStream(indicators);
  const times: number[] = [];
  for (let i = 0; i < BARS; i++) {
    const bar = {
      open: bars.open[i]!,
      high: bars.high[i]!,
      low: bars.low[i]!,
      close: bars.close[i]!,
      volume: bars.volume[i]!,
    };
    const start = performance.now();
    stream.push(bar);
    if (i >= COUNTED_FROM) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1]!, p99: times[Math.floor(times.length * 0.99)]! };
}
