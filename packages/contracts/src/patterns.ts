import { z } from 'zod';
import { count, day, fraction, id, name, price, timeQuery } from './fields.ts';
import { reading, reason, subjectParams } from './market.ts';
import { defineRoute } from './route.ts';

const direction = z.enum(['up', 'down', 'none']).meta({
  description: 'The way it is said to point; none: undecided, its figures are shares that rose.',
  example: 'up',
});

/**
 * What followed a kind of pattern in the universe, of cases whose outcome was known by asOf. A figure that cannot be told
 * from nothing says so in its sentence.
 */
export const patternRecord = z.object({
  family: z.enum(['chart', 'candle']).meta({ description: 'Which detector.', example: 'chart' }),
  kind: z.string().meta({ description: 'Kind of pattern.', example: 'double-top' }),
  direction,
  horizonDays: count.meta({
    description: 'Sessions after the confirmation at which the outcome is taken.',
    example: 10,
  }),
  sampleCount: count.meta({ description: 'Cases with a known outcome.', example: 184 }),
  dayCount: count.meta({ description: 'Different confirmation days among them.', example: 171 }),
  baseRate: fraction.nullable().meta({
    description: 'Share of cases after which the price had moved the way the pattern points.',
    example: 0.512,
  }),
  unconditionalRate: fraction.nullable().meta({
    description: 'The same share over all days of the same universe.',
    example: 0.489,
  }),
  lift: z.number().nullable().meta({ description: 'baseRate / unconditionalRate.', example: 1.047 }),
  difference: fraction.nullable().meta({ description: 'baseRate − unconditionalRate.', example: 0.023 }),
  low: fraction
    .nullable()
    .meta({ description: 'Lower end of the 95 % block-bootstrap interval of it.', example: -0.041 }),
  high: fraction.nullable().meta({ description: 'Upper end of it.', example: 0.088 }),
  meanReturn: fraction
    .nullable()
    .meta({ description: 'Mean log return over the horizon, unsigned.', example: -0.0012 }),
  unconditionalMeanReturn: fraction.nullable().meta({ description: 'The same over all days.', example: 0.0021 }),
  pValue: fraction.nullable().meta({ description: 'Two-sided, of no difference.', example: 0.48 }),
  adjustedP: fraction.nullable().meta({
    description: 'After Benjamini-Hochberg over every kind and direction tested in this answer.',
    example: 0.83,
  }),
  isTold: z.boolean().meta({
    description: 'True when the difference survives at a false-discovery rate of 5 %.',
    example: false,
  }),
  sentence: z.string().meta({
    description: 'What may be said of it.',
    example: '51 % of 184 cases fell over 10 sessions, against 49 % of all days: not to be told from nothing.',
  }),
  reason: reason.nullable().meta({ description: 'Why the figures are null; null when they are not.', example: null }),
});
export type PatternRecord = z.infer<typeof patternRecord>;

const point = z.object({ day, price });

/** One pattern found in the subject's own bars. */
export const patternMark = z.object({
  family: z.enum(['chart', 'candle']).meta({ description: 'Which detector.', example: 'chart' }),
  kind: z.string().meta({ description: 'Kind of pattern.', example: 'double-top' }),
  name: z.string().meta({ description: 'The kind for people.', example: 'Double top' }),
  direction,
  firstDay: day.meta({ description: 'Its first bar.' }),
  confirmationDay: day.meta({ description: 'The bar on which it could first be told; nothing after it was used.' }),
  points: z.array(point).meta({
    description: 'Turning points to draw, in order; empty for candles.',
    example: [{ day: '2026-01-15', price: 101.25 }],
  }),
  lines: z
    .array(
      z.object({
        role: z.enum(['break']).meta({ description: 'The line whose crossing confirmed.', example: 'break' }),
        from: point,
        to: point,
      }),
    )
    .meta({
      description: 'Lines to draw.',
      example: [{ role: 'break', from: { day: '2026-01-05', price: 98.5 }, to: { day: '2026-01-15', price: 98.5 } }],
    }),
  height: fraction.nullable().meta({
    description: 'From the line to the far side, as a log return; null for candles.',
    example: 0.084,
  }),
  noise: fraction.nullable().meta({
    description: 'Standard deviation around the fitted legs in heights: smaller is cleaner. Null for candles.',
    example: 0.09,
  }),
  record: patternRecord,
});
export type PatternMark = z.infer<typeof patternMark>;

export const changePoint = z.object({
  day: day.meta({ description: 'First day of the new stretch.' }),
  tellableDay: day.nullable().meta({
    description: 'First day on which data up to that day had shown it; null when not within the span looked at.',
  }),
  statistic: z
    .enum(['mean-and-variance'])
    .meta({ description: 'What changed: mean and variance of the daily log return.', example: 'mean-and-variance' }),
  before: z.object({
    meanAnnual: fraction.meta({ description: 'Mean log return a year before it.', example: 0.12 }),
    volatilityAnnual: fraction.meta({ description: 'Volatility a year before it.', example: 0.14 }),
  }),
  after: z.object({
    meanAnnual: fraction.meta({ description: 'Mean log return a year after it.', example: -0.2 }),
    volatilityAnnual: fraction.meta({ description: 'Volatility a year after it.', example: 0.33 }),
  }),
});
export type ChangePoint = z.infer<typeof changePoint>;

const scope = z.object({
  universeId: id.nullable().meta({ description: 'Null: measured on the subject alone.', example: 3 }),
  name: name.nullable().meta({ description: 'Its name.', example: 'My universe' }),
  memberCount: count.meta({ description: 'Members with bars.', example: 426 }),
  usedCount: count.meta({ description: 'Members measured: the subject, then others drawn by the seed.', example: 40 }),
  barCount: count.meta({ description: 'Bars measured, of all of them together.', example: 100_800 }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  testCount: count.meta({ description: 'Kinds and directions tested together.', example: 87 }),
  sentence: z.string().meta({
    description: 'What the universe does to the figures.',
    example: 'Measured on 40 of 426 members as they are listed in the universe today: survivors flatter what rises.',
  }),
});

export const getPatterns = defineRoute({
  id: 'getPatterns',
  method: 'GET',
  path: '/market/:kind/:id/patterns',
  group: 'market',
  summary: 'Chart patterns, candles and change points, with what followed them before',
  scope: 'portfolio:read',
  params: subjectParams,
  query: timeQuery.extend({
    days: z.coerce
      .number()
      .int()
      .min(1)
      .max(2520)
      .default(250)
      .meta({ description: 'Chart patterns confirmed in this many last sessions.', example: 250 }),
    candleDays: z.coerce
      .number()
      .int()
      .min(1)
      .max(2520)
      .default(60)
      .meta({ description: 'Candles of this many last sessions.', example: 60 }),
    horizonDays: z.coerce
      .number()
      .int()
      .min(1)
      .max(63)
      .default(10)
      .meta({ description: 'Sessions after which the outcome is taken.', example: 10 }),
    strictness: z.enum(['strict', 'loose']).default('loose').meta({
      description:
        'strict: the settings the study judges, a handful of chart patterns in ten years. loose: some seven times as many, and more of them chance.',
      example: 'loose',
    }),
    universeId: z.coerce
      .number()
      .int()
      .min(0)
      .max(2147483647)
      .optional()
      .meta({ description: 'Universe of the base rates. Default: the first that has the subject.', example: 3 }),
  }),
  status: 200,
  answer: reading.extend({
    patterns: z.array(patternMark).meta({ description: 'Chart patterns, by confirmation.' }),
    candles: z.array(patternMark).meta({ description: 'Candlestick patterns, by day.' }),
    changePoints: z.array(changePoint).meta({ description: 'By day.' }),
    records: z
      .array(patternRecord)
      .meta({ description: 'Every kind and direction tested, also those not marked here.' }),
    scope,
    reasons: z
      .object({ patterns: reason.nullable(), candles: reason.nullable(), changePoints: reason.nullable() })
      .meta({
        description: 'Why a list is empty when it could not be computed.',
        example: { patterns: null, candles: null, changePoints: null },
      }),
  }),
  cache: ['case', 'index', 'instrument', 'run', 'universe'],
  problems: ['NOT_FOUND'],
});
