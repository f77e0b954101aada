import { z } from 'zod';
import { count, fraction, sha256 } from './fields.ts';

export const generatorName = z
  .enum(['stationary-bootstrap', 'garch-t', 'regime-switching', 'crash-injection'])
  .meta({ description: 'How the rows were made.', example: 'stationary-bootstrap' });

/** One stylised fact of a market's returns, synthetic against real. */
export const stylisedFact = z.object({
  fact: z
    .enum([
      'excess-kurtosis',
      'volatility-clustering',
      'return-autocorrelation',
      'leverage-effect',
      'lower-tail',
      'upper-tail',
      'volatility-annual',
    ])
    .meta({ description: 'Which.', example: 'excess-kurtosis' }),
  real: z.number().nullable().meta({ description: 'Of the real returns.', example: 7.9 }),
  low: z.number().nullable().meta({ description: 'Lower end of its 95 % block-bootstrap band.', example: 4.2 }),
  high: z.number().nullable().meta({ description: 'Upper end of it.', example: 12.8 }),
  synthetic: z.number().nullable().meta({ description: 'Of the synthetic returns.', example: 6.1 }),
  isWithin: z.boolean().nullable().meta({ description: 'Null where one side is not defined.', example: true }),
});

/** What a made dataset carries for good. Nothing may be evaluated on it. */
export const syntheticMark = z.object({
  generator: generatorName,
  seed: z.int().min(0).max(0xffffffff).meta({ description: 'Seed of the generator.', example: 7 }),
  parameters: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What the generator ran with.', example: { blockLength: 21 } }),
  parentSha256: sha256.meta({ description: 'The real dataset it was made from.' }),
  facts: z.array(stylisedFact).meta({ description: 'Over all instruments together.' }),
  factsWithin: count.meta({ description: 'Facts inside the real band.', example: 6 }),
  factsMeasured: count.meta({ description: 'Facts defined on both sides.', example: 7 }),
});
export type SyntheticMark = z.infer<typeof syntheticMark>;

export const augmentBody = z.object({
  generator: generatorName,
  seed: z.int().min(0).max(0xffffffff).default(1).meta({ description: 'Seed of the generator.', example: 7 }),
  blockLength: z
    .number()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'Mean block of the bootstrap in days. Default: chosen from the data.', example: 21 }),
  crashSize: fraction
    .max(0)
    .min(-0.95)
    .default(-0.2)
    .meta({ description: 'Crash injection: the whole move as a log return, below zero.', example: -0.2 }),
  crashDays: z
    .int()
    .min(1)
    .max(63)
    .default(5)
    .meta({ description: 'Crash injection: days the move takes.', example: 5 }),
});
