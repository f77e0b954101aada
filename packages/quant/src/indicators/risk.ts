import { barCount, defined, factory, WINDOW } from './factory.ts';
import { extremeSize, fillLowest, latestHighest, markWarmUp, meanSize, meanStep, ratio, sumStep } from './kernels.ts';

/** How far the close is below the highest close of the window (0 or negative), and for how many bars already. */
export const drawdown = factory({
  name: 'drawdown',
  title: 'Drawdown from the high of the window',
  family: 'risk',
  unit: 'fraction',
  inputs: ['close'],
  outputs: ['depth', 'bars'],
  parameters: { period: barCount(252) },
  reference: defined('close / highest close − 1; bars since that close (the latest where equal)'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      let highest = state[0]! | 0;
      for (let i = from; i < to; i++) {
        highest = latestHighest(close, highest, i < period ? 0 : i - period + 1, i);
        const isWarm = i >= period - 1;
        out[0]![i - from] = isWarm ? ratio(close[i]! - close[highest]!, close[highest]!) : Number.NaN;
        out[1]![i - from] = isWarm ? i - highest : Number.NaN;
      }
      state[0] = highest;
    },
  }),
});

/** How far the close is above the lowest close of the window. */
export const aboveLow = factory({
  name: 'above_low',
  title: 'Rise from the low of the window',
  family: 'risk',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { period: barCount(252) },
  reference: defined('close / lowest close − 1'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1 + extremeSize(period),
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let bottom = state[0]!;
      let place = from % period;
      for (let i = from; i < to; i++) {
        if (place === 0) {
          fillLowest(close, i - period, period, state, 1);
          bottom = Number.POSITIVE_INFINITY;
        }
        bottom = Math.min(bottom, close[i]!);
        place++;
        const lowest = Math.min(bottom, state[1 + place]!);
        if (place === period) place = 0;
        y[i - from] = i < period - 1 ? Number.NaN : ratio(close[i]! - lowest, lowest);
      }
      state[0] = bottom;
    },
  }),
});

/** Deepest fall from a high to a later low among the closes of the window, 0 or negative. */
export const maxDrawdown = factory({
  name: 'max_drawdown',
  title: 'Deepest drawdown in the window',
  family: 'risk',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { period: barCount(63) },
  reference: defined('min over s ≤ t in the window of close[t] / close[s] − 1'),
  note: 'Undefined when a high is not positive. Looks through the window only when its deepest fall has left it.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    // Place of the high before the deepest fall, its depth, and the place of the highest close.
    stateSize: 3,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let highest = state[2]! | 0;
      for (let i = from; i < to; i++) {
        const start = i < period ? 0 : i - period + 1;
        highest = latestHighest(close, highest, start, i);
        const fall = close[i]! / close[highest]! - 1;
        if (state[0]! < start) findDeepestFall(close, start, i, state);
        else if (fall <= state[1]!) {
          state[0] = highest;
          state[1] = fall;
        }
        y[i - from] = i < period - 1 || !(close[state[0]! | 0]! > 0) ? Number.NaN : state[1]!;
      }
      state[2] = highest;
    },
  }),
});

/** Place of the high before the deepest fall within `close[start..end]`, and its depth, into `state[0]` and `state[1]`. */
function findDeepestFall(close: Float64Array, start: number, end: number, state: Float64Array): void {
  let top = start;
  let peak = start;
  let depth = 0;
  for (let j = start + 1; j <= end; j++) {
    if (close[j]! >= close[top]!) top = j;
    const fall = close[j]! / close[top]! - 1;
    if (fall <= depth) {
      depth = fall;
      peak = top;
    }
  }
  state[0] = peak;
  state[1] = depth;
}

/** Mean over sample standard deviation of simple daily returns, per day. */
export const rollingSharpe = factory({
  name: 'rolling_sharpe',
  title: 'Mean return per unit of volatility',
  family: 'risk',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(63, 3) },
  reference: defined('Sharpe 1966, doi:10.1086/294846, risk-free rate 0, per day'),
  note: 'Undefined when the returns did not change in the window. It tells of the past only.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 2 * meanSize(period) + 2,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const squaresAt = meanSize(period);
      const stillAt = 2 * squaresAt;
      const first = markWarmUp(1, from, to, out);
      for (let i = first; i < to; i++) {
        const change = ratio(close[i]! - close[i - 1]!, close[i - 1]!);
        const still = i > 1 && change === state[stillAt + 1] ? state[stillAt]! + 1 : 1;
        state[stillAt] = still;
        state[stillAt + 1] = change;
        const mean = meanStep(state, 0, period, change);
        const squares = sumStep(state, squaresAt, period, change * change);
        const variance = (squares - period * mean * mean) / (period - 1);
        y[i - from] = still < period && variance > 0 ? mean / Math.sqrt(variance) : Number.NaN;
      }
    },
  }),
});
