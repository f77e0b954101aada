import { expect } from '../../checks/expect.ts';

/** What a loss should be, from the probabilities alone. */
export type EstimatedPerformance = {
  /** Expected mean squared error of the probabilities. */
  brier: number;
  /** Expected mean log loss, in nats. */
  logLoss: number;
  /** Expected share of right sides, at .5. */
  accuracy: number;
  /** Standard error of the mean Brier score that outcomes drawn from the probabilities would have. */
  brierDeviation: number;
  count: number;
};

/**
 * What a calibrated model's performance should be before any outcome is known: a forecast of p comes true with the chance p, so
 * that its Brier score is expected at p (1 − p), its log loss at the entropy of p, its side at max(p, 1 − p).
 *
 * It tells how hard the present questions are, not whether the model has gone wrong: where the meaning of the features has
 * changed, p is no longer the chance, and the estimate is as wrong as the model. Outcomes decide; until they come, this is all.
 *
 * @param probabilities 0..1; NaN where it abstained: left out.
 * @returns NaN figures and a count of 0 when none is left.
 * @throws RangeError for a value outside 0..1.
 * @see Garg, Balakrishnan, Lipton, Neyshabur and Sedghi 2022, arXiv:2201.04234; "confidence-based performance estimation" of
 *   Kivimäki et al. 2024, arXiv:2407.08649.
 */
export function estimatePerformance(probabilities: Float64Array): EstimatedPerformance {
  let [count, brier, logLoss, accuracy, variance] = [0, 0, 0, 0, 0];
  for (const p of probabilities) {
    if (Number.isNaN(p)) continue;
    expect(p >= 0 && p <= 1, `probabilities must be in 0..1, one was ${p}`);
    count += 1;
    const chance = p * (1 - p);
    brier += chance;
    logLoss += entropyPart(p) + entropyPart(1 - p);
    accuracy += Math.max(p, 1 - p);
    // The score is p² or (1 − p)²; they lie 1 − 2p apart.
    variance += (1 - 2 * p) ** 2 * chance;
  }
  if (count === 0) {
    return { brier: Number.NaN, logLoss: Number.NaN, accuracy: Number.NaN, brierDeviation: Number.NaN, count };
  }
  return {
    brier: brier / count,
    logLoss: logLoss / count,
    accuracy: accuracy / count,
    brierDeviation: Math.sqrt(variance) / count,
    count,
  };
}

function entropyPart(p: number): number {
  return p === 0 ? 0 : -p * Math.log(p);
}
