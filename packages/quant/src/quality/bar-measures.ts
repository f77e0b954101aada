import type { Bars } from '../series/bars.ts';
import type { CourtSettings } from './court-settings.ts';
import { median } from './median.ts';

// Row states: what later steps may trust.
export const GOOD = 0;
export const BAD = 1;
/** A later copy of a day already seen. */
export const COPY = 2;

export type Displacement = 'highWick' | 'lowWick' | 'openSpike' | 'closeSpike';

/**
 * Per row, in robust standard deviations, positive: how far high and low stick out of the body, and how far open and
 * close stick out of their neighbours. `gap` is the log step from the previous good close to the open. `session` is the
 * index of the day in the calendar or -1.
 */
export type Measures = {
  session: Int32Array;
  previous: Int32Array;
  state: Uint8Array;
  sd: Float64Array;
  gap: Float64Array;
  highWick: Float64Array;
  lowWick: Float64Array;
  openSpike: Float64Array;
  closeSpike: Float64Array;
};

export function createMeasures(size: number): Measures {
  return {
    session: new Int32Array(size),
    previous: new Int32Array(size),
    state: new Uint8Array(size),
    sd: new Float64Array(size).fill(Number.NaN),
    gap: new Float64Array(size).fill(Number.NaN),
    highWick: new Float64Array(size),
    lowWick: new Float64Array(size),
    openSpike: new Float64Array(size),
    closeSpike: new Float64Array(size),
  };
}

export function sliceMeasures(measures: Measures, from: number, to: number): Measures {
  return {
    session: measures.session.subarray(from, to),
    previous: measures.previous.subarray(from, to),
    state: measures.state.subarray(from, to),
    sd: measures.sd.subarray(from, to),
    gap: measures.gap.subarray(from, to),
    highWick: measures.highWick.subarray(from, to),
    lowWick: measures.lowWick.subarray(from, to),
    openSpike: measures.openSpike.subarray(from, to),
    closeSpike: measures.closeSpike.subarray(from, to),
  };
}

/** Sets the session of each row. */
export function locate(bars: Bars, measures: Measures, tradingDays: Int32Array): void {
  let at = 0;
  if (bars.day.length > 0) at = lowerBound(tradingDays, bars.day[0]!);
  for (let row = 0; row < bars.day.length; row++) {
    const day = bars.day[row]!;
    while (at < tradingDays.length && tradingDays[at]! < day) at += 1;
    measures.session[row] = tradingDays[at] === day ? at : -1;
  }
}

/** Index of the first day not before `day`, the length where all are. */
export function lowerBound(days: Int32Array, day: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For each good row the good row before it, or -1. Rows that are not good get -2. */
export function linkGoodRows(measures: Measures): void {
  let previous = -1;
  for (let row = 0; row < measures.state.length; row++) {
    const isGood = measures.state[row] === GOOD;
    measures.previous[row] = isGood ? previous : -2;
    if (isGood) previous = row;
  }
}

/**
 * Robust standard deviation from the good returns before a row, renewed every few rows. Until a third of the window is
 * there it uses the first window after it: the court may look ahead.
 */
export function measureScale(bars: Bars, measures: Measures, settings: CourtSettings): void {
  const size = bars.day.length;
  const steps = new Float64Array(size);
  const rowOf = new Int32Array(size);
  let count = 0;
  for (let row = 0; row < size; row++) {
    const previous = measures.previous[row]!;
    if (previous < 0) continue;
    steps[count] = Math.abs(Math.log(bars.close[row]! / bars.close[previous]!));
    rowOf[count] = row;
    count += 1;
  }
  const scratch = new Float64Array(settings.robustWindow);
  const least = Math.ceil(settings.robustWindow / 3);
  let at = 0;
  let scale = Number.NaN;
  for (let row = 0; row < size; row++) {
    while (at < count && rowOf[at]! < row) at += 1;
    if (row % settings.robustEvery === 0) {
      const to = at >= least ? at : Math.min(count, settings.robustWindow);
      const from = Math.max(0, to - settings.robustWindow);
      if (to - from >= 5) {
        const window = scratch.subarray(0, to - from);
        window.set(steps.subarray(from, to));
        scale = Math.max(settings.robustSdMin, 1.4826 * median(window));
      }
    }
    measures.sd[row] = scale;
  }
}

export function measureDisplacements(bars: Bars, measures: Measures): void {
  const { open, high, low, close } = bars;
  const { previous, sd } = measures;
  let next = bars.day.length;
  for (let row = bars.day.length - 1; row >= 0; row--) {
    const before = previous[row]!;
    if (before === -2) continue;
    const scale = sd[row]!;
    const c = close[row]!;
    const o = open[row]! > 0 ? open[row]! : before >= 0 ? close[before]! : c;
    const top = Math.max(o, c);
    const bottom = Math.min(o, c);
    measures.highWick[row] = high[row]! > top ? Math.log(high[row]! / top) / scale : 0;
    measures.lowWick[row] = low[row]! < bottom ? Math.log(bottom / low[row]!) / scale : 0;
    if (before >= 0) {
      const gap = Math.log(o / close[before]!);
      const day = Math.log(c / o);
      measures.gap[row] = gap;
      measures.openSpike[row] = opposed(gap, day) / scale;
      const after = next < bars.day.length ? nextStart(bars, next, c) : gap + day > 0 === day > 0 ? -(gap + day) : 0;
      measures.closeSpike[row] = opposed(day, after) / scale;
    }
    next = row;
  }
}

/** Log step from this close to the next good open, or to the next close where the open is not known. */
export function nextStart({ open, close }: Bars, next: number, c: number): number {
  return Math.log((open[next]! > 0 ? open[next]! : close[next]!) / c);
}

/** The smaller of two steps that go opposite ways, or zero. */
function opposed(a: number, b: number): number {
  return a * b < 0 ? Math.min(Math.abs(a), Math.abs(b)) : 0;
}
