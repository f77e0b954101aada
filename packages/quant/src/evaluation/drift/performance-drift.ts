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

/**
 * Is the model wrong more than it was when it was judged? Its daily live losses against its own daily losses of that time,
 * by bounds that hold at every look, so that it may be asked every day. Outcomes come late; days without one are no days.
 *
 * Take losses relative to a baseline of the same day: a hard quarter is hard for everybody, and no drift. The uncertainty of the
 * old mean is added to that of the new one.
 *
 * @param training Daily mean losses out of sample at training time; NaN days are left out.
 * @param live Daily mean losses since, oldest first; NaN where no outcome is known.
 */
export function performanceDrift(
  training: Float64Array,
  live: Float64Array,
  settings: PerformanceSettings,
): PerformanceDrift {
  const { horizon, level = 0.05, tightestAt = 63 } = settings;
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  const [then, now] = [training.filter(Number.isFinite), live.filter(Number.isFinite)];
  const firstLook = Math.max(10, 4 * horizon);
  if (then.length < TRAINING_DAYS_MIN)
    return { status: 'undefined', reason: `${then.length} days of training losses; needs ${TRAINING_DAYS_MIN}` };
  if (now.length < firstLook)
    return { status: 'undefined', reason: `${now.length} days have an outcome; needs ${firstLook}` };
  const known = longRunDeviationEstimate(then, horizon);
  // A short calm stretch must not look surer than the years before it.
  const deviation = Math.max(longRunDeviationEstimate(now, horizon), known);
  if (!(deviation > 0)) return { status: 'undefined', reason: 'the losses never differ' };
  const bound = boundInDeviations(now.length, tightestAt, level, horizon);
  const excess = mean(now) - mean(then);
  const half = bound * Math.hypot(deviation / Math.sqrt(now.length), known / Math.sqrt(then.length));
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
