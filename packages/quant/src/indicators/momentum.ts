import {
  barCount,
  decayMemory,
  defined,
  exponentialMemory,
  factory,
  type IndicatorFactory,
  perBar,
  perRange,
  realNumber,
  slowest,
  talib,
  WINDOW,
  wilderMemory,
} from './factory.ts';
import type { BarColumn, Indicator } from './indicator.ts';
import {
  AVERAGE_KIND_RANGE,
  AVERAGE_KINDS,
  advanceAverage,
  averageSize,
  averageStep,
  countBelow,
  EXPONENTIAL_SIZE,
  exponentialStep,
  extremeSize,
  fillHighest,
  fillLowest,
  latestHighest,
  latestLowest,
  markWarmUp,
  meanSize,
  meanStep,
  rangeSize,
  rangeStep,
  ratio,
  sumStep,
  typicalAt,
  weightedSize,
  weightedStep,
} from './kernels.ts';

const period10 = { period: barCount(10, 1) };

/** TA-Lib MOM: close less the close `period` bars ago. */
export const mom = factory({
  name: 'mom',
  title: 'Momentum',
  family: 'momentum',
  unit: 'price',
  inputs: ['close'],
  parameters: period10,
  reference: talib('MOM'),
  machine: ({ period }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      for (let i = Math.max(from, period); i < to; i++) y[i - from] = x[i]! - x[i - period]!;
    }),
});

/** TA-Lib ROC: change in percent. */
export const roc = factory({
  name: 'roc',
  title: 'Rate of change, percent',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: period10,
  reference: talib('ROC'),
  note: 'Undefined after a close of 0, where TA-Lib gives 0; so are ROCP, ROCR and ROCR100.',
  machine: ({ period }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      for (let i = Math.max(from, period); i < to; i++)
        y[i - from] = x[i - period] === 0 ? Number.NaN : (x[i]! / x[i - period]! - 1) * 100;
    }),
});

/** TA-Lib ROCP: change as a fraction. */
export const rocp = factory({
  name: 'rocp',
  title: 'Rate of change, fraction',
  family: 'momentum',
  unit: 'fraction',
  inputs: ['close'],
  parameters: period10,
  reference: talib('ROCP'),
  machine: ({ period }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      for (let i = Math.max(from, period); i < to; i++)
        y[i - from] = x[i - period] === 0 ? Number.NaN : (x[i]! - x[i - period]!) / x[i - period]!;
    }),
});

/** TA-Lib ROCR: close over the close `period` bars ago. */
export const rocr = factory({
  name: 'rocr',
  title: 'Rate of change, ratio',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['close'],
  parameters: period10,
  reference: talib('ROCR'),
  machine: ({ period }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      for (let i = Math.max(from, period); i < to; i++)
        y[i - from] = x[i - period] === 0 ? Number.NaN : x[i]! / x[i - period]!;
    }),
});

/** TA-Lib ROCR100: 100 times ROCR. */
export const rocr100 = factory({
  name: 'rocr100',
  title: 'Rate of change, ratio times 100',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: period10,
  reference: talib('ROCR100'),
  machine: ({ period }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      for (let i = Math.max(from, period); i < to; i++)
        y[i - from] = x[i - period] === 0 ? Number.NaN : (x[i]! / x[i - period]!) * 100;
    }),
});

/** TA-Lib BOP: (close − open) / (high − low). */
export const bop = factory({
  name: 'bop',
  title: 'Balance of power',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['open', 'high', 'low', 'close'],
  reference: talib('BOP'),
  note: 'Undefined for a bar without range, where TA-Lib gives 0.',
  machine: () =>
    perBar(0, ({ open, high, low, close }, from, to, y) => {
      for (let i = from; i < to; i++) {
        const range = high[i]! - low[i]!;
        y[i - from] = range > 0 ? (close[i]! - open[i]!) / range : Number.NaN;
      }
    }),
});

/** Wilder's averages of gains and losses: the mean of the first `period`, then a `period`-th of the new one. */
function advanceGains(period: number, isNet: boolean): Indicator['advance'] {
  return ({ close }, from, to, state, out) => {
    const y = out[0]!;
    const share = 1 / period;
    const keep = 1 - share;
    let gain = state[0]!;
    let loss = state[1]!;
    const first = markWarmUp(period, from, to, out);
    for (let i = Math.max(from, 1); i < to; i++) {
      const change = close[i]! - close[i - 1]!;
      const up = Math.max(change, 0);
      const down = change < 0 ? -change : 0;
      if (i <= period) {
        gain += up;
        loss += down;
        if (i === period) {
          gain /= period;
          loss /= period;
        }
      } else {
        // Not divided by the period, which would take longer than all the rest.
        gain = gain * keep + up * share;
        loss = loss * keep + down * share;
      }
      if (i >= first) y[i - from] = isNet ? ratio(100 * (gain - loss), gain + loss) : ratio(100 * gain, gain + loss);
    }
    state[0] = gain;
    state[1] = loss;
  };
}

/** TA-Lib RSI (Wilder, 1978). */
export const rsi = factory({
  name: 'rsi',
  title: 'Relative strength index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('RSI'),
  note: "Undefined while prices never moved, where TA-Lib gives 0. Wilder's smoothing, as Lean and Skender.",
  machine: ({ period }) => ({
    warmUp: period,
    memory: wilderMemory(period),
    stateSize: 2,
    advance: advanceGains(period, false),
  }),
});

/** TA-Lib CMO (Chande) with Wilder's smoothing. */
export const cmo = factory({
  name: 'cmo',
  title: 'Chande momentum oscillator',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('CMO'),
  note: "Wilder's smoothing as in TA-Lib; Chande's own sums are cmou. Undefined while prices never moved.",
  machine: ({ period }) => ({
    warmUp: period,
    memory: wilderMemory(period),
    stateSize: 2,
    advance: advanceGains(period, true),
  }),
});

/** TA-Lib CMOU: Chande's momentum oscillator as he defined it, with sums over the window. */
export const cmou = factory({
  name: 'cmou',
  title: 'Chande momentum oscillator, unsmoothed',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('CMOU'),
  note: 'Undefined while prices did not move in the window.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 3,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let net = state[0]!;
      let path = state[1]!;
      let still = state[2]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const change = close[i]! - close[i - 1]!;
        net += change;
        path += Math.abs(change);
        still = change === 0 ? still + 1 : 0;
        if (i > period) {
          const old = close[i - period]! - close[i - period - 1]!;
          net -= old;
          path -= Math.abs(old);
        }
        if (i >= first) y[i - from] = still >= period ? Number.NaN : (100 * net) / path;
      }
      state[0] = net;
      state[1] = path;
      state[2] = still;
    },
  }),
});

/** TA-Lib IMI (Chande): share of the bodies that rose. */
export const imi = factory({
  name: 'imi',
  title: 'Intraday momentum index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['open', 'close'],
  parameters: { period: barCount(14) },
  reference: talib('IMI'),
  note: 'Undefined while every bar closed where it opened.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ open, close }, from, to, state, out) {
      const y = out[0]!;
      let up = state[0]!;
      let total = state[1]!;
      let still = state[2]! | 0;
      for (let i = from; i < to; i++) {
        const body = close[i]! - open[i]!;
        if (body > 0) up += body;
        total += Math.abs(body);
        still = body === 0 ? still + 1 : 0;
        if (i >= period) {
          const old = close[i - period]! - open[i - period]!;
          if (old > 0) up -= old;
          total -= Math.abs(old);
        }
        y[i - from] = i < period - 1 || still >= period ? Number.NaN : (100 * up) / total;
      }
      state[0] = up;
      state[1] = total;
      state[2] = still;
    },
  }),
});

/** TA-Lib CCI (Lambert, 1980): distance of the typical price from its mean, in mean deviations of 0.015. */
export const cci = factory({
  name: 'cci',
  title: 'Commodity channel index',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['high', 'low', 'close'],
  parameters: { period: barCount(14) },
  reference: talib('CCI'),
  note: 'Undefined when the typical price did not move in the window, where TA-Lib gives 0.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: period + 3,
    advance({ high, low, close }, from, to, state, out) {
      const y = out[0]!;
      const origin = typicalAt(high, low, close, 0);
      let sum = state[period]!;
      let last = state[period + 1]!;
      let still = state[period + 2]! | 0;
      let place = from % period;
      for (let i = from; i < to; i++) {
        const price = typicalAt(high, low, close, i);
        still = i > 0 && price === last ? still + 1 : 1;
        last = price;
        sum += price - origin;
        if (i >= period) sum -= state[place]! - origin;
        state[place] = price;
        place = place === period - 1 ? 0 : place + 1;
        if (i < period - 1 || still >= period) {
          y[i - from] = Number.NaN;
          continue;
        }
        const mean = origin + sum / period;
        let deviation = 0;
        for (let k = 0; k < period; k++) deviation += Math.abs(state[k]! - mean);
        y[i - from] = (price - mean) / (0.015 * (deviation / period));
      }
      state[period] = sum;
      state[period + 1] = last;
      state[period + 2] = still;
    },
  }),
});

/** Fast average less slow average, and the average of that. `fast` starts with the closes just before the slow one is full. */
function advanceMacd(
  fast: number,
  slow: number,
  signal: number,
  fastWeight: number,
  slowWeight: number,
): Indicator['advance'] {
  const warm = slow - 1;
  const warmUp = warm + signal - 1;
  const signalWeight = 2 / (signal + 1);
  return ({ close }, from, to, state, out) => {
    const yLine = out[0]!;
    const ySignal = out[1]!;
    const yHistogram = out[2]!;
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    const first = markWarmUp(warmUp, from, to, out);
    for (let i = from; i < first; i++) {
      if (i > warm) {
        a = (close[i]! - a) * fastWeight + a;
        b = (close[i]! - b) * slowWeight + b;
      } else {
        // Sums until the slow average is full.
        if (i >= slow - fast) a += close[i]!;
        b += close[i]!;
        if (i === warm) {
          a /= fast;
          b /= slow;
        }
      }
      if (i >= warm) c += a - b;
    }
    for (let i = first; i < to; i++) {
      const k = i - from;
      if (i > warm) {
        a = (close[i]! - a) * fastWeight + a;
        b = (close[i]! - b) * slowWeight + b;
      } else {
        a = (a + close[i]!) / fast;
        b = (b + close[i]!) / slow;
      }
      const line = a - b;
      c = i === warmUp ? (c + line) / signal : (line - c) * signalWeight + c;
      yLine[k] = line;
      ySignal[k] = c;
      yHistogram[k] = line - c;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
  };
}

const MACD_OUTPUTS = ['line', 'signal', 'histogram'];

/** TA-Lib MACD (Appel). The parameters are put in order: the longer is the slow one. */
export const macd = factory({
  name: 'macd',
  title: 'Moving average convergence divergence',
  family: 'momentum',
  unit: 'price',
  inputs: ['close'],
  outputs: MACD_OUTPUTS,
  parameters: { fast: barCount(12), slow: barCount(26), signal: barCount(9, 1) },
  reference: talib('MACD'),
  note: 'The fast average starts with the closes just before the slow one is full (TA-Lib); Skender starts it earlier.',
  machine: (chosen) => {
    const fast = Math.min(chosen.fast, chosen.slow);
    const slow = Math.max(chosen.fast, chosen.slow);
    return {
      warmUp: slow - 1 + chosen.signal - 1,
      memory: slowest(exponentialMemory(slow, 2), exponentialMemory(chosen.signal, 2)),
      stateSize: 3,
      advance: advanceMacd(fast, slow, chosen.signal, 2 / (fast + 1), 2 / (slow + 1)),
    };
  },
});

/** TA-Lib MACDFIX: 12 and 26 bars with the weights 0.15 and 0.075. */
export const macdfix = factory({
  name: 'macdfix',
  title: 'Moving average convergence divergence, fixed 12/26',
  family: 'momentum',
  unit: 'price',
  inputs: ['close'],
  outputs: MACD_OUTPUTS,
  parameters: { signal: barCount(9, 1) },
  reference: talib('MACDFIX'),
  machine: ({ signal }) => ({
    warmUp: 25 + signal - 1,
    memory: slowest(decayMemory(0.925, 2), exponentialMemory(signal, 2)),
    stateSize: 3,
    advance: advanceMacd(12, 26, signal, 0.15, 0.075),
  }),
});

function averageMemory(kind: number, period: number, stages = 1): Indicator['memory'] {
  return kind === AVERAGE_KINDS.exponential ? exponentialMemory(period, stages) : WINDOW;
}

/** TA-Lib MACDEXT: each of the three averages of its own kind (0 simple, 1 exponential, 2 weighted). */
export const macdext = factory({
  name: 'macdext',
  title: 'Moving average convergence divergence, chosen averages',
  family: 'momentum',
  unit: 'price',
  inputs: ['close'],
  outputs: MACD_OUTPUTS,
  parameters: {
    fast: barCount(12),
    fastKind: AVERAGE_KIND_RANGE,
    slow: barCount(26),
    slowKind: AVERAGE_KIND_RANGE,
    signal: barCount(9, 1),
    signalKind: AVERAGE_KIND_RANGE,
  },
  reference: talib('MACDEXT'),
  machine: (chosen) => {
    const isSwapped = chosen.fast > chosen.slow;
    const fast = isSwapped ? chosen.slow : chosen.fast;
    const slow = isSwapped ? chosen.fast : chosen.slow;
    const fastKind = isSwapped ? chosen.slowKind : chosen.fastKind;
    const slowKind = isSwapped ? chosen.fastKind : chosen.slowKind;
    const signalAt = 4;
    const warmUp = slow - 1 + chosen.signal - 1;
    return {
      warmUp,
      memory: slowest(
        averageMemory(fastKind, fast, 2),
        averageMemory(slowKind, slow, 2),
        averageMemory(chosen.signalKind, chosen.signal, 2),
      ),
      stateSize: signalAt + averageSize(chosen.signal),
      advance({ close }, from, to, state, out) {
        const yLine = out[0]!;
        const ySignal = out[1]!;
        const yHistogram = out[2]!;
        advanceAverage(close, fastKind, fast, slow - fast, from, to, state, 0, yLine);
        advanceAverage(close, slowKind, slow, 0, from, to, state, 2, yHistogram);
        for (let i = from; i < to; i++) {
          const k = i - from;
          const line = yLine[k]! - yHistogram[k]!;
          const signal =
            i < slow - 1 ? Number.NaN : averageStep(state, signalAt, chosen.signalKind, chosen.signal, line);
          yLine[k] = i < warmUp ? Number.NaN : line;
          ySignal[k] = signal;
          yHistogram[k] = line - signal;
        }
      },
    };
  },
});

const BLOCK = 512;
const scratch = new Float64Array(BLOCK);

/** Factory of APO, PPO and PVO: the difference of two averages, absolute or in percent of the slow one. */
function averageDifference(told: {
  name: string;
  title: string;
  column: BarColumn;
  isPercent: boolean;
  reference: string;
}): IndicatorFactory<'fast' | 'slow' | 'kind'> {
  const { column, isPercent } = told;
  return factory({
    name: told.name,
    title: told.title,
    family: column === 'volume' ? 'volume' : 'momentum',
    unit: isPercent ? 'percent' : 'price',
    inputs: [column],
    parameters: { fast: barCount(12), slow: barCount(26), kind: { ...AVERAGE_KIND_RANGE, initial: 1 } },
    reference: talib(told.reference),
    note: `Kind of average: 0 simple, 1 exponential, 2 weighted.${isPercent ? ' Undefined over a slow average of 0.' : ''}`,
    machine: (chosen) => {
      const { kind } = chosen;
      const fast = Math.min(chosen.fast, chosen.slow);
      const slow = Math.max(chosen.fast, chosen.slow);
      return {
        warmUp: slow - 1,
        memory: averageMemory(kind, slow),
        stateSize: 4,
        advance(bars, from, to, state, out) {
          const x = bars[column];
          const y = out[0]!;
          // In blocks, so that the other average needs no room that grows with the bars.
          for (let start = from; start < to; start += BLOCK) {
            const end = Math.min(to, start + BLOCK);
            const slows = y.subarray(start - from, end - from);
            advanceAverage(x, kind, slow, 0, start, end, state, 2, slows);
            advanceAverage(x, kind, fast, 0, start, end, state, 0, scratch);
            for (let k = 0; k < end - start; k++) {
              const difference = scratch[k]! - slows[k]!;
              slows[k] = isPercent ? ratio(100 * difference, slows[k]!) : difference;
            }
          }
        },
      };
    },
  });
}

/** TA-Lib APO. */
export const apo = averageDifference({
  name: 'apo',
  title: 'Absolute price oscillator',
  column: 'close',
  isPercent: false,
  reference: 'APO',
});

/** TA-Lib PPO. */
export const ppo = averageDifference({
  name: 'ppo',
  title: 'Percentage price oscillator',
  column: 'close',
  isPercent: true,
  reference: 'PPO',
});

/** TA-Lib PVO. */
export const pvo = averageDifference({
  name: 'pvo',
  title: 'Percentage volume oscillator',
  column: 'volume',
  isPercent: true,
  reference: 'PVO',
});

/** TA-Lib MFI: share of the money flow that came with a rising typical price. */
export const mfi = factory({
  name: 'mfi',
  title: 'Money flow index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close', 'volume'],
  parameters: { period: barCount(14) },
  reference: talib('MFI'),
  note: 'Undefined when no money flowed in the window, where TA-Lib gives 0.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    // Signed flows of the window; rising sum, falling sum, last price, bars without flow in a row.
    stateSize: period + 4,
    advance({ high, low, close, volume }, from, to, state, out) {
      const y = out[0]!;
      let up = state[period]!;
      let down = state[period + 1]!;
      let last = state[period + 2]!;
      let still = state[period + 3]! | 0;
      let place = from % period;
      for (let i = from; i < to; i++) {
        const price = (high[i]! + low[i]! + close[i]!) / 3;
        const old = state[place]!;
        const flow = i === 0 ? 0 : Math.sign(price - last) * price * volume[i]!;
        up += Math.max(flow, 0) - Math.max(old, 0);
        down += Math.max(-flow, 0) - Math.max(-old, 0);
        state[place] = flow;
        still = flow === 0 ? still + 1 : 0;
        if (still >= period) {
          up = 0;
          down = 0;
        }
        y[i - from] = i < period || still >= period ? Number.NaN : (100 * up) / (up + down);
        place = place === period - 1 ? 0 : place + 1;
        last = price;
      }
      state[period] = up;
      state[period + 1] = down;
      state[period + 2] = last;
      state[period + 3] = still;
    },
  }),
});

/** Position of the close between the extremes of the last bars, in percent; NaN where they are equal. */
function stochasticAt(close: number, highest: number, lowest: number): number {
  const range = highest - lowest;
  return range > 0 ? (100 * (close - lowest)) / range : Number.NaN;
}

/** Mean of a short window of `values[at..]`, added up anew each time, so that it is undefined just while one value is. */
function shortMean(values: Float64Array, at: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += values[at + k]!;
  return sum / count;
}

/** TA-Lib STOCH with simple averages (Lane). */
export const stoch = factory({
  name: 'stoch',
  title: 'Slow stochastic',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  outputs: ['k', 'd'],
  parameters: { period: barCount(5), slowing: barCount(3, 1, 100), signal: barCount(3, 1, 100) },
  reference: talib('STOCH'),
  note: 'Undefined while a window without range is averaged in, where TA-Lib counts 0.',
  machine: ({ period, slowing, signal }) => {
    const warmUp = period - 1 + slowing - 1 + signal - 1;
    const tops = 2;
    const bottoms = tops + extremeSize(period);
    const slows = bottoms + extremeSize(period);
    const signals = slows + slowing;
    return {
      warmUp,
      memory: WINDOW,
      stateSize: signals + signal,
      advance({ high, low, close }, from, to, state, out) {
        const yK = out[0]!;
        const yD = out[1]!;
        let top = state[0]!;
        let bottom = state[1]!;
        let place = from % period;
        let slowPlace = from % slowing;
        let signalPlace = from % signal;
        for (let i = from; i < to; i++) {
          if (place === 0) {
            fillHighest(high, i - period, period, state, tops);
            fillLowest(low, i - period, period, state, bottoms);
            top = Number.NEGATIVE_INFINITY;
            bottom = Number.POSITIVE_INFINITY;
          }
          top = Math.max(top, high[i]!);
          bottom = Math.min(bottom, low[i]!);
          place++;
          const highest = Math.max(top, state[tops + place]!);
          const lowest = Math.min(bottom, state[bottoms + place]!);
          if (place === period) place = 0;
          state[slows + slowPlace] = stochasticAt(close[i]!, highest, lowest);
          slowPlace = slowPlace + 1 === slowing ? 0 : slowPlace + 1;
          const slow = shortMean(state, slows, slowing);
          state[signals + signalPlace] = slow;
          signalPlace = signalPlace + 1 === signal ? 0 : signalPlace + 1;
          const isWarm = i >= warmUp;
          yK[i - from] = isWarm ? slow : Number.NaN;
          yD[i - from] = isWarm ? shortMean(state, signals, signal) : Number.NaN;
        }
        state[0] = top;
        state[1] = bottom;
      },
    };
  },
});

/** TA-Lib STOCHF with a simple average. */
export const stochf = factory({
  name: 'stochf',
  title: 'Fast stochastic',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  outputs: ['k', 'd'],
  parameters: { period: barCount(5), signal: barCount(3, 1, 100) },
  reference: talib('STOCHF'),
  note: 'Undefined for a window without range, where TA-Lib gives 0.',
  machine: ({ period, signal }) => {
    const warmUp = period - 1 + signal - 1;
    const tops = 2;
    const bottoms = tops + extremeSize(period);
    const signals = bottoms + extremeSize(period);
    return {
      warmUp,
      memory: WINDOW,
      stateSize: signals + signal,
      advance({ high, low, close }, from, to, state, out) {
        const yK = out[0]!;
        const yD = out[1]!;
        let top = state[0]!;
        let bottom = state[1]!;
        let place = from % period;
        let signalPlace = from % signal;
        for (let i = from; i < to; i++) {
          if (place === 0) {
            fillHighest(high, i - period, period, state, tops);
            fillLowest(low, i - period, period, state, bottoms);
            top = Number.NEGATIVE_INFINITY;
            bottom = Number.POSITIVE_INFINITY;
          }
          top = Math.max(top, high[i]!);
          bottom = Math.min(bottom, low[i]!);
          place++;
          const highest = Math.max(top, state[tops + place]!);
          const lowest = Math.min(bottom, state[bottoms + place]!);
          if (place === period) place = 0;
          const fast = stochasticAt(close[i]!, highest, lowest);
          state[signals + signalPlace] = fast;
          signalPlace = signalPlace + 1 === signal ? 0 : signalPlace + 1;
          const isWarm = i >= warmUp;
          yK[i - from] = isWarm ? fast : Number.NaN;
          yD[i - from] = isWarm ? shortMean(state, signals, signal) : Number.NaN;
        }
        state[0] = top;
        state[1] = bottom;
      },
    };
  },
});

/** TA-Lib STOCHRSI with a simple average (Chande and Kroll, 1994): the fast stochastic of the RSI. */
export const stochrsi = factory({
  name: 'stochrsi',
  title: 'Stochastic relative strength index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  outputs: ['k', 'd'],
  parameters: { period: barCount(14), window: barCount(5), signal: barCount(3, 1, 100) },
  reference: talib('STOCHRSI'),
  note: 'Undefined when the RSI did not move in the window, where TA-Lib gives 0. Near-equal RSI make it ill-conditioned.',
  machine: ({ period, window, signal }) => {
    const warmUp = period + window - 1 + signal - 1;
    const ring = 2;
    const last = ring + rangeSize(window);
    return {
      warmUp,
      memory: wilderMemory(period, 2),
      stateSize: last + signal,
      advance({ close }, from, to, state, out) {
        const yK = out[0]!;
        const yD = out[1]!;
        const share = 1 / period;
        const keep = 1 - share;
        let gain = state[0]!;
        let loss = state[1]!;
        let place = Math.max(from - period, 0) % window;
        let signalPlace = Math.max(from - (period + window - 1), 0) % signal;
        for (let i = from; i < to; i++) {
          yK[i - from] = Number.NaN;
          yD[i - from] = Number.NaN;
          if (i === 0) continue;
          const change = close[i]! - close[i - 1]!;
          // Sums of shares until the first averages are full.
          const decay = i <= period ? 1 : keep;
          gain = gain * decay + Math.max(change, 0) * share;
          loss = loss * decay + Math.max(-change, 0) * share;
          if (i < period) continue;
          const strength = ratio(100 * gain, gain + loss);
          rangeStep(state, ring, window, place, strength);
          place = place + 1 === window ? 0 : place + 1;
          if (i < period + window - 1) continue;
          const fast = stochasticAt(strength, state[ring]!, state[ring + 1]!);
          state[last + signalPlace] = fast;
          signalPlace = signalPlace + 1 === signal ? 0 : signalPlace + 1;
          if (i < warmUp) continue;
          yK[i - from] = fast;
          yD[i - from] = shortMean(state, last, signal);
        }
        state[0] = gain;
        state[1] = loss;
      },
    };
  },
});

/** TA-Lib TRIX (Hutson): one-bar change of a triple exponential average, percent. */
export const trix = factory({
  name: 'trix',
  title: 'Triple exponential rate of change',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('TRIX'),
  machine: ({ period }) => ({
    warmUp: 3 * (period - 1) + 1,
    memory: exponentialMemory(period, 3),
    stateSize: 3 * EXPONENTIAL_SIZE,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const weight = 2 / (period + 1);
      const warm = 3 * (period - 1);
      let i = from;
      for (; i < to && i <= warm; i++) {
        const a = exponentialStep(state, 0, period, weight, close[i]!);
        const b = exponentialStep(state, 2, period, weight, a);
        exponentialStep(state, 4, period, weight, b);
        y[i - from] = Number.NaN;
      }
      if (i === to) return;
      let [a, b, c] = [state[1]!, state[3]!, state[5]!];
      for (; i < to; i++) {
        a = (close[i]! - a) * weight + a;
        b = (a - b) * weight + b;
        const before = c;
        c = (b - c) * weight + c;
        y[i - from] = ratio(100 * (c - before), before);
      }
      state[1] = a;
      state[3] = b;
      state[5] = c;
    },
  }),
});

/** TA-Lib ULTOSC (Williams, 1985): buying pressure over true range in three windows, weighted 4, 2, 1. */
export const ultosc = factory({
  name: 'ultosc',
  title: 'Ultimate oscillator',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  parameters: { short: barCount(7, 1), middle: barCount(14, 1), long: barCount(28, 1) },
  reference: talib('ULTOSC'),
  note: 'Undefined when prices did not move in the shortest window, where TA-Lib leaves that window out.',
  machine: (chosen) => {
    const [short, middle, long] = [chosen.short, chosen.middle, chosen.long].sort((a, b) => a - b) as [
      number,
      number,
      number,
    ];
    return {
      warmUp: long,
      memory: WINDOW,
      // Six sums, bars without range in a row, then buying pressure and true range of the last `long` bars.
      stateSize: 7 + 2 * long,
      advance({ high, low, close }, from, to, state, out) {
        const y = out[0]!;
        let a1 = state[0]!;
        let b1 = state[1]!;
        let a2 = state[2]!;
        let b2 = state[3]!;
        let a3 = state[4]!;
        let b3 = state[5]!;
        let still = state[6]! | 0;
        const ranges = 7 + long;
        let place = from % long;
        const first = markWarmUp(long, from, to, out);
        for (let i = Math.max(from, 1); i < to; i++) {
          if (i > from) place = place + 1 === long ? 0 : place + 1;
          const before = close[i - 1]!;
          const bottom = Math.min(low[i]!, before);
          const bought = close[i]! - bottom;
          const range = Math.max(high[i]!, before) - bottom;
          const shortPlace = place < short ? place - short + long : place - short;
          const middlePlace = place < middle ? place - middle + long : place - middle;
          still = range === 0 ? still + 1 : 0;
          // What leaves each window: 0 until it is full, as the ring is at the start.
          a1 += bought - state[7 + shortPlace]!;
          b1 += range - state[ranges + shortPlace]!;
          a2 += bought - state[7 + middlePlace]!;
          b2 += range - state[ranges + middlePlace]!;
          a3 += bought - state[7 + place]!;
          b3 += range - state[ranges + place]!;
          state[7 + place] = bought;
          state[ranges + place] = range;
          if (i >= first)
            y[i - from] = still >= short ? Number.NaN : (100 * (4 * (a1 / b1) + 2 * (a2 / b2) + a3 / b3)) / 7;
        }
        state[0] = a1;
        state[1] = b1;
        state[2] = a2;
        state[3] = b2;
        state[4] = a3;
        state[5] = b3;
        state[6] = still;
      },
    };
  },
});

/** TA-Lib WILLR: distance of the close from the highest high, −100 to 0. */
export const willr = factory({
  name: 'willr',
  title: 'Williams %R',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  parameters: { period: barCount(14) },
  reference: talib('WILLR'),
  note: 'Undefined for a window without range, where TA-Lib gives 0.',
  machine: ({ period }) =>
    perRange(period, 'high', 'low', ({ close }, { start, end, from }, highest, lowest, y) => {
      for (let i = start; i < end; i++) {
        const range = highest[i - start]! - lowest[i - start]!;
        y[i - from] = range > 0 ? (highest[i - start]! - close[i]!) / (range / -100) : Number.NaN;
      }
    }),
});

/** TA-Lib AO (Williams): mean of the middle of 5 bars less that of 34. */
export const awesome = factory({
  name: 'ao',
  title: 'Awesome oscillator',
  family: 'momentum',
  unit: 'price',
  inputs: ['high', 'low'],
  parameters: { fast: barCount(5), slow: barCount(34) },
  reference: talib('AO'),
  machine: (chosen) => {
    const fast = Math.min(chosen.fast, chosen.slow);
    const slow = Math.max(chosen.fast, chosen.slow);
    return {
      warmUp: slow - 1,
      memory: WINDOW,
      stateSize: 2,
      advance({ high, low }, from, to, state, out) {
        const y = out[0]!;
        let a = state[0]!;
        let b = state[1]!;
        for (let i = from; i < to; i++) {
          const middle = (high[i]! + low[i]!) / 2;
          a += middle;
          b += middle;
          if (i >= fast) a -= (high[i - fast]! + low[i - fast]!) / 2;
          if (i >= slow) b -= (high[i - slow]! + low[i - slow]!) / 2;
          y[i - from] = i < slow - 1 ? Number.NaN : a / fast - b / slow;
        }
        state[0] = a;
        state[1] = b;
      },
    };
  },
});

/** TA-Lib ERI, Elder-ray: extremes of the bar less the exponential average. */
export const elderRay = factory({
  name: 'elder_ray',
  title: 'Elder-ray bull and bear power',
  family: 'momentum',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['bull', 'bear'],
  parameters: { period: barCount(13) },
  reference: talib('ERI'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: exponentialMemory(period),
    stateSize: EXPONENTIAL_SIZE,
    advance({ high, low, close }, from, to, state, out) {
      for (let i = from; i < to; i++) {
        const average = exponentialStep(state, 0, period, 2 / (period + 1), close[i]!);
        out[0]![i - from] = high[i]! - average;
        out[1]![i - from] = low[i]! - average;
      }
    },
  }),
});

/** TA-Lib TSI (Blau, 1991): twice smoothed change over twice smoothed absolute change. */
export const tsi = factory({
  name: 'tsi',
  title: 'True strength index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { first: barCount(25), second: barCount(13) },
  reference: talib('TSI'),
  note: 'Undefined while prices never moved.',
  machine: ({ first, second }) => ({
    warmUp: first + second - 1,
    memory: slowest(exponentialMemory(first, 2), exponentialMemory(second, 2)),
    stateSize: 4 * EXPONENTIAL_SIZE,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      for (let i = from; i < to; i++) {
        y[i - from] = Number.NaN;
        if (i === 0) continue;
        const change = close[i]! - close[i - 1]!;
        const once = exponentialStep(state, 0, first, 2 / (first + 1), change);
        const twice = exponentialStep(state, 2, second, 2 / (second + 1), once);
        const onceAbsolute = exponentialStep(state, 4, first, 2 / (first + 1), Math.abs(change));
        const twiceAbsolute = exponentialStep(state, 6, second, 2 / (second + 1), onceAbsolute);
        y[i - from] = ratio(100 * twice, twiceAbsolute);
      }
    },
  }),
});

/** Pring's Know Sure Thing: four smoothed rates of change, weighted 1 to 4, and a signal. */
export const kst = factory({
  name: 'kst',
  title: 'Know sure thing',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  outputs: ['line', 'signal'],
  parameters: { signal: barCount(9, 1, 100) },
  reference: defined('Pring 1992: rates of change 10, 15, 20, 30 smoothed by 10, 10, 10, 15'),
  machine: ({ signal }) => {
    const lags = [10, 15, 20, 30];
    const means = [10, 10, 10, 15];
    const starts = means.map((_, k) => means.slice(0, k).reduce((sum, period) => sum + meanSize(period), 0));
    const signalAt = starts[3]! + meanSize(15);
    const warmUp = 30 + 14 + signal - 1;
    return {
      warmUp,
      memory: WINDOW,
      stateSize: signalAt + meanSize(signal),
      advance({ close }, from, to, state, out) {
        for (let i = from; i < to; i++) {
          let line = 0;
          for (let k = 0; k < 4; k++) {
            const lag = lags[k]!;
            const change = i < lag ? Number.NaN : 100 * (close[i]! / close[i - lag]! - 1);
            line += (k + 1) * meanStep(state, starts[k]!, means[k]!, change);
          }
          const average = meanStep(state, signalAt, signal, line);
          out[0]![i - from] = i < warmUp ? Number.NaN : line;
          out[1]![i - from] = average;
        }
      },
    };
  },
});

/** TA-Lib COPPOCK (1965): weighted average of two rates of change. */
export const coppock = factory({
  name: 'coppock',
  title: 'Coppock curve',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { window: barCount(10), short: barCount(11, 1), long: barCount(14, 1) },
  reference: talib('COPPOCK'),
  machine: ({ window, short, long }) => {
    const lag = Math.max(short, long);
    return {
      warmUp: lag + window - 1,
      memory: WINDOW,
      stateSize: weightedSize(window),
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        const first = markWarmUp(lag, from, to, out);
        for (let i = first; i < to; i++) {
          const changes = 100 * (close[i]! / close[i - short]! - 1) + 100 * (close[i]! / close[i - long]! - 1);
          y[i - from] = weightedStep(state, 0, window, changes);
        }
      },
    };
  },
});

/** Detrended price against a mean of the past: the close half a period ago less the mean now. */
export const dpo = factory({
  name: 'dpo',
  title: 'Detrended price oscillator',
  family: 'momentum',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(20) },
  reference: talib('DPO'),
  note: 'The close period / 2 + 1 bars ago less the mean as of now: nothing is drawn back.',
  machine: ({ period }) => {
    const lag = Math.floor(period / 2) + 1;
    const warmUp = Math.max(period - 1, lag);
    return {
      warmUp,
      memory: WINDOW,
      stateSize: 1,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        let sum = state[0]!;
        for (let i = from; i < to; i++) {
          sum += close[i]!;
          if (i >= period) sum -= close[i - period]!;
          y[i - from] = i < warmUp ? Number.NaN : close[i - lag]! - sum / period;
        }
        state[0] = sum;
      },
    };
  },
});

/** Fisher transform (Ehlers, Stocks & Commodities 20:11, 2002) of the place of the middle price in its range. */
export const fisher = factory({
  name: 'fisher',
  title: 'Fisher transform',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['high', 'low'],
  outputs: ['line', 'trigger'],
  parameters: { period: barCount(10) },
  reference: defined('Ehlers 2002; Skender ToFisherTransform from the bar its window is full', 1e-9),
  note: 'A window without range counts as its middle. Begins with full windows; Skender begins with the first bar.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: decayMemory(0.67, 2),
    stateSize: 2 + rangeSize(period),
    advance({ high, low }, from, to, state, out) {
      let smooth = state[0]!;
      let line = state[1]!;
      let place = from % period;
      for (let i = from; i < to; i++) {
        const k = i - from;
        const middle = (high[i]! + low[i]!) / 2;
        rangeStep(state, 2, period, place, middle);
        place = place + 1 === period ? 0 : place + 1;
        out[0]![k] = Number.NaN;
        out[1]![k] = Number.NaN;
        if (i < period - 1) continue;
        smooth = 0.66 * (placeBetween(middle, state[2]!, state[3]!, 0.5) - 0.5) + 0.67 * smooth;
        if (Math.abs(smooth) > 0.99) smooth = Math.sign(smooth) * 0.999;
        const before = line;
        line = 0.5 * Math.log((1 + smooth) / (1 - smooth)) + 0.5 * before;
        if (i < period) continue;
        out[0]![k] = line;
        out[1]![k] = before;
      }
      state[0] = smooth;
      state[1] = line;
    },
  }),
});

/** TA-Lib ER: Kaufman's efficiency ratio, net move over path. */
export const efficiency = factory({
  name: 'efficiency',
  title: 'Kaufman efficiency ratio',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(10) },
  reference: talib('ER'),
  note: 'Undefined when prices did not move in the window.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let path = state[0]!;
      let still = state[1]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const change = Math.abs(close[i]! - close[i - 1]!);
        path += change;
        still = change === 0 ? still + 1 : 0;
        if (i > period) path -= Math.abs(close[i - period]! - close[i - period - 1]!);
        if (i < first) continue;
        const net = Math.abs(close[i]! - close[i - period]!);
        y[i - from] = still >= period ? Number.NaN : path <= net ? 1 : net / path;
      }
      state[0] = path;
      state[1] = still;
    },
  }),
});

/** TA-Lib VHF (White): range of the closes over their path. */
export const vhf = factory({
  name: 'vhf',
  title: 'Vertical horizontal filter',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(28) },
  reference: talib('VHF'),
  note: 'Undefined when prices did not move in the window.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 4,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let path = state[0]!;
      let still = state[1]! | 0;
      let highest = state[2]! | 0;
      let lowest = state[3]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = from; i < to; i++) {
        const start = i < period ? 0 : i - period + 1;
        highest = latestHighest(close, highest, start, i);
        lowest = latestLowest(close, lowest, start, i);
        if (i === 0) continue;
        const change = Math.abs(close[i]! - close[i - 1]!);
        path += change;
        still = change === 0 ? still + 1 : 0;
        if (i > period) path -= Math.abs(close[i - period]! - close[i - period - 1]!);
        if (i >= first) y[i - from] = still >= period ? Number.NaN : (close[highest]! - close[lowest]!) / path;
      }
      state[0] = path;
      state[1] = still;
      state[2] = highest;
      state[3] = lowest;
    },
  }),
});

/** TA-Lib QSTICK (Chande): mean body of the last bars. */
export const qstick = factory({
  name: 'qstick',
  title: 'Qstick',
  family: 'momentum',
  unit: 'price',
  inputs: ['open', 'close'],
  parameters: { period: barCount(10) },
  reference: talib('QSTICK'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1,
    advance({ open, close }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        sum += close[i]! - open[i]!;
        if (i >= period) sum -= close[i - period]! - open[i - period]!;
        y[i - from] = i < period - 1 ? Number.NaN : sum / period;
      }
      state[0] = sum;
    },
  }),
});

/** Place of `value` between two extremes, 0 to 1; `otherwise` where they are equal. */
function placeBetween(value: number, highest: number, lowest: number, otherwise: number): number {
  return highest > lowest ? (value - lowest) / (highest - lowest) : otherwise;
}

/** A part of the way from where it was to the value, or the value itself at first. */
function approach(isFirst: boolean, before: number, value: number, part: number): number {
  return isFirst ? value : before + part * (value - before);
}

/** Schaff trend cycle (1999): a stochastic of a stochastic of the MACD line, smoothed by halves. */
export const schaff = factory({
  name: 'stc',
  title: 'Schaff trend cycle',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { cycle: barCount(10), fast: barCount(23), slow: barCount(50), factor: realNumber(0.5, 0.01, 1) },
  reference: defined('Schaff 1999'),
  note: 'A window without range repeats the value before, 50 at the start.',
  machine: (chosen) => {
    const { cycle, factor } = chosen;
    const fast = Math.min(chosen.fast, chosen.slow);
    const slow = Math.max(chosen.fast, chosen.slow);
    const full = slow - 1 + cycle - 1;
    const warmUp = full + cycle - 1;
    // In order: two averages, raw and smoothed value of each stochastic, rings.
    const at = 2 * EXPONENTIAL_SIZE;
    const first = at + 4;
    const second = first + rangeSize(cycle);
    return {
      warmUp,
      memory: exponentialMemory(slow, 3),
      stateSize: second + rangeSize(cycle),
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        let place = Math.max(from - slow + 1, 0) % cycle;
        let secondPlace = Math.max(from - full, 0) % cycle;
        for (let i = from; i < to; i++) {
          y[i - from] = Number.NaN;
          const b = exponentialStep(state, EXPONENTIAL_SIZE, slow, 2 / (slow + 1), close[i]!);
          if (i < slow - fast) continue;
          const a = exponentialStep(state, 0, fast, 2 / (fast + 1), close[i]!);
          if (i < slow - 1) continue;
          rangeStep(state, first, cycle, place, a - b);
          place = place + 1 === cycle ? 0 : place + 1;
          if (i < full) continue;
          // Until a window has had a range its place counts as the middle.
          if (i === full) state.fill(50, at, at + 3);
          const once = 100 * placeBetween(a - b, state[first]!, state[first + 1]!, state[at]! / 100);
          const smooth = approach(i === full, state[at + 1]!, once, factor);
          state[at] = once;
          state[at + 1] = smooth;
          rangeStep(state, second, cycle, secondPlace, smooth);
          secondPlace = secondPlace + 1 === cycle ? 0 : secondPlace + 1;
          if (i < warmUp) continue;
          const twice = 100 * placeBetween(smooth, state[second]!, state[second + 1]!, state[at + 2]! / 100);
          state[at + 3] = approach(i === warmUp, state[at + 3]!, twice, factor);
          state[at + 2] = twice;
          y[i - from] = state[at + 3]!;
        }
      },
    };
  },
});

/** Connors RSI (2012): mean of a short RSI, the RSI of the run of rises or falls, and the rank of the last return. */
export const connorsRsi = factory({
  name: 'connors_rsi',
  title: 'Connors RSI',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(3), streak: barCount(2), rank: barCount(100) },
  reference: defined('Connors and Alvarez 2012; Skender ToConnorsRsi', 1e-9),
  note: 'Undefined while prices never moved.',
  machine: ({ period, streak, rank }) => {
    const warmUp = Math.max(period, streak, rank) + 1;
    return {
      warmUp,
      memory: slowest(wilderMemory(period, 2), wilderMemory(streak, 2)),
      stateSize: 5 + rank,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        let place = Math.max(from - 1, 0) % rank;
        for (let i = from; i < to; i++) {
          y[i - from] = Number.NaN;
          if (i === 0) continue;
          const change = close[i]! - close[i - 1]!;
          const strength = strengthStep(state, 0, i, period, change);
          const run = state[4]!;
          const next = change > 0 ? Math.max(run, 0) + 1 : change < 0 ? Math.min(run, 0) - 1 : 0;
          state[4] = next;
          const runStrength = strengthStep(state, 2, i, streak, next - run);
          const gain = gainAt(close, i);
          const below = i < warmUp ? 0 : countBelow(state, 5, rank, gain);
          state[5 + place] = gain;
          place = place + 1 === rank ? 0 : place + 1;
          if (i < warmUp) continue;
          y[i - from] = (strength + runStrength + (100 * below) / rank) / 3;
        }
      },
    };
  },
});

/** Return of bar `i` ≥ 1; over a close of 0 it counts 0. */
function gainAt(close: Float64Array, i: number): number {
  return close[i - 1] === 0 ? 0 : close[i]! / close[i - 1]! - 1;
}

/** One step of an RSI over changes that come one by one; `i` counts them from 1. */
function strengthStep(state: Float64Array, at: number, i: number, period: number, change: number): number {
  const up = Math.max(change, 0);
  const down = change < 0 ? -change : 0;
  const seeds = i <= period;
  state[at] = seeds ? state[at]! + up / period : (state[at]! * (period - 1) + up) / period;
  state[at + 1] = seeds ? state[at + 1]! + down / period : (state[at + 1]! * (period - 1) + down) / period;
  return ratio(100 * state[at]!, state[at]! + state[at + 1]!);
}

/** Pring's momentum oscillator (DecisionPoint): a one-bar change smoothed twice by 2 / period, and a signal. */
export const pmo = factory({
  name: 'pmo',
  title: 'Price momentum oscillator',
  family: 'momentum',
  unit: 'percent',
  inputs: ['close'],
  outputs: ['line', 'signal'],
  parameters: { first: barCount(35, 3), second: barCount(20, 3), signal: barCount(10, 1) },
  reference: defined('Swenlin; Skender ToPmo', 1e-9),
  machine: ({ first, second, signal }) => {
    const warmUp = first + second - 1 + signal - 1;
    return {
      warmUp,
      memory: slowest(decayMemory(1 - 2 / first, 2), decayMemory(1 - 2 / second, 2), exponentialMemory(signal, 2)),
      stateSize: 3 * EXPONENTIAL_SIZE,
      advance({ close }, from, to, state, out) {
        for (let i = from; i < to; i++) {
          const change = i === 0 ? Number.NaN : 100 * (close[i]! / close[i - 1]! - 1);
          const once = 10 * exponentialStep(state, 0, first, 2 / first, change);
          const line = exponentialStep(state, 2, second, 2 / second, once);
          const average = exponentialStep(state, 4, signal, 2 / (signal + 1), line);
          out[0]![i - from] = i < warmUp ? Number.NaN : line;
          out[1]![i - from] = average;
        }
      },
    };
  },
});

/** Relative vigor index (Dorsey/Ehlers): smoothed bodies over smoothed ranges, and a signal. */
export const vigor = factory({
  name: 'vigor',
  title: 'Relative vigor index',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['open', 'high', 'low', 'close'],
  outputs: ['line', 'signal'],
  parameters: { period: barCount(10) },
  reference: defined('Ehlers, Stocks & Commodities 20:1, 2002; Lean', 1e-5),
  note: 'Undefined when the window has no range.',
  machine: ({ period }) => {
    const warmUp = 3 + period - 1 + 3;
    const at = 2 * meanSize(period);
    return {
      warmUp,
      memory: WINDOW,
      stateSize: at + 4,
      advance({ open, high, low, close }, from, to, state, out) {
        const first = markWarmUp(3, from, to, out);
        for (let i = first; i < to; i++) {
          const body =
            (close[i]! -
              open[i]! +
              2 * (close[i - 1]! - open[i - 1]!) +
              2 * (close[i - 2]! - open[i - 2]!) +
              (close[i - 3]! - open[i - 3]!)) /
            6;
          const range =
            (high[i]! -
              low[i]! +
              2 * (high[i - 1]! - low[i - 1]!) +
              2 * (high[i - 2]! - low[i - 2]!) +
              (high[i - 3]! - low[i - 3]!)) /
            6;
          const bodies = sumStep(state, 0, period, body);
          const ranges = sumStep(state, meanSize(period), period, range);
          const line = ranges > 0 ? bodies / ranges : Number.NaN;
          const signal = (line + 2 * state[at]! + 2 * state[at + 1]! + state[at + 2]!) / 6;
          state[at + 2] = state[at + 1]!;
          state[at + 1] = state[at]!;
          state[at] = line;
          out[0]![i - from] = i < warmUp ? Number.NaN : line;
          out[1]![i - from] = i < warmUp ? Number.NaN : signal;
        }
      },
    };
  },
});

/** Change from `skip` bars before the window's end: the classical momentum of 252 less the last 21 bars. */
export const skipMomentum = factory({
  name: 'skip_momentum',
  title: 'Momentum that skips the last month',
  family: 'momentum',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { period: barCount(252), skip: barCount(21, 0) },
  reference: defined('Jegadeesh and Titman 1993, doi:10.1111/j.1540-6261.1993.tb04702.x'),
  note: 'close[t − skip] / close[t − period] − 1; the skip must be shorter than the period, else nothing is left (0).',
  machine: ({ period, skip }) =>
    perBar(period, ({ close: x }, from, to, y) => {
      const end = Math.min(skip, period);
      for (let i = Math.max(from, period); i < to; i++)
        y[i - from] = x[i - period] === 0 ? Number.NaN : x[i - end]! / x[i - period]! - 1;
    }),
});
