import { barCount, factory, talib, wilderMemory } from './factory.ts';
import type { Indicator } from './indicator.ts';
import { latestHighest, latestLowest, markWarmUp, ratio, trueRangeAt } from './kernels.ts';

// Wilder's directional movement (New Concepts in Technical Trading Systems, 1978), with TA-Lib's seeds: the first period − 1
// movements are added up, each later one replaces a period-th of the sum.

/** A move counts when it goes outwards and further than the one on the other side. */
function largerMove(move: number, other: number): number {
  return move > 0 && move > other ? move : 0;
}

/** TA-Lib PLUS_DM and MINUS_DM: smoothed directional movement. */
export const directionalMovement = factory({
  name: 'dm',
  title: 'Directional movement',
  family: 'momentum',
  unit: 'price',
  inputs: ['high', 'low'],
  outputs: ['plus', 'minus'],
  parameters: { period: barCount(14) },
  reference: talib('PLUS_DM, MINUS_DM'),
  machine: ({ period }) => ({
    warmUp: period - 1,
    memory: wilderMemory(period),
    stateSize: 2,
    advance({ high, low }, from, to, state, out) {
      let plus = state[0]!;
      let minus = state[1]!;
      const yPlus = out[0]!;
      const yMinus = out[1]!;
      for (let i = from; i < to; i++) {
        if (i > 0) {
          const up = high[i]! - high[i - 1]!;
          const down = low[i - 1]! - low[i]!;
          if (i >= period) {
            plus -= plus / period;
            minus -= minus / period;
          }
          if (up > 0 && up > down) plus += up;
          else if (down > 0 && down > up) minus += down;
        }
        yPlus[i - from] = i < period - 1 ? Number.NaN : plus;
        yMinus[i - from] = i < period - 1 ? Number.NaN : minus;
      }
      state[0] = plus;
      state[1] = minus;
    },
  }),
});

/** TA-Lib PLUS_DI, MINUS_DI and DX. */
export const directionalIndicator = factory({
  name: 'di',
  title: 'Directional indicators and index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  outputs: ['plus', 'minus', 'dx'],
  parameters: { period: barCount(14) },
  reference: talib('PLUS_DI, MINUS_DI, DX'),
  note: 'Undefined where TA-Lib gives 0 for lack of any range, or repeats the last DX for lack of movement.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: wilderMemory(period),
    stateSize: 3,
    advance({ high, low, close }, from, to, state, out) {
      const yPlus = out[0]!;
      const yMinus = out[1]!;
      const yIndex = out[2]!;
      const keep = 1 - 1 / period;
      let plus = state[0]!;
      let minus = state[1]!;
      let range = state[2]!;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const up = high[i]! - high[i - 1]!;
        const down = low[i - 1]! - low[i]!;
        const decay = i < period ? 1 : keep;
        plus = plus * decay + largerMove(up, down);
        minus = minus * decay + largerMove(down, up);
        range = range * decay + trueRangeAt(high, low, close, i);
        if (i < first) continue;
        const k = i - from;
        const total = range === 0 ? 0 : plus + minus;
        yPlus[k] = ratio(100 * plus, range);
        yMinus[k] = ratio(100 * minus, range);
        yIndex[k] = ratio(100 * Math.abs(minus - plus), total);
      }
      state[0] = plus;
      state[1] = minus;
      state[2] = range;
    },
  }),
});

/** Average of the directional index; NaN before `2 period − 1`. Its state has 4 numbers. */
function advanceAverageIndex(period: number): Indicator['advance'] {
  const share = 1 / period;
  const keep = 1 - share;
  const warmUp = 2 * period - 1;
  return ({ high, low, close }, from, to, state, out) => {
    const y = out[0]!;
    let plus = state[0]!;
    let minus = state[1]!;
    let range = state[2]!;
    let average = state[3]!;
    const first = markWarmUp(warmUp, from, to, out);
    for (let i = Math.max(from, 1); i < to; i++) {
      const up = high[i]! - high[i - 1]!;
      const down = low[i - 1]! - low[i]!;
      const decay = i < period ? 1 : keep;
      plus = plus * decay + largerMove(up, down);
      minus = minus * decay + largerMove(down, up);
      range = range * decay + trueRangeAt(high, low, close, i);
      const total = plus + minus;
      // As in TA-Lib, a bar without movement leaves the average as it was.
      if (i >= period && total !== 0 && range !== 0) {
        const index = (100 * Math.abs(minus - plus)) / total;
        average = i <= warmUp ? average + index : average * keep + index * share;
      }
      if (i === warmUp) average /= period;
      if (i >= first) y[i - from] = range === 0 ? Number.NaN : average;
    }
    state[0] = plus;
    state[1] = minus;
    state[2] = range;
    state[3] = average;
  };
}

/** TA-Lib ADX. */
export const adx = factory({
  name: 'adx',
  title: 'Average directional index',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  parameters: { period: barCount(14) },
  reference: talib('ADX'),
  note: 'Undefined while prices never moved, where TA-Lib gives 0.',
  machine: ({ period }) => ({
    warmUp: 2 * period - 1,
    memory: wilderMemory(period, 2),
    stateSize: 4,
    advance: advanceAverageIndex(period),
  }),
});

/** TA-Lib ADXR: mean of the average directional index now and `period − 1` bars ago. */
export const adxr = factory({
  name: 'adxr',
  title: 'Average directional index rating',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low', 'close'],
  parameters: { period: barCount(14) },
  reference: talib('ADXR'),
  note: 'Undefined while prices never moved, where TA-Lib gives 0.',
  machine: ({ period }) => {
    const lag = period - 1;
    const advanceIndex = advanceAverageIndex(period);
    return {
      warmUp: 3 * period - 2,
      memory: wilderMemory(period, 2),
      stateSize: 4 + lag,
      advance(bars, from, to, state, out) {
        advanceIndex(bars, from, to, state, out);
        const y = out[0]!;
        let place = from % lag;
        for (let i = from; i < to; i++) {
          const now = y[i - from]!;
          y[i - from] = i < 3 * period - 2 ? Number.NaN : (now + state[4 + place]!) / 2;
          state[4 + place] = now;
          place = place + 1 === lag ? 0 : place + 1;
        }
      },
    };
  },
});

/** Places of the latest highest high and lowest low in the last `period + 1` bars, for AROON. */
function advanceAroon(period: number): Indicator['advance'] {
  return ({ high, low }, from, to, state, out) => {
    const yDown = out[0]!;
    const yUp = out[1]!;
    const yDifference = out[2]!;
    let highest = state[0]! | 0;
    let lowest = state[1]! | 0;
    const first = markWarmUp(period, from, to, out);
    const factor = 100 / period;
    for (let i = from; i < to; i++) {
      const start = i < period ? 0 : i - period;
      highest = latestHighest(high, highest, start, i);
      lowest = latestLowest(low, lowest, start, i);
      if (i < first) continue;
      const down = factor * (period - (i - lowest));
      const up = factor * (period - (i - highest));
      yDown[i - from] = down;
      yUp[i - from] = up;
      yDifference[i - from] = factor * (highest - lowest);
    }
    state[0] = highest;
    state[1] = lowest;
  };
}

/** TA-Lib AROON and AROONOSC (Chande, 1995): how long ago the extremes of `period + 1` bars were. */
export const aroon = factory({
  name: 'aroon',
  title: 'Aroon and its oscillator',
  family: 'momentum',
  unit: 'percent',
  inputs: ['high', 'low'],
  outputs: ['down', 'up', 'oscillator'],
  parameters: { period: barCount(14) },
  reference: talib('AROON, AROONOSC'),
  machine: ({ period }) => ({
    warmUp: period,
    memory: { kind: 'window' },
    stateSize: 2,
    advance: advanceAroon(period),
  }),
});

/** TA-Lib VORTEX (Botes and Siepman, Stocks & Commodities 28:1, 2010). */
export const vortex = factory({
  name: 'vortex',
  title: 'Vortex indicator',
  family: 'momentum',
  unit: 'ratio',
  inputs: ['high', 'low', 'close'],
  outputs: ['plus', 'minus'],
  parameters: { period: barCount(14) },
  reference: talib('VORTEX'),
  note: 'Undefined while prices never moved.',
  machine: ({ period }) => ({
    warmUp: period,
    memory: { kind: 'window' },
    stateSize: 4,
    advance({ high, low, close }, from, to, state, out) {
      const yPlus = out[0]!;
      const yMinus = out[1]!;
      let plus = state[0]!;
      let minus = state[1]!;
      let range = state[2]!;
      // Bars without range in a row: the sliding sum of ranges need not come back to exactly 0.
      let still = state[3]! | 0;
      const first = markWarmUp(period, from, to, out);
      for (let i = Math.max(from, 1); i < to; i++) {
        const trueRange = trueRangeAt(high, low, close, i);
        plus += Math.abs(high[i]! - low[i - 1]!);
        minus += Math.abs(low[i]! - high[i - 1]!);
        range += trueRange;
        still = trueRange === 0 ? still + 1 : 0;
        const old = i - period;
        if (old > 0) {
          plus -= Math.abs(high[old]! - low[old - 1]!);
          minus -= Math.abs(low[old]! - high[old - 1]!);
          range -= trueRangeAt(high, low, close, old);
        }
        if (i < first) continue;
        yPlus[i - from] = still >= period ? Number.NaN : plus / range;
        yMinus[i - from] = still >= period ? Number.NaN : minus / range;
      }
      state[0] = plus;
      state[1] = minus;
      state[2] = range;
      state[3] = still;
    },
  }),
});
