import { expect } from '../../checks/expect.ts';
import { readArtefact, writeArtefact } from '../artefact.ts';
import { checkSameShape } from '../check-examples.ts';
import { type Inputs, lastStep } from '../examples.ts';
import type { FittedModel, Goal, LinearBody, Link } from '../learner.ts';

export type LinearFit = {
  learner: string;
  goal: Goal;
  stepCount: number;
  featureCount: number;
  body: LinearBody;
};

/** A model of weights on the scale of its inputs. Reads the last day of a window; NaN for a row that holds a missing value. */
export function linearModel(fit: LinearFit): FittedModel {
  const { learner, goal, stepCount, featureCount, body } = fit;
  return {
    ...fit,
    predict(inputs) {
      checkSameShape(fit, inputs);
      return predictLinear(body, lastStep(inputs));
    },
    save: () =>
      writeArtefact({
        kind: `${learner}/1`,
        meta: { goal, stepCount, featureCount, link: body.link },
        arrays: { weights: body.weights, intercept: Float64Array.of(body.intercept) },
      }),
  };
}

/** @throws RangeError for bytes that this learner did not write. */
export function loadLinear(learner: string, goals: readonly Goal[], bytes: Uint8Array): FittedModel {
  const { meta, arrays } = readArtefact(bytes, `${learner}/1`);
  const { goal, stepCount, featureCount, link } = meta as Omit<LinearFit, 'body' | 'learner'> & { link: Link };
  const { weights, intercept } = arrays;
  expect(
    weights instanceof Float64Array && weights.length === featureCount && intercept instanceof Float64Array,
    `a ${learner} artefact must hold ${featureCount} weights and an intercept`,
  );
  expect(goals.includes(goal), `a ${learner} artefact cannot have the goal ${goal}`);
  const body: LinearBody = { kind: 'linear', weights, intercept: intercept[0]!, link };
  return linearModel({ learner, goal, stepCount, featureCount, body });
}

/** Margins through the link. An input that is not finite has no margin. */
export function predictLinear({ weights, intercept, link }: LinearBody, inputs: Inputs): Float64Array {
  const { rowCount, featureCount, values } = inputs;
  const told = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    let margin = intercept;
    let isComplete = true;
    for (let j = 0; j < featureCount; j++) {
      const x = values[row * featureCount + j]!;
      isComplete &&= Number.isFinite(x);
      margin += weights[j]! * x;
    }
    if (!isComplete) told[row] = Number.NaN;
    else told[row] = link === 'logistic' ? 1 / (1 + Math.exp(-margin)) : margin;
  }
  return told;
}
