import { z } from 'zod';

/** Field kinds that mean the same on every route. Each carries an example, from which the API document is built. */

export const day = z.iso.date().meta({ description: 'A calendar day, without a time zone.', example: '2026-01-15' });
export const instant = z.iso
  .datetime({ precision: null })
  .meta({ description: 'An instant, ISO 8601 in UTC.', example: '2026-01-15T21:00:00.000Z' });
export const id = z.int().min(0).max(2147483647).meta({ description: 'Number of a record.', example: 12 });
/** The same in a path or a query, where everything is text. */
export const idParam = z.coerce
  .number()
  .int()
  .min(0)
  .max(2147483647)
  .meta({ description: 'Number of a record.', example: 12 });
export const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .meta({ description: 'A name for people.', example: 'My universe' });
export const longText = z.string().max(2000).meta({ description: 'Free text.', example: 'Large caps, from one file.' });
export const symbol = z.string().trim().min(1).max(32).meta({ description: 'Ticker symbol.', example: 'ALDR' });
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .meta({ description: 'ISO 4217 code.', example: 'USD' });
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({
    description: 'SHA-256, hexadecimal.',
    example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  });
export const fraction = z.number().meta({ description: 'A fraction: 0.01 means 1 %.', example: 0.0125 });
export const price = z.number().meta({ description: 'Price in the currency of the instrument.', example: 101.25 });
export const count = z.int().min(0).meta({ description: 'A count.', example: 3 });
export const version = z
  .int()
  .min(1)
  .max(2147483647)
  .meta({ description: 'Version of the record; a change must name the version it started from.', example: 1 });

export const priceBasis = z
  .enum(['raw', 'split_adjusted', 'total_return'])
  .meta({ description: 'What the prices are adjusted for: nothing, splits, or splits and dividends.', example: 'raw' });

export const visibility = z
  .enum(['private', 'tenant'])
  .meta({ description: 'Who may see it: only its maker, or everybody of the tenant.', example: 'tenant' });

/** What every read of a fact or derived value may be asked with. */
export const timeQuery = z.object({
  asOf: day
    .optional()
    .meta({ description: 'The last day the answer is about. Default: the day of knownAt.', example: '2026-01-15' }),
  knownAt: instant.optional().meta({
    description: 'Use only what a participant could know at this instant. Default: the latest knowledge.',
    example: '2026-01-15T22:00:00.000Z',
  }),
  recordedAt: instant.optional().meta({
    description: 'Use only what this installation had recorded at this instant. Default: the last publication.',
    example: '2026-01-15T22:00:00.000Z',
  }),
});

/** The times an answer was given for. The same three times give the same answer for ever. */
export const timeAnswer = z.object({
  asOf: day,
  knownAt: instant,
  recordedAt: instant,
  reconstructed: z.boolean().meta({
    description: 'True when the knowledge times are declared by a rule and not recorded when it happened.',
    example: true,
  }),
});

/** Where a derived value comes from. */
export const lineage = z.object({
  datasetSha256: sha256.meta({ description: 'The frozen input.' }),
  codeVersion: z.string().meta({ description: 'Version of the code that computed it.', example: '0.1.0+d63e325' }),
  configSha256: sha256.meta({ description: 'Hash of the settings in canonical form.' }),
  seed: z.int().min(0).meta({ description: 'Seed of the generator.', example: 1 }),
  trialId: id.nullable().meta({ description: 'Its row in the trials ledger.' }),
});

export const pageQuery = z.object({
  cursor: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'Where the last page ended; from `nextCursor`.', example: 'MTAw' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(50)
    .meta({ description: 'Rows a page, at most 500.', example: 50 }),
});

/** A page of rows. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Ask with this for the next page; null at the end.', example: null }),
  });
}

/** Who made and last changed a record. */
export const audit = z.object({
  createdAt: instant,
  createdBy: id.nullable(),
  updatedAt: instant,
  updatedBy: id.nullable(),
  deletedAt: instant.nullable(),
  version,
});
