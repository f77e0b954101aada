import { expect } from '../checks/expect.ts';
import type { Random } from '../random/random.ts';
import { benjaminiHochberg } from '../stats/multiple-testing.ts';
import { normalCdf } from '../stats/normal.ts';
import { sortedQuantile } from '../stats/quantile.ts';

/** Something that pointed up or down on a bar. `key` names what is measured together: a kind of pattern and a direction. */
export type Signal = { key: string; bar: number; direction: 1 | -1 };

/** One member of the universe: its closes on its own days, and what was detected in them. Missing closes are NaN. */
export type SignalSeries = { day: Int32Array; close: Float64Array; signals: readonly Signal[] };

export type BaseRateOptions = {
  /** Bars from the signal to its outcome. */
  horizon: number;
  /** Outcomes after this day (days since 1970-01-01) do not count: nobody knew them. */
  asOf: number;
  random: Random;
  /** Days per block of the bootstrap; default 63, at most a quarter of the days. */
  blockLength?: number;
  /** Default 500. */
  resampleCount?: number;
  /** Fewer cases, or fewer different days among them, are told without interval and p; default 30 and 20. */
  caseMin?: number;
  dayMin?: number;
};

export type BaseRate = {
  key: string;
  direction: 1 | -1;
  /** Signals whose outcome was known. */
  caseCount: number;
  dayCount: number;
  /** Share of cases that had moved the way the signal pointed; NaN without cases. */
  rate: number;
  /** The same share of all bars of the same series with a known outcome. */
  unconditionalRate: number;
  /** rate / unconditionalRate. */
  lift: number;
  /** rate − unconditionalRate, with its 95 % circular block bootstrap interval over calendar days. NaN: too few cases. */
  difference: number;
  low: number;
  high: number;
  /** Mean log return from the close of the signal to the outcome, of the cases and of all bars. */
  meanReturn: number;
  unconditionalMeanReturn: number;
  /** Two-sided, from the bootstrap's standard error; NaN: too few cases. */
  pValue: number;
  /** After Benjamini-Hochberg over all keys. */
  adjustedP: number;
};

/**
 * What followed each kind of signal, against what followed any day of the same series.
 *
 * Calendar days are resampled in blocks, all series together, so that cases of one day and overlapping outcomes count for
 * no more than they are. Every key handed over is a test, so that the ones nobody looks at are paid for too.
 *
 * @param keys What to measure, with its direction; keys without a case are answered with zero cases.
 * @throws RangeError for a horizon or counts that are not positive whole numbers.
 */
export function measureBaseRates(
  series: readonly SignalSeries[],
  keys: ReadonlyMap<string, 1 | -1>,
  options: BaseRateOptions,
): BaseRate[] {
  const { horizon, asOf, random } = options;
  const resampleCount = options.resampleCount ?? 500;
  for (const [name, value] of Object.entries({ horizon, resampleCount }))
    expect(Number.isInteger(value) && value >= 1, `${name} must be a positive whole number, was ${value}`);
  const days = daysOf(series);
  const place = new Map(days.map((day, k) => [day, k]));
  const all = emptyTally(days.length);
  const tallies = new Map([...keys.keys()].map((key) => [key, emptyTally(days.length)]));
  for (const { day, close, signals } of series) {
    const outcome = (bar: number): number => {
      const end = bar + horizon;
      if (bar < 0 || end >= close.length || day[end]! > asOf) return Number.NaN;
      return Math.log(close[end]! / close[bar]!);
    };
    for (let bar = 0; bar < close.length; bar++) count(all, place.get(day[bar]!)!, outcome(bar));
    for (const { key, bar } of signals) {
      const tally = tallies.get(key);
      if (tally !== undefined && bar < day.length) count(tally, place.get(day[bar]!)!, outcome(bar));
    }
  }
  const blockLength = Math.max(1, Math.min(options.blockLength ?? 63, Math.floor(days.length / 4)));
  const draws = resample(all, tallies, keys, { dayCount: days.length, blockLength, resampleCount, random });
  const rates = [...keys].map(([key, direction]) =>
    toRate(key, direction, tallies.get(key)!, all, draws.get(key)!, options),
  );
  const adjusted = benjaminiHochberg(Float64Array.from(rates, ({ pValue }) => pValue));
  return rates.map((rate, k) => ({ ...rate, adjustedP: adjusted[k]! }));
}

/** Per day: cases, those that rose, those that fell, and the sum of their returns. */
type Tally = { cases: Float64Array; up: Float64Array; down: Float64Array; returns: Float64Array };

function emptyTally(dayCount: number): Tally {
  const zeros = () => new Float64Array(dayCount);
  return { cases: zeros(), up: zeros(), down: zeros(), returns: zeros() };
}

function count(tally: Tally, day: number, outcome: number): void {
  if (!Number.isFinite(outcome)) return;
  tally.cases[day]! += 1;
  tally.returns[day]! += outcome;
  if (outcome > 0) tally.up[day]! += 1;
  if (outcome < 0) tally.down[day]! += 1;
}

function daysOf(series: readonly SignalSeries[]): number[] {
  const days = new Set<number>();
  for (const { day } of series) for (const one of day) days.add(one);
  return [...days].sort((a, b) => a - b);
}

function hits(tally: Tally, direction: 1 | -1): Float64Array {
  return direction === 1 ? tally.up : tally.down;
}

/** Resampled differences of each key; a resample without a case gives none. */
function resample(
  all: Tally,
  tallies: ReadonlyMap<string, Tally>,
  keys: ReadonlyMap<string, 1 | -1>,
  how: { dayCount: number; blockLength: number; resampleCount: number; random: Random },
): Map<string, number[]> {
  const { dayCount, blockLength, resampleCount, random } = how;
  const draws = new Map([...keys.keys()].map((key) => [key, [] as number[]]));
  if (dayCount === 0) return draws;
  const sumsAll = { cases: running(all.cases), up: running(all.up), down: running(all.down) };
  const sums = [...keys].map(([key, direction]) => ({
    key,
    direction,
    cases: running(tallies.get(key)!.cases),
    hits: running(hits(tallies.get(key)!, direction)),
    draws: draws.get(key)!,
  }));
  const blockCount = Math.max(1, Math.round(dayCount / blockLength));
  const starts = new Int32Array(blockCount);
  const total = (runningSums: Float64Array): number => {
    let sum = 0;
    for (const start of starts) {
      const end = start + blockLength;
      sum += runningSums[Math.min(end, dayCount)]! - runningSums[start]!;
      if (end > dayCount) sum += runningSums[end - dayCount]!;
    }
    return sum;
  };
  for (let b = 0; b < resampleCount; b++) {
    for (let k = 0; k < blockCount; k++) starts[k] = random.integer(dayCount);
    const cases = total(sumsAll.cases);
    const [up, down] = [total(sumsAll.up) / cases, total(sumsAll.down) / cases];
    for (const one of sums) {
      const own = total(one.cases);
      if (own > 0) one.draws.push(total(one.hits) / own - (one.direction === 1 ? up : down));
    }
  }
  return draws;
}

function running(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let k = 0; k < values.length; k++) sums[k + 1] = sums[k]! + values[k]!;
  return sums;
}

function toRate(
  key: string,
  direction: 1 | -1,
  tally: Tally,
  all: Tally,
  draws: readonly number[],
  { caseMin = 30, dayMin = 20 }: BaseRateOptions,
): BaseRate {
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const caseCount = sum(tally.cases);
  const dayCount = tally.cases.filter((cases) => cases > 0).length;
  const rate = caseCount > 0 ? sum(hits(tally, direction)) / caseCount : Number.NaN;
  const allCount = sum(all.cases);
  const unconditionalRate = allCount > 0 ? sum(hits(all, direction)) / allCount : Number.NaN;
  const told = caseCount >= caseMin && dayCount >= dayMin && draws.length >= 2;
  const difference = rate - unconditionalRate;
  const sorted = Float64Array.from(draws).sort();
  const standardError = told ? deviation(sorted) : Number.NaN;
  const pValue = standardError > 0 ? Math.min(1, 2 * normalCdf(-Math.abs(difference / standardError))) : Number.NaN;
  return {
    key,
    direction,
    caseCount,
    dayCount,
    rate,
    unconditionalRate,
    lift: unconditionalRate > 0 ? rate / unconditionalRate : Number.NaN,
    difference,
    low: told ? sortedQuantile(sorted, 0.025) : Number.NaN,
    high: told ? sortedQuantile(sorted, 0.975) : Number.NaN,
    meanReturn: caseCount > 0 ? sum(tally.returns) / caseCount : Number.NaN,
    unconditionalMeanReturn: allCount > 0 ? sum(all.returns) / allCount : Number.NaN,
    pValue,
    adjustedP: Number.NaN,
  };
}

function deviation(values: Float64Array): number {
  const center = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}
