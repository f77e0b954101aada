/** Limits of the quality court for daily bars. Tuned on injector seeds 1 to 5 of the study, then left alone. */
export const courtSettings = {
  /** A bar contradicts itself when high or low miss open or close by more than this, relative. Vendors round. */
  ohlcTolerance: 1e-4,
  /** Identical bars with volume that make a stale run. */
  staleBarsMin: 5,
  /** Share of bars with volume 0 from which on they are one finding about the series and not one for each stretch. */
  noVolumeShare: 0.5,
  /** Returns behind the robust standard deviation, how often it is renewed, and its floor in log return. */
  robustWindow: 63,
  robustEvery: 8,
  robustSdMin: 0.005,
  /** Smallest displacement of a bad tick, robust standard deviations: beyond the body of the bar, or of the body. */
  wickLimit: 6.5,
  spikeLimit: 5.5,
  /** The last bar of a file shows no reversal yet, so it needs this many times the limit. */
  lastBarFactor: 2,
  /** A displacement must also be this many times what the highest twentieth of the batch shows on the same day. */
  peerFactor: 2.5,
  /** Instruments with a bar from which on a day's peers say anything. */
  peersMin: 20,
  /** Bars on each side that say what volume and range are usual, and the multiple up to which a step is silent. */
  usualWindow: 20,
  silentVolume: 2.2,
  silentRange: 2.2,
  /** A step must be this many times the 90th percentile of the gaps around it. */
  stepUsualFactor: 2.5,
  /** Extra multiple of volume and range per unit of log step beyond the smallest: news of that size is louder. */
  silentGrowth: 5.5,
  /** With more than this multiple of the usual volume a displacement needs this many times its limit. */
  newsVolume: 2,
  newsFactor: 1.5,
  /** Smallest step of the price level, absolute log, alone and as one of a pair that cancels. */
  stepMin: 0.19,
  pairedStepMin: 0.065,
  /** From this absolute log step on, a step is reported even with loud volume: no news triples a price overnight. */
  certainStep: 1.2,
  /** A step is one of the level only if this share of it shows from open to open. */
  stepLevelShare: 0.35,
  /**
   * Bars at another level that make a tick of whole bars, its smallest size in absolute log and in standard deviations,
   * and the share of the step by which the level may have moved meanwhile.
   */
  levelTickBarsMax: 3,
  levelTickMin: 0.19,
  levelTickSd: 8,
  levelTickRestShare: 0.25,
  /**
   * Bars between two steps that cancel, and how far from zero their sum may be: in log, in standard
   * deviations and as a share of the step.
   */
  pairBarsMin: 2,
  pairBarsMax: 70,
  pairTolerance: 0.012,
  pairToleranceSd: 1.2,
  pairToleranceShare: 0.06,
  /** From this multiple of the tolerance on, one of the two days may be loud. */
  halfQuietTolerances: 3,
  /** Log steps between these that hit a split ratio on both sides are splits, not currencies. */
  currencyStepMax: 0.39,
  minorUnitStepMin: 4.2,
  /** Log distance at which a step counts as a split ratio, and the ratios. */
  splitTolerance: 0.05,
  splitRatios: [1.25, 4 / 3, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50],
  /** Silent sessions after which a ticker may belong to somebody else. */
  silenceMin: 15,
  /** A day is thin when fewer than this share of the instruments alive have a bar, among at least `peersMin`. */
  thinShare: 0.6,
} as const;

/** The same limits with other numbers. */
export type CourtSettings = {
  readonly [K in keyof typeof courtSettings]: (typeof courtSettings)[K] extends number ? number : readonly number[];
};
