import { z } from 'zod';
import { count, day, id, sha256, timeQuery } from './fields.ts';
import { modelName, modelVersion, skill, targetName, verdict } from './model-manifest.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** The largest ONNX file that is taken. */
export const ONNX_BYTES_MAX = 32 * 1024 ** 2;

const versionParams = z.object({
  model: modelName,
  version: z.coerce.number().int().min(1).max(2147483647).meta({ description: 'Counts from 1.', example: 3 }),
});

export const downloadVersionOnnx = defineRoute({
  id: 'downloadVersionOnnx',
  method: 'GET',
  path: '/models/:model/versions/:version/onnx',
  group: 'model',
  summary: 'A member of a version as an ONNX file that takes features as they are',
  scope: 'model:read',
  params: versionParams,
  query: z.object({
    member: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'Left out: its only member.', example: 'gradient_boosted_trees' }),
  }),
  gives: 'bytes',
  status: 200,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW', 'ARTEFACT_DAMAGED'],
});

const onnxValue = z.object({
  name: z.string().meta({ example: 'features' }),
  element: z.string().meta({ description: 'Type of its elements.', example: 'float32' }),
  sizes: z
    .array(z.union([z.number(), z.string()]))
    .meta({ description: 'A number, or the name of a size that is open.', example: ['rows', 19] }),
});
const onnxFile = z.object({
  fileSha256: sha256.meta({ description: 'Hash of its content; register it by this.' }),
  byteCount: count,
  producer: z.string().meta({ description: 'What wrote it, as the file says.', example: 'pytorch 2.5.1' }),
  operators: z.array(z.string()).meta({ description: 'Each once.', example: ['Gemm', 'Sigmoid'] }),
  inputs: z.array(onnxValue),
  outputs: z.array(onnxValue),
});
export type OnnxFile = z.infer<typeof onnxFile>;

export const sendForeignModel = defineRoute({
  id: 'sendForeignModel',
  method: 'POST',
  path: '/foreign-models',
  group: 'model',
  summary: 'Send an ONNX file as raw bytes; it is opened, and kept under its hash',
  scope: 'model:write',
  takes: 'bytes',
  status: 201,
  answer: onnxFile,
  problems: ['TOO_LARGE', 'FILE_REFUSED', 'DISK_FULL'],
});

/** What nobody can read out of an ONNX file. */
export const foreignManifest = z.object({
  target: targetName,
  horizonDays: count.meta({ description: 'Must be that of the target.', example: 5 }),
  unit: z.string().max(100).meta({ description: 'Must be that of the target.', example: 'probability' }),
  features: z
    .array(z.string().max(200))
    .min(1)
    .max(500)
    .meta({
      description: 'In the order of its input; features of the target, by their name in the feature store.',
      example: ['forecast:variance_week_month', 'forecast:variance_week'],
    }),
  stepCount: z.int().min(1).max(20).meta({ description: 'Days a row holds, oldest first.', example: 1 }),
  input: z.string().max(200).meta({ description: 'Name of its input.', example: 'features' }),
  output: z.string().max(200).meta({ description: 'Name of the output with the forecast.', example: 'value' }),
  outputColumn: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .meta({ description: 'Column of it; 1 for the second class of a classifier.', example: 0 }),
  datasetSha256: sha256.meta({ description: 'What it was trained on, here or elsewhere.' }),
  judgeOn: sha256.optional().meta({
    description: 'Dataset of this server whose days after trainedUntil judge it. Left out: datasetSha256.',
  }),
  tableSha256: sha256.optional().meta({
    description: 'Hash of the training table it learnt from; refused where it is not the one of the dataset.',
  }),
  seed: z.int().min(0).max(4294967295).meta({ example: 1 }),
  codeVersion: z.string().trim().min(1).max(200).meta({ description: 'Code of its trainer.', example: 'train.py 1.0' }),
  trainer: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .meta({ description: 'What learnt it, for the card.', example: 'pytorch 2.5.1, mlp' }),
  settings: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ example: { hidden: 32 } }),
  firstDay: day.meta({ description: 'First day of training.', example: '2010-01-04' }),
  trainedUntil: day.meta({ description: 'Last day whose outcome it has seen.', example: '2017-12-29' }),
  expiresAfterDays: z.int().min(1).max(36500).default(120).meta({ example: 120 }),
  costSeconds: z.number().min(0).max(1e9).default(0).meta({ example: 12.5 }),
  limits: z
    .array(z.string().max(1000))
    .max(20)
    .default([])
    .meta({ description: 'What it does not know, for the card.', example: ['Never saw a crisis.'] }),
});
export type ForeignManifest = z.infer<typeof foreignManifest>;

export const registerForeignModel = defineRoute({
  id: 'registerForeignModel',
  method: 'POST',
  path: '/models/:model/foreign',
  group: 'model',
  summary: 'Register a foreign model as a version, judged by the gate on the days after it was trained',
  scope: 'model:write',
  params: z.object({ model: modelName }),
  body: z.object({
    fileSha256: sha256.meta({ description: 'As sent before.' }),
    manifest: foreignManifest,
  }),
  status: 201,
  answer: z.object({
    model: modelName,
    version: modelVersion,
    artefactSha256: sha256,
    judgedRows: count.meta({ description: 'Forecasts the verdict rests on; 0: it was not judged.' }),
    verdict: verdict.nullable().meta({ description: 'Null: there are no days after it was trained.' }),
    skill: skill.nullable(),
    rowMilliseconds: z.number().meta({ description: 'Time of one row, median.', example: 0.08 }),
  }),
  problems: [
    'NOT_FOUND',
    'FILE_REFUSED',
    'CONFLICT',
    'NOT_ENOUGH_HISTORY',
    'ARTEFACT_DAMAGED',
    'NOT_POSSIBLE_NOW',
    'SYNTHETIC_REFUSED',
  ],
});

export const freezeTrainingTable = defineRoute({
  id: 'freezeTrainingTable',
  method: 'POST',
  path: '/training-tables',
  group: 'model',
  summary: 'Freeze the rows of a target for a universe, for trainers of your own',
  scope: 'model:write',
  body: timeQuery.extend({
    universeId: id,
    target: targetName,
    seed: z.int().min(0).max(4294967295).default(1).meta({ description: 'Of the look-ahead canary.', example: 1 }),
  }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY'],
});

const fold = z.object({
  column: z.string().meta({ description: 'Column of the file: 1 learn, 2 tell, 0 neither.', example: 'fold_0' }),
  firstTestDay: day,
  lastTestDay: day,
  trainRows: count.meta({ description: 'After purging: their outcome was known by the first day to tell.' }),
  testRows: count,
});
export const trainingTableSpec = z.object({
  format: z.literal('training-table/1').meta({ example: 'training-table/1' }),
  datasetSha256: sha256,
  tableSha256: sha256,
  fileSha256: sha256.meta({ description: 'Of the Arrow file.' }),
  target: targetName,
  horizonDays: count,
  unit: z.string().meta({ example: 'probability' }),
  kind: z.enum(['probability', 'number']).meta({ example: 'probability' }),
  features: z.array(
    z.object({
      name: z.string().meta({ example: 'forecast:variance_week_month' }),
      expression: z.string().meta({ example: 'log(mean(close, 5) / mean(close, 22))' }),
    }),
  ),
  featureSha256: sha256,
  rowCount: count,
  firstDay: day,
  trainedUntil: day.meta({ description: 'Last day whose outcome is in the file.' }),
  heldBackFrom: day.meta({ description: 'Rows from this day on are not in the file: they judge.' }),
  heldBackRows: count,
  seed: z.int().meta({ example: 1 }),
  folds: z.array(fold),
});
export type TrainingTableSpec = z.infer<typeof trainingTableSpec>;

const tableParams = z.object({ sha256: sha256.meta({ description: 'The dataset.' }), target: targetName });
export const getTrainingTable = defineRoute({
  id: 'getTrainingTable',
  method: 'GET',
  path: '/training-tables/:sha256/:target',
  group: 'model',
  summary: 'What a trainer has to know of frozen rows: features, purged folds, hashes, what is held back',
  scope: 'model:read',
  params: tableParams,
  status: 200,
  answer: trainingTableSpec,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'ARTEFACT_DAMAGED'],
});
export const downloadTrainingTable = defineRoute({
  id: 'downloadTrainingTable',
  method: 'GET',
  path: '/training-tables/:sha256/:target/file',
  group: 'model',
  summary: 'The rows themselves as an Arrow IPC file or CSV, without the days held back to judge',
  scope: 'model:read',
  params: tableParams,
  query: z.object({ format: z.enum(['arrow', 'csv']).default('arrow').meta({ example: 'arrow' }) }),
  gives: 'bytes',
  status: 200,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'ARTEFACT_DAMAGED'],
});
