import { expect } from '../../checks/expect.ts';
import type { Goal } from '../learner.ts';
import { exponential, logarithmOfOnePlus, logistic } from './elementary-functions.ts';

export type LossSettings = {
  /** Regression: squares, or squares that go on as lines beyond `huberDelta`. */
  loss: 'squared' | 'huber';
  /** > 0, in standard deviations of the target. */
  huberDelta: number;
  /** Quantile goal: which one, in (0, 1). */
  quantile: number;
};

/** What is made small, and its slope, both by the margin (what the network puts out). */
export type Loss = { value: (margin: number, y: number) => number; slope: (margin: number, y: number) => number };

/**
 * binary: log loss of the logit. regression: half the square, or Huber's loss (1964, doi:10.1214/aoms/1177703732). quantile:
 * pinball loss (Koenker and Bassett 1978, doi:10.2307/1913643), whose slope at zero is taken from above.
 *
 * @throws RangeError for a setting out of its range, or a goal without a loss.
 */
export function chooseLoss(goal: Goal, { loss, huberDelta, quantile }: LossSettings): Loss {
  if (goal === 'binary')
    return {
      value: (z, y) => Math.max(z, 0) - z * y + logarithmOfOnePlus(exponential(-Math.abs(z))),
      slope: (z, y) => logistic(z) - y,
    };
  if (goal === 'quantile') {
    expect(quantile > 0 && quantile < 1, `quantile must lie between 0 and 1, was ${quantile}`);
    return {
      value: (z, y) => (z >= y ? (1 - quantile) * (z - y) : quantile * (y - z)),
      slope: (z, y) => (z >= y ? 1 - quantile : -quantile),
    };
  }
  expect(goal === 'regression', `a network learns binary, regression, quantile, not ${goal}`);
  if (loss === 'squared') return { value: (z, y) => 0.5 * (z - y) * (z - y), slope: (z, y) => z - y };
  expect(loss === 'huber', `loss must be squared or huber, was ${loss}`);
  expect(huberDelta > 0 && Number.isFinite(huberDelta), `huberDelta must be above 0, was ${huberDelta}`);
  return {
    value(z, y) {
      const gap = Math.abs(z - y);
      return gap <= huberDelta ? 0.5 * gap * gap : huberDelta * (gap - 0.5 * huberDelta);
    },
    slope: (z, y) => Math.max(-huberDelta, Math.min(huberDelta, z - y)),
  };
}
