import type { ForeignManifest, OnnxFile } from '@touchstone/contracts/foreign';
import type { Evaluation } from '@touchstone/quant/evaluation/forecast-training/assemble-forecasters';
import { type FrozenRows, frozenRows, judgeFrozen } from '@touchstone/quant/evaluation/forecast-training/judge-frozen';
import {
  loadTable,
  MISSING_SHARE_MAX,
  type TrainingTable,
  windowsOf,
} from '@touchstone/quant/evaluation/forecast-training/training-table';
import { type Target, targetNamed } from '@touchstone/quant/evaluation/targets/targets';
import type { Inputs } from '@touchstone/quant/learn/examples';
import { prepareInputs } from '@touchstone/quant/learn/forecaster/forecast-rows';
import type { ForecastBaseline, Forecaster } from '@touchstone/quant/learn/forecaster/forecaster';
import { saveForecaster } from '@touchstone/quant/learn/forecaster/save-forecaster';
import {
  createForeignModel,
  FOREIGN_LEARNER,
  type ForeignBody,
  foreignAnswers,
  foreignQuestion,
} from '@touchstone/quant/learn/foreign/foreign-model';
import { readOnnx } from '@touchstone/quant/learn/onnx/read-onnx';
import { createRandom } from '@touchstone/quant/random/random';
import { dayNumber } from '@touchstone/quant/series/day';
import type { FittedScaler, ScalerColumn } from '@touchstone/quant/series/preprocess/scaler';
import { quantile } from '@touchstone/quant/stats/quantile';
import { type OnnxModel, OnnxRefused, type OnnxValue, openOnnx } from '../../platform/onnx/onnx-runtime.ts';

/** Why a file is not taken: a rule with a name, and what broke it. */
export type Refusal = { status: 'refused'; rule: string; sentence: string };
export type Opened = { status: 'ok'; file: Omit<OnnxFile, 'fileSha256' | 'byteCount'> };

/** They answer otherwise each time: a forecast could not be made again. */
const DRAWING = /^(Random|Multinomial|Bernoulli)/;
/** It may run for ever. */
const ENDLESS = 'Loop';
const PROBE_ROWS = 16;
/** Sums of floats in another order. */
const TOLERANCE = 1e-5;
/** One row on the thread that serves. */
const ROW_MILLISECONDS_MAX = 50;
/** Rows told at a time. */
const BATCH = 4_096;
/** Nothing is pulled in: what a foreign model does with values it never saw is its own affair. */
const NO_CLIP = Number.MAX_VALUE;
const TRAIN_ROWS_LEAST = 100;

class Refused extends Error {
  readonly rule: string;
  constructor(rule: string, sentence: string) {
    super(sentence);
    this.rule = rule;
  }
}

/**
 * Opens a file and says what is in it.
 *
 * @public Called by its name from another thread.
 */
export async function examineFile({ onnx }: { onnx: Uint8Array }): Promise<Opened | Refusal> {
  return refusing(async () => {
    const { producer, operators } = readSafely(onnx);
    const model = await openOnnx(onnx);
    const { inputs, outputs } = model;
    await model.close();
    const shown = (values: readonly OnnxValue[]) => values.map((value) => ({ ...value, sizes: [...value.sizes] }));
    return { status: 'ok', file: { producer, operators, inputs: shown(inputs), outputs: shown(outputs) } };
  });
}

export type ExamineJob = {
  onnx: Uint8Array;
  manifest: ForeignManifest;
  /** Positions of its features among those of the target. */
  columns: readonly number[];
  tableBytes: Uint8Array;
  trialCount: number;
};
export type Examined = {
  status: 'ok';
  /** A forecaster around it. */
  artefact: Uint8Array;
  featureCount: number;
  evaluation: Evaluation | null;
  rowMilliseconds: number;
};

/**
 * Asks a model in every way it will be asked, and judges it on the days after it was trained.
 *
 * @public Called by its name from another thread.
 */
export async function examineModel(job: ExamineJob): Promise<Examined | Refusal> {
  return refusing(async () => {
    const { onnx, manifest, tableBytes, trialCount } = job;
    const { seed } = manifest;
    readSafely(onnx);
    const table = loadTable(tableBytes);
    const target = targetNamed(table.target);
    const rows = frozenRows(table, dayNumber(manifest.trainedUntil));
    if (rows.train.length < TRAIN_ROWS_LEAST)
      throw new Refused(
        'too_early',
        `The dataset holds ${rows.train.length} rows known by ${manifest.trainedUntil}; its baselines need ${TRAIN_ROWS_LEAST}.`,
      );
    const model = await openOnnx(onnx);
    try {
      const prior = judgeFrozen(table, { ...rows, judged: new Int32Array(0) }, new Float64Array(0), {
        trialCount,
        seed,
      });
      const frame = frameOf(job, target, table, rows, prior);
      const body = bodyOf(job, target, frame, model);
      const probed = await probe(model, body, frame, table, rows, target);
      const known: ForeignBody = { ...body, outputWidth: probed.outputWidth };
      const forecast = await tell(model, known, frame, table, rows.judged, target);
      const { evaluation, interval } = judgeFrozen(table, rows, forecast, { trialCount, seed });
      const { goal } = target;
      const featureCount = frame.columns.length;
      const forecaster: Forecaster = {
        ...{ target: target.name, horizonDays: target.horizonDays, goal, link: target.link },
        features: frame.columns.map((column) => target.features[column]!),
        ...{ stepCount: manifest.stepCount, scaler: frame.scaler, clip: NO_CLIP, missingShareMax: MISSING_SHARE_MAX },
        members: [
          {
            ...{ name: FOREIGN_LEARNER, weight: 1 },
            model: createForeignModel(known, { goal, stepCount: manifest.stepCount, featureCount }),
          },
        ],
        ...{ calibration: { kind: 'none' }, interval, abstention: null, baseline: frame.baseline },
        trainedUntil: dayNumber(manifest.trainedUntil),
      };
      const { rowMilliseconds } = probed;
      return { status: 'ok', artefact: saveForecaster(forecaster), featureCount, evaluation, rowMilliseconds };
    } finally {
      await model.close();
    }
  });
}

async function refusing<T>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return { status: 'refused', rule: error.rule, sentence: error.message };
    if (error instanceof OnnxRefused)
      return {
        ...{ status: 'refused', sentence: error.message },
        rule: error.operator === null ? 'cannot_be_opened' : 'unknown_operator',
      };
    throw error;
  }
}

function readSafely(onnx: Uint8Array) {
  try {
    const told = readOnnx(onnx);
    if (told.hasExternalData) throw new Refused('other_files', 'Its weights lie in other files. Save it as one file.');
    const drawing = told.operators.find((operator) => DRAWING.test(operator));
    if (drawing !== undefined)
      throw new Refused('draws', `It draws random numbers (${drawing}): what it said could not be computed again.`);
    if (told.operators.includes(ENDLESS))
      throw new Refused('endless', `It uses the operator ${ENDLESS}, which may run for ever. Unroll it.`);
    return told;
  } catch (error) {
    if (error instanceof RangeError) throw new Refused('damaged', `This is no ONNX file: ${error.message}.`);
    throw error;
  }
}

/** The features a forecaster around a foreign model holds: its own first, then the one its baseline needs. */
type Frame = {
  columns: readonly number[];
  usedCount: number;
  stepCount: number;
  scaler: FittedScaler;
  baseline: ForecastBaseline;
};

function frameOf(
  { columns: used, manifest: { stepCount } }: ExamineJob,
  { features }: Target,
  table: TrainingTable,
  { train }: FrozenRows,
  { scaler, baseline }: { scaler: FittedScaler; baseline: ForecastBaseline },
): Frame {
  const needed = baseline.kind === 'feature' ? [baseline.feature] : [];
  const columns = [...used, ...needed.filter((column) => !used.includes(column))];
  const linear = (column: number): ScalerColumn => {
    const own = scaler.columns[column]!;
    if (own.kind === 'linear') return own;
    // A feature that never moved stays what it was.
    const row = train.find((candidate) => Number.isFinite(table.values[candidate * features.length + column]!));
    const center = row === undefined ? 0 : table.values[row * features.length + column]!;
    return { kind: 'linear', center, scale: 1 };
  };
  return {
    ...{ columns, usedCount: used.length, stepCount },
    scaler: { ...scaler, columns: columns.map(linear) },
    baseline: baseline.kind === 'feature' ? { ...baseline, feature: columns.indexOf(baseline.feature) } : baseline,
  };
}

function bodyOf({ onnx, manifest }: ExamineJob, target: Target, frame: Frame, model: OnnxModel): ForeignBody {
  const { input, output, outputColumn, stepCount } = manifest;
  const names = (values: readonly OnnxValue[]) => values.map(({ name }) => name).join(', ');
  const [only] = model.inputs;
  if (model.inputs.length !== 1 || only?.name !== input)
    throw new Refused('wrong_input', `It must have the one input ${input}, has ${names(model.inputs)}.`);
  const { element, sizes } = only;
  if (element !== 'float32' && element !== 'float64')
    throw new Refused('wrong_input', `${input} must take float32 or float64, takes ${element}.`);
  const { usedCount } = frame;
  const [rowSize, ...rest] = sizes;
  const layout = rest.length === 2 ? 'window' : stepCount === 1 ? 'table' : 'flat';
  const wanted = layout === 'window' ? [stepCount, usedCount] : [stepCount * usedCount];
  const fits = rest.length === wanted.length && rest.every((size, k) => isOpen(size) || size === wanted[k]);
  if (rowSize === undefined || !isOpen(rowSize) || !fits)
    throw new Refused(
      'wrong_sizes',
      `${input} must take rows × ${wanted.join(' × ')}, with the rows open; takes ${sizes.join(' × ') || 'nothing'}.`,
    );
  const told = model.outputs.find(({ name }) => name === output);
  if (told === undefined) throw new Refused('wrong_output', `It gives ${names(model.outputs)}, and no ${output}.`);
  if (told.element !== 'float32' && told.element !== 'float64')
    throw new Refused('no_numbers', `${output} gives ${told.element}; float32 or float64 is wanted.`);
  const scales = frame.scaler.columns.slice(0, usedCount);
  return {
    ...{
      onnx,
      input,
      element,
      layout,
      output,
      outputColumn,
      outputWidth: outputColumn + 1,
      link: target.link,
      usedCount,
    },
    center: Float64Array.from(scales, (column) => (column.kind === 'linear' ? column.center : 0)),
    scale: Float64Array.from(scales, (column) => (column.kind === 'linear' ? column.scale : 1)),
  };
}

function isOpen(size: number | string): boolean {
  return typeof size === 'string' || size < 0;
}

/** Zeros, drawn rows and rows as they were: finite answers, the same each time, and of each row for itself. */
async function probe(
  model: OnnxModel,
  body: ForeignBody,
  frame: Frame,
  table: TrainingTable,
  { train }: FrozenRows,
  target: Target,
): Promise<{ outputWidth: number; rowMilliseconds: number }> {
  const { stepCount, columns, scaler } = frame;
  const width = stepCount * columns.length;
  const { normal } = createRandom(1).split('probe');
  const zeros = Float64Array.from({ length: width }, (_, k) => -centerOf(scaler.columns[k % columns.length]!));
  const drawn = Float64Array.from({ length: (PROBE_ROWS / 2 - 1) * width }, () => normal());
  const real = inputsOf(frame, table, train.slice(-PROBE_ROWS / 2), target).values;
  const values = Float64Array.from([...zeros, ...drawn, ...real]);
  const rowCount = values.length / width;
  const all: Inputs = { rowCount, stepCount, featureCount: columns.length, values };
  const { told, outputWidth } = await ask(model, body, all);
  const kindOf = (row: number) =>
    row === 0 ? 'zeros' : row < PROBE_ROWS / 2 ? 'drawn numbers' : 'a row of the dataset';
  for (let row = 0; row < rowCount; row++) {
    const value = told[row * outputWidth + body.outputColumn]!;
    if (!Number.isFinite(value)) throw new Refused('not_finite', `It answers ${value} to ${kindOf(row)}.`);
    if (target.goal === 'binary' && (value < 0 || value > 1))
      throw new Refused('no_probability', `It answers ${value} to ${kindOf(row)}; a probability lies in 0 to 1.`);
    if (target.link === 'exp' && value <= 0)
      throw new Refused('not_positive', `It answers ${value} to ${kindOf(row)}; a volatility is above 0.`);
  }
  const again = await ask(model, body, all);
  if (again.told.some((value, k) => value !== told[k]))
    throw new Refused('draws', 'Asked twice, it answers twice: what it said could not be computed again.');
  const times: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    const startedAt = performance.now();
    const alone = await ask(model, body, { ...all, rowCount: 1, values: values.slice(row * width, (row + 1) * width) });
    times.push(performance.now() - startedAt);
    const [one, beside] = [alone.told[body.outputColumn]!, told[row * outputWidth + body.outputColumn]!];
    if (Math.abs(one - beside) > TOLERANCE * (1 + Math.abs(beside)))
      throw new Refused(
        'rows_mixed',
        `It answers ${one} to a row alone and ${beside} beside others: rows must not mix.`,
      );
  }
  const rowMilliseconds = quantile(Float64Array.from(times), 0.5);
  if (rowMilliseconds > ROW_MILLISECONDS_MAX)
    throw new Refused(
      'too_slow',
      `One row takes ${rowMilliseconds.toFixed(0)} ms; at most ${ROW_MILLISECONDS_MAX} may pass.`,
    );
  return { outputWidth, rowMilliseconds };
}

function centerOf(column: ScalerColumn): number {
  return column.kind === 'linear' ? column.center / column.scale : 0;
}

async function ask(model: OnnxModel, body: ForeignBody, inputs: Inputs) {
  const answer = await model
    .run({ name: body.input, element: body.element, ...foreignQuestion(body, inputs) }, body.output)
    .catch((error: unknown) => {
      const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new Refused('cannot_run', `It cannot be run on ${inputs.rowCount} rows: ${said}`);
    });
  const told = answer.values;
  const outputWidth = told.length / inputs.rowCount;
  if (answer.sizes[0] !== inputs.rowCount || !Number.isInteger(outputWidth) || outputWidth <= body.outputColumn)
    throw new Refused(
      'wrong_output',
      `${body.output} must have a row for each of ${inputs.rowCount} and a column ${body.outputColumn}, has ${answer.sizes.join(' × ')}.`,
    );
  return { told, outputWidth };
}

/** What it says of rows of the table, as it is told. */
async function tell(
  model: OnnxModel,
  body: ForeignBody,
  frame: Frame,
  table: TrainingTable,
  rows: Int32Array,
  target: Target,
): Promise<Float64Array> {
  const forecast = new Float64Array(rows.length);
  for (let from = 0; from < rows.length; from += BATCH) {
    const inputs = inputsOf(frame, table, rows.subarray(from, from + BATCH), target);
    const { told } = await ask(model, body, inputs);
    const values = foreignAnswers(body, inputs.rowCount, told);
    forecast.set(target.link === 'exp' ? values.map(Math.exp) : values, from);
  }
  return forecast;
}

/** As serving prepares them. */
function inputsOf(
  { columns, scaler, stepCount }: Frame,
  table: TrainingTable,
  rows: Int32Array,
  target: Target,
): Inputs {
  const whole = windowsOf(table, rows, stepCount);
  const width = table.featureNames.length;
  const days = rows.length * stepCount;
  const values = new Float64Array(days * columns.length);
  for (let day = 0; day < days; day++)
    columns.forEach((column, j) => {
      values[day * columns.length + j] = whole.values[day * width + column]!;
    });
  const features = columns.map((column) => target.features[column]!);
  const inputs = { rowCount: rows.length, stepCount, featureCount: columns.length, values };
  return prepareInputs({ features, stepCount, scaler, clip: NO_CLIP }, inputs);
}
