import type { Inputs } from '@touchstone/quant/learn/examples';
import type { Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import {
  foreignAnswers,
  foreignMembers,
  foreignQuestion,
  Unanswered,
  withAnswers,
} from '@touchstone/quant/learn/foreign/foreign-model';
import type { FittedModel } from '@touchstone/quant/learn/learner';
import { type OnnxModel, openOnnx } from '../../platform/onnx/onnx-runtime.ts';
import { type ForecastQuestion, type MadeForecast, makeForecast } from './make-forecast.ts';

export type OpenOnnx = (bytes: Uint8Array) => Promise<OnnxModel>;

/** Questions of one forecast to a foreign model: the forecast, the draws of its explanation, the steps to a turning point. */
const QUESTIONS_MAX = 100;
/** Sessions live as long as the forecaster they belong to. */
const sessions = new WeakMap<FittedModel, Promise<OnnxModel>>();

/**
 * Makes a forecast, also where a member answers through a runtime that takes its time: what it is asked is answered first and
 * handed over, until nothing is asked any more. The same questions come in the same order, so that the same bytes come out.
 *
 * @throws whatever a member's session throws; the next forecast opens it anew.
 */
export async function forecastOf(
  forecaster: Forecaster | null,
  question: ForecastQuestion,
  open: OpenOnnx = openOnnx,
): Promise<MadeForecast> {
  if (forecaster === null || foreignMembers(forecaster).length === 0) return makeForecast(forecaster, question);
  // Whoever is asked after it failed must not fail with it.
  if (question.servedBy === 'baseline' || question.servedBy === 'nobody')
    return makeForecast(
      withAnswers(forecaster, (_, { rowCount }) => new Float64Array(rowCount).fill(Number.NaN)),
      question,
    );
  const known = new Map<string, Float64Array>();
  const answering = withAnswers(forecaster, (model, inputs) => known.get(keyOf(model, inputs)));
  let milliseconds = 0;
  for (let asked = 0; asked < QUESTIONS_MAX; asked++) {
    try {
      const made = makeForecast(answering, question);
      return { ...made, milliseconds: made.milliseconds + milliseconds };
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      const startedAt = performance.now();
      known.set(keyOf(error.model, error.inputs), await answer(error.model, error.inputs, open));
      // The first question is that of the forecast; the others are of its explanation.
      if (asked === 0) milliseconds = performance.now() - startedAt;
    }
  }
  throw new RangeError(`a forecast must ask its model at most ${QUESTIONS_MAX} times`);
}

/** @throws RangeError for a model that is not foreign; else what the session throws. */
async function answer(model: FittedModel, inputs: Inputs, open: OpenOnnx): Promise<Float64Array> {
  if (model.body.kind !== 'foreign') throw new RangeError(`${model.learner} answers for itself`);
  const { foreign } = model.body;
  try {
    let session = sessions.get(model);
    if (session === undefined) {
      session = open(foreign.onnx);
      sessions.set(model, session);
    }
    const question = foreignQuestion(foreign, inputs);
    const told = await (await session).run(
      { name: foreign.input, element: foreign.element, ...question },
      foreign.output,
    );
    return foreignAnswers(foreign, inputs.rowCount, told.values);
  } catch (error) {
    sessions.delete(model);
    throw error;
  }
}

function keyOf({ learner }: FittedModel, { values }: Inputs): string {
  return `${learner} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('latin1')}`;
}
