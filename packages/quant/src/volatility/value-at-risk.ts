import { expect } from '../checks/expect.ts';
import { normalDensity, normalQuantile } from '../stats/normal.ts';
import { sortedQuantile } from '../stats/quantile.ts';
import { studentDensity, studentQuantile } from '../stats/student-t.ts';
import type { GarchWalk } from './garch-walk.ts';
import { createSortedWindow } from './sorted-window.ts';

/**
 * The lower tail of the next day's return, told at each row: a quantile and the mean beyond it, both in return per day and
 * as a rule negative. A loss figure is the same number with its sign turned. NaN where there is none yet.
 */
export type Tail = { quantile: Float64Array; shortfall: Float64Array };

export type TailWindow = {
  /** Most past returns that are looked at. */
  windowMax: number;
  /** Fewest. */
  windowMin: number;
};

export const TAIL_WINDOW: TailWindow = { windowMax: 1500, windowMin: 500 };

/** Points of the tail that a Cornish-Fisher shortfall is averaged over. */
const SHORTFALL_POINTS = 200;

/**
 * Historical simulation: the quantile of past returns and the mean of those not above it.
 *
 * @param probability Of the tail, in 0..0.5: .05 for 95 %.
 */
export function historicalTail(returns: Float64Array, probability: number, window = TAIL_WINDOW): Tail {
  return filteredHistoricalTail(returns, new Float64Array(returns.length).fill(1), probability, window);
}

/**
 * Filtered historical simulation: past returns in units of the volatility forecast for their day, their quantile, and back
 * in units of the forecast for the next day. Whatever level the forecast is wrong by, it is wrong by in the past as well.
 *
 * @param nextVolatility Told at each row for the next day; any positive multiple of it gives the same tail.
 * @see Barone-Adesi, Giannopoulos and Vosper 1999, doi:10.1002/(SICI)1096-9934(199908)19:5<583::AID-FUT5>3.0.CO;2-S
 */
export function filteredHistoricalTail(
  returns: Float64Array,
  nextVolatility: Float64Array,
  probability: number,
  window = TAIL_WINDOW,
): Tail {
  checkProbability(probability);
  const result = empty(returns.length);
  const past = createSortedWindow(window.windowMax);
  for (let t = 0; t < returns.length; t++) {
    const z = t === 0 ? Number.NaN : returns[t]! / nextVolatility[t - 1]!;
    if (Number.isFinite(z)) past.add(z);
    const sorted = past.values();
    if (sorted.length < window.windowMin) continue;
    const quantile = sortedQuantile(sorted, probability);
    let sum = 0;
    let count = 0;
    while (count < sorted.length && sorted[count]! <= quantile) sum += sorted[count++]!;
    result.quantile[t] = quantile * nextVolatility[t]!;
    result.shortfall[t] = (sum / count) * nextVolatility[t]!;
  }
  return result;
}

/**
 * The normal quantile bent by the skewness and kurtosis of past returns in units of their forecast volatility. Where the
 * moments are so large that the bent quantile is no longer monotone in the tail, it is NaN: the expansion does not hold.
 *
 * @see Cornish and Fisher 1938, doi:10.2307/1400905; Maillard 2012, doi:10.2139/ssrn.1997178
 */
export function cornishFisherTail(
  returns: Float64Array,
  nextVolatility: Float64Array,
  probability: number,
  window = TAIL_WINDOW,
): Tail {
  checkProbability(probability);
  const result = empty(returns.length);
  const points = Float64Array.from({ length: SHORTFALL_POINTS }, (_, k) =>
    normalQuantile((probability * (k + 0.5)) / SHORTFALL_POINTS),
  );
  const edge = normalQuantile(probability);
  const past: number[] = [];
  let from = 0;
  for (let t = 0; t < returns.length; t++) {
    const z = t === 0 ? Number.NaN : returns[t]! / nextVolatility[t - 1]!;
    if (Number.isFinite(z)) past.push(z);
    if (past.length - from > window.windowMax) from++;
    if (past.length - from < window.windowMin) continue;
    const bend = bendOf(past, from);
    if (!bend || !isMonotone(bend, points[0]!, edge)) continue;
    let sum = 0;
    for (let k = 0; k < SHORTFALL_POINTS; k++) sum += bent(bend, points[k]!);
    result.quantile[t] = bent(bend, edge) * nextVolatility[t]!;
    result.shortfall[t] = (sum / SHORTFALL_POINTS) * nextVolatility[t]!;
  }
  return result;
}

/** A normal tail of mean zero: with EWMA volatility the baseline that the others are held against. */
export function normalTail(nextVolatility: Float64Array, probability: number): Tail {
  checkProbability(probability);
  const z = normalQuantile(probability);
  const beyond = -normalDensity(z) / probability;
  return { quantile: nextVolatility.map((s) => z * s), shortfall: nextVolatility.map((s) => beyond * s) };
}

/** The tail of a walked GARCH with Student-t residuals, mean included. @throws RangeError for a walk with normal ones. */
export function garchTTail(walk: GarchWalk, probability: number): Tail {
  checkProbability(probability);
  const shapes = walk.fits.map(({ nu }) => {
    if (nu === null) throw new RangeError('the walk must have Student-t residuals');
    const unit = Math.sqrt((nu - 2) / nu);
    const z = studentQuantile(probability, nu);
    const beyond = (-studentDensity(z, nu) / probability) * ((nu + z * z) / (nu - 1));
    return { quantile: z * unit, shortfall: beyond * unit };
  });
  const result = empty(walk.nextVariance.length);
  walk.nextVariance.forEach((h, t) => {
    const at = walk.fitAt[t]!;
    if (at < 0) return;
    result.quantile[t] = walk.fits[at]!.mu + shapes[at]!.quantile * Math.sqrt(h);
    result.shortfall[t] = walk.fits[at]!.mu + shapes[at]!.shortfall * Math.sqrt(h);
  });
  return result;
}

type Bend = { mean: number; deviation: number; skewness: number; excess: number };

function bendOf(values: readonly number[], from: number): Bend | null {
  const n = values.length - from;
  let mean = 0;
  for (let k = from; k < values.length; k++) mean += values[k]! / n;
  let [m2, m3, m4] = [0, 0, 0];
  for (let k = from; k < values.length; k++) {
    const d = values[k]! - mean;
    m2 += (d * d) / n;
    m3 += (d * d * d) / n;
    m4 += (d * d * d * d) / n;
  }
  if (!(m2 > 0)) return null;
  return { mean, deviation: Math.sqrt(m2), skewness: m3 / m2 ** 1.5, excess: m4 / (m2 * m2) - 3 };
}

function bent({ mean, deviation, skewness: s, excess: k }: Bend, z: number): number {
  const w = z + ((z * z - 1) * s) / 6 + ((z ** 3 - 3 * z) * k) / 24 - ((2 * z ** 3 - 5 * z) * s * s) / 36;
  return mean + deviation * w;
}

function isMonotone({ skewness: s, excess: k }: Bend, low: number, high: number): boolean {
  for (let i = 0; i <= 20; i++) {
    const z = low + ((high - low) * i) / 20;
    if (1 + (z * s) / 3 + ((3 * z * z - 3) * k) / 24 - ((6 * z * z - 5) * s * s) / 36 <= 0) return false;
  }
  return true;
}

function empty(n: number): Tail {
  return { quantile: new Float64Array(n).fill(Number.NaN), shortfall: new Float64Array(n).fill(Number.NaN) };
}

function checkProbability(probability: number): void {
  expect(probability > 0 && probability < 0.5, `probability must be between 0 and 0.5, was ${probability}`);
}
