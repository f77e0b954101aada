import { expect } from '../checks/expect.ts';
import { logGammaRatio } from './gaussian-hmm.ts';

export type ChangePointSettings = {
  /** Mean rows between changes that is believed in beforehand, > 1. */
  runLengthMean: number;
  /** Longest run told apart; longer ones are counted with it. Memory and time a row grow with it. */
  runLengthMax: number;
  /** A change within so many rows counts as recent. */
  recentRows: number;
  /** Belief about a run before its first row: its mean, and the rows that belief counts for. */
  priorMean: number;
  priorMeanRows: number;
  /** Twice the shape is the degrees of freedom of a run's first row. */
  priorShape: number;
  /** Scale of the precision: the believed variance is scale / shape. */
  priorScale: number;
};

export type ChangePoints = {
  /** Probability that the present run began within the last `recentRows` rows; NaN where every run is that young. */
  recent: Float64Array;
  /** Likeliest run length after each row, in rows. */
  runLength: Int32Array;
  /** Log density of all observed rows, each given those before. */
  logLikelihood: number;
};

/**
 * Bayesian online change-point detection: how long the present run of rows with one mean and one variance has lasted.
 *
 * Normal rows with unknown mean and variance (normal-gamma), so each run's next row is a Student t. The hazard is constant.
 * Row t depends on rows 0..t only; a value that is not finite is a row in which nothing was seen and no run grows. The longest run keeps all its
 * rows. Time O(T · runLengthMax).
 *
 * With a constant hazard the probability of a change exactly now is the hazard whatever was seen, so the probability of a
 * recent change is what is given.
 *
 * @see Adams and MacKay (2007), arXiv:0710.3742; Murphy (2007), conjugate analysis of the Gaussian, for the updates
 */
export function detectChangePoints(values: Float64Array, settings: ChangePointSettings): ChangePoints {
  const { runLengthMean, runLengthMax, recentRows, priorMean, priorMeanRows, priorShape, priorScale } = settings;
  expect(runLengthMean > 1, `runLengthMean must be above 1, was ${runLengthMean}`);
  expect(
    Number.isInteger(recentRows) && recentRows >= 1 && recentRows < runLengthMax,
    `recentRows must be a whole number from 1 and below runLengthMax, was ${recentRows}`,
  );
  expect(priorMeanRows > 0 && priorShape > 0 && priorScale > 0, 'prior rows, shape and scale must be positive');
  const constant = tConstants(priorShape, runLengthMax + 1);
  const logDensity = new Float64Array(runLengthMax + 1);
  let runs = emptyRuns(settings);
  let spare = emptyRuns(settings);
  runs.chance[0] = 1;
  let logLikelihood = 0;
  const recent = new Float64Array(values.length);
  const runLength = new Int32Array(values.length);
  for (let t = 0; t < values.length; t++) {
    const value = values[t]!;
    const largest = Number.isFinite(value)
      ? fillDensities(value, runs, settings, constant, logDensity)
      : Number.NEGATIVE_INFINITY;
    // A value beyond all floating point is impossible under every run and tells none apart.
    if (largest > Number.NEGATIVE_INFINITY) {
      for (let r = 0; r <= runs.longest; r++) logDensity[r] = Math.exp(logDensity[r]! - largest);
      spare.mean[0] = priorMean;
      spare.scale[0] = priorScale;
      logLikelihood += largest + Math.log(growRuns(value, runs, logDensity, settings, spare));
      [runs, spare] = [spare, runs];
    }
    let soon = 0;
    let best = 0;
    for (let r = 0; r <= runs.longest; r++) {
      // Run length r after row t means that the run began at row t − r + 1; r = 0: it begins with the next row.
      if (r <= recentRows) soon += runs.chance[r]!;
      if (runs.chance[r]! > runs.chance[best]!) best = r;
    }
    recent[t] = runs.longest > recentRows ? Math.min(1, soon) : Number.NaN;
    runLength[t] = best;
  }
  return { recent, runLength, logLikelihood };
}

/** For each run length: its probability, and the mean and scale of its rows joined with the prior's. */
type Runs = { longest: number; chance: Float64Array; mean: Float64Array; scale: Float64Array };

function emptyRuns({ runLengthMax, priorMean, priorScale }: ChangePointSettings): Runs {
  const size = runLengthMax + 1;
  return {
    longest: 0,
    chance: new Float64Array(size),
    mean: new Float64Array(size).fill(priorMean),
    scale: new Float64Array(size).fill(priorScale),
  };
}

/** Log density of the value as the next row of each run. @returns the largest log of density times probability. */
function fillDensities(
  value: number,
  { longest, chance, mean, scale }: Runs,
  { priorMeanRows, priorShape }: ChangePointSettings,
  constant: Float64Array,
  logDensity: Float64Array,
): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let r = 0; r <= longest; r++) {
    const rows = priorMeanRows + r;
    const shape = priorShape + r / 2;
    const spread = (scale[r]! * (rows + 1)) / (shape * rows);
    const z2 = (value - mean[r]!) ** 2 / spread;
    logDensity[r] = constant[r]! - 0.5 * Math.log(spread) - (shape + 0.5) * Math.log1p(z2 / (2 * shape));
    if (chance[r]! > 0) largest = Math.max(largest, logDensity[r]! + Math.log(chance[r]!));
  }
  return largest;
}

/** Every run grows by the row or ends with it. @returns the density of the row in the unit of `density`. */
function growRuns(
  value: number,
  { longest, chance, mean, scale }: Runs,
  density: Float64Array,
  { runLengthMean, runLengthMax, priorMeanRows, priorShape }: ChangePointSettings,
  next: Runs,
): number {
  const hazard = 1 / runLengthMean;
  next.chance.fill(0);
  let total = 0;
  for (let r = 0; r <= longest; r++) {
    const joint = chance[r]! * density[r]!;
    total += joint;
    next.chance[0]! += joint * hazard;
    const rows = priorMeanRows + r;
    // The longest run told apart stays where it is, joined by the one below; the likelier of the two lends its moments.
    const to = Math.min(r + 1, runLengthMax);
    const grown = joint * (1 - hazard);
    if (to === r + 1 || grown > next.chance[to]!) {
      next.mean[to] = (rows * mean[r]! + value) / (rows + 1);
      next.scale[to] = scale[r]! + (rows * (value - mean[r]!) ** 2) / (2 * (rows + 1));
      // It forgets as much as it learns, so that its scale stays that of `runLengthMax` rows.
      if (r === runLengthMax) next.scale[to]! *= (priorShape + r / 2) / (priorShape + (r + 1) / 2);
    }
    next.chance[to]! += grown;
  }
  next.longest = Math.min(longest + 1, runLengthMax);
  for (let r = 0; r <= next.longest; r++) next.chance[r]! /= total;
  return total;
}

/** ln of the t density's constant for each run length, without its scale. */
function tConstants(priorShape: number, size: number): Float64Array {
  const constant = new Float64Array(size);
  for (let r = 0; r < size; r++) {
    const nu = 2 * priorShape + r;
    constant[r] = logGammaRatio(nu) - 0.5 * Math.log(nu * Math.PI);
  }
  return constant;
}
