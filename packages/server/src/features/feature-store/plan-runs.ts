import type { Bars } from '@touchstone/quant/series/bars';
import { barsAsKnown, type History, lastDayKnown, revisionTimes } from '../../market-data/index.ts';

/** A row wanted of one instrument: day number, EpochMs. */
export type WantedRow = { asOf: number; knownAt: number };

/** One pass over the bars as known at some moment, and which of its values answer which rows. */
export type FeatureRun = { bars: Bars; rows: { row: number; at: number }[] };

export type RunPlan = {
  runs: FeatureRun[];
  /** For each row: the day of the last bar it rests on; null when no bar was known. */
  eventDays: (number | null)[];
};

/**
 * Says how few passes over the bars answer all rows of an instrument, each as known at its own moment.
 *
 * Rows share a pass as long as nothing but new last bars became known between them: then what one row may see begins
 * what the other may see, and a feature that does not look ahead gives the same values for it. A correction, a
 * retraction or an adjustment begins another pass.
 */
export function planRuns(history: History, rows: readonly WantedRow[]): RunPlan {
  const revisions = revisionTimes(history);
  const eventDays = rows.map(({ asOf, knownAt }) => lastDayKnown(history, asOf, knownAt));
  const groups = new Map<string, { asOf: number; knownAt: number; to: number; rows: number[] }>();
  for (const [row, { asOf, knownAt }] of rows.entries()) {
    const last = eventDays[row]!;
    if (last === null) continue;
    const key = [countUpTo(revisions, knownAt), adjustedBy(history, asOf), adjustedBy(history, last)].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { asOf, knownAt, to: last, rows: [row] });
    else {
      group.asOf = Math.max(group.asOf, asOf);
      group.knownAt = Math.max(group.knownAt, knownAt);
      group.to = Math.max(group.to, last);
      group.rows.push(row);
    }
  }
  const runs = Array.from(groups.values(), ({ asOf, knownAt, to, rows: members }) => {
    const { bars } = barsAsKnown(history, asOf, knownAt, to);
    return { bars, rows: members.map((row) => ({ row, at: indexOf(bars.day, eventDays[row]!) })) };
  });
  return { runs, eventDays };
}

/** How many things before a day's bar or on it move the prices before it. */
function adjustedBy({ delivered, actions, suspectDays }: History, day: number): string {
  const isMoving = delivered === 'raw' || delivered === 'split_adjusted';
  const moved = isMoving ? actions.filter((action) => action.day <= day).length : 0;
  return `${moved}/${suspectDays.filter((suspect) => suspect <= day).length}`;
}

function countUpTo(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The day is there: it was taken from the same bars. */
function indexOf(day: Int32Array, wanted: number): number {
  let low = 0;
  let high = day.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (day[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
