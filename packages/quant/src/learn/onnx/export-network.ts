import type { NetworkBody } from '../learner.ts';
import type { Attribute, Graph, Value } from './graph.ts';

/** Our gates stand in the order input, forget, candidate, output; the operator's: input, output, forget, candidate. */
const GATE_ORDER = [0, 3, 1, 2];
const NORM_EPSILON = 1e-5;
const GELU_SCALE = 0.7978845608028654;
const GELU_CUBE = 0.044715;

/** A network in nodes of the graph, from rows × days × features to rows × 1, the margin. */
export function exportNetwork(graph: Graph, features: Value, network: NetworkBody): Value {
  const parts = createParts(graph, network);
  return network.architecture === 'lstm' ? exportLstm(parts, features) : exportTransformer(parts, features);
}

/** The few operators networks are made of. */
function createParts(graph: Graph, { sizes, tensors }: NetworkBody) {
  const size = (name: string) => sizes[name]!;
  const run = (operator: string, inputs: Value[], attributes?: Record<string, Attribute>) =>
    graph.node(operator, inputs, attributes)[0]!;
  const weights = (name: string) => {
    const { shape, values } = tensors[name]!;
    return graph.constant({ shape, values });
  };
  const number = (value: number) => graph.constant({ shape: [], values: Float32Array.of(value) });
  const shape = (values: number[]) =>
    graph.constant({ shape: [values.length], values: BigInt64Array.from(values, BigInt) });
  const linear = (x: Value, name: string) =>
    run('Add', [run('MatMul', [x, weights(`${name}.weight`)]), weights(`${name}.bias`)]);
  /** The dense unit: its weights are a vector. */
  const dense = (x: Value) => {
    const { values } = tensors['dense.weight']!;
    const column = graph.constant({ shape: [values.length, 1], values });
    return run('Add', [run('MatMul', [x, column]), weights('dense.bias')]);
  };
  const dayOf = (x: Value, day: number, axis: number) =>
    run('Gather', [x, graph.constant({ shape: [], values: BigInt64Array.of(BigInt(day)) })], { axis: { int: axis } });
  return { graph, size, tensors, run, weights, number, shape, linear, dense, dayOf };
}

type Parts = ReturnType<typeof createParts>;

function exportLstm({ graph, size, tensors, run, shape, dense }: Parts, features: Value): Value {
  const hidden = size('hidden');
  let source = run('Transpose', [features], { perm: { ints: [1, 0, 2] } });
  let last = source;
  for (let layer = 0; layer < size('layers'); layer++) {
    const gatesOf = (name: string) => {
      const { values } = tensors[`layers.${layer}.${name}`]!;
      const width = values.length / (4 * hidden);
      return graph.constant({ shape: [1, 4 * hidden, width], values: turnGates(values, width, hidden) });
    };
    const bias = new Float32Array(8 * hidden);
    bias.set(turnGates(tensors[`layers.${layer}.bias`]!.values, 1, hidden));
    const [states, end] = graph.node(
      'LSTM',
      [source, gatesOf('input'), gatesOf('recurrent'), graph.constant({ shape: [1, 8 * hidden], values: bias })],
      { hidden_size: { int: hidden } },
      2,
    );
    source = run('Squeeze', [states!, shape([1])]);
    last = run('Squeeze', [end!, shape([0])]);
  }
  return dense(last);
}

/** From width × 4 hidden, a column a gate, to 4 hidden × width in the operator's order. */
function turnGates(values: Float32Array, width: number, hidden: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (const [to, from] of GATE_ORDER.entries())
    for (let j = 0; j < hidden; j++)
      for (let k = 0; k < width; k++)
        turned[(to * hidden + j) * width + k] = values[k * 4 * hidden + from * hidden + j]!;
  return turned;
}

function exportTransformer(parts: Parts, features: Value): Value {
  const { size, run, weights, linear, dense, dayOf } = parts;
  const isBefore = size('preNorm') === 1;
  const norm = (x: Value, name: string) =>
    run('LayerNormalization', [x, weights(`${name}.gain`), weights(`${name}.shift`)], {
      axis: { int: -1 },
      epsilon: { float: NORM_EPSILON },
    });
  const add = (x: Value, part: (of: Value) => Value, name: string) =>
    isBefore ? run('Add', [x, part(norm(x, name))]) : norm(run('Add', [x, part(x)]), name);
  let x = run('Add', [linear(features, 'input'), weights('positions')]);
  for (let layer = 0; layer < size('layers'); layer++) {
    const name = `layers.${layer}`;
    x = add(x, (of) => linear(attend(parts, linear(of, `${name}.attention`)), `${name}.projection`), `${name}.norm1`);
    x = add(x, (of) => linear(gelu(parts, linear(of, `${name}.expand`)), `${name}.contract`), `${name}.norm2`);
  }
  if (isBefore) x = norm(x, 'norm');
  if (size('meanPooling') !== 1) return dense(dayOf(x, size('stepCount') - 1, 1));
  return dense(run('ReduceMean', [x], { axes: { ints: [1] }, keepdims: { int: 0 } }));
}

/** From q|k|v of every day to the heads side by side. */
function attend({ size, run, number, shape, dayOf }: Parts, tripled: Value): Value {
  const [steps, width, heads] = [size('stepCount'), size('width'), size('heads')];
  const headWidth = width / heads;
  const split = run('Reshape', [tripled, shape([-1, steps, 3, heads, headWidth])]);
  const [query, key, value] = [0, 1, 2].map((which) =>
    run('Transpose', [dayOf(split, which, 2)], { perm: { ints: which === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3] } }),
  );
  const scores = run('Mul', [run('MatMul', [query!, key!]), number(1 / Math.sqrt(headWidth))]);
  const mixed = run('MatMul', [run('Softmax', [scores], { axis: { int: -1 } }), value!]);
  return run('Reshape', [run('Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } }), shape([-1, steps, width])]);
}

/** The form with tanh, as in the kernels. */
function gelu({ run, number }: Parts, x: Value): Value {
  const square = run('Mul', [x, x]);
  const bend = run('Add', [number(1), run('Mul', [number(GELU_CUBE), square])]);
  const inner = run('Tanh', [run('Mul', [run('Mul', [number(GELU_SCALE), x]), bend])]);
  return run('Mul', [run('Mul', [number(0.5), x]), run('Add', [number(1), inner])]);
}
