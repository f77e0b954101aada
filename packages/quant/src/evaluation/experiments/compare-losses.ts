import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';
import { meanInterval } from '../../stats/block-bootstrap.ts';
import { normalQuantile } from '../../stats/normal.ts';
import { studentTail } from '../../stats/student-t.ts';
import { type ConfidenceSequence, confidenceSequence, longRunDeviationEstimate } from './confidence-sequence.ts';

export type ComparisonSettings = {
  /** Two-sided. */
  level: number;
  /** Sessions until an outcome is known. */
  horizon: number;
  /** Sessions after which the test is to be decided: its bounds are tightest there. */
  tightestAt: number;
  /** Mean loss by which the treatment should be lower, > 0. */
  effect: number;
  random: Random;
};

export type Decision = 'treatment' | 'control' | 'undecided' | 'no_effect_of_that_size' | 'too_early';

export type LossComparison = {
  dayCount: number;
  /** treatment − control: below zero the treatment is better. NaN without a day; so are the figures below. */
  difference: number;
  standardError: number;
  /** Good for one look at the end. */
  hac: { low: number; high: number; pValue: number };
  bootstrap: { low: number; high: number };
  /** Good at every look. */
  sequence: ConfidenceSequence;
  /** First session whose bounds leave out zero; −1: none. */
  decidedAt: number;
  decision: Decision;
};

const RESAMPLES = 400;
const BLOCK_HORIZONS = 4;
const BLOCK_MIN = 10;

/**
 * Compares two versions by the difference of their daily mean losses on the same questions.
 *
 * The decision is the first that the sequential bounds allowed: once they have left out zero it stands, since they hold at all
 * looks together; what happens later is no second vote.
 *
 * @param control, treatment Daily mean losses, oldest first, finite, equally long.
 */
export function compareLosses(
  control: Float64Array,
  treatment: Float64Array,
  settings: ComparisonSettings,
): LossComparison {
  expect(control.length === treatment.length, `losses need one length, had ${control.length} and ${treatment.length}`);
  const { level, horizon, tightestAt, effect } = settings;
  const difference = treatment.map((loss, t) => loss - control[t]!);
  const n = difference.length;
  const sequence = confidenceSequence(difference, { level, horizon, tightestAt });
  const decidedAt = sequence.low.findIndex((low, t) => low > 0 || sequence.high[t]! < 0);
  const nothing = { low: Number.NaN, high: Number.NaN };
  if (n < 2) {
    return {
      ...{ dayCount: n, difference: n === 0 ? Number.NaN : difference[0]!, standardError: Number.NaN },
      ...{ hac: { ...nothing, pValue: Number.NaN }, bootstrap: nothing, sequence, decidedAt, decision: 'too_early' },
    };
  }
  const mean = sequence.mean[n - 1]!;
  const standardError = longRunDeviationEstimate(difference, horizon) / Math.sqrt(n);
  const half = normalQuantile(1 - level / 2) * standardError;
  const blockLength = Math.min(n, Math.max(BLOCK_MIN, BLOCK_HORIZONS * horizon));
  const { low, high } = meanInterval(difference, {
    ...{ random: settings.random, blockLength, resampleCount: RESAMPLES, level: 1 - level },
  });
  const pValue = standardError > 0 ? 2 * studentTail(Math.abs(mean) / standardError, n - 1) : Number.NaN;
  return {
    ...{ dayCount: n, difference: mean, standardError, bootstrap: { low, high }, sequence, decidedAt },
    hac: { low: mean - half, high: mean + half, pValue },
    decision: decide(sequence, decidedAt, effect),
  };
}

function decide({ low, high }: ConfidenceSequence, decidedAt: number, effect: number): Decision {
  if (decidedAt >= 0) return high[decidedAt]! < 0 ? 'treatment' : 'control';
  const last = low.length - 1;
  if (Number.isNaN(low[last]!)) return 'too_early';
  // The bounds hold zero; when they no longer hold the effect that was looked for, it is not there.
  return low[last]! > -effect ? 'no_effect_of_that_size' : 'undecided';
}
