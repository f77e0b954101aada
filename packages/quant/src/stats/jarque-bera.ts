import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { whyUnusable } from './autocorrelation.ts';
import { chiSquaredTail } from './chi-squared.ts';
import { excessKurtosis, skewness } from './moments.ts';

/**
 * Jarque-Bera test against a normal distribution: n/6 (skewness² + excess kurtosis² / 4), chi-squared with two degrees.
 *
 * @returns `undefined` with fewer than two values, a constant series, or a value that is not finite.
 * @see Jarque and Bera 1980, doi:10.1016/0165-1765(80)90024-5.
 */
export function jarqueBera(values: Float64Array): { status: 'ok'; statistic: number; pValue: number } | Unanswered {
  const why = whyUnusable(values, 2);
  if (why) return unanswered(why);
  const statistic = (values.length / 6) * (skewness(values) ** 2 + excessKurtosis(values) ** 2 / 4);
  return { status: 'ok', statistic, pValue: chiSquaredTail(statistic, 2) };
}
