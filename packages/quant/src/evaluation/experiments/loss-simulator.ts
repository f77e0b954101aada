import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';

/** How the losses of two versions move together from day to day. */
export type LossWorld = {
  /** Sessions until an outcome is known: losses of neighbouring days share all but one day of it. 1: they share nothing. */
  overlapDays: number;
  /** How much of yesterday's difference is left today, beside the overlap; 0..1, exclusive. */
  persistence: number;
  /** Degrees of freedom of the shocks, > 2. */
  shockDegrees: number;
  /** Standard deviation and day-to-day memory of the log of the variance of the difference: calm and wild times. */
  logVariance: { deviation: number; memory: number };
  /** Mean loss of the control, and the deviation of what both versions share. */
  loss: { mean: number; shared: number };
  /** Standard deviation of the difference of one day. */
  differenceDeviation: number;
};

/** The world that studies judge in: a five-day target asked every day, fat tails, variance that clusters. */
export const JUDGED_WORLD: LossWorld = {
  overlapDays: 5,
  persistence: 0,
  shockDegrees: 6,
  logVariance: { deviation: 0.5, memory: 0.95 },
  loss: { mean: 0.23, shared: 0.05 },
  differenceDeviation: 0.02,
};

const BURN_DAYS = 250;

/**
 * Daily mean losses of two versions on the same questions. Their difference has the mean `effect`, is correlated from day to
 * day and swings by times more, by times less.
 *
 * @param effect Mean of treatment − control; 0 for a test of a version against its equal.
 * @returns One value a day each, none missing.
 * @throws RangeError for settings outside their ranges.
 */
export function simulateLosses(
  world: LossWorld,
  dayCount: number,
  effect: number,
  random: Random,
): { control: Float64Array; treatment: Float64Array } {
  const { overlapDays, persistence, shockDegrees, logVariance } = world;
  checkWorld(world, dayCount);
  const [shocks, variances, common] = [random.split('shocks'), random.split('variance'), random.split('common')];
  const unit = Math.sqrt((shockDegrees - 2) / shockDegrees / overlapDays);
  const innovation = logVariance.deviation * Math.sqrt(1 - logVariance.memory ** 2);
  const recent = new Float64Array(overlapDays);
  let logVarianceNow = logVariance.deviation * variances.normal();
  let kept = 0;
  let shared = 0;
  const control = new Float64Array(dayCount);
  const treatment = new Float64Array(dayCount);
  for (let t = -BURN_DAYS; t < dayCount; t++) {
    recent[(t + BURN_DAYS) % overlapDays] = shocks.studentT(shockDegrees);
    const sum = recent.reduce((a, b) => a + b, 0) * unit;
    kept = persistence * kept + Math.sqrt(1 - persistence ** 2) * sum;
    logVarianceNow = logVariance.memory * logVarianceNow + innovation * variances.normal();
    shared = 0.8 * shared + 0.6 * common.normal();
    if (t < 0) continue;
    const noise = world.differenceDeviation * Math.exp(logVarianceNow / 2 - logVariance.deviation ** 2 / 4) * kept;
    control[t] = world.loss.mean + world.loss.shared * shared - noise / 2;
    treatment[t] = control[t]! + noise + effect;
  }
  return { control, treatment };
}

/**
 * Long-run standard deviation of the daily difference in a world: √n times the standard error of the mean of n days. What an
 * effect must be told against. Only for worlds without persistence, where it is a finite sum.
 */
export function longRunDeviation(world: LossWorld): number {
  const { overlapDays, logVariance, differenceDeviation } = world;
  expect(world.persistence === 0, 'the long-run deviation is known for worlds without persistence only');
  const spread = logVariance.deviation ** 2;
  let sum = 0;
  for (let k = 1 - overlapDays; k < overlapDays; k++) {
    const lag = Math.abs(k);
    // Mean of the product of the two standard deviations, over its value at lag 0 of a world without calm and wild times.
    const together = Math.exp((spread * (1 + logVariance.memory ** lag)) / 4 - spread / 2);
    sum += ((overlapDays - lag) / overlapDays) * together;
  }
  return differenceDeviation * Math.sqrt(sum);
}

function checkWorld({ overlapDays, persistence, shockDegrees }: LossWorld, dayCount: number): void {
  expect(Number.isInteger(dayCount) && dayCount >= 1, `dayCount must be a whole number >= 1, was ${dayCount}`);
  expect(Number.isInteger(overlapDays) && overlapDays >= 1, `overlapDays must be >= 1, was ${overlapDays}`);
  expect(persistence >= 0 && persistence < 1, `persistence must be in 0..1, was ${persistence}`);
  expect(shockDegrees > 2, `shockDegrees must be above 2, was ${shockDegrees}`);
}
