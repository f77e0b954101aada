/**
 * Daily bars of one instrument as columns of equal length, ascending by `day`.
 *
 * `day` counts days since 1970-01-01. Prices are in the listing's currency, volume in shares. Missing is NaN.
 */
export type Bars = {
  day: Int32Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
};

/**
 * A rectangle of daily values: T days by N instruments, row-major (`values[t * N + i]`), missing is NaN.
 * `day` is ascending; `instrument` holds the caller's ids in column order.
 */
export type Panel = {
  day: Int32Array;
  instrument: Int32Array;
  close: Float64Array;
};
