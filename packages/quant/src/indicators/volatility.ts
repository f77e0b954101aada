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
import type { BarColumns, Indicator } from './indicator.ts';
import {
  EXPONENTIAL_SIZE,
  exponentialStep,
  extremeSize,
  fillHighest,
  fillLowest,
  latestHighest,
  markWarmUp,
  meanSize,
  meanStep,
  ratio,
  sumStep,
  trueRangeAt,
} from './kernels.ts';

/** TA-Lib TRANGE: true range, price. */
export const trange = factory({
  name: 'trange',
  title: 'True range',
  family: 'volatility',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  reference: talib('TRANGE'),
  machine: () => ({
    warmUp: 1,
    memory: WINDOW,
    stateSize: 0,
    advance({ high, low, close }, from, to, _state, out) {
      const y = out[0]!;
      const first = markWarmUp(1, from, to, out);
      for (let i = first; i < to; i++) y[i - from] = trueRangeAt(high, low, close, i);
    },
  }),
});

/** TA-Lib ATR and NATR (Wilder): average true range in price, and in percent of the close. */
export const atr = factory({
  name: 'atr',
  title: 'Average true range, in price and percent',
  family: 'volatility',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  outputs: ['price', 'percent'],
  parameters: { period: barCount(14) },
  reference: talib('ATR, NATR'),
  note: 'The percent is undefined for a close of 0, where TA-Lib gives 0.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: wilderMemory(period),
    stateSize: 1,
    advance({ high, low, close }, from, to, state, out) {
      const yPrice = out[0]!;
      const yPercent = out[1]!;
      let average = state[0]!;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const range = trueRangeAt(high, low, close, i);
        if (i <= period) {
          average += range;
          if (i === period) average /= period;
        } else average = (average * (period - 1) + range) / period;
        if (i < first) continue;
        yPrice[i - from] = average;
        yPercent[i - from] = close[i] === 0 ? Number.NaN : (average / close[i]!) * 100;
      }
      state[0] = average;
    },
  }),
});

/** TA-Lib ADR: mean range of the bars. */
export const adr = factory({
  name: 'adr',
  title: 'Average daily range',
  family: 'volatility',
  unit: 'price',
  inputs: ['high', 'low'],
  parameters: { period: barCount(14) },
  reference: talib('ADR'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1,
    advance({ high, low }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        sum += high[i]! - low[i]!;
        if (i >= period) sum -= high[i - period]! - low[i - period]!;
        y[i - from] = i < period - 1 ? Number.NaN : sum / period;
      }
      state[0] = sum;
    },
  }),
});

/** TA-Lib CVI (Chaikin): change of the exponential average of the range, percent. */
export const chaikinVolatility = factory({
  name: 'chaikin_volatility',
  title: 'Chaikin volatility',
  family: 'volatility',
  unit: 'percent',
  inputs: ['high', 'low'],
  parameters: { period: barCount(10), lag: barCount(10, 1) },
  reference: talib('CVI'),
  note: 'Undefined when the average was 0.',
  machine: ({ period, lag }) => ({
    warmUp: period - 1 + lag,
    memory: exponentialMemory(period, 2),
    stateSize: EXPONENTIAL_SIZE + lag,
    advance({ high, low }, from, to, state, out) {
      const y = out[0]!;
      for (let i = from; i < to; i++) {
        const average = exponentialStep(state, 0, period, 2 / (period + 1), high[i]! - low[i]!);
        const place = EXPONENTIAL_SIZE + (i % lag);
        const before = state[place]!;
        state[place] = average;
        y[i - from] = i < period - 1 + lag ? Number.NaN : ratio(100 * (average - before), before);
      }
    },
  }),
});

/** TA-Lib MASSI (Dorsey): sum of the ratio of a once to a twice smoothed range. */
export const massIndex = factory({
  name: 'mass',
  title: 'Mass index',
  family: 'volatility',
  unit: 'ratio',
  inputs: ['high', 'low'],
  parameters: { period: barCount(9), window: barCount(25) },
  reference: talib('MASSI'),
  note: 'Undefined while bars have no range.',
  machine: ({ period, window }) => ({
    warmUp: 2 * (period - 1) + window - 1,
    memory: slowest(exponentialMemory(period, 2), { kind: 'recursive', settle: window + 20 * period }),
    stateSize: 2 * EXPONENTIAL_SIZE + meanSize(window),
    advance({ high, low }, from, to, state, out) {
      const y = out[0]!;
      const weight = 2 / (period + 1);
      for (let i = from; i < to; i++) {
        const once = exponentialStep(state, 0, period, weight, high[i]! - low[i]!);
        const twice = exponentialStep(state, 2, period, weight, once);
        y[i - from] = i < 2 * (period - 1) ? Number.NaN : sumStep(state, 4, window, ratio(once, twice));
      }
    },
  }),
});

/** Choppiness index (Dreiss): path of the true range over the range of the window, 100 when it goes nowhere. */
export const choppiness = factory({
  name: 'choppiness',
  title: 'Choppiness index',
  family: 'volatility',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  parameters: { period: barCount(14) },
  reference: defined('Dreiss 1993: 100 log(sum of true range / (highest high − lowest low)) / log(period); Lean', 1e-5),
  note: 'Undefined for a window without range.',
  machine: ({ period }) => {
    const scale = 100 / Math.log(period);
    const tops = 4;
    const bottoms = tops + extremeSize(period);
    return {
      warmUp: period,
      memory: WINDOW,
      stateSize: bottoms + extremeSize(period),
      advance({ high, low, close }, from, to, state, out) {
        const y = out[0]!;
        let path = state[0]!;
        let top = state[1]!;
        let bottom = state[2]!;
        let still = state[3]! | 0;
        let place = from % period;
        const first = markWarmUp(period, from, to, out);
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
          if (i === 0) continue;
          const range = trueRangeAt(high, low, close, i);
          path += range;
          still = range === 0 ? still + 1 : 0;
          if (i > period) path -= trueRangeAt(high, low, close, i - period);
          if (i < first) continue;
          const isUndefined = highest <= lowest || still >= period;
          y[i - from] = isUndefined ? Number.NaN : scale * Math.log(path / (highest - lowest));
        }
        state[0] = path;
        state[1] = top;
        state[2] = bottom;
        state[3] = still;
      },
    };
  },
});

/** Ulcer index (Martin and McCann, 1989): root mean square of the percentage below the highest close so far in the window. */
export const ulcer = factory({
  name: 'ulcer',
  title: 'Ulcer index',
  family: 'volatility',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: defined('Martin and McCann 1989'),
  note: 'Each bar is held against the highest close of its own window (2 period − 1 bars are seen).',
  machine: ({ period }) => ({
    warmUp: 2 * (period - 1),
    memory: WINDOW,
    stateSize: 1 + meanSize(period),
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let highest = state[0]! | 0;
      for (let i = from; i < to; i++) {
        highest = latestHighest(close, highest, i < period ? 0 : i - period + 1, i);
        if (i < period - 1) {
          y[i - from] = Number.NaN;
          continue;
        }
        const below = ratio(100 * (close[i]! - close[highest]!), close[highest]!);
        const mean = meanStep(state, 1, period, below * below);
        y[i - from] = Math.sqrt(Math.max(mean, 0));
      }
      state[0] = highest;
    },
  }),
});

/** TA-Lib RVI (Dorsey): share of the standard deviation that belongs to rising bars, smoothed as Wilder's. */
export const relativeVolatility = factory({
  name: 'relative_volatility',
  title: 'Relative volatility index',
  family: 'volatility',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(14), window: barCount(10) },
  reference: talib('RVI'),
  note: 'Undefined while prices never moved.',
  machine: ({ period, window }) => {
    const warmUp = window - 1 + period - 1;
    return {
      warmUp,
      memory: wilderMemory(period, 2),
      stateSize: 2 + 2 * EXPONENTIAL_SIZE,
      advance({ close }, from, to, state, out) {
        const y = out[0]!;
        const origin = close[0]!;
        for (let i = from; i < to; i++) {
          y[i - from] = Number.NaN;
          const x = close[i]! - origin;
          state[0] = state[0]! + x;
          state[1] = state[1]! + x * x;
          if (i >= window) {
            const old = close[i - window]! - origin;
            state[0] = state[0]! - old;
            state[1] = state[1]! - old * old;
          }
          if (i < window - 1) continue;
          const mean = state[0]! / window;
          const variance = state[1]! / window - mean * mean;
          const deviation = variance > 0 ? Math.sqrt(variance) : 0;
          const change = close[i]! - close[i - 1]!;
          const up = exponentialStep(state, 2, period, 1 / period, change > 0 ? deviation : 0);
          const down = exponentialStep(state, 4, period, 1 / period, change < 0 ? deviation : 0);
          y[i - from] = ratio(100 * up, up + down);
        }
      },
    };
  },
});

/** Place within, and relative width of, the Bollinger bands. */
export const bollingerPlace = factory({
  name: 'bollinger_place',
  title: 'Bollinger %b and band width',
  family: 'volatility',
  unit: 'ratio',
  inputs: ['close'],
  outputs: ['percent_b', 'width'],
  parameters: { period: barCount(20), deviations: realNumber(2, 0.1, 10) },
  reference: defined('Bollinger 2001; Skender ToBollingerBands', 1e-9),
  note: '%b is undefined when prices did not move in the window.',
  machine: ({ period, deviations }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ close }, from, to, state, out) {
      const origin = close[0]!;
      let sum = state[0]!;
      let squares = state[1]!;
      let still = state[2]! | 0;
      for (let i = from; i < to; i++) {
        const x = close[i]! - origin;
        sum += x;
        squares += x * x;
        still = i > 0 && close[i] === close[i - 1] ? still + 1 : 1;
        if (i >= period) {
          const old = close[i - period]! - origin;
          sum -= old;
          squares -= old * old;
        }
        const mean = sum / period;
        const variance = still >= period ? 0 : squares / period - mean * mean;
        const reach = variance > 0 ? deviations * Math.sqrt(variance) : 0;
        const isWarm = i >= period - 1;
        out[0]![i - from] = isWarm ? ratio(x - mean + reach, 2 * reach) : Number.NaN;
        out[1]![i - from] = isWarm ? ratio(2 * reach, origin + mean) : Number.NaN;
      }
      state[0] = sum;
      state[1] = squares;
      state[2] = still;
    },
  }),
});

/** Standard deviation (n − 1) of daily log returns, per day. */
export const realized = factory({
  name: 'realized_volatility',
  title: 'Close-to-close volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { period: barCount(21, 3) },
  reference: defined('Sample standard deviation of log returns, per day'),
  note: 'A close that is not positive counts as no move.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: period + 4,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let sum = state[period]!;
      let squares = state[period + 1]!;
      let last = state[period + 2]!;
      let still = state[period + 3]! | 0;
      let place = from % period;
      const first = markWarmUp(period, from, to, out);
      for (let i = from; i < to; i++) {
        const change = i === 0 ? 0 : logRatio(close[i]!, close[i - 1]!);
        const old = state[place]!;
        state[place] = change;
        place = place + 1 === period ? 0 : place + 1;
        sum += change - old;
        squares += change * change - old * old;
        still = i > 1 && change === last ? still + 1 : 1;
        last = change;
        if (i < first) continue;
        const variance = still >= period ? 0 : (squares - (sum * sum) / period) / (period - 1);
        y[i - from] = Math.sqrt(Math.max(variance, 0));
      }
      state[period] = sum;
      state[period + 1] = squares;
      state[period + 2] = last;
      state[period + 3] = still;
    },
  }),
});

/** Root of the mean of a variance proxy over the window, per day. */
function advanceProxy(
  period: number,
  lag: number,
  proxy: (bars: BarColumns, i: number) => number,
): Pick<Indicator, 'stateSize' | 'advance' | 'warmUp' | 'memory'> {
  return {
    warmUp: period - 1 + lag,
    memory: WINDOW,
    stateSize: meanSize(period),
    advance(bars, from, to, state, out) {
      const y = out[0]!;
      const first = markWarmUp(lag, from, to, out);
      for (let i = first; i < to; i++) {
        const mean = meanStep(state, 0, period, proxy(bars, i));
        y[i - from] = Math.sqrt(Math.max(mean, 0));
      }
    },
  };
}

/** Parkinson's volatility from highs and lows, per day. */
export const parkinson = factory({
  name: 'parkinson',
  title: 'Parkinson volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['high', 'low'],
  parameters: { period: barCount(21, 1) },
  reference: defined('Parkinson 1980, doi:10.1086/296071'),
  machine: ({ period }) =>
    advanceProxy(period, 0, ({ high, low }, i) => {
      const range = Math.log(high[i]! / low[i]!);
      return (range * range) / (4 * Math.LN2);
    }),
});

/** Garman and Klass's volatility from open, high, low and close, per day. */
export const garmanKlass = factory({
  name: 'garman_klass',
  title: 'Garman-Klass volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['open', 'high', 'low', 'close'],
  parameters: { period: barCount(21, 1) },
  reference: defined('Garman and Klass 1980, doi:10.1086/296072'),
  machine: ({ period }) =>
    advanceProxy(period, 0, ({ open, high, low, close }, i) => {
      const range = Math.log(high[i]! / low[i]!);
      const body = Math.log(close[i]! / open[i]!);
      return 0.5 * range * range - (2 * Math.LN2 - 1) * body * body;
    }),
});

/** Rogers and Satchell's volatility, free of drift, per day. */
export const rogersSatchell = factory({
  name: 'rogers_satchell',
  title: 'Rogers-Satchell volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['open', 'high', 'low', 'close'],
  parameters: { period: barCount(21, 1) },
  reference: defined('Rogers and Satchell 1991, doi:10.1214/aoap/1177005835; Lean', 1e-5),
  machine: ({ period }) =>
    advanceProxy(period, 0, ({ open, high, low, close }, i) => {
      const up = Math.log(high[i]! / open[i]!);
      const down = Math.log(low[i]! / open[i]!);
      const body = Math.log(close[i]! / open[i]!);
      return up * (up - body) + down * (down - body);
    }),
});

/** Yang and Zhang's volatility: overnight, open-to-close and Rogers-Satchell parts, per day. */
export const yangZhang = factory({
  name: 'yang_zhang',
  title: 'Yang-Zhang volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['open', 'high', 'low', 'close'],
  parameters: { period: barCount(21, 3) },
  reference: defined('Yang and Zhang 2000, doi:10.1086/209650'),
  note: 'A price that is not positive counts as no move.',
  machine: ({ period }) => {
    const share = 0.34 / (1.34 + (period + 1) / (period - 1));
    const ring = 6;
    return {
      warmUp: period,
      memory: WINDOW,
      // Sums, then the night's, the day's and the inner figure of each bar of the window.
      stateSize: ring + 3 * period,
      advance({ open, high, low, close }, from, to, state, out) {
        const y = out[0]!;
        let nights = state[0]!;
        let nightSquares = state[1]!;
        let days = state[2]!;
        let daySquares = state[3]!;
        let inside = state[4]!;
        let place = state[5]! | 0;
        const first = markWarmUp(period, from, to, out);
        for (let i = Math.max(from, 1); i < to; i++) {
          const o = open[i]!;
          const night = logRatio(o, close[i - 1]!);
          const day = logRatio(close[i]!, o);
          const up = logRatio(high[i]!, o);
          const down = logRatio(low[i]!, o);
          const inner = up * (up - day) + down * (down - day);
          const slot = ring + 3 * place;
          const oldNight = state[slot]!;
          const oldDay = state[slot + 1]!;
          nights += night - oldNight;
          nightSquares += night * night - oldNight * oldNight;
          days += day - oldDay;
          daySquares += day * day - oldDay * oldDay;
          inside += inner - state[slot + 2]!;
          state[slot] = night;
          state[slot + 1] = day;
          state[slot + 2] = inner;
          place = place + 1 === period ? 0 : place + 1;
          if (i < first) continue;
          const nightVariance = (nightSquares - (nights * nights) / period) / (period - 1);
          const dayVariance = (daySquares - (days * days) / period) / (period - 1);
          const variance = nightVariance + share * dayVariance + (1 - share) * (inside / period);
          y[i - from] = Math.sqrt(Math.max(variance, 0));
        }
        state[0] = nights;
        state[1] = nightSquares;
        state[2] = days;
        state[3] = daySquares;
        state[4] = inside;
        state[5] = place;
      },
    };
  },
});

/** Logarithm of a ratio of prices; 0 where one of them is not positive. */
function logRatio(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.log(a / b) : 0;
}

/** Exponentially weighted volatility of log returns around 0, per day (RiskMetrics). */
export const ewmaVolatility = factory({
  name: 'ewma_volatility',
  title: 'Exponentially weighted volatility',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { decay: realNumber(0.94, 0.5, 0.999), seed: barCount(21, 1) },
  reference: defined('RiskMetrics 1996; starts with the mean square of the first seed returns'),
  note: 'A return over a close that is not positive is passed over.',
  machine: ({ decay, seed }) => ({
    warmUp: seed,
    memory: decayMemory(decay, 2),
    stateSize: EXPONENTIAL_SIZE,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const first = markWarmUp(1, from, to, out);
      for (let i = first; i < to; i++) {
        const change = Math.log(close[i]! / close[i - 1]!);
        y[i - from] = Math.sqrt(exponentialStep(state, 0, seed, 1 - decay, change * change));
      }
    },
  }),
});

/** Root mean square of the negative daily returns: n counts all bars. */
export const downside = factory({
  name: 'downside_deviation',
  title: 'Downside deviation',
  family: 'volatility',
  unit: 'fraction',
  inputs: ['close'],
  parameters: { period: barCount(63) },
  reference: defined('Sortino and van der Meer 1991, target 0, per day'),
  machine: ({ period }) =>
    advanceProxy(period, 1, ({ close }, i) => {
      const change = close[i]! / close[i - 1]! - 1;
      return change > 0 ? 0 : change * change;
    }),
});

/** Range of the window over its middle: how far a stock went, whatever its way. */
export const rangeWidth = factory({
  name: 'range_width',
  title: 'Width of the price range',
  family: 'volatility',
  unit: 'ratio',
  inputs: ['high', 'low'],
  parameters: { period: barCount(63) },
  reference: defined('2 (highest high − lowest low) / (highest high + lowest low)'),
  machine: ({ period }) =>
    perRange(period, 'high', 'low', (_bars, { start, end, from }, highest, lowest, y) => {
      for (let i = start; i < end; i++) {
        y[i - from] = ratio(2 * (highest[i - start]! - lowest[i - start]!), highest[i - start]! + lowest[i - start]!);
      }
    }),
});
