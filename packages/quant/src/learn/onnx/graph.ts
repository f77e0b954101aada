import { createMessage, type Message } from './protobuf.ts';

/** Element types of ONNX that are used here. */
const ELEMENT = { float: 1, uint8: 2, int64: 7, double: 11 } as const;
export type Element = keyof typeof ELEMENT;
export type TensorValues = Float32Array | Float64Array | BigInt64Array | Uint8Array;
export type Tensor = { shape: readonly number[]; values: TensorValues };
/** What a node may be told beside its inputs. */
export type Attribute =
  | { int: number }
  | { float: number }
  | { text: string }
  | { ints: readonly number[] }
  | { floats: readonly number[] }
  | { texts: readonly string[] }
  | { tensor: Tensor };
/** A size, or the name of one that is open. */
type Size = number | string;

/** A value in a graph: the name of what a node gives. */
export type Value = string;

export type Graph = {
  input(name: string, element: Element, sizes: readonly Size[]): Value;
  constant(tensor: Tensor): Value;
  node(
    operator: string,
    inputs: readonly Value[],
    attributes?: Record<string, Attribute>,
    outputCount?: number,
  ): Value[];
  output(name: string, from: Value, element: Element, sizes: readonly Size[]): void;
  /** @param metadata Told to whoever opens the file. */
  finish(metadata: Record<string, string>): Uint8Array;
};

/** Operators of the machine-learning set; all others are of the standard set. */
const OF_LEARNING = new Set(['TreeEnsemble']);
const OPSET = 17;
const OPSET_LEARNING = 5;
/** The first that knows machine-learning set 5. */
const IR_VERSION = 10;
const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7, texts: 8 } as const;

/**
 * Builds an ONNX model, node by node in the order they run.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function createGraph(name: string): Graph {
  const nodes: Message[] = [];
  const constants: Message[] = [];
  const inputs: Message[] = [];
  const outputs: Message[] = [];
  let made = 0;
  return {
    input(inputName, element, sizes) {
      inputs.push(valueInfo(inputName, element, sizes));
      return inputName;
    },
    constant(tensor) {
      const value = `constant_${constants.length}`;
      constants.push(tensorMessage(value, tensor));
      return value;
    },
    node(operator, from, attributes = {}, outputCount = 1) {
      const values = Array.from({ length: outputCount }, () => `value_${made++}`);
      const node = createMessage();
      for (const value of from) node.text(1, value);
      for (const value of values) node.text(2, value);
      node.text(3, `${operator}_${nodes.length}`).text(4, operator);
      for (const [key, attribute] of Object.entries(attributes)) node.message(5, attributeMessage(key, attribute));
      if (OF_LEARNING.has(operator)) node.text(7, 'ai.onnx.ml');
      nodes.push(node);
      return values;
    },
    output(outputName, from, element, sizes) {
      nodes.push(
        createMessage().text(1, from).text(2, outputName).text(3, `Identity_${nodes.length}`).text(4, 'Identity'),
      );
      outputs.push(valueInfo(outputName, element, sizes));
    },
    finish(metadata) {
      const graph = createMessage();
      for (const node of nodes) graph.message(1, node);
      graph.text(2, name);
      for (const constant of constants) graph.message(5, constant);
      for (const input of inputs) graph.message(11, input);
      for (const output of outputs) graph.message(12, output);
      const model = createMessage().int(1, IR_VERSION).text(2, 'touchstone').message(7, graph);
      model.message(8, createMessage().text(1, '').int(2, OPSET));
      model.message(8, createMessage().text(1, 'ai.onnx.ml').int(2, OPSET_LEARNING));
      for (const [key, value] of Object.entries(metadata))
        model.message(14, createMessage().text(1, key).text(2, value));
      return model.finish();
    },
  };
}

function tensorMessage(name: string, { shape, values }: Tensor): Message {
  const tensor = createMessage();
  for (const size of shape) tensor.int(1, size);
  tensor.int(2, ELEMENT[elementOf(values)]).text(8, name);
  return tensor.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function elementOf(values: TensorValues): Element {
  if (values instanceof Float32Array) return 'float';
  if (values instanceof Float64Array) return 'double';
  return values instanceof Uint8Array ? 'uint8' : 'int64';
}

function valueInfo(name: string, element: Element, sizes: readonly Size[]): Message {
  const shape = createMessage();
  for (const size of sizes) {
    const dimension = createMessage();
    shape.message(1, typeof size === 'string' ? dimension.text(2, size) : dimension.int(1, size));
  }
  const type = createMessage().int(1, ELEMENT[element]).message(2, shape);
  return createMessage().text(1, name).message(2, createMessage().message(1, type));
}

function attributeMessage(name: string, attribute: Attribute): Message {
  const message = createMessage().text(1, name);
  if ('int' in attribute) return message.int(3, attribute.int).int(20, ATTRIBUTE_TYPE.int);
  if ('float' in attribute) return message.float(2, attribute.float).int(20, ATTRIBUTE_TYPE.float);
  if ('text' in attribute) return message.text(4, attribute.text).int(20, ATTRIBUTE_TYPE.text);
  if ('tensor' in attribute)
    return message.message(5, tensorMessage(name, attribute.tensor)).int(20, ATTRIBUTE_TYPE.tensor);
  if ('ints' in attribute) {
    for (const value of attribute.ints) message.int(8, value);
    return message.int(20, ATTRIBUTE_TYPE.ints);
  }
  if ('floats' in attribute) {
    for (const value of attribute.floats) message.float(7, value);
    return message.int(20, ATTRIBUTE_TYPE.floats);
  }
  for (const value of attribute.texts) message.text(9, value);
  return message.int(20, ATTRIBUTE_TYPE.texts);
}
