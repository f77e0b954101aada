import {
  barCount,
  CUMULATIVE,
  defined,
  exponentialMemory,
  factory,
  perBar,
  slowest,
  talib,
  WINDOW,
} from './factory.ts';
import { EXPONENTIAL_SIZE, exponentialStep, markWarmUp, meanSize, meanStep, moneyFlowAt, ratio } from './kernels.ts';

/** TA-Lib AD, accumulation/distribution (Chaikin): running sum of the money flow since the first bar. */
export const ad = factory({
  name: 'ad',
  title: 'Accumulation/distribution line',
  family: 'volume',
  unit: 'shares',
  inputs: ['high', 'low', 'close', 'volume'],
  reference: talib('AD'),
  note: 'Its level depends on the first bar; only its changes mean something.',
  machine: () => ({
    warmUp: 0,
    memory: CUMULATIVE,
    stateSize: 1,
    advance({ high, low, close, volume }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        sum += moneyFlowAt(high, low, close, volume, i);
        y[i - from] = sum;
      }
      state[0] = sum;
    },
  }),
});

/** TA-Lib ADOSC (Chaikin oscillator): fast less slow exponential average of AD, both from the first bar on. */
export const adosc = factory({
  name: 'adosc',
  title: 'Chaikin oscillator',
  family: 'volume',
  unit: 'shares',
  inputs: ['high', 'low', 'close', 'volume'],
  parameters: { fast: barCount(3), slow: barCount(10) },
  reference: talib('ADOSC'),
  note: 'Its averages start with the first value of AD, not with a mean (TA-Lib).',
  machine: ({ fast, slow }) => {
    const warmUp = Math.max(fast, slow) - 1;
    return {
      warmUp,
      memory: exponentialMemory(Math.max(fast, slow), 2),
      stateSize: 3,
      advance({ high, low, close, volume }, from, to, state, out) {
        const y = out[0]!;
        const fastWeight = 2 / (fast + 1);
        const slowWeight = 2 / (slow + 1);
        let sum = state[0]!;
        let a = state[1]!;
        let b = state[2]!;
        for (let i = from; i < to; i++) {
          sum += moneyFlowAt(high, low, close, volume, i);
          a = i === 0 ? sum : fastWeight * sum + (1 - fastWeight) * a;
          b = i === 0 ? sum : slowWeight * sum + (1 - slowWeight) * b;
          y[i - from] = i < warmUp ? Number.NaN : a - b;
        }
        state[0] = sum;
        state[1] = a;
        state[2] = b;
      },
    };
  },
});

/** TA-Lib OBV (Granville): starts with the first bar's volume. */
export const obv = factory({
  name: 'obv',
  title: 'On-balance volume',
  family: 'volume',
  unit: 'shares',
  inputs: ['close', 'volume'],
  reference: talib('OBV'),
  note: 'Starts with the first volume (TA-Lib); Skender and Lean start with 0. Only its changes mean something.',
  machine: () => ({
    warmUp: 0,
    memory: CUMULATIVE,
    stateSize: 1,
    advance({ close, volume }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        if (i === 0 || close[i]! > close[i - 1]!) sum += volume[i]!;
        else if (close[i]! < close[i - 1]!) sum -= volume[i]!;
        y[i - from] = sum;
      }
      state[0] = sum;
    },
  }),
});

/** TA-Lib PVT: volume times the return, added up. */
export const pvt = factory({
  name: 'pvt',
  title: 'Price volume trend',
  family: 'volume',
  unit: 'shares',
  inputs: ['close', 'volume'],
  reference: talib('PVT'),
  note: 'A bar after a close of 0 adds nothing. Only its changes mean something.',
  machine: () => ({
    warmUp: 0,
    memory: CUMULATIVE,
    stateSize: 1,
    advance({ close, volume }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        if (i > 0 && close[i - 1] !== 0) sum += (volume[i]! * (close[i]! - close[i - 1]!)) / close[i - 1]!;
        y[i - from] = sum;
      }
      state[0] = sum;
    },
  }),
});

/** TA-Lib NVI and PVI (Dysart, Fosback): returns of days with less, and with more, volume, added up from 1000. */
export const volumeIndices = factory({
  name: 'volume_index',
  title: 'Negative and positive volume index',
  family: 'volume',
  unit: 'ratio',
  inputs: ['close', 'volume'],
  outputs: ['negative', 'positive'],
  reference: talib('NVI, PVI'),
  note: 'Both start at 1000. Only their relative changes mean something.',
  machine: () => ({
    warmUp: 0,
    memory: CUMULATIVE,
    stateSize: 2,
    advance({ close, volume }, from, to, state, out) {
      let negative = state[0]!;
      let positive = state[1]!;
      for (let i = from; i < to; i++) {
        if (i === 0) {
          negative = 1000;
          positive = 1000;
        } else if (close[i - 1] !== 0) {
          const gain = (close[i]! - close[i - 1]!) / close[i - 1]!;
          if (volume[i]! < volume[i - 1]!) negative += negative * gain;
          else if (volume[i]! > volume[i - 1]!) positive += positive * gain;
        }
        out[0]![i - from] = negative;
        out[1]![i - from] = positive;
      }
      state[0] = negative;
      state[1] = positive;
    },
  }),
});

/** TA-Lib CMF (Chaikin): money flow over volume in the window. */
export const cmf = factory({
  name: 'cmf',
  title: 'Chaikin money flow',
  family: 'volume',
  unit: 'ratio',
  inputs: ['high', 'low', 'close', 'volume'],
  parameters: { period: barCount(20) },
  reference: talib('CMF'),
  note: 'Undefined while the window has no volume.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ high, low, close, volume }, from, to, state, out) {
      const y = out[0]!;
      let flow = state[0]!;
      let shares = state[1]!;
      let silent = state[2]! | 0;
      for (let i = from; i < to; i++) {
        flow += moneyFlowAt(high, low, close, volume, i);
        shares += volume[i]!;
        silent = volume[i] === 0 ? silent + 1 : 0;
        if (i >= period) {
          flow -= moneyFlowAt(high, low, close, volume, i - period);
          shares -= volume[i - period]!;
        }
        y[i - from] = i < period - 1 || silent >= period ? Number.NaN : flow / shares;
      }
      state[0] = flow;
      state[1] = shares;
      state[2] = silent;
    },
  }),
});

/** TA-Lib EFI (Elder): exponential average of change times volume. */
export const forceIndex = factory({
  name: 'force',
  title: 'Force index',
  family: 'volume',
  unit: 'shares',
  inputs: ['close', 'volume'],
  parameters: { period: barCount(13) },
  reference: talib('EFI'),
  note: 'Price times shares. Starts with the mean of the first period values.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: exponentialMemory(period),
    stateSize: EXPONENTIAL_SIZE,
    advance({ close, volume }, from, to, state, out) {
      const y = out[0]!;
      const first = markWarmUp(1, from, to, out);
      const weight = 2 / (period + 1);
      for (let i = first; i < to; i++)
        y[i - from] = exponentialStep(state, 0, period, weight, (close[i]! - close[i - 1]!) * volume[i]!);
    },
  }),
});

/** Ease of movement (Arms): move of the middle price, over volume per range; smoothed. */
export const easeOfMovement = factory({
  name: 'ease',
  title: 'Ease of movement',
  family: 'volume',
  unit: 'ratio',
  inputs: ['high', 'low', 'volume'],
  parameters: { period: barCount(14, 1) },
  reference: defined('Arms 1996; volume in units of 100 million'),
  note: 'A bar without range counts 0; a bar without volume makes the windows it is in undefined.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: meanSize(period),
    advance({ high, low, volume }, from, to, state, out) {
      const y = out[0]!;
      const first = markWarmUp(1, from, to, out);
      for (let i = first; i < to; i++) {
        const range = high[i]! - low[i]!;
        const move = (high[i]! + low[i]!) / 2 - (high[i - 1]! + low[i - 1]!) / 2;
        y[i - from] = meanStep(state, 0, period, ratio(1e8 * move * range, volume[i]!));
      }
    },
  }),
});

/** Klinger volume oscillator (Stocks & Commodities 15:12, 1997). */
export const klinger = factory({
  name: 'klinger',
  title: 'Klinger volume oscillator',
  family: 'volume',
  unit: 'shares',
  inputs: ['high', 'low', 'close', 'volume'],
  outputs: ['line', 'signal'],
  parameters: { fast: barCount(34), slow: barCount(55), signal: barCount(13, 1) },
  reference: defined('Klinger 1997; Skender ToKvo', 1e-9),
  machine: ({ fast, slow, signal }) => {
    const longest = Math.max(fast, slow);
    const warmUp = 2 + longest - 1 + signal - 1;
    const at = 3 * EXPONENTIAL_SIZE;
    return {
      warmUp,
      memory: slowest(exponentialMemory(longest, 2), exponentialMemory(signal, 2)),
      stateSize: at + 2,
      advance({ high, low, close, volume }, from, to, state, out) {
        for (let i = from; i < to; i++) {
          out[0]![i - from] = Number.NaN;
          out[1]![i - from] = Number.NaN;
          if (i === 0) continue;
          const range = high[i]! - low[i]!;
          const rangeBefore = high[i - 1]! - low[i - 1]!;
          const trend = high[i]! + low[i]! + close[i]! > high[i - 1]! + low[i - 1]! + close[i - 1]! ? 1 : -1;
          const trendBefore = state[at]!;
          const cumulative = trend === trendBefore ? state[at + 1]! + range : rangeBefore + range;
          state[at] = trend;
          state[at + 1] = cumulative;
          if (i === 1) continue;
          const place = range === 0 || cumulative === 0 ? 0 : Math.abs(2 * (range / cumulative - 1));
          const force = range === cumulative ? 0 : volume[i]! * place * trend * 100;
          const a = exponentialStep(state, 0, fast, 2 / (fast + 1), force);
          const b = exponentialStep(state, 2, slow, 2 / (slow + 1), force);
          const line = a - b;
          const average = exponentialStep(state, 4, signal, 2 / (signal + 1), line);
          if (i < warmUp) continue;
          out[0]![i - from] = line;
          out[1]![i - from] = average;
        }
      },
    };
  },
});

/** Volume over the mean volume of the bars before. */
export const relativeVolume = factory({
  name: 'relative_volume',
  title: 'Relative volume',
  family: 'volume',
  unit: 'ratio',
  inputs: ['volume'],
  parameters: { period: barCount(20, 1) },
  reference: talib('RVOL'),
  note: 'Undefined when the bars before had no volume.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 2,
    advance({ volume }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      let silent = state[1]! | 0;
      for (let i = from; i < to; i++) {
        y[i - from] = i < period || silent >= period ? Number.NaN : volume[i]! / (sum / period);
        sum += volume[i]!;
        silent = volume[i] === 0 ? silent + 1 : 0;
        if (i >= period) sum -= volume[i - period]!;
      }
      state[0] = sum;
      state[1] = silent;
    },
  }),
});

/** Illiquidity (Amihud, 2002): mean absolute return per million of money traded. */
export const illiquidity = factory({
  name: 'illiquidity',
  title: 'Amihud illiquidity',
  family: 'volume',
  unit: 'ratio',
  inputs: ['close', 'volume'],
  parameters: { period: barCount(21, 1) },
  reference: defined('Amihud 2002, doi:10.1016/S1386-4181(01)00024-6'),
  note: 'A bar without volume makes the windows it is in undefined.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: meanSize(period),
    advance({ close, volume }, from, to, state, out) {
      const y = out[0]!;
      const first = markWarmUp(1, from, to, out);
      for (let i = first; i < to; i++) {
        const change = Math.abs(close[i]! / close[i - 1]! - 1);
        y[i - from] = meanStep(state, 0, period, ratio(1e6 * change, close[i]! * volume[i]!));
      }
    },
  }),
});

/** TA-Lib MARKETFI (Williams): range per share. */
export const marketFacilitation = factory({
  name: 'market_facilitation',
  title: 'Market facilitation index',
  family: 'volume',
  unit: 'ratio',
  inputs: ['high', 'low', 'volume'],
  reference: talib('MARKETFI'),
  note: 'Undefined without volume, where TA-Lib gives 0.',
  machine: () =>
    perBar(0, ({ high, low, volume }, from, to, y) => {
      for (let i = from; i < to; i++) y[i - from] = ratio(high[i]! - low[i]!, volume[i]!);
    }),
});
