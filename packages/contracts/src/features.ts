import { z } from 'zod';
import { count, day, id, idParam, instant, sha256, timeAnswer, timeQuery } from './fields.ts';
import { reading, reason } from './market.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

/** Values a JSON answer of the past may hold; more go into a dataset. */
export const HISTORICAL_VALUES_MAX = 200_000;
export const FEATURES_MAX = 2_000;
export const ONLINE_ENTITIES_MAX = 1_000;
/** Features of one view, and letters of one expression. */
export const VIEW_FEATURES_MAX = 500;
export const EXPRESSION_LENGTH_MAX = 2_000;

const viewName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/)
  .meta({ description: 'Lower case, digits and underscores.', example: 'trend' });

/** A feature as it is asked for. */
export const featureReference = z.string().min(1).max(200).meta({
  description:
    'view:feature is the newest version of the view, view@2:feature that version; a name alone is an output of the catalogue.',
  example: 'trend:sma_20',
});

const value = z.number().nullable().meta({ description: 'Null: see the reason.', example: 101.25 });

const badge = z.object({
  passed: z.boolean().meta({ example: true }),
  sentence: z.string().meta({
    description: 'What was found, with its numbers.',
    example: 'Bars appended later changed none of 4,096 values.',
  }),
});

export const featureBadges = z.object({
  canary: badge.meta({ description: 'Look-ahead: later bars must not change earlier values, not in the last bit.' }),
  warmUp: badge.meta({
    description: 'The first value comes when the warm-up says so, and what it remembers is as told.',
  }),
});
export type FeatureBadges = z.infer<typeof featureBadges>;

const memory = z
  .object({
    kind: z.enum(['window', 'recursive', 'cumulative']),
    settle: count.nullable().meta({
      description: 'recursive: bars after the first value until an earlier start no longer shows.',
      example: null,
    }),
  })
  .meta({
    description: 'What a value still remembers: a fixed window, everything ever more faintly, or a sum for ever.',
  });

export const catalogueEntry = z.object({
  name: z.string().meta({ description: 'Unique, with its parameters.', example: 'sma_20' }),
  title: z.string().meta({ example: 'Simple moving average' }),
  family: z.string().meta({ description: 'overlap, momentum, volatility, volume, candle, …', example: 'overlap' }),
  inputs: z.array(z.string()).meta({ description: 'Columns it reads.', example: ['close'] }),
  outputs: z.array(z.string()).meta({ description: 'Its columns, as features are asked for.', example: ['sma_20'] }),
  parameters: z.record(z.string(), z.number()).meta({ example: { period: 20 } }),
  unit: z.string().meta({ description: 'price, fraction, percent, ratio, bars, …', example: 'price' }),
  warmUp: count.meta({ description: 'Bars that must come before the first value.', example: 19 }),
  memory,
  reference: z.object({
    source: z.string().meta({ description: 'What it agrees with.', example: 'TA-Lib SMA' }),
    tolerance: z.number().meta({ description: 'How closely.', example: 1e-9 }),
  }),
  badges: featureBadges,
});
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

export const getFeatureCatalogue = defineRoute({
  id: 'getFeatureCatalogue',
  method: 'GET',
  path: '/features/catalogue',
  group: 'feature',
  summary: 'Every indicator with its warm-up, its memory, what it agrees with, and how it stood the canary',
  scope: 'market:read',
  query: z.object({
    family: z.string().max(40).optional().meta({ description: 'Only this family.', example: 'overlap' }),
  }),
  status: 200,
  answer: z.object({
    codeVersion: z.string().meta({ description: 'The code that was checked.', example: '0.1.0+d63e325' }),
    items: z.array(catalogueEntry),
    functions: z
      .array(
        z.object({
          name: z.string().meta({ example: 'mean' }),
          signature: z.string().meta({ example: 'mean(x, n)' }),
          summary: z.string().meta({ example: 'Mean of the last n values.' }),
        }),
      )
      .meta({ description: 'What expressions may call beside indicators.' }),
  }),
  problems: [],
});

export const featureDefinition = z.object({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/)
    .meta({ description: 'Unique in the view.', example: 'stretch_20' }),
  expression: z.string().min(1).max(EXPRESSION_LENGTH_MAX).meta({
    description: 'Columns, indicators and rolling functions: docs/methods/feature-store.md.',
    example: '(close - mean(close, 20)) / std(close, 20)',
  }),
});
export type FeatureDefinition = z.infer<typeof featureDefinition>;

const viewBody = z.object({
  name: viewName,
  description: z.string().max(2_000).meta({ example: 'How far the close is from its mean.' }),
  owner: z.string().max(200).meta({ description: 'Who answers for it: a team or a role.', example: 'research' }),
  entity: z.literal('instrument').default('instrument').meta({ example: 'instrument' }),
  ttlDays: z
    .number()
    .positive()
    .max(36_500)
    .nullable()
    .meta({ description: 'An online value known longer ago is told as expired. Null: never.', example: 10 }),
  source: z.enum(['bars', 'push']).default('bars').meta({
    description: 'bars: computed by its expressions. push: values come from outside; expressions are left out.',
    example: 'bars',
  }),
  features: z
    .array(featureDefinition.extend({ expression: featureDefinition.shape.expression.optional() }))
    .min(1)
    .max(VIEW_FEATURES_MAX)
    .meta({ example: [{ name: 'stretch_20', expression: '(close - mean(close, 20)) / std(close, 20)' }] }),
});
export type FeatureViewBody = z.infer<typeof viewBody>;

export const checkedFeature = z.object({
  name: z.string().meta({ example: 'stretch_20' }),
  expression: z.string().nullable().meta({ example: '(close - mean(close, 20)) / std(close, 20)' }),
  inputs: z.array(z.string()).meta({ example: ['close'] }),
  warmUp: count.meta({ example: 19 }),
  memory,
  badges: featureBadges.nullable().meta({ description: 'Null for pushed values: they cannot be computed again.' }),
});
export type CheckedFeature = z.infer<typeof checkedFeature>;

export const viewProblem = z.object({
  feature: z.string().meta({ example: 'tomorrow' }),
  part: z.string().meta({ description: 'The offending part of the expression.', example: 'lead(close, 1)' }),
  position: count.meta({ description: 'Letters before it.', example: 0 }),
  reason: z
    .enum([
      'syntax',
      'unknown_name',
      'look_ahead',
      'wrong_arguments',
      'too_costly',
      'failed',
      'took_too_long',
      'warm_up',
    ])
    .meta({ example: 'look_ahead' }),
  sentence: z.string().meta({ example: 'lead looks 1 bar ahead; nobody knows that bar yet.' }),
});
export type ViewProblem = z.infer<typeof viewProblem>;

export const viewCheck = z.object({
  accepted: z.boolean().meta({ description: 'True: it may be saved.', example: true }),
  features: z.array(checkedFeature),
  problems: z.array(viewProblem).meta({ example: [] }),
  milliseconds: z.number().meta({ description: 'How long one run over the test bars took.', example: 4 }),
});
export type ViewCheck = z.infer<typeof viewCheck>;

export const featureView = z.object({
  name: viewName,
  version: count.meta({ description: 'Versions never change; a change is a new one.', example: 1 }),
  latestVersion: count.meta({ example: 1 }),
  builtIn: z.boolean().meta({ description: 'Part of this program.', example: true }),
  description: viewBody.shape.description,
  owner: viewBody.shape.owner,
  entity: z.literal('instrument').meta({ example: 'instrument' }),
  ttlDays: viewBody.shape.ttlDays,
  source: z.enum(['bars', 'push']).meta({ example: 'bars' }),
  sha256: sha256.meta({ description: 'Hash of the definition.' }),
  features: z.array(checkedFeature),
  codeVersion: z.string().meta({ description: 'The code it was checked with.', example: '0.1.0+d63e325' }),
  createdAt: instant.nullable().meta({ description: 'Null for a view of the program.' }),
  createdBy: id.nullable(),
  deletedAt: instant.nullable(),
});
export type FeatureView = z.infer<typeof featureView>;

const viewParams = z.object({ view: viewName });

export const listFeatureViews = defineRoute({
  id: 'listFeatureViews',
  method: 'GET',
  path: '/feature-views',
  group: 'feature',
  summary: 'Feature views in their newest version, those of the program first',
  scope: 'market:read',
  status: 200,
  answer: z.object({
    items: z.array(
      featureView.omit({ features: true }).extend({
        featureNames: z.array(z.string()).meta({ example: ['sma_20', 'ema_20'] }),
        checksPassed: z.boolean().meta({ description: 'Canary and warm-up of every feature.', example: true }),
        materialised: z
          .object({
            entityCount: count.meta({ description: 'Entities with online values.' }),
            latestDay: day.nullable(),
            latestKnownAt: instant.nullable(),
            finishedAt: instant.nullable(),
          })
          .nullable()
          .meta({ description: 'Null: never materialised.' }),
      }),
    ),
  }),
  problems: [],
});
export const getFeatureView = defineRoute({
  id: 'getFeatureView',
  method: 'GET',
  path: '/feature-views/:view',
  group: 'feature',
  summary: 'One feature view with its features and their badges',
  scope: 'market:read',
  params: viewParams,
  query: z.object({
    version: idParam.optional().meta({ description: 'Default: the newest.', example: 1 }),
  }),
  status: 200,
  answer: featureView,
  problems: ['NOT_FOUND'],
});
export const checkFeatureView = defineRoute({
  id: 'checkFeatureView',
  method: 'POST',
  path: '/feature-views/check',
  group: 'feature',
  summary: 'Put a definition through the canary and the warm-up analysis without saving it',
  scope: 'market:read',
  body: viewBody,
  status: 200,
  answer: viewCheck,
  problems: [],
});
export const createFeatureView = defineRoute({
  id: 'createFeatureView',
  method: 'POST',
  path: '/feature-views',
  group: 'feature',
  summary: 'Save a feature view; refused when a feature looks ahead, throws or never ends',
  scope: 'portfolio:write',
  body: viewBody,
  status: 201,
  answer: featureView,
  problems: ['ALREADY_EXISTS'],
});
export const changeFeatureView = defineRoute({
  id: 'changeFeatureView',
  method: 'PATCH',
  path: '/feature-views/:view',
  group: 'feature',
  summary: 'A new version of a feature view; the old versions stay as they are',
  scope: 'portfolio:write',
  params: viewParams,
  body: viewBody
    .omit({ name: true, entity: true, source: true })
    .partial()
    .extend({
      version: z
        .int()
        .min(1)
        .max(2147483647)
        .meta({ description: 'The version this change started from.', example: 1 }),
    }),
  status: 200,
  answer: featureView,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});
export const deleteFeatureView = defineRoute({
  id: 'deleteFeatureView',
  method: 'DELETE',
  path: '/feature-views/:view',
  group: 'feature',
  summary: 'Delete a feature view; what was computed with it stays',
  scope: 'portfolio:write',
  params: viewParams,
  status: 204,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

const column = z.object({
  feature: featureReference,
  unit: z.string().nullable().meta({ example: 'price' }),
  warmUp: count.nullable(),
  version: count.nullable().meta({ description: 'Version of its view; null for the catalogue.', example: 1 }),
  values: z.array(value).meta({ description: 'One for each day.' }),
  reason: reason.nullable().meta({ description: 'Why the whole column is null.' }),
});

export const getFeatureSeries = defineRoute({
  id: 'getFeatureSeries',
  method: 'GET',
  path: '/features/series',
  group: 'feature',
  summary: 'Features of one instrument day by day, as known then, beside its bars',
  scope: 'market:read',
  query: z.object({
    instrument: z.string().trim().min(1).max(32).meta({ description: 'Number or symbol.', example: 'ALDR' }),
    features: z
      .string()
      .min(1)
      .max(8_000)
      .meta({ description: 'References, separated by commas.', example: 'trend:sma_20,rsi_14' }),
    from: day.optional().meta({ description: 'First day told; values still rest on all bars before.' }),
    ...timeQuery.shape,
  }),
  status: 200,
  answer: reading.extend({
    days: z.array(day),
    bars: z.object({
      open: z.array(value),
      high: z.array(value),
      low: z.array(value),
      close: z.array(value),
      volume: z.array(value),
    }),
    columns: z.array(column),
  }),
  problems: ['NOT_FOUND'],
});

const featureList = z
  .array(featureReference)
  .min(1)
  .max(FEATURES_MAX)
  .meta({ example: ['trend:sma_20', 'rsi_14'] });

const instrumentKey = z
  .union([id, z.string().trim().min(1).max(32)])
  .meta({ description: 'Number or symbol.', example: 'ALDR' });

export const spineRow = z.object({
  instrument: instrumentKey,
  asOf: day,
  knownAt: instant.optional().meta({
    description: 'Use only what could be known at this instant. Default: when the close of asOf was known.',
    example: '2026-01-15T22:00:00.000Z',
  }),
});
export type SpineRow = z.infer<typeof spineRow>;

const spine = {
  rows: z
    .array(spineRow)
    .min(1)
    .max(50_000)
    .optional()
    .meta({ description: 'Rows wanted. Instead of universe.', example: [{ instrument: 'ALDR', asOf: '2026-01-15' }] }),
  universe: z
    .object({
      universeId: id,
      from: day,
      to: day,
      everyDays: z
        .int()
        .min(1)
        .max(260)
        .default(1)
        .meta({ description: 'Every so many bars of each member, counted from its first in the period.', example: 5 }),
    })
    .optional()
    .meta({
      description: 'All bars of a universe in a period. Instead of rows.',
      example: { universeId: 1, from: '2026-01-01', to: '2026-01-31', everyDays: 5 },
    }),
  features: featureList,
  recordedAt: timeQuery.shape.recordedAt,
};

const featureProblem = z.object({
  feature: featureReference,
  reason,
  suggestion: z.string().nullable().meta({ description: 'What may have been meant.', example: 'trend:sma_20' }),
});

const resolvedFeature = z.object({
  feature: featureReference,
  view: z.string().nullable().meta({ description: 'Null: from the catalogue.', example: 'trend' }),
  version: count.nullable().meta({ example: 1 }),
  definitionSha256: sha256.meta({ description: 'Hash of what is computed.' }),
});

export const historicalRow = z.object({
  instrument: z.string().meta({ description: 'As it was asked for.', example: 'ALDR' }),
  instrumentId: id.nullable(),
  asOf: day,
  knownAt: instant.nullable().meta({ description: 'What was known by then counts. Null: see the reason.' }),
  eventDay: day.nullable().meta({ description: 'Day of the last bar the values rest on.' }),
  values: z.array(value).meta({ description: 'In the order of features.' }),
  missing: z
    .record(z.string(), z.string())
    .meta({ description: 'Feature → code of the reason, for each null.', example: {} }),
});

export const getHistoricalFeatures = defineRoute({
  id: 'getHistoricalFeatures',
  method: 'POST',
  path: '/features/historical',
  group: 'feature',
  summary: 'Features as they could be known at each row’s moment: what a model may be trained on',
  scope: 'market:read',
  body: z.object(spine),
  status: 200,
  answer: z.object({
    recordedAt: instant,
    reconstructed: timeAnswer.shape.reconstructed,
    codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
    dataSha256: sha256.meta({ description: 'Hash of every telling of every bar that was read.' }),
    features: z.array(resolvedFeature),
    rows: z.array(historicalRow),
    problems: z.array(featureProblem).meta({ description: 'Features that cannot be told in any row.', example: [] }),
    reasons: z.array(reason).meta({ description: 'The codes of missing, in words.', example: [] }),
  }),
  problems: ['NOT_FOUND', 'TOO_LARGE'],
});

export const freezeFeatures = defineRoute({
  id: 'freezeFeatures',
  method: 'POST',
  path: '/features/historical/dataset',
  group: 'feature',
  summary: 'The same as a frozen dataset, in the background; its hash is in the result of the task',
  scope: 'portfolio:write',
  body: z.object(spine),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND'],
});

export const onlineValue = z.object({
  value,
  reason: reason.shape.code.nullable().meta({ description: 'Why it is null.', example: null }),
});

export const getOnlineFeatures = defineRoute({
  id: 'getOnlineFeatures',
  method: 'POST',
  path: '/features/online',
  group: 'feature',
  summary: 'The newest features of some instruments, from the online store',
  scope: 'market:read',
  body: z.object({
    features: featureList,
    instruments: z
      .array(instrumentKey)
      .min(1)
      .max(ONLINE_ENTITIES_MAX)
      .meta({ example: ['ALDR', 'BIRC'] }),
  }),
  status: 200,
  answer: z.object({
    store: z.enum(['process', 'database', 'redis']).meta({ description: 'Which store answered.', example: 'process' }),
    features: z.array(featureReference),
    views: z
      .array(z.object({ view: viewName, version: count, ttlDays: z.number().nullable().meta({ example: 10 }) }))
      .meta({ description: 'Views the features are of; entities list their values in this order.' }),
    entities: z.array(
      z.object({
        instrument: z.string().meta({ description: 'As it was asked for.', example: 'ALDR' }),
        values: z.array(value).meta({ description: 'In the order of features.' }),
        reasons: z
          .array(reason.shape.code.nullable())
          .meta({ description: 'In the order of features; null where there is a value.', example: [null] }),
        known: z
          .array(
            z
              .object({
                eventDay: day,
                knownAt: instant,
                version: count.meta({ description: 'Version of the view.', example: 1 }),
              })
              .nullable(),
          )
          .meta({ description: 'In the order of views: what the values rest on; null where nothing is stored.' }),
      }),
    ),
    problems: z.array(featureProblem).meta({ example: [] }),
  }),
  problems: [],
});

export const materialiseFeatures = defineRoute({
  id: 'materialiseFeatures',
  method: 'POST',
  path: '/features/materialise',
  group: 'feature',
  summary: 'Bring the online store up to date, in the background: only what changed since the last time',
  scope: 'task:write',
  body: z.object({
    universeId: id,
    views: z
      .array(viewName)
      .max(100)
      .optional()
      .meta({ description: 'Default: every view that is computed from bars.', example: ['trend'] }),
    full: z.boolean().default(false).meta({ description: 'Compute all again.', example: false }),
  }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND'],
});

export const materialisation = z.object({
  view: viewName,
  version: count.meta({ example: 1 }),
  universeId: id,
  recordedAt: instant.meta({ description: 'Publications up to then are in it.' }),
  knownAt: instant,
  entityCount: count.meta({ description: 'Entities brought up to date by the last run.' }),
  changedCount: count.meta({ description: 'Of these, how many it had to compute.' }),
  complete: z.boolean().meta({ description: 'False: it was stopped and goes on where it was.', example: true }),
  taskId: id.nullable(),
  updatedAt: instant,
});
export type Materialisation = z.infer<typeof materialisation>;

export const listMaterialisations = defineRoute({
  id: 'listMaterialisations',
  method: 'GET',
  path: '/features/materialisations',
  group: 'feature',
  summary: 'How far each view is materialised for each universe',
  scope: 'market:read',
  status: 200,
  answer: z.object({
    store: z.enum(['process', 'database', 'redis']).meta({ example: 'process' }),
    items: z.array(materialisation),
  }),
  problems: [],
});

export const skewCheck = z.object({
  id,
  checkedAt: instant,
  sampleCount: count.meta({ description: 'Online reads that were computed again.' }),
  valueCount: count.meta({ description: 'Values compared.' }),
  mismatchCount: count.meta({ description: 'Values that were not equal, bit for bit.', example: 0 }),
  outdatedCount: count.meta({
    description: 'Reads left out: their view is gone or cannot be computed again.',
    example: 0,
  }),
  examples: z.array(
    z.object({
      feature: featureReference,
      instrumentId: id,
      eventDay: day,
      knownAt: instant,
      served: value,
      recomputed: value,
    }),
  ),
});
export type SkewCheck = z.infer<typeof skewCheck>;

export const getFeatureSkew = defineRoute({
  id: 'getFeatureSkew',
  method: 'GET',
  path: '/features/skew',
  group: 'feature',
  summary: 'Do the features that were served equal those computed afterwards from the facts of that moment?',
  scope: 'market:read',
  status: 200,
  answer: z.object({
    waitingCount: count.meta({ description: 'Sampled reads the next check will compute again.' }),
    latest: skewCheck.nullable(),
    items: z.array(skewCheck).meta({ description: 'Newest first, at most thirty.' }),
  }),
  problems: [],
});
export const startFeatureSkew = defineRoute({
  id: 'startFeatureSkew',
  method: 'POST',
  path: '/features/skew',
  group: 'feature',
  summary: 'Check the sampled online reads now, in the background',
  scope: 'task:write',
  status: 202,
  answer: accepted,
  problems: [],
});
