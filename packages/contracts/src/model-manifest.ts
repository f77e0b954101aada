import { z } from 'zod';
import { count, day, id, sha256 } from './fields.ts';

/** What can be forecast: docs/methods/targets.md. */
export const TARGETS = [
  'volatility_direction',
  'forward_volatility',
  'drawdown_touch',
  'return_rank',
  'return_direction',
] as const;
export const targetName = z.enum(TARGETS).meta({
  description:
    'volatility_direction: whether the next days swing more than the last month. forward_volatility: how much they swing. drawdown_touch: whether the low falls 5 % below the close. return_rank: the place among the universe. return_direction: whether the close rises.',
  example: 'volatility_direction',
});
export type TargetName = z.infer<typeof targetName>;

export const modelName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/)
  .meta({ description: 'Lower case, digits, dashes, underscores.', example: 'volatility-direction' });
export const modelVersion = z
  .int()
  .min(1)
  .max(2147483647)
  .meta({ description: 'Counts from 1 in each model.', example: 3 });

const numberOrNull = z.number().nullable();

/** A figure of skill is never told alone: what it is held against, how sure, over which days, after how many trials. */
export const skill = z.object({
  metric: z
    .enum(['balanced_accuracy', 'accuracy', 'brier', 'log_loss', 'qlike', 'rank_ic', 'mean_squared_error', 'auc'])
    .meta({ example: 'balanced_accuracy' }),
  higherIsBetter: z.boolean().meta({ example: true }),
  value: numberOrNull.meta({ description: 'Out of sample; null: see the sentence of the verdict.', example: 0.672 }),
  low: numberOrNull.meta({ description: 'Lower end of the 95 % block-bootstrap interval.', example: 0.641 }),
  high: numberOrNull.meta({ description: 'Upper end.', example: 0.702 }),
  firstDay: day.nullable().meta({ description: 'First day forecast out of sample.' }),
  lastDay: day.nullable(),
  sampleCount: count.meta({ description: 'Forecasts it rests on.', example: 3770 }),
  trialCount: count.meta({ description: 'Trials in the ledger on this data, this one included.', example: 12 }),
  costs: z.string().meta({
    description: 'Costs taken off where money is meant; else why none.',
    example: 'none: a forecast of risk, no trade',
  }),
  baselines: z.array(
    z.object({
      name: z.string().meta({ example: '5-day above 22-day mean' }),
      value: numberOrNull.meta({ example: 0.629 }),
      difference: numberOrNull.meta({
        description: 'Skill over it, paired, same days; positive is better.',
        example: 0.043,
      }),
      low: numberOrNull.meta({ description: 'Lower end of the 95 % interval of the difference.', example: 0.021 }),
      high: numberOrNull.meta({ description: 'Upper end.', example: 0.066 }),
    }),
  ),
  coverage: numberOrNull.meta({ description: 'Share of days on which it did not abstain.', example: 0.76 }),
  valueWhenActing: numberOrNull.meta({ description: 'The metric on those days.', example: 0.717 }),
  intervalCoverage: numberOrNull.meta({
    description: 'Share of outcomes inside the interval; null: no interval.',
    example: 0.89,
  }),
  intervalLevel: numberOrNull.meta({ description: 'What it should be.', example: 0.9 }),
});
export type Skill = z.infer<typeof skill>;

export const verdict = z.object({
  passed: z.boolean().meta({ example: true }),
  sentence: z.string().meta({
    description: 'Why, with the numbers.',
    example: 'Better than each of 3 baselines: the lowest lower bound is +0.021 over the linear model.',
  }),
});

/** One part of a forecaster. */
export const member = z.object({
  learner: z.string().meta({ description: 'Family.', example: 'gradient_boosted_trees' }),
  weight: z.number().min(0).meta({ description: 'Share in the forecast; they add up to 1.', example: 0.4 }),
  settings: z.record(z.string(), z.unknown()).meta({ example: { trees: 200, depth: 3 } }),
  skill: skill.nullable().meta({ description: 'Its own skill on the same days.' }),
});

/** What a version is made of. It never changes once it is registered. */
export const modelManifest = z.object({
  format: z.enum(['forecaster', 'onnx', 'mlflow']).meta({
    description: 'forecaster: ours. onnx: a foreign model with our features. mlflow: kept, not served.',
    example: 'forecaster',
  }),
  target: targetName.nullable().meta({ description: 'Null: a foreign model that forecasts something else.' }),
  horizonDays: count.meta({ description: 'Trading days until the outcome is known.', example: 5 }),
  unit: z.string().meta({ description: 'Unit of the value.', example: 'probability' }),
  universeId: id.nullable().meta({ description: 'Universe it learnt from.' }),
  features: z.array(z.string()).meta({ description: 'In the order of its inputs.', example: ['natr_14', 'roc_21'] }),
  stepCount: count.meta({ description: 'Days of features one forecast reads.', example: 20 }),
  members: z.array(member),
  datasetSha256: sha256.meta({ description: 'Training data.' }),
  featureSha256: sha256.meta({ description: 'Definitions of the features: equal hash, equal numbers.' }),
  configSha256: sha256.meta({ description: 'Settings in canonical form.' }),
  codeVersion: z.string().meta({ example: '0.1.0+d63e325' }),
  seed: z.int().min(0).meta({ example: 1 }),
  firstDay: day.meta({ description: 'First day of training.' }),
  trainedUntil: day.meta({ description: 'Last day whose outcome it has seen.' }),
  expiresAfterDays: z
    .int()
    .min(1)
    .meta({ description: 'Calendar days after trainedUntil it still answers; then it abstains.', example: 120 }),
  skill: skill.nullable(),
  verdict: verdict.nullable(),
  costSeconds: z.number().min(0).meta({ description: 'Processor time of the training.', example: 41.2 }),
  costJoules: z.number().min(0).nullable().meta({ description: 'Estimate; null: not estimated.', example: 620 }),
  limits: z.array(z.string()).meta({
    description: 'What it does not know, for the model card.',
    example: ['The universe holds only what is listed today: survivors flatter everybody.'],
  }),
});
export type ModelManifest = z.infer<typeof modelManifest>;
