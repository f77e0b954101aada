import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { detectChangePoints } from './change-point.ts';
import { confirmStates, NO_STATE } from './confirm-states.ts';
import { filterHmm, fitHmm, type HmmModel } from './gaussian-hmm.ts';
import { fitJumpModel, type JumpModel, readJumpStates } from './jump-model.ts';
import { matchStates, nameStates } from './name-states.ts';
import { REGIME_FEATURES, regimeFeatures, scale, scalingOf } from './regime-features.ts';
import { REGIME_SETTINGS, type RegimeSettings } from './regime-settings.ts';
import { ruleBorders, ruleState, ruleVolatility } from './volatility-rule.ts';

/** A fit and the rows it was made from and reads. States in the order bull, sideways, bear. */
export type RegimeFit = {
  /** Training window: rows `trainedFrom`..`trainedTo` − 1. */
  trainedFrom: number;
  trainedTo: number;
  /** First and one past the last row read with it. */
  readFrom: number;
  readTo: number;
  model: HmmModel;
  logLikelihood: number;
  isConverged: boolean;
  /** True when its names are its own: those of the fit before would have called a wilder state calmer. */
  isRenamed: boolean;
};

export type RegimeReading = {
  /** Row-major T × 3, filtered; NaN before the first fit. */
  probability: Float64Array;
  /** Band from the probabilities; `NO_STATE` before the first fit. */
  band: Uint8Array;
  /** The jump model's state, online. */
  jumpState: Uint8Array;
  /** The plain volatility rule's state. */
  ruleState: Uint8Array;
  /** Probability of a change within the last rows; NaN in the warm-up. */
  changePoint: Float64Array;
  fits: RegimeFit[];
};

/** Why a series has no regime. */
export type RegimeRefusal = 'too little history' | 'constant values' | 'all missing';

/**
 * Regimes of a series of daily log returns, read forwards: each fit sees only rows before those it reads, each probability only
 * rows up to its own. Appending rows changes no earlier row.
 *
 * Fits are made at fixed rows counted from the first return, on a window that ends there; names are carried from fit to fit.
 * A fit that fails keeps the one before. The filter of a fit begins with its training window.
 *
 * @param logReturn One a row; NaN: no session's return is known.
 * @param random Draws the starts.
 */
export function readRegimes(
  logReturn: Float64Array,
  random: Random,
  settings: RegimeSettings = REGIME_SETTINGS,
): RegimeReading {
  const rowCount = logReturn.length;
  const { trainingRowsMin, trainingRowsMax, refitEveryRows } = settings;
  expect(trainingRowsMin <= trainingRowsMax, 'trainingRowsMin must not exceed trainingRowsMax');
  const probability = new Float64Array(rowCount * 3).fill(Number.NaN);
  const jumpState = new Uint8Array(rowCount).fill(NO_STATE);
  const rule = new Uint8Array(rowCount).fill(NO_STATE);
  const features = regimeFeatures(logReturn);
  const volatility = ruleVolatility(logReturn);
  const fits: RegimeFit[] = [];
  let jump: { model: JumpModel; order: Int32Array } | null = null;
  for (let trainedTo = trainingRowsMin; trainedTo < rowCount; trainedTo += refitEveryRows) {
    const trainedFrom = Math.max(0, trainedTo - trainingRowsMax);
    const readTo = Math.min(rowCount, trainedTo + refitEveryRows);
    const before = fits.at(-1);
    const fit = fitHmm(logReturn.slice(trainedFrom, trainedTo), random.split(`fit/${trainedTo}`), {
      stateCount: 3,
      degreesOfFreedom: 'estimated',
      restarts: before ? settings.refitRestarts : settings.restarts,
      stayPriorDays: settings.stayPriorDays,
      stayPriorMean: settings.stayPriorMean,
      tolerance: settings.tolerance,
      ...(before ? { from: before.model } : {}),
    });
    if (fit.status === 'fitted') {
      const first = { model: nameStates(fit.model), isRenamed: false };
      const { model, isRenamed } = before ? matchStates(fit.model, before.model) : first;
      const { logLikelihood, isConverged } = fit;
      fits.push({ trainedFrom, trainedTo, readFrom: trainedTo, readTo, model, logLikelihood, isConverged, isRenamed });
    } else if (before) before.readTo = readTo;
    const current = fits.at(-1);
    if (!current) continue;
    const filtered = filterHmm(logReturn.slice(current.trainedFrom, readTo), current.model).filtered;
    probability.set(filtered.subarray((trainedTo - current.trainedFrom) * 3), trainedTo * 3);

    const borders = ruleBorders(volatility.slice(trainedFrom, trainedTo));
    for (let t = trainedTo; t < readTo; t++) rule[t] = ruleState(volatility[t]!, borders);

    const scaling = scalingOf(features, REGIME_FEATURES.length, trainedFrom, trainedTo);
    const scaled = scale(
      features.slice(trainedFrom * REGIME_FEATURES.length, readTo * REGIME_FEATURES.length),
      scaling,
    );
    const training = scaled.subarray(0, (trainedTo - trainedFrom) * REGIME_FEATURES.length);
    const jumpFit = fitJumpModel(training, REGIME_FEATURES.length, random.split(`jump/${trainedTo}`), {
      jumpPenalty: settings.jumpPenalty,
      restarts: settings.refitRestarts,
    });
    if (jumpFit.status === 'fitted') jump = { model: jumpFit.model, order: orderByVolatility(jumpFit.model) };
    if (jump === null) continue;
    const read = readJumpStates(scaled, jump.model);
    for (let t = trainedTo; t < readTo; t++) jumpState[t] = jump.order[read[t - trainedFrom]!]!;
  }
  return {
    probability,
    band: confirmStates(probability, 3, settings.switchAt),
    jumpState,
    ruleState: rule,
    changePoint: recentChange(logReturn, settings),
    fits,
  };
}

/** Why the series has no regime; null when it has. */
export function refuseRegimes(
  logReturn: Float64Array,
  settings: RegimeSettings = REGIME_SETTINGS,
): RegimeRefusal | null {
  const known = logReturn.filter(Number.isFinite);
  if (logReturn.length > 0 && known.length === 0) return 'all missing';
  if (known.length > 1 && known.every((value) => value === known[0])) return 'constant values';
  return logReturn.length <= settings.trainingRowsMin ? 'too little history' : null;
}

/** Rank of each state of a jump model by its first feature, the log volatility: calmest 0. */
export function orderByVolatility({ stateCount, featureCount, centre }: JumpModel): Int32Array {
  const states = Array.from({ length: stateCount }, (_, k) => k);
  states.sort((a, b) => centre[a * featureCount]! - centre[b * featureCount]!);
  const rank = new Int32Array(stateCount);
  states.forEach((state, at) => {
    rank[state] = at;
  });
  return rank;
}

function recentChange(logReturn: Float64Array, settings: RegimeSettings): Float64Array {
  const { scaleRows, ...rest } = settings.changePoint;
  const first = logReturn.subarray(0, scaleRows).filter(Number.isFinite);
  const variance = first.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, first.length);
  if (logReturn.length < scaleRows || !(variance > 0)) return new Float64Array(logReturn.length).fill(Number.NaN);
  const { recent } = detectChangePoints(logReturn, {
    ...rest,
    priorMean: 0,
    priorScale: variance * (rest.priorShape - 1),
  });
  // The belief was taken from these rows: a reading among them would see ahead.
  return recent.fill(Number.NaN, 0, scaleRows);
}
