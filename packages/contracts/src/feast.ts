import { z } from 'zod';
import { ONLINE_ENTITIES_MAX } from './features.ts';
import { defineRoute } from './route.ts';

/**
 * The wire of Feast's Python feature server (0.67), so that its clients can ask us: `online_store: { type: remote, path:
 * …/api/v1/feast }`. The entity is `instrument`, by symbol or number; features are `view:feature` as everywhere here.
 */

const entityValue = z.union([z.string().max(64), z.number()]).nullable();

export const feastGetOnlineFeatures = defineRoute({
  id: 'feastGetOnlineFeatures',
  method: 'POST',
  path: '/feast/get-online-features',
  group: 'feature',
  summary: 'Online features on the wire of Feast',
  scope: 'market:read',
  body: z.object({
    features: z
      .array(z.string().max(200))
      .max(2_000)
      .optional()
      .meta({ description: 'view:feature.', example: ['trend:sma_20'] }),
    feature_service: z
      .string()
      .max(200)
      .nullable()
      .optional()
      .meta({ description: 'Here a feature service is a view: all its features.', example: 'trend' }),
    entities: z
      .record(z.string(), z.array(entityValue).max(ONLINE_ENTITIES_MAX))
      .meta({ description: 'Columns of join keys; ours is `instrument`.', example: { instrument: ['ALDR'] } }),
    full_feature_names: z
      .boolean()
      .default(false)
      .meta({ description: 'Names begin with the view and two underscores.', example: false }),
    include_feature_view_version_metadata: z.boolean().default(false).meta({ example: false }),
  }),
  status: 200,
  answer: z.object({
    metadata: z.object({
      feature_names: z
        .array(z.string())
        .meta({ description: 'Join keys first, then the features.', example: ['instrument', 'sma_20'] }),
      feature_view_metadata: z
        .array(z.object({ name: z.string().meta({ example: 'trend' }), version: z.int().meta({ example: 1 }) }))
        .optional(),
    }),
    results: z.array(
      z.object({
        values: z.array(z.union([z.string(), z.number()]).nullable()).meta({ example: [101.25] }),
        statuses: z.array(z.enum(['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'])).meta({
          example: ['PRESENT'],
        }),
        event_timestamps: z.array(z.string()).meta({ example: ['2026-01-15T22:00:00Z'] }),
      }),
    ),
  }),
  problems: ['NOT_FOUND'],
});

export const feastPush = defineRoute({
  id: 'feastPush',
  method: 'POST',
  path: '/feast/push',
  group: 'feature',
  summary: 'Values from outside into a view of pushed features, on the wire of Feast',
  scope: 'portfolio:write',
  body: z.object({
    push_source_name: z.string().max(200).meta({ description: 'Name of a view of pushed features.', example: 'news' }),
    df: z
      .record(z.string(), z.array(z.union([z.string().max(64), z.number(), z.boolean()]).nullable()).max(10_000))
      .meta({
        description: 'Columns: instrument, event_timestamp (ISO 8601), and the features.',
        example: { instrument: ['ALDR'], event_timestamp: ['2026-01-15T22:00:00Z'], tone: [0.25] },
      }),
    allow_registry_cache: z.boolean().default(true).meta({ example: true }),
    to: z.enum(['online', 'offline', 'online_and_offline']).default('online').meta({
      description: 'Here both are one: what is pushed is kept with its time, and the newest is served.',
      example: 'online',
    }),
    transform_on_write: z.boolean().default(true).meta({ example: true }),
  }),
  status: 200,
  answer: z.object({}),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
