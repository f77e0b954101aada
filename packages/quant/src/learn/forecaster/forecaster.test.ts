import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../random/random.ts';
import { fitScaler } from '../../series/preprocess/scaler.ts';
import type { Inputs } from '../examples.ts';
import { findLearner } from '../learners.ts';
import { forecastRows } from './forecast-rows.ts';
import type { Forecaster } from './forecaster.ts';
import { loadForecaster, saveForecaster } from './save-forecaster.ts';

const random = createRandom(5);
const ROWS = 400;
const WIDTH = 4;
const inputs: Inputs = {
  rowCount: ROWS,
  stepCount: 1,
  featureCount: WIDTH,
  values: Float64Array.from({ length: ROWS * WIDTH }, () => 3 + 2 * random.normal()),
};
const target = Float64Array.from(
  { length: ROWS },
  (_, row) => Math.log(0.2) + 0.1 * inputs.values[row * WIDTH]! + 0.05 * random.normal(),
);

function made(change: Partial<Forecaster> = {}): Forecaster {
  const scaler = fitScaler('standard', inputs.values, WIDTH);
  const ridge = findLearner('ridge')!;
  const model = (penalty: number) =>
    ridge.fit(
      { inputs: { ...inputs, values: scaled(scaler.columns) }, target, weight: null, group: null },
      'regression',
      { penalty },
      1,
    );
  return {
    ...{ target: 'forward_volatility', horizonDays: 5, goal: 'regression', link: 'exp', stepCount: 1 },
    features: Array.from({ length: WIDTH }, (_, j) => ({ name: `x${j}`, expression: `lag(close, ${j})` })),
    ...{ scaler, clip: 5, missingShareMax: 0.3 },
    members: [
      { name: 'loose', weight: 0.25, model: model(1) },
      { name: 'tight', weight: 0.75, model: model(100) },
    ],
    calibration: { kind: 'shift', add: 0.01 },
    interval: {
      ...{ kind: 'residual', level: 0.9, scaleFeature: -1, isLogScale: false, scaleLeast: 0 },
      scores: Float64Array.from({ length: 101 }, (_, k) => (k - 50) / 500),
    },
    abstention: { center: 0.3, distances: Float64Array.from({ length: 100 }, (_, k) => k / 1000), share: 0.25 },
    baseline: { name: 'half', kind: 'feature', feature: 1, slope: 0.5, intercept: 0, link: 'identity' },
    trainedUntil: 20_000,
    ...change,
  } as Forecaster;
}

function scaled(columns: Forecaster['scaler']['columns']): Float64Array {
  return inputs.values.map((x, cell) => {
    const column = columns[cell % WIDTH]!;
    return column.kind === 'linear' ? (x - column.center) / column.scale : 0;
  });
}

test('a forecaster that was saved and loaded answers the same bits, and is written the same again', () => {
  for (const change of [
    {},
    { calibration: { kind: 'none' }, interval: null, abstention: null },
    { calibration: { kind: 'steps', x: Float64Array.of(-3, 0), y: Float64Array.of(-2, -1) } },
    { baseline: { name: 'a fifth', kind: 'constant', value: 0.2 } },
  ] as Partial<Forecaster>[]) {
    const forecaster = made(change);
    const bytes = saveForecaster(forecaster);
    const loaded = loadForecaster(bytes);
    assert.deepEqual(forecastRows(loaded, inputs), forecastRows(forecaster, inputs));
    assert.deepEqual(saveForecaster(loaded), bytes);
  }
});

test('a value is the weighted mean of its members, calibrated, without the logarithm, inside its interval', () => {
  const [row] = forecastRows(made(), { ...inputs, rowCount: 1, values: inputs.values.slice(0, WIDTH) });
  const [loose, tight] = row!.members.map(({ value }) => Math.log(value!));
  assert.ok(Math.abs(Math.log(row!.value!) - (0.25 * loose! + 0.75 * tight! + 0.01)) < 1e-12);
  assert.ok(row!.lower! < row!.value! && row!.value! < row!.upper!);
  assert.ok(Math.abs(Math.log(row!.upper! / row!.lower!) - 0.18) < 1e-12);
  assert.equal(row!.baseline, 0.5 * inputs.values[1]!);
  const [wider] = forecastRows(
    made(),
    { ...inputs, rowCount: 1, values: inputs.values.slice(0, WIDTH) },
    { level: 0.98 },
  );
  assert.ok(wider!.upper! > row!.upper!);
});

test('a row answers for itself: others beside it change nothing', () => {
  const all = forecastRows(made(), inputs);
  for (const row of [0, 17, 399]) {
    const values = inputs.values.slice(row * WIDTH, (row + 1) * WIDTH);
    assert.deepEqual(forecastRows(made(), { ...inputs, rowCount: 1, values }), [all[row]]);
  }
});

test('few missing features count as their mean, more than that and it abstains by name', () => {
  const one = { ...inputs, rowCount: 1, values: Float64Array.of(3, Number.NaN, 3, 3) };
  const [told] = forecastRows(made(), one);
  assert.equal(told!.abstained?.code === 'features_missing', false);
  assert.ok(told!.value !== null && told!.baseline === null);
  const two = { ...one, values: Float64Array.of(3, Number.NaN, Number.NaN, 3) };
  const [silent] = forecastRows(made(), two);
  assert.equal(silent!.value, null);
  assert.deepEqual(silent!.abstained, {
    code: 'features_missing',
    sentence: '2 of 4 features are missing, the first is x1.',
  });
});

test('an undecided forecast says so and keeps its value', () => {
  const rows = forecastRows(made(), inputs);
  const unsure = rows.filter(({ abstained }) => abstained?.code === 'unsure');
  assert.ok(unsure.length > 0 && unsure.length < rows.length);
  for (const { value, confidence } of unsure) assert.ok(Math.abs(value! - 0.3) <= 0.025 + 1e-12 && confidence! < 0.25);
});

test('a frequency interval holds the probability and comes from its band', () => {
  const binary = made({
    ...{ goal: 'binary', link: 'identity', calibration: { kind: 'none' }, abstention: null },
    interval: {
      ...{ kind: 'frequency', level: 0.9, edges: Float64Array.of(-1, 5) },
      ...{ low: Float64Array.of(0.1, -9, 0.6), high: Float64Array.of(0.3, 9, 0.9) },
    },
  });
  for (const { value, lower, upper } of forecastRows(binary, inputs))
    assert.ok(lower! <= value! && value! <= upper! && upper! - lower! >= 0.2);
});

test('broken forecasters and bytes are refused by name', () => {
  const bytes = saveForecaster(made());
  assert.throws(() => loadForecaster(bytes.slice(0, -8)), /damaged|checksum/);
  assert.throws(() => loadForecaster(bytes, () => undefined), /holds a ridge, which this version does not know/);
  assert.throws(
    () => saveForecaster(made({ members: made().members.map((member) => ({ ...member, weight: 0.2 })) })),
    /add up to 1/,
  );
  assert.throws(
    () => forecastRows(made(), { ...inputs, stepCount: 2, rowCount: ROWS / 2 }),
    /must have 1 days of 4 features/,
  );
});
