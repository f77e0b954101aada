import { RANKED_LEAST, type Target, targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import type { Bars } from '@touchstone/quant/series/bars';
import { dayNumber, dayText } from '@touchstone/quant/series/day';

/** What came after a day, and when it was settled. */
export type SettledOutcome = { value: number; day: string };

/** Days of returns that say how wild a subject was. */
const VOLATILITY_DAYS = 22;

/** Null: nobody here knows how such an outcome is found. */
export function targetOf(name: string | null): Target | null {
  if (name === null) return null;
  try {
    return targetNamed(name);
  } catch {
    return null;
  }
}

/**
 * What came after each bar, as labels tell it: only where every bar up to the horizon is known, so that what is settled early
 * does not come before what is not.
 */
export function settledOutcomes({ labels, horizonDays }: Target, bars: Bars): Map<number, SettledOutcome> {
  const { value } = labels(bars);
  const settled = new Map<number, SettledOutcome>();
  for (let row = 0; row + horizonDays < bars.day.length; row++)
    if (Number.isFinite(value[row]!))
      settled.set(bars.day[row]!, { value: value[row]!, day: dayText(bars.day[row + horizonDays]!) });
  return settled;
}

/** Ranks among the members of a day, (rank − ½) / count, ties at their mean; null where too few have an outcome. */
export function rankedOutcome(
  members: ReadonlyMap<number, ReadonlyMap<number, SettledOutcome>>,
  member: number,
  eventDay: string,
): SettledOutcome | null {
  const day = dayNumber(eventDay);
  const own = members.get(member)?.get(day);
  if (own === undefined) return null;
  const values = [...members.values()].flatMap((settled) => settled.get(day)?.value ?? []);
  if (values.length < RANKED_LEAST) return null;
  const below = values.filter((value) => value < own.value).length;
  const same = values.filter((value) => value === own.value).length;
  return { value: (below + same / 2) / values.length, day: own.day };
}

/** Standard deviation of the last log returns up to a day; null where they are not known. */
export function volatilityAt({ day, close }: Bars, eventDay: string): number | null {
  const last = day.indexOf(dayNumber(eventDay));
  const returns: number[] = [];
  for (let i = Math.max(1, last - VOLATILITY_DAYS + 1); i <= last; i++) {
    const step = Math.log(close[i]! / close[i - 1]!);
    if (Number.isFinite(step)) returns.push(step);
  }
  if (returns.length < 2) return null;
  const mean = returns.reduce((sum, x) => sum + x, 0) / returns.length;
  return Math.sqrt(returns.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (returns.length - 1));
}

/** Squared error; of a volatility QLIKE of the variances, which does not punish a wild year more than a calm one. */
export function lossOf(target: Target, forecast: number | null, outcome: number): number | null {
  if (forecast === null) return null;
  if (target.metric !== 'qlike') return (forecast - outcome) ** 2;
  if (!(forecast > 0) || !(outcome > 0)) return null;
  const ratio = (outcome / forecast) ** 2;
  return ratio - Math.log(ratio) - 1;
}

/** A probability is no interval an event could lie in. */
export function isInside(target: Target, lower: number | null, upper: number | null, outcome: number): boolean | null {
  if (target.goal === 'binary' || lower === null || upper === null) return null;
  return outcome >= lower && outcome <= upper;
}

/** How far one outcome moves the level of an adaptive interval. */
const RATE = 0.005;
const LEVEL = { least: 0.5, most: 0.999 };

/**
 * The level to ask for next: a little less after an outcome that lay inside, more after one that did not, so that over time
 * the stated share lies inside, however the market changes.
 *
 * @see Gibbs and Candès 2021, Adaptive conformal inference under distribution shift, arXiv:2106.00170.
 */
export function nextLevel(level: number, nominal: number, inside: boolean): number {
  return Math.min(LEVEL.most, Math.max(LEVEL.least, level + RATE * (nominal - Number(inside))));
}
