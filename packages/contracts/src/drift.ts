import { z } from 'zod';
import { count, day, fraction, id, idParam, instant, name, page, pageQuery } from './fields.ts';
import { reason } from './market.ts';
import { modelName, modelVersion, targetName } from './model-manifest.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

const numberOrNull = z.number().nullable();
const modelParams = z.object({ model: modelName });

/** What of a model is watched. */
export const driftArea = z.enum(['pipeline', 'feature', 'prediction', 'performance']).meta({
  description:
    'pipeline: a feature arrives broken. feature: its values have moved. prediction: what the model says has moved. performance: it is wrong more than it was.',
  example: 'feature',
});

export const driftRule = z
  .enum([
    'missing',
    'scale',
    'sign',
    'constant',
    'lag',
    'other_value',
    'out_of_range',
    'level',
    'step',
    'spread',
    'distribution',
    'loss',
    'estimated_loss',
    'stream',
  ])
  .meta({
    description:
      'missing … out_of_range: faults of the pipeline. level, step, spread: the last 21 sessions against the past. distribution: of the outputs. loss: of known outcomes, sequential. estimated_loss: before outcomes are known. stream: adaptive window.',
    example: 'level',
  });

/** One thing looked at in one check. Rows never change. */
export const driftFinding = z.object({
  id,
  checkId: id.meta({ description: 'Check it belongs to.', example: 41 }),
  area: driftArea,
  rule: driftRule,
  feature: z.string().nullable().meta({ description: 'Null: the prediction or its loss.', example: 'natr_14' }),
  instrumentId: id.nullable().meta({ description: 'Null: the universe as a whole.', example: null }),
  instrumentCount: count.meta({ description: 'Instruments it was seen at.', example: 20 }),
  asOf: day.meta({ description: 'Last session looked at.' }),
  sampleCount: count.meta({ description: 'Values it rests on.', example: 21 }),
  statistic: numberOrNull.meta({ description: 'Null: see reason.', example: 3.4 }),
  threshold: numberOrNull.meta({
    description: 'Above it is an alarm; from the past of the same feature only.',
    example: 2.6,
  }),
  alarm: z.boolean().meta({ example: true }),
  alarmsPerYearExpected: numberOrNull.meta({
    description: 'False alarms a year the threshold was set for.',
    example: 0.25,
  }),
  effect: numberOrNull.meta({
    description: 'Change of the mean prediction it causes, in the unit of the model; null: cannot be told.',
    example: 0.031,
  }),
  rank: z.int().min(1).meta({ description: '1: moves the predictions most.', example: 1 }),
  sentence: z.string().meta({
    description: 'What was seen, with its numbers.',
    example:
      'natr_14: mean of 21 sessions 3.4 standard deviations above its past (limit 2.6); moves the mean prediction by +0.031.',
  }),
  reason: reason.nullable().meta({ description: 'Why nothing could be said.', example: null }),
});
export type DriftFinding = z.infer<typeof driftFinding>;

export const driftCheck = z.object({
  id,
  model: modelName,
  version: modelVersion,
  asOf: day,
  checkedAt: instant,
  findingCount: count.meta({ description: 'Things looked at.', example: 24 }),
  alarmCount: count.meta({ description: 'Of them over their limit.', example: 1 }),
  codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
});
export type DriftCheck = z.infer<typeof driftCheck>;

export const getDrift = defineRoute({
  id: 'getDrift',
  method: 'GET',
  path: '/models/:model/drift',
  group: 'model',
  summary: 'Drift of the served version: the last check, ranked by effect on the predictions, and the checks before it',
  scope: 'model:read',
  params: modelParams,
  query: pageQuery.extend({
    checkId: idParam.optional().meta({ description: 'This check instead of the last one.', example: 41 }),
    alarmsOnly: z.stringbool().optional().meta({ description: 'Only findings over their limit.', example: 'false' }),
  }),
  status: 200,
  answer: page(driftCheck).extend({
    check: driftCheck.nullable().meta({ description: 'Null: never checked.' }),
    findings: z.array(driftFinding).meta({ description: 'Of that check, by rank.' }),
    budget: z.object({
      alarmsPerYear: z.number().meta({ description: 'False alarms a year the whole model may raise.', example: 6 }),
      featureCount: count.meta({ description: 'Features that share it.', example: 8 }),
      sentence: z.string().meta({
        description: 'How it is kept.',
        example: 'Each of 8 features has 0.75 false alarms a year; expected counts add up, whatever their dependence.',
      }),
    }),
  }),
  problems: ['NOT_FOUND'],
});

export const startDriftCheck = defineRoute({
  id: 'startDriftCheck',
  method: 'POST',
  path: '/models/:model/drift',
  group: 'model',
  summary: 'Check the served version of a model for drift now, in the background',
  scope: 'model:write',
  params: modelParams,
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

/** How a model does on one part of what it was asked. */
export const biasGroup = z.object({
  dimension: z
    .enum(['sector', 'size', 'volatility', 'regime', 'currency'])
    .meta({ description: 'What the parts are made by.', example: 'volatility' }),
  group: z.string().meta({ description: 'The part.', example: 'high' }),
  sampleCount: count.meta({ description: 'Predictions with an outcome.', example: 840 }),
  dayCount: count.meta({ description: 'Different days among them.', example: 210 }),
  instrumentCount: count.meta({ example: 7 }),
  loss: numberOrNull.meta({ description: 'Mean loss; smaller is better.', example: 0.231 }),
  lossOfOthers: numberOrNull.meta({ description: 'Mean loss outside the part.', example: 0.219 }),
  difference: numberOrNull.meta({ description: 'loss − lossOfOthers.', example: 0.012 }),
  low: numberOrNull.meta({ description: 'Lower end of its 95 % block-bootstrap interval.', example: -0.004 }),
  high: numberOrNull.meta({ example: 0.028 }),
  pValue: numberOrNull.meta({ description: 'Two-sided, of no difference.', example: 0.14 }),
  adjustedP: numberOrNull.meta({ description: 'After Holm over all parts of this answer.', example: 0.84 }),
  isTold: z.boolean().meta({ description: 'True: worse or better than the rest beyond chance.', example: false }),
  abstainedShare: fraction.nullable().meta({ description: 'Share of questions it did not answer.', example: 0.24 }),
  sentence: z.string().meta({
    example: 'volatility high: loss 0.231 against 0.219 elsewhere [-0.004, 0.028]: not to be told from chance.',
  }),
  reason: reason.nullable().meta({ example: null }),
});
export type BiasGroup = z.infer<typeof biasGroup>;

export const getBiasReport = defineRoute({
  id: 'getBiasReport',
  method: 'GET',
  path: '/models/:model/bias',
  group: 'model',
  summary: 'Whether a model does worse on some sectors, sizes, volatilities or regimes, with multiple-testing control',
  scope: 'model:read',
  params: modelParams,
  query: z.object({
    version: z.coerce
      .number()
      .int()
      .min(1)
      .max(2147483647)
      .optional()
      .meta({ description: 'Default: the champion, else the newest.', example: 3 }),
  }),
  status: 200,
  answer: z.object({
    model: modelName,
    version: modelVersion.nullable(),
    metric: z.string().meta({ description: 'Loss per prediction.', example: 'brier' }),
    sampleCount: count.meta({ example: 2520 }),
    loss: numberOrNull.meta({ description: 'Mean over all.', example: 0.223 }),
    groups: z.array(biasGroup),
    testCount: count.meta({ description: 'Parts tested together.', example: 14 }),
    survivorship: z.string().meta({
      description: 'What the choice of instruments does to the figures.',
      example:
        'The universe holds what is listed today: what vanished was never asked about, which flatters everybody.',
    }),
    reason: reason.nullable().meta({ description: 'Why there is nothing to compare.', example: null }),
  }),
  problems: ['NOT_FOUND'],
});

export const leaderboardRow = z.object({
  rank: z.int().min(1).meta({ description: 'By the lower bound; 1 is best.', example: 1 }),
  kind: z.enum(['model', 'baseline']).meta({ example: 'model' }),
  name: z.string().meta({ description: 'Of the model or of the baseline.', example: 'volatility-direction' }),
  version: modelVersion.nullable().meta({ description: 'Null for a baseline.', example: 3 }),
  aliases: z.array(z.string()).meta({ description: 'Aliases that point at the version.', example: ['champion'] }),
  target: targetName.nullable(),
  horizonDays: count.meta({ example: 5 }),
  metric: z.string().meta({ example: 'balanced_accuracy' }),
  higherIsBetter: z.boolean().meta({ example: true }),
  value: numberOrNull.meta({ description: 'Out of sample.', example: 0.672 }),
  lowerBound: numberOrNull.meta({
    description: 'The worse end of the 95 % interval: what it is worth at least.',
    example: 0.641,
  }),
  boundBasis: z.enum(['measured', 'borrowed', 'none']).meta({
    description: 'borrowed: a baseline on the same days, with the width of the model it was measured beside.',
    example: 'measured',
  }),
  sampleCount: count.meta({ example: 3770 }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  trialCount: count.meta({ description: 'Trials behind it.', example: 12 }),
  live: z
    .object({
      metric: z.string().meta({ description: 'Loss per prediction; smaller is better.', example: 'brier' }),
      loss: numberOrNull.meta({ example: 0.221 }),
      low: numberOrNull.meta({ description: '95 %, block bootstrap over days.', example: 0.209 }),
      high: numberOrNull.meta({ example: 0.234 }),
      sampleCount: count.meta({ description: 'Predictions with an outcome.', example: 260 }),
    })
    .nullable()
    .meta({ description: 'Of predictions sealed before their outcome; null: none yet.' }),
  sentence: z.string().meta({
    example: 'volatility-direction v3: 0.672, at least 0.641 on 3,770 forecasts after 12 trials.',
  }),
});
export type LeaderboardRow = z.infer<typeof leaderboardRow>;

export const getLeaderboard = defineRoute({
  id: 'getLeaderboard',
  method: 'GET',
  path: '/leaderboard',
  group: 'model',
  summary: 'Models and baselines together, by the lower bound of what they are worth',
  scope: 'model:read',
  query: z.object({
    target: targetName.optional(),
    servedOnly: z.stringbool().optional().meta({ description: 'Only versions an alias points at.', example: 'false' }),
  }),
  status: 200,
  answer: z.object({
    boards: z
      .array(
        z.object({
          target: targetName.nullable(),
          horizonDays: count.meta({ example: 5 }),
          metric: z.string().meta({ example: 'balanced_accuracy' }),
          title: name.meta({ example: 'volatility_direction, 5 days, balanced_accuracy' }),
          rows: z.array(leaderboardRow),
        }),
      )
      .meta({ description: 'One for each target, horizon and metric: figures of different ones do not compare.' }),
    note: z.string().meta({
      example:
        'Sorted by the worse end of the interval, so that luck on few days does not lead. Hypothetical unless live.',
    }),
  }),
  problems: [],
});
