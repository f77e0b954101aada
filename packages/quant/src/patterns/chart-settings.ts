/**
 * Limits of the chart pattern detector. Heights are the pattern's own, volatilities the standard deviation of the daily log
 * returns before the pattern. Tuned on the study's seeds 0 to 79 only; frozen before its judged seeds were run.
 */
export const CHART_SETTINGS = {
  /** Bars of the standard deviation that sets the size of a turning point. */
  volatilityBars: 63,
  /** Moves that confirm a turning point, in daily volatilities: one zigzag each. */
  pivotMoves: [1.2, 2],
  /** Half widths of the triangular smoothing the turning points are taken from, in bars; the bars after delay them. */
  smoothing: [0, 1, 2],
  /** An inner turning point is moved by this many bars at most to where the legs fit best, if they fit that well before. */
  refineBarsMax: 3,
  roughNoise: 1.4,
  /** The last turning points of a zigzag that are read, at most. */
  turningPointsMax: 24,
  /** Bars from the first turning point to the confirmation. */
  spanMin: 18,
  spanMax: 126,
  /** Longest wait for the break after the last turning point, in mean legs. */
  runningLegs: 2.2,
  /** A break further beyond than this is a gap or comes too late to be told as a confirmation, in heights. */
  breakReachMax: 1,
  legBarsMin: 3,
  /** How far the price must have come from beyond the line, in heights, and within how many mean legs. */
  entryDepth: 0.34,
  entryLegs: 2.5,
  /** Before the first turning point the price may have been higher by this share of the height at most. */
  entryAboveMax: 0.16,
  /** Detections sharing more than this part of the union of their spans are one; the first confirmed stands. */
  overlapMax: 0.4,
  /**
   * Of each family: `noiseMax` standard deviation around the fitted legs in heights, `strengthMin` height in daily
   * volatilities times the square root of the bars, `legRatioMax` longest over shortest leg,
   * `clarityMin` strength over noise, `breakMargin` how far beyond the line a close must stand in heights.
   */
  double: { noiseMax: 0.14, clarityMin: 9, breakMargin: 0.28, strengthMin: 1.05, legRatioMax: 2.5, tops: 0.3 },
  headAndShoulders: {
    noiseMax: 0.165,
    clarityMin: 6.8,
    breakMargin: 0.15,
    strengthMin: 0.75,
    legRatioMax: 3.5,
    shoulderMin: 0.22,
    shoulderMax: 0.92,
    shoulderMeanMax: 0.8,
    shoulderDifferenceMax: 0.4,
    necklineMax: 0.36,
  },
  triple: {
    noiseMax: 0.155,
    clarityMin: 6.5,
    breakMargin: 0.2,
    strengthMin: 0.75,
    legRatioMax: 2.6,
    tops: 0.22,
    bottoms: 0.36,
  },
  wedge: {
    noiseMax: 0.2,
    clarityMin: 6,
    breakMargin: 0.12,
    strengthMin: 0.6,
    legRatioMax: 2.6,
    topRiseMin: 0.15,
    bottomRiseMin: 0.4,
    widthRatioMax: 0.75,
  },
  /** Shapes of three tops and three bottoms are told apart by how far both sides close in: the nearest of these. */
  range: {
    noiseMax: 0.18,
    clarityMin: 7,
    breakMargin: 0.12,
    strengthMin: 0.7,
    legRatioMax: 3.2,
    /** Fall of the tops and rise of the bottoms, in first legs. */
    rectangle: [0, 0],
    ascending: [0, 0.6],
    symmetric: [0.3, 0.3],
    distanceMax: 0.42,
    /** The middle touch off the line between its neighbours. */
    bendMax: 0.36,
  },
  flag: {
    noiseMax: 0.18,
    clarityMin: 3.5,
    breakMargin: 0.12,
    strengthMin: 0.33,
    legRatioMax: 2.6,
    poleMin: 2.4,
    poleLegs: 4,
    poleStrengthMin: 2,
    slopeMin: 0,
    slopeMax: 0.9,
    retraceMax: 0.65,
    widthRatio: 1.8,
    breakReachMax: 1.5,
  },
  cup: {
    noiseMax: 0.135,
    clarityMin: 8,
    breakMargin: 0.12,
    strengthMin: 0.85,
    barsMin: 20,
    rimsWithin: 0.25,
    handleMin: 0.1,
    handleMax: 0.75,
    handleShareMax: 0.65,
    entryFrom: 0.8,
    lookBack: 24,
  },
} as const;
