import type { InferenceSession, Tensor } from 'onnxruntime-node';

/** Element types of tables and windows. */
export type OnnxElement = 'float32' | 'float64';

export type OnnxValue = {
  name: string;
  element: string;
  /** A size, or the name of one that is open. */
  sizes: readonly (number | string)[];
};

/** A model that is open and answers. */
export type OnnxModel = {
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  /** @throws Error in the words of the runtime, as for sizes the model does not take. */
  run(
    input: { name: string; element: OnnxElement; sizes: readonly number[]; values: Float64Array },
    output: string,
  ): Promise<{ sizes: readonly number[]; values: Float64Array }>;
  close(): Promise<void>;
};

/** What the runtime could not open, with the operator where one is unknown. */
export class OnnxRefused extends Error {
  readonly operator: string | null;
  constructor(sentence: string, operator: string | null) {
    super(sentence);
    this.name = 'OnnxRefused';
    this.operator = operator;
  }
}

const UNKNOWN_OPERATOR = /No Op registered for (\S+)|(\S+) is not a registered function\/op/;

/**
 * Opens a model in the ONNX runtime, on one thread of the processor: the same input gives the same bits, so that what was
 * answered can be computed again. The library is loaded with the first model.
 *
 * @throws OnnxRefused for bytes that are no model, or a model with an operator the runtime does not know.
 */
export async function openOnnx(bytes: Uint8Array): Promise<OnnxModel> {
  const runtime = await import('onnxruntime-node');
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Only what ends the process; the rest comes as an exception.
    logSeverityLevel: 4,
  }).catch((error: unknown) => {
    throw refusalOf(error);
  });
  return {
    inputs: valuesOf(session.inputMetadata),
    outputs: valuesOf(session.outputMetadata),
    async run({ name, element, sizes, values }, output) {
      const tensor =
        element === 'float64'
          ? new runtime.Tensor('float64', values, sizes)
          : new runtime.Tensor('float32', Float32Array.from(values), sizes);
      const answer = (await session.run({ [name]: tensor }, [output]))[output];
      if (answer === undefined) throw new OnnxRefused(`The model gives no ${output}.`, null);
      return { sizes: answer.dims, values: numbersOf(answer, output) };
    },
    close: () => session.release(),
  };
}

function refusalOf(error: unknown): OnnxRefused {
  const told = String(error instanceof Error ? error.message : error);
  const [, first, second] = UNKNOWN_OPERATOR.exec(told) ?? [];
  const operator = first ?? second ?? null;
  if (operator !== null)
    return new OnnxRefused(`The model uses the operator ${operator}, which is not known here.`, operator);
  return new OnnxRefused(`This is no ONNX model that can be opened: ${told.split('\n')[0]}`, null);
}

function valuesOf(metadata: readonly InferenceSession.ValueMetadata[]): OnnxValue[] {
  return metadata.map((value) => ({
    name: value.name,
    ...(value.isTensor ? { element: value.type, sizes: value.shape } : { element: 'no tensor', sizes: [] }),
  }));
}

function numbersOf({ data, type }: Tensor, output: string): Float64Array {
  if (data instanceof Float64Array) return data;
  if (data instanceof Float32Array) return Float64Array.from(data);
  if (data instanceof BigInt64Array) return Float64Array.from(data, Number);
  if (data instanceof Int32Array) return Float64Array.from(data);
  throw new OnnxRefused(`${output} gives ${type}; numbers are wanted.`, null);
}
