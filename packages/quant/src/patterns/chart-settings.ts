/**
 * Limits of the chart pattern detector. Heights are the pattern's own, volatilities the standard deviation of the daily log
 * returns before the pattern. Tuned on the study's tuning seeds only, frozen before its judged seeds.
 */
export const CHART_SETTINGS = {
  /** Bars of the standard deviation that sets the size of a turning point. */
  volatilityBars: 63,
  /** Moves that confirm a turning point, in daily volatilities: one zigzag each. */
  pivotMoves: [1.2, 1.6, 2.1, 2.8, 3.7, 4.9, 6.5, 8.6],
  /** How far beyond its line a close must stand, in heights. */
  breakMargin: 0.12,
  /** A break further beyond than this is a gap or comes too late to be told as a confirmation, in heights. */
  breakReachMax: 0.9,
  /** Longest and shortest leg differ by this factor at most. */
  legRatioMax: 4,
  legBarsMin: 3,
  /** Standard deviation around the fitted legs, in heights. */
  noiseMax: 0.22,
  /** Height in daily volatilities times the square root of the bars from first turning point to break. */
  strengthMin: 1.1,
  /** How far the price must have come from beyond the line, in heights, and within how many mean legs. */
  entryDepth: 0.3,
  entryLegs: 2.5,
  /** Equal turning points differ by this share of the height from their mean. */
  equalWithin: 0.16,
  /** Detections sharing more than this part of the union of their spans are one; the first confirmed stands. */
  overlapMax: 0.3,
  shoulder: { min: 0.3, max: 0.82, differenceMax: 0.3, necklineMax: 0.3 },
  triangle: { riseMin: 0.12, widthRatioMax: 0.68, slopeMin: 0.15 },
  wedge: { riseMin: 0.2, widthRatioMax: 0.7, gainMin: 1.2, spanShare: 0.5 },
  flag: {
    poleMin: 2.2,
    poleLegs: 4,
    strengthMin: 0.5,
    slopeMin: 0.1,
    slopeMax: 0.9,
    retraceMax: 0.65,
    widthRatio: 1.8,
  },
  cup: {
    rimsWithin: 0.2,
    handleMin: 0.15,
    handleMax: 0.6,
    barsMin: 20,
    handleShareMax: 0.6,
    lookBack: 12,
    noiseMax: 0.25,
  },
} as const;
