import { expect } from '../../checks/expect.ts';
import type { Random } from '../../random/random.ts';
import type { Examples } from '../examples.ts';
import type { Watch } from '../learner.ts';
import { cosine } from './elementary-functions.ts';
import type { Kernels } from './kernels.ts';
import type { Network, Tensor } from './network.ts';
import type { Loss, LossSettings } from './network-loss.ts';

export type TrainingSettings = LossSettings & {
  /** Most passes over the rows learned from. */
  epochs: number;
  batchSize: number;
  /** > 0, of Adam. */
  learningRate: number;
  /** How the rate goes on after warming up: as it is, down to zero on a line, or on half a cosine. */
  schedule: 'constant' | 'linear' | 'cosine';
  /** Share of all steps in which the rate rises to its full height, in [0, 1). */
  warmupShare: number;
  /** >= 0. Share of a matrix that is taken away per step, times the rate. */
  weightDecay: number;
  /** > 0: a longer gradient is shortened to it. */
  gradientNormMax: number;
  /** Share that is dropped, in [0, 1). */
  dropout: number;
  /** Share of the rows, the last in time, that decides when to stop, in [0, 0.5]; 0: all epochs are run. */
  validationShare: number;
  /** Rows before those that teach nothing, so that targets of both parts do not overlap. */
  validationGap: number;
  /** Epochs without a smaller loss on those rows until it stops. */
  patience: number;
};

export const TRAINING_DEFAULTS: TrainingSettings = {
  loss: 'squared',
  huberDelta: 1,
  quantile: 0.5,
  epochs: 40,
  batchSize: 64,
  learningRate: 1e-3,
  schedule: 'constant',
  warmupShare: 0,
  weightDecay: 0.01,
  gradientNormMax: 1,
  dropout: 0.1,
  validationShare: 0.15,
  validationGap: 0,
  patience: 5,
};

export type TrainingOutcome = {
  epochsRun: number;
  /** Mean loss of the batches of the last epoch, each before its step. */
  trainingLoss: number;
  /** Loss of the weights kept on the rows that decide; null without such rows. */
  validationLoss: number | null;
};

const LOST = 'take a smaller learningRate, and scale the inputs';
const BETA_1 = 0.9;
const BETA_2 = 0.999;
/** Fewer rows say nothing about when to stop. */
const VALIDATION_ROWS_MIN = 8;

/** @throws RangeError for a setting out of its range. */
export function checkTraining(settings: TrainingSettings): void {
  const whole = (name: 'epochs' | 'batchSize' | 'patience', least: number) =>
    expect(
      Number.isInteger(settings[name]) && settings[name] >= least,
      `${name} must be a whole number from ${least}, was ${settings[name]}`,
    );
  const between = (name: 'dropout' | 'warmupShare' | 'validationShare' | 'weightDecay', end: number) =>
    expect(settings[name] >= 0 && settings[name] < end, `${name} must be in 0 to ${end}, was ${settings[name]}`);
  whole('epochs', 1);
  whole('batchSize', 1);
  whole('patience', 1);
  between('dropout', 1);
  between('warmupShare', 1);
  between('validationShare', 0.51);
  between('weightDecay', Number.POSITIVE_INFINITY);
  const { learningRate, gradientNormMax, validationGap, schedule } = settings;
  expect(learningRate > 0 && learningRate <= 1, `learningRate must be in 0 to 1, was ${learningRate}`);
  expect(gradientNormMax > 0, `gradientNormMax must be above 0, was ${gradientNormMax}`);
  expect(
    Number.isInteger(validationGap) && validationGap >= 0,
    `validationGap must be a whole number of rows, was ${validationGap}`,
  );
  expect(['constant', 'linear', 'cosine'].includes(schedule), `schedule must be constant, linear or cosine`);
}

/**
 * Learns the weights in the memory of the kernels in place, by Adam with decoupled weight decay (Kingma and Ba 2015,
 * arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101). Rows are taken to be in order of time. The last of them decide when to stop, and the
 * weights of the best epoch are kept. Each epoch shuffles the rest; a batch's gradient is the mean over its rows, weights
 * having mean one over the rows learned from, and is shortened where it is too long (Pascanu et al. 2013, arXiv:1211.5063).
 *
 * @throws RangeError where the loss or its gradient is no number any more, and what `watch` throws.
 */
export function trainNetwork(
  network: Network,
  kernels: Kernels,
  examples: Examples,
  loss: Loss,
  settings: TrainingSettings,
  random: Random,
  watch?: Watch,
): TrainingOutcome {
  const { memory } = kernels;
  const { epochs, batchSize, patience } = settings;
  const { learning, deciding } = splitRows(examples, settings);
  const shuffle = random.split('shuffle');
  const dropping = settings.dropout > 0 ? random.split('dropout') : null;
  const stepCount = epochs * Math.ceil(learning.length / batchSize);
  const unit = 1 / meanWeight(examples, learning);
  const optimiser = createOptimiser(network, kernels, settings, stepCount);
  let best: { loss: number; epoch: number; weights: typeof memory } | null = null;
  let trainingLoss = Number.NaN;
  let epoch = 0;
  for (; epoch < epochs && !(best && epoch - best.epoch >= patience); ) {
    shuffleRows(learning, shuffle);
    let sum = 0;
    for (let start = 0; start < learning.length; start += batchSize) {
      const rows = learning.subarray(start, start + batchSize);
      answer(network, kernels, examples, rows, dropping);
      rows.forEach((row, i) => {
        const share = unit * (examples.weight?.[row] ?? 1);
        const margin = memory[network.margins + i]!;
        sum += share * loss.value(margin, examples.target[row]!);
        memory[network.dMargins + i] = (share * loss.slope(margin, examples.target[row]!)) / rows.length;
      });
      memory.fill(0, network.weightCount, 2 * network.weightCount);
      network.backward(kernels, rows.length);
      optimiser.step();
    }
    trainingLoss = sum / learning.length;
    epoch++;
    expect(Number.isFinite(trainingLoss), `the loss is no number in epoch ${epoch}: ${LOST}`);
    if (deciding.length > 0) {
      const found = meanLoss(network, kernels, examples, deciding, loss);
      if (!best || found < best.loss) best = { loss: found, epoch, weights: memory.slice(0, network.weightCount) };
    }
    watch?.(epoch, epochs);
  }
  if (best) memory.set(best.weights, 0);
  return { epochsRun: epoch, trainingLoss, validationLoss: best?.loss ?? null };
}

/** Places the rows and computes their margins. */
export function answer(
  network: Network,
  kernels: Kernels,
  { inputs }: Pick<Examples, 'inputs'>,
  rows: Int32Array,
  dropping: Random | null,
): void {
  const width = inputs.stepCount * inputs.featureCount;
  rows.forEach((row, i) => {
    network.place(kernels.memory, inputs.values, row * width, i, rows.length);
  });
  network.forward(kernels, rows.length, dropping);
}

/** The last share decides, unless its rows are too few or weigh nothing. */
function splitRows(examples: Examples, settings: TrainingSettings): { learning: Int32Array; deciding: Int32Array } {
  const { rowCount } = examples.inputs;
  const { validationShare, validationGap } = settings;
  const all = Int32Array.from({ length: rowCount }, (_, row) => row);
  const count = Math.floor(validationShare * rowCount);
  const deciding = all.slice(rowCount - count);
  const learning = all.slice(0, Math.max(0, rowCount - count - validationGap));
  const heard = (rows: Int32Array) => rows.some((row) => (examples.weight?.[row] ?? 1) > 0);
  return count >= VALIDATION_ROWS_MIN && heard(deciding) && heard(learning)
    ? { learning, deciding }
    : { learning: all, deciding: all.slice(0, 0) };
}

function meanWeight({ weight }: Examples, rows: Int32Array): number {
  return weight ? rows.reduce((sum, row) => sum + weight[row]!, 0) / rows.length : 1;
}

/** Fisher and Yates, in place. */
function shuffleRows(rows: Int32Array, random: Random): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = rows[i]!;
    rows[i] = rows[j]!;
    rows[j] = kept;
  }
}

function meanLoss(network: Network, kernels: Kernels, examples: Examples, rows: Int32Array, loss: Loss): number {
  let sum = 0;
  let weights = 0;
  for (let start = 0; start < rows.length; start += network.rowCountMax) {
    const batch = rows.subarray(start, start + network.rowCountMax);
    answer(network, kernels, examples, batch, null);
    batch.forEach((row, i) => {
      const weight = examples.weight?.[row] ?? 1;
      sum += weight * loss.value(kernels.memory[network.margins + i]!, examples.target[row]!);
      weights += weight;
    });
  }
  return sum / weights;
}

function createOptimiser(network: Network, kernels: Kernels, settings: TrainingSettings, stepCount: number) {
  const { weightCount } = network;
  const tensors = network.tensors.filter(({ learns }) => learns);
  const { gradientNormMax, weightDecay } = settings;
  let taken = 0;
  let [power1, power2] = [1, 1];
  return {
    /** Moves the weights by their gradients. */
    step(): void {
      const rate = settings.learningRate * rateShare(settings, taken++, stepCount);
      power1 *= BETA_1;
      power2 *= BETA_2;
      const square = tensors.reduce((sum, { at, count }) => sum + kernels.squares(count, weightCount + at), 0);
      const norm = Math.sqrt(square);
      expect(Number.isFinite(norm), `the gradient is no number in step ${taken}: ${LOST}`);
      const scale = norm > gradientNormMax ? gradientNormMax / norm : 1;
      const move = ({ at, count, decays }: Tensor) =>
        kernels.adam(
          count,
          at,
          weightCount + at,
          2 * weightCount + at,
          3 * weightCount + at,
          scale,
          rate,
          1 / (1 - power1),
          1 / (1 - power2),
          decays ? 1 - rate * weightDecay : 1,
        );
      tensors.forEach(move);
    },
  };
}

/** Share of the full rate at step `taken` of `stepCount`. */
function rateShare({ schedule, warmupShare }: TrainingSettings, taken: number, stepCount: number): number {
  const warm = warmupShare * stepCount;
  if (taken < warm) return Math.min(1, (taken + 1) / warm);
  const way = (taken - warm) / (stepCount - warm);
  if (schedule === 'linear') return 1 - way;
  return schedule === 'cosine' ? 0.5 * (1 + cosine(Math.PI * way)) : 1;
}
