import { expect } from '../checks/expect.ts';
import { type Labels, settledRows } from '../labels/label.ts';
import { type Inputs, takeInputs } from './examples.ts';
import type { FittedModel, Goal, Learner } from './learner.ts';

export type ExpandingSettings<Settings extends object> = {
  learner: Learner<Settings>;
  goal: Goal;
  settings: Settings;
  seed: number;
  /** Rows a label takes to be settled. */
  horizon: number;
  /** Rows between two fits. */
  refitEvery: number;
  /** Fewest training rows. */
  rowsMin: number;
};

export type ExpandingForecast = {
  /** One a row: what the model fitted last said of it; NaN before the first fit and for rows it cannot tell. */
  told: Float64Array;
  fitCount: number;
  /** The model of the last fit, or null. */
  model: FittedModel | null;
};

/**
 * Forecasts of one instrument along its history: a model is fitted anew every `refitEvery` rows to all whole rows whose label
 * was settled by then, and tells the rows until the next. Rows with a missing input are left out of the training.
 *
 * @param inputs T rows, in time order. @param labels Of the same rows.
 * @throws RangeError if the lengths differ or a setting is out of its range.
 */
export function expandingForecast<Settings extends object>(
  inputs: Inputs,
  labels: Labels,
  { learner, goal, settings, seed, horizon, refitEvery, rowsMin }: ExpandingSettings<Settings>,
): ExpandingForecast {
  const { rowCount, stepCount, featureCount, values } = inputs;
  expect(labels.value.length === rowCount, `labels must have ${rowCount} values, had ${labels.value.length}`);
  expect(
    Number.isInteger(refitEvery) && refitEvery >= 1 && rowsMin >= 1,
    `refitEvery and rowsMin must be at least 1, were ${refitEvery} and ${rowsMin}`,
  );
  const width = stepCount * featureCount;
  const isWhole = (row: number) => values.subarray(row * width, (row + 1) * width).every(Number.isFinite);
  const whole = Uint8Array.from({ length: rowCount }, (_, row) => Number(isWhole(row)));
  const told = new Float64Array(rowCount).fill(Number.NaN);
  let model: FittedModel | null = null;
  let [fitCount, sinceFit] = [0, refitEvery];
  for (let t = 0; t < rowCount; t++) {
    if (sinceFit >= refitEvery) {
      const rows = settledRows(labels, t, horizon).filter((row) => whole[row] === 1);
      if (rows.length >= rowsMin) {
        const target = Float64Array.from(rows, (row) => labels.value[row]!);
        const examples = { inputs: takeInputs(inputs, rows), target, weight: null, group: null };
        model = learner.fit(examples, goal, settings, seed);
        fitCount++;
        sinceFit = 0;
      }
    }
    sinceFit++;
    if (model !== null) told[t] = model.predict(takeInputs(inputs, Int32Array.of(t)))[0]!;
  }
  return { told, fitCount, model };
}
