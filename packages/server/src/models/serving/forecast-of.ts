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
/** Of one forecast with its explanation, far above what it takes and below anybody's patience. */
const LIMIT_MS = 5_000;

export class TookTooLong extends Error {}

/** Sessions live as long as the forecaster they belong to. */
const sessions = new WeakMap<FittedModel, Promise<OnnxModel>>();

/**
 * Makes a forecast, also where a member answers through a runtime that takes its time: what it is asked is answered first and
 * handed over, until nothing is asked any more. The same questions come in the same order, so that the same bytes come out.
 *
 * @throws TookTooLong, or whatever a member's session throws; the next forecast opens it anew.
 */
export async function forecastOf(
  forecaster: Forecaster | null,
  question: ForecastQuestion,
  open: OpenOnnx = openOnnx,
  limitMs = LIMIT_MS,
): Promise<MadeForecast> {
  if (forecaster === null || foreignMembers(forecaster).length === 0) return makeForecast(forecaster, question);
  // Whoever is asked after it failed must not fail with it.
  if (question.servedBy === 'baseline' || question.servedBy === 'nobody')
    return makeForecast(
      withAnswers(forecaster, (_, { rowCount }) => new Float64Array(rowCount).fill(Number.NaN)),
      question,
    );
  const known = new Map<string, Float64Array>();
  const endsAt = performance.now() + limitMs;
  const answering = withAnswers(forecaster, (model, inputs) => known.get(keyOf(model, inputs)));
  let milliseconds = 0;
  for (let asked = 0; asked < QUESTIONS_MAX; asked++) {
    try {
      const made = makeForecast(answering, question);
      return { ...made, milliseconds: made.milliseconds + milliseconds };
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      const startedAt = performance.now();
      known.set(
        keyOf(error.model, error.inputs),
        await within(endsAt, limitMs, error.model, answer(error.model, error.inputs, open)),
      );
      // The first question is that of the forecast; the others are of its explanation.
      if (asked === 0) milliseconds = performance.now() - startedAt;
    }
  }
  throw new RangeError(`a forecast must ask its model at most ${QUESTIONS_MAX} times`);
}

/** A session that hangs is given up: whoever waits for the answer asks the next one. */
async function within<T>(endsAt: number, limitMs: number, model: FittedModel, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        sessions.delete(model);
        reject(new TookTooLong(`It took more than ${limitMs / 1000} s.`));
      },
      Math.max(0, endsAt - performance.now()),
    );
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
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
