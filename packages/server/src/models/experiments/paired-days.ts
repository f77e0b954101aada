import type { LossMetric } from '@touchstone/contracts/experiments';
import { predictionLoss } from '@touchstone/quant/evaluation/experiments/prediction-loss';
import type { Pair } from './ab-test.repository.ts';

/** Daily mean losses of both versions on the same questions, oldest first. */
export type PairedDays = {
  days: string[];
  control: Float64Array;
  treatment: Float64Array;
  pairCount: number;
  unpairedCount: number;
};

/** Losses of single predictions, paired by subject and day; what only one version answered is counted and left out. */
export function pairedDays(pairs: readonly Pair[], metric: LossMetric, level: number): PairedDays {
  const byDay = new Map<string, { control: number; treatment: number; count: number }>();
  let unpairedCount = 0;
  for (const pair of pairs) {
    const [control, treatment] = [lossOf(pair, 'control', metric, level), lossOf(pair, 'treatment', metric, level)];
    if (!Number.isFinite(control) || !Number.isFinite(treatment)) {
      unpairedCount += 1;
      continue;
    }
    const day = byDay.get(pair.eventDay) ?? { control: 0, treatment: 0, count: 0 };
    byDay.set(pair.eventDay, day);
    day.control += control;
    day.treatment += treatment;
    day.count += 1;
  }
  const days = [...byDay.keys()].sort();
  const means = (arm: 'control' | 'treatment') =>
    Float64Array.from(days, (day) => byDay.get(day)![arm] / byDay.get(day)!.count);
  const pairCount = [...byDay.values()].reduce((sum, { count }) => sum + count, 0);
  return { days, control: means('control'), treatment: means('treatment'), pairCount, unpairedCount };
}

/** Daily mean losses of the control and of its baseline: how noisy such a difference is, where no two versions were asked. */
export function controlDays(pairs: readonly Pair[], metric: LossMetric, level: number): PairedDays {
  const withBaseline = pairs.map((pair): Pair => {
    const { control } = pair;
    const said = control === null ? null : { ...control, value: control.baseline };
    return { ...pair, treatment: said };
  });
  return pairedDays(withBaseline, metric, level);
}

function lossOf({ outcome, ...pair }: Pair, arm: 'control' | 'treatment', metric: LossMetric, level: number): number {
  const said = pair[arm];
  if (said === null || said.value === null) return Number.NaN;
  const { value, lower, upper } = said;
  return predictionLoss(metric, {
    ...{ value, outcome },
    ...(lower === null || upper === null ? {} : { lower, upper, level }),
  });
}
