export type RegimeSettings = {
  /** Starts of a fit beside the one from sorted data. */
  restarts: number;
  /** A weak belief about stays, in days and as a mean: five months, and a fifth of the study's training window. */
  stayPriorDays: number;
  stayPriorMean: number;
  /** Log-likelihood a step must gain for a fit to go on. */
  tolerance: number;
  /** Probability another state must reach before the band changes. */
  switchAt: number;
  /** Rows known before the first fit. */
  trainingRowsMin: number;
  /** Rows a fit looks back. */
  trainingRowsMax: number;
  /** Rows between two fits. */
  refitEveryRows: number;
  /** Starts of a refit beside the fit before it. */
  refitRestarts: number;
  jumpPenalty: number;
  changePoint: {
    runLengthMean: number;
    runLengthMax: number;
    recentRows: number;
    priorMeanRows: number;
    priorShape: number;
    /** Rows whose variance is the belief about a fresh run; without a reading before their last. */
    scaleRows: number;
  };
};

/** What the served regimes and the study `regimes` are made with. Frozen before the judged run. */
export const REGIME_SETTINGS: RegimeSettings = {
  restarts: 8,
  stayPriorDays: 500,
  stayPriorMean: 100,
  tolerance: 1e-4,
  switchAt: 0.65,
  trainingRowsMin: 756,
  trainingRowsMax: 2520,
  refitEveryRows: 252,
  refitRestarts: 2,
  jumpPenalty: 5,
  changePoint: {
    runLengthMean: 250,
    runLengthMax: 750,
    recentRows: 21,
    priorMeanRows: 20,
    priorShape: 2,
    scaleRows: 250,
  },
};
