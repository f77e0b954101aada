import type { Examples } from '../src/learn/examples.ts';
import type { Learner } from '../src/learn/learner.ts';
import type { TrainingSettings } from '../src/learn/neural/train-network.ts';
import { createRandom } from '../src/random/random.ts';
import type { BenchResult } from './index-kernel.ts';
import { runPeer } from './run-peer.ts';

const ROWS = 1024;
const EPOCHS = 9;
const STEPS = 60;
const FEATURES = 20;
const PREDICTIONS = 400;
const ANSWER_MS_MAX = 1.5;

/** Learning from windows of 60 days × 20 features in batches of 64, and answering one window, on one thread. */
export function benchNetwork<Settings extends TrainingSettings>(
  learner: Learner<Settings>,
  sizes: string,
  goalRatio: number,
): BenchResult[] {
  const settings = {
    ...learner.defaults,
    epochs: EPOCHS,
    batchSize: 64,
    dropout: 0,
    weightDecay: 0,
    validationShare: 0,
  };
  const examples = drawExamples();
  const times: number[] = [];
  let last = performance.now();
  const model = learner.fit(examples, 'regression', settings, 1, () => {
    const now = performance.now();
    times.push(now - last);
    last = now;
  });
  const figure = (1000 * ROWS) / median(times);
  const peer = runPeer<{ name: string; samplesPerSecond: number }>(
    'neural-peer.py',
    [learner.name, ROWS, EPOCHS],
    'system',
  );
  const ratio = peer ? figure / peer.samplesPerSecond : null;
  const window = { ...examples.inputs, rowCount: 1, values: examples.inputs.values.slice(0, STEPS * FEATURES) };
  const shape = `${STEPS} days x ${FEATURES} features, ${sizes}`;
  return [
    {
      name: `${learner.name}-train`,
      figure,
      unit: 'samples/s',
      peer: peer?.name ?? 'missing: needs Debian python3-torch and libopenblas0',
      peerFigure: peer?.samplesPerSecond ?? null,
      ratio,
      goal: `>= ${goalRatio}x the peer`,
      met: ratio !== null && ratio >= goalRatio,
      input: `${shape}, batches of 64, median of ${EPOCHS} epochs of ${ROWS} rows, one thread`,
    },
    describeAnswer(`${learner.name}-predict`, `one window, ${shape}`, () => model.predict(window)),
  ];
}

/** Median time of one answer, once the engine has compiled it. */
export function describeAnswer(name: string, input: string, answer: () => void): BenchResult {
  const times = Array.from({ length: PREDICTIONS }, () => {
    const start = performance.now();
    answer();
    return performance.now() - start;
  });
  const figure = median(times.slice(PREDICTIONS / 2));
  const goal = `<= ${ANSWER_MS_MAX} ms`;
  const met = figure <= ANSWER_MS_MAX;
  return { name, figure, unit: 'ms', peer: null, peerFigure: null, ratio: null, goal, met, input };
}

/** A target of the last days, so that there is something to learn. */
function drawExamples(): Examples {
  const { normal } = createRandom('neural');
  const values = Float64Array.from({ length: ROWS * STEPS * FEATURES }, normal);
  const target = Float64Array.from({ length: ROWS }, (_, row) => {
    let sum = 0;
    for (let day = STEPS - 10; day < STEPS; day++) sum += values[(row * STEPS + day) * FEATURES]!;
    return 0.3 * sum;
  });
  const inputs = { rowCount: ROWS, stepCount: STEPS, featureCount: FEATURES, values };
  return { inputs, target, weight: null, group: null };
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}
