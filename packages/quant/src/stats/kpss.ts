import { expect } from '../checks/expect.ts';
import { type Unanswered, unanswered } from '../checks/unanswered.ts';
import { whyUnusable } from './autocorrelation.ts';
import { mean } from './moments.ts';
import { ols } from './ols.ts';

export type Kpss =
  | {
      status: 'ok';
      statistic: number;
      /** Between the table's values; 0.01 and 0.10 are its ends. */
      pValue: number;
      /** Whether the p-value is the table's end, and the true one smaller or larger than it. */
      isBeyond: 'smaller' | 'larger' | null;
      lags: number;
    }
  | Unanswered;

export type KpssOptions = {
  /** Stationary around a constant (absent) or around a trend. */
  deterministic?: 'c' | 'ct';
  /**
   * Bartlett lags: a number, `automatic` (Hobijn, Franses and Ooms 2004, doi:10.1111/j.1467-9574.2004.00272.x; absent) or
   * `schwert`, ⌈12 (n / 100)^¼⌉.
   */
  lags?: number | 'automatic' | 'schwert';
};

const P_VALUES = [0.1, 0.05, 0.025, 0.01];
/** Table 1 of the paper. */
const CRITICAL = { c: [0.347, 0.463, 0.574, 0.739], ct: [0.119, 0.146, 0.176, 0.216] };

/**
 * KPSS test: the null hypothesis is a stationary series, a small p-value speaks against it.
 *
 * @param values Equally spaced, no gaps.
 * @returns `undefined` for a series that is constant, too short, exactly a trend, or holds a value that is not finite.
 * @throws RangeError if `lags` is a number that is not whole, or outside 0..n − 1.
 * @see Kwiatkowski, Phillips, Schmidt and Shin 1992, doi:10.1016/0304-4076(92)90104-Y.
 */
export function kpss(values: Float64Array, options: KpssOptions = {}): Kpss {
  const { deterministic = 'c', lags: rule = 'automatic' } = options;
  const why = whyUnusable(values, 4);
  if (why) return unanswered(why);
  const n = values.length;
  const residuals = detrend(values, deterministic);
  const lags = Math.min(n - 1, countLags(residuals, rule));
  expect(
    typeof rule !== 'number' || (Number.isInteger(rule) && rule >= 0 && rule < n),
    `lags must be a whole number in 0..${n - 1}, was ${rule}`,
  );
  let longRun = product(residuals, 0);
  // Beside the size of the values only rounding is left.
  if (longRun <= 1e-26 * product(values, 0)) return unanswered('the series is exactly a trend');
  for (let lag = 1; lag <= lags; lag++) longRun += 2 * (1 - lag / (lags + 1)) * product(residuals, lag);
  let partial = 0;
  let squares = 0;
  for (const e of residuals) {
    partial += e;
    squares += partial * partial;
  }
  const statistic = squares / n / longRun;
  const table = CRITICAL[deterministic];
  const isBeyond = statistic > table[3]! ? 'smaller' : statistic < table[0]! ? 'larger' : null;
  return { status: 'ok', statistic, pValue: interpolate(statistic, table, P_VALUES), isBeyond, lags };
}

function detrend(values: Float64Array, deterministic: 'c' | 'ct'): Float64Array {
  const center = mean(values);
  if (deterministic === 'c') return values.map((value) => value - center);
  const n = values.length;
  const x = new Float64Array(2 * n);
  for (let t = 0; t < n; t++) {
    x[2 * t] = 1;
    x[2 * t + 1] = t + 1;
  }
  const fit = ols(values, x, 2);
  expect(fit.status === 'ok', 'a constant and a trend are independent');
  return fit.residuals;
}

function countLags(residuals: Float64Array, rule: number | 'automatic' | 'schwert'): number {
  const n = residuals.length;
  if (typeof rule === 'number') return rule;
  if (rule === 'schwert') return Math.ceil(12 * (n / 100) ** 0.25);
  const scanned = Math.floor(n ** (2 / 9));
  let level = product(residuals, 0) / n;
  let slope = 0;
  for (let lag = 1; lag <= scanned; lag++) {
    const share = (2 * product(residuals, lag)) / n;
    level += share;
    slope += lag * share;
  }
  return Math.floor(1.1447 * ((slope / level) ** 2) ** (1 / 3) * n ** (1 / 3));
}

function product(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = lag; t < values.length; t++) sum += values[t]! * values[t - lag]!;
  return sum;
}

/** Linear between points of an ascending table, constant beyond its ends. */
function interpolate(x: number, from: readonly number[], to: readonly number[]): number {
  if (x <= from[0]!) return to[0]!;
  for (let k = 1; k < from.length; k++)
    if (x <= from[k]!) return to[k - 1]! + ((x - from[k - 1]!) / (from[k]! - from[k - 1]!)) * (to[k]! - to[k - 1]!);
  return to.at(-1)!;
}
