import { createRandom, type Random } from '../random/random.ts';
import type { DailyPrices } from './range-variance.ts';

/** Steps of one session's path: enough that the range is nearly that of a path watched without pause. */
const STEPS = 60;

/** Bars of a path whose volatility wanders, falls raising it: what the kernels are meant for. */
export function testPrices(rowCount: number, seed: number): DailyPrices & { trueVariance: Float64Array } {
  const random = createRandom(seed);
  const column = () => new Float64Array(rowCount);
  const prices = { open: column(), high: column(), low: column(), close: column(), trueVariance: column() };
  let level = Math.log(100);
  let logVariance = Math.log(1e-4);
  for (let t = 0; t < rowCount; t++) {
    const variance = Math.exp(logVariance);
    prices.trueVariance[t] = variance;
    const before = level;
    level += Math.sqrt(0.2 * variance) * random.normal();
    writeSession(prices, t, level, 0.8 * variance, random);
    level = Math.log(prices.close[t]!);
    const shock = (level - before) / Math.sqrt(variance);
    logVariance += 0.02 * (Math.log(1e-4) - logVariance) - 0.1 * shock + 0.1 * random.normal();
  }
  return prices;
}

function writeSession(prices: DailyPrices, t: number, start: number, variance: number, random: Random): void {
  let [level, high, low] = [start, start, start];
  for (let k = 0; k < STEPS; k++) {
    level += Math.sqrt(variance / STEPS) * random.normal();
    high = Math.max(high, level);
    low = Math.min(low, level);
  }
  prices.open[t] = Math.exp(start);
  prices.high[t] = Math.exp(high);
  prices.low[t] = Math.exp(low);
  prices.close[t] = Math.exp(level);
}
