import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import type { Random } from '../random/random.ts';
import { blockBootstrap } from '../stats/block-bootstrap.ts';
import { ols, withIntercept } from '../stats/ols.ts';
import { wholeRows } from './explain-by-factors.ts';

export type OutOfSampleFit =
  | {
      status: 'ok';
      /** 1 − squared errors over those of the mean of the rows fitted on; below nought when the factors do harm. */
      value: number;
      /** 95 % interval by circular blocks. */
      low: number;
      high: number;
      /** Rows judged, and the first and last of them among the rows given. */
      sampleCount: number;
      firstRow: number;
      lastRow: number;
    }
  | Unanswered;

const BLOCK_LENGTH = 21;
const RESAMPLE_COUNT = 500;

/**
 * How much of the variance the exposures of the first rows explain in the later ones. The factors of the later rows are
 * known when it is judged: it tells how steady exposures are, and forecasts nothing.
 *
 * @param y T returns. @param factors Row-major T × K. @param trainCount Rows fitted on.
 * @returns `undefined` with fewer than 10 + 2 K whole rows to fit on or 21 to judge on, or when either part does not vary.
 */
export function outOfSampleFit(
  y: Float64Array,
  factors: Float64Array,
  factorCount: number,
  trainCount: number,
  random: Random,
): OutOfSampleFit {
  expect(trainCount >= 0 && trainCount <= y.length, `trainCount must be in 0..${y.length}, was ${trainCount}`);
  const early = wholeRows(y.subarray(0, trainCount), factors.subarray(0, trainCount * factorCount), factorCount);
  const late = wholeRows(y.subarray(trainCount), factors.subarray(trainCount * factorCount), factorCount);
  const [n, m, needed] = [early.y.length, late.y.length, 10 + 2 * factorCount];
  if (n < needed || m < BLOCK_LENGTH)
    return unanswered(
      `${needed} whole rows to fit on and ${BLOCK_LENGTH} to judge on are needed, there are ${n} and ${m}`,
    );
  const fit = ols(early.y, withIntercept(early.factors, n, factorCount), factorCount + 1);
  if (fit.status !== 'ok') return unanswered(fit.reason);
  const mean = early.y.reduce((sum, value) => sum + value, 0) / n;
  const errors = Float64Array.from(late.y, (value, t) => {
    let told = fit.coefficients[0]!;
    for (let k = 0; k < factorCount; k++) told += fit.coefficients[k + 1]! * late.factors[t * factorCount + k]!;
    return (value - told) ** 2;
  });
  const baseline = late.y.map((value) => (value - mean) ** 2);
  if (!baseline.some((value) => value > 0)) return unanswered('the returns do not vary');
  const interval = blockBootstrap(
    m,
    (indices) => {
      let [ours, theirs] = [0, 0];
      for (const t of indices) {
        ours += errors[t]!;
        theirs += baseline[t]!;
      }
      return 1 - ours / theirs;
    },
    { random, blockLength: BLOCK_LENGTH, resampleCount: RESAMPLE_COUNT },
  );
  const { value, low, high } = interval;
  const [firstRow, lastRow] = [trainCount + late.rows[0]!, trainCount + late.rows.at(-1)!];
  return { status: 'ok', value, low, high, sampleCount: m, firstRow, lastRow };
}
