import { expect } from '../checks/expect.ts';
import { betaQuantile } from './beta.ts';
import { normalQuantile } from './normal.ts';

export type Interval = { low: number; high: number };

/**
 * Exact interval of a share by Clopper and Pearson: covers the truth at least as often as `confidence` says, mostly more.
 *
 * 0..1 with no trials: nothing is known.
 *
 * @param successes Whole, 0..`trials`.
 * @param confidence 0..1, two-sided.
 * @throws RangeError on counts or a confidence outside these bounds.
 * @see Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
 */
export function clopperPearson(successes: number, trials: number, confidence = 0.95): Interval {
  checkCounts(successes, trials, confidence);
  const outside = (1 - confidence) / 2;
  return {
    low: successes === 0 ? 0 : betaQuantile(outside, successes, trials - successes + 1),
    high: successes === trials ? 1 : betaQuantile(1 - outside, successes + 1, trials - successes),
  };
}

/**
 * Score interval of a share by Wilson: covers about as often as `confidence` says, also for few trials. 0..1 with none.
 *
 * @see Wilson 1927, doi:10.1080/01621459.1927.10502953.
 */
export function wilson(successes: number, trials: number, confidence = 0.95): Interval {
  checkCounts(successes, trials, confidence);
  if (trials === 0) return { low: 0, high: 1 };
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const share = successes / trials;
  const bend = (z * z) / trials;
  const center = (share + bend / 2) / (1 + bend);
  const half = (z * Math.sqrt((share * (1 - share)) / trials + bend / (4 * trials))) / (1 + bend);
  return {
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === trials ? 1 : Math.min(1, center + half),
  };
}

function checkCounts(successes: number, trials: number, confidence: number): void {
  expect(Number.isInteger(trials) && trials >= 0, `trials must be a whole number, was ${trials}`);
  expect(
    Number.isInteger(successes) && successes >= 0 && successes <= trials,
    `successes must be a whole number in 0..${trials}, was ${successes}`,
  );
  expect(confidence > 0 && confidence < 1, `confidence must be in 0..1, was ${confidence}`);
}
