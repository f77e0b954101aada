import { expect } from '../checks/expect.ts';
import { mean } from '../stats/moments.ts';
import { hacVarianceOfMean } from '../stats/newey-west.ts';
import { studentTail } from '../stats/student-t.ts';

export type DieboldMariano =
  | {
      status: 'ok';
      /** Mean of loss a − loss b; below zero a is better. */
      meanDifference: number;
      /** With the small-sample factor; Student t with n − 1 degrees under the null. */
      statistic: number;
      /** Two-sided. */
      pValue: number;
      dayCount: number;
      lags: number;
    }
  | { status: 'undefined'; reason: string };

/**
 * Are two forecasts equally good? The mean difference of their losses over its Newey-West deviation, with the correction
 * for small samples and the forecast's horizon.
 *
 * @param lossA Losses of one forecast per day; days on which either is NaN are left out.
 * @param horizon Days ahead that were forecast, >= 1: differences overlap over horizon − 1 days.
 * @param lags Bartlett lags. Absent: twice the overlap, since the triangle halves the weights, at least what n asks for.
 * @see Diebold and Mariano 1995, doi:10.1080/07350015.1995.10524599; Harvey, Leybourne and Newbold 1997,
 * doi:10.1016/S0169-2070(96)00719-4
 */
export function dieboldMariano(
  lossA: Float64Array,
  lossB: Float64Array,
  horizon: number,
  lags?: number,
): DieboldMariano {
  expect(lossA.length === lossB.length, `losses need one length, had ${lossA.length} and ${lossB.length}`);
  expect(Number.isInteger(horizon) && horizon >= 1, `horizon must be a whole number >= 1, was ${horizon}`);
  const difference = lossA.map((a, t) => a - lossB[t]!).filter(Number.isFinite);
  const n = difference.length;
  if (n < 2 * horizon + 8) return { status: 'undefined', reason: `${n} days are too few for a horizon of ${horizon}` };
  const lagCount = lags ?? Math.min(n - 1, Math.max(2 * (horizon - 1), Math.floor(4 * (n / 100) ** (2 / 9))));
  const variance = hacVarianceOfMean(difference, lagCount);
  if (!(variance > 0)) return { status: 'undefined', reason: 'the losses never differ' };
  const meanDifference = mean(difference);
  const factor = Math.sqrt((n + 1 - 2 * horizon + (horizon * (horizon - 1)) / n) / n);
  const statistic = (factor * meanDifference) / Math.sqrt(variance);
  const pValue = 2 * studentTail(Math.abs(statistic), n - 1);
  return { status: 'ok', meanDifference, statistic, pValue, dayCount: n, lags: lagCount };
}
