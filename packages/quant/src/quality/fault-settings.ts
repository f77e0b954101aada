/**
 * The kinds of fault the injector plants, how many of each in 10,000, and how large.
 *
 * Frozen before any detector existed: a detector that could choose its own exam would always pass. Robust standard
 * deviation means 1.4826 times the median absolute deviation of the 63 close-to-close log returns before the fault,
 * but at least `robustSdMin`.
 */
export const faultSettings = {
  /** Faults in the whole panel. */
  count: 10_000,
  /** Share of each kind; sums to one. Ticker reuse is planted at most once in an instrument. */
  prevalence: {
    'bad-tick': 0.25,
    'nonpositive-price': 0.06,
    'stale-run': 0.1,
    'missing-bars': 0.12,
    'duplicate-bar': 0.1,
    'ohlc-violation': 0.12,
    'unadjusted-split': 0.04,
    'twice-adjusted-split': 0.02,
    'ticker-reuse': 0.01,
    'zero-as-missing': 0.08,
    'date-slip': 0.05,
    'currency-swap': 0.05,
  },
  /** Bars of history before the first fault of an instrument. */
  historyMin: 64,
  /** Untouched bars between two faults of an instrument. */
  spacing: 12,
  /** Window of the robust standard deviation, in returns. */
  robustWindow: 63,
  /** Floor of the robust standard deviation, log return: a dead price has none of its own. */
  robustSdMin: 0.005,
  badTick: {
    /** Smallest displacement in robust standard deviations; exponential above it with this mean, cut at the largest. */
    sdMin: 8,
    sdMeanExcess: 8,
    sdMax: 60,
    /** Share of ticks that are decimal shifts instead, and the factors they draw from. */
    decimalShare: 0.25,
    decimalFactors: [10, 0.1, 100],
    /** Share of open and close ticks whose bar's high or low was stretched to hold them, as a vendor's own bar would. */
    stretchedShare: 0.5,
  },
  /** Identical bars in a stale run, the first true one included, and the share that repeat the volume too. */
  staleRun: { barsMin: 5, barsMax: 21, sameVolumeShare: 0.5 },
  missingBars: { barsMin: 1, barsMax: 5 },
  /** Share of duplicates with the same values; the others have all prices moved by this relative standard deviation. */
  duplicateBar: { sameShare: 0.5, relativeSd: 0.005 },
  /** Smallest and mean excess of the relative distance by which the bar contradicts itself. */
  ohlcViolation: { relativeMin: 0.003, relativeMeanExcess: 0.01 },
  /** New shares for one old share. Volume is restated with the price in this share of the cases. */
  split: { ratios: [2, 3, 1.5, 4, 5, 10, 0.2, 0.1, 0.5], volumeShare: 0.5 },
  tickerReuse: {
    /** Smallest absolute log step of the price level where the other instrument's history meets this one's. */
    levelStepMin: 0.25,
    /** Share with silent sessions between the two, and how many. */
    gapShare: 0.5,
    gapMin: 20,
    gapMax: 120,
    /** Bars of foreign history, smallest, and its largest share of the instrument's bars. */
    foreignMin: 120,
    foreignShareMax: 0.5,
  },
  /** Stretch of bars whose dates are one day early or late. Seven or more bars always touch a weekend. */
  dateSlip: { barsMin: 7, barsMax: 60 },
  currencySwap: {
    barsMin: 5,
    barsMax: 60,
    factorMin: 1.1,
    factorMax: 1.4,
    /** Share of swaps by the factor of the minor unit, up or down. */
    minorUnitShare: 0.2,
    minorUnitFactor: 100,
  },
  /** Harmless disturbance that is no fault: vendors round prices and restate volumes. */
  noise: { priceRowShare: 0.05, priceRelativeSd: 1e-5, volumeRowShare: 0.05, volumeLogSd: 0.02 },
} as const;

export type FaultKind = keyof typeof faultSettings.prevalence;
