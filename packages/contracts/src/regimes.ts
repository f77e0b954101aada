import { z } from 'zod';
import { count, day, id, instant, page, pageQuery, sha256, timeAnswer, timeQuery } from './fields.ts';
import { reading, reason, subjectParams } from './market.ts';
import { defineRoute } from './route.ts';

export const regimeState = z.enum(['bull', 'sideways', 'bear']).meta({
  description:
    'Named by fitted volatility, calmest first; of states that are equally wild, by fitted mean. A name, not a promise about returns.',
  example: 'sideways',
});
export type RegimeState = z.infer<typeof regimeState>;

const probability = z
  .number()
  .min(0)
  .max(1)
  .meta({ description: '0..1. Filtered: uses data up to this day only.', example: 0.82 });
const stateOrNull = regimeState.nullable();

export const regimeProbabilities = z.object({ bull: probability, sideways: probability, bear: probability });

/** One state as a fit sees it. */
export const fittedState = z.object({
  state: regimeState,
  meanAnnual: z.number().meta({ description: 'Mean log return, 252 days. A fraction.', example: 0.12 }),
  volatilityAnnual: z
    .number()
    .meta({ description: 'Standard deviation of log returns, 252 days. A fraction.', example: 0.11 }),
  stayDays: z.number().meta({ description: 'Mean sessions until the state is left.', example: 180 }),
  longRunShare: z.number().meta({ description: 'Share of days in the long run of the fitted chain.', example: 0.45 }),
});

export const regimeFit = z.object({
  firstDay: day.meta({ description: 'First day that was read with it.' }),
  fittedFrom: day.meta({ description: 'First day of its training window.' }),
  fittedThrough: day.meta({ description: 'Last day of its training window: always before firstDay.' }),
  states: z.array(fittedState),
  degreesOfFreedom: z
    .number()
    .nullable()
    .meta({ description: 'Tails of the states, a Student t; null: normal.', example: 6 }),
  logLikelihood: z.number().meta({ description: 'Of the training window.', example: 8123.4 }),
  converged: z.boolean().meta({ description: 'False: it stopped at the bound of steps.', example: true }),
  renamed: z.boolean().meta({
    description:
      'True when the names of the fit before could not be carried: a wilder state would have been called calmer.',
    example: false,
  }),
});

export const regimeSkill = z.object({
  simulator: z.string().meta({ description: 'Where it was measured.', example: 'Simulator A, Gaussian, seeds 1-200' }),
  balancedAccuracy: z
    .number()
    .meta({ description: 'Mean share of days named rightly over the three states.', example: 0.87 }),
  oracleAccuracy: z.number().meta({
    description: 'The same of the filter that knows the true parameters: nobody can do better.',
    example: 0.89,
  }),
  lagDaysMedian: z
    .number()
    .meta({ description: 'Sessions from a true switch to the first day named rightly.', example: 12 }),
  lagDaysNinety: z
    .number()
    .meta({ description: '90 % of true switches are named within so many sessions.', example: 33 }),
  missedShare: z.number().meta({ description: 'Share of true spells of 40 days or more never named.', example: 0.02 }),
  switchesPerYear: z.number().meta({ description: 'Named switches a year; 1.7 are true.', example: 2.4 }),
  falseSwitchesPerYear: z
    .number()
    .meta({ description: 'Named switches a year into a state that was not the true one that day.', example: 0.6 }),
});

const regimeMethod = z
  .enum(['hidden_markov', 'jump_model', 'volatility_rule'])
  .meta({ description: 'How a day is named.', example: 'hidden_markov' });

export const regimeComparison = z.object({
  method: regimeMethod,
  current: stateOrNull,
  switchesPerYear: z
    .number()
    .nullable()
    .meta({ description: 'Over the days read here; null: none was.', example: 2.1 }),
  agreement: z
    .number()
    .nullable()
    .meta({ description: 'Share of days named like the hidden Markov model names them.', example: 0.81 }),
});

export const regimes = reading.extend({
  reason: reason.nullable().meta({ description: 'Why there is no regime at all; null when there is.', example: null }),
  current: z
    .object({
      day,
      state: regimeState,
      since: day.meta({ description: 'First day of the present spell.' }),
      sessionCount: count.meta({ description: 'Sessions of the present spell so far.', example: 34 }),
      probabilities: regimeProbabilities,
      changePointProbability: probability.meta({
        description: '0..1. That returns changed their level or size within the last 21 sessions, by another detector.',
        example: 0.07,
      }),
    })
    .nullable(),
  lagNote: z.string().meta({
    description: 'How late this is, in one sentence that must stand beside the band.',
    example:
      'Detects, with a lag: on simulated markets half of the switches were named within 12 sessions, nine of ten within 33.',
  }),
  skill: z.array(regimeSkill),
  days: z.array(day).meta({ example: ['2026-01-14', '2026-01-15'] }),
  state: z.array(stateOrNull).meta({
    description: 'The band: changes when another state reaches the probability in `switchAt`. Null in the warm-up.',
    example: ['sideways', 'sideways'],
  }),
  bull: z.array(z.number().nullable()).meta({ description: 'Filtered probability, one a day.', example: [0.1, 0.09] }),
  sideways: z.array(z.number().nullable()).meta({ description: 'Filtered probability.', example: [0.8, 0.82] }),
  bear: z.array(z.number().nullable()).meta({ description: 'Filtered probability.', example: [0.1, 0.09] }),
  changePoint: z.array(z.number().nullable()).meta({
    description: 'Probability that returns changed within the last 21 sessions, given the days up to this one.',
    example: [0.06, 0.07],
  }),
  jumpState: z.array(stateOrNull).meta({ description: 'The jump model, online.', example: ['sideways', 'sideways'] }),
  volatilityState: z
    .array(stateOrNull)
    .meta({ description: '21-day volatility in its past thirds.', example: ['sideways', 'sideways'] }),
  switchAt: z
    .number()
    .meta({ description: 'Probability another state must reach before the band changes.', example: 0.65 }),
  spells: z.array(z.object({ state: regimeState, firstDay: day, lastDay: day, sessionCount: count })),
  fits: z.array(regimeFit).meta({ description: 'Every refit, oldest first; each reads only days after its window.' }),
  comparison: z.array(regimeComparison),
});
export type Regimes = z.infer<typeof regimes>;

export const regimeRecord = z.object({
  id,
  sequence: count.meta({ description: 'Number among the records of its subject, from 1.', example: 1 }),
  day,
  state: regimeState,
  probabilities: regimeProbabilities,
  changePointProbability: probability,
  time: timeAnswer,
  dataSha256: sha256.meta({ description: 'Hash of the bars it was computed from.' }),
  configSha256: sha256.meta({ description: 'Hash of the settings.' }),
  codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
  previousSha256: sha256.nullable().meta({ description: 'Seal of the record before; null for the first.' }),
  recordSha256: sha256.meta({
    description: 'Seal: hash of the seal before and of everything above in canonical form.',
  }),
  sealedAt: instant,
  sealedBy: id.nullable(),
});
export type RegimeRecord = z.infer<typeof regimeRecord>;

export const regimeMemory = regimeRecord.extend({
  isSealIntact: z
    .boolean()
    .meta({ description: 'The seal, computed again from what is stored, is the stored one.', example: true }),
  now: z
    .object({ state: stateOrNull, probabilities: regimeProbabilities.nullable() })
    .meta({ description: 'What the present reading says of the same day.' }),
  differs: z
    .boolean()
    .meta({ description: 'True when the state said then is not the state said now.', example: false }),
});
export type RegimeMemory = z.infer<typeof regimeMemory>;

export const getRegimes = defineRoute({
  id: 'getRegimes',
  method: 'GET',
  path: '/market/:kind/:id/regimes',
  group: 'market',
  summary: 'Filtered regime probabilities, the band with its lag note, and what other methods say',
  scope: 'market:read',
  cache: ['index', 'instrument', 'run', 'case'],
  params: subjectParams,
  query: timeQuery,
  status: 200,
  answer: regimes,
  problems: ['NOT_FOUND'],
});
export const sealRegime = defineRoute({
  id: 'sealRegime',
  method: 'POST',
  path: '/market/:kind/:id/regimes/records',
  group: 'market',
  summary: 'Put on record what is said of the last known day; never changed afterwards',
  scope: 'task:write',
  params: subjectParams,
  body: timeQuery,
  status: 201,
  answer: regimeRecord,
  problems: ['NOT_FOUND', 'NOT_ENOUGH_HISTORY', 'ALREADY_EXISTS'],
});
export const listRegimeRecords = defineRoute({
  id: 'listRegimeRecords',
  method: 'GET',
  path: '/market/:kind/:id/regimes/records',
  group: 'market',
  summary: 'What was said then, newest first, beside what is said now of the same day',
  scope: 'market:read',
  params: subjectParams,
  query: pageQuery,
  status: 200,
  answer: page(regimeMemory),
  problems: ['NOT_FOUND'],
});
