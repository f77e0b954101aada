import { expect } from '../checks/expect.ts';
import { readArtefact, writeArtefact } from './artefact.ts';
import type { Inputs } from './examples.ts';
import type { FittedModel, Goal, Learner, ModelBody } from './learner.ts';

export type ColumnSubsetSettings = {
  /** Name of the learner that sees only some columns. */
  learner: string;
  /** Its settings, over its defaults. */
  settings: Record<string, unknown>;
  /** Columns it sees, ascending; null: all. */
  columns: readonly number[] | null;
  /** Handed on to learners that hold rows back; see there. */
  validationGap?: number;
};

const KIND = 'column_subset/1';
const GOALS: readonly Goal[] = ['binary', 'regression', 'quantile', 'ranking'];
/** Weights by which networks read their inputs, features × units. */
const INPUT_TENSORS = ['layers.0.input', 'input.weight'];

/**
 * Lets a learner see some columns only: the others are zero in learning and in answering, so that models of several sets of
 * features stand in one forecaster. Inputs come scaled, zero being the mean. In the body the other columns have no weight.
 *
 * @param find How learners are found by their name.
 */
export function columnSubset(find: (name: string) => Learner<object> | undefined): Learner<ColumnSubsetSettings> {
  const inner = (name: string): Learner<object> => {
    const learner = find(name);
    expect(learner !== undefined && name !== 'column_subset', `there is no learner ${name} to see some columns`);
    return learner;
  };
  return {
    name: 'column_subset',
    goals: GOALS,
    reads: 'table',
    missing: 'taken',
    defaults: { learner: 'gradient_boosted_trees', settings: {}, columns: null, validationGap: 0 },
    fit(examples, goal, { learner: name, settings, columns, validationGap }, seed, watch) {
      const learner = inner(name);
      const kept = keptOf(columns, examples.inputs.featureCount);
      const gap = validationGap !== undefined && 'validationGap' in learner.defaults ? { validationGap } : {};
      const model = learner.fit(
        { ...examples, inputs: mask(examples.inputs, kept) },
        goal,
        { ...learner.defaults, ...gap, ...settings },
        seed,
        watch,
      );
      return wrap(model, kept);
    },
    load(bytes) {
      const { meta, arrays } = readArtefact(bytes, KIND);
      const { kept, model } = arrays;
      expect(kept instanceof Int32Array && model instanceof Uint8Array, 'it must hold columns and a model');
      return wrap(inner(String(meta.learner)).load(model), kept);
    },
  };
}

function wrap(model: FittedModel, kept: Int32Array): FittedModel {
  const { goal, stepCount, featureCount, learner } = model;
  return {
    ...{ learner: 'column_subset', goal, stepCount, featureCount, body: bodyOf(model.body, kept, featureCount) },
    predict: (inputs) => model.predict(inputs.featureCount === featureCount ? mask(inputs, kept) : inputs),
    save: () => writeArtefact({ kind: KIND, meta: { learner }, arrays: { kept, model: model.save() } }),
  };
}

function keptOf(columns: readonly number[] | null, featureCount: number): Int32Array {
  const kept = columns === null ? Int32Array.from({ length: featureCount }, (_, j) => j) : Int32Array.from(columns);
  expect(
    kept.length >= 1 && kept.every((j, k) => j >= 0 && j < featureCount && (k === 0 || j > kept[k - 1]!)),
    `columns must ascend within 0..${featureCount - 1}, were ${kept.join(', ')}`,
  );
  return kept;
}

function mask(inputs: Inputs, kept: Int32Array): Inputs {
  const { featureCount, values } = inputs;
  if (kept.length === featureCount) return inputs;
  const masked = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += featureCount)
    for (const j of kept) masked[from + j] = values[from + j]!;
  return { ...inputs, values: masked };
}

/** Trees never split by a column that is always zero; weights of the others are set to none. */
function bodyOf(body: ModelBody, kept: Int32Array, featureCount: number): ModelBody {
  // A foreign model is no learner of ours, and never stands here.
  if (kept.length === featureCount || body.kind === 'trees' || body.kind === 'foreign') return body;
  const isKept = new Set(kept);
  if (body.kind === 'linear')
    return { ...body, weights: body.weights.map((weight, j) => (isKept.has(j) ? weight : 0)) };
  const { tensors } = body.network;
  const read = Object.entries(tensors).map(([name, tensor]) => {
    if (!INPUT_TENSORS.includes(name)) return [name, tensor] as const;
    const units = tensor.shape[1]!;
    const values = tensor.values.map((weight, k) => (isKept.has(Math.floor(k / units)) ? weight : 0));
    return [name, { ...tensor, values }] as const;
  });
  return { kind: 'network', network: { ...body.network, tensors: Object.fromEntries(read) } };
}
