/**
 * Log return of each row against the row before. NaN in the first row, beside a missing or non-positive close, and in rows
 * whose day is in `unpaid`: their step is not the market's.
 */
export function logReturns(close: Float64Array, day?: Int32Array, unpaid?: Int32Array): Float64Array {
  const skipped = new Set(unpaid);
  return close.map((value, t) => {
    if (t === 0 || (day !== undefined && skipped.has(day[t]!))) return Number.NaN;
    const step = Math.log(value / close[t - 1]!);
    return Number.isFinite(step) ? step : Number.NaN;
  });
}
