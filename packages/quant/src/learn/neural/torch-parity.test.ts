import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createRandom } from '../../random/random.ts';
import type { Examples } from '../examples.ts';
import type { Goal } from '../learner.ts';
import type { Kernels } from './kernels.ts';
import { planLstm } from './lstm-network.ts';
import type { Network } from './network.ts';
import { getSize } from './network-learner.ts';
import { chooseLoss } from './network-loss.ts';
import { createPlainKernels } from './plain-kernels.ts';
import { answer, TRAINING_DEFAULTS, trainNetwork } from './train-network.ts';
import { planTransformer } from './transformer-network.ts';
import { createKernels } from './twin-kernels.ts';

type Case = {
  name: string;
  goal: Goal;
  sizes: Record<string, number>;
  weights: Record<string, number[]>;
  inputs: number[];
  target: number[];
  margins: number[];
  gradients: Record<string, number[]>;
  training: {
    learned: number;
    held: number;
    epochs: number;
    learningRate: number;
    weightDecay: number;
    target: number[];
    lastLoss: number;
    heldLoss: number;
  };
};

const golden = join(import.meta.dirname, '../../../golden/neural.json');
const { tool, data, cases }: { tool: string; data: number[]; cases: Case[] } = JSON.parse(readFileSync(golden, 'utf8'));

function plan({ name, sizes }: Case, rowCountMax: number): Network {
  const size = (key: string) => getSize(sizes, key, 0);
  const shape = { stepCount: size('stepCount'), featureCount: size('featureCount'), layers: size('layers') };
  if (name === 'lstm') return planLstm({ ...shape, hidden: size('hidden') }, rowCountMax, 0, true);
  const rest = { width: size('width'), heads: size('heads'), feedForward: size('feedForward') };
  const choice = { preNorm: size('preNorm') ? 1 : 0, meanPooling: size('meanPooling') ? 1 : 0 } as const;
  return planTransformer({ ...shape, ...rest, ...choice }, 'learned', rowCountMax, 0, true);
}

function prepare(example: Case, network: Network, kernels: Kernels): void {
  network.prepare(kernels.memory);
  assert.deepEqual(network.tensors.map(({ name }) => name).sort(), Object.keys(example.weights).sort());
  for (const { name, at } of network.tensors) kernels.memory.set(example.weights[name]!, at);
}

function examplesOf(example: Case, values: number[], target: number[]): Examples {
  const stepCount = getSize(example.sizes, 'stepCount');
  const featureCount = getSize(example.sizes, 'featureCount');
  const inputs = { rowCount: target.length, stepCount, featureCount, values: Float64Array.from(values) };
  return { inputs, target: Float64Array.from(target), weight: null, group: null };
}

for (const example of cases)
  describe(`${example.name} (${example.goal}) beside ${tool}`, () => {
    const rows = Int32Array.from(example.target, (_, row) => row);
    for (const [sort, tolerance] of [
      ['plain float64', 1e-9],
      ['float32', 1e-5],
    ] as const)
      test(`the ${sort} kernels give its outputs and gradients to ${tolerance}`, () => {
        const network = plan(example, rows.length);
        const kernels =
          sort === 'float32' ? createKernels(network.count) : createPlainKernels(network.count, 'float64');
        const { memory } = kernels;
        prepare(example, network, kernels);
        answer(network, kernels, examplesOf(example, example.inputs, example.target), rows, null);
        const loss = chooseLoss(example.goal, TRAINING_DEFAULTS);
        for (const row of rows) {
          const margin = memory[network.margins + row]!;
          assert.ok(Math.abs(margin - example.margins[row]!) <= tolerance, `margin ${margin}`);
          memory[network.dMargins + row] = loss.slope(margin, example.target[row]!) / rows.length;
        }
        network.backward(kernels, rows.length);
        for (const { name, at } of network.tensors)
          for (const [k, wanted] of example.gradients[name]!.entries()) {
            const found = memory[network.weightCount + at + k]!;
            assert.ok(Math.abs(found - wanted) <= tolerance, `${name} ${k}: ${found} is not ${wanted}`);
          }
      });

    test('training from the same weights ends within one per cent of its losses', () => {
      const { learned, held, epochs, learningRate, weightDecay, target, lastLoss, heldLoss } = example.training;
      const network = plan(example, learned);
      const kernels = createKernels(network.count);
      prepare(example, network, kernels);
      const width = data.length / (learned + held);
      const settings = {
        ...TRAINING_DEFAULTS,
        ...{ epochs, learningRate, weightDecay, batchSize: learned, dropout: 0, validationShare: 0 },
      };
      const loss = chooseLoss(example.goal, settings);
      const first = examplesOf(example, data.slice(0, learned * width), target.slice(0, learned));
      const outcome = trainNetwork(network, kernels, first, loss, settings, createRandom(1));
      assert.ok(Math.abs(outcome.trainingLoss / lastLoss - 1) <= 0.01, `${outcome.trainingLoss} is not ${lastLoss}`);
      const rest = examplesOf(example, data.slice(learned * width), target.slice(learned));
      answer(
        network,
        kernels,
        rest,
        Int32Array.from({ length: held }, (_, row) => row),
        null,
      );
      let sum = 0;
      for (let row = 0; row < held; row++) sum += loss.value(kernels.memory[network.margins + row]!, rest.target[row]!);
      assert.ok(Math.abs(sum / held / heldLoss - 1) <= 0.01, `${sum / held} is not ${heldLoss}`);
    });
  });
