import { z } from 'zod';
import { count, currency, day, id, idParam, name, sha256, symbol, timeAnswer } from './fields.ts';

/** What the market is looked at by: an instrument, or an index. */
export const subjectKind = z
  .enum(['instrument', 'index'])
  .meta({ description: 'What is looked at.', example: 'instrument' });
export type SubjectKind = z.infer<typeof subjectKind>;

/** Parameters of `/market/:kind/:id/…`. */
export const subjectParams = z.object({ kind: subjectKind, id: idParam });

export const subject = z.object({
  kind: subjectKind,
  id,
  symbol: symbol.nullable().meta({ description: 'Null for an index.', example: 'ALDR' }),
  name,
  currency,
});

/** Where a reading comes from: the same four give the same reading, to the last bit. */
export const readingLineage = z.object({
  dataSha256: sha256.meta({ description: 'Hash of the bars it was computed from.' }),
  codeVersion: z.string().meta({ description: 'Version of the code that computed it.', example: '0.1.0+d63e325' }),
  configSha256: sha256.meta({ description: 'Hash of the settings in canonical form.' }),
  seed: z.int().min(0).meta({ description: 'Seed of the generator.', example: 1 }),
});

/** Why something is null. */
export const reason = z.object({
  code: z
    .enum([
      'too_little_history',
      'all_missing',
      'constant_prices',
      'no_range',
      'no_volume',
      'gap_in_window',
      'not_known_yet',
      'not_defined',
      'did_not_converge',
      'unknown_feature',
      'expired',
      'failed',
      'took_too_long',
    ])
    .meta({ description: 'Which of the known reasons.', example: 'too_little_history' }),
  sentence: z.string().meta({
    description: 'The reason in words, with its numbers.',
    example: 'Needs 252 sessions; 41 are known by then.',
  }),
});
export type Reason = z.infer<typeof reason>;

const numberOrNull = z.number().nullable();

/** A measured figure is told with its interval, what it is held against, over which days, and how often was tried. */
export const measured = z.object({
  value: numberOrNull.meta({ description: 'Null: see reason.', example: 0.094 }),
  low: numberOrNull.meta({ description: 'Lower end of the 95 % interval.', example: 0.031 }),
  high: numberOrNull.meta({ description: 'Upper end of the 95 % interval.', example: 0.148 }),
  baseline: numberOrNull.meta({ description: 'The same figure of the baseline.', example: 0 }),
  baselineName: z.string().meta({ description: 'What it is held against.', example: 'expanding base rate' }),
  firstDay: day.nullable().meta({ description: 'First day measured.' }),
  lastDay: day.nullable().meta({ description: 'Last day measured.' }),
  sampleCount: count.meta({ description: 'Cases it was measured on.', example: 3770 }),
  trialCount: count.meta({ description: 'Variants tried before this one was shown, itself included.', example: 1 }),
  reason: reason.nullable(),
});
export type Measured = z.infer<typeof measured>;

/** What every reading of a subject begins with. */
export const reading = z.object({
  subject,
  time: timeAnswer,
  lineage: readingLineage,
  basis: z
    .enum(['raw', 'split_adjusted', 'total_return', 'level'])
    .nullable()
    .meta({ description: 'What the prices stand on; null: the source does not say.', example: 'total_return' }),
  barCount: count.meta({ description: 'Bars known by then.', example: 2520 }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  suspectDays: z.array(day).meta({
    description: 'Days whose step looks like a split nobody told of; paid as no return until somebody decides.',
    example: [],
  }),
});
export type Reading = z.infer<typeof reading>;
