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

/**
 * Writes a model as ONNX (operator set 17, machine-learning set 5): input `features`, rows × features, or rows × days ×
 * features where it reads windows; output `value`, rows × 1, what `predict` answers.
 *
 * Linear models and trees that compare doubles take doubles and agree to 1e-12; the others take floats and agree to 1e-6.
 *
 * @param metadata Told to whoever opens the file, as the names of the features.
 */
export function exportOnnx(model: FittedModel, metadata: Record<string, string> = {}): OnnxModel {
  const graph = createGraph(model.learner);
  const { body } = model;
  const element: Element =
    body.kind === 'network' || (body.kind === 'trees' && body.trees.roundsInputs) ? 'float' : 'double';
  const sizes = model.stepCount === 1 ? ['rows', model.featureCount] : ['rows', model.stepCount, model.featureCount];
  const features = graph.input('features', element, sizes);
  const [margin, link] = exportBody(graph, features, model);
  const value = link === 'logistic' ? graph.node('Sigmoid', [margin])[0]! : margin;
  graph.output('value', value, element, ['rows', 1]);
  return { bytes: graph.finish(metadata), element };
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
