import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareInputs } from '../packages/quant/src/learn/forecaster/forecast-rows.ts';
import { LEARNERS } from '../packages/quant/src/learn/learners.ts';
import { exportOnnx } from '../packages/quant/src/learn/onnx/export-model.ts';
import { createRandom } from '../packages/quant/src/random/random.ts';
import { fitScaler } from '../packages/quant/src/series/preprocess/scaler.ts';

// Writes every learner for every goal as ONNX, bare and with its scaler inside, and has check-onnx.py look at each.
// Run: node scripts/check-onnx.ts PYTHON, where PYTHON has onnx and onnxruntime.

const ROWS = 200;
const FEATURES = 6;
const STEPS = 8;
const CLIP = 4;
const TOLERANCE = { double: 1e-11, float: 2e-5 };

const folder = mkdtempSync('/tmp/touchstone-onnx-');
try {
  for (const learner of LEARNERS) for (const goal of learner.goals) writeCases(learner, goal);
  console.log(
    execFileSync(
      process.argv[2] ?? 'python3',
      [path.join(import.meta.dirname, '../packages/quant/golden/check-onnx.py'), folder],
      {
        encoding: 'utf8',
      },
    ),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function writeCases(learner: (typeof LEARNERS)[number], goal: (typeof LEARNERS)[number]['goals'][number]): void {
  const stepCount = learner.reads === 'window' ? STEPS : 1;
  const { normal } = createRandom(3).split(`${learner.name} ${goal}`);
  const raw = Float64Array.from({ length: ROWS * stepCount * FEATURES }, () => 5 + 2 * normal());
  const lean = Array.from({ length: ROWS }, (_, row) => raw[row * stepCount * FEATURES]! - 5 + normal());
  const target = Float64Array.from(lean, (x) =>
    goal === 'binary' ? Number(x > 0) : goal === 'ranking' ? Math.max(0, Math.round(x)) : x,
  );
  const scaler = fitScaler('standard', raw, FEATURES);
  const features = Array.from({ length: FEATURES }, (_, j) => ({ name: `x${j}`, expression: '' }));
  const prepare = (values: Float64Array) =>
    prepareInputs(
      { features, stepCount, scaler, clip: CLIP },
      { rowCount: ROWS, stepCount, featureCount: FEATURES, values },
    );
  const group = goal === 'ranking' ? Int32Array.from(target, (_, row) => Math.floor(row / 10)) : null;
  const settings = 'epochs' in learner.defaults ? { ...learner.defaults, epochs: 2 } : learner.defaults;
  const model = learner.fit({ inputs: prepare(raw), target, weight: null, group }, goal, settings, 1);
  const wild = raw.map((x, k) => (k % 41 === 0 ? Number.NaN : k % 43 === 0 ? 1000 : x));
  const sizes = stepCount === 1 ? [ROWS, FEATURES] : [ROWS, stepCount, FEATURES];
  const isDouble = exportOnnx(model).element === 'double';
  for (const [kind, asked, frame] of [
    ['bare', prepare(raw).values, undefined],
    ['framed', wild, { scaler, clip: CLIP, link: 'identity' }],
  ] as const) {
    const name = path.join(folder, `${learner.name}-${goal}-${kind}`);
    const inputs = kind === 'bare' ? prepare(raw) : prepare(wild);
    writeFileSync(`${name}.onnx`, exportOnnx(model, {}, frame).bytes);
    const predictions = Array.from(model.predict(inputs));
    const told = { sizes, inputs: Array.from(asked), predictions, tolerance: TOLERANCE[isDouble ? 'double' : 'float'] };
    // NaN becomes null on the way.
    writeFileSync(`${name}.json`, JSON.stringify(told));
  }
}
