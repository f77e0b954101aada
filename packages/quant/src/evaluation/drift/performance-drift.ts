import { expect } from '../../checks/expect.ts';
import { boundInDeviations, longRunDeviationEstimate } from '../experiments/confidence-sequence.ts';

export type PerformanceDrift =
  | {
      status: 'ok';
      /** Mean live loss minus the mean loss at training time. */
      excess: number;
      /** Lower bound of the excess that holds at every look together; above zero the model is worse than it was. */
      low: number;
      high: number;
      /** excess over the half width of its bounds: above 1 is an alarm. */
      statistic: number;
      alarm: boolean;
      dayCount: number;
    }
  | { status: 'undefined'; reason: string };

export type PerformanceSettings = {
  /** Sessions until an outcome is known. */
  horizon: number;
  /** Chance of ever raising a false alarm, both sides. Default .05. */
  level?: number;
  /** Session after which the test is sharpest. Default 63. */
  tightestAt?: number;
};

const TRAINING_DAYS_MIN = 60;

/** What the model's loss was when it was judged. */
export type LossReference = {
  mean: number;
  /** Of that mean; 0: it is known. */
  standardError: number;
  /** √n times the standard error of n days; null: not known. */
  longRunDeviation: number | null;
};

/**
 * The reference of daily mean losses out of sample at training time.
 *
 * @param training NaN days are left out.
 * @returns Null with fewer than 60 days.
 */
export function lossReference(training: Float64Array, horizon: number): LossReference | null {
  const then = training.filter(Number.isFinite);
  if (then.length < TRAINING_DAYS_MIN) return null;
  const longRunDeviation = longRunDeviationEstimate(then, horizon);
  return { mean: mean(then), standardError: longRunDeviation / Math.sqrt(then.length), longRunDeviation };
}

/**
 * Is the model wrong more than it was when it was judged? Its daily live losses against its own of that time, by bounds that
 * hold at every look, so that it may be asked every day. Outcomes come late; days without one are no days.
 *
 * Take losses relative to a baseline of the same day where there is one: a hard quarter is hard for everybody, and no drift. The
 * uncertainty of the old mean is added to that of the new one.
 *
 * @param live Daily mean losses since, oldest first; NaN where no outcome is known.
 */
export function performanceDrift(
  reference: LossReference,
  live: Float64Array,
  settings: PerformanceSettings,
): PerformanceDrift {
  const { horizon, level = 0.05, tightestAt = 63 } = settings;
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  const now = live.filter(Number.isFinite);
  const firstLook = Math.max(10, 4 * horizon);
  if (now.length < firstLook)
    return { status: 'undefined', reason: `${now.length} days have an outcome; needs ${firstLook}` };
  // A short calm stretch must not look surer than the years before it.
  const deviation = Math.max(longRunDeviationEstimate(now, horizon), reference.longRunDeviation ?? 0);
  if (!(deviation > 0)) return { status: 'undefined', reason: 'the losses never differ' };
  const bound = boundInDeviations(now.length, tightestAt, level, horizon);
  const excess = mean(now) - reference.mean;
  const half = bound * Math.hypot(deviation / Math.sqrt(now.length), reference.standardError);
  if (!Number.isFinite(half)) return { status: 'undefined', reason: `${now.length} days hold too few outcomes` };
  return {
    status: 'ok',
    excess,
    low: excess - half,
    high: excess + half,
    statistic: excess / half,
    alarm: excess > half,
    dayCount: now.length,
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
