import { barCount, defined, factory, type IndicatorFactory, realNumber, talib, WINDOW } from './factory.ts';
import type { BarColumn } from './indicator.ts';
import { latestHighest, latestLowest, markWarmUp, ratio } from './kernels.ts';

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
      let still = state[2]!;
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
        let stillX = state[5]!;
        let stillY = state[6]!;
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
      let still = state[4]!;
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
    stateSize: 0,
    advance({ close }, from, to, _state, out) {
      const y = out[0]!;
      const first = markWarmUp(period - 1, from, to, out);
      for (let i = first; i < to; i++) {
        let sum = 0;
        for (let j = i - period + 1; j <= i; j++) sum += close[j]!;
        const mean = sum / period;
        let deviation = 0;
        for (let j = i - period + 1; j <= i; j++) deviation += Math.abs(close[j]! - mean);
        y[i - from] = deviation / period;
      }
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
  note: 'Undefined when the return did not change in the window, or over a close of 0.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: WINDOW,
    stateSize: period + 7,
    advance({ close }, from, to, state, out) {
      const yZ = out[0]!;
      const ySkewness = out[1]!;
      const yKurtosis = out[2]!;
      let s1 = state[period]!;
      let s2 = state[period + 1]!;
      let s3 = state[period + 2]!;
      let s4 = state[period + 3]!;
      let still = state[period + 4]!;
      let last = state[period + 5]!;
      let unknown = state[period + 6]!;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        // Returns over a close of 0 are kept as NaN and counted, so that the sums stay sound.
        const change = close[i - 1] === 0 ? Number.NaN : close[i]! / close[i - 1]! - 1;
        const place = i % period;
        const old = i > period ? state[place]! : 0;
        state[place] = change;
        const isKnown = !Number.isNaN(change);
        const x = isKnown ? change : 0;
        const gone = Number.isNaN(old) ? 0 : old;
        if (!isKnown) unknown++;
        if (Number.isNaN(old)) unknown--;
        s1 += x - gone;
        s2 += x * x - gone * gone;
        s3 += x * x * x - gone * gone * gone;
        s4 += x * x * x * x - gone * gone * gone * gone;
        still = i > 1 && x === last ? still + 1 : 1;
        last = x;
        if (i < first) continue;
        const mean = s1 / period;
        const variance = s2 / period - mean * mean;
        const third = s3 / period - 3 * mean * (s2 / period) + 2 * mean * mean * mean;
        const fourth =
          s4 / period - 4 * mean * (s3 / period) + 6 * mean * mean * (s2 / period) - 3 * mean * mean * mean * mean;
        const isUndefined = still >= period || unknown > 0 || variance <= 0;
        yZ[i - from] = isUndefined ? Number.NaN : (x - mean) / Math.sqrt(variance);
        ySkewness[i - from] = isUndefined ? Number.NaN : third / (variance * Math.sqrt(variance));
        yKurtosis[i - from] = isUndefined ? Number.NaN : fourth / (variance * variance) - 3;
      }
      state[period] = s1;
      state[period + 1] = s2;
      state[period + 2] = s3;
      state[period + 3] = s4;
      state[period + 4] = still;
      state[period + 5] = last;
      state[period + 6] = unknown;
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
  reference: defined('(close − mean) / population standard deviation; Skender ToStdDev'),
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
      let still = state[2]!;
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
  note: 'Undefined when the returns did not change, or over a close that is not positive. Returns are added up exactly as held.',
  machine: ({ period }) => ({
    warmUp: period + 1,
    memory: WINDOW,
    stateSize: period + 1 + 8,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      const size = period + 1;
      let sumX = state[size]!;
      let sumY = state[size + 1]!;
      let sumXX = state[size + 2]!;
      let sumYY = state[size + 3]!;
      let sumXY = state[size + 4]!;
      let still = state[size + 5]!;
      let unknown = state[size + 6]!;
      let last = state[size + 7]!;
      const first = markWarmUp(period + 1, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        // A return that is not known counts 0 and makes the windows it is in undefined.
        const isKnown = close[i - 1]! > 0;
        const now = isKnown ? close[i]! / close[i - 1]! - 1 : 0;
        if (!isKnown) unknown = period + 1;
        else if (unknown > 0) unknown--;
        still = i > 1 && now === last ? still + 1 : 1;
        // The ring holds the returns of the last period + 1 bars: a pair is (the one before, this one).
        const before = last;
        last = now;
        if (i > 1) {
          sumX += before;
          sumY += now;
          sumXX += before * before;
          sumYY += now * now;
          sumXY += before * now;
        }
        if (i > period + 1) {
          const oldX = state[(i - period - 1) % size]!;
          const oldY = state[(i - period) % size]!;
          sumX -= oldX;
          sumY -= oldY;
          sumXX -= oldX * oldX;
          sumYY -= oldY * oldY;
          sumXY -= oldX * oldY;
        }
        state[i % size] = now;
        if (i < first) continue;
        const spread = (sumXX - (sumX * sumX) / period) * (sumYY - (sumY * sumY) / period);
        y[i - from] =
          still >= period || unknown > 0 || spread <= 0
            ? Number.NaN
            : (sumXY - (sumX * sumY) / period) / Math.sqrt(spread);
      }
      state[size] = sumX;
      state[size + 1] = sumY;
      state[size + 2] = sumXX;
      state[size + 3] = sumYY;
      state[size + 4] = sumXY;
      state[size + 5] = still;
      state[size + 6] = unknown;
      state[size + 7] = last;
    },
  }),
});

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
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: WINDOW,
    stateSize: 2,
    advance({ close }, from, to, state, out) {
      const y = out[0]!;
      let highest = state[0]!;
      let lowest = state[1]!;
      for (let i = from; i < to; i++) {
        const start = i < period ? 0 : i - period + 1;
        highest = latestHighest(close, highest, start, i);
        lowest = latestLowest(close, lowest, start, i);
        const range = close[highest]! - close[lowest]!;
        y[i - from] = i < period - 1 ? Number.NaN : ratio(close[i]! - close[lowest]!, range);
      }
      state[0] = highest;
      state[1] = lowest;
    },
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
      for (let i = first; i < to; i++) {
        const x = close[i]!;
        let below = 0;
        for (let j = i - period; j < i; j++) below += close[j]! < x ? 1 : 0;
        y[i - from] = (100 * below) / period;
      }
    },
  }),
});
