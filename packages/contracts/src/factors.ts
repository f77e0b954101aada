import { z } from 'zod';
import { count, day, fraction, id, idParam, timeQuery } from './fields.ts';
import { measured, reading, reason, subjectParams } from './market.ts';
import { defineRoute } from './route.ts';

export const factorSet = z.enum(['statistical', 'style', 'proxies', 'macro']).meta({
  description:
    'statistical: principal components of the universe; style: market, size, momentum and low volatility built from it; proxies: returns of chosen instruments; macro: changes of stored macro series.',
  example: 'style',
});

const factorName = z.string().min(1).max(60).meta({ description: 'Name of a factor.', example: 'momentum' });
const list = z.string().max(400).optional();

export const factors = reading.extend({
  set: factorSet,
  universe: z.object({ id, name: z.string().meta({ example: 'Large caps' }) }).nullable(),
  sessions: count,
  windowFirstDay: day.nullable(),
  windowLastDay: day.nullable(),
  excluded: z.array(factorName),
  factors: z.array(
    z.object({
      factor: factorName,
      about: z.string().meta({
        description: 'How it is made.',
        example: 'Winners minus losers of the last 252 sessions without the last 21.',
      }),
      exposure: z.number().nullable().meta({ description: 'Coefficient of the regression.', example: 0.31 }),
      low: z.number().nullable().meta({ description: 'Lower end of the 95 % HAC interval.', example: 0.12 }),
      high: z.number().nullable().meta({ description: 'Upper end of it.', example: 0.5 }),
      pValue: z.number().min(0).max(1).nullable().meta({ example: 0.004 }),
      varianceShare: fraction
        .nullable()
        .meta({ description: 'Its part of the variance; parts add up to 1.', example: 0.21 }),
      returnPart: fraction
        .nullable()
        .meta({ description: 'Its part of the mean return a year; parts add up to the whole.', example: 0.013 }),
    }),
  ),
  residual: z.object({
    varianceShare: fraction.nullable().meta({ description: 'Unexplained by linear factors.', example: 0.34 }),
    returnPart: fraction.nullable().meta({ description: 'Intercept and residual, a year.', example: 0.004 }),
  }),
  total: z.object({
    volatilityAnnual: z.number().min(0).nullable().meta({ example: 0.18 }),
    meanReturnAnnual: fraction.nullable().meta({ description: 'Mean daily return × 252.', example: 0.07 }),
    /** What is left of the sums; rounding only. */
    varianceMismatch: z.number().nullable().meta({ description: 'Sum of the variance parts minus 1.', example: 0 }),
    returnMismatch: z.number().nullable().meta({ description: 'Sum of the return parts minus the whole.', example: 0 }),
  }),
  alpha: measured.meta({ description: 'Intercept a year with its HAC interval; baseline 0.' }),
  fit: measured.meta({
    description: 'R² of the last third of the sessions with exposures of those before; baseline: their mean.',
  }),
  holdings: z
    .array(
      z.object({
        instrumentId: id,
        symbol: z.string().meta({ example: 'ALDR' }),
        weight: fraction,
        marginalRisk: z
          .number()
          .nullable()
          .meta({ description: 'Change of volatility a year for one unit more of weight.', example: 0.14 }),
        riskShare: fraction
          .nullable()
          .meta({ description: 'Its part of the variance; parts add up to 1.', example: 0.05 }),
      }),
    )
    .meta({ description: 'Of an index: what its last holdings put in. Empty for an instrument.' }),
  sentence: z.string().meta({
    description: 'The make-up in words.',
    example: 'Two thirds of the variance is the market; nothing else can be told from nought.',
  }),
  reason: reason.nullable(),
});
export type Factors = z.infer<typeof factors>;

export const getFactors = defineRoute({
  id: 'getFactors',
  method: 'GET',
  path: '/market/:kind/:id/factors',
  group: 'market',
  summary: 'What an instrument or index is made of: exposures, variance and return by factor',
  scope: 'market:read',
  cache: ['index', 'universe', 'instrument', 'run', 'case'],
  params: subjectParams,
  query: timeQuery.extend({
    set: factorSet.default('style'),
    universeId: idParam.optional().meta({
      description:
        'Universe the factors are made from. Default: of an index its own; of an instrument the first that holds it.',
      example: 1,
    }),
    proxies: list.meta({ description: 'Instrument ids for `proxies`, with commas.', example: '3,7' }),
    series: list.meta({ description: 'Series codes for `macro`, with commas.', example: 'UNRATE,CPIAUCSL' }),
    exclude: list.meta({ description: 'Factors to leave out, with commas.', example: 'size' }),
    sessions: z.coerce
      .number()
      .int()
      .min(60)
      .max(2520)
      .default(504)
      .meta({ description: 'Sessions looked at.', example: 504 }),
  }),
  status: 200,
  answer: factors,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

export type FactorSet = z.infer<typeof factorSet>;
