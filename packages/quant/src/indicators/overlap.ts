import {
  barCount,
  decayMemory,
  defined,
  exponentialMemory,
  factory,
  perRange,
  realNumber,
  slowest,
  talib,
  WINDOW,
  wilderMemory,
} from './factory.ts';
import type { Indicator } from './indicator.ts';
import {
  advanceExponential,
  advanceExtremes,
  advanceSimple,
  advanceWeighted,
  EXPONENTIAL_SIZE,
  exponentialStep,
  extremesSize,
  latestHighest,
  latestLowest,
  markWarmUp,
  trueRangeAt,
  typicalAt,
} from './kernels.ts';

/** TA-Lib SMA: mean of the last `period` closes, as a sliding sum. */
export const sma = factory({
  name: 'sma',
  title: 'Simple moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('SMA'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      advanceSimple(close, period, from, to, state, 0, out[0]!);
    },
  }),
});

/** TA-Lib EMA: starts with the mean of the first `period` closes. */
export const ema = factory({
  name: 'ema',
  title: 'Exponential moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('EMA'),
  note: 'Starts with the mean of the first period closes (TA-Lib classic), not with the first close.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: exponentialMemory(period),
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      advanceExponential(close, period, 2 / (period + 1), 0, from, to, state, 0, out[0]!);
    },
  }),
});

/** TA-Lib RMA, Wilder's smoothing: as EMA with weight 1 / period. */
export const rma = factory({
  name: 'rma',
  title: "Wilder's moving average",
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('RMA'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: wilderMemory(period),
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      advanceExponential(close, period, 1 / period, 0, from, to, state, 0, out[0]!);
    },
  }),
});

/** TA-Lib DEMA: 2 EMA − EMA of EMA (Mulloy, Stocks & Commodities 12:1, 1994). */
export const dema = factory({
  name: 'dema',
  title: 'Double exponential moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('DEMA'),
  machine: ({ period }) => ({
    warmUp: 2 * (period - 1),
    memory: exponentialMemory(period, 2),
    stateSize: 2 * EXPONENTIAL_SIZE,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const weight = 2 / (period + 1);
      let i = from;
      for (; i < to && i <= 2 * (period - 1); i++) {
        const first = exponentialStep(state, 0, period, weight, close[i]!);
        y[i - from] = 2 * first - exponentialStep(state, 2, period, weight, first);
      }
      if (i === to) return;
      let [a, b] = [state[1]!, state[3]!];
      for (; i < to; i++) {
        a = (close[i]! - a) * weight + a;
        b = (a - b) * weight + b;
        y[i - from] = 2 * a - b;
      }
      state[1] = a;
      state[3] = b;
    },
  }),
});

/** TA-Lib TEMA: 3 EMA − 3 EMA² + EMA³ (Mulloy, 1994). */
export const tema = factory({
  name: 'tema',
  title: 'Triple exponential moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('TEMA'),
  machine: ({ period }) => ({
    warmUp: 3 * (period - 1),
    memory: exponentialMemory(period, 3),
    stateSize: 3 * EXPONENTIAL_SIZE,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const weight = 2 / (period + 1);
      let i = from;
      for (; i < to && i <= 3 * (period - 1); i++) {
        const first = exponentialStep(state, 0, period, weight, close[i]!);
        const second = exponentialStep(state, 2, period, weight, first);
        const third = exponentialStep(state, 4, period, weight, second);
        y[i - from] = 3 * first - 3 * second + third;
      }
      if (i === to) return;
      let [a, b, c] = [state[1]!, state[3]!, state[5]!];
      for (; i < to; i++) {
        a = (close[i]! - a) * weight + a;
        b = (a - b) * weight + b;
        c = (b - c) * weight + c;
        y[i - from] = 3 * a - 3 * b + c;
      }
      state[1] = a;
      state[3] = b;
      state[5] = c;
    },
  }),
});

/** TA-Lib T3: six exponential averages in a row, combined with the volume factor (Tillson, Stocks & Commodities 16:1, 1998). */
export const t3 = factory({
  name: 't3',
  title: 'T3 moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(5), volumeFactor: realNumber(0.7, 0, 1) },
  reference: talib('T3'),
  machine: ({ period, volumeFactor: v }) => {
    const weight = 2 / (period + 1);
    const c1 = -v * v * v;
    const c2 = 3 * (v * v - c1);
    const c3 = -6 * v * v - 3 * (v - c1);
    const c4 = 1 + 3 * v - c1 + 3 * v * v;
    return {
      warmUp: 6 * (period - 1),
      memory: exponentialMemory(period, 6),
      stateSize: 6 * EXPONENTIAL_SIZE,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        const warmUp = 6 * (period - 1);
        let i = from;
        for (; i < to && i <= warmUp; i++) {
          let value = close[i]!;
          for (let stage = 0; stage < 6; stage++)
            value = exponentialStep(state, stage * EXPONENTIAL_SIZE, period, weight, value);
          y[i - from] = c1 * value + c2 * state[9]! + c3 * state[7]! + c4 * state[5]!;
        }
        if (i === to) return;
        let [e1, e2, e3, e4, e5, e6] = [state[1]!, state[3]!, state[5]!, state[7]!, state[9]!, state[11]!];
        for (; i < to; i++) {
          e1 = (close[i]! - e1) * weight + e1;
          e2 = (e1 - e2) * weight + e2;
          e3 = (e2 - e3) * weight + e3;
          e4 = (e3 - e4) * weight + e4;
          e5 = (e4 - e5) * weight + e5;
          e6 = (e5 - e6) * weight + e6;
          y[i - from] = c1 * e6 + c2 * e5 + c3 * e4 + c4 * e3;
        }
        state[1] = e1;
        state[3] = e2;
        state[5] = e3;
        state[7] = e4;
        state[9] = e5;
        state[11] = e6;
      },
    };
  },
});

/** TA-Lib WMA: weights 1, 2, … period, as sliding sums. */
export const wma = factory({
  name: 'wma',
  title: 'Weighted moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('WMA'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      advanceWeighted(close, period, from, to, state, 0, out[0]!);
    },
  }),
});

/** TA-Lib TRIMA: a mean of means, so that the middle of the window weighs most. */
export const trima = factory({
  name: 'trima',
  title: 'Triangular moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('TRIMA'),
  machine: ({ period }) => {
    const inner = period % 2 === 1 ? (period + 1) / 2 : period / 2;
    const outer = period + 1 - inner;
    return {
      warmUp: period - 1,
      memory: WINDOW,
      stateSize: 3,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        // The inner sum at this bar, the same `outer` bars ago, and the sum of the inner sums between.
        let now = state[0]!;
        let then = state[1]!;
        let total = state[2]!;
        for (let i = from; i < to; i++) {
          now += close[i]!;
          if (i >= inner) now -= close[i - inner]!;
          if (i >= inner - 1) total += now;
          const past = i - outer;
          if (past >= 0) {
            then += close[past]!;
            if (past >= inner) then -= close[past - inner]!;
            if (past >= inner - 1) total -= then;
          }
          y[i - from] = i < period - 1 ? Number.NaN : total / (inner * outer);
        }
        state[0] = now;
        state[1] = then;
        state[2] = total;
      },
    };
  },
});

/** TA-Lib KAMA with fast 2 and slow 30 (Kaufman, Trading Systems and Methods). Starts from the close before its first value. */
export const kama = factory({
  name: 'kama',
  title: 'Kaufman adaptive moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(30) },
  reference: talib('KAMA'),
  note: 'How long it remembers depends on the market: in a sideways one its weight falls to 0.4 % a bar.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: decayMemory(1 - 0.0115),
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const slow = 2 / 31;
      const span = 2 / 3 - slow;
      let path = state[0]!;
      let average = state[1]!;
      for (let i = from; i < to; i++) {
        if (i > 0) path += Math.abs(close[i]! - close[i - 1]!);
        if (i < period) {
          average = close[i]!;
          y[i - from] = Number.NaN;
          continue;
        }
        if (i > period) path -= Math.abs(close[i - period]! - close[i - period - 1]!);
        const distance = close[i]! - close[i - period]!;
        const efficiency = path <= Math.abs(distance) || path === 0 ? 1 : Math.abs(distance / path);
        const weight = efficiency * span + slow;
        average = (close[i]! - average) * weight * weight + average;
        y[i - from] = average;
      }
      state[0] = path;
      state[1] = average;
    },
  }),
});

/** TA-Lib MIDPOINT: middle between the highest and lowest close. */
export const midpoint = factory({
  name: 'midpoint',
  title: 'Midpoint over period',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('MIDPOINT'),
  machine: ({ period }) =>
    perRange(period, 'close', 'close', (_bars, { start, end, from }, highest, lowest, y) => {
      for (let i = start; i < end; i++) {
        y[i - from] = (highest[i - start]! + lowest[i - start]!) / 2;
      }
    }),
});

/** TA-Lib MIDPRICE: middle between the highest high and the lowest low. */
export const midprice = factory({
  name: 'midprice',
  title: 'Midpoint price over period',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low'],
  parameters: { period: barCount(14) },
  reference: talib('MIDPRICE'),
  machine: ({ period }) =>
    perRange(period, 'high', 'low', (_bars, { start, end, from }, highest, lowest, y) => {
      for (let i = start; i < end; i++) {
        y[i - from] = (highest[i - start]! + lowest[i - start]!) / 2;
      }
    }),
});

/** TA-Lib BBANDS with a simple average: ± deviations of the population standard deviation (Bollinger). */
export const bbands = factory({
  name: 'bbands',
  title: 'Bollinger bands',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  outputs: ['upper', 'middle', 'lower'],
  parameters: { period: barCount(20), up: realNumber(2, 0, 10), down: realNumber(2, 0, 10) },
  reference: talib('BBANDS'),
  note: 'Population deviation (n). Sums are taken around the first close, which keeps digits that TA-Lib loses.',
  machine: ({ period, up, down }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      const upper = out[0]!;
      const middle = out[1]!;
      const lower = out[2]!;
      const origin = close[0]!;
      let sum = state[0]!;
      let squares = state[1]!;
      for (let i = from; i < to; i++) {
        const k = i - from;
        const x = close[i]! - origin;
        sum += x;
        squares += x * x;
        if (i < period - 1) {
          upper[k] = Number.NaN;
          middle[k] = Number.NaN;
          lower[k] = Number.NaN;
          continue;
        }
        const mean = sum / period;
        const variance = squares / period - mean * mean;
        const deviation = variance > 0 ? Math.sqrt(variance) : 0;
        upper[k] = origin + mean + up * deviation;
        middle[k] = origin + mean;
        lower[k] = origin + mean - down * deviation;
        const old = close[i - period + 1]! - origin;
        sum -= old;
        squares -= old * old;
      }
      state[0] = sum;
      state[1] = squares;
    },
  }),
});

/** TA-Lib ACCBANDS (Headley): bands that widen with the range of each bar. */
export const accbands = factory({
  name: 'accbands',
  title: 'Acceleration bands',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['upper', 'middle', 'lower'],
  parameters: { period: barCount(20) },
  reference: talib('ACCBANDS'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ high, low, close }, from, to, state, out) {
      let upper = state[0]!;
      let middle = state[1]!;
      let lower = state[2]!;
      const widen = (i: number): number => {
        const total = high[i]! + low[i]!;
        return total === 0 ? 0 : (4 * (high[i]! - low[i]!)) / total;
      };
      for (let i = from; i < to; i++) {
        const wide = widen(i);
        upper += high[i]! * (1 + wide);
        middle += close[i]!;
        lower += low[i]! * (1 - wide);
        const isWarm = i >= period - 1;
        out[0]![i - from] = isWarm ? upper / period : Number.NaN;
        out[1]![i - from] = isWarm ? middle / period : Number.NaN;
        out[2]![i - from] = isWarm ? lower / period : Number.NaN;
        if (!isWarm) continue;
        const old = i - period + 1;
        const oldWide = widen(old);
        upper -= high[old]! * (1 + oldWide);
        middle -= close[old]!;
        lower -= low[old]! * (1 - oldWide);
      }
      state[0] = upper;
      state[1] = middle;
      state[2] = lower;
    },
  }),
});

type StopRules = {
  /** 0: the direction of the second bar decides. Above: long from this stop; below: short from its opposite. */
  startValue: number;
  offsetOnReverse: number;
  startLong: number;
  stepLong: number;
  maxLong: number;
  startShort: number;
  stepShort: number;
  maxShort: number;
  /** Negative values while short. */
  isSigned: boolean;
};

/**
 * Wilder's stop and reverse (New Concepts in Technical Trading Systems, 1978), one state for SAR and SAREXT.
 *
 * While short, prices are seen in the mirror (negated), so that both directions follow the same few lines.
 */
function advanceStop(rules: StopRules): Indicator['advance'] {
  const long = { start: rules.startLong, step: rules.stepLong, max: rules.maxLong };
  const short = { start: rules.startShort, step: rules.stepShort, max: rules.maxShort };
  const { offsetOnReverse, isSigned } = rules;
  return ({ high, low }, from, to, state, out) => {
    const y = out[0]!;
    const first = markWarmUp(1, from, to, out);
    if (first === 1 && to > 1) beginStop(rules, high, low, state);
    // In order: 1 while long and −1 while short; the stop for the next bar; the extreme of the trend; the stop's speed.
    let side = state[0]!;
    let stop = state[1]!;
    let extreme = state[2]!;
    let speed = state[3]!;
    let pace = side > 0 ? long : short;
    for (let i = first; i < to; i++) {
      // On its first bar the stop knows that bar only.
      const before = i === 1 ? 1 : i - 1;
      const top = Math.max(high[before]!, high[i]!);
      const bottom = Math.min(low[before]!, low[i]!);
      const ahead = seen(side, high[i]!, low[i]!);
      const behind = seen(side, low[i]!, high[i]!);
      const isReversed = behind <= stop;
      if (isReversed) {
        stop = -Math.max(extreme, seen(side, top, bottom)) * (1 + side * offsetOnReverse);
        side = -side;
        extreme = -behind;
        pace = side > 0 ? long : short;
        speed = pace.start;
      }
      y[i - from] = isSigned ? stop : side * stop;
      if (!isReversed && ahead > extreme) {
        extreme = ahead;
        speed = Math.min(speed + pace.step, pace.max);
      }
      stop = Math.min(stop + speed * (extreme - stop), seen(side, bottom, top));
    }
    state[0] = side;
    state[1] = stop;
    state[2] = extreme;
    state[3] = speed;
  };
}

/** The first price while long, the second in the mirror while short. */
function seen(side: number, long: number, short: number): number {
  return side > 0 ? long : -short;
}

/** Direction, stop, extreme and speed before the second bar, into the state. */
function beginStop(rules: StopRules, high: Float64Array, low: Float64Array, state: Float64Array): void {
  const down = low[0]! - low[1]!;
  const isDown = down > 0 && high[1]! - high[0]! < down;
  const isLong = rules.startValue === 0 ? !isDown : rules.startValue > 0;
  const start = rules.startValue === 0 ? (isLong ? low[0]! : high[0]!) : Math.abs(rules.startValue);
  state[0] = isLong ? 1 : -1;
  state[1] = isLong ? start : -start;
  state[2] = isLong ? high[1]! : -low[1]!;
  state[3] = isLong ? rules.startLong : rules.startShort;
}

// Two starts agree for good once both have reversed on the same bar; in random series that took fewer bars than this.
const STOP_MEMORY: Indicator['memory'] = { kind: 'recursive', settle: 250 };

/** TA-Lib SAR. */
export const sar = factory({
  name: 'sar',
  title: 'Parabolic stop and reverse',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low'],
  parameters: { acceleration: realNumber(0.02, 0, 1), maximum: realNumber(0.2, 0, 1) },
  reference: talib('SAR'),
  machine: ({ acceleration, maximum }) => {
    const step = Math.min(acceleration, maximum);
    return {
      warmUp: 1,
      memory: STOP_MEMORY,
      stateSize: 4,
      advance: advanceStop({
        startValue: 0,
        offsetOnReverse: 0,
        startLong: step,
        stepLong: step,
        maxLong: maximum,
        startShort: step,
        stepShort: step,
        maxShort: maximum,
        isSigned: false,
      }),
    };
  },
});

/** TA-Lib SAREXT: own speeds for both directions; values are negative while short. */
export const sarext = factory({
  name: 'sarext',
  title: 'Parabolic stop and reverse, extended',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low'],
  parameters: {
    startValue: realNumber(0, -1e6, 1e6),
    offsetOnReverse: realNumber(0, 0, 1),
    startLong: realNumber(0.02, 0, 1),
    stepLong: realNumber(0.02, 0, 1),
    maxLong: realNumber(0.2, 0, 1),
    startShort: realNumber(0.02, 0, 1),
    stepShort: realNumber(0.02, 0, 1),
    maxShort: realNumber(0.2, 0, 1),
  },
  reference: talib('SAREXT'),
  note: 'Negative while the stop is above the price (short), as in TA-Lib.',
  machine: (rules) => ({
    warmUp: 1,
    memory: STOP_MEMORY,
    stateSize: 4,
    advance: advanceStop({
      ...rules,
      startLong: Math.min(rules.startLong, rules.maxLong),
      stepLong: Math.min(rules.stepLong, rules.maxLong),
      startShort: Math.min(rules.startShort, rules.maxShort),
      stepShort: Math.min(rules.stepShort, rules.maxShort),
      isSigned: true,
    }),
  }),
});

/** TA-Lib HMA (Hull, 2005): a weighted average of twice the fast one less the slow one. */
export const hma = factory({
  name: 'hma',
  title: 'Hull moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(20, 4) },
  reference: talib('HMA'),
  machine: ({ period }) => {
    const half = Math.floor(period / 2);
    const root = Math.floor(Math.sqrt(period));
    return {
      warmUp: period + root - 2,
      memory: WINDOW,
      stateSize: 6 + root,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        const fastDivider = (half * (half + 1)) / 2;
        const slowDivider = (period * (period + 1)) / 2;
        const rootDivider = (root * (root + 1)) / 2;
        let fastSum = state[0]!;
        let fast = state[1]!;
        let slowSum = state[2]!;
        let slow = state[3]!;
        let rawSum = state[4]!;
        let raw = state[5]!;
        for (let i = from; i < to; i++) {
          const x = close[i]!;
          // Before the windows are full their sums run as if the bars before the first had been 0, which is what
          // they would hold: only the output waits.
          fast += x * half - fastSum;
          fastSum += x;
          if (i >= half) fastSum -= close[i - half]!;
          slow += x * period - slowSum;
          slowSum += x;
          if (i >= period) slowSum -= close[i - period]!;
          y[i - from] = Number.NaN;
          if (i < period - 1) continue;
          const value = (2 * fast) / fastDivider - slow / slowDivider;
          const place = 6 + (i % root);
          raw += value * root - rawSum;
          rawSum += value - state[place]!;
          state[place] = value;
          if (i >= period + root - 2) y[i - from] = raw / rootDivider;
        }
        state[0] = fastSum;
        state[1] = fast;
        state[2] = slowSum;
        state[3] = slow;
        state[4] = rawSum;
        state[5] = raw;
      },
    };
  },
});

/** TA-Lib VWMA: closes weighted by volume. */
export const vwma = factory({
  name: 'vwma',
  title: 'Volume-weighted moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close', 'volume'],
  parameters: { period: barCount(20) },
  reference: talib('VWMA'),
  note: 'Undefined while the window has no volume.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ close, volume }, from, to, state, out) {
      const y = out[0]!;
      let traded = state[0]!;
      let shares = state[1]!;
      // Bars without volume in a row: a sliding sum of volumes need not come back to exactly 0.
      let silent = state[2]! | 0;
      for (let i = from; i < to; i++) {
        traded += close[i]! * volume[i]!;
        shares += volume[i]!;
        silent = volume[i] === 0 ? silent + 1 : 0;
        if (i >= period) {
          traded -= close[i - period]! * volume[i - period]!;
          shares -= volume[i - period]!;
        }
        y[i - from] = i < period - 1 || silent >= period ? Number.NaN : traded / shares;
      }
      state[0] = traded;
      state[1] = shares;
      state[2] = silent;
    },
  }),
});

/** TA-Lib ZLEMA (Ehlers and Way, 2010): an exponential average of the close plus its own change over the lag. */
export const zlema = factory({
  name: 'zlema',
  title: 'Zero-lag exponential moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(20, 3) },
  reference: talib('ZLEMA'),
  machine: ({ period }) => {
    const lag = Math.floor((period - 1) / 2);
    return {
      warmUp: period - 1 + lag,
      memory: exponentialMemory(period),
      stateSize: EXPONENTIAL_SIZE,
      advance({ close }, from, to, state, out) {
        const weight = 2 / (period + 1);
        const y = out[0]!;
        const first = markWarmUp(lag, from, to, out);
        for (let i = first; i < to; i++)
          y[i - from] = exponentialStep(state, 0, period, weight, 2 * close[i]! - close[i - lag]!);
      },
    };
  },
});

/** ALMA (Legoux and Kouzis-Loukas, 2009): Gaussian weights around `offset` of the window. */
export const alma = factory({
  name: 'alma',
  title: 'Arnaud Legoux moving average',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(9), offset: realNumber(0.85, 0, 1), sigma: realNumber(6, 0.5, 100) },
  reference: defined('Legoux and Kouzis-Loukas 2009; Skender ToAlma', 1e-9),
  machine: ({ period, offset, sigma }) => {
    const center = offset * (period - 1);
    const width = period / sigma;
    const weights = Float64Array.from({ length: period }, (_, k) =>
      Math.exp(-((k - center) ** 2) / (2 * width * width)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      warmUp: period - 1,
      memory: WINDOW,
      stateSize: 0,
      advance({ close }, from, to, _state, out) {
        const y = out[0]!;
        const first = markWarmUp(period - 1, from, to, out);
        for (let i = first; i < to; i++) {
          let sum = 0;
          for (let k = 0; k < period; k++) sum += weights[k]! * close[i - period + 1 + k]!;
          y[i - from] = sum / total;
        }
      },
    };
  },
});

/** TA-Lib KC, Keltner channels (Raschke's form): average of the typical price ± a multiple of the average true range. */
export const keltner = factory({
  name: 'keltner',
  title: 'Keltner channels',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['upper', 'middle', 'lower'],
  parameters: { period: barCount(20), rangePeriod: barCount(10), multiple: realNumber(2, 0, 20) },
  reference: talib('KC'),
  note: 'Both averages start so that they are full on the same bar (TA-Lib); Skender centres on the close.',
  machine: ({ period, rangePeriod, multiple }) => {
    const warmUp = Math.max(period - 1, rangePeriod);
    return {
      warmUp,
      memory: slowest(exponentialMemory(period), wilderMemory(rangePeriod)),
      stateSize: 2 * EXPONENTIAL_SIZE,
      advance({ high, low, close }, from, to, state, out) {
        const middleFrom = warmUp - period + 1;
        const rangeFrom = warmUp - rangePeriod + 1;
        for (let i = from; i < to; i++) {
          let middle = Number.NaN;
          let range = Number.NaN;
          if (i >= middleFrom)
            middle = exponentialStep(state, 0, period, 2 / (period + 1), typicalAt(high, low, close, i));
          if (i >= rangeFrom)
            range = exponentialStep(
              state,
              EXPONENTIAL_SIZE,
              rangePeriod,
              1 / rangePeriod,
              trueRangeAt(high, low, close, i),
            );
          out[0]![i - from] = middle + multiple * range;
          out[1]![i - from] = middle;
          out[2]![i - from] = middle - multiple * range;
        }
      },
    };
  },
});

/** TA-Lib DONCHIAN: highest high and lowest low, this bar included. */
export const donchian = factory({
  name: 'donchian',
  title: 'Donchian channels',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low'],
  outputs: ['upper', 'middle', 'lower'],
  parameters: { period: barCount(20) },
  reference: talib('DONCHIAN'),
  note: 'This bar counts; some charts show the channel of the bars before it.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: extremesSize(period),
    advance({ high, low }, from, to, state, out) {
      const upper = out[0]!;
      const middle = out[1]!;
      const lower = out[2]!;
      advanceExtremes(high, low, period, from, to, state, upper, lower);
      for (let k = 0; k < to - from; k++) middle[k] = (upper[k]! + lower[k]!) / 2;
      markWarmUp(period - 1, from, to, out);
    },
  }),
});

/**
 * Ichimoku lines as they stand on this bar: the spans are those drawn here, made `base` bars ago.
 *
 * The lagging span is left out: drawn back, it shows closes from the future.
 */
export const ichimoku = factory({
  name: 'ichimoku',
  title: 'Ichimoku lines without look-ahead',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low'],
  outputs: ['conversion', 'base', 'span_a', 'span_b'],
  parameters: { conversion: barCount(9), base: barCount(26), span: barCount(52) },
  reference: defined('Hosoda 1969; spans as drawn on this bar'),
  note: 'Spans are shifted forward by base bars, as drawn; the lagging span is left out because it looks ahead.',
  machine: ({ conversion, base, span }) => {
    const warmUp = Math.max(conversion, base, span) - 1 + base;
    const slowAt = extremesSize(conversion);
    const spanAt = slowAt + extremesSize(base);
    const ringA = spanAt + extremesSize(span);
    const ringB = ringA + base;
    return {
      warmUp,
      memory: WINDOW,
      stateSize: ringB + base,
      advance({ high, low }, from, to, state, out) {
        const [yFast, ySlow, yA, yB] = out as [Float64Array, Float64Array, Float64Array, Float64Array];
        middleOfRange(high, low, conversion, from, to, state.subarray(0, slowAt), yFast, yA);
        middleOfRange(high, low, base, from, to, state.subarray(slowAt, spanAt), ySlow, yA);
        middleOfRange(high, low, span, from, to, state.subarray(spanAt, ringA), yB, yA);
        let place = from % base;
        for (let k = 0; k < to - from; k++) {
          // What was made now is drawn `base` bars later; what was made then is drawn now.
          yA[k] = state[ringA + place]!;
          state[ringA + place] = (yFast[k]! + ySlow[k]!) / 2;
          const made = yB[k]!;
          yB[k] = state[ringB + place]!;
          state[ringB + place] = made;
          place = place + 1 === base ? 0 : place + 1;
        }
        markWarmUp(warmUp, from, to, out);
      },
    };
  },
});

/** Middle between highest high and lowest low into `middle`; `spare` is overwritten. */
function middleOfRange(
  high: Float64Array,
  low: Float64Array,
  period: number,
  from: number,
  to: number,
  state: Float64Array,
  middle: Float64Array,
  spare: Float64Array,
): void {
  advanceExtremes(high, low, period, from, to, state, middle, spare);
  for (let k = 0; k < to - from; k++) middle[k] = (middle[k]! + spare[k]!) / 2;
}

/** TA-Lib SUPERTREND (Seban): a stop at a multiple of the average true range that only moves with the trend. */
export const supertrend = factory({
  name: 'supertrend',
  title: 'SuperTrend',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['stop', 'trend'],
  parameters: { period: barCount(10), multiple: realNumber(3, 0.1, 20) },
  reference: talib('SUPERTREND'),
  note: 'The trend is 1 (up) or −1 (down), and begins as 1 (TA-Lib).',
  machine: ({ period, multiple }) => ({
    warmUp: period,
    memory: slowest({ kind: 'recursive', settle: 600 }, wilderMemory(period)),
    stateSize: EXPONENTIAL_SIZE + 3,
    advance({ high, low, close }, from, to, state, out) {
      const stopOut = out[0]!;
      const trendOut = out[1]!;
      // The band above, the band below and the trend; 0 before the first value.
      let upper = state[EXPONENTIAL_SIZE]!;
      let lower = state[EXPONENTIAL_SIZE + 1]!;
      let trend = state[EXPONENTIAL_SIZE + 2]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const range = exponentialStep(state, 0, period, 1 / period, trueRangeAt(high, low, close, i));
        if (i < first) continue;
        const middle = (high[i]! + low[i]!) / 2;
        const rawUpper = middle + multiple * range;
        const rawLower = middle - multiple * range;
        const isFirst = trend === 0;
        if (isFirst || rawUpper < upper || close[i - 1]! > upper) upper = rawUpper;
        if (isFirst || rawLower > lower || close[i - 1]! < lower) lower = rawLower;
        if (isFirst || (trend < 0 && close[i]! > upper)) trend = 1;
        else if (trend > 0 && close[i]! < lower) trend = -1;
        stopOut[i - from] = trend > 0 ? lower : upper;
        trendOut[i - from] = trend;
      }
      state[EXPONENTIAL_SIZE] = upper;
      state[EXPONENTIAL_SIZE + 1] = lower;
      state[EXPONENTIAL_SIZE + 2] = trend;
    },
  }),
});

/** Chandelier exit (Le Beau): highest high less, and lowest low plus, a multiple of the average true range. */
export const chandelier = factory({
  name: 'chandelier',
  title: 'Chandelier exits',
  family: 'overlap',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['long', 'short'],
  parameters: { period: barCount(22), multiple: realNumber(3, 0, 20) },
  reference: defined('Le Beau; Skender ToChandelier', 1e-9),
  machine: ({ period, multiple }) => ({
    warmUp: period,
    memory: wilderMemory(period),
    stateSize: EXPONENTIAL_SIZE + 2,
    advance({ high, low, close }, from, to, state, out) {
      let highest = state[EXPONENTIAL_SIZE]! | 0;
      let lowest = state[EXPONENTIAL_SIZE + 1]! | 0;
      for (let i = from; i < to; i++) {
        const start = i < period ? 0 : i - period + 1;
        highest = latestHighest(high, highest, start, i);
        lowest = latestLowest(low, lowest, start, i);
        let range = Number.NaN;
        if (i > 0) range = exponentialStep(state, 0, period, 1 / period, trueRangeAt(high, low, close, i));
        out[0]![i - from] = high[highest]! - multiple * range;
        out[1]![i - from] = low[lowest]! + multiple * range;
      }
      state[EXPONENTIAL_SIZE] = highest;
      state[EXPONENTIAL_SIZE + 1] = lowest;
    },
  }),
});

/** McGinley dynamic (Stocks & Commodities, 1997): starts with the first close. */
export const mcginley = factory({
  name: 'mcginley',
  title: 'McGinley dynamic',
  family: 'overlap',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: defined('McGinley 1997; Skender ToDynamic (k 0.6)', 1e-9),
  machine: ({ period }) => ({
    warmUp: 1,
    memory: decayMemory(1 - 1 / (0.6 * period), 2),
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let value = state[0]!;
      for (let i = from; i < to; i++) {
        y[i - from] = Number.NaN;
        if (i === 0) {
          value = close[0]!;
          continue;
        }
        const quotient = close[i]! / value;
        value += (close[i]! - value) / (0.6 * period * quotient * quotient * quotient * quotient);
        y[i - from] = value;
      }
      state[0] = value;
    },
  }),
});
