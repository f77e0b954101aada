import { createRandom } from '../../random/random.ts';
import { targetNamed } from '../targets/targets.ts';
import type { TrainingTable } from './training-table.ts';

/**
 * A table for tests: features are persistent noise, and the outcome is drawn with log odds `skill` times the first feature
 * (regression: that times a deviation, and noise). With skill 0 nothing can be learnt.
 */
export function simulatedTable(
  name: string,
  {
    assetCount = 4,
    dayCount = 900,
    skill = 0,
    seed = 1,
  }: { assetCount?: number; dayCount?: number; skill?: number; seed?: number } = {},
): TrainingTable {
  const target = targetNamed(name);
  const width = target.features.length;
  const rowCount = assetCount * dayCount;
  const table: TrainingTable = {
    target: name,
    featureNames: target.features.map((feature) => feature.name),
    rowCount,
    asset: new Int32Array(rowCount),
    day: new Int32Array(rowCount),
    labelEnd: new Int32Array(rowCount).fill(-1),
    label: new Float64Array(rowCount).fill(Number.NaN),
    forwardReturn: new Float64Array(rowCount).fill(Number.NaN),
    values: new Float64Array(rowCount * width),
  };
  for (let asset = 0; asset < assetCount; asset++) {
    const random = createRandom(seed).split(asset);
    const state = new Float64Array(width);
    for (let t = 0; t < dayCount; t++) {
      const row = asset * dayCount + t;
      table.asset[row] = asset + 1;
      table.day[row] = 15_000 + t;
      for (let j = 0; j < width; j++) {
        state[j] = 0.8 * state[j]! + 0.6 * random.normal();
        table.values[row * width + j] = state[j]!;
      }
      if (t + target.horizonDays >= dayCount) continue;
      table.labelEnd[row] = 15_000 + t + target.horizonDays;
      const signal = skill * state[0]!;
      if (target.goal === 'binary') table.label[row] = random.uniform() < 1 / (1 + Math.exp(-signal)) ? 1 : 0;
      else if (target.link === 'exp') table.label[row] = 0.2 * Math.exp(0.3 * (signal + random.normal()));
      else table.label[row] = 1 / (1 + Math.exp(-signal - random.normal()));
      table.forwardReturn[row] = 0.02 * (signal + random.normal());
    }
  }
  return table;
}
