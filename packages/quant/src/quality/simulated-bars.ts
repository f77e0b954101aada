import type { Random } from '../random/random.ts';
import type { Bars } from '../series/bars.ts';

/**
 * Clean daily bars of a geometric random walk, for tests: no jumps, no faults, prices unrounded.
 *
 * The night takes a fifth of the variance; the day is walked in eight steps so that high and low are consistent with
 * open and close.
 *
 * @param days Ascending days since 1970-01-01, one bar each.
 * @param volatilityDaily Standard deviation of the close-to-close log return, 0.02 means 2 %.
 */
export function simulatedBars(
  days: Int32Array,
  random: Random,
  volatilityDaily: number,
  startPrice: number,
  marketReturn?: Float64Array,
): Bars {
  const size = days.length;
  const bars: Bars = {
    day: days.slice(),
    open: new Float64Array(size),
    high: new Float64Array(size),
    low: new Float64Array(size),
    close: new Float64Array(size),
    volume: new Float64Array(size),
  };
  let price = startPrice;
  for (let t = 0; t < size; t++) {
    const night = Math.sqrt(0.2) * volatilityDaily * random.normal() + (marketReturn?.[t] ?? 0);
    const open = price * Math.exp(night);
    let high = open;
    let low = open;
    price = open;
    for (let step = 0; step < 8; step++) {
      price *= Math.exp(Math.sqrt(0.1) * volatilityDaily * random.normal());
      high = Math.max(high, price);
      low = Math.min(low, price);
    }
    bars.open[t] = open;
    bars.high[t] = high;
    bars.low[t] = low;
    bars.close[t] = price;
    bars.volume[t] = Math.round(1e6 * Math.exp(0.3 * random.normal()));
  }
  return bars;
}

/** Monday to Friday days from `first` on. */
export function weekdaysFrom(first: number, count: number): Int32Array {
  const days = new Int32Array(count);
  let day = first;
  for (let t = 0; t < count; t++) {
    // 1970-01-01 was a Thursday, so day % 7 is 2 on a Saturday and 3 on a Sunday.
    while (day % 7 === 2 || day % 7 === 3) day += 1;
    days[t] = day;
    day += 1;
  }
  return days;
}
