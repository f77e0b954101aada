import { z } from 'zod';
import { count, day, id, idParam, instant, page, pageQuery, sha256, timeQuery } from './fields.ts';
import { modelName, modelVersion, skill, targetName, verdict } from './model-manifest.ts';
import { defineRoute } from './route.ts';
import { accepted, taskState } from './tasks.ts';
import { type FAMILIES, familyName } from './training.ts';

/** Longer searches learn more about the search than about the market. */
export const AUTOML_SECONDS_MAX = 4 * 3600;
/** Fits of one block; a budget in them is the same on every machine. */
export const AUTOML_UNITS_MAX = 10_000;

/** The simplest first: of models that cannot be told apart, this order decides. */
export const FAMILIES_BY_SIMPLICITY = [
  'linear',
  'random_forest',
  'gradient_boosted_trees',
  'lstm',
  'transformer',
  'ensemble',
] as const satisfies readonly (typeof FAMILIES)[number][];

export const automlBody = z.object({
  universeId: id.meta({ description: 'Whose members it learns from and is judged on.', example: 3 }),
  target: targetName,
  seconds: z.int().min(1).max(AUTOML_SECONDS_MAX).default(1_200).meta({
    description:
      'How long to search; the judgement afterwards comes on top. Trials done are the first ones of the sequence that the seed gives.',
    example: 1200,
  }),
  workUnits: z.int().min(1).max(AUTOML_UNITS_MAX).optional().meta({
    description:
      'How many fits of one block to do at most, beside the seconds. When these end it first, the same search gives the same bytes everywhere.',
    example: 200,
  }),
  seed: z.int().min(0).max(4294967295).default(1).meta({ description: 'Equal seeds, equal trials.', example: 1 }),
  families: z
    .array(familyName)
    .min(1)
    .optional()
    .meta({
      description: 'Default: all. The linear model is always tried.',
      example: ['linear', 'gradient_boosted_trees', 'ensemble'],
    }),
  ...timeQuery.shape,
  from: day.optional().meta({ description: 'First day learnt from. Default: the first there is.' }),
  effort: z.enum(['quick', 'normal']).default('normal').meta({
    description: 'quick: small models only, to see that all of it works.',
    example: 'normal',
  }),
});
export type AutomlBody = z.infer<typeof automlBody>;

export const startAutoml = defineRoute({
  id: 'startAutoml',
  method: 'POST',
  path: '/models/automl',
  group: 'model',
  summary: 'Search families, features, windows and settings for one target; register the simplest of the best',
  scope: 'model:write',
  body: automlBody,
  status: 202,
  answer: accepted.extend({ automlId: id.meta({ description: 'Number of the search.', example: 4 }) }),
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'FORBIDDEN'],
});

const number = z.number();

/** A mean loss a day, or what two of them differ by, with its 95 % block-bootstrap interval. */
export const lossInterval = z.object({
  value: number.meta({ description: 'Less is better.', example: 0.612 }),
  low: number.meta({ description: 'Lower end of the 95 % block-bootstrap interval.', example: 0.601 }),
  high: number.meta({ description: 'Upper end.', example: 0.624 }),
});
export type LossInterval = z.infer<typeof lossInterval>;

export const automlTrial = z.object({
  number: count.meta({ description: 'Place in the sequence, from 1.', example: 17 }),
  family: familyName,
  learner: z.string().meta({ description: 'As the training room names it.', example: 'gradient_boosted_trees' }),
  settings: z.record(z.string(), z.unknown()).meta({ example: { treeCount: 120, maxDepth: 3, learningRate: 0.06 } }),
  featureSet: z.string().meta({ description: 'Which features it sees.', example: 'variance' }),
  stepCount: count.meta({ description: 'Days of features it reads.', example: 10 }),
  trainDays: count.nullable().meta({ description: 'Latest days it learns from; null: all.', example: 1000 }),
  state: z.enum(['stopped', 'finished', 'failed']).meta({
    description: 'stopped: others were better on the first blocks. finished: it saw all inner blocks.',
    example: 'finished',
  }),
  rung: count.meta({ description: 'Rungs reached, from 1 to rungCount; 0: it failed on the first.', example: 3 }),
  blocks: count.meta({ description: 'Inner blocks it was judged on.', example: 4 }),
  inner: lossInterval.nullable().meta({ description: 'Loss on these blocks; null: it failed.' }),
  inSet: z.boolean().meta({ description: 'True: it cannot be told from the best.', example: true }),
  pValue: number.nullable().meta({
    description: 'Confidence at which it would leave the set; null: it did not see all blocks.',
    example: 0.43,
  }),
  isChosen: z.boolean().meta({ example: false }),
  problem: z.string().nullable().meta({ description: 'Why it failed.', example: null }),
  seconds: number.min(0).meta({ description: 'Processor time of its fits.', example: 3.2 }),
  reused: z.boolean().meta({ description: 'True: every fit was found finished from before.', example: false }),
  trialId: id.nullable().meta({ description: 'Its entry in the trials ledger.', example: 112 }),
});
export type AutomlTrial = z.infer<typeof automlTrial>;

export const automlChoice = z.object({
  family: familyName,
  trialNumbers: z.array(count).meta({ description: 'The trial, or those an ensemble mixes.', example: [17] }),
  sentence: z.string().meta({
    description: 'Why this one.',
    example: '5 of 31 trials cannot be told from the best; the simplest of them is trial 17, gradient boosted trees.',
  }),
  inner: lossInterval.meta({ description: 'The loss it was chosen by: flattered by the choice.' }),
  outer: lossInterval.nullable().meta({ description: 'The same loss on the outer blocks, which no choice has seen.' }),
  skill: skill.nullable().meta({ description: 'On the outer blocks, against its baselines.' }),
  verdict,
  model: modelName,
  version: modelVersion.nullable().meta({ description: 'Null: it could not be made; see the verdict.' }),
  artefactSha256: sha256.nullable(),
  trialId: id.nullable().meta({ description: 'Entry of the final judgement in the trials ledger.', example: 131 }),
});

const runs = z.enum(['threads', 'ray']);

export const automl = z.object({
  id,
  universeId: id,
  target: targetName,
  taskId: id,
  state: taskState,
  progress: number.min(0).max(1).meta({ description: '0 to 1.', example: 0.4 }),
  progressNote: z.string().meta({ example: '31 trials, 64 fits; the best inner loss is 0.612' }),
  settings: automlBody
    .omit({ universeId: true, target: true })
    .meta({ description: 'As asked for, with the defaults.' }),
  datasetSha256: sha256.nullable().meta({ description: 'Null until the rows are frozen.' }),
  loss: z.enum(['log_loss', 'mean_squared_error', 'rank_loss']).meta({
    description:
      'What trials are compared by, day by day. log_loss of probabilities; mean_squared_error of logarithms of volatility; rank_loss: 1 less the rank correlation of the day.',
    example: 'log_loss',
  }),
  rungCount: count.meta({ example: 3 }),
  innerBlocks: count.meta({ description: 'Blocks the choice rests on.', example: 4 }),
  outerFrom: day.nullable().meta({ description: 'First day of the outer blocks: nothing from here on was chosen by.' }),
  trialCount: count.meta({ example: 31 }),
  trialsReused: count.meta({ description: 'Found finished from before.', example: 0 }),
  unitsDone: count.meta({ description: 'Fits of one block.', example: 64 }),
  ended: z.enum(['seconds', 'work_units', 'space']).nullable().meta({
    description: 'What ended the search; null: it still runs. space: nothing was left to try.',
    example: 'seconds',
  }),
  ranOn: runs.nullable().meta({ description: 'Where the fits were done; null: not yet begun.', example: 'threads' }),
  runNote: z.string().nullable().meta({
    description: 'Why not on the cluster, where one is set.',
    example: null,
  }),
  chosen: automlChoice.nullable().meta({ description: 'Null until it is done.' }),
  bias: z.string().nullable().meta({
    description: 'What the choice flatters by, in words; null until it is done.',
    example:
      'Chosen by an inner loss of 0.612; on days the choice had not seen it is 0.621. Only the second is reported as its skill.',
  }),
  createdAt: instant,
  createdBy: id.nullable(),
});
export type Automl = z.infer<typeof automl>;

export const listAutoml = defineRoute({
  id: 'listAutoml',
  method: 'GET',
  path: '/automl',
  group: 'model',
  summary: 'Searches for models, newest first',
  scope: 'model:read',
  query: pageQuery,
  status: 200,
  answer: page(automl.omit({ chosen: true, bias: true })),
  problems: [],
});

const automlParams = z.object({ automlId: idParam });

export const automlAnswer = automl.extend({
  trials: z.array(automlTrial).meta({ description: 'In the order they were begun.' }),
});
export type AutomlAnswer = z.infer<typeof automlAnswer>;

export const getAutoml = defineRoute({
  id: 'getAutoml',
  method: 'GET',
  path: '/automl/:automlId',
  group: 'model',
  summary: 'One search: its trials, those that cannot be told from the best, the chosen one and what it is worth',
  scope: 'model:read',
  params: automlParams,
  status: 200,
  answer: automlAnswer,
  problems: ['NOT_FOUND'],
});
