import { areFinite, expect } from '../checks/expect.ts';
import { checkInputs, type Examples, type Inputs, lastStep } from './examples.ts';
import type { FittedModel, Goal, Learner } from './learner.ts';

/**
 * What every learner asks of its examples before it looks at them.
 *
 * @throws RangeError for a goal the learner does not have, no rows, a wrong length, a target that is not finite (binary: not 0
 * or 1), a weight below zero or none above, and a missing input where the learner refuses them.
 */
export function checkExamples(learner: Learner<object>, examples: Examples, goal: Goal): void {
  const { inputs, target, weight, group } = examples;
  expect(learner.goals.includes(goal), `${learner.name} learns ${learner.goals.join(', ')}, not ${goal}`);
  checkInputs(inputs);
  const { rowCount } = inputs;
  expect(rowCount >= 1, 'there are no examples to learn from');
  expect(target.length === rowCount, `target must have ${rowCount} values, had ${target.length}`);
  expect(areFinite(target), 'target must be finite');
  if (goal === 'binary')
    expect(
      target.every((y) => y === 0 || y === 1),
      'target of a binary goal must be 0 or 1',
    );
  if (weight !== null) {
    expect(weight.length === rowCount, `weight must have ${rowCount} values, had ${weight.length}`);
    expect(
      areFinite(weight) && weight.every((w) => w >= 0) && weight.some((w) => w > 0),
      'weight must be finite, not negative, and not all zero',
    );
  }
  expect(group === null || group.length === rowCount, `group must have ${rowCount} values, had ${group?.length}`);
  expect(goal !== 'ranking' || group !== null, 'a ranking goal needs groups');
  if (learner.missing === 'refused') {
    const read = learner.reads === 'table' ? lastStep(inputs) : inputs;
    expect(areFinite(read.values), `${learner.name} refuses missing values: inputs must be finite`);
  }
}

/** @throws RangeError for inputs of another shape than the model was fitted on. */
export function checkSameShape(model: Pick<FittedModel, 'stepCount' | 'featureCount'>, inputs: Inputs): void {
  checkInputs(inputs);
  expect(
    inputs.featureCount === model.featureCount,
    `inputs must have ${model.featureCount} features, had ${inputs.featureCount}`,
  );
  expect(inputs.stepCount === model.stepCount, `inputs must have ${model.stepCount} days, had ${inputs.stepCount}`);
}
