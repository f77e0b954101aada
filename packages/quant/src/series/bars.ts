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
