import { z } from 'zod';
import { count, day, id, idParam, name, symbol, timeAnswer, timeQuery } from './fields.ts';
import { measured, readingLineage, reason } from './market.ts';
import { defineRoute } from './route.ts';

const correlation = z.number().min(-1).max(1).meta({ description: 'A correlation.', example: 0.43 });
const place = z.int().min(0).meta({ description: 'Place in `names`, from 0.', example: 3 });
const share = z.number().min(0).max(1).meta({ description: '0..1.', example: 0.86 });

export const covarianceEstimator = z
  .enum(['denoised', 'sample', 'ledoit_wolf', 'non_linear', 'weighted'])
  .meta({ description: 'How correlations were estimated.', example: 'denoised' });

export type CovarianceEstimator = z.infer<typeof covarianceEstimator>;

const universeParams = z.object({ universeId: idParam });
const windowQuery = timeQuery.extend({
  sessions: z.coerce
    .number()
    .int()
    .min(60)
    .max(1260)
    .default(252)
    .meta({ description: 'Sessions looked at, up to asOf.', example: 252 }),
});

/** What every answer about the relations of a universe begins with. */
const universeReading = z.object({
  universe: z.object({ id, name }),
  time: timeAnswer,
  lineage: readingLineage,
  sessions: count.meta({ description: 'Sessions looked at.', example: 252 }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  names: z
    .array(
      z.object({
        instrumentId: id,
        symbol,
        name,
        bridgedSessions: count.meta({
          description: 'Sessions without a close, bridged by the one before; at most 2 % of the window.',
          example: 0,
        }),
      }),
    )
    .meta({ description: 'Those with whole histories in the window; of correlations in the order of the clusters.' }),
  leftOut: z.array(z.object({ instrumentId: id, symbol, reason })),
  reason: reason.nullable().meta({ description: 'Why nothing can be told at all.' }),
});

export const dependence = universeReading.extend({
  estimator: covarianceEstimator,
  correlations: z.array(correlation.nullable()).meta({
    description: 'By the estimator, four digits; row by row, a row and a column for each of `names`.',
    example: [1, 0.43, 0.43, 1],
  }),
  signalCount: count.meta({ description: 'Eigenvalues that chance alone would not give.', example: 3 }),
  clusters: z.array(
    z.object({
      cluster: z.int().min(0).meta({ example: 0 }),
      members: z.array(place),
      meanCorrelation: correlation.nullable().meta({ description: 'Of its pairs; null for one name.' }),
    }),
  ),
  tree: z.array(
    z.object({
      a: place,
      b: place,
      correlation: correlation.meta({ description: 'Of the sample.', example: 0.43 }),
      stability: share.meta({ description: 'Share of bootstrap samples whose tree has this edge.', example: 0.86 }),
    }),
  ),
  treeSampleCount: count.meta({
    description: 'Bootstrap samples behind `stability`; fewer for a large universe, at least 20.',
    example: 200,
  }),
  estimators: z.array(
    z.object({
      estimator: covarianceEstimator,
      realisedVolatility: measured.meta({
        description: 'Of the minimum-variance portfolio out of sample, a year; baseline: Ledoit-Wolf.',
      }),
    }),
  ),
});
export type Dependence = z.infer<typeof dependence>;

export const getDependence = defineRoute({
  id: 'getDependence',
  method: 'GET',
  path: '/market/universes/:universeId/dependence',
  group: 'market',
  summary: 'Correlations of a universe, its clusters and its tree',
  scope: 'market:read',
  cache: ['universe', 'instrument', 'run', 'case'],
  params: universeParams,
  query: windowQuery.extend({ estimator: covarianceEstimator.default('denoised') }),
  status: 200,
  answer: dependence,
  problems: ['NOT_FOUND'],
});

export const relations = universeReading.extend({
  direct: z.array(
    z.object({
      a: place,
      b: place,
      partialCorrelation: correlation.meta({ description: 'What is left when all others are held fixed.' }),
      stability: share.meta({ description: 'Share of bootstrap samples with this link; shown from 0.8 on.' }),
    }),
  ),
  directSampleCount: count.meta({
    description: 'Bootstrap samples behind `stability`; fewer for a large universe, at least 20.',
    example: 100,
  }),
  leads: z.array(
    z.object({
      leader: place,
      follower: place,
      lagSessions: z.int().min(1).max(10).meta({ example: 1 }),
      correlation,
      adjustedP: share.meta({ description: 'p value under control of the false-discovery rate.', example: 0.02 }),
    }),
  ),
  leadTestCount: count.meta({ description: 'Pairs and lags tested.', example: 1530 }),
  breaks: z.array(
    z.object({
      a: place,
      b: place,
      day,
      before: correlation,
      after: correlation,
      low: correlation.meta({ description: 'Lower end of what its own past allows, 95 %.', example: 0.2 }),
      high: correlation.meta({ description: 'Upper end of it.', example: 0.7 }),
      adjustedP: share,
      sentence: z.string().meta({
        description: 'The event in words.',
        example: 'ALDR and BIRC moved together at 0.61; over the last 63 sessions at 0.05.',
      }),
    }),
  ),
  breakTestCount: count,
  sentence: z.string().meta({
    description: 'What was found, in words, also when it is nothing.',
    example: 'No lead or lag can be told from chance among 1,530 tests.',
  }),
});
export type Relations = z.infer<typeof relations>;

export const getRelations = defineRoute({
  id: 'getRelations',
  method: 'GET',
  path: '/market/universes/:universeId/relations',
  group: 'market',
  summary: 'Hidden relations: direct links, who leads whom, what broke',
  scope: 'market:read',
  cache: ['universe', 'instrument', 'run', 'case'],
  params: universeParams,
  query: windowQuery,
  status: 200,
  answer: relations,
  problems: ['NOT_FOUND'],
});
