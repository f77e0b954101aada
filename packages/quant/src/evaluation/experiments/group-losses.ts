import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';
import { circularBlockIndices } from '../../stats/block-bootstrap.ts';
import { holm } from '../../stats/multiple-testing.ts';
import { sortedQuantile } from '../../stats/quantile.ts';

export type GroupRow = { day: number; loss: number; group: string };

export type GroupComparison = {
  group: string;
  sampleCount: number;
  dayCount: number;
  loss: number;
  /** Mean loss of the rows of no group but this one; NaN: there are none. */
  lossOfOthers: number;
  difference: number;
  low: number;
  high: number;
  /** Two-sided, of no difference; NaN: not tested. */
  pValue: number;
};

const RESAMPLES = 1000;
/** Fewer days hold too few blocks to resample. */
export const GROUP_DAYS_MIN = 40;

/**
 * Mean loss of each group against that of all others, with intervals from whole days resampled in blocks: rows of one day have
 * the market in common, and days their neighbours, so that rows are no independent cases.
 *
 * A group is tested when it and the others together have `GROUP_DAYS_MIN` days.
 *
 * @param rows Each with a finite loss; the group of a row is what is compared in this call.
 * @param blockLength Days of a block, >= 1.
 */
export function compareGroups(rows: readonly GroupRow[], blockLength: number, random: Random): GroupComparison[] {
  expect(Number.isInteger(blockLength) && blockLength >= 1, `blockLength must be >= 1, was ${blockLength}`);
  const days = [...new Set(rows.map(({ day }) => day))].sort((a, b) => a - b);
  const placeOf = new Map(days.map((day, place) => [day, place]));
  const total = sumsOf(rows, placeOf, days.length);
  const groups = [...new Set(rows.map(({ group }) => group))].sort();
  return groups.map((group) => {
    const own = sumsOf(
      rows.filter((row) => row.group === group),
      placeOf,
      days.length,
    );
    const all = Uint32Array.from(days, (_, place) => place);
    const [loss, lossOfOthers] = meansOf(own, total, all);
    const dayCount = own.count.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const told = {
      ...{ group, sampleCount: own.count.reduce((a, b) => a + b, 0), dayCount, loss, lossOfOthers },
      difference: loss - lossOfOthers,
    };
    const isTested = dayCount >= GROUP_DAYS_MIN && Number.isFinite(told.difference);
    return isTested
      ? { ...told, ...intervalOf(own, total, told.difference, blockLength, random.split(group)) }
      : { ...told, low: Number.NaN, high: Number.NaN, pValue: Number.NaN };
  });
}

/** p values after Holm, over every comparison of an answer together; NaN stays and counts as no test. */
export function adjustTogether(comparisons: readonly GroupComparison[]): Float64Array {
  return holm(Float64Array.from(comparisons, ({ pValue }) => pValue));
}

type Sums = { sum: Float64Array; count: Float64Array };

function sumsOf(rows: readonly GroupRow[], placeOf: ReadonlyMap<number, number>, dayCount: number): Sums {
  const sums = { sum: new Float64Array(dayCount), count: new Float64Array(dayCount) };
  for (const { day, loss } of rows) {
    expect(Number.isFinite(loss), `losses must be finite, one was ${loss}`);
    const place = placeOf.get(day)!;
    sums.sum[place]! += loss;
    sums.count[place]! += 1;
  }
  return sums;
}

/** Mean of the group and of the others over the days given. */
function meansOf(own: Sums, total: Sums, places: Uint32Array): [own: number, others: number] {
  let [sum, count, sumAll, countAll] = [0, 0, 0, 0];
  for (const place of places) {
    sum += own.sum[place]!;
    count += own.count[place]!;
    sumAll += total.sum[place]!;
    countAll += total.count[place]!;
  }
  return [sum / count, (sumAll - sum) / (countAll - count)];
}

function intervalOf(own: Sums, total: Sums, difference: number, blockLength: number, random: Random) {
  const places = new Uint32Array(own.sum.length);
  const draws = new Float64Array(RESAMPLES);
  for (let b = 0; b < RESAMPLES; b++) {
    circularBlockIndices(places, places.length, Math.min(blockLength, places.length), random);
    const [a, others] = meansOf(own, total, places);
    draws[b] = a - others;
  }
  const used = draws.filter(Number.isFinite).sort();
  // Of draws around the difference, as far from it as zero is: the share on the other side of both.
  let beyond = 0;
  for (const draw of used) if (Math.abs(draw - difference) >= Math.abs(difference)) beyond += 1;
  return {
    low: sortedQuantile(used, 0.025),
    high: sortedQuantile(used, 0.975),
    pValue: (beyond + 1) / (used.length + 1),
  };
}
