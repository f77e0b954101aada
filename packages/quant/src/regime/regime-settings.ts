/** What the served regimes and the study `regimes` are made with. Frozen before the judged run. */
export const REGIME_SETTINGS = {
  /** Starts of a fit beside the one from sorted data. */
  restarts: 8,
  /** A weak belief about stays, in days and as a mean: five months, and a fifth of the study's training window. */
  stayPriorDays: 500,
  stayPriorMean: 100,
  /** Log-likelihood a step must gain for a fit to go on. */
  tolerance: 1e-4,
  /** Probability another state must reach before the band changes. */
  switchAt: 0.65,
  /** Rows known before the first fit. */
  trainingRowsMin: 756,
  /** Rows a fit looks back. */
  trainingRowsMax: 2520,
  /** Rows between two fits. */
  refitEveryRows: 252,
  /** Starts of a refit beside the fit before it. */
  refitRestarts: 2,
  jumpPenalty: 30,
  changePoint: {
    runLengthMean: 250,
    runLengthMax: 750,
    recentRows: 21,
    priorMeanRows: 20,
    priorShape: 2,
    /** Rows whose variance is the belief about a fresh run; without a reading before their last. */
    scaleRows: 250,
  },
} as const;

export type RegimeSettings = typeof REGIME_SETTINGS;
