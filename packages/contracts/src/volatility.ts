import { z } from 'zod';
import { count, day, fraction, id, sha256, symbol, timeAnswer, timeQuery } from './fields.ts';
import { measured, reading, readingLineage, reason, subjectParams } from './market.ts';
import { defineRoute } from './route.ts';

/** How a day's variance was measured; the forecasts are about this measure. */
export const varianceProxy = z
  .enum(['garman_klass_overnight', 'squared_return'])
  .meta({ description: 'How variance was measured.', example: 'garman_klass_overnight' });

const volatilityAnnual = z
  .number()
  .min(0)
  .meta({ description: 'Volatility a year: √(252 × variance a day). 0.18 means 18 %.', example: 0.18 });
const probability = z.number().min(0).max(1).meta({ description: '0..1.', example: 0.22 });
const pValue = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .meta({ description: 'p value of the test; null: not defined on these days.', example: 0.41 });

export const volatilityModel = z
  .enum(['ewma_94', 'har', 'log_har_leverage', 'log_har_smooth', 'log_har_decay', 'log_har_blend', 'garch', 'gjr_t'])
  .meta({ description: 'A model of volatility.', example: 'log_har_blend' });

export const volatilityForecast = z.object({
  horizon: z.int().min(1).max(63).meta({ description: 'Sessions ahead that are averaged.', example: 5 }),
  volatilityAnnual: volatilityAnnual.nullable().meta({ description: 'The forecast; null: see reason.', example: 0.18 }),
  low: volatilityAnnual.nullable().meta({ description: 'Lower end of the 90 % interval.', example: 0.11 }),
  high: volatilityAnnual.nullable().meta({ description: 'Upper end of the 90 % interval.', example: 0.29 }),
  baseline: volatilityAnnual.nullable().meta({ description: 'What EWMA(.94) says for the same days.', example: 0.2 }),
  models: z.array(volatilityModel).meta({
    description: 'Members of the model confidence set; their geometric mean is the forecast.',
    example: ['log_har_blend'],
  }),
  coverage: measured.meta({ description: 'Share of past days that fell into the interval told then; nominal 0.90.' }),
  gain: measured.meta({ description: 'Share of EWMA(.94)’s QLIKE loss that the served forecast saved in the past.' }),
  reason: reason.nullable(),
});

export const modelComparison = z.object({
  model: volatilityModel,
  horizon: z.int().min(1).max(63).meta({ example: 5 }),
  meanLoss: z.number().nullable().meta({ description: 'Mean QLIKE loss over the days compared.', example: 0.177 }),
  inConfidenceSet: z.boolean().meta({ description: 'Not told from the best at 90 %.', example: true }),
  confidenceSetP: pValue.meta({ description: 'p value of the model confidence set.', example: 0.62 }),
  dieboldMarianoP: pValue.meta({ description: 'p value against EWMA(.94), two-sided.', example: 0.003 }),
  dayCount: count,
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  reason: reason.nullable(),
});

/** What a volatility reading says, whoever the subject is. */
export const volatilityReading = z.object({
  proxy: z.object({
    name: varianceProxy.nullable(),
    wholeBarShare: fraction.meta({ description: 'Share of days with open, high and low, 0..1.', example: 0.998 }),
    note: z
      .string()
      .nullable()
      .meta({ description: 'Why the range could not be used; null where it could.', example: null }),
  }),
  history: z.array(
    z.object({
      day,
      dayVolatility: volatilityAnnual.nullable().meta({ description: 'Measured on the day alone.', example: 0.14 }),
      monthVolatility: volatilityAnnual.nullable().meta({ description: 'Measured over 22 sessions.', example: 0.16 }),
      forecast: volatilityAnnual
        .nullable()
        .meta({ description: 'Told for this day on the day before.', example: 0.15 }),
    }),
  ),
  forecasts: z.array(volatilityForecast).meta({ description: 'For 1, 5 and 21 sessions.' }),
  cone: z.array(
    z.object({
      horizon: z.int().min(1).max(63).meta({ example: 10 }),
      volatilityAnnual,
      low: volatilityAnnual,
      high: volatilityAnnual,
      interpolated: z
        .boolean()
        .meta({ description: 'Between two horizons with a model of their own.', example: false }),
    }),
  ),
  comparison: z.array(modelComparison),
  reason: reason.nullable().meta({ description: 'Why there is no forecast at all.' }),
});
export type VolatilityReading = z.infer<typeof volatilityReading>;

/** What a drawdown reading says, whoever the subject is. */
export const drawdownReading = z.object({
  event: z.object({
    sessions: z.int().meta({ description: 'Sessions ahead that are watched.', example: 21 }),
    fall: fraction.meta({ description: 'The fall below the last close that counts as touched.', example: 0.05 }),
    watches: z
      .enum(['low', 'close'])
      .meta({ description: 'The lows, or the closes where no lows are known.', example: 'low' }),
  }),
  probability: probability.nullable().meta({ description: 'Of touching it; null: see reason.', example: 0.22 }),
  low: probability.nullable().meta({ description: 'Lower end of the 95 % interval of its band.', example: 0.17 }),
  high: probability.nullable().meta({ description: 'Upper end of the 95 % interval of its band.', example: 0.28 }),
  baseRate: probability.nullable().meta({ description: 'Share of all past days that touched it.', example: 0.31 }),
  ewmaProbability: probability.nullable().meta({ description: 'What EWMA volatility alone says.', example: 0.25 }),
  reliability: z.array(
    z.object({
      forecastMean: probability,
      realised: probability.meta({ description: 'Share that touched it.', example: 0.2 }),
      low: probability.meta({ description: 'Lower end of the 95 % block bootstrap interval.', example: 0.15 }),
      high: probability.meta({ description: 'Upper end of it.', example: 0.26 }),
      count,
    }),
  ),
  skill: measured.meta({ description: 'Brier skill over the expanding base rate.' }),
  gainOverEwma: measured.meta({ description: 'Brier skill over the same model with EWMA volatility alone.' }),
  history: z.array(
    z.object({
      day,
      probability: probability.nullable(),
      touched: z.boolean().nullable().meta({ description: 'Null: not known yet.', example: false }),
    }),
  ),
  reason: reason.nullable(),
});
export type DrawdownReading = z.infer<typeof drawdownReading>;

export const riskMethod = z
  .enum(['filtered_historical', 'historical', 'cornish_fisher', 'garch_t', 'ewma_normal'])
  .meta({ description: 'How the tail was measured.', example: 'filtered_historical' });

export const riskMeasure = z.object({
  method: riskMethod,
  level: z.union([z.literal(0.95), z.literal(0.99)]).meta({ description: 'Confidence level.', example: 0.95 }),
  valueAtRisk: fraction
    .nullable()
    .meta({ description: 'Loss of the next session not exceeded at the level.', example: 0.018 }),
  expectedShortfall: fraction.nullable().meta({ description: 'Mean loss beyond it.', example: 0.026 }),
  backtest: z.object({
    dayCount: count,
    firstDay: day.nullable(),
    lastDay: day.nullable(),
    breachCount: count,
    breachRate: fraction.nullable().meta({ description: 'Share of days beyond it.', example: 0.049 }),
    kupiecP: pValue.meta({ description: 'Kupiec: is the rate right?', example: 0.71 }),
    independenceP: pValue.meta({ description: 'Christoffersen: do breaches come alone?', example: 0.24 }),
    conditionalCoverageP: pValue.meta({ description: 'Christoffersen: both at once.', example: 0.47 }),
    fisslerZiegel: measured.meta({
      description: 'Mean Fissler-Ziegel loss less normal EWMA’s on the same days; below 0 is better.',
    }),
  }),
  reason: reason.nullable(),
});

/** What a value-at-risk reading says, whoever the subject is. */
export const valueAtRiskReading = z.object({
  served: riskMethod.meta({ description: 'The method shown first.', example: 'filtered_historical' }),
  measures: z.array(riskMeasure),
  reason: reason.nullable(),
});
export type ValueAtRiskReading = z.infer<typeof valueAtRiskReading>;

export const getVolatility = defineRoute({
  id: 'getVolatility',
  method: 'GET',
  path: '/market/:kind/:id/volatility',
  group: 'market',
  summary: 'Volatility of a subject: history, forecasts with intervals, cone, and how the models compare',
  scope: 'market:read',
  params: subjectParams,
  query: timeQuery,
  status: 200,
  answer: z.object({ ...reading.shape, ...volatilityReading.shape }),
  cache: ['instrument', 'run', 'case', 'index'],
  problems: ['NOT_FOUND'],
});
export const getDrawdown = defineRoute({
  id: 'getDrawdown',
  method: 'GET',
  path: '/market/:kind/:id/drawdown',
  group: 'market',
  summary: 'Calibrated probability that the price touches 5 % below the last close within 21 sessions',
  scope: 'market:read',
  params: subjectParams,
  query: timeQuery,
  status: 200,
  answer: z.object({ ...reading.shape, ...drawdownReading.shape }),
  cache: ['instrument', 'run', 'case', 'index'],
  problems: ['NOT_FOUND'],
});
export const getValueAtRisk = defineRoute({
  id: 'getValueAtRisk',
  method: 'GET',
  path: '/market/:kind/:id/value-at-risk',
  group: 'market',
  summary: 'Value at risk and expected shortfall of the next session by five methods, with their backtests',
  scope: 'market:read',
  params: subjectParams,
  query: timeQuery,
  status: 200,
  answer: z.object({ ...reading.shape, ...valueAtRiskReading.shape }),
  cache: ['instrument', 'run', 'case', 'index'],
  problems: ['NOT_FOUND'],
});

const holding = z.object({
  instrumentId: id,
  weight: z.number().min(-10).max(10).meta({ description: 'Share of the value; short is negative.', example: 0.5 }),
});

export const computePortfolioRisk = defineRoute({
  id: 'computePortfolioRisk',
  method: 'POST',
  path: '/market/portfolio-risk',
  group: 'market',
  summary: 'The same forecasts for weights over instruments, held constant over the past: hypothetical',
  scope: 'market:read',
  body: z.object({
    holdings: z.array(holding).min(1).max(100).meta({ description: 'Each instrument once; the rest is cash.' }),
    ...timeQuery.shape,
  }),
  status: 200,
  answer: z.object({
    label: z.literal('hypothetical').meta({ description: 'Nobody held these weights.', example: 'hypothetical' }),
    time: timeAnswer,
    lineage: readingLineage,
    holdings: z.array(z.object({ ...holding.shape, symbol, dataSha256: sha256 })),
    barCount: count.meta({ description: 'Days on which every instrument has a return.', example: 2520 }),
    firstDay: day.nullable(),
    lastDay: day.nullable(),
    note: z
      .string()
      .nullable()
      .meta({ description: 'What the numbers leave out; null when nothing is known to be.', example: null }),
    volatility: volatilityReading,
    drawdown: drawdownReading,
    valueAtRisk: valueAtRiskReading,
  }),
  problems: ['NOT_FOUND'],
});
