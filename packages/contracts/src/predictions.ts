import { z } from 'zod';
import {
  count,
  day,
  fraction,
  id,
  idParam,
  instant,
  page,
  pageQuery,
  sha256,
  timeAnswer,
  timeQuery,
} from './fields.ts';
import { measured, reason, subject, subjectKind } from './market.ts';
import { modelName, modelVersion, targetName } from './model-manifest.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** Subjects of one batch. */
export const PREDICTIONS_MAX = 1_000;
const NUMBER_MAX = 2_147_483_647;

const numberOrNull = z.number().nullable();
const share = z.number().min(0).max(1);

export const predictionId = z
  .int()
  .min(1)
  .meta({ description: 'Number of the prediction; never used twice.', example: 4711 });
const predictionParams = z.object({
  predictionId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).meta({ example: 4711 }),
});
const modelParams = z.object({ model: modelName });

const aliasName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/)
  .meta({ description: 'A name that points at a version.', example: 'champion' });

/** What a prediction is asked about: number or symbol of an instrument, or an index. */
export const askedSubject = z
  .object({
    kind: subjectKind.default('instrument'),
    id: id.optional(),
    symbol: z.string().trim().min(1).max(32).optional().meta({ description: 'Of an instrument.', example: 'ALDR' }),
  })
  .refine((asked) => (asked.id === undefined) !== (asked.symbol === undefined), {
    message: 'Name the subject by its number or by its symbol, one of the two.',
  })
  .meta({ example: { kind: 'instrument', symbol: 'ALDR' } });
export type AskedSubject = z.infer<typeof askedSubject>;

const which = {
  alias: aliasName.optional().meta({
    description: 'Which version: the one this alias points at. Default: champion, with its fallbacks.',
    example: 'champion',
  }),
  version: modelVersion
    .max(NUMBER_MAX)
    .optional()
    .meta({ description: 'Exactly this version, without fallback.', example: 3 }),
};

/** Why there is no forecast, or why another version gave it. */
export const hopCode = z
  .enum([
    'artefact_damaged',
    'artefact_missing',
    'expired',
    'missing_features',
    'too_little_history',
    'failed',
    'took_too_long',
    'cannot_be_served',
    'nothing_before',
    'no_baseline',
    'not_sure_enough',
  ])
  .meta({
    description:
      'artefact_damaged: its bytes are not those that were registered. expired: it learnt too long ago. missing_features: an input is missing. not_sure_enough: below the threshold under which it says nothing. nothing_before: no version was champion before it.',
    example: 'expired',
  });
export type HopCode = z.infer<typeof hopCode>;

export const hop = z.object({
  from: z.enum(['model', 'previous', 'baseline']).meta({ description: 'Who should have answered.', example: 'model' }),
  version: modelVersion.nullable().meta({ description: 'Its version; null: there is none.' }),
  to: z
    .enum(['previous', 'baseline', 'nobody'])
    .meta({ description: 'Who was asked next; nobody: it abstains.', example: 'previous' }),
  code: hopCode,
  sentence: z.string().meta({
    description: 'Why, with its numbers.',
    example: 'Version 3 learnt until 2025-06-30 and answers for 120 days; it is 199 days later.',
  }),
});
export type Hop = z.infer<typeof hop>;

export const servedBy = z.enum(['model', 'previous', 'baseline', 'nobody']).meta({
  description:
    'model: the version asked for. previous: the champion before it. baseline: the simple rule it is held against. nobody: it abstains.',
  example: 'model',
});
export type ServedBy = z.infer<typeof servedBy>;

/** What the forecast says. The sealed hash covers it to the last digit. */
export const forecast = z.object({
  value: numberOrNull.meta({ description: 'In the unit of the model; null: it abstains.', example: 0.642 }),
  unit: z.string().meta({ example: 'probability' }),
  lower: numberOrNull.meta({ description: 'Lower end of the conformal interval; null: it has none.', example: 0.47 }),
  upper: numberOrNull.meta({ example: 0.81 }),
  level: share.nullable().meta({ description: 'Share of outcomes the interval should hold.', example: 0.9 }),
  confidence: share
    .nullable()
    .meta({ description: 'Share of past forecasts that were less decided; null: not defined here.', example: 0.71 }),
  abstained: z
    .object({ code: hopCode, sentence: z.string().meta({ example: 'Sure to 0.53; it speaks from 0.58 on.' }) })
    .nullable()
    .meta({ description: 'Why it says nothing; null when it does.', example: null }),
  leaning: numberOrNull.meta({
    description: 'What it would have said had it not abstained for want of confidence; null in every other case.',
    example: null,
  }),
  baseline: z.object({
    name: z.string().meta({ description: 'The simple rule beside it.', example: '5-day above 22-day mean' }),
    value: numberOrNull.meta({ example: 0.5 }),
  }),
  members: z
    .array(
      z.object({
        learner: z.string().meta({ example: 'gradient_boosted_trees' }),
        weight: share.meta({ description: 'They add up to 1.', example: 0.4 }),
        value: numberOrNull.meta({ description: 'What it said alone, before calibration.', example: 0.66 }),
      }),
    )
    .meta({ description: 'Parts of the ensemble; empty when another one answered.' }),
});
export type Forecast = z.infer<typeof forecast>;

export const outcome = z.object({
  value: z.number().meta({ description: 'What happened, in the terms of the target.', example: 1 }),
  day: day.meta({ description: 'Day on which it was known.' }),
  knownAt: instant.meta({ description: 'Knowledge it was read with.' }),
  joinedAt: instant.meta({ description: 'When it was joined here.' }),
  loss: numberOrNull.meta({
    description: 'Of the forecast: squared error of a probability, QLIKE of a volatility. Null: it had abstained.',
    example: 0.128,
  }),
  baselineLoss: numberOrNull.meta({ description: 'The same of the baseline.', example: 0.25 }),
  inside: z.boolean().nullable().meta({ description: 'Within the interval; null: there was none.', example: true }),
});
export type Outcome = z.infer<typeof outcome>;

export const prediction = z.object({
  predictionId,
  model: modelName,
  version: modelVersion.meta({ description: 'Version that answered, or whose baseline did.' }),
  alias: aliasName.nullable().meta({ description: 'As asked; null: a version was named.' }),
  servedBy,
  subject,
  time: timeAnswer,
  target: targetName.nullable().meta({ description: 'Null: a foreign model of its own target.' }),
  horizonDays: count.meta({ description: 'Trading days until the outcome is known.', example: 5 }),
  dueDay: day.meta({ description: 'Trading day on which the outcome will be known, by the calendar.' }),
  forecast,
  hops: z.array(hop).meta({ description: 'Each step away from the version asked for, with its reason.', example: [] }),
  lineage: z.object({
    dataSha256: sha256.meta({ description: 'Bars it was computed from.' }),
    featureSha256: sha256.meta({ description: 'Definitions of the features.' }),
    inputSha256: sha256.meta({ description: 'The inputs as they were kept, to the byte.' }),
    artefactSha256: sha256.meta({ description: 'The model, to the byte.' }),
    modelVersion: z.string().meta({ example: 'volatility-direction@3' }),
    codeVersion: z.string().meta({ description: 'Code that computed it.', example: '0.1.0+d63e325' }),
    seed: z.int().min(0).meta({ example: 1 }),
  }),
  seal: z.object({
    sha256: sha256.meta({ description: 'Hash of inputs, forecast and explanation in canonical form.' }),
    sealedAt: instant.meta({ description: 'By the clock of the database.' }),
    evidenceSequence: count.meta({ description: 'The record of the hash chain that names it.', example: 812 }),
    beforeOutcome: z.boolean().meta({
      description: 'True: sealed before anybody could know the outcome. False: reconstructed afterwards.',
      example: true,
    }),
  }),
  explanation: z
    .string()
    .meta({ description: 'Where it is explained.', example: '/api/v1/predictions/4711/explanation' }),
  outcome: outcome.nullable().meta({ description: 'Null until it is due and joined.', example: null }),
  fromStore: z.boolean().meta({ description: 'True: asked before, answered as it was written then.', example: false }),
  modelMilliseconds: z.number().min(0).nullable().meta({
    description: 'Time of the forecast itself, without inputs, explanation and store; null: from the store.',
    example: 1.9,
  }),
});
export type Prediction = z.infer<typeof prediction>;

export const postPrediction = defineRoute({
  id: 'predict',
  method: 'POST',
  path: '/predict/:model',
  group: 'prediction',
  summary: 'A forecast of one subject, sealed before it is answered',
  scope: 'model:write',
  params: modelParams,
  body: z.object({
    subject: askedSubject.optional(),
    symbol: z
      .string()
      .trim()
      .min(1)
      .max(32)
      .optional()
      .meta({ description: 'Short for an instrument as subject.', example: 'ALDR' }),
    ...timeQuery.shape,
    ...which,
  }),
  status: 200,
  answer: prediction,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW', 'NOT_ENOUGH_HISTORY'],
});

export const postPredictions = defineRoute({
  id: 'predictBatch',
  method: 'POST',
  path: '/predict/:model/batch',
  group: 'prediction',
  summary: 'Forecasts of many subjects; one that cannot be told does not hold up the others',
  scope: 'model:write',
  params: modelParams,
  body: z.object({
    subjects: z.array(askedSubject).min(1).max(PREDICTIONS_MAX),
    ...timeQuery.shape,
    ...which,
  }),
  status: 200,
  answer: z.object({
    items: z
      .array(
        z.object({
          prediction: prediction.nullable().meta({ description: 'Null: see the problem.' }),
          problem: z
            .object({
              code: z.string().meta({ example: 'NOT_FOUND' }),
              detail: z.string().meta({ example: 'There is no instrument NONE.' }),
            })
            .nullable()
            .meta({ example: null }),
        }),
      )
      .meta({ description: 'In the order asked.' }),
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export const startUniversePredictions = defineRoute({
  id: 'predictUniverse',
  method: 'POST',
  path: '/predict/:model/universe',
  group: 'prediction',
  summary: 'Forecasts of every member of a universe, in the background; for a schedule of the kind predict as well',
  scope: 'model:write',
  params: modelParams,
  body: z.object({ universeId: id, ...timeQuery.shape, ...which }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND'],
});

export const joinOutcomes = defineRoute({
  id: 'joinOutcomes',
  method: 'POST',
  path: '/predictions/outcomes',
  group: 'prediction',
  summary: 'Join the outcomes that are due, as known by now; for a schedule of the kind outcomes as well',
  scope: 'task:write',
  status: 202,
  answer: accepted,
  problems: [],
});

export const listPredictions = defineRoute({
  id: 'listPredictions',
  method: 'GET',
  path: '/predictions',
  group: 'prediction',
  summary: 'Predictions as they were sealed, newest first, with what happened',
  scope: 'model:read',
  query: pageQuery.extend({
    model: modelName.optional(),
    version: z.coerce.number().int().min(1).max(NUMBER_MAX).optional().meta({ example: 3 }),
    subjectKind: subjectKind.optional(),
    subjectId: idParam.optional(),
    asOf: day.optional().meta({ description: 'Only of this day.' }),
    state: z
      .enum(['pending', 'resolved', 'abstained'])
      .optional()
      .meta({ description: 'pending: the outcome is not known yet.', example: 'pending' }),
  }),
  status: 200,
  answer: page(prediction),
  problems: [],
});

export const getPrediction = defineRoute({
  id: 'getPrediction',
  method: 'GET',
  path: '/predictions/:predictionId',
  group: 'prediction',
  summary: 'One prediction as it was sealed, with what happened',
  scope: 'model:read',
  params: predictionParams,
  status: 200,
  answer: prediction,
  problems: ['NOT_FOUND'],
});

/** Why a forecast says what it says: contributions that add up, on the scale on which they do. */
export const explanation = z.object({
  method: z.string().meta({
    description: 'How it was found: exact_trees, exact_linear, sampling, occlusion; with + for an ensemble of several.',
    example: 'exact_trees+exact_linear',
  }),
  exact: z.boolean().meta({ description: 'False: an estimate with the standard error told.', example: true }),
  scale: z.string().meta({ description: 'On which contributions add up: margin or value.', example: 'margin' }),
  baseValue: numberOrNull.meta({ description: 'What it says of the average case.', example: -0.12 }),
  total: numberOrNull.meta({ description: 'What it says of this one: base plus contributions.', example: 0.58 }),
  residual: numberOrNull.meta({
    description: 'Total less base less contributions: what the explanation leaves open.',
    example: 3e-17,
  }),
  standardError: numberOrNull.meta({ description: 'Of an estimate; 0 when exact.', example: 0 }),
  groups: z
    .array(
      z.object({
        name: z.string().meta({ description: 'Inputs that move together are one group.', example: 'volatility' }),
        contribution: z.number().meta({ example: 0.41 }),
        features: z.array(
          z.object({
            name: z.string().meta({ example: 'natr_14' }),
            value: numberOrNull.meta({ description: 'Last value of the window.', example: 1.84 }),
            contribution: z.number().meta({ example: 0.29 }),
          }),
        ),
      }),
    )
    .meta({ description: 'Largest first.' }),
  counterfactual: z.object({
    found: z.boolean().meta({ example: true }),
    sentence: z.string().meta({
      description: 'The smallest change found that would turn it.',
      example: 'With natr_14 at 1.31 instead of 1.84 it would say less than one half.',
    }),
  }),
  stability: z.object({
    value: share.nullable().meta({
      description: 'Rank agreement of the contributions when the inputs are shaken by 1 %; null: not measured.',
      example: 0.97,
    }),
    sentence: z.string().meta({ example: 'The three largest groups stay the three largest when inputs move by 1 %.' }),
  }),
  sentence: z.string().meta({
    description: 'In one sentence.',
    example: 'Volatility speaks for it, momentum against it.',
  }),
  reason: reason.nullable().meta({ description: 'Why there is nothing to explain; null otherwise.', example: null }),
});
export type Explanation = z.infer<typeof explanation>;

export const getPredictionExplanation = defineRoute({
  id: 'getPredictionExplanation',
  method: 'GET',
  path: '/predictions/:predictionId/explanation',
  group: 'prediction',
  summary: 'Why it said so, as it was sealed with the prediction',
  scope: 'model:read',
  params: predictionParams,
  status: 200,
  answer: explanation.extend({ predictionId, sealSha256: sha256 }),
  problems: ['NOT_FOUND'],
});

export const replayPrediction = defineRoute({
  id: 'replayPrediction',
  method: 'POST',
  path: '/predictions/:predictionId/replay',
  group: 'prediction',
  summary: 'Compute it again from the inputs that were kept, and compare to the byte',
  scope: 'model:read',
  params: predictionParams,
  status: 200,
  answer: z.object({
    predictionId,
    equal: z.boolean().meta({ description: 'True: the same hash.', example: true }),
    sealedSha256: sha256.meta({ description: 'As it was sealed.' }),
    replayedSha256: sha256.nullable().meta({ description: 'As it came out now; null: it could not be computed.' }),
    codeVersionThen: z.string().meta({ example: '0.1.0+d63e325' }),
    codeVersionNow: z.string().meta({ example: '0.1.0+d63e325' }),
    differences: z
      .array(
        z.object({
          part: z.string().meta({ description: 'What differs.', example: 'forecast.value' }),
          sealed: z.string().meta({ description: 'As JSON.', example: '0.642' }),
          replayed: z.string().meta({ example: '0.643' }),
        }),
      )
      .meta({ description: 'Empty when equal.', example: [] }),
    sentence: z.string().meta({ example: 'The same inputs and the same model gave the same bytes.' }),
  }),
  problems: ['NOT_FOUND'],
});

const interval = {
  low: numberOrNull.meta({ description: 'Lower end of the 95 % interval.', example: 0.61 }),
  high: numberOrNull.meta({ example: 0.7 }),
};

export const calibration = z.object({
  model: modelName,
  version: modelVersion.nullable().meta({ description: 'Null: all versions together.' }),
  target: targetName.nullable(),
  counts: z.object({
    predictions: count.meta({ example: 2520 }),
    resolved: count.meta({ description: 'With their outcome.', example: 2400 }),
    pending: count,
    abstained: count.meta({ example: 310 }),
    sealedBeforeOutcome: count.meta({ description: 'The only ones nobody could have arranged.', example: 120 }),
    reconstructed: count.meta({ description: 'Made of a past whose outcome could be known.', example: 2400 }),
    inSample: count.meta({ description: 'About days the version had learnt from; in no figure here.', example: 0 }),
  }),
  basis: z.enum(['sealed', 'all']).meta({
    description: 'sealed: figures rest on those sealed before their outcome. all: on reconstructed ones as well.',
    example: 'all',
  }),
  reliability: z.object({
    bins: z.array(
      z.object({
        from: share.meta({ example: 0.6 }),
        to: share.meta({ example: 0.7 }),
        forecast: z.number().meta({ description: 'Mean of what was said.', example: 0.648 }),
        observed: share.meta({ description: 'How often it happened.', example: 0.66 }),
        ...interval,
        count: count.meta({ example: 241 }),
      }),
    ),
    error: numberOrNull.meta({ description: 'Expected calibration error: mean distance of both.', example: 0.021 }),
    reason: reason.nullable().meta({ example: null }),
  }),
  coverage: z.object({
    level: share.nullable().meta({ description: 'Share of outcomes intervals should hold.', example: 0.9 }),
    items: z.array(
      z.object({
        by: z.enum(['all', 'year', 'volatility']).meta({ example: 'year' }),
        group: z.string().meta({ description: 'A year, or calm, middle, wild.', example: '2017' }),
        covered: share.nullable().meta({ description: 'Share that lay inside.', example: 0.913 }),
        ...interval,
        widthMean: numberOrNull.meta({ description: 'Mean width of the intervals.', example: 0.44 }),
        count: count.meta({ example: 251 }),
      }),
    ),
    reason: reason.nullable().meta({ example: null }),
  }),
  skill: measured.extend({
    metric: z.string().meta({ description: 'Mean loss of the baseline less that of the model.', example: 'Brier' }),
  }),
  abstentions: z.array(z.object({ code: hopCode, count })).meta({ description: 'Why it said nothing, how often.' }),
  adaptive: z
    .array(
      z.object({
        version: modelVersion,
        group: z.string().meta({ description: 'Subjects that share an interval.', example: 'instrument:12' }),
        level: fraction.meta({ description: 'Level that is used to reach the one wanted.', example: 0.912 }),
        observed: count.meta({ description: 'Outcomes it has learnt from.', example: 240 }),
        throughDay: day.nullable().meta({ description: 'Last outcome it knows.' }),
      }),
    )
    .meta({ description: 'Adaptive intervals, moved by revealed outcomes only.' }),
  latency: z
    .object({
      medianMs: z.number().min(0).meta({ example: 0.04 }),
      p99Ms: z.number().min(0).meta({ description: 'The slowest of a hundred.', example: 0.9 }),
      count: count.meta({ description: 'Forecasts it rests on, at most the last 1,000.', example: 1000 }),
    })
    .nullable()
    .meta({
      description: 'Time of a forecast in the process that answers, since it started; null: it made none yet.',
    }),
  note: z.string().meta({ example: '2,400 of 2,520 are reconstructed: made of a past whose outcome could be known.' }),
});
export type Calibration = z.infer<typeof calibration>;

export const getCalibration = defineRoute({
  id: 'getModelCalibration',
  method: 'GET',
  path: '/models/:model/calibration',
  group: 'prediction',
  summary: 'How the predictions of a model turned out: reliability, coverage, skill over the baseline, abstentions',
  scope: 'model:read',
  params: modelParams,
  query: z.object({
    version: z.coerce.number().int().min(1).max(NUMBER_MAX).optional().meta({ example: 3 }),
    basis: z.enum(['sealed', 'all']).default('all').meta({ example: 'all' }),
    from: day.optional().meta({ description: 'First day told about.' }),
    to: day.optional().meta({ description: 'Last day told about.' }),
  }),
  status: 200,
  answer: calibration,
  problems: ['NOT_FOUND'],
});
