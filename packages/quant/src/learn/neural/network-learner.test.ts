import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../random/random.ts';
import { type Examples, takeInputs } from '../examples.ts';
import type { Goal, NetworkBody } from '../learner.ts';
import { lstm } from './lstm.ts';
import { planLstm } from './lstm-network.ts';
import { startWeights } from './network.ts';
import { chooseLoss } from './network-loss.ts';
import { createPlainKernels } from './plain-kernels.ts';
import { TRAINING_DEFAULTS, trainNetwork } from './train-network.ts';
import { transformer } from './transformer.ts';
import { createTwinKernels } from './twin-kernels.ts';

const ROWS = 600;
const STEPS = 7;
const FEATURES = 2;
const QUICK = { epochs: 30, batchSize: 16, learningRate: 0.01, dropout: 0, validationShare: 0 };
const SMALL_LSTM = { ...lstm.defaults, ...QUICK, hidden: 9 };
const SMALL_TRANSFORMER = { ...transformer.defaults, ...QUICK, width: 10, feedForward: 13, layers: 1 };

/** The target is the sum of the first feature over the first three days: the last day says nothing of it. */
function sequenceExamples(goal: Goal, draw: number, noise = 0): Examples {
  const random = createRandom(`sequence ${draw}`);
  const values = Float64Array.from({ length: ROWS * STEPS * FEATURES }, () => 2 * random.uniform() - 1);
  const target = Float64Array.from({ length: ROWS }, (_, row) => {
    let sum = 0;
    for (let day = 0; day < 3; day++) sum += values[(row * STEPS + day) * FEATURES]!;
    const score = sum + noise * random.normal();
    return goal === 'binary' ? Number(score > 0) : score;
  });
  return {
    inputs: { rowCount: ROWS, stepCount: STEPS, featureCount: FEATURES, values },
    target,
    weight: null,
    group: null,
  };
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

for (const { learner, fit } of [
  {
    learner: lstm,
    fit: (e: Examples, goal: Goal, seed = 1, more = {}) => lstm.fit(e, goal, { ...SMALL_LSTM, ...more }, seed),
  },
  {
    learner: transformer,
    fit: (e: Examples, goal: Goal, seed = 1, more = {}) =>
      transformer.fit(e, goal, { ...SMALL_TRANSFORMER, ...more }, seed),
  },
])
  describe(learner.name, () => {
    const examples = sequenceExamples('regression', 1);
    const fresh = sequenceExamples('regression', 2);
    const model = fit(examples, 'regression');

    test('learns a rule of days that lie behind the last', () => {
      const told = model.predict(fresh.inputs);
      const square = mean(told.map((value, row) => (value - fresh.target[row]!) ** 2));
      const variance = mean(fresh.target.map((y) => y * y));
      assert.ok(square < 0.1 * variance, `squared error ${square} of a variance of ${variance}`);
    });

    test('tells the probability of a sign, and its log loss is far below that of a coin', () => {
      const binary = sequenceExamples('binary', 2);
      const told = fit(sequenceExamples('binary', 1), 'binary').predict(binary.inputs);
      const loss = mean(told.map((p, row) => -Math.log(binary.target[row] === 1 ? p : 1 - p)));
      assert.ok(loss < 0.35, `log loss ${loss}`);
      assert.ok(told.every((p) => p > 0 && p < 1));
    });

    test('a quantile lies above its share of the targets', () => {
      const noisy = sequenceExamples('quantile', 3, 1);
      const told = fit(noisy, 'quantile', 1, { quantile: 0.8, epochs: 12, schedule: 'cosine' }).predict(noisy.inputs);
      const share = mean(told.map((value, row) => Number(noisy.target[row]! <= value)));
      assert.ok(Math.abs(share - 0.8) < 0.06, `${share} lie below`);
    });

    test('the unit of the target does not matter', () => {
      const scaled = { ...examples, target: examples.target.map((y) => 1e-4 * y + 3) };
      const told = fit(scaled, 'regression', 1, { epochs: 3 }).predict(fresh.inputs);
      const plain = fit(examples, 'regression', 1, { epochs: 3 }).predict(fresh.inputs);
      for (const [row, value] of told.entries()) assert.ok(Math.abs((value - 3) * 1e4 - plain[row]!) < 0.02);
    });

    test('the same seed gives the same bytes, dropout included, and another seed others', () => {
      const bytes = (seed: number) => fit(examples, 'regression', seed, { epochs: 2, dropout: 0.2 }).save();
      assert.deepEqual(bytes(7), bytes(7));
      assert.notDeepEqual(bytes(7), bytes(8));
    });

    test('a row is answered alike alone, in any company and order, and after saving and loading', () => {
      const whole = model.predict(fresh.inputs);
      const loaded = learner.load(model.save());
      fc.assert(
        fc.property(fc.array(fc.nat(ROWS - 1), { minLength: 1, maxLength: 40 }), (picked) => {
          const rows = Int32Array.from(picked);
          const wanted = Float64Array.from(rows, (row) => whole[row]!);
          assert.deepEqual(model.predict(takeInputs(fresh.inputs, rows)), wanted);
          assert.deepEqual(loaded.predict(takeInputs(fresh.inputs, rows)), wanted);
        }),
        { numRuns: 20 },
      );
    });

    test('a missing value is refused by row, day and feature when fitting, and leaves one answer out', () => {
      const values = examples.inputs.values.slice();
      values[(4 * STEPS + 2) * FEATURES + 1] = Number.NaN;
      const holed = { ...examples, inputs: { ...examples.inputs, values } };
      assert.throws(() => fit(holed, 'regression'), /row 4, day 2, feature 1/);
      const told = model.predict(holed.inputs);
      assert.deepEqual(
        [...told.keys()].filter((row) => Number.isNaN(told[row])),
        [4],
      );
    });

    test('its last rows decide when to stop, and the best weights are kept', () => {
      const told: number[] = [];
      const noise = { ...examples, target: examples.target.map((_, row) => Math.sin(row * row)) };
      const settings = { ...(learner === lstm ? SMALL_LSTM : SMALL_TRANSFORMER), validationShare: 0.2, patience: 2 };
      const stopped =
        learner === lstm
          ? lstm.fit(noise, 'regression', { ...SMALL_LSTM, ...settings }, 1, (done) => told.push(done))
          : transformer.fit(noise, 'regression', { ...SMALL_TRANSFORMER, ...settings }, 1, (done) => told.push(done));
      assert.ok(told.length >= 3 && told.length < 30, `${told.length} epochs`);
      const best = fit(noise, 'regression', 1, { ...settings, epochs: told.length - 2 });
      assert.deepEqual(stopped.save(), best.save());
    });

    test('settings out of their range are refused by name', () => {
      const wrong: [object, RegExp][] = [
        [{ epochs: 0 }, /epochs/],
        [{ batchSize: 1.5 }, /batchSize/],
        [{ learningRate: 0 }, /learningRate/],
        [{ dropout: 1 }, /dropout/],
        [{ validationShare: 0.9 }, /validationShare/],
        [{ warmupShare: 1 }, /warmupShare/],
        [{ gradientNormMax: 0 }, /gradientNormMax/],
        [{ layers: 0 }, /layers/],
        [{ schedule: 'steps' }, /schedule/],
        [{ loss: 'absolute' }, /loss/],
        [{ loss: 'huber', huberDelta: 0 }, /huberDelta/],
      ];
      for (const [change, message] of wrong)
        assert.throws(() => fit(examples, 'regression', 1, change), { name: 'RangeError', message });
      assert.throws(() => fit(examples, 'quantile', 1, { quantile: 1 }), /quantile/);
      assert.throws(() => fit(examples, 'ranking'), /ranking/);
    });

    test('an artefact of other weights or sizes is refused', () => {
      const other = learner === lstm ? transformer : lstm;
      assert.throws(() => other.load(model.save()), /wanted was/);
    });
  });

test('a transformer knows where its days are, by learned or by sinusoidal positions', () => {
  const settings = { ...SMALL_TRANSFORMER, layers: 1, epochs: 20 };
  const fresh = sequenceExamples('regression', 2);
  for (const positions of ['learned', 'sinusoidal'] as const)
    for (const norm of ['before', 'after'] as const) {
      const fitted = transformer.fit(
        sequenceExamples('regression', 1),
        'regression',
        { ...settings, positions, norm },
        2,
      );
      const told = fitted.predict(fresh.inputs);
      const square = mean(told.map((value, row) => (value - fresh.target[row]!) ** 2));
      assert.ok(square < 0.3, `${positions}, norm ${norm}: ${square}`);
      const { body } = fitted;
      assert.ok(body.kind === 'network');
      if (positions === 'sinusoidal') checkWaves(body.network);
    }
});

function checkWaves({ tensors, sizes }: NetworkBody): void {
  const width = sizes.width!;
  const { values, shape } = tensors.positions!;
  assert.deepEqual(shape, [STEPS, width]);
  for (let t = 0; t < STEPS; t++)
    for (let j = 0; j < width; j++) {
      const angle = t / 10_000 ** ((j - (j % 2)) / width);
      assert.ok(Math.abs(values[t * width + j]! - (j % 2 ? Math.cos(angle) : Math.sin(angle))) < 1e-6);
    }
}

test('training in plain TypeScript and in WebAssembly ends in the same bytes', () => {
  const examples = sequenceExamples('regression', 1);
  const settings = {
    ...TRAINING_DEFAULTS,
    epochs: 2,
    validationShare: 0.2,
    schedule: 'cosine',
    warmupShare: 0.1,
  } as const;
  const [plain, twin] = [true, false].map((isPlain) => {
    const network = planLstm({ stepCount: STEPS, featureCount: FEATURES, hidden: 7, layers: 2 }, 64, 0.1, true);
    const kernels = isPlain ? createPlainKernels(network.count, 'float32') : createTwinKernels(network.count)!;
    startWeights(network, kernels.memory, createRandom(3));
    const loss = chooseLoss('regression', settings);
    const outcome = trainNetwork(network, kernels, examples, loss, settings, createRandom(4));
    return { outcome, weights: kernels.memory.slice(0, network.weightCount) };
  });
  assert.deepEqual(twin, plain);
});

test('a model has the bytes it had on the machine that wrote this test', () => {
  const examples = sequenceExamples('binary', 1);
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const more = { epochs: 2, dropout: 0.1, validationShare: 0.2, schedule: 'cosine' } as const;
  assert.deepEqual(
    [
      hash(lstm.fit(examples, 'binary', { ...SMALL_LSTM, ...more, layers: 2 }, 5).save()),
      hash(transformer.fit(examples, 'binary', { ...SMALL_TRANSFORMER, ...more, positions: 'sinusoidal' }, 5).save()),
    ],
    ['47a099287dcd5a79', '95677d2317ce9a84'],
  );
});

test('a loss that is no number any more is named instead of giving a model of NaN', () => {
  const examples = sequenceExamples('regression', 1);
  const network = planLstm({ stepCount: STEPS, featureCount: FEATURES, hidden: 3, layers: 1 }, 64, 0, true);
  const kernels = createTwinKernels(network.count)!;
  const far = { ...examples, target: examples.target.map((y) => y * 1e39) };
  const train = () =>
    trainNetwork(
      network,
      kernels,
      far,
      chooseLoss('regression', TRAINING_DEFAULTS),
      TRAINING_DEFAULTS,
      createRandom(1),
    );
  assert.throws(train, /take a smaller learningRate/);
});

test('inputs beyond float32 count as missing', () => {
  const examples = sequenceExamples('regression', 1);
  const values = examples.inputs.values.slice();
  values[1] = 1e39;
  const far = { ...examples, inputs: { ...examples.inputs, values } };
  assert.throws(() => lstm.fit(far, 'regression', SMALL_LSTM, 1), /row 0, day 0, feature 1 was 1e\+39/);
  const told = lstm.fit(examples, 'regression', { ...SMALL_LSTM, epochs: 1 }, 1).predict(far.inputs);
  assert.ok(Number.isNaN(told[0]) && Number.isFinite(told[1]));
});

test('Huber hears one wild target less than the square does', () => {
  const examples = sequenceExamples('regression', 1);
  const target = examples.target.map((y, row) => (row % 50 === 0 ? 40 : y));
  const error = (loss: 'squared' | 'huber') => {
    const settings = { ...SMALL_LSTM, epochs: 15, loss, huberDelta: 0.1 };
    const told = lstm.fit({ ...examples, target }, 'regression', settings, 1).predict(examples.inputs);
    return mean(told.map((value, row) => (value - examples.target[row]!) ** 2));
  };
  assert.ok(error('huber') < 0.5 * error('squared'));
});

test('losses have the slopes of their values', () => {
  const settings = { ...TRAINING_DEFAULTS, quantile: 0.3, huberDelta: 0.7 };
  const losses = [
    chooseLoss('binary', settings),
    chooseLoss('regression', settings),
    chooseLoss('regression', { ...settings, loss: 'huber' }),
    chooseLoss('quantile', settings),
  ];
  for (const { value, slope } of losses)
    for (const y of [0, 1])
      for (const z of [-3.1, -0.4, 0.2, 0.6, 5.3]) {
        const numeric = (value(z + 1e-5, y) - value(z - 1e-5, y)) / 2e-5;
        assert.ok(Math.abs(numeric - slope(z, y)) < 1e-8, `${z}, ${y}`);
      }
});
