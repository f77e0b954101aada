import { expect } from '../../checks/expect.ts';

export const LOSS_METRICS = ['brier', 'log_loss', 'error_rate', 'qlike', 'squared_error', 'interval_score'] as const;
export type LossMetric = (typeof LOSS_METRICS)[number];

/** What was said and what happened. */
export type ScoredPrediction = { value: number; outcome: number; lower?: number; upper?: number; level?: number };

/** A probability of nothing at all that happened would cost infinitely; nobody is that sure. */
const PROBABILITY_LEAST = 1e-6;

/**
 * Loss of one prediction; smaller is better, NaN where it is not defined.
 *
 * brier: (p − y)². log_loss: −ln of the probability given to what happened. error_rate: 1 on the wrong side of one half.
 * qlike: x − ln x − 1 with x = outcome / value, both variances above zero. squared_error: (value − outcome)². interval_score: the
 * width of the interval plus 2 / (1 − level) times what the outcome lies outside of it.
 *
 * @see Gneiting and Raftery 2007, doi:10.1198/016214506000001437; Patton 2011, doi:10.1016/j.jeconom.2010.03.034, for qlike.
 */
export function predictionLoss(metric: LossMetric, { value, outcome, lower, upper, level }: ScoredPrediction): number {
  if (metric === 'interval_score') {
    if (lower === undefined || upper === undefined || level === undefined) return Number.NaN;
    expect(level > 0 && level < 1, `level must be between 0 and 1, was ${level}`);
    const outside = Math.max(lower - outcome, 0, outcome - upper);
    return upper - lower + (2 / (1 - level)) * outside;
  }
  if (metric === 'squared_error') return (value - outcome) ** 2;
  if (metric === 'qlike') {
    if (!(value > 0 && outcome > 0)) return Number.NaN;
    const ratio = outcome / value;
    return ratio - Math.log(ratio) - 1;
  }
  if (!(value >= 0 && value <= 1) || !(outcome === 0 || outcome === 1)) return Number.NaN;
  if (metric === 'brier') return (value - outcome) ** 2;
  if (metric === 'error_rate') return value > 0.5 === (outcome === 1) ? 0 : 1;
  const said = outcome === 1 ? value : 1 - value;
  return -Math.log(Math.max(said, PROBABILITY_LEAST));
}
