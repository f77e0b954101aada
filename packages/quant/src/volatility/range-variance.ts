import { expect } from '../checks/expect.ts';

/**
 * Daily prices as columns of equal length, ascending in time; missing is NaN. `Bars` fits as it is.
 */
export type DailyPrices = {
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
};

const FOUR_LN_TWO = 4 * Math.LN2;
const GARMAN_KLASS_CLOSE_WEIGHT = 2 * Math.LN2 - 1;

/**
 * Log return of each close over the close before, squared: the noisiest measure of a day's variance, and the only one
 * that needs nothing but closes. Return² per day; NaN on the first day and beside a missing or non-positive close.
 */
export function squaredReturnVariance(close: Float64Array): Float64Array {
  return logReturns(close).map((r) => r * r);
}

/** ln(close / previous close), NaN on the first day and beside a missing or non-positive close. */
export function logReturns(close: Float64Array): Float64Array {
  const result = new Float64Array(close.length).fill(Number.NaN);
  for (let t = 1; t < close.length; t++)
    if (close[t]! > 0 && close[t - 1]! > 0) result[t] = Math.log(close[t]! / close[t - 1]!);
  return result;
}

/**
 * Variance of one session from its range, (ln high/low)² / (4 ln 2), five times as efficient as a squared return for a
 * driftless path watched without pause. Return² per session, without the night. NaN where a price is missing or the bar
 * contradicts itself.
 *
 * @see Parkinson 1980, doi:10.1086/296071
 */
export function parkinsonVariance(prices: DailyPrices): Float64Array {
  return perBar(prices, (range) => (range * range) / FOUR_LN_TWO);
}

/**
 * Variance of one session from open, high, low and close: ½ (ln high/low)² − (2 ln 2 − 1)(ln close/open)². Never negative
 * for a bar that does not contradict itself. Return² per session, without the night; NaN as in `parkinsonVariance`.
 *
 * @see Garman and Klass 1980, doi:10.1086/296072
 */
export function garmanKlassVariance(prices: DailyPrices): Float64Array {
  return perBar(prices, (range, body) => 0.5 * range * range - GARMAN_KLASS_CLOSE_WEIGHT * body * body);
}

/**
 * Variance of one session that a drift does not bias: ln(h/c) ln(h/o) + ln(l/c) ln(l/o). Return² per session, without the
 * night; NaN as in `parkinsonVariance`.
 *
 * @see Rogers and Satchell 1991, doi:10.1214/aoap/1177005835
 */
export function rogersSatchellVariance(prices: DailyPrices): Float64Array {
  return perBar(prices, (_range, body, up, down) => up * (up - body) + down * (down - body));
}

/**
 * Variance of a whole day: Garman-Klass of the session plus the squared step from the previous close to the open. Return²
 * per day; NaN on the first day and as in `garmanKlassVariance`.
 */
export function garmanKlassOvernightVariance(prices: DailyPrices): Float64Array {
  const session = garmanKlassVariance(prices);
  const night = overnightReturns(prices);
  return session.map((value, t) => value + night[t]! * night[t]!);
}

/**
 * Variance of a day from the last `window` days, free of drift and of the opening step's size: var(overnight) +
 * k var(open to close) + (1 − k) mean(Rogers-Satchell), k = .34 / (1.34 + (n + 1)/(n − 1)). Return² per day. NaN until the
 * window is full of complete bars.
 *
 * @param window Days n, at least 2.
 * @throws RangeError if `window` is no whole number of at least 2.
 * @see Yang and Zhang 2000, doi:10.1086/209650
 */
export function yangZhangVariance(prices: DailyPrices, window: number): Float64Array {
  expect(Number.isInteger(window) && window >= 2, `window must be a whole number >= 2, was ${window}`);
  const n = prices.close.length;
  const night = overnightReturns(prices);
  const session = rogersSatchellVariance(prices);
  const body = perBar(prices, (_range, value) => value);
  const k = 0.34 / (1.34 + (window + 1) / (window - 1));
  const result = new Float64Array(n).fill(Number.NaN);
  for (let t = window; t < n; t++) {
    let [nightMean, bodyMean, sessionMean] = [0, 0, 0];
    for (let s = t - window + 1; s <= t; s++) {
      nightMean += night[s]! / window;
      bodyMean += body[s]! / window;
      sessionMean += session[s]! / window;
    }
    let [nightVariance, bodyVariance] = [0, 0];
    for (let s = t - window + 1; s <= t; s++) {
      nightVariance += (night[s]! - nightMean) ** 2 / (window - 1);
      bodyVariance += (body[s]! - bodyMean) ** 2 / (window - 1);
    }
    result[t] = nightVariance + k * bodyVariance + (1 - k) * sessionMean;
  }
  return result;
}

export type ChosenProxy = {
  proxy: 'garman_klass_overnight' | 'squared_return';
  /** Return² per day, one value a row. */
  variance: Float64Array;
  /** Share of the rows with a close and a close before it that have a whole bar with a range, 0..1. */
  wholeBarShare: number;
  /** Why the range could not be used, or null where it could. */
  reason: string | null;
};

/** Below this share of whole bars a range proxy would silently skip too many days. */
const WHOLE_BAR_SHARE_MIN = 0.9;

/**
 * The proxy that the prices allow: Garman-Klass with the overnight step where at least nine days in ten have a whole bar
 * with a range, squared returns otherwise, with the reason. Decided on all rows given, so give it the past only.
 */
export function chooseProxy(prices: DailyPrices): ChosenProxy {
  const squared = squaredReturnVariance(prices.close);
  const ranged = garmanKlassOvernightVariance(prices);
  let days = 0;
  let whole = 0;
  for (let t = 1; t < squared.length; t++) {
    if (Number.isNaN(squared[t]!)) continue;
    days++;
    if (ranged[t]! >= 0 && prices.high[t]! > prices.low[t]!) whole++;
  }
  const wholeBarShare = days === 0 ? 0 : whole / days;
  if (wholeBarShare >= WHOLE_BAR_SHARE_MIN)
    return { proxy: 'garman_klass_overnight', variance: ranged, wholeBarShare, reason: null };
  const reason =
    `only ${(100 * wholeBarShare).toFixed(1)} % of the days have an open, high and low with a range, ` +
    `${100 * WHOLE_BAR_SHARE_MIN} % are needed`;
  return { proxy: 'squared_return', variance: squared, wholeBarShare, reason };
}

function overnightReturns({ open, close }: DailyPrices): Float64Array {
  const result = new Float64Array(close.length).fill(Number.NaN);
  for (let t = 1; t < close.length; t++)
    if (open[t]! > 0 && close[t - 1]! > 0) result[t] = Math.log(open[t]! / close[t - 1]!);
  return result;
}

/** Applies a formula to ln(h/l), ln(c/o), ln(h/o), ln(l/o) of every bar that is whole and does not contradict itself. */
function perBar(
  prices: DailyPrices,
  formula: (range: number, body: number, up: number, down: number) => number,
): Float64Array {
  const { open, high, low, close } = prices;
  const n = close.length;
  expect(
    open.length === n && high.length === n && low.length === n,
    `prices need one length, had ${open.length}, ${high.length}, ${low.length} and ${n}`,
  );
  const result = new Float64Array(n).fill(Number.NaN);
  for (let t = 0; t < n; t++) {
    const [o, h, l, c] = [open[t]!, high[t]!, low[t]!, close[t]!];
    if (!(l > 0 && h >= o && h >= c && l <= o && l <= c && h < Number.POSITIVE_INFINITY)) continue;
    const value = formula(Math.log(h / l), Math.log(c / o), Math.log(h / o), Math.log(l / o));
    // Rounding can leave −1e-20 where the formula is zero.
    result[t] = value;
  }
  return result;
}
