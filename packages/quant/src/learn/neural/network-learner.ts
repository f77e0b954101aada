import { expect } from '../../checks/expect.ts';
import { createRandom } from '../../random/random.ts';
import { readArtefact, writeArtefact } from '../artefact.ts';
import { checkExamples, checkSameShape } from '../check-examples.ts';
import type { Examples, Inputs } from '../examples.ts';
import type { FittedModel, Goal, Learner, NetworkBody } from '../learner.ts';
import { logistic } from './elementary-functions.ts';
import type { Kernels, RealArray } from './kernels.ts';
import { type Network, startWeights } from './network.ts';
import { chooseLoss } from './network-loss.ts';
import { answer, checkTraining, type TrainingSettings, trainNetwork } from './train-network.ts';
import { createKernels } from './twin-kernels.ts';

/** What tells one sort of network from another. */
export type Architecture<Settings extends TrainingSettings> = {
  name: NetworkBody['architecture'];
  defaults: Settings;
  /**
   * Every size, `stepCount` and `featureCount` among them.
   *
   * @throws RangeError for a setting out of its range.
   */
  sizes: (settings: Settings, stepCount: number, featureCount: number) => Record<string, number>;
  /** @param settings Those it learns by; null: it only answers. */
  plan: (sizes: Record<string, number>, rowCountMax: number, settings: Settings | null) => Network;
};

const GOALS: readonly Goal[] = ['binary', 'regression', 'quantile'];
/** Rows answered together: enough for the vectors, and little memory for a model that waits. */
const ANSWER_ROWS = 16;
const SIZE_MAX = 65_536;

/**
 * A learner of windows from a network. Inputs come scaled: the network does not look at their units. The target of a regression
 * or quantile is brought to mean zero and deviation one for learning, and the dense unit is scaled back, so that `body` answers
 * in the target's unit. A missing input is refused in `fit`, by row, day and feature; `predict` answers NaN for its row.
 */
export function createNetworkLearner<Settings extends TrainingSettings>(
  architecture: Architecture<Settings>,
): Learner<Settings> {
  const { name, defaults } = architecture;
  const learner: Learner<Settings> = {
    name,
    goals: GOALS,
    reads: 'window',
    missing: 'refused',
    defaults,
    fit(examples, goal, settings, seed, watch) {
      checkTraining(settings);
      checkPresent(name, examples.inputs);
      checkExamples(learner, examples, goal);
      const { stepCount, featureCount, rowCount } = examples.inputs;
      const sizes = architecture.sizes(settings, stepCount, featureCount);
      const network = architecture.plan(sizes, Math.min(settings.batchSize, rowCount), settings);
      const kernels = createKernels(network.count);
      const random = createRandom(seed);
      network.prepare(kernels.memory);
      startWeights(network, kernels.memory, random.split('weights'));
      const unit = goal === 'binary' ? { mean: 0, deviation: 1 } : unitOf(examples);
      const target = examples.target.map((y) => (y - unit.mean) / unit.deviation);
      trainNetwork(network, kernels, { ...examples, target }, chooseLoss(goal, settings), settings, random, watch);
      const link = goal === 'binary' ? 'logistic' : 'identity';
      const tensors = readTensors(network, kernels.memory);
      scaleDense(tensors, unit);
      return createModel(architecture, goal, { architecture: name, link, sizes, tensors });
    },
    load: (bytes) => loadModel(architecture, bytes),
  };
  return learner;
}

/** @throws RangeError if the size is absent or no whole number from 1 (or `least`) on. */
export function getSize(sizes: Record<string, number>, name: string, least = 1): number {
  const size = sizes[name];
  expect(
    size !== undefined && Number.isInteger(size) && size >= least && size <= SIZE_MAX,
    `${name} must be a whole number from ${least} to ${SIZE_MAX}, was ${size}`,
  );
  return size;
}

/** Finite in float32, too. */
function isPresent(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

function checkPresent(name: string, { stepCount, featureCount, values }: Inputs): void {
  const at = values.findIndex((value) => !isPresent(value));
  const row = Math.floor(at / (stepCount * featureCount));
  const day = Math.floor(at / featureCount) % stepCount;
  expect(
    at < 0,
    `${name} refuses missing values: row ${row}, day ${day}, feature ${at % featureCount} was ${values[at]}`,
  );
}

function unitOf({ target, weight }: Examples): { mean: number; deviation: number } {
  let [weights, sum, squares] = [0, 0, 0];
  for (const [row, y] of target.entries()) {
    weights += weight?.[row] ?? 1;
    sum += (weight?.[row] ?? 1) * y;
  }
  const mean = sum / weights;
  for (const [row, y] of target.entries()) squares += (weight?.[row] ?? 1) * (y - mean) * (y - mean);
  const deviation = Math.sqrt(squares / weights);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

function readTensors(network: Network, memory: RealArray): NetworkBody['tensors'] {
  return Object.fromEntries(
    network.tensors.map(({ name, shape, at, count }) => [
      name,
      { shape, values: Float32Array.from(memory.subarray(at, at + count)) },
    ]),
  );
}

function scaleDense(tensors: NetworkBody['tensors'], { mean, deviation }: { mean: number; deviation: number }): void {
  const weight = tensors['dense.weight']!.values;
  const bias = tensors['dense.bias']!.values;
  for (const [k, value] of weight.entries()) weight[k] = value * deviation;
  bias[0] = bias[0]! * deviation + mean;
}

function createModel<Settings extends TrainingSettings>(
  architecture: Architecture<Settings>,
  goal: Goal,
  body: NetworkBody,
): FittedModel {
  const { sizes, tensors, link } = body;
  const stepCount = getSize(sizes, 'stepCount');
  const featureCount = getSize(sizes, 'featureCount');
  const ready = new Map<number, { network: Network; kernels: Kernels }>();

  /** A network for so many rows at once, made when first needed. */
  function getReady(rowCountMax: number): { network: Network; kernels: Kernels } {
    const found = ready.get(rowCountMax);
    if (found) return found;
    const network = architecture.plan(sizes, rowCountMax, null);
    const kernels = createKernels(network.count);
    network.prepare(kernels.memory);
    for (const { name, at, count } of network.tensors) {
      const tensor = tensors[name];
      expect(tensor?.values.length === count, `the network's ${name} must have ${count} weights`);
      kernels.memory.set(tensor.values, at);
    }
    ready.set(rowCountMax, { network, kernels });
    return { network, kernels };
  }

  const model: FittedModel = {
    learner: architecture.name,
    goal,
    stepCount,
    featureCount,
    body: { kind: 'network', network: body },
    predict(inputs) {
      checkSameShape(model, inputs);
      const answers = new Float64Array(inputs.rowCount).fill(Number.NaN);
      const rows = wholeRows(inputs);
      if (rows.length === 0) return answers;
      const { network, kernels } = getReady(rows.length === 1 ? 1 : ANSWER_ROWS);
      for (let start = 0; start < rows.length; start += network.rowCountMax) {
        const batch = rows.subarray(start, start + network.rowCountMax);
        answer(network, kernels, { inputs }, batch, null);
        batch.forEach((row, i) => {
          const margin = kernels.memory[network.margins + i]!;
          answers[row] = link === 'logistic' ? logistic(margin) : margin;
        });
      }
      return answers;
    },
    save: () =>
      writeArtefact({
        kind: `${architecture.name}/1`,
        meta: { goal, link, sizes },
        arrays: Object.fromEntries(Object.entries(tensors).map(([name, { values }]) => [name, values])),
      }),
  };
  return model;
}

function loadModel<Settings extends TrainingSettings>(
  architecture: Architecture<Settings>,
  bytes: Uint8Array,
): FittedModel {
  const { meta, arrays } = readArtefact(bytes, `${architecture.name}/1`);
  const { goal, link, sizes } = meta as { goal: Goal; link: NetworkBody['link']; sizes: Record<string, number> };
  expect(GOALS.includes(goal), `the model's goal must be one of ${GOALS.join(', ')}, was ${goal}`);
  const network = architecture.plan(sizes, 1, null);
  const tensors: NetworkBody['tensors'] = {};
  for (const { name, shape, count } of network.tensors) {
    const values = arrays[name];
    expect(values instanceof Float32Array && values.length === count, `the model has no ${count} weights ${name}`);
    tensors[name] = { shape, values };
  }
  return createModel(architecture, goal, { architecture: architecture.name, link, sizes, tensors });
}

/** Rows without a missing value. */
function wholeRows({ rowCount, stepCount, featureCount, values }: Inputs): Int32Array {
  const width = stepCount * featureCount;
  const isWhole = (row: number) => {
    for (let k = row * width; k < (row + 1) * width; k++) if (!isPresent(values[k]!)) return false;
    return true;
  };
  const rows: number[] = [];
  for (let row = 0; row < rowCount; row++) if (isWhole(row)) rows.push(row);
  return Int32Array.from(rows);
}
