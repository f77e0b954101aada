import { z } from 'zod';
import { count, day, fraction, id, idParam, instant, page, pageQuery } from './fields.ts';
import { reason } from './market.ts';
import { modelName, modelVersion } from './model-manifest.ts';
import { defineRoute } from './route.ts';

const numberOrNull = z.number().nullable();

export const lossMetric = z.enum(['brier', 'log_loss', 'error_rate', 'qlike', 'squared_error', 'interval_score']).meta({
  description:
    'Loss of one prediction; smaller is better. brier, log_loss, error_rate: of a probability. qlike: of a variance. squared_error: of a number. interval_score: of an interval (Winkler).',
  example: 'brier',
});
export type LossMetric = z.infer<typeof lossMetric>;

/** What people ask of two models. The last two are money, and cannot be answered in a lifetime of most tests. */
export const askedMetric = z.enum([...lossMetric.options, 'sharpe', 'return']).meta({
  description: 'What is to be compared. sharpe and return are refused with the years they need.',
  example: 'brier',
});

export const assignment = z.enum(['sticky', 'interleaved', 'shadow']).meta({
  description:
    'Which version answers. sticky: by subject, for good. interleaved: by blocks of days. shadow: always the control. The other version answers unseen in each of them, so that losses are paired.',
  example: 'shadow',
});
export type Assignment = z.infer<typeof assignment>;

const arm = z.enum(['control', 'treatment']).meta({ example: 'treatment' });

/** What it takes to tell two things apart. */
export const powerAnswer = z.object({
  needed: z.number().min(0).meta({ description: 'In `unit`.', example: 3843 }),
  unit: z.enum(['outcomes', 'sessions', 'years']).meta({ example: 'outcomes' }),
  power: fraction.meta({ description: 'Chance to find it when it is there.', example: 0.8 }),
  level: fraction.meta({ description: 'Chance to find it when it is not.', example: 0.05 }),
  years: numberOrNull.meta({
    description: 'At one independent outcome a session where outcomes are counted.',
    example: 15.3,
  }),
  answerable: z.boolean().meta({ description: 'Within ten years.', example: false }),
  sentence: z.string().meta({
    example: '55 % against 53 %: 3,843 independent outcomes, 15.3 years at one a session.',
  }),
  instead: z
    .array(
      z.object({
        metric: lossMetric,
        sentence: z
          .string()
          .meta({ example: 'Ask for the Brier score: it uses how sure a forecast was, not only its side.' }),
      }),
    )
    .meta({ description: 'Questions about the same models that can be answered sooner; empty when none is needed.' }),
});
export type PowerAnswer = z.infer<typeof powerAnswer>;

const numberParam = (description: string, example: number) =>
  z.coerce.number().optional().meta({ description, example });

export const getAbPower = defineRoute({
  id: 'getAbPower',
  method: 'GET',
  path: '/ab-tests/power',
  group: 'model',
  summary: 'How many outcomes, or years, it takes to tell two models apart',
  scope: 'model:read',
  query: z.object({
    question: z.enum(['hit_rate', 'sharpe', 'alpha', 'loss']).meta({
      description:
        'hit_rate: first against second. sharpe: the same, of correlated returns. alpha: first a year at trackingError. loss: a mean difference of first at a standard deviation of second.',
      example: 'hit_rate',
    }),
    first: z.coerce.number().meta({ description: 'See question.', example: 0.55 }),
    second: numberParam('See question; not for alpha.', 0.53),
    correlation: numberParam('Of the two returns, for sharpe.', 0.9),
    trackingError: numberParam('A year, for alpha.', 0.1),
    autocorrelation: numberParam('Of the loss difference from day to day, for loss. Default 0.', 0.3),
    sequential: z
      .stringbool()
      .optional()
      .meta({ description: 'With a look every session; for loss.', example: 'false' }),
    power: z.coerce.number().gt(0.5).lt(1).default(0.8).meta({ example: 0.8 }),
    level: z.coerce.number().gt(0).lt(0.5).default(0.05).meta({ description: 'One-sided.', example: 0.05 }),
  }),
  status: 200,
  answer: powerAnswer,
  problems: [],
});

export const abTest = z.object({
  id,
  model: modelName,
  controlVersion: modelVersion,
  treatmentVersion: modelVersion,
  metric: lossMetric,
  effect: z
    .number()
    .positive()
    .meta({ description: 'Mean loss by which the treatment should be lower.', example: 0.01 }),
  assignment,
  blockDays: count.meta({ description: 'Sessions of a block, for interleaved.', example: 5 }),
  maximumDays: count.meta({
    description: 'Sessions with an outcome after which it is decided in any case.',
    example: 500,
  }),
  level: fraction.meta({ description: 'Chance of a false difference, over all looks together.', example: 0.05 }),
  power: fraction.meta({ example: 0.8 }),
  neededDays: count.meta({ description: 'Sessions it takes to find the effect.', example: 236 }),
  noise: z.object({
    longRunDeviation: z.number().positive().meta({
      description: 'Long-run standard deviation of the daily loss difference.',
      example: 0.061,
    }),
    basis: z.enum(['paired_history', 'control_history', 'given']).meta({ example: 'paired_history' }),
    dayCount: count.meta({ description: 'Sessions it was measured on.', example: 180 }),
  }),
  state: z.enum(['running', 'stopped']).meta({ example: 'running' }),
  startedAt: instant,
  startedBy: id.nullable(),
  firstDay: day
    .nullable()
    .meta({ description: 'First session of predictions that count: none from before the start.' }),
  stoppedAt: instant.nullable().meta({ example: null }),
  stoppedBy: id.nullable().meta({ example: null }),
  stopReason: z.string().nullable().meta({ example: null }),
});
export type AbTest = z.infer<typeof abTest>;

export const abTestResult = z.object({
  dayCount: count.meta({ description: 'Sessions with paired outcomes.', example: 120 }),
  pairCount: count.meta({ description: 'Pairs of predictions of the same subject and day.', example: 2400 }),
  unpairedCount: count.meta({ description: 'Predictions of one version only; they are left out.', example: 3 }),
  servedTreatmentShare: fraction
    .nullable()
    .meta({ description: 'Share of answers given by the treatment.', example: 0.49 }),
  controlLoss: numberOrNull.meta({ example: 0.231 }),
  treatmentLoss: numberOrNull.meta({ example: 0.219 }),
  difference: numberOrNull.meta({
    description: 'treatment − control of the daily means; below zero: the treatment is better.',
    example: -0.012,
  }),
  standardError: numberOrNull.meta({
    description: 'Heteroskedasticity and autocorrelation consistent.',
    example: 0.005,
  }),
  hac: z.object({ low: numberOrNull, high: numberOrNull, pValue: numberOrNull }).meta({
    description: 'Good for one look, at the end.',
    example: { low: -0.022, high: -0.002, pValue: 0.02 },
  }),
  bootstrap: z.object({ low: numberOrNull, high: numberOrNull }).meta({
    description: 'Circular blocks of days; good for one look, at the end.',
    example: { low: -0.021, high: -0.003 },
  }),
  sequential: z.object({ low: numberOrNull, high: numberOrNull, firstDay: day.nullable() }).meta({
    description: 'Good at every look: the bounds decide. firstDay: when they first excluded zero.',
    example: { low: -0.026, high: 0.002, firstDay: null },
  }),
  path: z
    .object({
      days: z.array(day),
      mean: z.array(numberOrNull),
      low: z.array(numberOrNull),
      high: z.array(numberOrNull),
    })
    .meta({
      description: 'Difference and sequential bounds after each session.',
      example: { days: ['2026-01-15'], mean: [-0.012], low: [-0.026], high: [0.002] },
    }),
  decision: z.enum(['treatment', 'control', 'undecided', 'no_effect_of_that_size', 'too_early']).meta({
    description:
      'treatment, control: that one is better, by the sequential bounds. no_effect_of_that_size: the bounds exclude the effect.',
    example: 'undecided',
  }),
  sentence: z.string().meta({
    description: 'What may be said now.',
    example:
      'After 120 of about 236 sessions the difference is -0.012 [-0.026, 0.002]: undecided. Looking every day is allowed.',
  }),
  reason: reason.nullable().meta({ description: 'Why there is no figure.', example: null }),
});
export type AbTestResult = z.infer<typeof abTestResult>;

const modelParams = z.object({ model: modelName });
const testParams = z.object({ testId: idParam });

export const createAbTest = defineRoute({
  id: 'createAbTest',
  method: 'POST',
  path: '/models/:model/ab-tests',
  group: 'model',
  summary:
    'Compare two versions on what they say before it happens. Refused with the numbers when it could not find the effect',
  scope: 'model:promote',
  params: modelParams,
  body: z.object({
    controlVersion: modelVersion.max(2147483647).meta({ description: 'What is served now.', example: 3 }),
    treatmentVersion: modelVersion.max(2147483647).meta({ description: 'What may be better.', example: 4 }),
    metric: askedMetric,
    effect: z.number().positive().meta({
      description: 'Mean loss by which the treatment should be lower; for sharpe and return: by how much more.',
      example: 0.01,
    }),
    assignment: assignment.default('shadow'),
    blockDays: z.int().min(1).max(63).default(5).meta({ example: 5 }),
    maximumDays: z.int().min(20).max(2520).default(500).meta({ example: 500 }),
    level: z.number().gt(0).lt(0.5).default(0.05).meta({ example: 0.05 }),
    power: z.number().gt(0.5).lt(1).default(0.8).meta({ example: 0.8 }),
    longRunDeviation: z.number().positive().optional().meta({
      description: 'Of the daily loss difference, where no history tells it.',
      example: 0.061,
    }),
  }),
  status: 201,
  answer: abTest,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS', 'NOT_ENOUGH_HISTORY', 'UNDERPOWERED', 'NOT_POSSIBLE_NOW'],
});

export const listAbTests = defineRoute({
  id: 'listAbTests',
  method: 'GET',
  path: '/models/:model/ab-tests',
  group: 'model',
  summary: 'A/B tests of a model, newest first',
  scope: 'model:read',
  params: modelParams,
  query: pageQuery,
  status: 200,
  answer: page(abTest),
  problems: ['NOT_FOUND'],
});

export const getAbTest = defineRoute({
  id: 'getAbTest',
  method: 'GET',
  path: '/ab-tests/:testId',
  group: 'model',
  summary: 'An A/B test and what may be said of it now; may be looked at every day',
  scope: 'model:read',
  params: testParams,
  status: 200,
  answer: z.object({ test: abTest, result: abTestResult }),
  problems: ['NOT_FOUND'],
});

export const getAbTestArm = defineRoute({
  id: 'getAbTestArm',
  method: 'GET',
  path: '/ab-tests/:testId/arm',
  group: 'model',
  summary: 'Which version answers for an instrument on a day; the same for ever',
  scope: 'model:read',
  params: testParams,
  query: z.object({
    instrumentId: idParam,
    day: day.meta({ description: 'Session of the question.' }),
  }),
  status: 200,
  answer: z.object({ arm, version: modelVersion }),
  problems: ['NOT_FOUND'],
});

export const stopAbTest = defineRoute({
  id: 'stopAbTest',
  method: 'POST',
  path: '/ab-tests/:testId/stop',
  group: 'model',
  summary: 'Stop an A/B test, with the reason; what was measured stays',
  scope: 'model:promote',
  params: testParams,
  body: z.object({
    reason: z.string().trim().min(1).max(2000).meta({ example: 'The treatment is better; promoted.' }),
  }),
  status: 200,
  answer: abTest,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
