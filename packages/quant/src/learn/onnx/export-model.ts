import type { FittedScaler } from '../../series/preprocess/scaler.ts';
import type { FittedModel, LinearBody, Link } from '../learner.ts';
import { exportNetwork } from './export-network.ts';
import { exportTrees } from './export-trees.ts';
import { createGraph, type Element, type Graph, type Value } from './graph.ts';

/** What a file expects and gives. */
export type OnnxModel = {
  bytes: Uint8Array;
  /** Element type of its input `features`. */
  element: Element;
};

/** What lies around a member of a forecaster. */
export type OnnxFrame = {
  /** Straight lines only: `findBentColumn`. */
  scaler: FittedScaler;
  clip: number;
  link: 'identity' | 'exp';
};

/**
 * Writes a model as ONNX (operator set 17, machine-learning set 5): input `features`, rows × features, or rows × days ×
 * features where it reads windows; output `value`, rows × 1, what `predict` answers.
 *
 * Linear models and trees that compare doubles take doubles and agree to 1e-12; the others take floats and agree to 1e-6.
 *
 * @param metadata Told to whoever opens the file, as the names of the features.
 * @param frame Takes features as they are, as doubles, and gives values as they are told; left out: on the scale of the model.
 * @throws RangeError for a model that is an ONNX file already.
 */
export function exportOnnx(model: FittedModel, metadata: Record<string, string> = {}, frame?: OnnxFrame): OnnxModel {
  const graph = createGraph(model.learner);
  const { body } = model;
  const own: Element =
    body.kind === 'network' || (body.kind === 'trees' && body.trees.roundsInputs) ? 'float' : 'double';
  const element = frame === undefined ? own : 'double';
  const sizes = model.stepCount === 1 ? ['rows', model.featureCount] : ['rows', model.stepCount, model.featureCount];
  const given = graph.input('features', element, sizes);
  const features = frame === undefined ? given : exportScaler(graph, given, frame, own);
  const [margin, link] = exportBody(graph, features, model);
  const told = link === 'logistic' ? graph.node('Sigmoid', [margin])[0]! : margin;
  const value = frame?.link === 'exp' ? graph.node('Exp', [told])[0]! : told;
  graph.output('value', value, own, ['rows', 1]);
  return { bytes: graph.finish(metadata), element };
}

/** Column of a scaler that is no straight line, if there is one: a file cannot hold it. */
export function findBentColumn({ columns }: FittedScaler): number | null {
  const found = columns.findIndex(({ kind }) => kind !== 'linear' && kind !== 'undefined');
  return found < 0 ? null : found;
}

/** What `prepareInputs` does: on the scale of training, pulled in at the ends, missing ones at their mean. */
function exportScaler(graph: Graph, features: Value, { scaler: { columns }, clip }: OnnxFrame, own: Element): Value {
  const shape = [columns.length];
  const center = Float64Array.from(columns, (column) => (column.kind === 'linear' ? column.center : 0));
  // What was undefined in training is missing for ever: anything over infinity is 0, its mean.
  const scale = Float64Array.from(columns, (column) =>
    column.kind === 'linear' ? column.scale : Number.POSITIVE_INFINITY,
  );
  const end = (value: number) => graph.constant({ shape: [], values: Float64Array.of(value) });
  const [centered] = graph.node('Sub', [features, graph.constant({ shape, values: center })]);
  const [scaled] = graph.node('Div', [centered!, graph.constant({ shape, values: scale })]);
  const [isMissing] = graph.node('IsNaN', [scaled!]);
  const [clipped] = graph.node('Clip', [scaled!, end(-clip), end(clip)]);
  const [filled] = graph.node('Where', [isMissing!, end(0), clipped!]);
  return own === 'double' ? filled! : graph.node('Cast', [filled!], { to: { int: 1 } })[0]!;
}

function exportBody(graph: Graph, features: Value, model: FittedModel): [margin: Value, link: Link] {
  const { body } = model;
  switch (body.kind) {
    case 'linear':
      return [exportLinear(graph, lastDay(graph, features, model), body), body.link];
    case 'trees':
      return [exportTrees(graph, lastDay(graph, features, model), body.trees), body.trees.link];
    case 'network':
      return [exportNetwork(graph, features, body.network), body.network.link];
    case 'foreign':
      throw new RangeError('the model must be one of ours; this one came as an ONNX file');
  }
}

function exportLinear(graph: Graph, features: Value, { weights, intercept }: LinearBody): Value {
  const w = graph.constant({ shape: [weights.length, 1], values: weights });
  const b = graph.constant({ shape: [1], values: Float64Array.of(intercept) });
  const [product] = graph.node('MatMul', [features, w]);
  return graph.node('Add', [product!, b])[0]!;
}

/** Rows × features of the last day, where rows hold several. */
function lastDay(graph: Graph, features: Value, { stepCount }: FittedModel): Value {
  if (stepCount === 1) return features;
  const at = graph.constant({ shape: [], values: BigInt64Array.of(BigInt(stepCount - 1)) });
  return graph.node('Gather', [features, at], { axis: { int: 1 } })[0]!;
}
