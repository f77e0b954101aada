import type { TrainingTable } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { garbleValues } from '@touchstone/quant/evaluation/look-ahead-canary';
import type { Random } from '@touchstone/quant/random/random';
import type { Bars } from '@touchstone/quant/series/bars';

export type TableVerdict = { passed: boolean; sentence: string };

/** Builds the rows of one asset from its bars: the same way as for training. */
export type BuildTable = (bars: Bars) => Promise<TrainingTable>;

const KINDS = ['truncated', 'noise'] as const;
/** Shares of the history after which the future is changed. */
const PROBES = [0.6, 0.9] as const;

/**
 * Rewrites every bar after some days and builds the table anew: no feature of a row up to that day may change in a single bit,
 * and no label that was known by then.
 */
export async function checkTable(build: BuildTable, bars: Bars, random: Random): Promise<TableVerdict> {
  const whole = await build(bars);
  let compared = 0;
  for (const share of PROBES) {
    const at = Math.floor((bars.day.length - 1) * share);
    for (const kind of KINDS) {
      const other = await build(rewrite(bars, at, kind, random.split(`${share}/${kind}`)));
      const found = findDifference(whole, other, bars.day[at]!);
      if (found.sentence !== null) return { passed: false, sentence: `${whole.target} looks ahead: ${found.sentence}` };
      compared += found.compared;
    }
  }
  return { passed: true, sentence: `Rewriting all later bars changed none of ${compared} values of ${whole.target}.` };
}

function rewrite(bars: Bars, at: number, kind: (typeof KINDS)[number], random: Random): Bars {
  if (kind === 'truncated') {
    const cut = (values: Float64Array) => values.slice(0, at + 1);
    return {
      ...{ day: bars.day.slice(0, at + 1), open: cut(bars.open), high: cut(bars.high), low: cut(bars.low) },
      ...{ close: cut(bars.close), volume: cut(bars.volume) },
    };
  }
  const garbled = { ...bars };
  for (const column of ['open', 'high', 'low', 'close', 'volume'] as const) {
    garbled[column] = bars[column].slice();
    garbleValues(garbled[column], at, 1, kind, random.split(column));
  }
  return garbled;
}

function findDifference(
  a: TrainingTable,
  b: TrainingTable,
  day: number,
): { compared: number; sentence: string | null } {
  const width = a.featureNames.length;
  let compared = 0;
  for (let row = 0; row < a.rowCount && a.day[row]! <= day; row++) {
    if (b.day[row] !== a.day[row])
      return { compared, sentence: `row ${row} is of another day when later bars change.` };
    for (let j = 0; j < width; j++) {
      compared += 1;
      if (!Object.is(a.values[row * width + j], b.values[row * width + j]))
        return { compared, sentence: `feature ${a.featureNames[j]} of row ${row} changes when only later bars do.` };
    }
    if (a.labelEnd[row]! < 0 || a.labelEnd[row]! > day) continue;
    compared += 1;
    if (!Object.is(a.label[row], b.label[row]))
      return { compared, sentence: `the label of row ${row}, known by then, changes when only later bars do.` };
  }
  return { compared, sentence: null };
}
