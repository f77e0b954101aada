import { expect } from '../checks/expect.ts';
import { purgedRows } from '../labels/purged-rows.ts';

/** Rows of several assets, in any order. */
export type PanelDays = {
  /** Day number of each row. */
  day: Int32Array;
  /** Day on whose close the row's label is known; −1: not yet. */
  labelEnd: Int32Array;
};

export type PanelSplit = {
  trainRows: Int32Array;
  testRows: Int32Array;
  /** Day numbers, both included. */
  firstTestDay: number;
  lastTestDay: number;
};

export type WalkForwardSettings = {
  /** Test blocks, one after the other, >= 1. */
  foldCount: number;
  /** Share of the days before the first test block, in (0, 1). */
  firstShare: number;
  /** Days that stay empty between what is learnt from and the first test day, beside the purge. */
  embargoDays?: number;
};

/**
 * Walks forward in time: each block of days is tested by what could be known at the close of its first day. A training row
 * stays only if its label had ended by then, whichever asset it is of; a test row needs no known label.
 *
 * @returns blocks in order of time; training rows in order of the panel.
 * @throws RangeError if there are fewer days than blocks, or a setting is out of its range.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 7.
 */
export function walkForwardSplits(
  { day, labelEnd }: PanelDays,
  { foldCount, firstShare, embargoDays = 0 }: WalkForwardSettings,
): PanelSplit[] {
  checkPanel({ day, labelEnd });
  expect(Number.isInteger(foldCount) && foldCount >= 1, `foldCount must be a whole number >= 1, was ${foldCount}`);
  expect(firstShare > 0 && firstShare < 1, `firstShare must lie between 0 and 1, was ${firstShare}`);
  expect(embargoDays >= 0, `embargoDays must be >= 0, was ${embargoDays}`);
  const days = distinctDays(day);
  const first = Math.floor(days.length * firstShare);
  const left = days.length - first;
  expect(first >= 1 && left >= foldCount, `${days.length} days are too few for ${foldCount} blocks`);
  return Array.from({ length: foldCount }, (_, fold) => {
    const from = first + Math.floor((left * fold) / foldCount);
    const to = first + Math.floor((left * (fold + 1)) / foldCount) - 1;
    const [firstTestDay, lastTestDay] = [days[from]!, days[to]!];
    const latest = days[Math.max(0, from - embargoDays)]!;
    return {
      trainRows: rowsWhere(day, (row) => day[row]! < firstTestDay && labelEnd[row]! >= 0 && labelEnd[row]! <= latest),
      testRows: rowsWhere(day, (row) => day[row]! >= firstTestDay && day[row]! <= lastTestDay),
      firstTestDay,
      lastTestDay,
    };
  });
}

export type CombinatorialSplits = {
  splits: (PanelSplit & { groups: readonly number[] })[];
  /** One a path: for each group of days, which split tells it. Together a path covers every day once. */
  paths: Int32Array[];
};

/**
 * Combinatorial purged cross-validation: of `groupCount` blocks of days every choice of `testCount` is tested by the rest,
 * purged on days over all assets. The splits join into C(groupCount − 1, testCount − 1) histories of the whole span.
 *
 * Not a simulation of what could have been done then: rows after the test days teach as well.
 *
 * @param embargoDays Days after each test span that teach nothing.
 * @throws RangeError if there are fewer days than groups, or the counts do not fit.
 * @see López de Prado, Advances in Financial Machine Learning (2018), chapter 12.
 */
export function combinatorialSplits(
  { day, labelEnd }: PanelDays,
  { groupCount, testCount, embargoDays }: { groupCount: number; testCount: number; embargoDays: number },
): CombinatorialSplits {
  checkPanel({ day, labelEnd });
  const days = distinctDays(day);
  expect(
    Number.isInteger(groupCount) && Number.isInteger(testCount) && testCount >= 1 && groupCount > testCount,
    `groupCount must be above testCount >= 1, were ${groupCount} and ${testCount}`,
  );
  expect(days.length >= groupCount, `${days.length} days are too few for ${groupCount} groups`);
  const place = new Map(Array.from(days, (number, at) => [number, at]));
  const groupOf = Int32Array.from(days, (_, at) => Math.floor((at * groupCount) / days.length));
  const dayEnd = latestEnds(days, place, day, labelEnd);
  const all = Int32Array.from(days.keys());
  const told = new Int32Array(groupCount);
  const paths = Array.from({ length: choose(groupCount - 1, testCount - 1) }, () => new Int32Array(groupCount));
  const splits = combinations(groupCount, testCount).map((groups, split) => {
    const isTest = (at: number) => groups.includes(groupOf[at]!);
    const testDays = all.filter(isTest);
    const kept = new Set(purgedRows(all, testDays, dayEnd, embargoDays));
    for (const group of groups) paths[told[group]!++]![group] = split;
    return {
      groups,
      trainRows: rowsWhere(day, (row) => labelEnd[row]! >= 0 && kept.has(place.get(day[row]!)!)),
      testRows: rowsWhere(day, (row) => isTest(place.get(day[row]!)!)),
      firstTestDay: days[testDays[0]!]!,
      lastTestDay: days[testDays[testDays.length - 1]!]!,
    };
  });
  return { splits, paths };
}

/** Ascending, each once. */
export function distinctDays(day: Int32Array): Int32Array {
  return Int32Array.from(new Set(day)).sort();
}

/** For each day the place of the latest day on which a label of it is known; −1 where none is. */
function latestEnds(days: Int32Array, place: Map<number, number>, day: Int32Array, labelEnd: Int32Array): Int32Array {
  const ends = new Int32Array(days.length).fill(-1);
  for (let row = 0; row < day.length; row++) {
    if (labelEnd[row]! < 0) continue;
    const at = place.get(day[row]!)!;
    // A label may end on a day without rows: the next day there is counts, or the last.
    let end = place.get(labelEnd[row]!);
    if (end === undefined) {
      end = days.findIndex((number) => number >= labelEnd[row]!);
      if (end === -1) end = days.length - 1;
    }
    ends[at] = Math.max(ends[at]!, end);
  }
  return ends;
}

function checkPanel({ day, labelEnd }: PanelDays): void {
  expect(labelEnd.length === day.length, `labelEnd must have ${day.length} rows, had ${labelEnd.length}`);
  for (let row = 0; row < day.length; row++)
    expect(
      labelEnd[row]! < 0 || labelEnd[row]! >= day[row]!,
      `the label of row ${row} must not end before its day ${day[row]}, ended ${labelEnd[row]}`,
    );
}

function rowsWhere(day: Int32Array, counts: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(day.length);
  let count = 0;
  for (let row = 0; row < day.length; row++) if (counts(row)) rows[count++] = row;
  return rows.slice(0, count);
}

/** Every choice of k numbers below n, in order. */
function combinations(n: number, k: number): number[][] {
  if (k === 0) return [[]];
  const all: number[][] = [];
  for (let first = 0; first <= n - k; first++)
    for (const rest of combinations(n - first - 1, k - 1)) all.push([first, ...rest.map((x) => x + first + 1)]);
  return all;
}

function choose(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i;
  return Math.round(value);
}
