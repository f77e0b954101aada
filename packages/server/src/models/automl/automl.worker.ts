import {
  loadResult,
  type PartResult,
  partRows,
  type Walk,
} from '@touchstone/quant/evaluation/forecast-training/fit-part';
import {
  loadTable,
  saveTable,
  type TrainingTable,
} from '@touchstone/quant/evaluation/forecast-training/training-table';
import type { SkillInterval } from '@touchstone/quant/evaluation/panel-skill';
import {
  chooseSimplest,
  innerTable,
  judgingTable,
  lossInterval,
  lossSums,
  mixForecasts,
} from '@touchstone/quant/evaluation/search/nested-panel';
import { targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import { dayText } from '@touchstone/quant/series/day';

export type SplitRows = { inner: Uint8Array; judging: Uint8Array; outerFrom: string };

/**
 * The rows a choice may look at, and what it is judged by.
 *
 * @throws RangeError where the last inner block has nothing before it to learn from.
 * @public Called by its name from another thread.
 */
export function splitRows({ tableBytes, innerWalk }: { tableBytes: Uint8Array; innerWalk: Walk }): SplitRows {
  const { table, outerFrom } = innerTable(loadTable(tableBytes));
  partRows(table, innerWalk, 0);
  return { inner: saveTable(table), judging: saveTable(judgingTable(table)), outerFrom: dayText(outerFrom) };
}

export type ScoreJob = { judging: Uint8Array; results: Uint8Array[]; seed: number };

/**
 * Loss of a trial on the blocks it has done.
 *
 * @public Called by its name from another thread.
 */
export function scoreTrial({ judging, results, seed }: ScoreJob): SkillInterval {
  return lossInterval(lossSums(loadTable(judging), results.map(loadResult)), seed);
}

export type ChooseJob = {
  judging: Uint8Array;
  /** Results of all inner blocks. */
  finalists: { family: string; results: Uint8Array[] }[];
  /** Indexes of those a mixture is made of; fewer than two: none is. */
  mixture: number[];
  order: readonly string[];
  seed: number;
};
export type Chosen = {
  inSet: boolean[];
  /** Null where there are too few days to tell. */
  pValue: (number | null)[];
  /** Index; as many as there are finalists: the mixture. */
  chosen: number;
  /** Loss of the chosen one. */
  inner: SkillInterval;
};

/**
 * The simplest of those that cannot be told from the best.
 *
 * @public Called by its name from another thread.
 */
export function choose({ judging, finalists, mixture, order, seed }: ChooseJob): Chosen {
  const table = loadTable(judging);
  const read = finalists.map(({ family, results }) => ({ family, results: results.map(loadResult) }));
  if (mixture.length > 1)
    read.push({
      family: 'ensemble',
      results: mix(
        table,
        mixture.map((k) => read[k]!.results),
      ),
    });
  const judged = read.map(({ family, results }) => ({ family, sums: lossSums(table, results) }));
  const { inSet, pValue, chosen } = chooseSimplest(judged, order, {
    seed,
    horizonDays: targetNamed(table.target).horizonDays,
  });
  return {
    ...{ inSet, chosen, pValue: Array.from(pValue, (p) => (Number.isNaN(p) ? null : p)) },
    inner: lossInterval(judged[chosen]!.sums, seed),
  };
}

export type OuterJob = { tableBytes: Uint8Array; members: Uint8Array[][]; seed: number };

/**
 * Loss of the chosen one on the outer blocks that nothing was chosen by.
 *
 * @public Called by its name from another thread.
 */
export function outerLoss({ tableBytes, members, seed }: OuterJob): SkillInterval {
  const table = loadTable(tableBytes);
  const told = mix(
    table,
    members.map((member) => member.map(loadResult)),
  );
  return lossInterval(lossSums(table, told.slice(1)), seed);
}

function mix(table: TrainingTable, members: PartResult[][]): PartResult[] {
  return members.length === 1 ? members[0]! : mixForecasts(table, members);
}
