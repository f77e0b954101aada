import { expect } from '../../checks/expect.ts';
import { checkInputs, type Inputs } from '../../learn/examples.ts';

export type DriftEffect = {
  /** Position of the feature. */
  feature: number;
  /** Mean of its recent values minus its mean over the past, in the unit of the feature. */
  shift: number;
  /** Mean prediction as it is, minus the mean prediction had the feature stayed where it was. */
  effect: number;
};

/**
 * How far the move of each feature moved the predictions: the recent rows are asked again with one feature moved back by its
 * shift, the others as they are. In the unit of the predictions, so that features of any unit can be ranked by it; a feature the
 * model does not use has none, however far it moved.
 *
 * Features that moved together share their effect in parts that need not add up to the whole.
 *
 * @param recent Rows of the last sessions.
 * @param past Rows of sessions before, as many features and steps; NaN where missing.
 * @param predict One value a row; rows it answers with NaN are left out of both means.
 * @returns Largest effect first; NaN effects, where nothing was predicted or one side has no value, last.
 */
export function effectsOnPredictions(
  recent: Inputs,
  past: Inputs,
  predict: (inputs: Inputs) => Float64Array,
): DriftEffect[] {
  checkInputs(recent);
  checkInputs(past);
  expect(
    recent.featureCount === past.featureCount && recent.stepCount === past.stepCount,
    `recent and past rows need one shape, were ${recent.stepCount} × ${recent.featureCount} and ${past.stepCount} × ${past.featureCount}`,
  );
  const asIs = predict(recent);
  const effects = Array.from({ length: recent.featureCount }, (_, feature): DriftEffect => {
    const shift = newestMean(recent, feature) - newestMean(past, feature);
    if (!(shift !== 0)) return { feature, shift, effect: shift === 0 ? 0 : Number.NaN };
    const values = recent.values.slice();
    for (let k = feature; k < values.length; k += recent.featureCount) values[k]! -= shift;
    return { feature, shift, effect: meanDifference(asIs, predict({ ...recent, values })) };
  });
  return effects.sort((a, b) => sizeOf(b) - sizeOf(a) || a.feature - b.feature);
}

function sizeOf({ effect }: DriftEffect): number {
  return Number.isNaN(effect) ? -1 : Math.abs(effect);
}

/** Mean of a feature over the newest step of every row. */
function newestMean({ rowCount, stepCount, featureCount, values }: Inputs, feature: number): number {
  let [count, sum] = [0, 0];
  for (let row = 0; row < rowCount; row++) {
    const value = values[(row * stepCount + stepCount - 1) * featureCount + feature]!;
    if (Number.isNaN(value)) continue;
    count += 1;
    sum += value;
  }
  return count === 0 ? Number.NaN : sum / count;
}

function meanDifference(a: Float64Array, b: Float64Array): number {
  let [count, sum] = [0, 0];
  for (let k = 0; k < a.length; k++) {
    const difference = a[k]! - b[k]!;
    if (Number.isNaN(difference)) continue;
    count += 1;
    sum += difference;
  }
  return count === 0 ? Number.NaN : sum / count;
}
