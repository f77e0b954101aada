import { expect } from '../../checks/expect.ts';
import { type ArtefactArray, readArtefact, writeArtefact } from '../artefact.ts';
import { checkInputs, type Inputs } from '../examples.ts';
import type { Forecaster, ForecastMember } from '../forecaster/forecaster.ts';
import type { FittedModel, Goal } from '../learner.ts';

/** Name of the learner of models that were learnt elsewhere. */
export const FOREIGN_LEARNER = 'onnx';
const FOREIGN_KIND = 'foreign-model/1';

/** A model that learnt elsewhere, as an ONNX file, and how it is asked. */
export type ForeignBody = {
  onnx: Uint8Array;
  input: string;
  element: 'float32' | 'float64';
  /** table: rows × features of the last day. window: rows × days × features. flat: rows × (days · features), oldest first. */
  layout: 'table' | 'window' | 'flat';
  output: string;
  /** Values a row gives, and the one that is the forecast. */
  outputWidth: number;
  outputColumn: number;
  /** exp: it tells the value, and the forecaster works on logarithms. */
  link: 'identity' | 'exp';
  /** Features it reads: the first so many of the forecaster. */
  usedCount: number;
  /** One a feature it reads: scaled inputs times `scale` plus `center` are the features as they are. */
  center: Float64Array;
  scale: Float64Array;
};

/**
 * A model of this kind answers through its runtime, which is not of this package: its `predict` says what is asked.
 * Who has the runtime answers and asks again (`withAnswers`).
 */
export class Unanswered extends Error {
  readonly model: FittedModel;
  readonly inputs: Inputs;
  constructor(model: FittedModel, inputs: Inputs) {
    super(`${model.learner} answers through its runtime: hand its answers over first`);
    this.name = 'Unanswered';
    this.model = model;
    this.inputs = inputs;
  }
}

export function createForeignModel(
  body: ForeignBody,
  { goal, stepCount, featureCount }: { goal: Goal; stepCount: number; featureCount: number },
): FittedModel {
  const { usedCount, center, scale, outputColumn, outputWidth } = body;
  expect(
    usedCount >= 1 && usedCount <= featureCount && center.length === usedCount && scale.length === usedCount,
    `a foreign model must read 1 to ${featureCount} features and know the scale of each, reads ${usedCount}`,
  );
  expect(
    outputColumn >= 0 && outputColumn < outputWidth,
    `column ${outputColumn} must be one of the ${outputWidth} it gives`,
  );
  const model: FittedModel = {
    ...{ learner: FOREIGN_LEARNER, goal, stepCount, featureCount },
    body: { kind: 'foreign', foreign: body },
    predict(inputs) {
      throw new Unanswered(model, inputs);
    },
    save() {
      const { onnx, ...meta } = body;
      return writeArtefact({
        kind: FOREIGN_KIND,
        meta: { ...meta, center: Array.from(center), scale: Array.from(scale), goal, stepCount, featureCount },
        arrays: { onnx },
      });
    },
  };
  return model;
}

/** @throws RangeError for bytes that `save` did not write. */
export function loadForeignModel(bytes: Uint8Array): FittedModel {
  const { meta, arrays } = readArtefact(bytes, FOREIGN_KIND);
  const { goal, stepCount, featureCount, center, scale, ...body } = meta as Omit<
    ForeignBody,
    'onnx' | 'center' | 'scale'
  > & { goal: Goal; stepCount: number; featureCount: number; center: number[]; scale: number[] };
  const onnx: ArtefactArray | undefined = arrays.onnx;
  expect(onnx instanceof Uint8Array, 'the foreign model must hold an ONNX file');
  return createForeignModel(
    { ...body, onnx, center: Float64Array.from(center), scale: Float64Array.from(scale) },
    { goal, stepCount, featureCount },
  );
}

/**
 * What the file is asked: scaled inputs as they were before, in the layout it takes.
 *
 * @throws RangeError for inputs of another shape.
 */
export function foreignQuestion(
  { usedCount, center, scale, layout }: ForeignBody,
  inputs: Inputs,
): { sizes: number[]; values: Float64Array } {
  checkInputs(inputs);
  const { rowCount, stepCount, featureCount } = inputs;
  const values = new Float64Array(rowCount * stepCount * usedCount);
  for (let day = 0; day < rowCount * stepCount; day++)
    for (let j = 0; j < usedCount; j++)
      values[day * usedCount + j] = inputs.values[day * featureCount + j]! * scale[j]! + center[j]!;
  if (layout === 'window') return { sizes: [rowCount, stepCount, usedCount], values };
  expect(layout === 'flat' || stepCount === 1, `a table has rows of 1 day, had ${stepCount}`);
  return { sizes: [rowCount, stepCount * usedCount], values };
}

/** One value a row, in the space of the forecaster; NaN where it gave no number, or one without a logarithm. */
export function foreignAnswers(
  { outputWidth, outputColumn, link }: ForeignBody,
  rowCount: number,
  told: Float64Array,
): Float64Array {
  expect(
    told.length === rowCount * outputWidth,
    `${rowCount} rows must give ${rowCount * outputWidth}, gave ${told.length}`,
  );
  return Float64Array.from({ length: rowCount }, (_, row) => {
    const value = told[row * outputWidth + outputColumn]!;
    if (!Number.isFinite(value)) return Number.NaN;
    if (link === 'identity') return value;
    return value > 0 ? Math.log(value) : Number.NaN;
  });
}

/** Members of a forecaster that answer through a runtime. */
export function foreignMembers({ members }: Pick<Forecaster, 'members'>): ForecastMember[] {
  return members.filter(({ model }) => model.body.kind === 'foreign');
}

export type ForeignAnswer = (model: FittedModel, inputs: Inputs) => Float64Array | undefined;

/** The same forecaster with members that answer from what is known; where nothing is, they throw `Unanswered`. */
export function withAnswers(forecaster: Forecaster, find: ForeignAnswer): Forecaster {
  const members = forecaster.members.map((member): ForecastMember => {
    const { model } = member;
    if (model.body.kind !== 'foreign') return member;
    const predict = (inputs: Inputs): Float64Array => {
      const known = find(model, inputs);
      if (known === undefined) throw new Unanswered(model, inputs);
      return known;
    };
    return { ...member, model: { ...model, predict } };
  });
  return { ...forecaster, members };
}
