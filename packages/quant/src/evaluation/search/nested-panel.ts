import { expect } from '../../checks/expect.ts';
import { stackingWeights } from '../../learn/stacking.ts';
import { createRandom } from '../../random/random.ts';
import { modelConfidenceSet } from '../../volatility/model-confidence-set.ts';
import { modelSpace, type PartResult, type Walk, walkOf } from '../forecast-training/fit-part.ts';
import type { TrainingTable } from '../forecast-training/training-table.ts';
import { type DaySums, daySums, metricInterval, type SkillInterval } from '../panel-skill.ts';
import { targetNamed } from '../targets/targets.ts';

/** What models of one target are compared by, a mean a day, less is better. */
export type ComparedLoss = 'log_loss' | 'mean_squared_error' | 'rank_loss';

/**
 * Blocks the report rests on. The first only teaches how to calibrate, as in every training; nothing is chosen by any row whose
 * outcome was not known before the second begins.
 */
export const OUTER_WALK: Walk = { foldCount: 4, firstShare: 0.55, embargoDays: 0 };
/** Days a block of the bootstrap: a quarter, as everywhere. */
const BLOCK_LENGTH = 63;
const CONFIDENCE_SET_ALPHA = 0.1;

/** Probabilities are compared by their log loss, places of a day by their order, the rest by squares of what models tell. */
export function comparedLossOf(name: string): ComparedLoss {
  const target = targetNamed(name);
  if (target.goal === 'binary') return 'log_loss';
  return target.metric === 'rank_ic' ? 'rank_loss' : 'mean_squared_error';
}

/**
 * What a choice may look at: rows before the first judged outer block, and outcomes known by its first day.
 *
 * @returns The rows in their order, and the first day of that block.
 * @throws RangeError for too few days.
 */
export function innerTable(table: TrainingTable, walk: Walk = OUTER_WALK): { table: TrainingTable; outerFrom: number } {
  const split = walkOf(table, walk)[1];
  expect(split !== undefined, 'an outer walk must have a block to calibrate by and one to judge');
  const outerFrom = split.firstTestDay;
  const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row).filter(
    (row) => table.day[row]! < outerFrom,
  );
  const width = table.featureNames.length;
  const values = new Float64Array(rows.length * width);
  rows.forEach((row, k) => {
    values.set(table.values.subarray(row * width, (row + 1) * width), k * width);
  });
  const isKnown = (row: number) => table.labelEnd[row]! >= 0 && table.labelEnd[row]! <= outerFrom;
  return {
    outerFrom,
    table: {
      ...{ target: table.target, featureNames: table.featureNames, rowCount: rows.length, values },
      ...{ asset: rows.map((row) => table.asset[row]!), day: rows.map((row) => table.day[row]!) },
      labelEnd: rows.map((row) => (isKnown(row) ? table.labelEnd[row]! : -1)),
      label: Float64Array.from(rows, (row) => (isKnown(row) ? table.label[row]! : Number.NaN)),
      forwardReturn: Float64Array.from(rows, (row) => (isKnown(row) ? table.forwardReturn[row]! : Number.NaN)),
    },
  };
}

/** The columns by which forecasts are judged, without the features: little to hand around. */
export function judgingTable(table: TrainingTable): TrainingTable {
  return { ...table, featureNames: [], values: new Float64Array(0) };
}

/** Sums of the compared loss by day, over the forecasts of some blocks as models tell them: not calibrated. */
export function lossSums(table: TrainingTable, results: readonly PartResult[]): DaySums {
  const { link } = targetNamed(table.target);
  const told = results.map((result) => {
    expect(result.kind === 'forecasts', 'only forecasts can be judged');
    return result;
  });
  const rows = Int32Array.from(told.flatMap((result) => Array.from(result.rows)));
  const forecast = Float64Array.from(told.flatMap((result) => Array.from(result.forecast)));
  const outcome = Float64Array.from(rows, (row) =>
    Number.isNaN(table.label[row]!) ? Number.NaN : modelSpace(link, table.label[row]!),
  );
  const loss = comparedLossOf(table.target);
  const judged = { day: rows.map((row) => table.day[row]!), forecast, outcome };
  if (loss !== 'rank_loss') return daySums(loss, judged);
  const sums = daySums('rank_ic', judged);
  return { ...sums, sums: sums.sums.map((sum, k) => (k % 2 === 0 ? sums.sums[k + 1]! - sum : sum)) };
}

/** Mean loss with its 95 % interval, days drawn whole in blocks; NaN without days. */
export function lossInterval(sums: DaySums, seed: number, resampleCount?: number): SkillInterval {
  return metricInterval('mean', sums, { seed, ...(resampleCount === undefined ? {} : { resampleCount }) });
}

/** The mean alone. */
export function meanLoss({ sums }: DaySums): number {
  let [total, count] = [0, 0];
  for (let k = 0; k < sums.length; k += 2) {
    total += sums[k]!;
    count += sums[k + 1]!;
  }
  return total / count;
}

/**
 * Mixes members block by block: weights of a block come from the blocks before it, whose outcome was known by its first day; those
 * of the first are equal.
 *
 * @param members Results of each member, block by block, on the same rows.
 */
export function mixForecasts(table: TrainingTable, members: readonly (readonly PartResult[])[]): PartResult[] {
  const target = targetNamed(table.target);
  const count = members.length;
  return members[0]!.map((block, k): PartResult => {
    const told = members.map((member) => forecastsOf(member[k]!));
    expect(block.kind === 'forecasts', 'only forecasts can be mixed');
    const firstDay = block.rows.reduce((least, row) => Math.min(least, table.day[row]!), Number.POSITIVE_INFINITY);
    const [past, outcome]: [number[], number[]] = [[], []];
    for (let before = 0; before < k; before++) {
      const { rows } = forecastsOf(members[0]![before]!);
      rows.forEach((row, i) => {
        const isKnown =
          table.labelEnd[row]! >= 0 && table.labelEnd[row]! <= firstDay && !Number.isNaN(table.label[row]!);
        if (!isKnown) return;
        past.push(...members.map((member) => forecastsOf(member[before]!).forecast[i]!));
        outcome.push(modelSpace(target.link, table.label[row]!));
      });
    }
    const weights =
      outcome.length === 0
        ? new Float64Array(count).fill(1 / count)
        : stackingWeights(
            Float64Array.from(past),
            count,
            Float64Array.from(outcome),
            target.goal === 'binary' ? 'log' : 'squared',
          );
    const forecast = block.forecast.map((_, i) =>
      told.reduce((sum, { forecast: said }, m) => sum + weights[m]! * said[i]!, 0),
    );
    return { kind: 'forecasts', rows: block.rows, forecast, trainedRows: block.trainedRows };
  });
}

function forecastsOf(result: PartResult): Extract<PartResult, { kind: 'forecasts' }> {
  expect(result.kind === 'forecasts', 'only forecasts can be mixed');
  return result;
}

/** Something that was judged on every inner block. */
export type Finalist = { family: string; sums: DaySums };

export type SimplestChoice = {
  /** For each finalist. */
  inSet: boolean[];
  /** Confidence at which it leaves the set; NaN where there are too few days to tell. */
  pValue: Float64Array;
  /** Index of the finalist to take. */
  chosen: number;
};

/**
 * The finalists that cannot be told from the best by their daily losses, and of these the simplest: the first family in `order`,
 * then the least loss. With too few days to tell, all of them are equals.
 *
 * @throws RangeError without a finalist, or for a family `order` does not know.
 */
export function chooseSimplest(
  finalists: readonly Finalist[],
  order: readonly string[],
  { seed, horizonDays }: { seed: number; horizonDays: number },
): SimplestChoice {
  expect(finalists.length >= 1, 'there must be a finalist');
  for (const { family } of finalists) expect(order.includes(family), `${family} has no place in the order`);
  const days = Array.from(new Set(finalists.flatMap(({ sums }) => Array.from(sums.day)))).sort((a, b) => a - b);
  const place = new Map(days.map((day, at) => [day, at]));
  const losses = finalists.map(({ sums }) => {
    const column = new Float64Array(days.length).fill(Number.NaN);
    sums.day.forEach((day, k) => {
      if (sums.sums[2 * k + 1]! > 0) column[place.get(day)!] = sums.sums[2 * k]! / sums.sums[2 * k + 1]!;
    });
    return column;
  });
  const told = modelConfidenceSet(losses, {
    random: createRandom(seed).split('confidence set'),
    alpha: CONFIDENCE_SET_ALPHA,
    blockLength: Math.max(horizonDays, Math.min(BLOCK_LENGTH, Math.floor(days.length / 10))),
  });
  const inSet = told?.isMember ?? finalists.map(() => true);
  const means = finalists.map(({ sums }) => meanLoss(sums));
  const chosen = Array.from(finalists.keys())
    .filter((k) => inSet[k])
    .sort(
      (a, b) =>
        order.indexOf(finalists[a]!.family) - order.indexOf(finalists[b]!.family) || means[a]! - means[b]! || a - b,
    )[0]!;
  return { inSet, pValue: told?.pValue ?? new Float64Array(finalists.length).fill(Number.NaN), chosen };
}
