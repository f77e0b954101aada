import { barCount, defined, factory, type IndicatorFactory, perRange, realNumber, talib, WINDOW } from './factory.ts';
import type { BarColumn } from './indicator.ts';
import { countBelow, markWarmUp, ratio } from './kernels.ts';

/**
 * TA-Lib STDDEV, and VAR: population figures of the close.
 *
 * Sums are taken around the first close, and a window of equal closes is known by counting, so that 0 is 0.
 */
export const stddev = factory({
  name: 'stddev',
  title: 'Standard deviation and variance',
  family: 'statistic',
  unit: 'price',
  inputs: ['close'],
  outputs: ['deviation', 'variance'],
  parameters: { period: barCount(5), deviations: realNumber(1, 0.1, 10) },
  reference: talib('STDDEV, VAR'),
  note: 'Population (n). Sums are taken around the first close, which keeps digits that TA-Lib loses; the variance is in price².',
  machine: ({ period, deviations }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ close }, from, to, state, out) {
      const yDeviation = out[0]!;
      const yVariance = out[1]!;
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
        const raw = squares / period - mean * mean;
        const variance = still >= period || raw < 0 ? 0 : raw;
        yDeviation[i - from] = i < period - 1 ? Number.NaN : deviations * Math.sqrt(variance);
        yVariance[i - from] = i < period - 1 ? Number.NaN : variance;
      }
      state[0] = sum;
      state[1] = squares;
      state[2] = still;
    },
  }),
});

/** TA-Lib LINEARREG, LINEARREG_ANGLE, LINEARREG_INTERCEPT, LINEARREG_SLOPE and TSF: the line through the last closes. */
export const linearreg = factory({
  name: 'linearreg',
  title: 'Linear regression of the close',
  family: 'statistic',
  unit: 'price',
  inputs: ['close'],
  outputs: ['end', 'angle', 'intercept', 'slope', 'next'],
  parameters: { period: barCount(14) },
  reference: talib('LINEARREG, LINEARREG_ANGLE, LINEARREG_INTERCEPT, LINEARREG_SLOPE, TSF'),
  note: 'The angle is in degrees, the slope in price per bar; next (TSF) is the line one bar ahead, from bars up to this one.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      const yEnd = out[0]!;
      const yAngle = out[1]!;
      const yIntercept = out[2]!;
      const ySlope = out[3]!;
      const yNext = out[4]!;
      const origin = close[0]!;
      const middle = (period - 1) / 2;
      const spread = (period * (period * period - 1)) / 12;
      // Sum of x and of (age in bars) x over the window.
      let sum = state[0]!;
      let aged = state[1]!;
      for (let i = from; i < to; i++) {
        const k = i - from;
        const x = close[i]! - origin;
        aged += sum;
        sum += x;
        if (i >= period) {
          const old = close[i - period]! - origin;
          sum -= old;
          aged -= period * old;
        }
        if (i < period - 1) {
          yEnd[k] = Number.NaN;
          yAngle[k] = Number.NaN;
          yIntercept[k] = Number.NaN;
          ySlope[k] = Number.NaN;
          yNext[k] = Number.NaN;
          continue;
        }
        const slope = (middle * sum - aged) / spread;
        const mean = origin + sum / period;
        yEnd[k] = mean + slope * middle;
        yAngle[k] = Math.atan(slope) * (180 / Math.PI);
        yIntercept[k] = mean - slope * middle;
        ySlope[k] = slope;
        yNext[k] = mean + slope * (middle + 1);
      }
      state[0] = sum;
      state[1] = aged;
    },
  }),
});

/** Factory of CORREL: correlation of two columns in the window. */
function correlation(first: BarColumn, second: BarColumn, name: string, title: string): IndicatorFactory<'period'> {
  return factory({
    name,
    title,
    family: 'statistic',
    unit: 'ratio',
    inputs: [first, second],
    parameters: { period: barCount(30) },
    reference: talib('CORREL'),
    note: 'Undefined when one of the two did not move in the window, where TA-Lib gives 0. Sums are taken around the first bar.',
    machine: ({ period }) => ({
      warmUp: period - 1,
      memory: WINDOW,
      stateSize: 7,
      advance(bars, from, to, state, out) {
        const xs = bars[first];
        const ys = bars[second];
        const y = out[0]!;
        const originX = xs[0]!;
        const originY = ys[0]!;
        let sumX = state[0]!;
        let sumY = state[1]!;
        let sumXX = state[2]!;
        let sumYY = state[3]!;
        let sumXY = state[4]!;
        let stillX = state[5]! | 0;
        let stillY = state[6]! | 0;
        for (let i = from; i < to; i++) {
          const a = xs[i]! - originX;
          const b = ys[i]! - originY;
          sumX += a;
          sumY += b;
          sumXX += a * a;
          sumYY += b * b;
          sumXY += a * b;
          stillX = i > 0 && xs[i] === xs[i - 1] ? stillX + 1 : 1;
          stillY = i > 0 && ys[i] === ys[i - 1] ? stillY + 1 : 1;
          if (i >= period) {
            const oldA = xs[i - period]! - originX;
            const oldB = ys[i - period]! - originY;
            sumX -= oldA;
            sumY -= oldB;
            sumXX -= oldA * oldA;
            sumYY -= oldB * oldB;
            sumXY -= oldA * oldB;
          }
          const spread = (sumXX - (sumX * sumX) / period) * (sumYY - (sumY * sumY) / period);
          y[i - from] =
            i < period - 1 || stillX >= period || stillY >= period || spread <= 0
              ? Number.NaN
              : (sumXY - (sumX * sumY) / period) / Math.sqrt(spread);
        }
        state[0] = sumX;
        state[1] = sumY;
        state[2] = sumXX;
        state[3] = sumYY;
        state[4] = sumXY;
        state[5] = stillX;
        state[6] = stillY;
      },
    }),
  });
}

/** TA-Lib CORREL of high and low, its default columns. */
export const correl = correlation('high', 'low', 'correl', 'Correlation of high and low');

/** TA-Lib CORREL of close and volume. */
export const correlVolume = correlation('close', 'volume', 'correl_volume', 'Correlation of close and volume');

/** TA-Lib BETA of high and low, its default columns: slope of the low's returns on the high's. */
export const beta = factory({
  name: 'beta',
  title: 'Beta of the low on the high',
  family: 'statistic',
  unit: 'ratio',
  inputs: ['high', 'low'],
  parameters: { period: barCount(5) },
  reference: talib('BETA'),
  note: 'Undefined when the high did not move in the window, where TA-Lib gives 0.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 6,
    advance({ high, low }, from, to, state, out) {
      const y = out[0]!;
      let sumX = state[0]!;
      let sumY = state[1]!;
      let sumXX = state[2]!;
      let sumXY = state[3]!;
      let still = state[4]! | 0;
      let last = state[5]!;
      const change = (x: Float64Array, i: number): number => (x[i - 1] === 0 ? 0 : (x[i]! - x[i - 1]!) / x[i - 1]!);
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const a = change(high, i);
        const b = change(low, i);
        sumX += a;
        sumY += b;
        sumXX += a * a;
        sumXY += a * b;
        still = i > 1 && a === last ? still + 1 : 1;
        last = a;
        if (i > period) {
          const oldA = change(high, i - period);
          const oldB = change(low, i - period);
          sumX -= oldA;
          sumY -= oldB;
          sumXX -= oldA * oldA;
          sumXY -= oldA * oldB;
        }
        if (i < first) continue;
        const spread = period * sumXX - sumX * sumX;
        y[i - from] = still >= period || spread <= 0 ? Number.NaN : (period * sumXY - sumX * sumY) / spread;
      }
      state[0] = sumX;
      state[1] = sumY;
      state[2] = sumXX;
      state[3] = sumXY;
      state[4] = still;
      state[5] = last;
    },
  }),
});

/** TA-Lib AVGDEV: mean absolute deviation of the close from its mean. */
export const avgdev = factory({
  name: 'avgdev',
  title: 'Mean absolute deviation',
  family: 'statistic',
  unit: 'price',
  inputs: ['close'],
  parameters: { period: barCount(14) },
  reference: talib('AVGDEV'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 1,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const origin = close[0]!;
      let sum = state[0]!;
      for (let i = from; i < to; i++) {
        sum += close[i]! - origin;
        if (i < period - 1) {
          y[i - from] = Number.NaN;
          continue;
        }
        const start = i - period + 1;
        const mean = origin + sum / period;
        let deviation = 0;
        for (let j = start; j <= i; j++) deviation += Math.abs(close[j]! - mean);
        y[i - from] = deviation / period;
        sum -= close[start]! - origin;
      }
      state[0] = sum;
    },
  }),
});

/** Z-score, skewness and excess kurtosis of the closes' one-bar returns in the window; population moments. */
export const returnMoments = factory({
  name: 'return_moments',
  title: 'Z-score, skewness and excess kurtosis of returns',
  family: 'statistic',
  unit: 'ratio',
  inputs: ['close'],
  outputs: ['z', 'skewness', 'kurtosis'],
  parameters: { period: barCount(63, 4) },
  reference: defined('Population moments (n) of simple returns'),
  note: 'Undefined when the return did not change in the window; a return over a close of 0 counts 0.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 5,
    advance({ close }, from, to, state, out) {
      const yZ = out[0]!;
      const ySkewness = out[1]!;
      const yKurtosis = out[2]!;
      let s1 = state[0]!;
      let s2 = state[1]!;
      let s3 = state[2]!;
      let s4 = state[3]!;
      let still = state[4]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const x = returnAt(close, i);
        const gone = i > period ? returnAt(close, i - period) : 0;
        const xx = x * x;
        const goneGone = gone * gone;
        s1 += x - gone;
        s2 += xx - goneGone;
        s3 += xx * x - goneGone * gone;
        s4 += xx * xx - goneGone * goneGone;
        still = i > 1 && x === returnAt(close, i - 1) ? still + 1 : 1;
        if (i < first) continue;
        const mean = s1 / period;
        const meanSquare = s2 / period;
        const variance = meanSquare - mean * mean;
        const third = s3 / period - 3 * mean * meanSquare + 2 * mean * mean * mean;
        const fourth = s4 / period - mean * (4 * (s3 / period) - mean * (6 * meanSquare - 3 * mean * mean));
        const isUndefined = still >= period || variance <= 0;
        yZ[i - from] = isUndefined ? Number.NaN : (x - mean) / Math.sqrt(variance);
        ySkewness[i - from] = isUndefined ? Number.NaN : third / (variance * Math.sqrt(variance));
        yKurtosis[i - from] = isUndefined ? Number.NaN : fourth / (variance * variance) - 3;
      }
      state[0] = s1;
      state[1] = s2;
      state[2] = s3;
      state[3] = s4;
      state[4] = still;
    },
  }),
});

/** Distance of the close from its mean in population standard deviations. */
export const zscore = factory({
  name: 'zscore',
  title: 'Z-score of the close',
  family: 'statistic',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(20) },
  reference: defined('(close − mean) / population standard deviation; Skender ToStdDev', 1e-9),
  note: 'Undefined when the close did not move in the window.',
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 3,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
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
        const variance = squares / period - mean * mean;
        y[i - from] =
          i < period - 1 || still >= period || variance <= 0 ? Number.NaN : (x - mean) / Math.sqrt(variance);
      }
      state[0] = sum;
      state[1] = squares;
      state[2] = still;
    },
  }),
});

/** Correlation of a return with the one before, over the window. */
export const autocorrelation = factory({
  name: 'autocorrelation',
  title: 'Autocorrelation of returns at one day',
  family: 'statistic',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(63, 3) },
  reference: defined('Pearson correlation of simple returns with those of the day before'),
  note: 'Undefined when the returns did not change; a return over a close of 0 counts 0.',
  machine: ({ period }) => ({
    warmUp: period + 1,
    memory: WINDOW,
    stateSize: 6,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let sumX = state[0]!;
      let sumY = state[1]!;
      let sumXX = state[2]!;
      let sumYY = state[3]!;
      let sumXY = state[4]!;
      // Pairs in a row that leave the result undefined: a return like the one before, or none.
      let still = state[5]! | 0;
      const first = markWarmUp(period + 1, from, to, out);
      for (let i = Math.max(from, 2); i < to; i++) {
        const before = returnAt(close, i - 1);
        const now = returnAt(close, i);
        sumX += before;
        sumY += now;
        sumXX += before * before;
        sumYY += now * now;
        sumXY += before * now;
        still = now === before ? still + 1 : 0;
        if (i > period + 1) {
          const oldX = returnAt(close, i - period - 1);
          const oldY = returnAt(close, i - period);
          sumX -= oldX;
          sumY -= oldY;
          sumXX -= oldX * oldX;
          sumYY -= oldY * oldY;
          sumXY -= oldX * oldY;
        }
        if (i < first) continue;
        const spread = (sumXX - (sumX * sumX) / period) * (sumYY - (sumY * sumY) / period);
        const isUndefined = still >= period - 1 || spread <= 0;
        y[i - from] = isUndefined ? Number.NaN : (sumXY - (sumX * sumY) / period) / Math.sqrt(spread);
      }
      state[0] = sumX;
      state[1] = sumY;
      state[2] = sumXX;
      state[3] = sumYY;
      state[4] = sumXY;
      state[5] = still;
    },
  }),
});

/** Return of bar `i` ≥ 1; over a close of 0 it counts 0. */
function returnAt(close: Float64Array, i: number): number {
  return close[i - 1] === 0 ? 0 : close[i]! / close[i - 1]! - 1;
}

/** Place of the close between the extremes of the window, 0 to 1: low and high of a year by default. */
export const rangePlace = factory({
  name: 'range_place',
  title: 'Place in the price range',
  family: 'statistic',
  unit: 'ratio',
  inputs: ['close'],
  parameters: { period: barCount(252) },
  reference: defined('(close − lowest close) / (highest close − lowest close)'),
  note: 'Undefined when the close did not move in the window.',
  machine: ({ period }) =>
    perRange(period, 'close', 'close', ({ close }, { start, end, from }, highest, lowest, y) => {
      for (let i = start; i < end; i++) {
        y[i - from] = ratio(close[i]! - lowest[i - start]!, highest[i - start]! - lowest[i - start]!);
      }
    }),
});

/** Share of the closes in the window before that lie below this one, in percent. */
export const percentRank = factory({
  name: 'percent_rank',
  title: 'Percent rank of the close',
  family: 'statistic',
  unit: 'percent',
  inputs: ['close'],
  parameters: { period: barCount(100) },
  reference: defined('100 × share of the period closes before that are below this one'),
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: 0,
    advance({ close }, from, to, _state, out) {
      const y = out[0]!;
      const first = markWarmUp(period, from, to, out);
      const scale = 100 / period;
      for (let i = first; i < to; i++) y[i - from] = scale * countBelow(close, i - period, period, close[i]!);
    },
  }),
});
