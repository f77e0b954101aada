import { z } from 'zod';
import { count, day, id, idParam, instant, page, pageQuery, sha256, timeQuery } from './fields.ts';
import { modelName, modelVersion, skill, targetName, verdict } from './model-manifest.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** What can be trained for a target. The ensemble stacks the others on forecasts of days none of them had seen. */
export const FAMILIES = [
  'linear',
  'gradient_boosted_trees',
  'random_forest',
  'lstm',
  'transformer',
  'ensemble',
] as const;
export const familyName = z.enum(FAMILIES).meta({
  description:
    'linear: ridge or logistic regression. lstm, transformer: read the last days as a sequence. ensemble: all the others with non-negative weights.',
  example: 'gradient_boosted_trees',
});
export type FamilyName = z.infer<typeof familyName>;

/** One question a forecast answers, as docs/methods/targets.md defines it. */
export const targetDefinition = z.object({
  target: targetName,
  title: z.string().meta({ example: 'Will it swing more than last month?' }),
  definition: z.string().meta({
    description: 'What becomes true or is measured, to the letter.',
    example: '1 if the mean daily variance of the next 5 sessions is above that of the last 22, else 0.',
  }),
  kind: z.enum(['probability', 'number']).meta({ example: 'probability' }),
  unit: z.string().meta({ description: 'Of the value.', example: 'probability' }),
  horizonDays: count.meta({ description: 'Sessions until the outcome is known.', example: 5 }),
  metric: skill.shape.metric,
  baselines: z.array(z.string()).meta({
    description: 'What a model has to beat, beside the linear model.',
    example: ['past majority', '5-day above 22-day mean variance'],
  }),
  features: z
    .array(
      z.object({
        name: z.string().meta({ example: 'forecast:variance_week_month' }),
        expression: z.string().meta({ example: 'log(mean(close, 5) / mean(close, 22))' }),
      }),
    )
    .meta({ description: 'Its inputs: features of the built-in view `forecast`, the same in training and serving.' }),
  stepCount: count.meta({ description: 'Days the sequence models read.', example: 20 }),
});
export type TargetDefinition = z.infer<typeof targetDefinition>;

export const listTargets = defineRoute({
  id: 'listTargets',
  method: 'GET',
  path: '/targets',
  group: 'model',
  summary: 'What can be forecast: definitions, baselines, features',
  scope: 'model:read',
  status: 200,
  answer: z.object({ items: z.array(targetDefinition), families: z.array(familyName) }),
  problems: [],
});

export const trainBody = z.object({
  universeId: id.meta({ description: 'Whose members it learns from and is judged on.', example: 3 }),
  targets: z
    .array(targetName)
    .min(1)
    .optional()
    .meta({ description: 'Default: all.', example: ['volatility_direction'] }),
  families: z
    .array(familyName)
    .min(1)
    .optional()
    .meta({ description: 'Default: all. The linear model is always trained.', example: ['linear', 'ensemble'] }),
  ...timeQuery.shape,
  from: day.optional().meta({ description: 'First day learnt from. Default: the first there is.' }),
  seed: z.int().min(0).max(4294967295).default(1).meta({ description: 'Equal seeds, equal bytes.', example: 1 }),
  effort: z.enum(['quick', 'normal']).default('normal').meta({
    description: 'quick: fewer folds and smaller models, to see that all of it works.',
    example: 'normal',
  }),
  promote: z.enum(['never', 'if_passed']).default('never').meta({
    description: 'if_passed: makes what passed the gate the champion at once; needs the right to promote.',
    example: 'never',
  }),
});
export type TrainBody = z.infer<typeof trainBody>;

export const train = defineRoute({
  id: 'train',
  method: 'POST',
  path: '/models/train',
  group: 'model',
  summary: 'Train models for a universe in the background; stop and run again with the task, finished parts are kept',
  scope: 'model:write',
  body: trainBody,
  status: 202,
  answer: accepted.extend({ trainingId: id.meta({ description: 'Number of the training.', example: 7 }) }),
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'FORBIDDEN'],
});

/** One model a training made. */
export const trainedModel = z.object({
  target: targetName,
  family: familyName,
  model: modelName,
  version: modelVersion.nullable().meta({ description: 'Null: it could not be made; see the verdict.' }),
  artefactSha256: sha256.nullable(),
  skill: skill.nullable(),
  verdict,
  isRecommended: z.boolean().meta({
    description: 'The simplest that passes the gate: the ensemble only where it beats the linear model.',
    example: false,
  }),
  promoted: z.boolean().meta({ description: 'True when this training made it the champion.', example: false }),
  costSeconds: z.number().min(0).meta({ description: 'Processor time of its fits.', example: 12.4 }),
  trialId: id.nullable().meta({ description: 'Its entry in the trials ledger.', example: 41 }),
});
export type TrainedModel = z.infer<typeof trainedModel>;

export const training = z.object({
  id,
  universeId: id,
  taskId: id,
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']).meta({ example: 'running' }),
  progress: z.number().min(0).max(1).meta({ description: '0 to 1.', example: 0.4 }),
  progressNote: z.string().meta({ example: '31 of 90 parts; lstm for drawdown_touch, fold 3' }),
  settings: trainBody.omit({ universeId: true }).meta({ description: 'As asked for, with the defaults.' }),
  datasetSha256: sha256.nullable().meta({ description: 'Null until the rows are frozen.' }),
  partCount: count.meta({ description: 'Fits it consists of; 0 until they are planned.', example: 90 }),
  partsDone: count.meta({ example: 31 }),
  partsReused: count.meta({ description: 'Of these, found finished from before.', example: 0 }),
  partsFailed: count.meta({ example: 0 }),
  models: z.array(trainedModel).meta({ description: 'Empty until it is done.' }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type Training = z.infer<typeof training>;

export const listTrainings = defineRoute({
  id: 'listTrainings',
  method: 'GET',
  path: '/trainings',
  group: 'model',
  summary: 'Trainings, newest first',
  scope: 'model:read',
  query: pageQuery,
  status: 200,
  answer: page(training.omit({ models: true })),
  problems: [],
});

const trainingParams = z.object({ trainingId: idParam });

export const getTraining = defineRoute({
  id: 'getTraining',
  method: 'GET',
  path: '/trainings/:trainingId',
  group: 'model',
  summary: 'One training: how far it is, and what its models are worth against their baselines',
  scope: 'model:read',
  params: trainingParams,
  status: 200,
  answer: training,
  problems: ['NOT_FOUND'],
});
