import { expect } from '../checks/expect.ts';

/** What a learner looks at: rows of a table, or windows of several days that are rows of their last day. */
export type Inputs = {
  rowCount: number;
  /** Days a row holds, oldest first: 1 for a table. */
  stepCount: number;
  featureCount: number;
  /** rowCount × stepCount × featureCount, row-major; NaN where missing. */
  values: Float64Array;
};

/** What a learner learns from. */
export type Examples = {
  inputs: Inputs;
  /** One a row, without NaN. Binary: 0 or 1. Ranking: relevance, larger is better. */
  target: Float64Array;
  /** One a row, >= 0; null: all count the same. */
  weight: Float64Array | null;
  /** One a row, whole numbers: rows of one group (a day) are ranked against each other; null: no groups. */
  group: Int32Array | null;
};

/** @throws RangeError if the values are not rowCount × stepCount × featureCount. */
export function checkInputs({ rowCount, stepCount, featureCount, values }: Inputs): void {
  expect(
    Number.isInteger(rowCount) && rowCount >= 0 && Number.isInteger(stepCount) && stepCount >= 1 && featureCount >= 1,
    `inputs must have whole counts, were ${rowCount} rows × ${stepCount} days × ${featureCount} features`,
  );
  expect(
    values.length === rowCount * stepCount * featureCount,
    `values must be ${rowCount} × ${stepCount} × ${featureCount}, were ${values.length}`,
  );
}

/** The given rows, in the order given. */
export function takeInputs(inputs: Inputs, rows: Int32Array): Inputs {
  const width = inputs.stepCount * inputs.featureCount;
  const values = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    values.set(inputs.values.subarray(row * width, (row + 1) * width), i * width);
  });
  return { ...inputs, rowCount: rows.length, values };
}

/** The given rows, in the order given. */
export function takeExamples({ inputs, target, weight, group }: Examples, rows: Int32Array): Examples {
  return {
    inputs: takeInputs(inputs, rows),
    target: Float64Array.from(rows, (row) => target[row]!),
    weight: weight === null ? null : Float64Array.from(rows, (row) => weight[row]!),
    group: group === null ? null : Int32Array.from(rows, (row) => group[row]!),
  };
}

/** The last day of every window: what a learner of tables sees of it. */
export function lastStep(inputs: Inputs): Inputs {
  const { rowCount, stepCount, featureCount, values } = inputs;
  if (stepCount === 1) return inputs;
  const last = new Float64Array(rowCount * featureCount);
  for (let row = 0; row < rowCount; row++) {
    const end = (row + 1) * stepCount * featureCount;
    last.set(values.subarray(end - featureCount, end), row * featureCount);
  }
  return { rowCount, stepCount: 1, featureCount, values: last };
}
